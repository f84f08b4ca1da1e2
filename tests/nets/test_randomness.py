"""Randomness of one's own: the same in any thread, and nobody else's draws move."""

import copy
import pickle
from threading import Barrier, Thread

import pytest
import torch

from sksmooth.nets._randomness import OwnRandomness


def draws(own, n):
    found = []
    for _ in range(n):
        with own.used():
            found.append(float(torch.rand(1)))
    return found


def test_it_is_that_of_a_generator_with_the_seed():
    torch.manual_seed(7)
    expected = [float(torch.rand(1)) for _ in range(3)]
    torch.manual_seed(8)
    before = torch.get_rng_state()
    assert draws(OwnRandomness(7, None), 3) == expected
    assert torch.equal(torch.get_rng_state(), before)


def test_threads_take_turns_and_get_what_they_get_alone():
    n_draws, together = 200, Barrier(4)
    expected = {seed: draws(OwnRandomness(seed, "cpu"), n_draws) for seed in range(4)}
    found = {}

    def work(seed):
        together.wait()
        found[seed] = draws(OwnRandomness(seed, "cpu"), n_draws)

    threads = [Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


def test_within_each_other_and_after_an_error():
    outer, inner = OwnRandomness(0, "cpu"), OwnRandomness(1, "cpu")
    before = torch.get_rng_state()
    expected = draws(OwnRandomness(0, "cpu"), 2), draws(OwnRandomness(1, "cpu"), 1)
    with outer.used():
        first = float(torch.rand(1))
        (between,) = draws(inner, 1)
        second = float(torch.rand(1))
    assert ([first, second], [between]) == expected
    with pytest.raises(ZeroDivisionError), outer.used():
        raise ZeroDivisionError
    assert torch.equal(torch.get_rng_state(), before)


def test_functions_and_iterables_draw_from_it():
    own = OwnRandomness(3, "cpu")
    around = own.around(lambda x, scale: scale * x * float(torch.rand(1)))
    found = [around(2, scale=3), *own.each(float(torch.rand(1)) for _ in range(2))]
    first, *others = draws(OwnRandomness(3, "cpu"), 3)
    assert found == [6 * first, *others]
    assert list(own.each([])) == []


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda own: pickle.loads(pickle.dumps(own))])
def test_copies_go_on_alike(copied):
    own = OwnRandomness(3, "cpu")
    draws(own, 5)
    other = copied(own)
    assert draws(other, 3) == draws(own, 3)
