"""Models behind affine steps of a Pipeline."""

from copy import copy

import numpy as np
import pytest
from case_names import name_of_case
from numpy.testing import assert_array_equal
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from voter_cases import AFFINE, votes_on_the_same_noise

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


CHAIN = ["passthrough", SimpleImputer(), StandardScaler(), PCA(3), MinMaxScaler()]


@pytest.mark.parametrize("steps", [*([step] for step in AFFINE), CHAIN], ids=name_of_case)
def test_votes_behind_affine_steps(steps, iris):
    X, y = iris
    model = make_pipeline(*map(copy, steps), LogisticRegression(max_iter=300)).fit(X, y)
    ours, theirs = votes_on_the_same_noise(FrozenEstimator(model), X[::5], np.unique(y))
    assert_array_equal(ours, theirs)
