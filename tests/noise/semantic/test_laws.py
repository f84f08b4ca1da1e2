"""Laws of one parameter: draws, radii to many digits, and sets of parameters that attain them."""

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sksmooth.noise import Brightness, Contrast
from sksmooth.noise.semantic._laws import EITHER_WAY, ONE_SIDED, is_one_sided

GOLDEN = Path(__file__).parents[1] / "golden" / "semantic_laws.csv"
SIGMA = 0.5

# Laws of b as scipy has them, and the set of parameters of probability p that an attack a > 0
# leaves with the least probability, as an indicator function.
NAMES = {
    "gaussian": stats.norm(scale=SIGMA),
    "laplace": stats.laplace(scale=SIGMA / np.sqrt(2)),
    "exponential": stats.expon(scale=SIGMA),
    "half-normal": stats.halfnorm(scale=SIGMA * np.sqrt(np.pi / 2)),
}
TWO_SIDED_UNIFORM = stats.uniform(-SIGMA * np.sqrt(3), 2 * SIGMA * np.sqrt(3))
ONE_SIDED_UNIFORM = stats.uniform(0, 2 * SIGMA)


def law_named(name):
    """A law of golden values: `name_onesided` is positive."""
    short = name.removesuffix("_onesided").replace("_", "-")
    return (ONE_SIDED if name.endswith("_onesided") else EITHER_WAY)[short]


def golden_rows():
    with GOLDEN.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("row", golden_rows(), ids=lambda row: f"{row['law']}-{row['pA']}")
def test_radii_to_many_digits(row):
    law = law_named(row["law"])(float(row["sigma_or_mean"]))
    expected = float(row["radius"])
    found = law.radius(float(row["pA"]), float(row["pB"]))
    assert_allclose(found, expected, rtol=1e-9)
    # one minus the probability keeps its digits: never above the exact radius
    if float(row["pA"]) + float(row["pB"]) == 1:
        assert law.tail_radius(float(row["pB"])) <= expected * (1 + 1e-15)


@pytest.mark.parametrize("name", sorted(EITHER_WAY))
def test_draws_have_their_law(name):
    law = {**NAMES, "uniform": TWO_SIDED_UNIFORM}[name]
    draws = Brightness(SIGMA, law=name).draw(20_000, (3, 4), np.random.default_rng(0), np.float64)
    assert draws.shape == (20_000, 1)
    assert stats.kstest(draws[:, 0], law.cdf).pvalue > 1e-3
    assert stats.kstest(1.1 * draws[:, 0], law.cdf).pvalue < 1e-3  # control: a wider law


def test_positive_uniform_draws_have_their_law():
    law = ONE_SIDED["uniform"](SIGMA)
    draws = law.draw(20_000, (1,), np.random.default_rng(0), np.float64)[:, 0]
    assert stats.kstest(draws, ONE_SIDED_UNIFORM.cdf).pvalue > 1e-3
    assert draws.min() >= 0
    assert draws.max() <= 2 * SIGMA


def worst_set(law, p, a):
    """Cells of parameters, by falling likelihood of the law to the moved one, up to p; shares."""
    cells = np.linspace(-12 * SIGMA, 24 * SIGMA, 400_001)
    here, there = np.diff(law.cdf(cells)), np.diff(law.cdf(cells - a))
    with np.errstate(divide="ignore", invalid="ignore"):
        order = np.argsort(np.where(here > 0, there / here, np.inf), kind="stable")
    inside = np.cumsum(here[order])
    last = np.searchsorted(inside, p)
    part = (p - inside[last - 1]) / here[order][last] if last else p / here[order][0]
    return there[order][:last].sum() + part * there[order][last]


CASES = [(name, law_named(name), law) for name, law in NAMES.items()]
CASES += [("uniform", EITHER_WAY["uniform"], TWO_SIDED_UNIFORM)]
CASES += [("positive-uniform", ONE_SIDED["uniform"], ONE_SIDED_UNIFORM)]


@pytest.mark.parametrize("p", [0.6, 0.9, 0.99])
@pytest.mark.parametrize(("law", "reference"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_worst_sets_keep_a_majority_up_to_the_radius_and_lose_it_beyond(law, reference, p):
    radius = law(SIGMA).radius(p)
    assert worst_set(reference, p, 0.999 * radius) > 0.5
    assert worst_set(reference, p, 1.02 * radius) < 0.5


@pytest.mark.parametrize(("law", "reference"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_worst_case_probabilities_are_those_of_the_worst_sets(law, reference):
    trade_off, unit = law(SIGMA).trade_off(1)
    for p in (0.3, 0.6, 0.95):
        for a in (0.05, 0.2, 0.6):
            least = worst_set(reference, p, a)
            found = trade_off.worst_case_probability(np.array([1 - p]), np.array([a / unit]))[0]
            assert_allclose(max(found, 0), least, atol=2e-5)


def test_which_laws_go_one_way():
    assert not is_one_sided(Contrast(0.3).parameter_law)
    assert is_one_sided(Contrast(0.3, law="exponential").parameter_law)
    assert Contrast(0.3, law="half-normal").one_sided


@pytest.mark.parametrize("law", ["normal", 3, None])
def test_a_law_that_is_none_is_refused(law):
    with pytest.raises(ValueError, match="'law' parameter of Brightness must be one of expon"):
        Brightness(0.3, law=law).radius(0.9)
