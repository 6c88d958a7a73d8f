"""Pictures to start from: the formats that are read, those that are not, and what comes of them."""

from __future__ import annotations

import contextlib
import os
import struct
import sys
import threading
import warnings
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, TiffImagePlugin

from vidigree.generate.engine import RequestWarning
from vidigree.generate.engines.families.sources import read_clip, read_still
from vidigree.generate.engines.nano.sources import read_source_clip, read_square
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
        with pytest.raises(MediaError, match="cannot be read as a picture") as refused:
            read(path)
        for name in ("PNG", "JPEG", "WebP", "BMP", "GIF or TIFF"):
            assert name in refused.value.hint


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


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_what_is_clear_becomes_white_with_a_note(kind: str, tmp_path: Path) -> None:
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[..., 0], pixels[..., 3] = 200, [[255, 128, 0]]
    path = tmp_path / f"logo.{kind.lower()}"
    Image.fromarray(pixels).save(
        path, format=kind, **({"lossless": True} if kind == "WEBP" else {})
    )
    with pytest.warns(RequestWarning, match=rf"Clear places of {path.name} were filled with white"):
        read = np.asarray(read_picture(path))
    assert read[0].tolist() == [[200, 0, 0], [227, 127, 127], [255, 255, 255]]


def test_a_colour_and_a_level_that_stand_for_clear_become_white(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    grey = Image.fromarray(np.array([[60, 0]], np.uint8))
    for image, clear in (
        (Image.merge("RGB", [grey] * 3), (60, 60, 60)),
        (grey, 60),
        (grey.convert("P"), 60),
        (Image.fromarray(np.array([[514, 0]], np.uint16)), 514),
    ):
        image.save(path, transparency=clear)
        with pytest.warns(RequestWarning, match="Clear places"):
            read = read_picture(path)
        assert read.getpixel((0, 0)) == (255, 255, 255), image.mode
        assert read.getpixel((1, 0)) == (0, 0, 0), image.mode


def test_every_engine_is_told_of_clear_places(tmp_path: Path) -> None:
    path = tmp_path / "logo.png"
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(path)
    for read in (read_still, lambda path: np.asarray(read_square(path, 64)[0])):
        with pytest.warns(RequestWarning, match="Clear places"):
            assert (read(path) == 255).all()


def test_every_engine_is_told_of_a_clear_clip(tmp_path: Path) -> None:
    path = tmp_path / "logo.mov"
    with av.open(str(path), "w") as container:
        track = container.add_stream("png", rate=12)
        track.width, track.height, track.pix_fmt = 64, 64, "rgba"
        for alpha in (9, 255):
            clear = np.full((64, 64, 4), alpha, np.uint8)
            container.mux(track.encode(av.VideoFrame.from_ndarray(clear, format="rgba")))
    with pytest.warns(RequestWarning, match=r"transparency of logo\.mov was left out"):
        read_clip(path)
    with pytest.warns(RequestWarning, match=r"transparency of logo\.mov was left out"):
        read_source_clip(path, 64, 4, Fraction(12))


def test_a_damaged_tiff_says_nothing_by_itself(
    picture: Image.Image, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "picture.tif"
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        picture.save(path, compression=compression)
        whole = path.read_bytes()
        where = whole.index(b"II*\0") + 8
        path.write_bytes(whole[:where] + b"\xa5" * 60 + whole[where + 60 :])
        with contextlib.suppress(MediaError):
            read_picture(path)
    os.write(2, b"it speaks again\n")
    assert capfd.readouterr().err == "it speaks again\n"


def test_pictures_are_read_where_there_is_no_standard_error(
    picture: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture.save(tmp_path / "picture.tif", compression="tiff_lzw")

    def closed(number: int) -> int:
        raise OSError(9, "Bad file descriptor")

    monkeypatch.setattr(os, "dup", closed)
    assert read_picture(tmp_path / "picture.tif").size == (12, 9)


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
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert read_still(path)[32, 32].tolist() == [10, 20, 30]
    assert len(caught) == (max(size) > 1)
    square, _ = read_square(path, 64)
    assert square.getpixel((32, 32)) == (10, 20, 30)


def test_without_pillow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(EngineError, match=r"needs Pillow.*vidigree\[families\]"):
        read_picture(tmp_path / "picture.png")


def test_two_threads_that_read_at_once_leave_standard_error_as_it_was(
    picture: Image.Image,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One begins while the other reads, and ends after it."""
    path = tmp_path / "picture.tiff"
    picture.save(path, format="TIFF")
    reading, begun = threading.Event(), threading.Event()
    load = TiffImagePlugin.TiffImageFile.load

    def slow(image: TiffImagePlugin.TiffImageFile) -> object:
        is_first = threading.current_thread().name == "first"
        if not reading.is_set() and is_first:
            reading.set()
            begun.wait(10)
            second.join(0.5)  # it waits, or reads as well
        elif not is_first:
            first.join(10)
        return load(image)

    monkeypatch.setattr(TiffImagePlugin.TiffImageFile, "load", slow)
    first = threading.Thread(target=read_picture, args=(path,), name="first")
    second = threading.Thread(target=read_picture, args=(path,), name="second")
    first.start()
    assert reading.wait(10)
    second.start()
    begun.set()
    first.join(20)
    second.join(20)
    os.write(2, b"still heard")
    assert capfd.readouterr().err == "still heard"


def test_no_file_stays_open_where_there_is_no_null_device(
    picture: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.tiff"
    picture.save(path, format="TIFF")
    kept: list[int] = []
    dup = os.dup

    def note(number: int) -> int:
        copy = dup(number)
        if number == 2:
            kept.append(copy)
        return copy

    monkeypatch.setattr(os, "dup", note)
    monkeypatch.setattr(os, "devnull", str(tmp_path / "missing"))
    assert read_picture(path).size == (12, 9)
    assert kept
    for number in kept:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(number)
