"""Pictures as people have them: grey, coloured, with transparency, of other sizes."""

import json
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from export.readme import readme
from export.runtime import PictureClassifier, PictureGenerator, picture_files, read_manifest
from export.runtime.errors import BundleError, InputError, InputWarning
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
@pytest.mark.parametrize("size", [(WIDTH, HEIGHT), (11, 7)])
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


def a_thing(size=(40, 40), ground=0, thing=255, mode="L"):
    """A square in the upper left quarter."""
    picture = Image.new(mode, size, ground)
    picture.paste(thing, (size[0] // 8, size[1] // 8, 3 * size[0] // 8, 3 * size[1] // 8))
    return picture


def test_grey_of_sixteen_bits_is_not_all_white(tmp_path):
    levels = (np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) * 4000).astype("uint16")
    for name in ("picture.tiff", "picture.pgm"):
        Image.fromarray(levels).save(tmp_path / name)
        found = read_picture(tmp_path / name, HEIGHT, WIDTH, 1)[..., 0]
        np.testing.assert_allclose(found, levels / 65535, atol=1e-6)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((3, 5), 70_000, "int32"), "holds numbers from 70000 to 70000, wanted 16 bits; save it as PNG"),
        (np.zeros((3, 5), "float32"), "holds floats, of which nothing says what is white"),
    ],
)
def test_numbers_of_which_nobody_knows_the_white_are_refused(tmp_path, array, message):
    Image.fromarray(array).save(tmp_path / "picture.tiff")
    with pytest.raises(InputError, match=message):
        read_picture(tmp_path / "picture.tiff", HEIGHT, WIDTH, 1)


def test_a_huge_picture_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    """6000 x 6000 pixels in a few kilobytes."""
    Image.new("1", (6000, 6000)).save(tmp_path / "huge.gif")
    monkeypatch.setattr(picture_files, "_pixels", lambda *_: pytest.fail("it is unpacked"))
    with pytest.raises(InputError, match="huge.gif is 6000 x 6000 pixels, wanted at most 33554432 in all; scale it"):
        read_picture(tmp_path / "huge.gif", HEIGHT, WIDTH, 1)


@pytest.mark.parametrize("name", ["moving.gif", "moving.webp", "pages.tiff"])
def test_of_several_pictures_the_first_is_read_with_a_warning(tmp_path, name):
    frames = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    with pytest.warns(InputWarning, match=f"{name} is animated or has pages: .* the first of its 2 pictures alone"):
        found = read_picture(tmp_path / name, HEIGHT, WIDTH, 3)
    np.testing.assert_allclose(found, np.broadcast_to([1, 0, 0], found.shape), atol=0.02)


def test_a_photograph_is_the_way_up_that_the_camera_says(tmp_path):
    """Orientation 6: held upright, the rows run from the right of the scene."""
    scene = a_thing((40, 60))
    exif = Image.Exif()
    exif[0x0112] = 6
    scene.rotate(90, expand=True).save(tmp_path / "upright.jpg", exif=exif, quality=95)
    found = read_picture(tmp_path / "upright.jpg", 60, 40, 1)
    np.testing.assert_allclose(found[..., 0], np.asarray(scene) / 255, atol=0.1)


def test_what_is_stretched_much_is_read_with_a_warning(tmp_path):
    a_thing((30, 60)).save(tmp_path / "long.png")
    with pytest.warns(InputWarning, match="long.png is 30 x 60 pixels, .* 40 x 40: .* becomes 2.0 times flatter; cut"):
        assert read_picture(tmp_path / "long.png", 40, 40, 1)[:, 12:15].max() == 1


@pytest.mark.parametrize(
    ("picture", "inverted"),
    [
        (a_thing(), False),
        (a_thing(ground=255, thing=0), True),
        (a_thing(mode="RGB", ground=(255, 255, 255), thing=(0, 0, 0)), True),
        (a_thing(mode="RGBA", ground=(255, 255, 255, 0), thing=(255, 255, 255, 255)), False),  # white on nothing
        (a_thing(mode="RGBA", ground=(0, 0, 0, 0), thing=(0, 0, 0, 255)), True),  # black on nothing
        (a_thing(mode="LA", ground=(255, 255), thing=(0, 255)), True),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_on_a_dark_ground_all_pictures_are_light_on_dark(tmp_path, picture, inverted, channels):
    picture.save(tmp_path / "thing.png")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        found = read_picture(tmp_path / "thing.png", 40, 40, channels, "dark")
    assert found.shape == (40, 40, channels) and found.dtype == np.float32
    np.testing.assert_allclose(found, np.repeat(np.asarray(a_thing())[..., None] / 255, channels, 2), atol=1e-6)
    assert [str(one.message).endswith("light on dark: it is inverted") for one in told] == [True] * inverted


@pytest.mark.parametrize(("size", "seen"), [((60, 40), np.s_[7:33, :]), ((40, 80), np.s_[:, 10:30])])
def test_on_a_dark_ground_nothing_is_stretched(tmp_path, size, seen):
    """A light picture keeps its shape; what is above and below it, or on its sides, is black."""
    Image.new("L", size, 100).save(tmp_path / "grey.png")
    found = read_picture(tmp_path / "grey.png", 40, 40, 1, "dark")[..., 0]
    wanted = np.zeros((40, 40))
    wanted[seen] = 100 / 255
    # Two thirds of 40 rows are 26.7: 27 of them, from the sixth on.
    np.testing.assert_allclose(found[8:32, 12:28], wanted[8:32, 12:28], atol=1e-6)
    assert abs((found > 0).sum() - (wanted > 0).sum()) <= 40


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (
            Image.new("L", (40, 40), 31),
            "shows nothing: the lightest pixel that the model would read is 31 of 255, want",
        ),
        (Image.new("L", (40, 40), 255), "shows nothing: .* is 0 of 255"),
        (Image.new("RGBA", (40, 40), (255, 0, 0, 0)), "shows nothing: "),
        (a_thing((81, 40)), "is 81 x 40 pixels, the model reads 40 x 40: most of that would be empty; cut out what"),
        (a_thing((40, 81)), "is 40 x 81 pixels, the model reads 40 x 40"),
    ],
)
def test_what_shows_nothing_or_is_long_is_refused_where_the_ground_is_dark(tmp_path, picture, message):
    picture.save(tmp_path / "odd.png")
    with pytest.raises(InputError, match=f"odd.png {message}"):
        read_picture(tmp_path / "odd.png", 40, 40, 1, "dark")


BOARDS = {"height": 40, "width": 40, "channels": 1, "ground": "dark"}


@pytest.mark.parametrize("task", ["generate", "classify"])
def test_a_bundle_reads_pictures_on_the_ground_of_its_manifest(tmp_path, task):
    a_thing(ground=255, thing=0).save(tmp_path / "thing.png")
    tensors = {
        "image": [1, 40, 40, 1],
        "probabilities": [1, 2],
        "ids": [1, 9],
        "length": [1],
        "log_probability": [1, 9],
    }
    offered = {name: {"shape": shape, "dtype": "float32"} for name, shape in tensors.items()}
    outputs = ("ids", "length", "log_probability") if task == "generate" else ("probabilities",)
    sides = {"inputs": {"image": offered["image"]}, "outputs": {name: offered[name] for name in outputs}}
    artefact = {"format": "onnx", "path": "onnx.float32", "signatures": {task: sides}}
    session, kind = (
        SimpleNamespace(describe=lambda _: sides),
        PictureGenerator if task == "generate" else PictureClassifier,
    )
    bundle = kind({"picture": BOARDS, "limits": {"target": 9}}, artefact, session, ["a", "b"])
    with pytest.warns(InputWarning, match="it is inverted"):
        found = bundle._prepare(tmp_path / "thing.png")
    np.testing.assert_allclose(found[..., 0], np.asarray(a_thing()) / 255, atol=1e-6)


@pytest.mark.parametrize("picture", [{**BOARDS, "ground": "blue"}, {**BOARDS, "channels": 4}])
def test_a_ground_that_nobody_knows_is_a_damaged_manifest(built, tmp_path, picture):
    manifest = json.loads((built / "manifest.json").read_text(encoding="utf-8")) | {"picture": picture}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(
        BundleError, match=r"picture.ground is '\w+' with \d channels; wanted 'dark' with 1 or 3, or no"
    ):
        read_manifest(tmp_path)


def test_the_readme_of_a_bundle_says_that_the_ground_is_dark(built):
    manifest = json.loads((built / "manifest.json").read_text(encoding="utf-8"))
    picture = {"height": 96, "width": 96, "channels": 1}
    plain, dark = (readme(manifest | {"picture": own}, built) for own in (picture, {**picture, "ground": "dark"}))
    assert "light things on a dark ground." in dark and "is inverted, with a warning" in dark
    assert "on white" not in dark and "dark" not in plain and "on white" in plain
