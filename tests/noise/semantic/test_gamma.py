"""Gamma: powers of values in [0, 1]."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksmooth.noise import Gamma

X = np.random.default_rng(0).random((5, 4, 3))


def test_powers_compose_and_stay_in_range():
    noise = Gamma()
    twice = noise.transform(noise.transform(X, 0.7), -1.2)
    assert np.abs(twice - noise.transform(X, -0.5)).max() < 1e-12
    assert_allclose(noise.transform(X, np.log(2)), X**2, rtol=1e-14)
    ends = noise.perturb(np.array([[0.0, 1.0]]), np.array([[-800.0], [0.3], [800.0]]))
    assert (ends == [0, 1]).all()


def test_ranges_hold_the_power():
    ranges = Gamma(0.3).ranges(np.array([np.log(2)]))
    assert_allclose(ranges["log_gamma"], [[-np.log(2), np.log(2)]])
    assert_allclose(ranges["gamma"], [[0.5, 2]])


def test_values_outside_are_refused():
    bad = X.copy()
    bad[3, 1, 1] = 1.2
    with pytest.raises(ValueError, match=r"1\.2 at row 3, .* Divide X by its largest value"):
        Gamma().check_inputs(bad)
    Gamma().check_inputs(bad / bad.max())
    with pytest.raises(ValueError, match="at row 0"):
        Gamma().transform(-X, 0.1)
