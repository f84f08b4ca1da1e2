"""Prediction sets and intervals that cover under perturbations."""
