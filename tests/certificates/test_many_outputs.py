"""MultiOutputCertificate as a value, and the least intersection over union."""

import csv
import pickle
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from sksmooth import MultiOutputCertificate
from sksmooth.certificates import ErrorBudget
from sksmooth.certificates._many_outputs import least_mean_iou
from sksmooth.noise import GaussianNoise


def certificate(**changed):
    values = {
        "prediction": np.array([[0, 1, 1], [2, 2, 0]]),
        "certified": np.array([[True, True, False], [False, True, True]]),
        "votes": np.array([[99, 98, 60], [55, 99, 97]]),
        "radius": 0.2,
        "norm": 2.0,
        "n_draws": 100,
        "n_wrong": 1,
        "budget": ErrorBudget(0.01),
        "noise": GaussianNoise(0.5),
    }
    return MultiOutputCertificate(**values | changed)


def test_it_is_saved_sliced_and_joined(tmp_path):
    whole = certificate()
    whole.save(tmp_path / "outputs.json")
    assert MultiOutputCertificate.load(tmp_path / "outputs.json") == whole
    assert pickle.loads(pickle.dumps(whole)) == whole
    assert MultiOutputCertificate.concatenate([whole[:1], whole[1:]]).votes.tolist() == (
        whole.votes.tolist()
    )
    with pytest.raises(ValueError, match="radius is"):
        MultiOutputCertificate.concatenate([whole, certificate(radius=0.3)])


def test_what_it_says():
    whole = certificate()
    assert whole.alpha == 0.01
    assert whole.to_frame()["n_certified"].tolist() == [2, 2]
    assert "certified 66.7% at radius 0.2" in repr(whole)
    assert "fewer than 3 of them wrong" in repr(certificate(n_wrong=3))
    truth = np.array([[0, 0, 1], [2, 2, 0]])
    assert whole.certified_accuracy(truth) == pytest.approx(3 / 6)
    with pytest.raises(ValueError, match=r"y_true must have shape \(2, 3\), got \(3,\)"):
        whole.certified_accuracy([0, 0, 1])
    with pytest.raises(ValueError, match="Certify with n_wrong=1"):
        certificate(n_wrong=2).mean_iou(truth)


def golden():
    with (Path(__file__).parent / "golden" / "mean_iou.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", golden())
def test_golden_mean_iou(row):
    columns = ("true", "pred", "certified")
    truth, prediction, certified = (np.array(row[name].split(), int) for name in columns)
    found = least_mean_iou(truth, prediction, certified.astype(bool))
    assert found == pytest.approx(float(row["miou_lower"]), abs=1e-12)
    whole = certificate(
        prediction=prediction[None], certified=certified[None] > 0, votes=prediction[None]
    )
    assert whole.mean_iou(truth[None]) == found


def mean_iou(truth, prediction):
    classes = np.unique(truth)
    both = [((truth == c) & (prediction == c)).sum() for c in classes]
    either = [((truth == c) | (prediction == c)).sum() for c in classes]
    return np.mean(np.array(both) / either)


@pytest.mark.parametrize("seed", range(60))
def test_least_mean_iou_by_enumeration(seed):
    rng = np.random.default_rng(seed)
    n, n_classes = 9, 3
    truth, prediction = rng.integers(0, n_classes, n), rng.integers(0, n_classes, n)
    prediction = np.where(rng.random(n) < 0.7, truth, prediction)
    free = np.flatnonzero(rng.random(n) < 0.4)[:5]
    certified = ~np.isin(np.arange(n), free)
    least = 1.0
    for some in product(range(n_classes), repeat=len(free)):
        moved = prediction.copy()
        moved[free] = some
        least = min(least, mean_iou(truth, moved))
    assert least_mean_iou(truth, prediction, certified) == pytest.approx(least, abs=1e-12)
