"""Claims that hold together: levels, golden values, and how often claims are wrong."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats

from sksmooth.bounds import most_lost_outputs, step_down_claims, step_down_levels
from sksmooth.bounds._many_outputs import vote_p_values
from sksmooth.noise import GaussianNoise


def golden(name):
    with (Path(__file__).parent / "golden" / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def test_golden_levels():
    for row in golden("step_down_levels"):
        n, k = int(row["M"]), int(row["k"])
        levels = step_down_levels(n, float(row["alpha"]), n_wrong=k)
        found = levels[int(row["rank"]) - 1]
        assert found == pytest.approx(float(row["threshold_right"]), rel=1e-9)
    assert step_down_levels(3, 0.05, n_wrong=5).max() <= 1


def test_golden_bounds_of_lost_outputs():
    for row in golden("most_lost_outputs"):
        counts = {name: int(row[name]) for name in ("n_bad", "n", "t")}
        noise, radius = GaussianNoise(0.5), 0.5 * float(row["x"])
        found = most_lost_outputs(**counts, alpha=float(row["alpha"]), noise=noise, radius=radius)
        assert found == float(row["most_lost"])
    assert most_lost_outputs(60, 100, 3, 0.01, noise=GaussianNoise(), radius=0.1) == np.inf


def test_claims_are_made_until_the_first_that_fails():
    p = np.array([[0.001, 0.02, 0.3, 0.01], [0.2, 0.2, 0.2, 0.2]])
    made = step_down_claims(p, 0.05)
    np.testing.assert_array_equal(made, [[True, True, False, True], [False] * 4])
    assert step_down_claims(p[0] + 0.01, 0.05).tolist() == [True, False, False, False]
    assert step_down_claims(p[0] + 0.01, 0.05, n_wrong=2).tolist() == [True, True, False, True]
    assert step_down_claims(np.zeros((2, 0)), 0.05).shape == (2, 0)


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("correlated", [True, False])
def test_claims_are_wrong_as_seldom_as_they_say(k, correlated):
    """Half of the claims are wrong, and their p-values are uniform."""
    rng, n, alpha = np.random.default_rng(0), 20, 0.05
    z = rng.normal(size=(20_000, n))
    if correlated:
        z = 0.6 * z + 0.8 * rng.normal(size=(20_000, 1))
    z[:, : n // 2] += 4.0
    made = step_down_claims(special.ndtr(-z), alpha, n_wrong=k)
    wrong = made[:, n // 2 :].sum(axis=1)
    assert (wrong >= k).mean() <= alpha + 0.005
    too_lenient = special.ndtr(-z) <= k * alpha
    assert (too_lenient[:, n // 2 :].sum(axis=1) >= k).mean() > alpha


@pytest.mark.parametrize("least", [0.5, 0.9])
def test_p_values_of_votes(least):
    votes = np.arange(101)
    exact = stats.binom.sf(votes - 1, 100, least)
    np.testing.assert_allclose(vote_p_values(votes, 100, least), exact, rtol=1e-10)
    assert (vote_p_values(votes, 100, least) >= exact * (1 - 1e-15)).all()


def test_lost_outputs_of_orthogonal_linear_models():
    """Output j is lost if its own coordinate is moved by its margin: the truth is known."""
    rng, noise, radius = np.random.default_rng(0), GaussianNoise(1.0), 1.5
    informative = 0
    for _ in range(30):
        margins = np.abs(rng.normal(2.0, 0.3, 300))
        differs = rng.normal(size=(1000, 300)) < -margins
        t = int(differs[:300].sum(axis=1).mean() + 3 * differs[:300].sum(axis=1).std())
        n_bad = int((differs[300:].sum(axis=1) > t).sum())
        bound = most_lost_outputs(n_bad, 700, t, 0.001, noise=noise, radius=radius)
        cheapest = np.cumsum(np.sort(margins) ** 2)
        lost = int((cheapest <= radius**2).sum())
        assert lost <= bound
        informative += bound < 300
    assert informative > 20


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_claims": 0}, "n_claims must be at least 1"),
        ({"alpha": 0}, "alpha must lie in"),
        ({"n_wrong": 0}, "n_wrong must be at least 1"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        step_down_levels(**{"n_claims": 3, "alpha": 0.05} | arguments)
