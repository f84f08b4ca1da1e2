"""Searches for radii."""

import numpy as np

from sksmooth.noise._radii._trade_off import last_proven


def test_a_lead_of_zero_ends_no_search():
    """Where the middle of an interval is the root itself, all below it is still proven."""
    found = last_proven(lambda r, rows: 1.0 - 2.0 * r, np.zeros(2), np.array([1.0, 2.0]), 1e-12)
    assert (found < 0.5).all()
    assert (found > 0.5 - 1e-11).all()


def test_nothing_is_found_where_nothing_leads():
    found = last_proven(lambda r, rows: -1.0 - r, np.zeros(1), np.ones(1), 1e-12)
    assert (found == 0).all()
