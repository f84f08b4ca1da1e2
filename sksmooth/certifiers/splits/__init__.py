"""Deterministic splitting noise: exact radii from all shifts of the cuts."""
