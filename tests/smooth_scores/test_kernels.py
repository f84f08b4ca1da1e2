"""Radial kernels: eigenvalues of the Hessian, and bounds that a single kernel attains."""

import mpmath
import numpy as np
import pytest
from smooth_models import climb, largest_curvature

from sksmooth.smooth_scores._affine import after_affine
from sksmooth.smooth_scores._kernels import (
    GAUSSIAN,
    MATERN_3_2,
    MATERN_5_2,
    KernelScore,
    gaussian_third_derivative,
)

KERNELS = [GAUSSIAN, MATERN_3_2, MATERN_5_2]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_eigenvalues_are_derivatives_of_the_kernel(kernel):
    r = np.linspace(0.1, 6, 200)
    h = 1e-4  # errors of 1e-8 by the formula and by rounding
    first = (kernel.value(r + h) - kernel.value(r - h)) / (2 * h)
    second = (kernel.value(r + h) - 2 * kernel.value(r) + kernel.value(r - h)) / h**2
    np.testing.assert_allclose(kernel.across(r), first / r, atol=1e-6)
    np.testing.assert_allclose(kernel.along(r), second, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
def test_ranges_of_eigenvalues_hold_on_a_grid_and_are_attained(kernel):
    rng = np.random.default_rng(0)
    for _ in range(200):
        near, far = np.sort(rng.uniform(0, 6, 2))
        grid = np.linspace(near, far, 2001)
        values = np.concatenate([kernel.across(grid), kernel.along(grid)])
        low, high = kernel.eigenvalues(np.array([near]), np.array([far]))
        assert low[0] == pytest.approx(values.min(), abs=1e-12)
        assert values.max() <= high[0] + 1e-15
        assert values.max() == pytest.approx(high[0], abs=1e-5)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda k: k.name)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_constant_of_one_kernel_is_sharp(kernel, sign):
    score = KernelScore(kernel, np.zeros((1, 2)), np.array([[sign]]), np.zeros(1), 0.7)
    rows = np.array([[1e-4, 0.0], [0.5, 0.5], [1.0, 0.2]])
    reached = largest_curvature(score, np.ones(1), rows, 2, step=1e-6).max()
    assert reached == pytest.approx(score.lipschitz(np.ones(1), 2), rel=2e-3)


def test_signs_make_the_constant_smaller_than_a_sum_of_absolute_values():
    """Coefficients that sum to 0, as those of a support vector machine: 1.446 instead of 2."""
    rng = np.random.default_rng(0)
    coef = np.array([[2.0, 1.0, -1.5, -1.5]])
    score = KernelScore(GAUSSIAN, rng.normal(size=(4, 3)), coef, np.zeros(1), 1.0)
    expected = (1 + 2 * np.exp(-1.5)) / 2 * 6.0
    assert score.lipschitz(np.ones(1), 2) == pytest.approx(expected, rel=1e-14)
    assert expected / 6 == pytest.approx(1.446 / 2, abs=1e-3)


def third_derivative(r):
    """Largest third derivative of exp(-r^2 / 2) along a unit vector, over angles to the ray."""
    s = np.linspace(0, r, 4001)
    return np.abs(3 * s - s**3).max() * np.exp(-(r**2) / 2)


def test_third_derivative_is_bounded_beyond_every_distance():
    radii = np.linspace(0, 8, 801)
    true = np.array([third_derivative(r) for r in radii])
    beyond = np.maximum.accumulate(true[::-1])[::-1]
    bound = gaussian_third_derivative(radii)
    assert (bound >= beyond * (1 - 1e-9)).all()
    np.testing.assert_allclose(bound, beyond, rtol=2e-3)
    q = mpmath.sqrt((48 - mpmath.sqrt(1536)) / 32)
    exact = (12 * q - 8 * q**3) * mpmath.exp(-(q**2)) / 2 ** mpmath.mpf(1.5)
    assert bound[0] == pytest.approx(float(exact), rel=1e-12)


def test_local_constant_uses_the_hessian_where_that_is_better():
    """Between two kernels of opposite sign the ranges of eigenvalues say little."""
    rng = np.random.default_rng(0)
    centers, coef = rng.normal(size=(30, 2)), rng.normal(size=(1, 30))
    score = KernelScore(GAUSSIAN, centers, coef, np.zeros(1), 1.0)
    rows, radius = rng.normal(size=(40, 2)), np.full(40, 0.05)
    both = score.local_bound(rows)
    only_ranges = score.local_bound(rows)
    only_ranges.rows = None
    better = both.lipschitz(np.ones(1), 2, radius)
    assert better.sum() < 0.5 * only_ranges.lipschitz(np.ones(1), 2, radius).sum()

    def keep(Z):
        away = Z - rows
        size = np.linalg.norm(away, axis=1)
        return rows + away * np.minimum(1, radius / np.maximum(size, 1e-300))[:, None]

    reached = climb(
        lambda Z: largest_curvature(score, np.ones(1), Z, 2),
        rows,
        rng,
        scale=0.05,
        steps=60,
        keep=keep,
    )
    assert (reached <= better * (1 + 1e-6)).all()
    assert reached.sum() > 0.7 * better.sum()  # so a bound a third smaller would be broken


@pytest.mark.skipif(np.finfo(np.longdouble).eps > 1e-18, reason="long double is double here")
def test_rounding_bounds_the_error_against_long_double():
    """Where large coefficients of both signs cancel, and far from the origin."""
    rng = np.random.default_rng(0)
    centers = 100 + rng.normal(size=(60, 3))
    coef = 1e3 * rng.normal(size=(1, 60))
    coef -= coef.mean()
    score = KernelScore(GAUSSIAN, centers, coef, np.array([0.1]), 2.0)
    X = 100 + 2 * rng.normal(size=(200, 3))
    rays = (X[:, None].astype(np.longdouble) - centers) / 2
    terms = np.exp(-(rays**2).sum(axis=2) / 2) * coef[0]
    value = terms.sum(axis=1) + np.longdouble(0.1)
    gradient = -(terms[:, :, None] * rays / 2).sum(axis=1)
    error = np.abs(score.value(X)[:, 0] - value).astype(float)
    assert (error <= score.rounding(X)[:, 0]).all()
    of_gradient = np.abs(score.gradient(X)[:, 0] - gradient).sum(axis=1).astype(float)
    assert (of_gradient <= score.gradient_rounding(X)[:, 0]).all()
    assert error.max() > 1e-5 * score.rounding(X).max()  # there is an error to bound
    assert of_gradient.max() > 1e-5 * score.gradient_rounding(X).max()


def test_rounding_of_gradients_behind_a_scaler_far_from_the_origin():
    """The scaled rows are off by the size of what is subtracted, and gradients turn for it."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(20, 3))
    inner = KernelScore(GAUSSIAN, centers, rng.normal(size=(1, 20)), np.zeros(1), 0.7)
    scale, mean = np.full(3, 1 / 3e-4), 1e6 * rng.uniform(1, 2, size=3)
    score = after_affine(inner, scale, -scale * mean)
    X = mean + 3e-4 * rng.normal(size=(200, 3))
    exact = np.longdouble(X) * np.longdouble(scale) + np.longdouble(-scale * mean)
    error = np.abs(score.gradient(X) - inner.gradient(exact.astype(float)) * scale).sum(axis=2)
    bound = score.gradient_rounding(X)
    assert (error <= bound).all()
    assert (error > 1e-4 * bound).any()
