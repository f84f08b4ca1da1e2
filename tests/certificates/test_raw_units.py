"""From scaled units to those of X: golden values, attained, and never beyond what is proven."""

from dataclasses import replace

import numpy as np
import pytest
from category_cases import golden_rows
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special

from sksmooth import ClassificationCertificate
from sksmooth.certificates._raw_units import ball, box, budgets, checked_widths, uniform_box
from sksmooth.noise import GaussianNoise, LaplaceNoise, UniformNoise

FAMILIES = {"gaussian": GaussianNoise, "laplace": LaplaceNoise, "uniform": UniformNoise}
NORMS = (1, 1.5, 2, 3, np.inf)


def floats(text):
    return np.array([float(number) for number in text.split()])


def close_below(got, golden):
    golden = np.asarray(golden)
    assert (got <= golden * (1 + 1e-12)).all()
    assert (got >= golden * (1 - 1e-9)).all()


@pytest.mark.parametrize("row", golden_rows("feature_scale"), ids=lambda row: row["family"])
def test_golden(row):
    noise, scale = FAMILIES[row["family"]](float(row["sigma"])), floats(row["feature_scale"])
    p_upper = float(row["p_upper"]) if row["p_upper"] else None
    radius = np.array([noise.radius(float(row["p_lower"]), p_upper)])
    close_below(radius, float(row["radius_scaled"]))
    close_below(budgets(radius, scale)[0], floats(row["column_budgets"]))
    for p, name in ((1, "raw_l1_ball"), (2, "raw_l2_ball"), (np.inf, "raw_linf_ball")):
        close_below(ball(radius, scale, noise.norm, p), float(row[name]))
    close_below(box(radius, scale, noise.norm, scale)[0], floats(row["largest_box_half_widths"]))


def scaled_length(delta, scale, norm):
    return np.linalg.norm(delta / scale, norm, axis=-1)


def on_sphere(rng, n, d, p):
    delta = rng.normal(size=(n, d)) * rng.choice([0.01, 1], (n, d))
    return delta / np.linalg.norm(delta, p, axis=1, keepdims=True)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("p", NORMS)
def test_a_ball_is_the_largest_inside(norm, p):
    rng = np.random.default_rng(0)
    scale = np.array([0.1, 3.0, 0.7, 25.0])
    r = ball(np.array([0.8]), scale, norm, p)[0]
    assert (scaled_length(r * on_sphere(rng, 4000, 4, p), scale, norm) <= 0.8).all()
    if p <= norm:
        worst = np.eye(4)[0]
    else:  # equality in the inequality of Hoelder
        t = 1 / (1 / norm - 1 / p)
        worst = np.ones(4) if p == np.inf else scale ** (-t / p)
        worst /= np.linalg.norm(worst, p)
    assert scaled_length(r * worst, scale, norm) == pytest.approx(0.8, rel=1e-9)


def test_the_radius_of_equal_volume_is_no_radius():
    """The control: a ball of the same volume as what is proven goes beyond it."""
    scale, radius = np.array([0.1, 1.0]), np.array([1.0])
    of_equal_volume = np.sqrt(scale.prod())
    assert scaled_length(np.array([of_equal_volume, 0]), scale, 2) > 3.1
    assert ball(radius, scale, 2, 2)[0] < of_equal_volume


@pytest.mark.parametrize("norm", NORMS)
def test_a_box_is_the_largest_of_its_shape(norm):
    scale, widths = np.array([0.1, 3.0, 0.7]), np.array([1.0, 0.0, 2.0])
    half = box(np.array([0.8]), scale, norm, widths)[0]
    assert scaled_length(half, scale, norm) == pytest.approx(0.8, rel=1e-12)
    assert scaled_length(half, scale, norm) <= 0.8
    assert half[0] / half[2] == pytest.approx(0.5)


def test_uniform_noise_shares_just_enough_volume_with_its_box():
    rng = np.random.default_rng(1)
    for _ in range(200):
        scale, widths = rng.uniform(0.1, 9, (2, 4))
        lead = rng.uniform(0.01, 1, 3)
        half = uniform_box(lead, 0.4, scale, widths)
        shared = np.prod(1 - half / (2 * 0.4 * scale), axis=1)
        assert (shared >= 1 - lead / 2).all()
        np.testing.assert_allclose(shared, 1 - lead / 2, rtol=1e-9)
    assert (uniform_box(np.zeros(2), 0.4, scale, widths) == 0).all()


def certificate(noise=None, scale=(0.5, 2.0, 0.0), norm=None):
    made = ClassificationCertificate.from_counts(
        np.array(["a", "b", "a"]),
        np.array([[990, 10], [400, 600], [500, 500]]),
        classes=np.array(["a", "b"]),
        noise=GaussianNoise(0.5) if noise is None else noise,
        n_features=2,
        alpha=0.001,
        norm=norm,
    )
    return replace(made, feature_scale=None if scale is None else np.array(scale))


def test_certificates_answer_in_the_units_of_x():
    made = certificate()
    assert (made.radius[:2] > 0).all()
    np.testing.assert_allclose(made.column_budget(), made.radius[:, None] * [0.5, 2.0, 0.0])
    np.testing.assert_allclose(made.raw_radius(2), 0.5 * made.radius)
    np.testing.assert_allclose(made.raw_radius(np.inf), made.radius / np.sqrt(4 + 0.25))
    np.testing.assert_allclose(
        made.largest_box(), made.radius[:, None] * [0.5, 2.0, 0.0] / np.sqrt(2)
    )
    assert (made.largest_box()[2] == 0).all()


def test_without_a_scale_the_units_are_those_of_x():
    made = certificate(scale=None)
    assert (made.column_budget() <= made.radius[:, None]).all()
    np.testing.assert_allclose(made.column_budget(), np.tile(made.radius[:, None], 2))
    np.testing.assert_allclose(made.raw_radius(1), made.radius)


def test_the_box_of_uniform_noise_is_larger_than_any_in_the_ball():
    made = certificate(UniformNoise(0.5))
    inside = made.radius[:, None] * [0.5, 2.0, 0.0] / 2
    half = made.largest_box()
    assert (half[:2, :2] > inside[:2, :2]).all()
    shared = np.prod(1 - half[:, :2] / (2 * 0.5 * np.sqrt(3) * np.array([0.5, 2.0])), axis=1)
    assert (shared[:2] >= 1 - (made.p_lower - made.p_upper)[:2] / 2).all()
    assert (half[2] == 0).all()


def test_half_spaces_attain_the_radius_in_scaled_units():
    """The half-space whose normal has the weight of each column's scale loses its majority."""
    sigma, scale = 0.5, np.array([0.1, 4.0])
    p = 0.93
    radius = GaussianNoise(sigma).radius(p)
    normal = np.array([0.6, 0.8]) / scale  # of unit length in scaled units
    margin = sigma * special.ndtri(p)
    delta = -scale * np.array([0.6, 0.8]) * radius
    left = special.ndtr((margin + normal @ delta) / sigma)
    assert left == pytest.approx(0.5, abs=1e-9)


def test_tables_and_texts_say_that_radii_are_scaled():
    made = certificate()
    assert "in scaled units; 1 of 3 columns must not change" in repr(made)
    assert (made.to_frame()["units"] == "scaled").all()
    assert "scaled" not in repr(certificate(scale=None))
    assert "units" not in certificate(scale=None).to_frame()


def test_the_scale_is_part_of_the_record(tmp_path):
    made = certificate()
    made.save(tmp_path / "made.json")
    assert ClassificationCertificate.load(tmp_path / "made.json") == made
    assert made.at(alpha=0.01).feature_scale is not None
    assert made[:2].column_budget().shape == (2, 3)
    joined = ClassificationCertificate.concatenate([made[:1], made[1:]])
    assert (joined.column_budget() == made.column_budget()).all()
    with pytest.raises(ValueError, match="feature_scale"):
        ClassificationCertificate.concatenate([made, certificate(scale=(1.0, 2.0, 0.0))])


@pytest.mark.parametrize("p", [0.5, "2", np.nan, None])
def test_what_is_no_norm_is_refused(p):
    with pytest.raises(ValueError, match="p must be a number in"):
        certificate().raw_radius(p)
    certificate().raw_radius(2)


@pytest.mark.parametrize(
    ("widths", "message"),
    [
        ([1.0, 2.0], "3 finite numbers"),
        ([1.0, np.inf, 0.0], "3 finite numbers"),
        ([-1.0, 2.0, 0.0], "not negative"),
        ([0.0, 0.0, 0.0], "positive for some"),
        ([1.0, 2.0, 3.0], "0 for columns that cannot change"),
    ],
)
def test_what_is_no_box_is_refused(widths, message):
    with pytest.raises(ValueError, match=message):
        certificate().largest_box(widths)
    certificate().largest_box([1.0, 2.0, 0.0])
    assert (checked_widths(None, np.ones(2)) == 1).all()


def test_an_infinite_radius_leaves_columns_that_cannot_change():
    assert budgets(np.array([np.inf]), np.array([2.0, 0.0])).tolist() == [[np.inf, 0.0]]


def test_a_box_of_uniform_noise_is_one_that_is_proven_and_no_mixture():
    """Where the row and one nearby are rounded apart, thin columns may move by a whole step."""
    d, noise, step = 785, UniformNoise(0.25), 2.0**-18
    certificate = ClassificationCertificate.from_counts(
        np.array([1]),
        np.array([[1000, 99_000]]),
        classes=np.array([0, 1]),
        noise=noise,
        n_features=d,
        alpha=0.001,
        noise_step=step,
        moved=np.array([[d, d**0.5, 1.0]]) * step / 2,
    )
    for thin in (1e-9, 1e-4, 1.0):
        widths = np.full(d, thin)
        widths[0] = 1.0
        box = certificate.largest_box(widths)[0]
        assert_allclose(box / box[0], widths, rtol=1e-9, atol=2 * step / box[0])
        moves = np.where(thin * box[0] > step, box + step, step)
        moves[0] = box[0] + step
        shared = np.prod(1 - moves / (2 * 0.25 * np.sqrt(3)))
        assert certificate.p_lower[0] - (1 - shared) > 0.5
    frozen = np.zeros(d)
    frozen[0] = 1.0  # what does not change is rounded to the same point
    assert certificate.largest_box(frozen)[0, 0] > certificate.largest_box(widths)[0, 0]


def test_where_no_column_can_change_nothing_may_move():
    certificate = ClassificationCertificate.from_counts(
        np.array([1]),
        np.array([[0, 100]]),
        classes=np.array([0, 1]),
        noise=GaussianNoise(0.5),
        n_features=1,
        alpha=0.001,
    )
    still = replace(certificate, feature_scale=np.zeros(3))
    for got in (still.largest_box(), still.column_budget()):
        assert_array_equal(got, np.zeros((1, 3)))
    assert_array_equal(still.raw_radius(2), [0.0])
