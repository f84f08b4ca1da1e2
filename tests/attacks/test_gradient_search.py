"""The searches along gradients of a net, on a linear net, where the best is known."""

import math
from itertools import pairwise

import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn import functional

from sksmooth.attacks._gradient_search import climb, ddn_search, mean_log_probabilities, pgd_search

WEIGHTS = torch.tensor([[1.0, -2.0, 0.5], [-1.0, 1.0, 3.0]], dtype=torch.float64)


def net(X):
    return functional.log_softmax(X @ WEIGHTS.T, dim=1)


@pytest.fixture
def rows():
    """Return inputs, their labels by the net, and their distance from the border."""
    X = torch.randn(40, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    margin = X @ (WEIGHTS[1] - WEIGHTS[0])
    return X, (margin > 0).long(), margin.abs() / (WEIGHTS[1] - WEIGHTS[0]).norm()


def test_probabilities_are_averaged_over_draws():
    outputs = 5 * torch.randn(4, 7, 3, generator=torch.Generator().manual_seed(0))
    expected = outputs.softmax(dim=-1).mean(dim=0).log()
    assert_allclose(mean_log_probabilities(outputs), expected, rtol=1e-5)
    sure = mean_log_probabilities(torch.tensor([[[0.0, 500.0]]]))  # whose softmax is 0 and 1
    assert_allclose(sure, [[-500.0, 0.0]])


@pytest.mark.parametrize("norm", [2, math.inf])
def test_projected_gradient_ascent_goes_straight_to_the_border_of_the_ball(rows, norm):
    X, y, _ = rows
    found = pgd_search(net, X, y, radius=0.3, n_steps=5, norm=norm)
    down = torch.where(y == 0, 1.0, -1.0)[:, None] * (WEIGHTS[1] - WEIGHTS[0])
    best = down.sign() if norm == math.inf else down / down.norm(dim=1, keepdim=True)
    assert_allclose(found - X, 0.3 * best, atol=1e-9)
    X = X.clamp(-0.5, 0.5)
    within = pgd_search(net, X, y, radius=3.0, n_steps=5, norm=norm, bounds=(-0.5, 0.5))
    assert within.abs().max() == pytest.approx(0.5)


def test_ddn_finds_the_smallest_change_within_the_radius(rows):
    X, y, distance = rows
    found = ddn_search(net, X, y, radius=0.5, n_steps=100, init_norm=0.5, gamma=0.05)
    moved = (found - X).norm(dim=1)
    assert moved.max() <= 0.5 + 1e-12
    within = distance < 0.45
    assert 0 < within.sum() < len(X)
    assert (net(found).argmax(dim=1) != y)[within].all()
    assert (moved[within] <= 1.1 * distance[within] + 1e-3).all()


def test_a_climb_has_steps_of_one_length_and_begins_at_its_start(rows):
    X, y, _ = rows
    path = climb(net, X, y, step=0.2, n_steps=3)
    assert torch.equal(path[0], X)
    assert_allclose([(b - a).norm(dim=1) for a, b in pairwise(path)], 0.2, rtol=1e-9)
    losses = [functional.nll_loss(net(X), y) for X in path]
    assert losses == sorted(losses)
    clipped = climb(net, X.clamp(0, 1), y, step=0.2, n_steps=3, bounds=(0.0, 1.0))
    assert all(((X >= 0) & (X <= 1)).all() for X in clipped)


def test_where_there_is_no_gradient_any_direction_will_do():
    X, y = torch.zeros(5, 4), torch.zeros(5, dtype=torch.long)
    found = pgd_search(lambda X: 0 * X[:, :2], X, y, radius=1.0, n_steps=2)
    assert_allclose(found.norm(dim=1), 1.0, rtol=1e-6)
    assert len(found.unique(dim=0)) == 5
