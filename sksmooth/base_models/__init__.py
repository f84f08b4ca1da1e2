"""What may be read off a fitted model."""
