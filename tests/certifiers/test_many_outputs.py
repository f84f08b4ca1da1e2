"""Certificates of many outputs against a truth that is known: linear models."""

import numpy as np
import pytest

from sksmooth.bounds._calibration import worst_case
from sksmooth.certificates import ErrorBudget
from sksmooth.certifiers._many_outputs import ManyOutputsCertifier
from sksmooth.engine._black_box import Responder
from sksmooth.engine._sampling import OutputSampler
from sksmooth.engine._streams import Streams
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise

NOISE, RADIUS = GaussianNoise(1.0), 0.5


class Signs:
    """Output j is the sign of feature j; it changes when this feature is moved by its size."""

    def predict(self, X):
        return (X > 0).astype(int)


def certified(X, seed, n_wrong=1, distance=RADIUS, alpha=0.05):
    responder = Responder(Signs(), "predict", X.shape[1:])
    sampler = OutputSampler(responder, read_inputs(X, owner=None), Streams(NOISE, seed))
    worst = worst_case(NOISE, distance)
    budget = ErrorBudget(alpha)
    return ManyOutputsCertifier(sampler, 50, 200).certify(
        worst, budget, radius=RADIUS, norm=2.0, n_wrong=n_wrong
    )


@pytest.mark.parametrize("n_wrong", [1, 2])
def test_claims_are_wrong_as_seldom_as_they_say(n_wrong):
    """A third of the outputs lie just within the radius: every claim about them is wrong."""
    X = np.tile([0.49] * 5 + [2.5] * 10, (1, 1))
    wrong, seen, control = [], [], []
    for seed in range(200):
        found = certified(X, seed, n_wrong)
        wrong.append(found.certified[0, :5].sum())
        seen.append(found.certified[0, 5:].mean())
        control.append(certified(X, seed, n_wrong, distance=0.3).certified[0, :5].sum())
    assert (np.array(wrong) >= n_wrong).mean() <= 0.05 + 0.03
    assert np.mean(seen) > 0.9
    assert (np.array(control) >= n_wrong).mean() > 0.2


def test_predictions_and_votes():
    X = np.array([[3.0, -3.0, 0.1], [-2.0, 2.0, -2.0]])
    found = certified(X, 0)
    np.testing.assert_array_equal(found.prediction[:, :2], X[:, :2] > 0)
    assert (found.votes <= 200).all()
    assert found.certified.tolist() == [[True, True, False], [True, True, True]]
    assert not certified(X, 0, distance=50.0).certified.any()


def test_more_wrong_claims_allow_more_claims():
    X = np.random.default_rng(0).normal(0, 1.2, (4, 300))
    numbers = [certified(X, 0, n_wrong).certified.sum() for n_wrong in (1, 5, 30)]
    assert numbers[0] < numbers[1] < numbers[2]
