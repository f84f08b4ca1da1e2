"""Searches for radii."""

import mpmath
import numpy as np
import pytest

from sksmooth.noise import GaussianNoise, LaplaceNoise
from sksmooth.noise._radii._trade_off import last_proven


def test_a_lead_of_zero_ends_no_search():
    """Where the middle of an interval is the root itself, all below it is still proven."""
    found = last_proven(lambda r, rows: 1.0 - 2.0 * r, np.zeros(2), np.array([1.0, 2.0]), 1e-12)
    assert (found < 0.5).all()
    assert (found > 0.5 - 1e-11).all()


def test_nothing_is_found_where_nothing_leads():
    found = last_proven(lambda r, rows: -1.0 - r, np.zeros(1), np.ones(1), 1e-12)
    assert (found == 0).all()


@pytest.mark.parametrize("exponent", [20, 100, 155, 170, 200, 300, 307, 320])
def test_radii_of_tiny_tails_are_finite_and_below_the_exact_ones(exponent):
    """Products and quotients of such tails are no numbers any more; their logarithms are."""
    tail = float(f"1e-{exponent}")
    with mpmath.workdps(50):
        t = mpmath.mpf(tail)
        laplace = -mpmath.log(2 * t)
        normal = float(
            mpmath.findroot(
                lambda z: mpmath.log(mpmath.erfc(z / mpmath.sqrt(2)) / (2 * t)),
                mpmath.sqrt(-2 * mpmath.log(t)),
            )
        )
    for noise, exact in ((LaplaceNoise(np.sqrt(2)), laplace), (GaussianNoise(1.0), normal)):
        radius = noise.tail_radius(tail)
        assert radius <= exact
        assert radius >= float(exact) * (1 - 1e-9)
        assert noise.tail_radius([tail, tail], [tail, 0.1 * tail])[1] > radius
