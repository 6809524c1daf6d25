"""Pictures as people have them: grey, coloured, with transparency, of other sizes."""

import numpy as np
import pytest
from PIL import Image

from export.runtime.errors import InputError
from export.runtime.pictures import read_picture

HEIGHT, WIDTH = 3, 5
BLUE = (0, 51, 255)


@pytest.fixture
def saved(tmp_path):
    """Saves a picture of one colour, half of it transparent where it can be, and returns its name."""

    def save(mode, colour, size=(WIDTH, HEIGHT)):
        picture = Image.new(mode, size, colour)
        picture.save(tmp_path / "picture.png")
        return tmp_path / "picture.png"

    return save


@pytest.mark.parametrize(
    ("mode", "colour", "channels", "wanted"),
    [
        ("RGB", BLUE, 3, (0, 0.2, 1)),
        ("L", 51, 3, (0.2, 0.2, 0.2)),
        ("L", 51, 1, (0.2,)),
        ("RGBA", (*BLUE, 255), 3, (0, 0.2, 1)),
        ("RGBA", (*BLUE, 0), 3, (1, 1, 1)),  # what is not seen is no colour
        ("RGBA", (*BLUE, 85), 4, (0, 0.2, 1, 1 / 3)),
        ("LA", (0, 0), 1, (1,)),
        ("LA", (51, 255), 2, (0.2, 1)),
    ],
)
@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (7, 11)])
def test_a_file_is_read_in_the_channels_of_the_model(saved, mode, colour, channels, wanted, size):
    found = read_picture(saved(mode, colour, size), HEIGHT, WIDTH, channels)
    assert found.shape == (HEIGHT, WIDTH, channels) and found.dtype == np.float32
    np.testing.assert_allclose(found, np.broadcast_to(np.float32(wanted), found.shape), atol=1e-6)


def test_a_transparent_colour_of_a_palette_is_on_white_too(tmp_path):
    picture = Image.new("P", (WIDTH, HEIGHT), 0)
    picture.putpalette([0, 0, 0, 255, 255, 255])
    picture.save(tmp_path / "picture.png", transparency=0)
    assert (read_picture(tmp_path / "picture.png", HEIGHT, WIDTH, 1) == 1).all()


@pytest.mark.parametrize(
    ("shape", "channels", "message"),
    [
        ((HEIGHT, WIDTH, 4), 3, r"has 4 channels, the model reads 3; convert it first, .*Image.convert\('RGB'\)"),
        ((HEIGHT, WIDTH, 2), 1, r"has 2 channels, the model reads 1; convert it first, .*Image.convert\('L'\)"),
        ((HEIGHT, WIDTH), 3, "has 1 channels, the model reads 3; convert it first"),
        ((WIDTH, HEIGHT, 4), 3, r"is \[5, 3, 4\], the model reads \[3, 5, 3\]; scale it first"),
    ],
)
def test_an_array_of_another_shape_is_refused_with_what_mends_it(shape, channels, message):
    with pytest.raises(InputError, match=message):
        read_picture(np.zeros(shape, "uint8"), HEIGHT, WIDTH, channels)


def test_channels_that_no_file_has_are_said(saved):
    with pytest.raises(InputError, match="the model reads 7 channels, which no file of a picture has; give an array"):
        read_picture(saved("RGB", BLUE), HEIGHT, WIDTH, 7)
