from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest

from vidigree.media.errors import StampError, UsageError
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.method import watermark_methods

pytest.importorskip("imwatermark")

FPS = Fraction(24)


def _picture() -> np.ndarray:
    y, x = np.mgrid[0:256, 0:320]
    wave = 120 + 50 * np.sin(x / 17.0) * np.cos(y / 23.0)
    noise = np.random.default_rng(1).normal(0, 6, (256, 320))
    return np.repeat(np.clip(wave + noise, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def test_dwt_dct_svd_reads_its_own_marks() -> None:
    method = watermark_methods.get("dwt-dct-svd")()
    message = 0xA5A5_0F0F_1234_5678
    marked = list(method.embed([_picture()] * 4, message, key=PUBLISHED_KEY, fps=FPS))
    reading = method.detect(marked, keys=[PUBLISHED_KEY], fps=FPS)
    assert reading.present
    assert reading.message == message


@pytest.mark.slow
def test_rivagan_reads_its_own_marks() -> None:
    method = watermark_methods.get("rivagan")()
    marked = list(method.embed([_picture()] * 2, 0x1234ABCD, key=PUBLISHED_KEY, fps=FPS))
    reading = method.detect(marked, keys=[PUBLISHED_KEY], fps=FPS)
    assert reading.message is not None
    assert bin(reading.message ^ 0x1234ABCD).count("1") <= 2


@pytest.mark.parametrize("name", ["dwt-dct", "dwt-dct-svd", "rivagan"])
def test_misuse_is_refused(name: str) -> None:
    method = watermark_methods.get(name)()
    with pytest.raises(UsageError):
        method.embed([_picture()], 1 << 64, key=PUBLISHED_KEY, fps=FPS)
    if name != "rivagan":
        small = [np.zeros((128, 128, 3), np.uint8)]
        with pytest.raises(StampError):
            list(method.embed(small, 1, key=PUBLISHED_KEY, fps=FPS))


def test_four_methods_are_registered() -> None:
    names: Callable[[], list[str]] = watermark_methods.names
    assert {"robust", "dwt-dct", "dwt-dct-svd", "rivagan"} <= set(names())
