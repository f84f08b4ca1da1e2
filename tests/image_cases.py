"""Images and transformations of the golden values, and what they are compared with."""

import csv
from pathlib import Path

import numpy as np

from sksmooth.transformations import Rotation, Shear, Translation, Zoom

FOLDER = Path(__file__).parent / "transformations"
TRANSFORMATIONS = {
    "rotation": Rotation(180),
    "zoom": Zoom(1),
    "shear": Shear(1),
    "translation": Translation(5),
}


def golden(name):
    with (FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file))


def golden_image(name, height, width):
    i, j = np.mgrid[:height, :width].astype(float)
    if name == "wave":
        return (1 + np.sin(1.3 * i + 0.7 * j + 0.05 * i * j)) / 2
    if name == "ring":
        from_circle = np.hypot(i - (height - 1) / 2, j - (width - 1) / 2 + 0.5) - 0.28 * height
        return np.maximum(0, 1 - np.abs(from_circle) / 1.5)
    inside = np.minimum.reduce([i, j, height - 1 - i, width - 1 - j]) >= 3
    return (((j // 3) % 2 == 0) & inside).astype(float)


def image_of(row):
    return golden_image(row["image"], int(row["h"]), int(row["w"]))


def blob(height=12, width=12, at=(4.0, 6.5)):
    """A smooth spot that is not in the middle."""
    i, j = np.mgrid[:height, :width]
    return np.exp(-((i - at[0]) ** 2 + (j - at[1]) ** 2) / 4.0)
