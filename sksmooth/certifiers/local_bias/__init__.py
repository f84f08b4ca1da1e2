"""Locally biased smoothing: exact radii from gradients and reference points."""
