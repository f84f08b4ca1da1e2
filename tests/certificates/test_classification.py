"""The record of what was proven."""

import pickle
import sys

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sksmooth import ClassificationCertificate
from sksmooth.bounds import clopper_pearson_lower, clopper_pearson_upper
from sksmooth.certificates import ErrorBudget
from sksmooth.noise import GaussianNoise

CLASSES = np.array(["a", "b", "c"])
COUNTS = np.array([[990, 8, 2], [300, 600, 100], [510, 480, 10], [0, 0, 1000], [480, 350, 170]])
TOP = np.array([0, 1, 0, 2, 0])


def certify(**options):
    budget = {name: options.pop(name) for name in ("alpha", "n_statements") if name in options}
    budget = ErrorBudget(**{"alpha": 0.001, **budget})
    settings = {"alpha": budget, "n_features": 9, **options}
    return ClassificationCertificate.from_counts(
        CLASSES[TOP], COUNTS, classes=CLASSES, noise=GaussianNoise(0.5), **settings
    )


def test_radius_is_that_of_the_bound():
    certificate = certify()
    p_lower = clopper_pearson_lower(COUNTS[range(5), TOP], 1000, 0.001)
    assert_array_equal(certificate.p_lower, p_lower)
    assert_array_equal(certificate.p_upper, 1 - p_lower)
    assert_array_equal(certificate.radius, GaussianNoise(0.5).radius(p_lower))
    assert certificate.norm == 2
    assert_array_equal(certificate.n_draws, 1000)


def test_votes_for_nobody_count_against_the_class_and_for_all_others():
    n_draws = COUNTS.sum(axis=1) + 40
    one, both = certify(n_draws=n_draws), certify(n_draws=n_draws, bilateral=True)
    assert_array_equal(one.p_lower, clopper_pearson_lower(COUNTS[range(5), TOP], 1040, 0.001))
    assert both.p_upper[1] == clopper_pearson_upper(340, 1040, 0.0005)
    assert (one.radius <= certify().radius).all()
    assert_array_equal(one.n_draws, n_draws)
    assert one.at(alpha=0.01).at(alpha=0.001) == one
    labels = CLASSES[np.argsort(-COUNTS, axis=1)[:, :2]]
    of_two = ClassificationCertificate.from_counts(
        labels,
        COUNTS,
        classes=CLASSES,
        noise=GaussianNoise(0.5),
        n_features=9,
        alpha=0.001,
        top_k=2,
        n_draws=n_draws,
    )
    assert of_two.p_upper[1] == clopper_pearson_upper(340, 1040, 0.001 / 3)
    with pytest.raises(ValueError, match="n_draws must hold a whole number for each of 5 rows"):
        certify(n_draws=n_draws - 50)
    certify(n_draws=n_draws - 40)  # the remedy


def test_noise_step_is_in_the_record_and_takes_from_the_radius():
    plain, step = certify(), 2.0**-10
    rounded = certify(noise_step=step)
    proven = ~plain.abstained
    lost = plain.radius[proven] - rounded.radius[proven]
    assert (lost >= step * 3).all()  # nine features: two halves of a diameter of three steps
    np.testing.assert_allclose(lost, 3 * step, rtol=1e-3)
    on_lattice = certify(noise_step=step, moved=np.zeros((5, 3)))
    np.testing.assert_allclose(
        plain.radius[proven] - on_lattice.radius[proven], 1.5 * step, rtol=1e-3
    )
    assert "rounded to 0.000977" in repr(rounded)
    assert "rounded" not in repr(plain)
    assert rounded.max_radius() < plain.max_radius()
    assert rounded.at() == rounded
    assert_array_equal(on_lattice[1:3].moved, 0)


def test_abstained_rows_have_radius_zero():
    certificate = certify()
    assert certificate.abstained.tolist() == [False, False, True, False, True]
    assert_array_equal(certificate.radius[certificate.abstained], 0)
    assert_array_equal(certificate.certified, ~certificate.abstained)


def test_certified_at_a_target_radius():
    certificate = certify(target_radius=np.array([0.0, 0.5, 0.0, 0.5, 0.1]))
    assert certificate.certified.tolist() == [True, False, False, True, False]


def test_bilateral_splits_alpha_and_proves_more_where_votes_are_spread():
    one, both = certify(), certify(bilateral=True)
    assert both.p_lower[1] == clopper_pearson_lower(600, 1000, 0.0005)
    assert both.p_upper[1] == clopper_pearson_upper(300, 1000, 0.0005)
    assert both.radius[4] > 0 == one.radius[4]  # .48 against .35 and .17
    assert both.radius[3] < one.radius[3]  # unanimous: nothing to gain, half of alpha lost


def test_bilateral_with_two_classes_is_the_ordinary_certificate():
    options = {"alpha": 0.001, "n_features": 9, "noise": GaussianNoise(0.5)}
    args = (np.array([0, 1]), np.array([[90, 10], [20, 80]]))
    one = ClassificationCertificate.from_counts(*args, classes=np.array([0, 1]), **options)
    two = ClassificationCertificate.from_counts(
        *args, classes=np.array([0, 1]), bilateral=True, **options
    )
    assert_array_equal(one.radius, two.radius)
    assert not two.bilateral


def test_simultaneous_shares_alpha():
    joint = certify(n_statements=5)
    assert_array_equal(joint.radius, certify(alpha=0.0002).radius)
    assert joint.alpha == 0.001


def test_at_another_level_is_the_certificate_of_that_level():
    assert_array_equal(certify().at(alpha=0.2).radius, certify(alpha=0.2).radius)
    for options in (
        {"bilateral": True},
        {"n_statements": 5},
        {"norm": np.inf},
        {"target_radius": np.full(5, 0.3)},
    ):
        again = certify(**options).at(alpha=0.01)
        fresh = certify(**{**options, "alpha": 0.01})
        assert_array_equal(again.radius, fresh.radius)
        assert_array_equal(again.certified, fresh.certified)
        assert repr(again) == repr(fresh)


@pytest.mark.parametrize("alpha", [0, 0.5, -1, np.nan])
def test_at_refuses_a_level_that_is_none(alpha):
    with pytest.raises(ValueError, match=r"alpha must lie in \(0, 0.5\)"):
        certify().at(alpha=alpha)


def test_exact_certificates_have_no_level():
    from dataclasses import replace

    exact = replace(certify(), budget=None)
    assert "exact" in repr(exact)
    assert exact.max_radius() == np.inf
    with pytest.raises(ValueError, match="This certificate is exact"):
        exact.at(alpha=0.1)


def test_max_radius_is_that_of_a_unanimous_vote():
    assert certify().max_radius() == certify().radius[3]
    both = certify(bilateral=True)
    assert both.max_radius() == pytest.approx(both.radius[3], rel=1e-12)
    assert certify(n_statements=5).max_radius() == certify(n_statements=5).radius[3]
    assert certify(norm=np.inf).max_radius() == pytest.approx(certify().max_radius() / 3)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (slice(1, 3), [1, 2]),
        (2, [2]),
        (-1, [4]),
        (np.array([True, False, False, True, False]), [0, 3]),
        ([4, 0], [4, 0]),
    ],
)
def test_slicing(rows, expected):
    part = certify(target_radius=np.arange(5.0))[rows]
    assert len(part) == len(expected)
    assert_array_equal(part.counts, COUNTS[expected])
    assert_array_equal(part.prediction, CLASSES[TOP[expected]])
    assert_array_equal(part.target_radius, np.array(expected, float))


def test_iterating_ends():
    assert [len(row) for row in certify()] == [1] * 5
    with pytest.raises(IndexError):
        certify()[5]


def test_concatenate_undoes_slicing():
    whole = certify(target_radius=np.arange(5.0))
    joined = ClassificationCertificate.concatenate([whole[:2], whole[2:2], whole[2:]])
    for name in ("prediction", "radius", "counts", "certified", "target_radius", "n_draws"):
        assert_array_equal(getattr(joined, name), getattr(whole, name))


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({"alpha": 0.01}, "alpha"),
        ({"norm": np.inf}, "norm"),
        ({"n_features": 4}, "n_features"),
        ({"bilateral": True}, "bilateral"),
        ({"target_radius": np.ones(5)}, "target_radius"),
    ],
)
def test_concatenate_refuses_other_kinds(other, name):
    with pytest.raises(ValueError, match=f"cannot be joined: {name} is"):
        ClassificationCertificate.concatenate([certify(), certify(**other)])


def test_concatenate_refuses_joint_statements():
    """Choosing parts of several by their outcome would gather the wrong ones of each."""
    joint = certify(n_statements=5)
    with pytest.raises(ValueError, match="Joint statements cannot be joined"):
        ClassificationCertificate.concatenate([joint[:2], joint[2:3]])
    assert len(ClassificationCertificate.concatenate([joint])) == 5
    with pytest.raises(ValueError, match="at least one"):
        ClassificationCertificate.concatenate([])


def test_frame_has_one_row_per_input():
    frame = certify().to_frame()
    assert len(frame) == 5
    assert frame["prediction"].tolist() == CLASSES[TOP].tolist()
    assert frame["votes_b"].tolist() == COUNTS[:, 1].tolist()
    assert {"radius", "certified", "abstained", "p_lower", "p_upper", "n_draws"} <= set(frame)


def test_frame_without_pandas_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r'pip install "sksmooth\[pandas\]"'):
        certify().to_frame()


def test_repr_reads():
    text = repr(certify())
    assert "5 rows, l2 norm, GaussianNoise(k=0, sigma=0.5), alpha=0.001" in text
    assert "certified 60.0%, abstained 40.0%" in text
    assert "draws per row 1000" in text
    assert "jointly for 5 rows" in repr(certify(n_statements=5))
    assert "0 rows" in repr(certify()[:0])


def test_noise_of_a_certificate_is_its_own():
    noise = GaussianNoise(0.5)
    certificate = ClassificationCertificate.from_counts(
        CLASSES[TOP], COUNTS, classes=CLASSES, noise=noise, alpha=0.001, n_features=9
    )
    noise.set_params(sigma=50.0)
    assert_array_equal(certificate.at(alpha=0.001).radius, certificate.radius)


def test_labels_that_are_no_class_are_refused():
    options = {"noise": GaussianNoise(0.5), "alpha": 0.001, "n_features": 9}
    with pytest.raises(ValueError, match="prediction holds labels that are not among"):
        ClassificationCertificate.from_counts(
            np.array([1]), np.array([[0, 10]]), classes=np.array([0, 2]), **options
        )
    with pytest.raises(ValueError, match="classes must be sorted"):
        ClassificationCertificate.from_counts(
            np.array([0]), np.array([[0, 10]]), classes=np.array([2, 0]), **options
        )


def test_is_frozen_and_pickles():
    certificate = certify()
    with pytest.raises(AttributeError):
        certificate.radius = 1.0
    assert_array_equal(pickle.loads(pickle.dumps(certificate)).radius, certificate.radius)
