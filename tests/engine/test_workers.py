"""Workers do not start threads of their own beyond their share of the cores."""

import pickle
import threading

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from threadpoolctl import threadpool_info, threadpool_limits

from sksmooth import SmoothedClassifier
from sksmooth.engine._workers import LibraryThreads


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
        return np.zeros(len(X), int)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_limits_in_the_workers(n_jobs):
    X, y = np.zeros((50, 2)), np.arange(50) % 2
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


def test_a_process_looks_at_its_own_libraries():
    threads = LibraryThreads(2)
    with threads.around(), threads.within():
        pass
    copy = pickle.loads(pickle.dumps(threads))
    assert copy == threads
    assert vars(copy) == {"n_workers": 2}
