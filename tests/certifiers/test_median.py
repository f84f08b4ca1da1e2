"""The theorem of median smoothing, by simulation, and its levels."""

import numpy as np
import pytest
from scipy import stats

from sksmooth.certificates import ErrorBudget
from sksmooth.certifiers import _median
from sksmooth.certifiers._median import MedianBounds, MedianCertifier
from sksmooth.engine._black_box import Responder
from sksmooth.engine._sampling import OutputSampler
from sksmooth.engine._streams import Streams
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise

ALPHA, REPETITIONS = 0.2, 800


def bounds(of="prediction", *, quantile=0.5, n_radii=1, n_values=1):
    return MedianBounds(quantile, 101, 150, ErrorBudget(ALPHA, n_radii), n_values, of)


@pytest.mark.parametrize("quantile", [0.5, 0.2])
@pytest.mark.parametrize("of", ["prediction", "population"])
def test_bounds_cover_at_the_worst_input(of, quantile):
    """For the identity the worst inputs are known. Control: bounds for a smaller radius fail."""
    certified = bounds(of, quantile=quantile)
    rng, radius = np.random.default_rng(0), 0.6
    missed, control = 0, 0
    ranks = certified.ranks(radius), certified.ranks(0.3)
    for _ in range(REPETITIONS):
        sample = np.sort(rng.normal(size=150))
        if of == "population":
            at = stats.norm.ppf(quantile) + np.array([-radius, radius])
        else:
            there = np.sort(rng.normal(size=(2, 101)), axis=1)[:, certified.rank - 1]
            at = there + np.array([-radius, radius])
        for k, (low, high) in enumerate(ranks):
            miss = at[0] < sample[low - 1] or at[1] > sample[high - 1]
            missed, control = missed + (miss and k == 0), control + (miss and k == 1)
    limit = ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / REPETITIONS)
    assert missed / REPETITIONS <= limit < control / REPETITIONS


@pytest.mark.parametrize("of", ["prediction", "population"])
def test_radii_and_coordinates_share_alpha(of):
    alone, joint, vector = bounds(of), bounds(of, n_radii=3), bounds(of, n_values=3)
    assert joint.ranks(0.3) == vector.ranks(0.3)
    assert joint.ranks(0.3).lower < alone.ranks(0.3).lower
    assert joint.max_radius(1.0) == pytest.approx(vector.max_radius(1.0))
    assert joint.max_radius(1.0) < alone.max_radius(1.0)


@pytest.mark.parametrize(("quantile", "rank"), [(0.5, 51), (0.3, 31), (1e-9, 1), (1 - 1e-9, 101)])
def test_the_rank_of_an_answer(quantile, rank):
    assert bounds(quantile=quantile).rank == rank
    assert MedianBounds(0.3, 10, 150, ErrorBudget(ALPHA)).rank == 3


class Powers:
    """Returns an array of shape (2, 3) per row, with NaN in two of its places."""

    def predict(self, X):
        outputs = X[:, :1] ** np.arange(1, 7)
        outputs[X[:, 0] > 1, 1] = np.nan
        outputs[X[:, 0] > -2, 4] = np.nan
        return outputs.reshape(-1, 2, 3)


@pytest.mark.parametrize("held", [1, 400, 10**6])
def test_bounds_are_order_statistics_however_few_outputs_are_held(held, monkeypatch):
    monkeypatch.setattr(_median, "_VALUES_AT_ONCE", held)
    inputs = read_inputs(np.array([[0.0], [1.0]]), owner=None)
    streams = Streams(GaussianNoise(1.0), 7)
    sampler = OutputSampler(Responder(Powers(), "predict", (2, 3)), inputs, streams, 37)
    certified = bounds(n_values=6)
    (certificate,) = MedianCertifier(sampler, certified).certify(np.full((1, 2), 0.3))
    ranks = certified.ranks(0.3 * (1 + 1e-13))
    answers, others = (
        np.stack(ask(lambda outputs, n=n: outputs.take(n)))
        for ask, n in ((sampler.answer, 101), (sampler.certify, 150))
    )
    high = np.sort(np.nan_to_num(others, nan=np.inf, posinf=np.inf, neginf=-np.inf), axis=1)
    low = np.sort(np.nan_to_num(others, nan=-np.inf, posinf=np.inf, neginf=-np.inf), axis=1)
    np.testing.assert_array_equal(certificate.upper, high[:, ranks.upper - 1])
    np.testing.assert_array_equal(certificate.lower, low[:, ranks.lower - 1])
    middle = np.sort(np.nan_to_num(answers, nan=np.inf), axis=1)[:, 50]
    np.testing.assert_array_equal(certificate.prediction, middle)
