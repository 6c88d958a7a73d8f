from collections.abc import Callable
from fractions import Fraction

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.media.frame import Frame
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import RobustMark
from vidigree.watermark.robust.frontend import working_luma
from vidigree.watermark.robust.scenes import SceneStarts, opening_share, thumbnail_of
from vidigree.watermark.robust.stretches import StretchReader, parts_of, weighted_lumas

Frames = list[NDArray[np.uint8]]
FPS = Fraction(24)


def _starts(frames: Frames) -> list[int]:
    scenes = SceneStarts()
    return [i for i, frame in enumerate(frames) if scenes.feed(working_luma(frame, 256))]


def test_a_scene_begins_at_the_first_frame_and_at_a_cut(textured: Callable[..., Frames]) -> None:
    frames = textured(256, 384, 10, seed=1) + textured(256, 384, 6, seed=2)
    assert _starts(frames) == [0, 10]


def test_fading_and_flat_frames_begin_no_scene(textured: Callable[..., Frames]) -> None:
    clip = textured(256, 384, 12, seed=1)
    dimmed = [(frame * (1 - 0.07 * i)).astype(np.uint8) for i, frame in enumerate(clip)]
    assert _starts(dimmed) == [0]
    rng = np.random.default_rng(4)
    flat = [rng.integers(127, 130, (256, 256, 3)).astype(np.uint8) for _ in range(5)]
    assert _starts(flat) == [0]


@pytest.mark.parametrize(
    ("size", "between"),
    [((540, 960), (256, 455)), ((37, 1100), (24, 713)), ((256, 300), (256, 300))],
)
def test_a_thumbnail_is_what_shrinking_twice_leaves(
    size: tuple[int, int], between: tuple[int, int]
) -> None:
    picture = np.random.default_rng(1).uniform(0, 255, size).astype(np.float32)
    twice = cv2.resize(picture, between[::-1], interpolation=cv2.INTER_AREA)
    twice = cv2.resize(twice, (24, 24), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(thumbnail_of(picture, between), twice, rtol=1e-4)


def test_the_first_frame_of_a_scene_is_marked_more_strongly(
    textured: Callable[..., Frames],
) -> None:
    frames = textured(256, 384, 16, seed=1) + textured(256, 384, 16, seed=2)
    marked = list(RobustMark().embed(frames, 5, key=PUBLISHED_KEY, fps=FPS))
    power = [
        float(np.mean((m.astype(float) - f) ** 2)) for f, m in zip(frames, marked, strict=True)
    ]
    assert power[0] > 2 * power[10]
    assert power[16] > 2 * power[26]
    assert [round(opening_share(n), 2) for n in (0, 1, 9)] == [1.0, 0.14, 0.0]


def test_openings_are_read_apart(textured: Callable[..., Frames]) -> None:
    reader = StretchReader(FPS)
    frames = textured(256, 384, 18, seed=1) + textured(256, 384, 6, seed=2)
    fed = [reader.feed(Frame(image=image, time=Fraction(0))) for image in frames]
    stretches = [stretch for stretch in fed if stretch is not None]
    assert [len(one.openings) for one in stretches] == [1, 1]
    assert [len(one.means) for one in stretches] == [1, 2]
    assert len(parts_of(stretches)) == 5
    # After strong compression an opening holds more than all that follow it.
    assert [weight for weight, _ in parts_of(stretches)] == [1.0, 2.5, 1.0, 1.0, 2.5]
    assert [weight for weight, _ in weighted_lumas(stretches)] == [1.0, 2.5, 1.0, 1.0, 2.5]


@pytest.mark.parametrize("size", [(540, 960), (211, 320), (1024, 1200)])
def test_the_mean_of_a_stretch_is_that_of_its_frames_at_the_working_size(
    size: tuple[int, int],
) -> None:
    rng = np.random.default_rng(3)
    base = rng.integers(0, 200, (*size, 3))
    frames = [(base + rng.integers(0, 55, (*size, 3))).astype(np.uint8) for _ in range(12)]
    reader = StretchReader(FPS)
    [stretch] = [
        one
        for image in frames
        if (one := reader.feed(Frame(image=image, time=Fraction(0)))) is not None
    ]
    expected = 64 * np.mean([working_luma(image, 256) for image in frames[::2]], axis=0)
    assert np.abs(stretch.means[0] - expected).max() <= 0.51
    opening = 64 * working_luma(frames[0], 256)
    assert np.abs(stretch.openings[0] - opening).max() <= 0.51


def test_frames_of_another_size_begin_another_stretch(textured: Callable[..., Frames]) -> None:
    frames = textured(256, 384, 18, seed=1) + textured(512, 600, 9, seed=2)
    reader = StretchReader(FPS)
    fed = [reader.feed(Frame(image=image, time=at / FPS)) for at, image in enumerate(frames)]
    stretches = [stretch for stretch in [*fed, reader.finish()] if stretch is not None]
    assert [one.source for one in stretches] == [(256, 384), (256, 384), (512, 600)]
    assert [round(one.end * 24) for one in stretches] == [12, 18, 27]
    marked = list(RobustMark().embed(frames[:18], 5, key=PUBLISHED_KEY, fps=FPS))
    reading = RobustMark().detect([*marked, *frames[18:]], keys=[PUBLISHED_KEY], fps=FPS)
    assert reading.message == 5
    assert [(part.start, part.end) for part in reading.segments] == [(0.0, 0.75)]


def test_a_clip_of_nothing_but_openings_is_read_by_a_few(textured: Callable[..., Frames]) -> None:
    frames = [textured(256, 384, 1, seed=seed)[0] for seed in range(24)]
    marked = list(RobustMark().embed(frames, 5, key=PUBLISHED_KEY, fps=FPS))
    reader = StretchReader(FPS)
    fed = [reader.feed(Frame(image=image, time=Fraction(0))) for image in marked]
    stretches = [stretch for stretch in fed if stretch is not None]
    assert [stretch.frames for stretch in stretches] == [6, 6]
    assert [len(stretch.openings) for stretch in stretches] == [3, 3]
    assert len(parts_of(stretches)) == 12
    assert RobustMark().detect(marked, keys=[PUBLISHED_KEY], fps=FPS).message == 5
