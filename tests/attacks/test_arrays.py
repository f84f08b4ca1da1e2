"""Attacks on arrays: as strong as can be where that is known, within their ball and bounds."""

import numpy as np
import pytest

from sksmooth.attacks import project, projected_gradient, towards_points


@pytest.mark.parametrize("norm", [1, 2, np.inf])
def test_projection_stays_in_the_ball_and_keeps_what_is_in_it(norm):
    steps = np.random.default_rng(0).normal(size=(50, 4))
    inside = project(steps, 0.7, norm)
    size = np.linalg.norm(steps, norm, axis=1)
    assert (np.linalg.norm(inside, norm, axis=1) <= 0.7 * (1 + 1e-12)).all()
    assert np.array_equal(inside[size < 0.7], steps[size < 0.7])


@pytest.mark.parametrize(("norm", "dual"), [(1, np.inf), (2, 2), (np.inf, 1)])
def test_the_attack_on_a_linear_score_is_the_best_there_is(norm, dual):
    """It lowers the score by the radius times the dual norm of the gradient."""
    weights = np.array([3.0, -1.0, 2.0])
    X, signs = np.random.default_rng(0).normal(size=(20, 3)), np.resize([1, -1], 20)
    moved = projected_gradient(
        lambda rows: np.broadcast_to(weights, rows.shape), X, signs, radius=0.4, norm=norm
    )
    change = signs * ((moved - X) @ weights)
    np.testing.assert_allclose(change, -0.4 * np.linalg.norm(weights, dual), rtol=1e-9)


def test_the_attack_stays_within_bounds():
    X = np.random.default_rng(0).uniform(size=(20, 3))
    moved = projected_gradient(np.ones_like, X, np.ones(20), radius=0.9, norm=2, bounds=(0, 1))
    assert moved.min() == 0
    assert moved.max() <= 1


def test_rows_move_towards_the_nearest_points_of_the_other_label():
    X, labels = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([0, 1])
    points, others = np.array([[0.0, 2.0], [4.0, 0.0], [1.0, -1.0]]), np.array([1, 1, 0])
    first, second = towards_points(X, points, labels, others, radius=0.5, norm=2)
    np.testing.assert_allclose(first, [[0.0, 0.5], [1.0, -0.5]])
    np.testing.assert_allclose(second, [[0.5, 0.0], [1.0, 0.0]])  # there is one point for the other
    assert list(towards_points(X, points, labels, np.array([7, 7, 7]), radius=0.5)) != []
    assert list(towards_points(X[:1], points, labels[:1], np.zeros(3), radius=0.5)) == []


@pytest.mark.parametrize("norm", [1, np.inf])
def test_every_row_has_a_radius_of_its_own(norm):
    X, radius = np.zeros((3, 2)), np.array([[0.0], [0.5], [2.0]])
    moved = projected_gradient(np.ones_like, X, np.ones(3), radius=radius, norm=norm)
    np.testing.assert_allclose(np.linalg.norm(moved, norm, axis=1), radius.ravel(), atol=1e-12)


def test_other_norms_are_refused():
    X, labels = np.zeros((3, 2)), np.arange(3)
    for attack in (
        lambda: project(X, 1.0, 3),
        lambda: projected_gradient(np.ones_like, X, labels, radius=1.0, norm="l3"),
        lambda: list(towards_points(X, X, labels, labels, radius=1.0, norm=0.5)),
    ):
        with pytest.raises(ValueError, match=r"norm must be (1, 2 or numpy.inf|a number p)"):
            attack()
