"""Pictures that clips start from."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from vidigree.media.errors import EngineError, MediaError, UnsupportedMediaError

__all__ = ["read_picture"]

_FORMATS: Final = ("PNG", "JPEG", "MPO", "WEBP", "AVIF", "BMP", "GIF", "TIFF")
# Levels of 16 bits that are one of 8.
_LEVEL: Final = 257


def read_picture(path: Path) -> Any:
    """Return a picture as an RGB PIL image, turned as its EXIF data says, without transparency.

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
    try:
        with (
            warnings.catch_warnings(action="ignore"),  # of sizes below the limit, damaged tags
            read(path, formats=[name for name in _FORMATS if name in Image.OPEN]) as image,
        ):
            return _in_8_bits(ImageOps.exif_transpose(image)).convert("RGB")
    except Image.DecompressionBombError as error:
        raise UnsupportedMediaError(
            f"{path} is too large a picture: {error}", hint="Make it smaller first."
        ) from error
    # Damaged files end Pillow's readers in other exceptions than its own, too.
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, struct.error) as error:
        raise MediaError(
            f"{path} cannot be read as a picture.", hint="Give a PNG, JPEG or WebP file."
        ) from error


def _in_8_bits(image: Any) -> Any:
    """Return grey of 16 bits in 8, which Pillow would cut to white."""
    from PIL import Image

    if not image.mode.startswith("I;16") and (image.mode, image.format) != ("I", "PNG"):
        return image
    levels = np.asarray(image).astype(np.int64)
    return Image.fromarray(((levels + _LEVEL // 2) // _LEVEL).clip(0, 255).astype(np.uint8))
