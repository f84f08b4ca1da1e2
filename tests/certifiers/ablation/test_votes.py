"""Votes on ablations, against all votes that a patch could make of them."""

import csv
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from sksmooth.certifiers.ablation._votes import (
    certified_by_count,
    certified_by_place,
    counted,
    ranked_labels,
)
from sksmooth.noise import AblationNoise


def golden():
    with (Path(__file__).parent / "golden" / "patch_bands.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", golden(), ids=lambda row: "-".join(list(row.values())[:7]))
def test_golden_bands(row):
    number = {name: int(value) for name, value in row.items() if name != "votes"}
    votes, n_classes = np.array([row["votes"].split()], int), number["n_classes"]
    noise = AblationNoise(
        "columns", size=number["band"], stride=number["stride"], wrap=bool(number["wrap"])
    )
    shape, patch = (5, number["width"]), (2, number["patch"])
    counts = counted(votes, n_classes)
    label = ranked_labels(counts, 1)[:, 0]
    assert label[0] == number["prediction"]
    n_affected = noise.most_affected(shape, patch)
    assert n_affected == number["affected"]
    assert certified_by_count(counts, label, n_affected)[0] == number["certified_count"]
    seen = noise.places(shape, patch)
    by_place = certified_by_place(votes, label, seen, n_classes)
    assert by_place[0] == number["certified_position"]
    top2 = certified_by_place(votes, label, seen, n_classes, top_k=2)
    assert top2[0] == number["label_top2_position"]


def stays(votes, label, changed, n_classes, top_k):
    """By enumeration of all that the changed ablations could vote for."""
    places = np.flatnonzero(changed)
    for other in product(range(-1, n_classes), repeat=len(places)):
        moved = votes.copy()
        moved[places] = other
        if label not in ranked_labels(counted(moved[None], n_classes), top_k)[0]:
            return False
    return True


@pytest.mark.parametrize("seed", range(40))
def test_equal_to_enumeration(seed):
    rng = np.random.default_rng(seed)
    n, n_classes, top_k = int(rng.integers(3, 9)), int(rng.integers(2, 5)), int(rng.integers(1, 3))
    votes = rng.integers(-1, n_classes, n)
    votes[rng.random(n) < 0.5] = rng.integers(n_classes)
    seen = rng.random((3, n)) < 0.3
    seen &= seen.cumsum(axis=1) <= 4
    label = int(ranked_labels(counted(votes[None], n_classes), 1)[0, 0])
    expected = all(stays(votes, label, hit, n_classes, top_k) for hit in seen)
    found = certified_by_place(votes[None], np.array([label]), seen, n_classes, top_k=top_k)
    assert found[0] == expected


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("top_k", [1, 2])
def test_counts_hold_whichever_ablations_change(seed, top_k):
    rng = np.random.default_rng(seed)
    n, n_classes, n_affected = 6, 3, int(rng.integers(1, 3))
    votes = rng.integers(0, n_classes, n)
    votes[rng.random(n) < 0.6] = rng.integers(n_classes)
    counts = counted(votes[None], n_classes)
    label = ranked_labels(counts, 1)[:, 0]
    every = np.array(list(product([False, True], repeat=n)))
    sets = every[every.sum(axis=1) == n_affected]
    found = certified_by_count(counts, label, n_affected, top_k=top_k)[0]
    assert found == all(stays(votes, label[0], hit, n_classes, top_k) for hit in sets)


def test_claims_for_fewer_affected_ablations_are_refuted():
    """The control: some label that is certified for one ablation fewer does not stay."""
    refuted = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        votes = rng.integers(0, 2, 7)
        label = ranked_labels(counted(votes[None], 2), 1)[:, 0]
        hit = np.arange(7) < 2
        too_few = (np.arange(7) < 1)[None]
        claimed = certified_by_place(votes[None], label, too_few, 2)[0]
        refuted += claimed and not stays(votes, label[0], hit, 2, 1)
    assert refuted > 0


def test_rows_are_independent():
    rng = np.random.default_rng(0)
    votes = rng.integers(0, 2, (50, 9)) * rng.integers(0, 2, (50, 1))
    label = ranked_labels(counted(votes, 3), 1)[:, 0]
    seen = AblationNoise(size=2).places((1, 9), (1, 2))
    whole = certified_by_place(votes, label, seen, 3)
    each = [certified_by_place(votes[i : i + 1], label[i : i + 1], seen, 3)[0] for i in range(50)]
    np.testing.assert_array_equal(whole, each)
    assert 0 < whole.sum() < 50
