"""Radii of numbers after changes of categories."""

import numpy as np
import pytest
from category_cases import golden_rows, numbers, probabilities_of
from scipy import special

from sksmooth.noise import (
    CategoryNoise,
    GaussianNoise,
    LaplaceNoise,
    MixedNormNoise,
    SplittingNoise,
    SupNormNoise,
    UniformNoise,
)
from sksmooth.noise._base import scaled_down, tail_and_runner_up
from sksmooth.noise._categories._changes import Change
from sksmooth.noise._categories._joint import JointTradeOff, joint_trade_off
from sksmooth.noise._categories._law import law_of

FAMILIES = {"gaussian": GaussianNoise, "laplace": LaplaceNoise, "uniform": UniformNoise}


def change_of(row, j, a, b):
    keep, n = float(row["keep"]), numbers(row["n_levels"])[j]
    if row["scheme"] == "token":
        return Change(keep, 0.0, 0.0, 1 - keep)
    if row["scheme"] == "uniform":
        rho = (1 - keep) / (n - 1)
        return Change(keep - rho, rho, rho, (n - 2) * rho)
    pi = probabilities_of(row)[j]
    stray, other = (1 - keep) * pi[a], (1 - keep) * pi[b]
    return Change(keep, stray, other, max(0.0, (1 - keep) * (1 - pi[a] - pi[b])))


def golden_radius(row):
    pairs = zip(numbers(row["x"]), numbers(row["x_changed"]))
    changes = tuple(change_of(row, j, a, b) for j, (a, b) in enumerate(pairs) if a != b)
    trade_off, unit = joint_trade_off(FAMILIES[row["family"]](float(row["sigma"])))
    p_upper = [float(row["p_upper"])] if row["p_upper"] else None
    bounds = tail_and_runner_up([float(row["p_lower"])], p_upper)
    return scaled_down(JointTradeOff(law_of(changes), trade_off).radius(*bounds), unit)[0]


@pytest.mark.parametrize(
    "row", golden_rows("joint"), ids=lambda row: f"{row['family']}-{row['scheme']}-{row['s']}"
)
def test_golden(row):
    golden, got = float(row["numeric_radius"]), golden_radius(row)
    assert golden * (1 - 1e-9) <= got <= golden * (1 + 1e-12)


def test_published_table_of_the_guide():
    radius = [
        CategoryNoise(0.7).radius_after(GaussianNoise(1.0), 0.99999, changes=s, n_levels=[5] * 4)
        for s in range(4)
    ]
    np.testing.assert_allclose(radius, [4.26, 3.92, 3.54, 3.12], atol=0.006)


def test_tokens_in_closed_form():
    beta, p = 0.9**2, np.array([0.7, 0.9, 0.99, 0.9999])
    share = (p - 1 + beta) / beta
    wanted = 0.5 * (special.ndtri(share) - special.ndtri(1 / (2 * beta)))
    got = CategoryNoise(0.1, "token").radius_after(
        GaussianNoise(0.5), p, changes=2, n_levels=[4, 4, 4]
    )
    np.testing.assert_allclose(got, np.maximum(wanted, 0), rtol=1e-9)


def test_without_changes_it_is_the_radius_of_the_noise():
    for family in FAMILIES.values():
        p = np.linspace(0.4, 0.999, 20)
        got = CategoryNoise().radius_after(family(0.5), p, (1 - p) / 2, changes=0, n_levels=[3])
        assert (got == family(0.5).radius(p, (1 - p) / 2)).all()


@pytest.mark.parametrize("family", FAMILIES.values())
@pytest.mark.parametrize("scheme", ["uniform", "draw", "token"])
def test_radii_fall_with_changes_and_rise_with_the_probability(family, scheme):
    noise = CategoryNoise(0.85 if scheme != "token" else 0.15, scheme)
    p = np.array([0.9, 0.99, 0.999, 0.9999])
    radii = np.array(
        [noise.radius_after(family(1.0), p, changes=s, n_levels=[3, 4, 2]) for s in range(5)]
    )
    assert (np.diff(radii, axis=0) <= 0).all()
    assert (np.diff(radii, axis=1) >= 0).all()
    assert radii[1].max() > 0
    assert (radii[4] == radii[3]).all()  # there are three columns


@pytest.mark.parametrize("norm", [1, np.inf])
def test_uniform_noise_in_both_norms(norm):
    noise, d = UniformNoise(1.0), 6
    got = CategoryNoise(0.1, "token").radius_after(
        noise, 0.99, changes=1, n_levels=[3], n_features=d, norm=norm
    )
    volume = 1 - got / (2 * np.sqrt(3)) if norm == 1 else (1 - got / (2 * np.sqrt(3))) ** d
    # a token and the overlap are one event: V (0.9 - 0.01 / V) = 1/2
    assert volume == pytest.approx((0.5 + 0.01) / 0.9, rel=1e-9)


def half_spaces(rng, law, x):
    """Probabilities before and after of a classifier with a threshold in each cell."""
    thresholds = rng.normal(0, 2, len(law.before)) + rng.choice([-3, 0, 3])
    before = law.before @ special.ndtr(thresholds)
    return before, law.after @ special.ndtr(thresholds - x)


def test_no_classifier_with_a_half_space_in_each_cell_has_less():
    rng = np.random.default_rng(0)
    law = law_of((Change(0.6, 0.1, 0.2, 0.1), Change(0.5, 0.25, 0.05, 0.2)))
    trade_off, _ = joint_trade_off(GaussianNoise(1.0))
    joint = JointTradeOff(law, trade_off)
    x = rng.uniform(0.05, 3, 4000)
    before, after = np.array([half_spaces(rng, law, r) for r in x]).T
    bound = joint.worst_case_probability(1 - before, x)
    assert (bound <= after + 1e-12).all()
    # the best thresholds are those of the likelihood ratio, and attain the bound
    thresholds = (0.3 - law.log_ratio) / 0.8 + 0.4
    p, q = law.before @ special.ndtr(thresholds), law.after @ special.ndtr(thresholds - 0.8)
    assert joint.worst_case_probability(np.array([1 - p]), np.array([0.8]))[0] == pytest.approx(
        q, abs=1e-11
    )
    # a control: numbers and categories apart, each with the whole tail, would claim too much
    apart = trade_off.worst_case_probability(1 - before, x)
    assert (apart > after).any()


def laplace_by_sorting(law, tail, x, n=200_001):
    """Least probability by sorting cells of a fine grid of the shifted axis."""
    edges = np.concatenate([[-np.inf], np.linspace(-18, 18 + x, n), [np.inf]])
    cdf = np.where(edges < 0, np.exp(np.minimum(edges, 0)) / 2, 1 - np.exp(-np.abs(edges)) / 2)
    moved = edges - x
    cdf_moved = np.where(
        moved < 0, np.exp(np.minimum(moved, 0)) / 2, 1 - np.exp(-np.abs(moved)) / 2
    )
    before = np.multiply.outer(law.before, np.diff(cdf)).ravel()
    after = np.multiply.outer(law.after, np.diff(cdf_moved)).ravel()
    some = before > 0
    order = np.argsort(after[some] / before[some])
    before, after = before[some][order], after[some][order]
    reached = np.minimum(np.cumsum(before), 1 - tail)
    taken = np.diff(reached, prepend=0)
    return (after * taken / before).sum()


@pytest.mark.parametrize("tail", [0.2, 0.02, 1e-3])
def test_laplace_noise_against_sorted_cells(tail):
    law = law_of((Change(0.6, 0.1, 0.2, 0.1),))
    joint = JointTradeOff(law, joint_trade_off(LaplaceNoise(1.0))[0])
    got = joint.worst_case_probability(np.array([tail]), np.array([0.7]))[0]
    wanted = laplace_by_sorting(law, tail, 0.7)
    assert got == pytest.approx(wanted, abs=2e-6)


def test_a_class_among_the_first_few():
    law = law_of((Change(0.75, 0.05, 0.05, 0.15),))
    trade_off, _ = joint_trade_off(GaussianNoise(1.0))
    joint = JointTradeOff(law, trade_off)
    tail, others = np.array([0.02]), np.array([[0.008, 0.02]])
    radius = joint.top_radius(tail, others)[0]
    at, beyond = np.array([radius * 0.999]), np.array([radius * 1.001])

    def lead(r):
        most = min(
            (1 - joint.worst_case_probability(o, r)[0]) / n for n, o in zip((1, 2), others.T)
        )
        return joint.worst_case_probability(tail, r)[0] - most

    assert lead(at) > 0 > lead(beyond)
    assert radius < trade_off.top_radius(tail, others)[0]


@pytest.mark.parametrize(
    "noise",
    [
        GaussianNoise(1.0, k=2),
        LaplaceNoise(1.0, k=2),
        MixedNormNoise(1.0),
        SupNormNoise(1.0),
        SplittingNoise(1.0),
    ],
)
def test_families_without_a_joint_certificate_are_refused_by_name(noise):
    with pytest.raises(ValueError, match=f"{type(noise).__name__}.*Use GaussianNoise"):
        CategoryNoise().radius_after(noise, 0.9, changes=1, n_levels=[3], n_features=50)
    CategoryNoise().radius_after(GaussianNoise(1.0), 0.9, changes=1, n_levels=[3], n_features=50)


def test_probabilities_of_one_prove_what_the_noise_hides():
    noise = CategoryNoise(0.2, "token")
    kept = noise.radius_after(GaussianNoise(1.0), 1.0, changes=3, n_levels=[2] * 3)
    lost = noise.radius_after(GaussianNoise(1.0), 1.0, changes=4, n_levels=[2] * 4)
    assert kept > 1e3  # 0.8 ** 3 is above one half: no shift matters
    assert lost == 0  # 0.8 ** 4 is not
    two_sided = noise.radius_after(GaussianNoise(1.0), 0.9, 0.0, changes=1, n_levels=[2])
    assert 0 < two_sided < np.inf
