"""Which axes of an input are transformed."""

import pytest

from sksmooth.noise import Blur, Shift


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((7,), None, (0,)),
        ((7, 8), None, (0, 1)),
        ((7, 8, 3), None, (0, 1)),
        ((3, 7, 8), None, (1, 2)),
        ((3, 7), (-1,), (1,)),
        ((3, 7), 1, (1,)),
        ((3, 7, 4), (0, 1), (0, 1)),
        ((2, 5, 7, 9), (1, -1), (1, 3)),
    ],
)
def test_axes(shape, axes, expected):
    assert Blur(axes=axes).axes_of(shape) == expected
    assert Blur(image_shape=shape, axes=axes).axes_of((99,)) == expected
    assert len(expected) == Shift(axes=axes).n_parameters(shape)


@pytest.mark.parametrize("shape", [(3, 7, 4), (7, 8, 9), (2, 5, 7, 9)])
def test_shapes_that_do_not_tell_their_channels_need_axes(shape):
    with pytest.raises(ValueError, match=r"axes=\(0, 1\) for"):
        Blur().for_inputs(shape)
    assert Blur(axes=(0, 1)).for_inputs(shape).image_shape == shape


@pytest.mark.parametrize("axes", [(), (0, 0), (0, -2), (2,), (0.5,), ((0, 1),)])
def test_axes_that_are_none_are_refused(axes):
    with pytest.raises(ValueError, match="axes must be different whole numbers from -2 to 1"):
        Shift(axes=axes).for_inputs((7, 8))


def test_shape_of_inputs_is_kept_once():
    told = Blur(2.0, axes=(-1,)).for_inputs((3, 7))
    assert told.get_params()["image_shape"] == (3, 7)
    assert told.sigma == 2.0
    assert Blur(image_shape=(7, 8)).for_inputs((56,)).image_shape == (7, 8)
    with pytest.raises(ValueError, match=r"does not fit rows of shape \(57,\)"):
        Blur(image_shape=(7, 8)).for_inputs((57,))
    assert "along axes (1,) of (3, 7)" in told.attack
    assert "along" not in Blur().attack
    assert "along axes (-1,)" in Blur(axes=(-1,)).attack
