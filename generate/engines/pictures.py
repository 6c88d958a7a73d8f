"""Pictures that clips start from, and what of them, and of clips, no engine knows."""

from __future__ import annotations

import importlib.util
import math
import os
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from vidigree.generate.engine import RequestWarning
from vidigree.generate.request import ClipRequest
from vidigree.media.errors import EngineError, MediaError, UnsupportedMediaError
from vidigree.media.reading import VideoInfo, probe

__all__ = ["check_sources", "cut_note", "read_picture", "tell_clear"]

# Pillow's names, and what people call them; MPO is what some cameras write as JPEG.
_FORMATS: Final = {
    "PNG": "PNG", "JPEG": "JPEG", "MPO": "", "WEBP": "WebP", "AVIF": "AVIF", "BMP": "BMP",
    "GIF": "GIF", "TIFF": "TIFF",
}  # fmt: skip
_SQUARE_ENOUGH: Final = 1.02
# Levels of 16 bits that are one of 8.
_LEVEL: Final = 257
# Standard error is one for all threads: the last to give it back must not give back nowhere.
_SILENCE: Final = threading.Lock()
_CLEAR_MODES: Final = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})


def check_sources(request: ClipRequest) -> None:
    """Refuse what no clip can start from, before an engine loads what takes long.

    Of a clip the first frame is decoded. Without Pillow, pictures are left to the engine.

    Raises:
        MediaError: The picture or the clip cannot be read, or is too large.
    """
    if request.image is not None and importlib.util.find_spec("PIL") is not None:
        with warnings.catch_warnings(action="ignore", category=RequestWarning):
            read_picture(request.image)  # which the engine tells of
    if request.video is not None:
        probe(request.video)


def read_picture(path: Path) -> Any:
    """Return a picture as an RGB PIL image, turned as its EXIF data says, on white.

    A :class:`RequestWarning` tells of transparency, which no engine knows.

    Args:
        path: PNG, JPEG, WebP, AVIF, BMP, GIF (its first frame) or TIFF. Of what else Pillow reads,
            some formats start other programs.

    Raises:
        UnsupportedMediaError: It is too large.
        MediaError: It is no such picture.
        EngineError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise EngineError(
            "Starting from a picture needs Pillow.",
            hint="Install it with: pip install 'vidigree[families]' (or [diffusers])",
        ) from error
    read: Callable[..., Any] = Image.open
    Image.init()  # what Pillow was built without is not among its formats
    formats = [name for name in _FORMATS if name in Image.OPEN]
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # of sizes below the limit, damaged tags
            read(path, formats=formats) as image,
        ):
            with _silent(image):
                image.load()
            picture = ImageOps.exif_transpose(image)
    except Image.DecompressionBombError as error:
        raise UnsupportedMediaError(
            f"{path} is too large a picture: {error}", hint="Make it smaller first."
        ) from error
    # Damaged files end Pillow's readers in other exceptions than its own, too.
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error) as error:
        *others, last = filter(None, (_FORMATS[name] for name in formats))
        raise MediaError(
            f"{path} cannot be read as a picture.",
            hint=f"Give a {', '.join(others)} or {last} file.",
        ) from error
    picture, is_clear = _on_white(picture)
    if is_clear:
        warnings.warn(
            f"Clear places of {path.name} were filled with white.", RequestWarning, stacklevel=2
        )
    return picture


def tell_clear(path: Path, info: VideoInfo) -> None:
    """Tell of a clip with clear places, of which the stored colours are read."""
    if info.transparent:
        warnings.warn(
            f"The transparency of {path.name} was left out: clear places show the colour that is"
            " stored for them.",
            RequestWarning,
            stacklevel=2,
        )


def cut_note(path: Path, size: tuple[int, int]) -> tuple[str, ...]:
    """Say in a sentence what is left of a picture of ``size`` pixels, if it is not square."""
    if math.log(max(size) / min(size)) < math.log(_SQUARE_ENOUGH):
        return ()
    return (f"Only the middle square of {path.name} was used: the model's frames are square.",)


@contextmanager
def _silent(image: Any) -> Iterator[None]:
    """Keep libtiff from telling of damage on standard error by itself: Pillow raises as well."""
    if image.format != "TIFF":
        yield
        return
    with _SILENCE, ExitStack() as stack:
        # Without standard error, or files to be had, libtiff is let speak.
        with suppress(OSError):
            kept = os.dup(2)
            stack.callback(os.close, kept)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, nowhere)
            os.dup2(nowhere, 2)
            stack.callback(os.dup2, kept, 2)
        yield


def _on_white(image: Any) -> tuple[Any, bool]:
    """Return a picture in RGB where it is opaque, white where it is clear, and whether it was."""
    from PIL import Image

    if image.mode not in _CLEAR_MODES and "transparency" not in image.info:
        return _in_8_bits(image).convert("RGB"), False
    whole = _in_8_bits(image).convert("RGBA")
    if image.mode.startswith("I;16"):  # of which Pillow knows no clear level
        opaque = np.asarray(image) != image.info["transparency"]
        whole.putalpha(Image.fromarray(opaque))
    if whole.getextrema()[3] == (255, 255):
        return whole.convert("RGB"), False
    white = Image.new("RGBA", whole.size, "white")
    return Image.alpha_composite(white, whole).convert("RGB"), True


def _in_8_bits(image: Any) -> Any:
    """Return grey of 16 bits in 8, which Pillow would cut to white."""
    from PIL import Image

    if not image.mode.startswith("I;16") and (image.mode, image.format) != ("I", "PNG"):
        return image
    levels = np.asarray(image).astype(np.int64)
    return Image.fromarray(((levels + _LEVEL // 2) // _LEVEL).clip(0, 255).astype(np.uint8))
