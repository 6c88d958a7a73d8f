"""A container fact that enters a feature fails here."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from fixtures.textures import moving_texture

from vidigree.detect.classifier.canonical import (
    SMALLEST_SIDE,
    WINDOW_FRAMES,
    CanonicalWindow,
    WindowCutter,
    canonical_windows,
)
from vidigree.detect.classifier.extraction import Block, block_features
from vidigree.detect.classifier.features import feature_groups
from vidigree.media.frame import Frame
from vidigree.media.reading import open_video

BLOCKS = tuple(Block("resized", name) for name in feature_groups)


def _windows(path: Path) -> list[CanonicalWindow]:
    with open_video(path) as reader:
        return list(canonical_windows(reader))


def _features(path: Path) -> np.ndarray:
    return np.stack([block_features(window, BLOCKS) for window in _windows(path)])


@pytest.fixture(scope="module")
def features(texture_clip: Path) -> np.ndarray:
    """Return the features of the clip as it was written."""
    return _features(texture_clip)


def _remux(source: Path, target: Path, *, tags: dict[str, str], sound: bool) -> Path:
    """Copy the coded pictures into another container with other facts around them."""
    with av.open(str(source)) as given, av.open(str(target), "w") as made:
        picture = given.streams.video[0]
        copy = made.add_stream_from_template(picture)
        tone = made.add_stream("aac", rate=48000, layout="mono") if sound else None
        made.metadata.update(tags)
        for packet in given.demux(picture):
            if packet.dts is not None:
                packet.stream = copy
                made.mux(packet)
        if tone is not None:
            silence = av.AudioFrame.from_ndarray(
                np.zeros((1, 1024), np.float32), format="fltp", layout="mono"
            )
            silence.rate = 48000
            made.mux(tone.encode(silence))
            made.mux(tone.encode(None))
    return target


@pytest.mark.parametrize(
    ("suffix", "tags", "sound"),
    [
        (".mkv", {"title": "a"}, False),
        (".mp4", {"title": "made by a generator", "comment": "x" * 5000}, True),
        (".mov", {}, True),
        (".mkv", {}, True),
    ],
)
def test_remux_tags_and_sound_change_no_feature(
    texture_clip: Path,
    features: np.ndarray,
    tmp_path: Path,
    suffix: str,
    tags: dict[str, str],
    sound: bool,
) -> None:
    other = _remux(texture_clip, tmp_path / f"other{suffix}", tags=tags, sound=sound)
    assert other.read_bytes() != texture_clip.read_bytes()
    np.testing.assert_array_equal(features, _features(other))


def test_the_name_and_the_place_of_a_file_change_no_feature(
    texture_clip: Path, features: np.ndarray, tmp_path: Path
) -> None:
    other = tmp_path / "synthetic generated veo sora.mp4"
    other.write_bytes(texture_clip.read_bytes())
    np.testing.assert_array_equal(features, _features(other))


def test_frame_rate_that_shows_the_same_moments_changes_no_window() -> None:
    slow, fast = (
        list(canonical_windows(moving_texture(fps=fps, count=2 * fps))) for fps in (8, 24)
    )
    assert slow == fast


def test_letterbox_changes_no_window() -> None:
    plain = list(moving_texture())
    barred = []
    for frame in plain:
        image = np.zeros((300, 320, 3), np.uint8)
        image[30:270] = frame.image
        barred.append(Frame(image=image, time=frame.time))
    first, second = (next(canonical_windows(frames)) for frames in (plain, barred))
    assert first.views == second.views


def test_length_changes_no_window() -> None:
    short = next(canonical_windows(moving_texture(count=48)))
    long = next(canonical_windows(moving_texture(count=200)))
    assert short == long


def test_windows_are_two_seconds_and_rests_are_dropped() -> None:
    windows = list(canonical_windows(moving_texture(count=24 * 5)))
    assert [(w.start, w.end, w.num_frames) for w in windows] == [
        (0.0, 2.0, WINDOW_FRAMES),
        (2.0, 4.0, WINDOW_FRAMES),
        (4.0, 5.0, 8),
    ]
    assert len(list(canonical_windows(moving_texture(count=24 * 2 + 12)))) == 1


def test_every_other_window_of_a_long_clip() -> None:
    windows = list(canonical_windows(moving_texture(count=24 * 8), every=2))
    assert [w.start for w in windows] == [0.0, 4.0]


@pytest.mark.parametrize(
    ("blank", "every", "past"),
    [(30, 1, (1.25, 2.875)), (50, 1, (2.125, 2.875)), (30, 2, (1.25, 2.0)), (48, 2, None)],
)
def test_a_blank_beginning_can_be_left_out_of_the_last_window(
    blank: int, every: int, past: tuple[float, float] | None
) -> None:
    """Of every other window the frames after the first are not at hand."""
    frames = [
        Frame(image=frame.image * (index >= blank), time=frame.time)
        for index, frame in enumerate(moving_texture(count=68 if every == 1 else 116))
    ]
    cutter = WindowCutter(every=every)
    windows = [window for frame in frames for window in cutter.feed(frame)]
    windows += cutter.finish()
    assert windows == list(canonical_windows(frames, every=every))
    assert [window.has_detail for window in windows] == [False]
    window = cutter.past_blank()
    assert (None if window is None else (window.start, window.end)) == past


def test_windows_without_views_still_say_what_the_pictures_were_like() -> None:
    (window,) = canonical_windows(moving_texture(count=40), kinds=())
    assert window.views == {}
    assert window.quality is not None


def test_nothing_is_made_of_too_little() -> None:
    tiny = moving_texture(width=SMALLEST_SIDE, height=SMALLEST_SIDE)
    assert list(canonical_windows(tiny)) == []
    assert list(canonical_windows(moving_texture(count=8))) == []
    one = Frame(image=np.zeros((1, 1, 3), np.uint8), time=Fraction(0))
    assert list(canonical_windows([one])) == []
