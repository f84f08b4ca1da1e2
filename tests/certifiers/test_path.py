"""Ranges of transformations: true against linear classifiers, and their level by simulation."""

import numpy as np
import pytest
from image_cases import TRANSFORMATIONS, blob, golden_image
from linear_images import aimed_at, linear_model, smoothed, true_ends
from scipy import special
from sklearn.base import BaseEstimator, ClassifierMixin, clone

import sksmooth.certifiers._path as module
from sksmooth import certify_path
from sksmooth.bounds import clopper_pearson_lower, plan_looks
from sksmooth.certificates import ClassificationCertificate, ErrorBudget
from sksmooth.certifiers._stopping import decide
from sksmooth.noise import GaussianNoise
from sksmooth.transformations import Rotation, Shear, Translation, Zoom
from sksmooth.transformations._cover import Curve, cover

RANGES = [Rotation(40), Zoom(0.4), Shear(0.4), Translation(2.0), Translation(2.0, axis="rows")]


def random_images(n, size=(7, 8), seed=0):
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.random((n // 2, *size)), np.rint(rng.random((n - n // 2, *size)))])


def random_model(image, rng):
    """Linear classifier that is not sure of an image."""
    weights = rng.standard_normal(image.size)
    margin = rng.uniform(0.1, 1.5) * rng.choice([-1, 1])
    return linear_model(weights / np.linalg.norm(weights), margin - weights @ image.ravel())


@pytest.mark.parametrize("transformation", RANGES, ids=repr)
def test_exact_ranges_end_before_the_class_changes(transformation):
    rng, seen = np.random.default_rng(1), 0
    for image in random_images(6):
        weights = rng.standard_normal(image.size)
        weights /= np.linalg.norm(weights)
        model = linear_model(weights, rng.uniform(0.1, 1.0) - weights @ image.ravel())
        transformation.set_params(image_shape=image.shape)
        found = certify_path(smoothed(model), image.reshape(1, -1), transformation)
        left, right = true_ends(model, transformation, image)
        assert found.alpha is None
        assert found.prediction[0] == 1
        assert left < found.left[0] <= 0 <= found.right[0] < right
        seen += found.left[0] < 0
        # what is lost: a classifier is certified nearly up to where it changes
        if np.isfinite(right) and right > 0.2 * transformation.largest:
            assert found.right[0] > 0.1 * right
    assert seen >= 3


def worst_cases():
    for image in (golden_image("wave", 8, 8), blob(8, 8, (3.0, 4.5)), random_images(2)[1]):
        for kind in ("rotation", "zoom", "shear", "translation"):
            yield image, TRANSFORMATIONS[kind], 40 * 10 * TRANSFORMATIONS[kind].piece


def aimed(image, transformation, end, number, part=0.9):
    """Classifier against an anchor: it errs at the farthest image that the ball has to hold."""
    curve = Curve(transformation, image[None], end, lambda x: x.reshape(len(x), -1))
    anchors = list(cover(curve, 0.25, 0.0))[: number + 1]
    start = anchors[-2].end if number else 0.0
    t = np.linspace(start, anchors[-1].end, 301)
    images = transformation.moved(image[None], np.append(t, anchors[-1].parameter))
    away = np.linalg.norm((images[:-1] - images[-1]).reshape(301, -1), axis=1)
    return aimed_at(images[away.argmax()], images[-1], part), t[away.argmax()]


def n_violations(number):
    found = 0
    for image, transformation, end in worst_cases():
        model, bad = aimed(image, transformation, end, number)
        flat = image.reshape(1, -1)
        certificate = certify_path(
            smoothed(model), flat, transformation.__class__(end, image_shape=image.shape)
        )
        same = model.predict(flat)[0] == 1
        found += same and certificate.right[0] >= bad
    return found


@pytest.mark.parametrize("number", [0, 2])
def test_no_aimed_classifier_breaks_a_range_and_smaller_balls_would(number, monkeypatch):
    """Negative control: with balls of 0.8 of the radius, ranges are wrong."""
    assert n_violations(number) == 0

    def too_small(*arguments):
        for anchor in cover(*arguments):
            yield anchor._replace(distance=0.8 * anchor.distance)

    monkeypatch.setattr(module, "cover", too_small)
    assert n_violations(number) > 3


def test_voted_ranges_are_true():
    """Votes of a black box, whose smoothed version is known: none beyond the true range."""
    rng, wrong, far = np.random.default_rng(2), 0, 0
    transformation = Rotation(30, image_shape=(7, 8))
    for seed, image in enumerate(random_images(20, seed=3)):
        weights = rng.standard_normal(image.size)
        weights /= np.linalg.norm(weights)
        model = linear_model(weights, 0.8 - weights @ image.ravel())
        smoother = smoothed(model, structure="off", alpha=0.1, random_state=seed)
        found = certify_path(smoother, image.reshape(1, -1), transformation)
        left, right = true_ends(model, transformation, image)
        wrong += not (left < found.left[0] and found.right[0] < right)
        far += found.right[0] > 3
    assert wrong <= 2  # of 20 at the level of 0.1; the balls are hardly ever tight
    assert far >= 10


def ranges(probabilities, radii, n_rows, looks, alpha, seed):
    """Number of anchors that are passed, by `decide`, of rows whose votes are simulated."""
    noise, rng, n = GaussianNoise(1.0), np.random.default_rng(seed), len(radii)
    counts = np.zeros((n_rows * n, 2), np.int64)
    spent = np.full(len(counts), looks[0].alpha_spent)
    p, target = np.tile(probabilities, n_rows), np.tile(radii, n_rows)

    def count(rows, _, n_draws):
        votes = rng.binomial(n_draws, p[rows])
        return np.stack([votes, n_draws - votes], axis=1)

    def certify(rows, votes, spent):
        return ClassificationCertificate.from_counts(
            np.zeros(len(rows), np.int64),
            votes,
            classes=np.array([0, 1]),
            noise=noise,
            n_features=1,
            alpha=ErrorBudget(alpha, spent=spent),
            target_radius=target[rows],
        )

    def needless(failed):
        behind = [np.arange(i + 1, (i // n + 1) * n) for i in failed]
        return np.concatenate([np.zeros(0, np.intp), *behind])

    top = np.zeros(len(counts), np.intp)
    decide(count, certify, counts, spent, top, looks, lambda _: None, needless)
    holds = certify(np.arange(len(counts)), counts, spent).certified.reshape(n_rows, n)
    return np.where(holds.all(axis=1), n, holds.argmin(axis=1)), counts.sum(axis=1)


def test_level_of_a_range_with_every_anchor_at_the_full_level():
    """Anchors 0 to 5 are clear, 6 is just false, and 7 is clear: the seventh must not be passed."""
    radii = np.full(8, 0.5)
    probabilities = special.ndtr([1.5, 1.5, 1.5, 1.5, 1.5, 1.5, 0.4999, 1.5])
    passed, _ = ranges(probabilities, radii, 3000, plan_looks(2000), 0.05, seed=0)
    assert (passed >= 6).mean() > 0.9
    assert (passed > 6).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 3000)
    assert (passed > 6).mean() > 0.01  # not far below: the level is spent


def test_a_hundred_looks_at_the_full_level_are_caught():
    """Negative control: looks at every 20 draws, each at the level, pass it far too often."""
    rng, p, alpha = np.random.default_rng(1), special.ndtr(0.4999), 0.05
    n = 20 * np.arange(1, 101)
    votes = rng.binomial(20, p, (3000, 100)).cumsum(axis=1)
    lower = clopper_pearson_lower(votes, n, alpha)
    wrong = (lower >= special.ndtr(0.5)).any(axis=1).mean()
    assert wrong > 0.2


def test_draws_are_not_spent_behind_an_anchor_that_failed():
    radii = np.full(8, 0.5)
    bad_first = special.ndtr([-1.0, *[0.52] * 7])
    _, with_order = ranges(bad_first, radii, 20, plan_looks(5000), 0.05, seed=2)
    assert with_order.reshape(20, 8).max() == 64
    bad_last = special.ndtr([*[0.52] * 7, -1.0])
    _, needed = ranges(bad_last, radii, 20, plan_looks(5000), 0.05, seed=2)
    assert needed.max() > 3000


def test_waves_do_not_change_ranges(monkeypatch):
    rng = np.random.default_rng(5)
    image = blob(8, 8)
    weights = rng.standard_normal(64)
    model = linear_model(weights, 0.9 * np.linalg.norm(weights) - weights @ image.ravel())
    X = np.stack([image, np.rot90(image), 0.5 * image]).reshape(3, -1)
    smoother = smoothed(model, structure="off")
    whole = certify_path(smoother, X, Rotation(60))
    for size in (1, 3, 1000):
        monkeypatch.setattr(module, "_ANCHORS_AT_ONCE", size)
        monkeypatch.setattr(module, "_VALUES_AT_ONCE", 2000)
        other = certify_path(smoother, X, Rotation(60))
        assert (other.left == whole.left).all()
        assert (other.right == whole.right).all()


class Slab(ClassifierMixin, BaseEstimator):
    """Class 1 between two parallel planes: its probability under noise is a difference of two."""

    classes_ = np.array([0, 1])

    def __init__(self, weights=None, offset=0.0, half_width=1.0):
        self.weights = weights
        self.offset = offset
        self.half_width = half_width

    def fit(self, X, y):
        return self

    def predict(self, X):
        return (np.abs(X @ self.weights + self.offset) < self.half_width).astype(int)

    def is_likely(self, X, away):
        """Whether class 1 is the more probable, at the worst and at the best point nearby."""
        score = X @ self.weights + self.offset

        def probability(s):
            return special.ndtr((self.half_width - s) / 0.5) - special.ndtr(
                (-self.half_width - s) / 0.5
            )

        near = np.maximum(np.abs(score) - away, 0.0)
        worst = np.minimum(probability(score - away), probability(score + away))
        return worst > 0.5, probability(near) > 0.5


def test_no_range_of_a_slab_leaves_what_is_known_of_it():
    """Slabs that lie across the way of an image: single and double precision, with a tolerance."""
    rng, proven, part = np.random.default_rng(7), 0, []
    for case, image in enumerate(random_images(24, seed=8)):
        transformation = clone(RANGES[case % len(RANGES)]).set_params(image_shape=image.shape)
        end = transformation.largest * rng.uniform(-1, 1)
        way = (transformation.moved(image[None], np.array([end]))[0, 0] - image).ravel()
        way /= np.linalg.norm(way)
        offset = rng.uniform(-0.3, 0.3) - way @ image.ravel()
        slab = Slab(way, offset, rng.uniform(0.6, 1.5))
        X = image.reshape(1, -1).astype(np.float32 if case % 3 == 0 else np.float64)
        tolerance = 0.1 * (case % 2)
        smoother = smoothed(slab, random_state=case)
        found = certify_path(smoother, X, transformation, tolerance=tolerance)
        t = np.linspace(-transformation.largest, transformation.largest, 2001)
        moved = transformation.moved(image[None], t).reshape(len(t), -1)
        surely, perhaps = slab.is_likely(moved, tolerance)
        holds = surely if found.prediction[0] == 1 else ~perhaps
        inside = (t >= found.left[0]) & (t <= found.right[0])
        assert found.abstained[0] or holds[inside].all()
        proven += not found.abstained[0]
        if (~holds & (t > 0)).any():
            part.append(found.right[0] / t[np.flatnonzero(~holds & (t > 0))[0]])
    assert proven > 15
    assert np.median(part) > 0.5  # and they go most of the way
