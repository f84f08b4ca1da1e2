"""RobustConformalRegressor: what it promises to users of scikit-learn."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, QuantileRegressor, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sksmooth import RobustConformalRegressor
from sksmooth.exceptions import UninformativeSetsWarning

X, y = load_diabetes(return_X_y=True, scaled=False)
X = StandardScaler().fit_transform(X)
X, X_CALIBRATION, X_TEST = X[:150], X[150:300], X[300:]
y, Y_CALIBRATION, Y_TEST = y[:150], y[150:300], y[300:]


class TwoQuantiles(RegressorMixin, BaseEstimator):
    """A lower and an upper quantile."""

    def fit(self, X, y):
        self.models_ = [QuantileRegressor(quantile=q, alpha=0).fit(X, y) for q in (0.1, 0.9)]
        return self

    def predict(self, X):
        return np.column_stack([model.predict(X) for model in self.models_])


def conformal(estimator=None, **params):
    return RobustConformalRegressor(
        estimator, **{"sigma": 0.5, "radius": 0.2, "n_draws": 10, "random_state": 0, **params}
    )


def calibrated(estimator=None, **params):
    return conformal(estimator, **params).fit(X, y).conformalize(X_CALIBRATION, Y_CALIBRATION)


def covers(intervals, numbers):
    return (intervals[:, 0] <= numbers[:, None]) & (numbers[:, None] <= intervals[:, 1])


def test_intervals_have_two_ends_for_each_level():
    regressor = calibrated(confidence_level=[0.5, 0.9])
    y_pred, intervals = regressor.predict_interval(X_TEST)
    assert intervals.shape == (len(X_TEST), 2, 2)
    assert (covers(intervals, Y_TEST).mean(axis=0) >= [0.45, 0.85]).all()
    width = np.diff(intervals, axis=1)[:, 0]
    assert (width[:, 0] < width[:, 1]).all()
    assert (covers(intervals, y_pred)[:, 1]).all()
    assert_array_equal(regressor.predict(X_TEST), y_pred)
    # but for the last bits of products in calls of another size
    assert_allclose(regressor.predict_interval(X_TEST[5:6])[1], intervals[5:6], rtol=1e-12)
    again = calibrated(confidence_level=[0.5, 0.9], n_jobs=2, batch_size=7)
    assert_allclose(again.predict_interval(X_TEST)[1], intervals, rtol=1e-12)
    assert_array_equal(pickle.loads(pickle.dumps(regressor)).predict(X_TEST), y_pred)
    assert not hasattr(clone(regressor), "lambda_")


@pytest.mark.parametrize(
    ("model", "score"),
    [
        (make_pipeline(StandardScaler(), RandomForestRegressor(10)), "absolute"),
        (TwoQuantiles(), "cqr"),
        (TwoQuantiles(), lambda a: (a[:, 0], a[:, 1], np.abs(a[:, 1] - a[:, 0]) + 1.0)),
    ],
)
def test_models_and_scores(model, score):
    regressor = calibrated(model, conformity_score=score, n_augment=2)
    intervals = regressor.predict_interval(X_TEST)[1]
    assert covers(intervals, Y_TEST).mean() >= 0.85
    assert np.isfinite(intervals).all()


def test_more_draws_make_smaller_intervals():
    width = {
        n: np.median(np.diff(calibrated(n_draws=n).predict_interval(X_TEST)[1], axis=1))
        for n in (1, 10, 50)
    }
    assert width[1] > width[10] > width[50]


def test_scores_that_models_do_not_fit():
    with pytest.raises(ValueError, match="'cqr' needs two numbers"):
        conformal(Ridge(), conformity_score="cqr").fit(X, y)
    with pytest.raises(ValueError, match="'absolute' needs one number"):
        conformal(TwoQuantiles()).fit(X, y)
    with pytest.raises(ValueError, match=r"a classifier. Use RobustConformalClassifier"):
        conformal(LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match="'conformity_score' parameter"):
        conformal(conformity_score="gamma").fit(X, y)


def test_too_few_rows_are_said():
    regressor = conformal(confidence_level=0.99).fit(X, y)
    with pytest.warns(UninformativeSetsWarning, match="holds every number: there are 50 rows"):
        regressor.conformalize(X_CALIBRATION[:50], Y_CALIBRATION[:50])
    intervals = regressor.predict_interval(X_TEST)[1]
    assert (intervals == [[[-np.inf], [np.inf]]]).all()


def test_order_of_calls():
    with pytest.raises(NotFittedError, match="Call conformalize"):
        conformal().fit(X, y).predict_interval(X)
    with pytest.raises(ValueError, match="fit needs X and y"):
        conformal().fit()
    with pytest.raises(ValueError, match="n_poisoned was changed to 2 after conformalize"):
        calibrated().set_params(n_poisoned=2).predict_interval(X)
    frozen = conformal(FrozenEstimator(Ridge().fit(X, y))).fit()
    frozen.conformalize(X_CALIBRATION, Y_CALIBRATION)
    assert np.isfinite(frozen.predict_interval(X_TEST)[1]).all()


def test_data_frames():
    columns = [f"column {j}" for j in range(10)]
    frames = [pd.DataFrame(A, columns=columns) for A in (X, X_CALIBRATION, X_TEST)]
    regressor = conformal().fit(frames[0], y).conformalize(frames[1], Y_CALIBRATION)
    expected = calibrated().predict_interval(X_TEST)[1]
    assert_allclose(regressor.predict_interval(frames[2])[1], expected, rtol=1e-12)
