"""Outputs on noisy copies of a row."""

import pickle

import numpy as np
import pytest

from sksmooth.engine._black_box import Responder
from sksmooth.engine._sampling import NoisyOutputs, OutputSampler
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


def outputs(n, *, first_draw=0, batch_size=10):
    model = Twice()
    of_row = NoisyOutputs(Responder(model, "predict"), ROWS[:1], 0, STREAM, batch_size)
    return of_row.take(n, first_draw=first_draw), model.sizes


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


def test_calls_count_their_outputs():
    """Two of 8 MB each in a call, where a thousand inputs would fit."""
    model = Twice()
    model.predict = lambda X: np.zeros((len(X), 2**20))
    of_row = NoisyOutputs(Responder(model, "predict", (2**20,)), ROWS[:1], 0, STREAM)
    assert next(of_row.batches(10)).shape == (2, 2**20)


@pytest.mark.parametrize("batch_size", [2, 10, 50])
def test_batches_hold_whole_units(batch_size):
    model = Twice()
    of_row = NoisyOutputs(Responder(model, "predict"), ROWS[:1], 0, STREAM, batch_size)
    batches = list(of_row.batches(48, unit=4))
    assert all(len(batch) % 4 == 0 for batch in batches)
    assert max(model.sizes) <= batch_size
    np.testing.assert_array_equal(np.concatenate(batches), outputs(48)[0])


def sampler(model, **options):
    return OutputSampler(
        Responder(model, "predict"), ROWS, Streams(GaussianNoise(0.5), 7), **options
    )


def first_of(outputs, *given):
    return outputs.take(1)[0, 0], *given


def test_answers_have_noise_of_their_own_and_certificates_share_it():
    work = sampler(Twice())
    np.testing.assert_array_equal(work.clean(), ROWS.values * [1, 2])
    own = [value for (value,) in work.answer(first_of)] - ROWS.values[:, 0]
    assert len({round(value, 9) for value in own}) == 3  # two pairs of rows are equal
    shared, numbers = zip(*work.certify(first_of, range(5)))
    assert numbers == (0, 1, 2, 3, 4)
    assert np.ptp(shared - ROWS.values[:, 0]) < 1e-12


class Failing(Twice):
    """Fails on the second row; on all of them where there is no noise."""

    def predict(self, X):
        if np.abs(X[:, 1] - 4).mean() < 1 or len(X) == len(ROWS):
            raise RuntimeError("out of order")
        return X


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_an_error_of_the_base_model_names_the_row(n_jobs):
    with pytest.raises(RuntimeError, match="out of order") as error:
        sampler(Failing(), n_jobs=n_jobs).certify(take_some)
    assert "row 1 of X (draws 0 to 99)" in text_of(error.value)
    with pytest.raises(RuntimeError) as error:
        sampler(Failing()).clean()
    assert "without noise" in text_of(error.value)


def take_some(outputs):
    return outputs.take(100)


def text_of(error):
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


def test_a_task_holds_one_row():
    """What is sent to another process does not grow with X."""
    sizes = []

    class Sizes(OutputSampler):
        def outputs_for(self, i, stream):
            outputs = super().outputs_for(i, stream)
            sizes.append(len(pickle.dumps(outputs)))
            return outputs

    for m in (1, 10_000):
        rows = read_inputs(np.zeros((m, 2)), owner=None)
        many = Sizes(Responder(Twice(), "predict"), rows, Streams(GaussianNoise(0.5), 7))
        many.answer(no_work)
    assert max(sizes) < sizes[0] + 50


def no_work(outputs):
    return None


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
