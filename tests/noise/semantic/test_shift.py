"""Shifts: a group on odd sizes."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import ndimage
from semantic_images import golden_rows, image

from sksmooth.noise import GaussianNoise, LaplaceNoise, Shift, UniformNoise

X = np.random.default_rng(0).random((4, 9, 11))


def test_pixels_to_many_digits():
    for row in golden_rows("semantic_shift.csv"):
        x = image(row["image"], row["h"], row["w"])
        moved = Shift().transform(x[None], [[float(row["ty"]), float(row["tx"])]])[0]
        assert_allclose(moved[int(row["i"]), int(row["j"])], float(row["value"]), atol=1e-12)


def test_shifts_add_up_and_keep_distances():
    noise, first, second = Shift(), [[0.3, -2.7]], [[1.9, 0.4]]
    twice = noise.transform(noise.transform(X, first), second)
    assert np.abs(twice - noise.transform(X, np.add(first, second))).max() < 1e-12
    around = noise.transform(X, [[9 * 5, -11 * 3]])
    assert_allclose(around, X, atol=1e-12)
    other = np.random.default_rng(1).random(X.shape)
    moved = np.linalg.norm(noise.transform(X, first) - noise.transform(other, first))
    assert_allclose(moved, np.linalg.norm(X - other), rtol=1e-12)


def test_even_sizes_do_not_compose_without_a_row_of_zeros():
    """Control: the Fourier shift of scipy on an even size is complex, its real part no group."""
    even = X[0, :8, :10]

    def shifted(x, t):
        return np.fft.ifftn(ndimage.fourier_shift(np.fft.fftn(x), (t, 0))).real

    assert np.abs(shifted(shifted(even, 0.5), 0.5) - shifted(even, 1.0)).max() > 0.01
    for call in (
        lambda: Shift().transform(even[None], [[0.5, 1.3]]),
        lambda: Shift(image_shape=(8, 11)).radius(0.9),
        lambda: Shift().for_inputs((9, 10)),
    ):
        with pytest.raises(ValueError, match="Shift needs odd lengths, and inputs of shape"):
            call()
    assert Shift(axes=(0,)).for_inputs((9, 10)).image_shape == (9, 10)
    padded = np.pad(even, ((0, 1), (0, 1)))[None]
    twice = Shift().transform(Shift().transform(padded, [[0.5, 1.3]]), [[0.5, 1.3]])
    assert_allclose(twice, Shift().transform(padded, [[1.0, 2.6]]), atol=1e-12)


def test_whole_shifts_are_rolls_of_rows_columns_and_series():
    rolled = np.roll(X, (2, -3), axis=(1, 2))
    assert_allclose(Shift().transform(X, [[2, -3]]), rolled, atol=1e-13)
    flat = Shift(image_shape=(9, 11)).transform(X.reshape(4, -1), [[2, -3]])
    assert_allclose(flat, rolled.reshape(4, -1), atol=1e-13)
    assert_allclose(Shift(axes=(-1,)).transform(X, 4.0), np.roll(X, 4, axis=2), atol=1e-13)
    colour = np.moveaxis(X[:3], 0, 0)[None]
    assert_allclose(
        Shift().transform(colour, [[1, 1]]), np.roll(colour, (1, 1), (2, 3)), atol=1e-13
    )


def test_draws_hold_one_shift_for_each_axis():
    noise = Shift(2.0, image_shape=(9, 11))
    draws = noise.draw(5000, (99,), np.random.default_rng(0), np.float64)
    assert draws.shape == (5000, 2)
    assert_allclose(draws.std(axis=0), 2, rtol=0.05)
    assert Shift(axes=(-1,)).draw(3, (9, 11), np.random.default_rng(0), float).shape == (3, 1)


def test_radii_are_those_of_the_law_in_its_norm():
    for law, family in (
        ("gaussian", GaussianNoise),
        ("laplace", LaplaceNoise),
        ("uniform", UniformNoise),
    ):
        noise = Shift(2.0, law, image_shape=(9, 11))
        assert noise.norm == family.norm
        alone = family(2.0)
        assert noise.radius(0.9) == alone.radius(0.9)
        if law != "uniform":
            assert noise.radius(0.9, norm=np.inf) == alone.radius(0.9, n_features=2, norm=np.inf)
    with pytest.raises(ValueError, match="needs image_shape"):
        Shift(2.0).radius(0.9, norm=np.inf)
    one = Shift(2.0, "uniform", image_shape=(5,))
    assert one.radius(0.9, norm=2) == one.radius(0.9)


def test_words():
    assert "|a|_2 <= radius" in Shift(image_shape=(9, 11)).attack
    assert "|a|_1 <= radius" in Shift(law="laplace", image_shape=(9, 11)).attack
    series = Shift(image_shape=(3, 11), axes=(-1,))
    assert " |a| <= radius" in series.attack
    assert (series.ranges(np.ones(1))["shift"] == [[-1, 1]]).all()
    assert (Shift(image_shape=(9, 11)).ranges(np.ones(1))["shift_size"] == [[0, 1]]).all()
