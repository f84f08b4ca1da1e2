"""Radii against values computed by two independent methods, in double or 25-digit arithmetic.

The families of the files are of unit scale: s for the families with a Gaussian tail, b for those
with an exponential one, lam for cubes. Radii may be smaller than the golden ones by a part in
10^10, and are never larger by more than one in 10^12.
"""

import csv
from pathlib import Path

import numpy as np
import pytest

from sksmooth.noise import GaussianNoise, LaplaceNoise, UniformNoise

NORMS = {"l1": 1, "l2": 2, "l3": 3, "linf": np.inf}


def rows(name):
    with (Path(__file__).parent / "golden" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def noise_of(row):
    """Family, in the library's sigma, of a row in unit scale."""
    scale = float(row["sigma"])
    return {
        "gaussian": lambda: GaussianNoise(scale),
        "laplace": lambda: LaplaceNoise(scale * np.sqrt(2)),
        "uniform": lambda: UniformNoise(scale / np.sqrt(3)),
        "uniform_cube": lambda: UniformNoise(scale / np.sqrt(3)),
    }[row["family"]]()


def check(got, golden, rtol=1e-10):
    golden = np.asarray(golden)
    assert (got <= golden * (1 + 1e-12)).all()
    assert (got >= golden * (1 - rtol) - 1e-15).all()


def by_family(rows):
    groups = {}
    for row in rows:
        key = tuple(row[name] for name in ("family", "d", "k", "sigma", "norm"))
        groups.setdefault(key, []).append(row)
    return [pytest.param(group, id="-".join(key)) for key, group in groups.items()]


@pytest.mark.parametrize("group", by_family(rows("closed_forms")))
def test_one_sided(group):
    p = np.array([float(row["p_lower"]) for row in group])
    got = noise_of(group[0]).radius(p, n_features=int(group[0]["d"]), norm=NORMS[group[0]["norm"]])
    check(got, [float(row["radius"]) for row in group])


CLOSED = [row for row in rows("bilateral") if row["d"] == "any"]


@pytest.mark.parametrize("group", by_family(CLOSED))
def test_two_sided(group):
    lower, upper = (
        np.array([float(row[name]) for row in group]) for name in ("p_lower", "p_upper")
    )
    check(noise_of(group[0]).radius(lower, upper), [float(row["radius"]) for row in group])


@pytest.mark.parametrize("row", rows("top_k"), ids=lambda row: row["p_others_upper"])
def test_top_k(row):
    others = [float(share) for share in row["p_others_upper"].split(";")]
    got = GaussianNoise(1.0).top_radius(float(row["p_l_lower"]), others, int(row["k"]))
    check(got, float(row["radius"]))


def test_the_check_notices_a_radius_too_large_and_one_too_small():
    for factor in (1 + 1e-11, 1 - 2e-10):
        with pytest.raises(AssertionError):
            check(np.array([factor]), [1.0])
