"""Pictures to start from: the formats that are read, and those that are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vidigree.generate.engines.diffusers.arguments import read_image
from vidigree.media import MediaError


@pytest.fixture
def picture() -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (9, 12, 3), dtype=np.uint8))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_a_picture_is_read_whatever_its_name(
    picture: Image.Image, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "picture.any"
    picture.save(path, format=kind)
    assert read_image(path).size == (12, 9)
    assert read_image(path).mode == "RGB"


@pytest.mark.parametrize("kind", ["EPS", "PPM"])
def test_what_may_start_other_programs_and_rare_formats_are_refused(
    picture: Image.Image, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "picture.png"
    picture.save(path, format=kind)
    with pytest.raises(MediaError, match="cannot be read as a picture"):
        read_image(path)
