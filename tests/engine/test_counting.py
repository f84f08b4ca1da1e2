"""The engine: counts do not depend on how the work is cut, memory is bounded, errors speak."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
import tracemalloc
from dataclasses import replace

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.naive_bayes import GaussianNB

from sksmooth import SmoothedClassifier
from sksmooth.engine._augmentation import augment
from sksmooth.engine._black_box import BlackBoxVoter
from sksmooth.engine._counting import count_votes
from sksmooth.engine._plan import Task, cut
from sksmooth.engine._streams import DrawStream, Purpose
from sksmooth.engine._workers import keep_freed_memory
from sksmooth.inputs._containers import read_inputs
from sksmooth.noise import GaussianNoise


class SumSign:
    """Three classes by the sum of all features; keeps the sizes of the calls."""

    classes = np.array(["high", "low", "middle"])

    def __init__(self):
        self.calls = []

    def predict(self, X):
        X = np.asarray(X)
        self.calls.append(len(X))
        total = X.reshape(len(X), -1).sum(axis=1)
        return np.select([total > 0.4, total < -0.4], ["high", "low"], "middle")


def stream_for(rows, *, seed=3, purpose=Purpose.ESTIMATION, noise=None):
    return DrawStream(noise or GaussianNoise(0.3), seed, purpose, rows.shape, rows.dtype)


def count(X, n_draws, *, model=None, batch_size=None, n_jobs=None, progress=None, seed=3):
    rows = read_inputs(X, owner=None)
    voter = BlackBoxVoter(model or SumSign(), SumSign.classes)
    return count_votes(
        voter,
        rows,
        stream_for(rows, seed=seed),
        n_draws,
        batch_size=batch_size,
        n_jobs=n_jobs,
        progress=progress,
    )


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(scale=0.3, size=(37, 4))


def naive_counts(X, n_draws, seed=3):
    """One row at a time, one block of draws at a time, no engine."""
    rows = read_inputs(X, owner=None)
    draws = stream_for(rows, seed=seed).take(0, n_draws)
    labels = [SumSign().predict(row + draws) for row in X]
    return np.array([[(row == c).sum() for c in SumSign.classes] for row in labels])


@pytest.mark.parametrize("batch_size", [None, 1, 7, 100, 1000, 100_000])
def test_counts_for_any_batch_size(X, batch_size):
    assert_array_equal(count(X, 333, batch_size=batch_size), naive_counts(X, 333))


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
@pytest.mark.parametrize("batch_size", [None, 64])
def test_counts_for_any_n_jobs(X, n_jobs, batch_size):
    assert_array_equal(count(X, 500, n_jobs=n_jobs, batch_size=batch_size), naive_counts(X, 500))


def test_counts_from_processes(X):
    with joblib.parallel_config(backend="loky", n_jobs=2):
        assert_array_equal(count(X, 400, batch_size=500), naive_counts(X, 400))


def test_counts_for_any_order_and_subset_of_rows(X):
    whole = count(X, 300)
    order = np.random.default_rng(1).permutation(len(X))
    assert_array_equal(count(X[order], 300), whole[order])
    assert_array_equal(count(X[5:6], 300), whole[5:6])


def test_more_draws_extend_fewer(X):
    rows = read_inputs(X, owner=None)
    stream = stream_for(rows)
    assert_array_equal(stream.take(0, 1000)[:250], stream.take(0, 250))
    assert_array_equal(stream.take(0, 1000)[250:777], stream.take(250, 777))


def test_draws_differ_between_seeds_and_purposes(X):
    rows = read_inputs(X, owner=None)
    first = stream_for(rows).take(0, 200)
    assert not np.isin(first, stream_for(rows, purpose=Purpose.SELECTION).take(0, 200)).any()
    assert not np.isin(first, stream_for(rows, seed=4).take(0, 200)).any()
    assert len(np.unique(stream_for(rows).take(0, 2000))) == 8000  # blocks do not repeat


def test_augmented_rows_have_draws_of_their_own(X):
    rows = read_inputs(X, owner=None)
    noisy = augment(rows, stream_for(rows, purpose=Purpose.AUGMENTATION), 3)
    assert noisy.shape == (111, 4)
    noise = noisy - np.tile(X, (3, 1))
    assert len(np.unique(noise.round(12))) == noise.size
    assert abs(noise.std() / 0.3 - 1) < 4 / np.sqrt(2 * noise.size)


def test_no_call_is_larger_than_the_batch(X):
    model = SumSign()
    count(X, 1000, model=model, batch_size=50)
    assert max(model.calls) <= 50
    assert sum(model.calls) == 37 * 1000
    assert np.mean(model.calls) > 25  # nor much smaller


@pytest.mark.parametrize(("m", "n", "d"), [(2, 20_000, 50), (20_000, 2, 50), (40, 40, 50_000)])
def test_memory_is_bounded_by_the_batch(m, n, d):
    X = np.zeros((m, d), np.float32)
    batch_size = max(1, 1_000_000 // d)  # 4 MB of noisy rows
    model = BlackBoxVoter(_Constant(), np.array([0, 1]))
    rows = read_inputs(X, owner=None)
    stream = stream_for(rows)
    keep_freed_memory()  # once, and without a page that is touched
    tracemalloc.start()
    try:
        count_votes(model, rows, stream, n, batch_size=batch_size, n_jobs=1, progress=None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20e6


class _Constant:
    def predict(self, X):
        return np.zeros(len(X), int)


def test_float32_reaches_the_model_as_float32():
    seen = set()

    class Spy:
        def predict(self, X):
            seen.add(X.dtype)
            return np.full(len(X), "low")

    count(np.zeros((3, 2), np.float32), 50, model=Spy())
    count(np.zeros((3, 2), np.uint8), 50, model=Spy())
    assert seen == {np.dtype(np.float32), np.dtype(np.float64)}


def test_error_of_the_base_model_names_the_rows():
    class Picky:
        def predict(self, X):
            if (X > 50).any():
                raise ZeroDivisionError("cannot divide")
            return np.full(len(X), "low")

    X = np.zeros((30, 2))
    X[17] = 100
    with pytest.raises(ZeroDivisionError, match="cannot divide") as info:
        count(X, 10, model=Picky(), batch_size=20)
    shown = "\n".join([*getattr(info.value, "__notes__", ()), str(info.value)])
    assert "noisy copies of rows 16 to 17 of X (draws 0 to 9)" in shown


def test_error_names_rows_by_their_place_in_x_where_some_were_chosen():
    class Picky:
        def predict(self, X):
            raise ZeroDivisionError("cannot divide")

    rows = read_inputs(np.zeros((30, 2)), owner=None).choose(np.array([4, 21, 27]))
    with pytest.raises(ZeroDivisionError) as info:
        count_votes(
            BlackBoxVoter(Picky(), SumSign.classes),
            rows,
            stream_for(rows),
            10,
            batch_size=20,
            n_jobs=1,
            progress=None,
        )
    shown = "\n".join([*getattr(info.value, "__notes__", ()), str(info.value)])
    assert "noisy copies of rows 4 to 21 of X (draws 0 to 9)" in shown


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (lambda n: np.full(n, "other"), "labels outside its classes: other. Known classes: high"),
        (lambda n: np.zeros(n), "labels outside its classes: 0.0"),
        (lambda n: np.full(n - 1, "low"), r"shape \(9,\) for 10 rows; one label per row"),
        (lambda n: np.full((n, 2), "low"), r"shape \(10, 2\) for 10 rows"),
    ],
)
def test_wrong_answers_of_the_base_model_are_refused(labels, message):
    class Wrong:
        def predict(self, X):
            return labels(len(X))

    with pytest.raises(ValueError, match=message):
        count(np.zeros((1, 2)), 10, model=Wrong())


INTEGERS = [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.uint64]


@pytest.mark.parametrize("kind", INTEGERS)
def test_numbers_of_numpy_do_not_overflow(kind):
    """Sums, products and signs of them would: of 100 draws of 37 inputs in calls of 70."""
    X = np.random.default_rng(0).normal(size=(37, 2))
    expected = count(X, 100, batch_size=70)
    assert_array_equal(count(X, kind(100), batch_size=kind(70)), expected)
    rows = read_inputs(X, owner=None)
    stream = stream_for(rows)
    assert_array_equal(stream.take(kind(90), kind(120)), stream.take(90, 120))
    assert_array_equal(augment(rows, stream, kind(9)), augment(rows, stream, 9))


@pytest.mark.parametrize("kind", INTEGERS)
def test_certificates_for_numbers_of_numpy(kind, iris):
    numbers = {"n_selection": 100, "n_estimation": 120, "batch_size": 70, "n_augment": 9}
    found = []
    for options in (numbers, {name: kind(number) for name, number in numbers.items()}):
        clf = SmoothedClassifier(GaussianNB(), sigma=0.5, random_state=0, **options).fit(*iris)
        found.append([clf.certify(iris[0][::9], radius=r).counts for r in (None, 0.2)])
        found[-1] += [clf.certify(iris[0][::9], rtol=0.3).counts, clf.predict_proba(iris[0][::9])]
    assert all(map(np.array_equal, *found))


def test_a_number_of_draws_is_whole():
    with pytest.raises(TypeError, match="integer"):
        count(np.zeros((1, 2)), 10.0)


def test_progress_bar_counts_every_draw(X, capsys):
    count(X, 200, progress="certifying")
    shown = capsys.readouterr().err
    assert "certifying: 100%" in shown
    assert "7.40k/7.40k" in shown
    count(X, 200)
    assert capsys.readouterr().err == ""


SLOW_JOB = """
    import sys, time
    import joblib, numpy as np
    from sksmooth import SmoothedClassifier
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Slow(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self
        def predict(self, X):
            time.sleep(0.05)
            return np.zeros(len(X), int)

    X, y = np.zeros((500, 2)), np.arange(500) % 2
    clf = SmoothedClassifier(Slow(), n_jobs=2, batch_size=100).fit(X, y)
    print("ready", flush=True)
    with joblib.parallel_config(backend=sys.argv[1]):
        clf.certify(X)
"""


@pytest.mark.parametrize("backend", ["threading", "loky"])
@pytest.mark.skipif(sys.platform != "linux", reason="reads the process table in /proc")
def test_interrupt_leaves_no_worker(backend, tmp_path):
    script = tmp_path / "job.py"
    script.write_text(textwrap.dedent(SLOW_JOB))
    job = subprocess.Popen(
        [sys.executable, str(script), backend],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert job.stdout.readline() == b"ready\n"
        time.sleep(2)
        assert job.poll() is None
        os.kill(job.pid, signal.SIGINT)
        assert job.wait(timeout=30) != 0
        deadline = time.monotonic() + 10
        while _session_members(job.pid) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert _session_members(job.pid) == []
    finally:
        job.stdout.close()
        if job.poll() is None:
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()


def _session_members(session):
    """Processes that were started, directly or not, by the leader of a session."""
    members = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.getsid(int(entry)) == session:
                with open(f"/proc/{entry}/stat") as stat:
                    if stat.read().rsplit(")", 1)[1].split()[0] != "Z":
                        members.append(int(entry))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return members


def test_a_changed_copy_of_a_stream_draws_its_own_blocks():
    stream = DrawStream(GaussianNoise(1.0), 0, Purpose.ESTIMATION, (3,), np.dtype(float))
    first = stream.take(0, 5)
    other = replace(stream, seed=1)
    assert (other.take(0, 5) != first).all()
    assert_array_equal(pickle.loads(pickle.dumps(stream)).take(0, 5), first)


def test_cuts_have_their_size_and_cover_every_cell_once():
    rng = np.random.default_rng(0)
    left, done = [Task(slice(0, 50), 100, 3000)], np.zeros((50, 3000), int)
    for _ in range(40):
        size = int(rng.integers(1, 4000))
        whole = any(area.n_rows * area.n_draws >= 2 * size for area in left)
        task = cut(left, size, 128)
        if whole:
            assert 0.5 * size < task.n_rows * task.n_draws <= size
        done[task.rows, task.start : task.stop] += 1
    for area in left:
        done[area.rows, area.start : area.stop] += 1
    assert (done[:, 100:] == 1).all()
    assert not done[:, :100].any()
