"""The record of what was proven about outputs."""

from dataclasses import replace

import numpy as np
import pytest

from sksmooth import RegressionCertificate
from sksmooth.certificates import ErrorBudget
from sksmooth.distances import Euclidean, JaccardBoxes
from sksmooth.noise import GaussianNoise


def certificate(**options):
    return RegressionCertificate(
        **{
            "prediction": np.arange(8.0).reshape(4, 2),
            "input_radius": np.array([0.1, 0.1, 0.0, 0.2]),
            "output_radius": np.array([0.5, np.inf, 0.5, 1.0]),
            "smoothing_error": np.zeros(4),
            "budget": ErrorBudget(0.01),
            "noise": GaussianNoise(1.0),
            "distance": Euclidean(),
            "guaranteed": np.array([True, True, True, False]),
            **options,
        }
    )


def test_rows_without_proof_abstain():
    np.testing.assert_array_equal(certificate().abstained, [False, True, True, True])
    vacuous = certificate(distance=JaccardBoxes(), guaranteed=np.ones(4, bool))
    np.testing.assert_array_equal(vacuous.abstained, [False, True, True, True])
    lower = np.array([[-np.inf, -np.inf], [0, -np.inf], [0, 0], [0, 0]])
    bounds = certificate(output_radius=None, lower=lower, upper=np.full((4, 2), np.inf))
    np.testing.assert_array_equal(bounds.abstained, [True, False, True, True])
    assert np.isinf(bounds.output_bound()).all()


def test_slices_and_joins():
    whole = certificate()
    joined = RegressionCertificate.concatenate([whole[:1], whole[[1, 2]], whole[-1]])
    for name in ("prediction", "input_radius", "output_radius", "guaranteed"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(whole, name))
    assert len(list(whole)) == 4
    with pytest.raises(ValueError, match="alpha is"):
        RegressionCertificate.concatenate([whole, replace(whole, budget=ErrorBudget(0.1))])
    with pytest.raises(ValueError, match="at least one"):
        RegressionCertificate.concatenate([])


def test_table_and_summary():
    frame = certificate().to_frame()
    assert list(frame.columns) == [
        "prediction_0",
        "prediction_1",
        "input_radius",
        "output_radius",
        "smoothing_error",
        "abstained",
        "norm",
        "alpha",
        "n_simultaneous",
        "noise",
        "noise_step",
        "distance",
    ]
    assert "abstained 75.0%" in repr(certificate())
    assert "jointly for 3 radii" in repr(certificate(budget=ErrorBudget(0.01, n_statements=3)))
    assert len(certificate()[:0]) == 0
    assert "0 rows" in repr(certificate()[:0])
