"""The polynomial is above the arc everywhere, and bounds are above probabilities."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sksmooth.certifiers.exact._majorant import Arc, arc_probabilities


def polynomial(arc, degree, x):
    """Values of the majorant, from its coefficients."""
    n = np.arange(1, degree + 1.0)
    waves = np.exp(2j * np.pi * n[:, None] * x)
    constant = arc.stop - arc.start + 1 / (degree + 1)
    return constant + 2 * (arc.coefficients(n, degree) @ waves).real


@pytest.mark.parametrize("degree", [1, 7, 64])
@pytest.mark.parametrize("arc", [Arc(-0.3, 0.1), Arc(0.2, 0.21), Arc(-0.9, 0.05)])
def test_the_polynomial_is_above_the_arc(arc, degree):
    x = np.concatenate([np.linspace(-1, 1, 20_001), [arc.start, arc.stop]])
    inside = (x - arc.start) % 1 <= (arc.stop - arc.start)
    above = polynomial(arc, degree, x) - inside
    assert above.min() > -1e-12
    lower = Arc(arc.start + 0.3 / degree, arc.stop - 0.3 / degree)
    if degree > 1 and lower.stop > lower.start:  # control: without the excess it is not
        assert (polynomial(lower, degree, x) - inside).min() < -1e-3


def test_bounds_are_above_probabilities_and_close():
    rng = np.random.default_rng(0)
    places = [rng.uniform(-0.08, 0.08, n) for n in (2, 3, 4, 3)]
    masses = [rng.dirichlet(np.ones(len(p)), 200).T for p in places]
    sums, products = np.zeros(1), np.ones((1, 200))
    for place, mass in zip(places, masses):
        sums = np.add.outer(sums, place).ravel()
        products = (products[:, None] * mass).reshape(len(sums), -1)
    arcs = [Arc(-0.4, 0.0), Arc(-0.4, float(sums[3])), Arc(0.0, 0.4)]
    for degree, width in ((64, 0.3), (1024, 0.08)):
        for arc, bound in zip(arcs, arc_probabilities(places, masses, arcs, degree)):
            exact = products[(arc.start <= sums) & (sums <= arc.stop)].sum(axis=0)
            assert (bound >= exact).all()
            assert (bound - exact).mean() < width
    assert_allclose(arc_probabilities(places, masses, [Arc(-0.45, 0.45)], 64)[0], 1, atol=0.05)
