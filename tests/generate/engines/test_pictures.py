"""Pictures to start from: the formats that are read, those that are not, and what comes of them."""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidigree.generate.engines.families.sources import read_still
from vidigree.generate.engines.nano.sources import read_square
from vidigree.generate.engines.pictures import read_picture
from vidigree.media import MediaError
from vidigree.media.errors import EngineError, UnsupportedMediaError


@pytest.fixture
def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (9, 12, 3), dtype=np.uint8))


def png(width: int, height: int, data: bytes) -> bytes:
    """A PNG file with 24 bits a pixel, whatever its data."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_a_picture_is_read_whatever_its_name(
    picture: Image.Image, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "picture.any"
    picture.save(path, format=kind)
    assert read_picture(path).size == (12, 9)
    assert read_picture(path).mode == "RGB"


@pytest.mark.parametrize("kind", ["EPS", "PPM", "JPEG2000"])
def test_what_may_start_other_programs_and_rare_formats_are_refused_by_every_engine(
    picture: Image.Image, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "picture.png"
    picture.save(path, format=kind)
    for read in (read_picture, read_still, lambda path: read_square(path, 64)):
        with pytest.raises(MediaError, match="cannot be read as a picture"):
            read(path)


def test_a_header_that_promises_too_much_is_refused_at_once(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    for width, height in ((50_000, 50_000), (2**31 - 1, 1)):
        path.write_bytes(png(width, height, b""))
        with pytest.raises(UnsupportedMediaError, match="too large"):
            read_picture(path)
    for width, height in ((0, 10), (10, 10)):
        path.write_bytes(png(width, height, b"\0" * 30))
        with pytest.raises(MediaError, match="cannot be read as a picture"):
            read_picture(path)


def test_a_large_picture_below_the_limit_is_read_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Pillow warns of it, and pytest makes errors of warnings."""
    path = tmp_path / "picture.png"
    path.write_bytes(png(10, 12, b"\0" * 31 * 12))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert read_picture(path).size == (10, 12)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 59)
    with pytest.raises(UnsupportedMediaError, match="too large"):
        read_picture(path)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_grey_of_16_bits_keeps_its_levels(kind: str, tmp_path: Path) -> None:
    levels = np.array([[0, 128, 129, 32_896], [65_535, 65_406, 257, 256]], np.uint16)
    Image.fromarray(levels).save(tmp_path / "picture", format=kind)
    grey = np.asarray(read_picture(tmp_path / "picture"))
    assert grey[..., 0].tolist() == [[0, 0, 1, 128], [255, 254, 1, 1]]
    assert (grey == grey[..., :1]).all()


def test_pictures_are_turned_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (12, 9))
    image.putpixel((0, 0), (255, 255, 255))
    for orientation, corner in ((1, (0, 0)), (3, (11, 8)), (6, (8, 0)), (8, (0, 11)), (99, (0, 0))):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image.save(tmp_path / "picture.png", exif=exif)
        read = read_picture(tmp_path / "picture.png")
        assert read.getpixel(corner) == (255, 255, 255), orientation


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I", "F"])
def test_every_kind_of_colour_becomes_rgb(picture: Image.Image, mode: str, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    if mode in "IF":
        picture = picture.convert("L")
    picture.convert(mode).save(path, format="JPEG" if mode == "CMYK" else "TIFF")
    assert read_picture(path).mode == "RGB"


@pytest.mark.parametrize("size", [(1, 1), (1, 4000), (4000, 1)])
def test_the_smallest_and_the_longest_pictures_are_read(
    size: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", size, (10, 20, 30)).save(path)
    assert read_still(path)[32, 32].tolist() == [10, 20, 30]
    square, _ = read_square(path, 64)
    assert square.getpixel((32, 32)) == (10, 20, 30)


def test_without_pillow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(EngineError, match=r"needs Pillow.*vidigree\[families\]"):
        read_picture(tmp_path / "picture.png")
