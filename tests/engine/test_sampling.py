"""Outputs on noisy copies of a row."""

import numpy as np
import pytest

from sksmooth.engine._black_box import Responder
from sksmooth.engine._sampling import outputs_of_row
from sksmooth.engine._streams import DrawStream, Purpose, Streams
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise


class Twice:
    """Returns two coordinates per row, and remembers the sizes of its calls."""

    def __init__(self):
        self.sizes = []

    def predict(self, X):
        self.sizes.append(len(X))
        return np.c_[X[:, 0], 2 * X[:, 1]]


ROWS = read_inputs(
    np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [-0.0, 0.0], [0.0, 0.0]]), owner=None
)
STREAM = DrawStream(GaussianNoise(0.5), 7, Purpose.SELECTION, (2,), np.dtype(float))


def outputs(n, **options):
    model = Twice()
    options = {"batch_size": 10, **options}
    return outputs_of_row(Responder(model, "predict"), ROWS[:1], STREAM, n, **options), model.sizes


def test_outputs_are_those_of_the_noisy_row():
    got, sizes = outputs(25)
    noisy = ROWS.values[0] + STREAM.take(0, 25)
    np.testing.assert_allclose(got, noisy * [1, 2])
    assert sizes == [10, 10, 5]


@pytest.mark.parametrize("batch_size", [1, 7, 100, None])
def test_neither_batches_nor_the_start_matter(batch_size):
    whole, _ = outputs(60)
    np.testing.assert_array_equal(outputs(60, batch_size=batch_size)[0], whole)
    np.testing.assert_array_equal(outputs(20, first_draw=40)[0], whole[40:])


@pytest.mark.parametrize("batch_size", [2, 10, 50])
def test_averages_are_of_consecutive_draws(batch_size):
    raw, _ = outputs(48)
    got, sizes = outputs(
        12, batch_size=batch_size, average=lambda groups: groups.mean(axis=1), n_average=4
    )
    np.testing.assert_allclose(got, raw.reshape(12, 4, 2).mean(axis=1))
    assert max(sizes) <= batch_size


def test_seeds_follow_the_content_of_a_row():
    def seeds(rows, seed):
        streams = Streams(GaussianNoise(0.5), seed).of_each(Purpose.SELECTION, rows)
        return [stream.seed for stream in streams]

    found = seeds(ROWS, 1)
    assert found[0] == found[2]
    assert found[3] == found[4]
    assert len(set(found)) == 3
    assert not set(found) & set(seeds(ROWS, 2))
    assert seeds(ROWS[1:2], 1) == found[1:2]


@pytest.mark.parametrize("returned", [np.zeros((3, 2)), 1.0])
def test_one_output_per_row_is_needed(returned):
    model = Twice()
    model.predict = lambda X: returned
    with pytest.raises(ValueError, match="one output per row is needed"):
        Responder(model, "predict")(ROWS.values, 5)
