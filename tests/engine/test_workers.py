"""Workers do not start threads of their own beyond their share of the cores."""

import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_info, threadpool_limits

from sksmooth import SmoothedClassifier
from sksmooth.engine._workers import LibraryThreads

pytestmark = pytest.mark.filterwarnings("ignore::sksmooth.exceptions.NoiseCollapseWarning")


def limits():
    return {(pool["user_api"], pool["filepath"]): pool["num_threads"] for pool in threadpool_info()}


class Watcher(ClassifierMixin, BaseEstimator):
    """Notes, from the thread that it is called in, how many threads each library would start."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.seen_ = []
        return self

    def predict(self, X):
        self.seen_.append((threading.current_thread() is threading.main_thread(), limits()))
        return (np.asarray(X)[:, 0] > 0).astype(int)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_limits_in_the_workers(n_jobs):
    X, y = np.zeros((50, 100)), np.arange(50) % 2
    with threadpool_limits(limits=64, user_api="openmp"):
        before = limits()
        assert any(api == "openmp" for api, _ in before)
        clf = SmoothedClassifier(Watcher(), n_jobs=n_jobs, batch_size=100, n_estimation=500)
        model = clf.fit(X, y).estimator_
        model.seen_.clear()
        clf.certify(X)
        assert limits() == before
    in_workers = [seen for in_main, seen in model.seen_ if not in_main]
    assert bool(in_workers) == (n_jobs == 2)
    share = max(1, joblib.cpu_count() // 2)
    for seen in in_workers:
        assert all(n <= share for (api, _), n in seen.items() if api == "openmp")


def test_workers_of_other_processes_look_at_their_own_libraries():
    threads = LibraryThreads(2)
    with threads.around(), threads.within():
        pass
    assert pickle.loads(pickle.dumps(threads)) == threads


def test_limits_of_two_threads_overlap():
    """The first to come sets the limit of the process, and the last to go lifts it."""
    before, inside, leave = limits(), threading.Barrier(2, timeout=60), threading.Event()

    def long_call():
        with LibraryThreads(2).around():
            inside.wait()
            leave.wait(60)

    other = threading.Thread(target=long_call)
    with LibraryThreads(2).around():
        other.start()
        inside.wait()
    assert other.is_alive()
    leave.set()
    other.join()
    assert limits() == before


@pytest.mark.parametrize("n_values", [1000, np.inf])
def test_little_work_gets_one_thread_of_each_library(n_values):
    blas = {key: n for key, n in limits().items() if key[0] == "blas"}
    with threadpool_limits(limits=3, user_api="blas"), LibraryThreads(1, n_values).around():
        now = {key: n for key, n in limits().items() if key in blas}
    assert set(now.values()) == ({1} if n_values == 1000 else {3})


def test_calls_from_several_threads_leave_the_process_as_it_was(digits):
    X, y = digits
    clf = SmoothedClassifier(n_jobs=2, n_estimation=3000, random_state=0).fit(X[:500], y[:500])
    options = {"structure": "off", "n_jobs": 2, "random_state": 0}
    tree = SmoothedClassifier(DecisionTreeClassifier(), **options)
    tree.set_params(n_estimation=3000, sigma=0.1).fit(X[:500], y[:500])
    before, filters = limits(), list(warnings.filters)
    expected = [model.certify(X[500:520]).counts for model in (clf, tree)]

    def call(number):
        model = (clf, tree)[number % 2]
        if number % 3:
            return np.array_equal(model.certify(X[500:520]).counts, expected[number % 2])
        return len(model.predict(X[500:700])) == 200

    with ThreadPoolExecutor(6) as callers:
        assert all(callers.map(call, range(12)))
    assert limits() == before
    assert list(warnings.filters) == filters


def test_settings_of_scikit_learn_reach_the_workers():
    X, y = np.zeros((300, 60)), np.arange(300) % 2
    clf = SmoothedClassifier(Configured(), n_jobs=2, batch_size=500, n_estimation=300)
    clf.fit(X, y).estimator_.seen_.clear()
    with sklearn.config_context(assume_finite=True):
        clf.certify(X)
    assert set(clf.estimator_.seen_) == {True}


class Configured(Watcher):
    """Notes a setting of scikit-learn."""

    def predict(self, X):
        self.seen_.append(sklearn.get_config()["assume_finite"])
        return (np.asarray(X)[:, 0] > 0).astype(int)
