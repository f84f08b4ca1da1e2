"""Arguments that are none get an error that names them, and no number."""

from decimal import Decimal

import numpy as np
import pytest

from sksmooth.bounds import (
    clopper_pearson_lower,
    clopper_pearson_upper,
    integrated_rank,
    lower_quantile_rank,
    min_draws_to_certify,
    plan_looks,
    runner_up_upper_bound,
    upper_quantile_rank,
)

RIGHT = {
    clopper_pearson_lower: {"n_success": 3, "n": 10, "alpha": 0.05},
    clopper_pearson_upper: {"n_success": 3, "n": 10, "alpha": 0.05},
    runner_up_upper_bound: {"counts": [[7, 2, 1]], "top": [0], "n": 10, "alpha": 0.05},
    min_draws_to_certify: {"alpha": 0.05},
    upper_quantile_rank: {"n": 100, "q": 0.5, "alpha": 0.05},
    lower_quantile_rank: {"n": 100, "p": 0.5, "alpha": 0.05},
    integrated_rank: {"n": 11, "m": 100, "c": 6, "shift": 0.5, "alpha": 0.05},
    plan_looks: {"cap": 100, "n_earlier_calls": 1},
}
SINGLE = {
    upper_quantile_rank: ("n", "q", "alpha"),
    lower_quantile_rank: ("n", "p", "alpha"),
    integrated_rank: ("n", "m", "c", "shift", "alpha"),
    plan_looks: ("cap", "n_earlier_calls"),
    min_draws_to_certify: ("alpha",),
}
SMALLEST = {"n_success": 0, "n": 1, "m": 1, "c": 1, "cap": 1, "n_earlier_calls": 0}
LEVEL = r"must lie in \(0, 1\), and not below 1e-100; got "


def wrong_values(name):
    """Values, and what is said of them."""
    for value in (True, "3", None, 3j, Decimal(3), np.timedelta64(3)):
        yield value, TypeError, "must be a number or an array of numbers, got "
    yield np.ma.masked_equal([3, 4], 4), ValueError, "has masked values"
    yield [[1, 2], [3]], ValueError, "must be a number or a regular array"
    if name in SMALLEST:
        smallest = SMALLEST[name]
        for value in (np.nan, np.inf, -np.inf, 2.5, np.float32(0.5)):
            yield value, ValueError, f"must be a whole number, got {value}"
        for value in (smallest - 1, -5):
            yield value, ValueError, f"must be at least {smallest}, got {value}"
        yield 10**16, ValueError, r"must be at most 1e\+15, got 1e\+16"
    elif name == "alpha":
        for value in (np.nan, np.inf, -0.1, 0.0, 1.0, 2.0, 1e-150):
            yield value, ValueError, f"{LEVEL}{value}"
    elif name == "shift":
        for value in (np.nan, -1.0, -np.inf):
            yield value, ValueError, f"must not be negative, got {value}"
    else:
        for value in (np.nan, np.inf, -1e-9, 1.5, 30.0):
            yield value, ValueError, rf"must lie in \[0, 1\], got {value}"


CASES = [
    pytest.param(function, name, *case, id=f"{function.__name__}-{name}-{i}")
    for function, right in RIGHT.items()
    for name in right
    if name not in ("counts", "top")
    for i, case in enumerate(wrong_values(name))
]


@pytest.mark.parametrize(("function", "name", "value", "error", "message"), CASES)
def test_wrong_values(function, name, value, error, message):
    with pytest.raises(error, match=f"^{name} {message}"):
        function(**RIGHT[function] | {name: value})


@pytest.mark.parametrize(
    ("function", "name"), [(f, name) for f, names in SINGLE.items() for name in names]
)
def test_arrays_where_one_number_is_needed(function, name):
    arguments = RIGHT[function] | {name: [RIGHT[function][name]] * 2}
    with pytest.raises(ValueError, match=rf"^{name} must be a single number, .* shape \(2,\)"):
        function(**arguments)


@pytest.mark.parametrize("bound", [clopper_pearson_lower, clopper_pearson_upper])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_success": 11}, "between 0 and n, got n_success=11 and n=10"),
        ({"n_success": [3, 8], "n": [10, 7]}, "between 0 and n, got n_success=8 and n=7"),
        ({"n_success": [3, np.nan]}, "n_success must be a whole number, got nan"),
        ({"n": [[10], [0]]}, "n must be at least 1, got 0"),
        ({"alpha": [0.1, 1.0]}, LEVEL + "1.0"),
        ({"n_success": [1, 2, 3], "n": [9, 9]}, r"same shape .* shapes \(3,\), \(2,\), \(\)"),
    ],
)
def test_arguments_of_proportions_that_do_not_go_together(bound, arguments, message):
    with pytest.raises(ValueError, match=message):
        bound(**RIGHT[bound] | arguments)


@pytest.mark.parametrize("name", ["counts", "top"])
def test_votes_that_are_no_numbers(name):
    arguments = RIGHT[runner_up_upper_bound] | {
        name: np.array(RIGHT[runner_up_upper_bound][name]) > 2
    }
    with pytest.raises(TypeError, match=f"^{name} must be a number or an array of numbers"):
        runner_up_upper_bound(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"counts": [[7, np.nan, 1]]}, "counts must be a whole number, got nan"),
        ({"counts": [[7, -2, 1]]}, "counts must be at least 0, got -2"),
        ({"top": [0.5]}, "top must be a whole number, got 0.5"),
        ({"top": [-1]}, "top must be at least 0, got -1"),
        ({"counts": [7, 2, 1]}, r"counts must have shape \(m, n_classes >= 2\), got \(3,\)"),
        ({"counts": [[7], [3]], "top": [0, 0]}, r"n_classes >= 2\), got \(2, 1\)"),
        ({"top": [0, 1]}, r"top must have shape \(1,\), got \(2,\)"),
        ({"top": 0}, r"top must have shape \(1,\), got \(\)"),
        ({"top": [3]}, "top must be below 3, got 3"),
        ({"n": 9}, "counts of a row must not exceed n, got 10 in all"),
    ],
)
def test_votes_that_do_not_go_together(arguments, message):
    with pytest.raises(ValueError, match=message):
        runner_up_upper_bound(**RIGHT[runner_up_upper_bound] | arguments)


def test_more_hits_than_samples():
    with pytest.raises(ValueError, match="c must lie between 1 and n, got c=12 and n=11"):
        integrated_rank(11, 100, 12, 0.5, 0.05)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.uint32, np.int64, np.float32, float])
def test_numbers_of_any_type(dtype):
    for function, right in RIGHT.items():
        names = {*SMALLEST, "counts", "top"} & {*right}
        counts = {name: np.array(right[name], dtype) for name in names}
        assert function(**right | counts) == function(**right)


def test_votes_are_left_as_they_are():
    counts = np.array([[7.0, 2.0, 1.0]])
    runner_up_upper_bound(counts, np.array([0]), 10, 0.05)
    assert counts[0, 0] == 7


def test_infinite_perturbations_have_no_rank():
    assert integrated_rank(11, 100, 6, np.inf, 0.05) is None
