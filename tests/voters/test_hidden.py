"""Layers keep the precision of their model."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from voter_cases import mlp, votes_on_the_same_noise

from sksmooth.inputs._containers import read_inputs
from sksmooth.voters import voter_of

pytestmark = pytest.mark.filterwarnings("ignore:.*onverge", "ignore::FutureWarning")


def test_single_precision_is_kept(digits):
    X, y = digits[0].astype(np.float32), digits[1]
    for model in (mlp(), make_pipeline(StandardScaler(), mlp())):
        fitted = model.fit(X[:400], y[:400])
        ours, theirs = votes_on_the_same_noise(fitted, X[400::8], np.unique(y))
        assert voter_of(fitted).embed_noise(X[:2]).dtype == np.float32
        assert np.abs(ours - theirs)[ours > theirs].sum() <= 1  # sums are rounded in another order
        assert theirs.sum() - ours.sum() <= 5  # votes that rounding might change are for nobody


def test_layers_are_not_used_in_another_precision(digits):
    X, y = digits
    fitted = mlp().fit(X[:400].astype(np.float32), y[:400])
    assert not voter_of(fitted).suits(read_inputs(X, owner=None))
