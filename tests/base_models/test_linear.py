"""Coefficients of linear classifiers are read as they are used by these."""

import numpy as np
import pytest
from case_names import name_of_case
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from sksmooth.base_models._linear import LINEAR_CLASSIFIERS, coef_and_intercept, dense
from sksmooth.smooth_scores import smooth_score
from sksmooth.voters import voter_of

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:.*onverge")

X = np.random.default_rng(0).normal(size=(90, 4))


@pytest.mark.parametrize("kind", LINEAR_CLASSIFIERS, ids=name_of_case)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_scores_are_those_of_the_model(kind, n_classes):
    model = kind().fit(X, np.arange(90) % n_classes)
    coef, intercept = coef_and_intercept(model.coef_, model.intercept_)
    expected = model.decision_function(X).reshape(90, -1)
    assert_allclose(X @ coef.T + intercept, expected, rtol=1e-10, atol=1e-12)
    assert_allclose(smooth_score(model).value(X), expected, rtol=1e-10, atol=1e-12)
    assert_allclose(voter_of(model).embed_inputs(X)[:, :-1], expected, rtol=1e-10, atol=1e-12)


def test_sparse_and_single_numbers():
    model = LogisticRegression().fit(X.astype(np.float32), np.arange(90) % 2)
    assert_allclose(dense(model.sparsify().coef_), model.densify().coef_)
    assert dense(sparse.csr_array(np.eye(2, dtype=np.float32))).dtype == float
    coef, intercept = coef_and_intercept(np.arange(3, dtype=np.float32), 2)
    assert coef.shape == (1, 3)
    assert coef.dtype == intercept.dtype == float
    assert intercept.tolist() == [2.0]
    assert coef_and_intercept(np.eye(3), 0.0)[1].shape == (3,)
