"""Seeds: fresh ones touch nothing that others draw from."""

import numpy as np
import pytest

from sksmooth.engine._seeds import seed_from


def test_whole_numbers_are_seeds():
    assert seed_from(5) == seed_from(np.int64(5)) == 5


def test_none_is_fresh_entropy_and_leaves_the_shared_generator_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert len({seed_from(None) for _ in range(10)}) == 10
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_a_generator_moves_on():
    rng = np.random.RandomState(0)
    first, second = seed_from(rng), seed_from(rng)
    assert first != second
    assert first == seed_from(np.random.RandomState(0))


def test_what_is_no_seed_is_refused():
    with pytest.raises(ValueError, match="cannot be used to seed"):
        seed_from("seven")
