"""Radii printed by the authors of published runs, from the vote counts that they imply.

Salman et al. (2019), Jeong and Shin (2020) and Jeong et al. (2021): CIFAR-10, ImageNet, MNIST.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from sksmooth import (
    ClassificationCertificate,
    average_certified_radius,
    certified_accuracy_score,
)
from sksmooth.noise import GaussianNoise


def runs(folder):
    return sorted(path for path in (folder / "published").glob("*.npz") if "votes" not in path.name)


def certificate_of(run, count):
    """Certificate of a run in which class 0 stands for the prediction and 1 for all others."""
    votes = run[count].astype(np.int64)
    n = int(run["n"])
    return ClassificationCertificate.from_counts(
        np.zeros(len(votes), int),
        np.stack([votes, n - votes], axis=1),
        classes=np.array([0, 1]),
        noise=GaussianNoise(float(run["sigma"])),
        alpha=float(run["alpha"]),
        n_features=1,
    )


@pytest.mark.parametrize("count", ["count_min", "count_max"])
def test_radii_agree_to_the_published_digits(real_data, count):
    checked = 0
    for path in runs(real_data):
        with np.load(path) as run:
            certificate = certificate_of(run, count)
            answered = run["predict"] != -1
            np.testing.assert_array_equal(certificate.abstained, ~answered, err_msg=path.name)
            digits = str(run["radius_format"])
            for ours, theirs in zip(certificate.radius[answered], run["radius"][answered]):
                assert float(format(ours, digits)) == theirs, path.name
            checked += answered.sum()
    assert checked > 100_000


def test_next_count_gives_other_digits(real_data):
    """Negative control: one vote fewer than the smallest count does not print the same."""
    path = runs(real_data)[0]
    with np.load(path) as run:
        answered = run["predict"] != -1
        fewer = {**run, "count_min": np.maximum(run["count_min"] - 1, 0)}
        radius = certificate_of(fewer, "count_min").radius[answered]
        printed = [float(format(r, str(run["radius_format"]))) for r in radius]
        assert (np.array(printed) != run["radius"][answered]).all()


@pytest.mark.filterwarnings("ignore:radius=.* is beyond")
def test_certified_accuracy_and_average_radius_of_whole_runs(real_data):
    expected = json.loads((real_data / "published" / "expected.json").read_text())
    by_name = {key.rsplit("/", 1)[1]: value for key, value in expected.items()}
    for path in runs(real_data):
        figures = by_name[path.name]
        with np.load(path) as run:
            certificate = certificate_of(run, "count_min")
            y = np.where(run["correct"] == 1, 0, 1)
            digits = str(run["radius_format"])
        # the mean of printed radii, each rounded to three digits
        assert average_certified_radius(y, certificate) == pytest.approx(figures["acr"], rel=3e-3)
        assert certified_accuracy_score(y, certificate) == pytest.approx(
            figures["certified_accuracy"]["0.0"]
        )
        as_printed = np.array([float(format(r, digits)) for r in certificate.radius])
        printed = replace(certificate, radius=as_printed)
        for radius, share in figures["certified_accuracy"].items():
            score = certified_accuracy_score(y, printed, radius=float(radius))
            assert score == pytest.approx(share, abs=1e-9), (path.name, radius)
