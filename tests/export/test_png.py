"""PNG files of every kind, read without Pillow, beside what Pillow reads."""

import builtins
import io
import struct
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image

from export.example_files import png_of
from export.runtime.errors import InputError, InputWarning
from export.runtime.pictures import read_picture
from export.runtime.png import parse_png
from export.runtime.scaling import scaled


def picture(height=37, width=41):
    """Slopes and noise, so that an encoder takes every filter."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([6 * x, 6 * y, 3 * (x + y), 255 - 5 * x], axis=-1).astype("uint8")
    pixels[5:9] = np.random.default_rng(0).integers(0, 256, (4, width, 4))
    return pixels


def saved(image, **options):
    file = io.BytesIO()
    image.save(file, "png", **options)
    return file.getvalue()


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "L", "LA", "P", "1"])
def test_the_pixels_are_pillow_s(mode):
    image = Image.fromarray(picture() if mode == "RGBA" else picture()[..., :3]).convert(mode)
    wanted = np.atleast_3d(np.asarray(image.convert({"P": "RGB", "1": "L"}.get(mode, mode))))
    found = parse_png(saved(image))
    assert found.dtype == np.uint8 and (found == wanted).all()


@pytest.mark.parametrize("colours", [2, 4, 16])
def test_palettes_of_few_bits_and_their_transparency(colours):
    image = Image.fromarray(picture()[..., :3]).convert("P", palette=Image.Palette.ADAPTIVE, colors=colours)
    found = parse_png(saved(image, transparency=1))
    assert (
        found.shape[2] == 4
        and (found == np.asarray(Image.open(io.BytesIO(saved(image, transparency=1))).convert("RGBA"))).all()
    )


def test_sixteen_bits_and_a_transparent_grey():
    levels = (np.arange(40 * 30).reshape(40, 30) * 50).astype("uint16")
    found = parse_png(saved(Image.fromarray(levels)))
    assert found.dtype == np.uint16 and (found[..., 0] == levels).all()
    grey = Image.fromarray(picture()[..., 0])
    found = parse_png(saved(grey, transparency=12))
    assert found.shape[2] == 2 and ((found[..., 1] == 0) == (picture()[..., 0] == 12)).all()


def filtered(pixels, kinds):
    """A PNG whose rows are written by the filters given, one after another, straight from the specification."""
    height, width, step = pixels.shape
    rows, before = [], np.zeros(width * step, "int64")
    for place, row in enumerate(pixels.reshape(height, -1).astype("int64")):
        left, corner = (np.concatenate([np.zeros(step, "int64"), one[:-step]]) for one in (row, before))
        p = left + before - corner
        a, b, c = (np.abs(p - one) for one in (left, before, corner))
        paeth = np.where((a <= b) & (a <= c), left, np.where(b <= c, before, corner))
        kind = kinds[place % len(kinds)]
        rows.append(
            bytes([kind])
            + ((row - [0 * row, left, before, (left + before) // 2, paeth][kind]) % 256).astype("uint8").tobytes()
        )
        before = row
    return replaced(png_of(pixels), b"IDAT", zlib.compress(b"".join(rows)))


def replaced(data, letters, body):
    """A file with another chunk in the place of one, or of nothing before the pixels."""
    made, place = data[:8], 8
    while place < len(data):
        size = int.from_bytes(data[place : place + 4], "big")
        own = data[place + 4 : place + 8]
        if own == letters or (own == b"IDAT" and letters not in data):
            made += struct.pack(">I", len(body)) + letters + body + struct.pack(">I", zlib.crc32(letters + body))
        if own != letters:
            made += data[place : place + 12 + size]
        place += 12 + size
    return made


@pytest.mark.parametrize("kinds", [[0], [1], [2], [3], [4], [4, 1, 0, 3, 2]])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_every_filter_is_undone(kinds, channels):
    pixels = picture(11, 7)[..., :channels]
    assert (parse_png(filtered(pixels, kinds)) == pixels).all()


WHOLE = png_of(picture()[..., :3])
HEADER = WHOLE[16:29]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (WHOLE[:-30], r"is cut off: \d+ bytes, and no end \(IEND\) among them; copy it again"),
        (WHOLE[:60] + bytes([WHOLE[60] ^ 1]) + WHOLE[61:], "is damaged: the checksum of its chunk b'IDAT' is wrong"),
        (replaced(WHOLE, b"IDAT", b"no pixels"), "is damaged: its pixels cannot be unpacked"),
        (replaced(WHOLE, b"IDAT", zlib.compress(b"\0few")), "is cut off: 4 bytes of pixels are there, 4588 are wanted"),
        (replaced(WHOLE, b"IDAT", zlib.compress(b"\7" * 4588)), "is damaged: a row is written by filter 7"),
        (replaced(WHOLE, b"IHDR", HEADER[:-1] + b"\1"), r"is interlaced \(Adam7\), which is not read; save it again"),
        (
            replaced(WHOLE, b"IHDR", struct.pack(">II", 50_000, 50_000) + HEADER[8:]),
            "is 50000 x 50000 pixels, wanted at",
        ),
        (replaced(WHOLE, b"IHDR", bytes(8) + HEADER[8:]), "says 0 x 0 pixels"),
        (replaced(WHOLE, b"IHDR", HEADER[:8] + b"\5" + HEADER[9:]), "of 5 bits, colours of kind 2, which no PNG has"),
        (replaced(WHOLE, b"IHDR", HEADER[:9] + b"\3" + HEADER[10:]), "is damaged: a row is written by filter"),
    ],
)
def test_a_damaged_file_says_what_is_wrong(tmp_path, data, message):
    (tmp_path / "broken.png").write_bytes(data)
    with pytest.raises(InputError, match=f"broken.png .*({message})"):
        read_picture(tmp_path / "broken.png", 4, 4, 3)


def test_an_animated_picture_is_its_first_with_a_warning(tmp_path):
    frames = [Image.fromarray(picture()[..., :3]), Image.fromarray(255 - picture()[..., :3])]
    frames[0].save(tmp_path / "moving.png", save_all=True, append_images=frames[1:])
    with pytest.warns(InputWarning, match="moving.png is animated: the model reads its first picture alone"):
        found = read_picture(tmp_path / "moving.png", 37, 41, 3)
    np.testing.assert_allclose(found, picture()[..., :3] / 255, atol=1e-6)


def test_a_tiny_picture_is_read_with_a_warning(tmp_path):
    Image.new("RGB", (1, 1), (255, 0, 51)).save(tmp_path / "dot.png")
    with pytest.warns(InputWarning, match="dot.png is 1 x 1 pixels, the model reads 8 x 6: there is little to see"):
        found = read_picture(tmp_path / "dot.png", 6, 8, 3)
    np.testing.assert_allclose(found, np.broadcast_to([1, 0, 0.2], (6, 8, 3)), atol=1e-6)


@pytest.mark.parametrize("size", [(16, 12), (60, 9), (80, 70)])
def test_scaling_is_pillow_s_but_for_its_rounding(size):
    y, x = np.mgrid[:37, :41]
    smooth = (127 + 100 * np.sin(x / 6) * np.cos(y / 5)).astype("uint8")
    theirs = np.asarray(Image.fromarray(smooth).resize(size, Image.Resampling.BICUBIC), "float32")
    np.testing.assert_allclose(255 * scaled(smooth[..., None] / 255, size[1], size[0])[..., 0], theirs, atol=1.1)


def test_without_pillow_png_is_read_and_nothing_else(tmp_path, monkeypatch):
    image = Image.fromarray(picture()[..., :3])
    image.save(tmp_path / "one.png")
    image.save(tmp_path / "one.jpg", quality=95)
    (tmp_path / "none.jpg").write_bytes(b"")
    with_pillow = read_picture(tmp_path / "one.jpg", 37, 41, 3)
    assert np.abs(with_pillow[9:] - picture()[9:, :, :3] / 255).mean() < 0.05
    real = builtins.__import__
    monkeypatch.setattr("export.runtime.picture_files.package", lambda *_: real("no_such_package"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (read_picture(tmp_path / "one.png", 37, 41, 3) == (picture()[..., :3] / 255).astype("float32")).all()
    with pytest.raises(
        InputError, match=r"one.jpg begins with .*so it is no PNG; save it as one, or pip install pillow"
    ):
        read_picture(tmp_path / "one.jpg", 37, 41, 3)
    with pytest.raises(InputError, match="it is empty, 0 bytes; save it again"):
        read_picture(tmp_path / "none.jpg", 37, 41, 3)
