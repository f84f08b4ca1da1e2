"""Golden values of noise on categories, as they stand in files."""

import csv
from fractions import Fraction
from pathlib import Path


def golden_rows(name):
    with (Path(__file__).parent / "noise" / "golden" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def numbers(text):
    return [int(number) for number in text.split()]


def probabilities_of(row):
    """Probabilities of the levels of each column; None where the scheme has none."""
    if row["scheme"] != "draw":
        return None
    columns = row["draw_probabilities"].split(";")
    return [[float(Fraction(p)) for p in column.split()] for column in columns]
