"""Shifts by whole pixels: exact certificates, from the answers for all of them."""
