"""How strongly a clip is marked: limits, passages from stretch to stretch, informed choice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import EmbedSettings
from vidigree.watermark.robust.carrier import carrier_of
from vidigree.watermark.robust.embedder import Embedder
from vidigree.watermark.robust.frontend import working_luma
from vidigree.watermark.robust.informed import allocate
from vidigree.watermark.robust.masking import smooth_amplitude
from vidigree.watermark.robust.modulation import symbols_of
from vidigree.watermark.robust.spectrum import whiten

Frames = list[NDArray[np.uint8]]
CARRIER = carrier_of(PUBLISHED_KEY)
SYMBOLS = symbols_of(5, CARRIER)
FPS = Fraction(24)


def _sized(size: tuple[int, int], **settings: float) -> Embedder:
    embedder = Embedder(5, PUBLISHED_KEY, EmbedSettings(**settings))
    embedder._size = size
    return embedder


def _embedder(short: int = 512, **settings: float) -> Embedder:
    return _sized((short, 2 * short), **settings)


def _seen(amplitude: float) -> tuple[NDArray[np.complex64], float]:
    """Return what a front end may see of the mark, and its score in standard deviations."""
    noise = np.random.default_rng(3).normal(size=(2, len(SYMBOLS))) / np.sqrt(2)
    seen = (amplitude * SYMBOLS + noise[0] + 1j * noise[1]).astype(np.complex64)
    white = whiten(seen, CARRIER)
    score = np.sum((white * np.conj(SYMBOLS)).real) / np.sqrt(np.sum(np.abs(white) ** 2) / 2)
    return seen, float(score)


@pytest.mark.parametrize(
    ("short", "aim"),
    [(512, 30.0), (460, 31.65), (256, 42.0), (128, 42.0), (720, 25.3), (1080, 25.0)],
)
def test_a_hard_picture_catches_up_by_a_third(short: int, aim: float) -> None:
    """Of what is missing, in decibels, to a score that is higher for small pictures."""
    seen, score = _seen(0.8)
    free = _embedder(short, weaker_by=60.0, stronger_by=60.0)
    assert 20 * np.log10(free._adjustment(seen)) == pytest.approx(
        0.35 * 20 * np.log10(aim / score), abs=0.02
    )


def test_it_catches_up_within_limits() -> None:
    strong, weak = _seen(9.0)[0], _seen(0.05)[0]
    for embedder, most, least in (
        (_embedder(), 1.9, -0.8),
        (_embedder(weaker_by=0.2, stronger_by=0.1), 0.1, -0.2),
    ):
        assert 20 * np.log10(embedder._adjustment(weak)) == pytest.approx(most)
        assert 20 * np.log10(embedder._adjustment(strong)) == pytest.approx(least)


@pytest.mark.parametrize(
    ("short", "levels"), [(1080, 1.12), (480, 1.12), (360, 1.293), (307, 1.4), (128, 1.4)]
)
def test_where_there_is_no_texture_there_is_a_limit_in_grey_levels(
    short: int, levels: float
) -> None:
    coefficients = (0.01 * SYMBOLS * CARRIER.amplitudes).astype(np.complex64)
    root_mean_square = np.sqrt(2 * np.sum(np.abs(coefficients) ** 2)) * smooth_amplitude()
    most = _embedder(short)._most_in_smooth(coefficients)
    assert most * root_mean_square == pytest.approx(levels, rel=2e-3)


def test_a_new_pattern_comes_in_over_six_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = (SYMBOLS * CARRIER.amplitudes).astype(np.complex64)
    coefficients = iter([plain, -plain, -plain])

    def plan(_: Embedder, stretch: Frames) -> Any:
        return [np.ones((128, 128), np.float32)] * len(stretch), next(coefficients), 0.5

    monkeypatch.setattr(Embedder, "_plan", plan)
    marked = list(_embedder(128).run([np.full((128, 128, 3), 120, np.uint8)] * 70))
    changes = np.array(marked, float)[..., 0] - 120
    first = changes[0]
    shares = np.array([np.sum(change * first) / np.sum(first**2) for change in changes])
    # From 1 to -1 by sevenths, within the rounding to whole levels.
    expected = [1.0] * 32 + [1 - 2 * step / 7 for step in range(1, 7)] + [-1.0] * 32
    np.testing.assert_allclose(shares, expected, atol=0.03)


@pytest.mark.parametrize(
    ("size", "lengths"),
    [((128, 128), [32, 32, 6]), ((1080, 1920), [32, 32, 6]), ((2160, 3840), [8] * 8 + [6])],
)
def test_large_frames_are_held_by_fewer(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], lengths: list[int]
) -> None:
    taken = []

    def mark(_: Embedder, stretch: Frames) -> Iterator[NDArray[np.uint8]]:
        taken.append(len(stretch))
        yield from stretch

    monkeypatch.setattr(Embedder, "_mark", mark)
    frame = np.broadcast_to(np.uint8(0), (*size, 3))  # takes no memory
    assert len(list(_embedder().run([frame] * 70))) == 70
    assert taken == lengths


def test_what_leans_the_wrong_way_gets_more_at_the_same_energy() -> None:
    amplitudes = CARRIER.amplitudes
    plain = SYMBOLS * amplitudes
    still = allocate(np.zeros_like(plain), SYMBOLS, amplitudes)
    np.testing.assert_allclose(still, plain, rtol=1e-3, atol=1e-6)
    # One axis of one point leans the wrong way by half of what it gets, and of one the right way.
    wrong, right, far, near = CARRIER.data[:4]
    lean = np.zeros_like(plain)
    lean[CARRIER.pilots] = 0.7j * amplitudes[CARRIER.pilots]
    for point, share in ((wrong, -0.5), (right, 0.5), (far, -9.0), (near, 9.0)):
        lean[point] = share * plain[point].real
    found = allocate(lean, SYMBOLS, amplitudes)
    assert np.sum(np.abs(found) ** 2) == pytest.approx(np.sum(np.abs(plain) ** 2), rel=1e-4)
    for point, share in ((wrong, 1.15), (right, 0.85), (far, 1.5), (near, 0.6)):
        assert found[point].real / plain[point].real == pytest.approx(share, rel=0.01)
        assert found[point].imag / plain[point].imag == pytest.approx(1.0, rel=0.01)
    assert not found[CARRIER.pilots].imag.any()


def test_informed_embedding_is_read_more_clearly(textured: Callable[..., Frames]) -> None:
    frames = textured(256, 384, 12, seed=6)
    embedder = _sized((256, 384))
    masks, informed, gain = embedder._plan(frames)
    probe = [(working_luma(f, 256), m) for f, m in zip(frames, masks, strict=True)]
    scores = []
    for coefficients in (informed * np.conj(embedder._rotor), SYMBOLS * CARRIER.amplitudes):
        white = whiten(embedder._seen(probe, coefficients.astype(np.complex64), gain), CARRIER)
        score = np.sum((white * np.conj(SYMBOLS)).real) / np.sqrt(np.sum(np.abs(white) ** 2) / 2)
        scores.append(float(score))
    assert scores[0] > 1.05 * scores[1]


def test_a_stretch_is_looked_at_before_it_is_marked(
    textured: Callable[..., Frames], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve of its frames: unmarked, then in two passes, then for the strength."""
    frames = textured(256, 384, 24, seed=6)
    looks: list[tuple[list[int], bool, float]] = []
    see = Embedder._seen

    def seen(self: Embedder, probe: Any, coefficients: Any, gain: float) -> Any:
        lumas = [working_luma(frame, 256) for frame in frames]
        numbers = [
            next(n for n, luma in enumerate(lumas) if np.array_equal(luma, one)) for one, _ in probe
        ]
        looks.append((numbers, coefficients is not None, gain))
        return see(self, probe, coefficients, gain)

    monkeypatch.setattr(Embedder, "_seen", seen)
    monkeypatch.setattr(Embedder, "_adjustment", lambda *_: 0.5)
    _, _, gain = _sized((256, 384))._plan(frames)
    assert [marked for _, marked, _ in looks] == [False, True, True, True]
    assert {tuple(numbers) for numbers, *_ in looks} == {
        (0, 2, 4, 6, 8, 10, 13, 15, 17, 19, 21, 23)
    }
    assert [before for *_, before in looks] == pytest.approx([2 * gain] * 4)
    monkeypatch.setattr(Embedder, "_adjustment", lambda *_: 9.0)
    embedder = _sized((256, 384))
    _, coefficients, gain = embedder._plan(frames)
    assert gain == pytest.approx(embedder._most_in_smooth(coefficients), rel=1e-5)
    assert gain < 4 * looks[0][2]
