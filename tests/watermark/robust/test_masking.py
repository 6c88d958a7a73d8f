from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import EmbedSettings, RobustMark
from vidigree.watermark.robust.masking import smooth_amplitude, texture, visibility_mask

Frames = list[NDArray[np.uint8]]
FPS = Fraction(24)


def _noise(seed: int) -> NDArray[np.float32]:
    """Texture with waves of about eight pixels, root mean square 8 grey levels."""
    grain = np.random.default_rng(seed).normal(size=(128, 128)).astype(np.float32)
    waves = cv2.GaussianBlur(grain, (0, 0), 1.5) - cv2.GaussianBlur(grain, (0, 0), 3.0)
    return np.asarray(waves * np.float32(8 / waves.std()), np.float32)


def _ball() -> NDArray[np.float32]:
    """A bright shaded disc on a dark ground, smooth but for its outline."""
    y, x = np.mgrid[:256, :256].astype(np.float32)
    inside = np.hypot(x - 128, y - 128) < 60
    picture = np.where(inside, 120 + 0.5 * (x - 128), 40).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.7), np.float32)


def test_texture_counts_with_its_amplitude_and_shading_does_not() -> None:
    shaded = np.tile(np.linspace(0, 255, 128, dtype=np.float32), (128, 1))
    assert texture(shaded).max() < 0.1
    middle = texture(100 + _noise(1))[16:-16, 16:-16]
    assert 2.0 < middle.mean() < 4.0
    assert middle.min() > 1.0
    doubled = texture(100 + 2 * _noise(1))[16:-16, 16:-16]
    np.testing.assert_allclose(doubled, 2 * middle, rtol=0.02)


def test_an_edge_is_no_texture_however_strong() -> None:
    edge = np.full((128, 128), 20.0, np.float32)
    edge[:, 64:] = 230.0
    assert texture(edge).max() < 0.2
    assert texture(_ball()).max() < 1.0


def test_places_beside_texture_do_not_count() -> None:
    luma = np.full((128, 128), 100.0, np.float32)
    luma[:, 64:] += _noise(2)[:, 64:]
    seen = texture(luma)
    assert seen[:, 80:].mean() > 2.0
    assert seen[:, :56].max() < 1.0


def test_the_first_frame_gets_much_more_in_texture_and_little_elsewhere() -> None:
    ball = _ball()
    assert (visibility_mask(ball, 1.0) < 1.23 * visibility_mask(ball)).all()
    busy = 100 + _noise(3)
    assert visibility_mask(busy, 1.0).mean() > 2 * visibility_mask(busy).mean()
    energy = np.mean(visibility_mask(busy, 1.0) ** 2) / np.mean(visibility_mask(busy) ** 2)
    assert 9.5 < energy < 10.01
    plain, first, second = (visibility_mask(busy, share) ** 2 for share in (0.0, 1.0, 0.135))
    np.testing.assert_allclose(second - plain, 0.135 * (first - plain), rtol=1e-3)
    flat = np.full((64, 64), 90.0, np.float32)
    np.testing.assert_allclose(visibility_mask(flat), smooth_amplitude(), rtol=1e-5)


def test_smooth_places_get_no_more_than_they_may() -> None:
    smooth = [np.full((480, 640, 3), 110, np.uint8)] * 12
    settings = EmbedSettings(smooth=0.7)
    for given, most in ((EmbedSettings(), 1.12), (settings, 0.7)):
        marked = list(RobustMark(given).embed(smooth, 5, key=PUBLISHED_KEY, fps=FPS))
        change = np.stack(marked).astype(float) - 110
        # Rounding to whole levels adds a twelfth of a level squared.
        assert np.sqrt(np.mean(change[3:] ** 2) - 1 / 12) <= most * 1.03
        assert np.sqrt(np.mean(change[0] ** 2) - 1 / 12) <= most * 1.27
        reading = RobustMark().detect(marked, keys=[PUBLISHED_KEY], fps=FPS)
        assert reading.message == 5
