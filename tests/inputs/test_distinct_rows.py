"""Equal rows are found by their bytes, and stay in order."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal

from sksmooth.inputs._distinct_rows import distinct_rows


def test_distinct_rows():
    matrix = np.array([[2.0, -0.0], [1.0, 3.0], [2.0, 0.0], [-1.0, 3.0], [1.0, 3.0]])
    rows, place = distinct_rows(matrix)
    assert_array_equal(rows, [[2.0, 0.0], [1.0, 3.0], [-1.0, 3.0]])
    assert_array_equal(rows[place], matrix)
    close, _ = distinct_rows(np.nextafter(matrix[[0, 1, 3]], -10))
    assert_allclose(close, rows, atol=1e-300)  # the order does not hang on the last bit
