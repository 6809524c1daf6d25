"""Sizes of maps are predicted, and every window holds the pixels that it stands on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import KerasTensor, ops

from keras_seq.layers.windows import output_size, pad, windows


@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ((28, 5), 24),
        ((28, 5, 2), 12),
        ((28, 3, 2, 1), 14),
        ((7, 3, 2, "same"), 4),
        ((6, 3, 2, "same"), 3),
        ((5, 5), 1),
        ((2, 5, 1, "same"), 2),
        ((3, 7, 1, 2), 1),
        ((28, 3, 1, "valid", 4), 20),
        ((9, 3, 2, 1, 2), 4),
        ((9, 3, 2, "same", 5), 5),
        ((None, 3, 2, "same"), None),
    ],
)
def test_sizes_solved_by_hand(arguments, size):
    assert output_size(*arguments) == size


@given(
    size=st.integers(1, 12),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 4),
    padding=st.sampled_from(["valid", "same", 0, 1, 3]),
    dilation=st.integers(1, 3),
)
def test_the_predicted_size_is_the_number_of_places_where_a_window_fits(size, kernel, stride, padding, dilation):
    padded = range(size + 2 * (padding if isinstance(padding, int) else 0))
    pixels = dilation * np.arange(kernel)
    if padding == "same":
        assert output_size(size, kernel, stride, padding, dilation) == len(range(0, size, stride))
    elif pixels[-1] in padded:
        places = [start for start in padded[::stride] if start + pixels[-1] in padded]
        assert output_size(size, kernel, stride, padding, dilation) == len(places)
    else:
        with pytest.raises(
            ValueError, match=f"kernel={kernel} .*does not fit into size={size} with padding="
        ) as caught:
            output_size(size, kernel, stride, padding, dilation)
        largest = int(str(caught.value).split("at most ")[1].split()[0])
        assert output_size(size, largest, stride, padding, dilation) >= 1
        with pytest.raises(ValueError, match="does not fit"):
            output_size(size, largest + 1, stride, padding, dilation)


def test_a_window_holds_the_pixels_it_stands_on():
    images = np.random.default_rng(0).normal(size=(2, 7, 9, 3)).astype("float32")
    seen = ops.convert_to_numpy(windows(images, (3, 2), (2, 4)))
    assert seen.shape == (2, 3, 2, 3, 2, 3)
    for y in range(3):
        for x in range(2):
            np.testing.assert_array_equal(seen[:, y, x], images[:, 2 * y : 2 * y + 3, 4 * x : 4 * x + 2])
    wide = ops.convert_to_numpy(windows(images, (3, 2), (1, 2), (2, 5)))
    assert wide.shape == (2, 3, 2, 3, 2, 3)
    for y in range(3):
        for x in range(2):
            np.testing.assert_array_equal(wide[:, y, x], images[:, y : y + 5 : 2, 2 * x : 2 * x + 6 : 5])


def test_windows_are_known_by_shape_before_there_are_pixels():
    assert windows(KerasTensor((None, None, 9, 3)), (3, 2), (2, 4)).shape == (None, None, 2, 3, 2, 3)


def test_same_puts_the_odd_pixel_below_and_on_the_right():
    ones = np.ones((1, 3, 4, 1), "float32")
    padded = ops.convert_to_numpy(pad(ones, (2, 4), (1, 1), "same", filling=7))[0, :, :, 0]
    np.testing.assert_array_equal(padded, np.pad(ones[0, :, :, 0], [(0, 1), (1, 2)], constant_values=7))
    assert tuple(pad(ones, (2, 3), (3, 2), "same").shape) == (1, 3, 5, 1)  # two columns of windows cover 5 pixels


def test_wrong_calls_say_what_was_wanted():
    images = np.zeros((2, 4, 5, 3), "float32")
    with pytest.raises(ValueError, match=r"images have shape \(4, 5, 3\); wanted \(batch, height, width, channels\)"):
        windows(images[0], 2)
    with pytest.raises(ValueError, match="kernel=6 does not fit into size=5 .* take a kernel of at most 5 or pad more"):
        windows(images, (2, 6))
    for size in (0, (2, 0), (2, 3, 4), "2", 2.0, True, (2, True)):
        with pytest.raises(ValueError, match="is not a size; give a whole number of 1 or more, or two"):
            windows(images, size)
    for padding in ("full", -1, True, 1.5, None):
        with pytest.raises(ValueError, match='is unknown; choose "valid", "same" or a whole number of pixels'):
            output_size(4, 3, 1, padding)
    with pytest.raises(ValueError, match="kernel=0 is not a width"):
        output_size(4, 0)
    with pytest.raises(ValueError, match="stride=0 is not a width"):
        output_size(4, 2, 0)
    with pytest.raises(ValueError, match="dilation=0 is not a width"):
        output_size(4, 2, dilation=0)
    with pytest.raises(ValueError, match="kernel=3 with dilation=2 reaches over 5 pixels and does not fit into size=4"):
        windows(images, 3, dilation=2)
    with pytest.raises(ValueError, match="size=0 is not a width"):
        output_size(0, 2)
    with pytest.raises(ValueError, match="wants a height and width that are known here; use the layer"):
        pad(KerasTensor((2, None, 5, 3)), (3, 3), (2, 2), "same")
