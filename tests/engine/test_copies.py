"""Outputs of noisy copies, each input with noise of its own."""

import pickle

import joblib
import numpy as np
import pytest

from sksmooth.engine._copies import CopySampler
from sksmooth.engine._streams import Purpose, Streams
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise, SplittingNoise
from sksmooth.noise._lattice import Lattice

X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [-0.0, 0.0], [0.0, 0.0]])
NOISE = GaussianNoise(0.5)


def both(X, n_rows):
    assert len(X) == n_rows
    return np.asarray(X)


def keep(outputs, *given):
    return outputs


def sampler(n_copies=7, *, X=X, lattice=None, noise=NOISE, **options):
    inputs = read_inputs(X, owner=None)
    return CopySampler(both, inputs, Streams(noise, 3, lattice), n_copies, **options)


def by_position(*args, **options):
    return np.concatenate(sampler(*args, **options).by_position(keep))


def by_content(*args, **options):
    return np.concatenate(sampler(*args, **options).by_content(keep))


def test_every_position_has_draws_of_its_own():
    outputs = by_position()
    stream = Streams(NOISE, 3).of(Purpose.CALIBRATION, read_inputs(X, owner=None))
    np.testing.assert_array_equal(outputs, X[:, None] + stream.take(0, 35).reshape(5, 7, 2))
    noise = outputs - X[:, None]
    assert len(np.unique(noise.round(12))) == noise.size  # also of rows 0 and 2, which are equal


def test_content_decides_the_draws_of_predictions():
    outputs = by_content()
    np.testing.assert_array_equal(outputs[0], outputs[2])
    np.testing.assert_array_equal(outputs[3], outputs[4])  # minus zero is zero
    order = np.array([4, 1, 0])
    np.testing.assert_array_equal(by_content(X=X[order]), outputs[order])
    noise = (outputs - X[:, None])[[0, 1, 3]]
    assert len(np.unique(noise.round(12))) == noise.size


def test_calibration_and_prediction_share_no_draw():
    one, other = (f() - X[:, None] for f in (by_position, by_content))
    assert not np.isin(one.round(12), other.round(12)).any()


@pytest.mark.parametrize("batch_size", [1, 3, 7, 20, 1000])
@pytest.mark.parametrize("sample", [by_position, by_content])
def test_neither_batches_nor_workers_matter(sample, batch_size):
    whole = sample()
    np.testing.assert_array_equal(sample(batch_size=batch_size), whole)
    with joblib.parallel_config("threading"):
        np.testing.assert_array_equal(sample(batch_size=batch_size, n_jobs=2), whole)


@pytest.mark.parametrize("noise", [NOISE, SplittingNoise(0.5)])
def test_copies_are_noisy_inputs_on_the_lattice(noise):
    lattice = Lattice.of(NOISE, 4.0, 2, float) if noise is NOISE else None
    outputs = by_content(noise=noise, lattice=lattice)
    if lattice is None:
        assert ((outputs >= 0) & (outputs <= 1)).all()
    else:
        steps = outputs / lattice.step
        np.testing.assert_array_equal(steps, np.rint(steps))


def test_work_is_given_what_belongs_to_the_inputs():
    seen = sampler(batch_size=14).by_position(lambda outputs, y: (len(outputs), y), np.arange(5))
    assert [(n, y.tolist()) for n, y in seen] == [(2, [0, 1]), (2, [2, 3]), (1, [4])]


def test_calls_count_their_outputs():
    sizes = []

    def respond(X, n_rows):
        sizes.append(n_rows)
        return np.zeros((n_rows, 2))

    inputs = read_inputs(np.zeros((40, 2)), owner=None)
    CopySampler(respond, inputs, Streams(NOISE, 0), 10, n_values=2**16).by_content(keep)
    assert sizes == [30] * 13 + [10]


def test_errors_name_the_rows():
    def fails(X, n_rows):
        raise RuntimeError("no answer")

    inputs = read_inputs(X, owner=None)
    with pytest.raises(RuntimeError) as info:
        CopySampler(fails, inputs, Streams(NOISE, 0), 7, batch_size=14).by_position(keep)
    note = "Raised by the base model on noisy copies of rows 0 to 1 of X."
    assert note in "".join([str(info.value), *getattr(info.value, "__notes__", [])])


def test_tasks_can_be_sent():
    assert pickle.loads(pickle.dumps(sampler())).n_copies == 7
