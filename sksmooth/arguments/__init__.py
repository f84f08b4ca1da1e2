"""Arguments as numbers: what is no number, count, probability or level is refused by its name."""
