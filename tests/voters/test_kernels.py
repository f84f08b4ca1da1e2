"""Kernels whose factors leave the range of floats."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.svm import SVC
from voter_cases import votes_on_the_same_noise

from sksmooth.voters import voter_of

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


def test_exponentials_out_of_range_are_summed_as_logarithms(digits):
    """A narrow kernel far from the data: shared factors would be infinite."""
    X, y = digits
    model = SVC(gamma=1.0).fit(X[:400] * 6, y[:400])
    voter = voter_of(model)
    draws = np.random.default_rng(0).normal(size=(50, 64)) * 6
    assert voter.embed_noise(draws).factors is None
    ours, theirs = votes_on_the_same_noise(model, X[400::8] * 6, np.unique(y), sigma=2.0)
    assert_array_equal(ours, theirs)


def test_rows_far_from_all_support_vectors():
    """Factors of a row can leave the range of floats while their product does not.

    Where the product does so too, the model takes for equal what is not: such votes are for nobody.
    """
    X, y = np.array([[-0.3], [0.3]]), np.array([1, 0])
    model = SVC(gamma=1.0).fit(X, y)
    far = np.array([[28.0], [22.0], [35.0], [0.0]])
    ours, theirs = votes_on_the_same_noise(model, far, np.array([0, 1]), sigma=4.0)
    assert (ours <= theirs).all()
    assert_array_equal(ours[3], theirs[3])
    assert (ours[:3].sum(axis=1) > 0).all()
