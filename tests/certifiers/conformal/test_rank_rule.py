"""One score from many, and thresholds from scores."""

import numpy as np

from sksmooth.bounds._calibration_ranks import CopyRanks
from sksmooth.certifiers.conformal._rank_rule import RankRule, ranked


def test_ranks_count_from_the_largest():
    scores = np.array([[3.0, 1.0, 2.0, 5.0], [0.0, 0.0, 1.0, -np.inf]])
    np.testing.assert_array_equal(ranked(scores, [1, 4, 2, 2]), [[5, 1, 3, 3], [1, -np.inf, 0, 0]])
    of_labels = np.stack([scores, -scores], axis=2)
    np.testing.assert_array_equal(ranked(of_labels, [2])[:, 0], [[3, -2], [0, 0]])


def test_thresholds_are_order_statistics():
    levels = (CopyRanks(5, 3, 2, 0.1), CopyRanks(5, 3, 2, 0.25), CopyRanks(5, 3, 2, 0.0))
    scores = np.repeat(np.arange(19.0)[::-1, None], 3, axis=1)
    np.testing.assert_array_equal(RankRule(levels).thresholds(scores), [1, 4, -np.inf])
    np.testing.assert_array_equal(
        RankRule(levels, n_poisoned=1).thresholds(scores), [0, 3, -np.inf]
    )
    few = RankRule(levels, n_poisoned=2)
    np.testing.assert_array_equal(few.thresholds(scores), [-np.inf, 2, -np.inf])
    assert few.rows_needed() == [29, 11, None]


def test_infinite_scores_are_thresholds_like_others():
    rule = RankRule((CopyRanks(1, 1, 1, 0.5),))
    scores = np.array([[-np.inf], [-np.inf], [1.0]])
    np.testing.assert_array_equal(rule.thresholds(scores), [-np.inf])
