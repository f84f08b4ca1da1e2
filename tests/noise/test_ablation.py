"""Bands and blocks of pixels, and who of them sees a patch."""

import numpy as np
import pytest
from sklearn.base import clone

from sksmooth.noise import AblationNoise

IMAGE = np.arange(30.0).reshape(5, 6) / 30


@pytest.mark.parametrize("wrap", [True, False])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kind", ["columns", "rows", "blocks"])
def test_who_sees_a_patch_by_enumeration(kind, stride, wrap):
    noise = AblationNoise(kind, size=2, stride=stride, wrap=wrap)
    masks = noise.masks((5, 6))
    for tall, wide in ((1, 1), (2, 3), (5, 6)):
        expected = set()
        for i in range(5 - tall + 1):
            for j in range(6 - wide + 1):
                patch = np.zeros((5, 6), bool)
                patch[i : i + tall, j : j + wide] = True
                expected.add(tuple((masks & patch).any(axis=(1, 2)).tolist()))
        found = {tuple(line) for line in noise.places((5, 6), (tall, wide)).tolist()}
        assert found == expected
        assert noise.most_affected((5, 6), (tall, wide)) == max(map(sum, expected))


@pytest.mark.parametrize("size", [1, 3, 4])
@pytest.mark.parametrize("patch", [1, 2, 3])
def test_closed_forms(size, patch):
    """Bands: patch + size - 1 of them; blocks: the product for both axes."""
    affected = min(8, patch + size - 1)
    assert AblationNoise("columns", size).most_affected((8, 8), (5, patch)) == affected
    assert AblationNoise("rows", size).most_affected((8, 8), (patch, 2)) == affected
    assert AblationNoise("blocks", size).most_affected((8, 8), (patch, patch)) == affected**2
    inside = AblationNoise("columns", size, wrap=False)
    assert len(inside.masks((8, 8))) == 8 - size + 1
    assert inside.most_affected((8, 8), (1, patch)) == min(8 - size + 1, patch + size - 1)


def test_every_pixel_is_kept_by_as_many_where_bands_go_on_at_the_edge():
    assert (AblationNoise("blocks", 3).masks((5, 6)).sum(axis=0) == 9).all()
    assert np.ptp(AblationNoise("columns", 3, wrap=False).masks((5, 6)).sum(axis=0)) > 0
    assert AblationNoise("columns", 9).masks((5, 6)).all()  # larger than the image


def test_encodings():
    mask = AblationNoise("columns", 2).masks((5, 6))[1]
    for absent in ("nan", -1.0):
        noise = AblationNoise("columns", 2, absent=absent)
        encoded = noise.encode(noise.apply(IMAGE, mask))
        np.testing.assert_array_equal(encoded[:, 1:3], IMAGE[:, 1:3])
        rest = np.delete(encoded, [1, 2], axis=1)
        assert (np.isnan(rest) if absent == "nan" else rest == absent).all()
    noise = AblationNoise("columns", 2)
    first, second = np.split(noise.encode(noise.apply(IMAGE, mask)), 2, axis=1)
    np.testing.assert_array_equal(first, np.where(mask, IMAGE, 0))
    np.testing.assert_array_equal(second, np.where(mask, 1 - IMAGE, 0))
    assert noise.apply(IMAGE.astype(np.float32), mask).dtype == np.float32


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"kind": "disks"}, "'kind' parameter .* one of blocks, columns, rows. Got 'disks'"),
        ({"size": 0}, "'size' parameter .* at least 1. Got 0"),
        ({"stride": 1.5}, "'stride' parameter .* Got 1.5"),
        ({"absent": "mean"}, "'absent' parameter .* 'channels', 'nan' or a number. Got 'mean'"),
    ],
)
def test_wrong_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        AblationNoise(**params).masks((4, 4))


def test_it_is_a_value():
    noise = AblationNoise("blocks", size=4)
    assert repr(clone(noise)) == repr(noise)
