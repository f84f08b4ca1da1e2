"""The sampled table of the mixed family: below the quadrature, at its level, and kept."""

import csv
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special

from sksmooth.noise import MixedNormNoise
from sksmooth.noise._mixed_norm._mixed_norm import draw_unit
from sksmooth.noise._mixed_norm._mixed_ratio import MixedOverlap
from sksmooth.noise._mixed_norm._sampled_ratio import (
    SampledMixedOverlap,
    _log_ratios,
    capped_moments,
    failure_bound,
)


@pytest.fixture(scope="module")
def sampled():
    return SampledMixedOverlap(64, 20.0, 1e-4, draw_unit)


@pytest.mark.slow
def test_radii_are_a_little_below_those_of_quadrature(sampled):
    with (Path(__file__).parent / "golden" / "mixed_linf.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["d"] == "64"]
    golden = np.array([float(row["radius"]) for row in rows])
    got = sampled.one_sided(1 - np.array([float(row["p_lower"]) for row in rows]))
    assert (got < golden).all()
    assert (got > 0.99 * golden).all()  # at shares of 0.6, 0.9 and 0.999


@pytest.mark.slow
def test_shares_kept_are_a_little_below_those_of_quadrature(sampled):
    exact = MixedOverlap(64, 20.0)
    for r in (0.05, 0.2):
        missing = np.array([0.3, 0.05, 0.002])
        got, true = (overlap.kept(missing, np.full(3, r)) for overlap in (sampled, exact))
        assert (got < true).all()
        assert (got > true - 0.008).all()


@pytest.mark.slow
def test_two_sided_radii_are_between_the_one_sided_ones(sampled):
    missing, rival = np.array([0.3, 0.1]), np.array([0.1, 0.05])
    radius = sampled.radius(missing, rival)
    assert (radius > sampled.one_sided(missing)).all()
    assert (radius < sampled.one_sided(rival)).all()


@pytest.mark.slow
def test_two_sided_and_top_radii_are_those_of_quadrature(sampled):
    missing, rival = np.array([0.3]), np.array([0.1])
    exact = MixedOverlap(64, 20.0)
    true, got = exact.radius(missing, rival), sampled.radius(missing, rival)
    assert exact.one_sided(missing) < true < exact.one_sided(rival)
    assert 0.985 * true < got < true
    joint = np.array([[0.05, 0.2]])
    true, got = (overlap.top_radius(missing, joint) for overlap in (exact, sampled))
    assert 0.985 * true < got < true


def test_bound_of_one_radius_keeps_its_level():
    """Normal noise, where the overlap is known: the bound is wrong less often than alpha."""
    r, n, alpha = 1.5, 400, 0.2
    log_m = -r * r / 2
    exact = special.ndtr(-r)  # E[min(L, m)] - m / 2 at the median m of L
    rng = np.random.default_rng(0)
    z = rng.standard_normal((2000, n, 1))
    log_ratios = r * np.concatenate([z, -z], axis=2) - r * r / 2
    parts = np.exp(np.minimum(log_ratios - log_m, 0)).mean(axis=2)
    wrong = np.mean([failure_bound(part, log_m, alpha) > exact for part in parts])
    assert wrong <= alpha
    assert (
        np.mean(np.exp(log_m) * (parts.mean(axis=1) - 0.5) > exact) > alpha
    )  # the control: no allowance


def test_alpha_is_reported_where_the_table_is_sampled():
    assert MixedNormNoise(1.0, 4).own_alpha(8) == 1e-4
    assert MixedNormNoise(1.0, 30, table_alpha=1e-3).own_alpha(64) == 1e-3
    assert MixedNormNoise(1.0, 4).own_alpha(40) == 0
    assert MixedNormNoise(1.0, 20).own_alpha(64) == 0
    assert MixedNormNoise(1.0, 0).own_alpha(8) == 0


def test_moments_of_all_thresholds_are_those_of_each():
    pairs = np.random.default_rng(0).normal(-0.5, 1.5, size=(2, 500))
    log_m = np.linspace(-6, 6, 25)
    mean, variance = capped_moments(pairs, log_m)
    for i, x in enumerate(log_m):
        part = np.minimum(np.exp(pairs - x), 1).mean(axis=0)
        assert_allclose([mean[i], variance[i]], [part.mean(), part.var(ddof=1)], atol=1e-12)


def test_mirrored_draws_have_the_mirrored_ratio():
    """The density is even, so that E[L] of the images is one too; pairs vary less than draws."""
    z = draw_unit(20_000, 40, 8.0, np.random.default_rng(1))
    extremes = np.column_stack([z.max(axis=1), z.min(axis=1), z.sum(axis=1)])
    mirrored = np.column_stack([(-z).max(axis=1), (-z).min(axis=1), (-z).sum(axis=1)])
    pairs = _log_ratios(extremes, 0.1, 40, 8.0)
    assert_allclose(pairs[1], _log_ratios(mirrored, 0.1, 40, 8.0)[0], rtol=1e-12)
    part = np.exp(np.minimum(pairs, 0))
    assert part.mean(axis=0).var() < part.var() / 3


def test_more_features_than_a_table_can_be_sampled_for():
    with pytest.raises(ValueError, match=r"k=.* is too large for 150528 features"):
        MixedNormNoise(1.0, 60_000).radius(0.9, n_features=150_528)


def test_table_is_kept_on_disk_if_asked_for(tmp_path, monkeypatch):
    from sksmooth.noise._mixed_norm import _sampled_ratio

    monkeypatch.setattr(_sampled_ratio, "_MOST_DRAWS", 5000)
    monkeypatch.setattr(_sampled_ratio, "_PILOT_DRAWS", 1000)
    memory = joblib.Memory(tmp_path, verbose=0)
    noise = MixedNormNoise(1.0, 3, table_alpha=0.0123, memory=memory)
    first = noise.radius(0.99, n_features=5)
    assert first > 0
    assert list(tmp_path.rglob("output.pkl"))
    _sampled_ratio._table.cache_clear()

    def fail(*_):
        raise AssertionError("the table was sampled again")

    monkeypatch.setattr(_sampled_ratio, "_extremes", fail)
    assert noise.radius(0.99, n_features=5) == first
    _sampled_ratio._table.cache_clear()
    with pytest.raises(AssertionError, match="sampled again"):  # the control: nothing on disk
        MixedNormNoise(1.0, 3, table_alpha=0.0123).radius(0.99, n_features=5)
