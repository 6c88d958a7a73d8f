import tracemalloc
from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.media.errors import StampError, UsageError
from vidigree.watermark.keyring import PUBLISHED_KEY, MarkKey
from vidigree.watermark.method import MarkReading
from vidigree.watermark.robust import EmbedSettings, RobustMark

Frames = list[NDArray[np.uint8]]
FPS = Fraction(24)
MESSAGE = 0x9123456789ABCDEF
OTHER_KEY = MarkKey(key_id="other", secret=bytes(range(32)))


def _detect(frames: Frames, *keys: MarkKey) -> MarkReading:
    return RobustMark().detect(frames, keys=keys or [PUBLISHED_KEY], fps=FPS)


def _embed(frames: Frames, message: int = MESSAGE) -> Frames:
    return list(RobustMark().embed(frames, message, key=PUBLISHED_KEY, fps=FPS))


@pytest.fixture(scope="session")
def marked(clip: Frames) -> Frames:
    return _embed(clip)


def _psnr(first: Frames, second: Frames) -> float:
    error = np.mean([(a.astype(float) - b) ** 2 for a, b in zip(first, second, strict=True)])
    return float(10 * np.log10(255**2 / error))


def _cropped(frames: Frames, ratio: float) -> Frames:
    height, width = frames[0].shape[:2]
    y, x = int(height * (1 - ratio) * 0.7), int(width * (1 - ratio) * 0.4)
    return [f[y : y + int(height * ratio), x : x + int(width * ratio)] for f in frames]


def _resized(frames: Frames, x: float, y: float) -> Frames:
    height, width = frames[0].shape[:2]
    size = (round(width * x), round(height * y))
    how = cv2.INTER_AREA if x < 1 else cv2.INTER_CUBIC
    return [cv2.resize(frame, size, interpolation=how) for frame in frames]


def _rotated(frames: Frames, degrees: float) -> Frames:
    height, width = frames[0].shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return [cv2.warpAffine(frame, matrix, (width, height)) for frame in frames]


def _levels(frames: Frames, gain: float, offset: float) -> Frames:
    return [np.clip(f * gain + offset, 0, 255).astype(np.uint8) for f in frames]


def _letterboxed(frames: Frames) -> Frames:
    return [cv2.copyMakeBorder(f, 90, 90, 0, 0, cv2.BORDER_CONSTANT) for f in frames]


ATTACKS: dict[str, Callable[[Frames], Frames]] = {
    "none": lambda f: f,
    "crop to .71": lambda f: _cropped(f, 0.71),
    "crop to .55": lambda f: _cropped(f, 0.55),
    "resize to .55": lambda f: _resized(f, 0.55, 0.55),
    "resize to 1.5": lambda f: _resized(f, 1.5, 1.5),
    "squeeze": lambda f: _resized(f, 1.0, 0.8),
    "half brightness": lambda f: _levels(f, 0.5, 0),
    "contrast 1.5": lambda f: _levels(f, 1.5, -64),
    "negative": lambda f: [255 - frame for frame in f],
    "rotate 2": lambda f: _rotated(f, 2),
    "rotate 30": lambda f: _rotated(f, 30),
    "rotate 90": lambda f: [np.rot90(frame).copy() for frame in f],
    "rotate 180": lambda f: [frame[::-1, ::-1].copy() for frame in f],
    "mirror": lambda f: [frame[:, ::-1].copy() for frame in f],
    "every second frame": lambda f: f[::2],
    "reversed": lambda f: f[::-1],
    "one frame": lambda f: f[5:6],
    "letterbox": _letterboxed,
    "grayscale": lambda f: [
        np.repeat(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2) for x in f
    ],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_message_survives(marked: Frames, attack: str) -> None:
    reading = _detect(ATTACKS[attack](marked))
    assert reading.message == MESSAGE
    assert reading.key_id == PUBLISHED_KEY.key_id
    assert reading.p_value <= 1e-6


@pytest.mark.parametrize("crf", [23, 28, 30])
def test_the_message_survives_x264(marked: Frames, x264: Callable[..., Frames], crf: int) -> None:
    assert _detect(x264(marked, crf)).message == MESSAGE


def test_the_message_survives_a_platform(
    textured: Callable[..., Frames], x264: Callable[..., Frames]
) -> None:
    large = _embed(textured(720, 1280, 16, seed=3))
    small = x264(_resized(large, 0.5, 0.5), 23)
    assert _detect(_resized(small, 2.0, 2.0)).message == MESSAGE


@pytest.mark.parametrize(
    "filtered",
    [
        lambda frame: cv2.medianBlur(frame, 9),
        lambda frame: cv2.blur(frame, (9, 9)),
        lambda frame: cv2.filter2D(frame, -1, _disc(13)),
    ],
    ids=["median", "box", "disc"],
)
def test_filters_that_invert_fine_waves_are_seen_through(
    textured: Callable[..., Frames], filtered: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> None:
    blurred = [filtered(frame) for frame in _embed(textured(288, 352, 12, seed=4))]
    assert _detect(blurred).message == MESSAGE


def _disc(size: int) -> NDArray[np.float32]:
    """What a lens out of focus makes of a point."""
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)).astype(np.float32)
    return np.asarray(disc / disc.sum(), np.float32)


def test_what_was_done_is_told(marked: Frames) -> None:
    turned = _detect(_rotated(marked, 30))
    assert turned.rotation == pytest.approx(30, abs=0.7)
    assert not turned.mirrored
    assert not turned.negative
    mirrored = _detect([f[:, ::-1].copy() for f in marked])
    assert (mirrored.mirrored, mirrored.negative) == (True, False)
    negative = _detect([255 - f for f in marked])
    assert (negative.mirrored, negative.negative) == (False, True)
    assert not _detect([cv2.blur(f, (9, 9)) for f in marked]).negative
    assert _detect(_cropped(marked, 0.71)).scale == pytest.approx(1 / 0.71, rel=0.01)


def test_where_a_crop_was_cut_is_told(clip: Frames, marked: Frames) -> None:
    reading = _detect([frame[75:325, 130:570] for frame in marked])
    side = clip[0].shape[0]
    assert reading.offset is not None
    error = (np.array(reading.offset) - [130 / side, 75 / side] + 0.25) % 0.5 - 0.25
    assert np.abs(error).max() < 2 / 256  # two carrier pixels
    assert _detect(_rotated(marked, 30)).offset is None


def test_quality_is_what_was_asked(clip: Frames, marked: Frames) -> None:
    assert 43.0 <= _psnr(clip, marked) <= 47.5
    settings = EmbedSettings(psnr=40.0, weaker_by=0.0, stronger_by=0.0, smooth=9.0)
    strong = list(RobustMark(settings).embed(clip, MESSAGE, key=PUBLISHED_KEY, fps=FPS))
    assert _psnr(clip, strong) == pytest.approx(40.0, abs=0.4)


def test_embedding_is_a_function_of_frames_key_and_message(clip: Frames, marked: Frames) -> None:
    again = _embed(clip)
    assert all(np.array_equal(a, b) for a, b in zip(marked, again, strict=True))
    other = _embed(clip, MESSAGE ^ 1)
    assert not np.array_equal(marked[0], other[0])


def test_absent_without_a_mark_or_with_another_key(clip: Frames, marked: Frames) -> None:
    assert _detect(clip) == MarkReading(method="robust", present=False, frames_used=12)
    assert not _detect(marked, OTHER_KEY).present
    found = _detect(marked, OTHER_KEY, PUBLISHED_KEY)
    assert (found.message, found.key_id) == (MESSAGE, PUBLISHED_KEY.key_id)


def test_bit_confidence_is_high_where_the_message_is_certain(marked: Frames) -> None:
    confidence = _detect(marked).bit_confidence
    assert len(confidence) == 64
    assert 0.999 < min(confidence) <= max(confidence) <= 1.0


@pytest.mark.parametrize("size", [(128, 128), (256, 256), (144, 256), (128, 500)])
def test_small_clips_work(textured: Callable[..., Frames], size: tuple[int, int]) -> None:
    assert _detect(_embed(textured(*size, 8, seed=1))).message == MESSAGE


@pytest.mark.parametrize("size", [(127, 300), (16, 16), (1, 1)])
def test_too_small_clips_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(StampError, match="too small"):
        _embed([np.zeros((*size, 3), np.uint8)])


def test_frames_that_change_size_are_refused() -> None:
    frames = [np.zeros((200, 200, 3), np.uint8), np.zeros((200, 220, 3), np.uint8)]
    with pytest.raises(StampError, match="change size"):
        _embed(frames)


@pytest.mark.parametrize("name", ["psnr", "weaker_by", "stronger_by", "smooth"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_a_strength_that_is_none_is_refused(name: str, value: float) -> None:
    # A gain that is no number would spoil every frame without an error.
    with pytest.raises(UsageError, match=f"setting {name} is"):
        EmbedSettings(**{name: value})


@pytest.mark.parametrize(("value", "allowed"), [(35.9, False), (36, True), (60, True), (61, False)])
def test_quality_has_a_range(value: float, allowed: bool) -> None:
    if allowed:
        assert EmbedSettings(psnr=value).psnr == value
    else:
        with pytest.raises(UsageError, match="36 to 60"):
            EmbedSettings(psnr=value)


def _cartoon() -> NDArray[np.uint8]:
    picture = np.full((360, 480, 3), (240, 200, 40), np.uint8)
    cv2.circle(picture, (200, 180), 90, (30, 60, 200), -1)
    cv2.rectangle(picture, (300, 40), (440, 300), (250, 250, 250), -1)
    return picture


@pytest.mark.parametrize("kind", ["dark", "black", "white", "flat", "cartoon", "static"])
def test_plain_clips_work_unattacked(clip: Frames, kind: str) -> None:
    shape = (360, 480, 3)
    frames = {
        "dark": [(frame * 0.08).astype(np.uint8) for frame in clip],
        "black": [np.zeros(shape, np.uint8)] * 6,
        "white": [np.full(shape, 255, np.uint8)] * 6,
        "flat": [np.full(shape, 128, np.uint8)] * 6,
        "cartoon": [_cartoon()] * 6,
        "static": [clip[0]] * 6,
    }[kind]
    assert _detect(_embed(frames)).message == MESSAGE


def test_a_splice_is_found_to_half_a_second(textured: Callable[..., Frames]) -> None:
    frames = textured(256, 384, 144, seed=8)
    mixed = _embed(frames[:96]) + frames[96:]
    reading = _detect(mixed)
    assert reading.message == MESSAGE
    assert len(reading.segments) == 1
    assert reading.segments[0].start == pytest.approx(0.0, abs=0.5)
    assert reading.segments[0].end == pytest.approx(4.0, abs=0.5)


def test_two_marked_clips_in_one_file_are_both_read(textured: Callable[..., Frames]) -> None:
    first = _embed(textured(256, 384, 72, seed=4), 1)
    second = _embed(textured(256, 384, 72, seed=5), 2)
    segments = _detect(first + second).segments
    assert [segment.message for segment in segments] == [1, 2]
    assert segments[0].end == pytest.approx(3.0, abs=0.5)


@pytest.mark.slow
def test_memory_does_not_grow_with_length(textured: Callable[..., Frames]) -> None:
    frames, fps = textured(144, 256, 48, seed=6), Fraction(8)

    def endless(count: int) -> int:
        stream = (frames[index % 48] for index in range(count))
        marked = RobustMark().embed(stream, MESSAGE, key=PUBLISHED_KEY, fps=fps)
        tracemalloc.start()
        RobustMark().detect(marked, keys=[PUBLISHED_KEY], fps=fps)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    endless(48)  # makes the tables that are kept for good
    # A block of ten seconds is what is held at most, and what the embedder holds while it goes on.
    assert endless(240) < 1.05 * endless(160)


def test_an_empty_stream_holds_no_mark() -> None:
    assert not _detect([]).present
    assert _embed([]) == []
