"""Images in closed form that golden values are about, and how rows of them are read."""

import csv
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).parent / "noise" / "golden"


def golden_rows(name):
    with (GOLDEN / name).open(newline="") as file:
        return list(csv.DictReader(file))


def image(name, h, w):
    i, j = np.mgrid[: int(h), : int(w)]
    h, w = int(h), int(w)
    if name == "wave":
        return (1 + np.sin(1.3 * i + 0.7 * j + 0.05 * i * j)) / 2
    if name == "ring":
        distance = np.hypot(i - (h - 1) / 2, j - (w - 1) / 2 + 0.5)
        return np.maximum(0, 1 - np.abs(distance - 0.28 * h) / 1.5)
    margin = np.minimum(np.minimum(i, j), np.minimum(h - 1 - i, w - 1 - j))
    return ((j // 3 % 2 == 0) & (margin >= 3)).astype(float)
