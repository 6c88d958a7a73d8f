"""Cuts are found, windows keep to one shot, and what stands out is where it was put."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier import score_video
from vidigree.detect.classifier.canonical import canonical_windows
from vidigree.detect.classifier.commands import classifier
from vidigree.detect.classifier.extraction import Block, block_features
from vidigree.detect.classifier.features.palette import Palette
from vidigree.detect.classifier.geometry import Box
from vidigree.detect.classifier.heat_map import (
    CELLS,
    HeatMap,
    cells_of_tiles,
    draw_heat_map,
    tile_boxes,
)
from vidigree.detect.classifier.localisation import draw_localisation, locate
from vidigree.detect.classifier.sampling import nearest_frames
from vidigree.detect.classifier.shots import shots
from vidigree.detect.classifier.time_curve import (
    CurvePoint,
    curve_step,
    shot_windows,
    stretches,
)
from vidigree.media.errors import UsageError
from vidigree.media.reading import Frame


def _two_shots() -> Iterator[Frame]:
    """Three seconds of one texture, then two of another that is darker."""
    after = (
        Frame(image=frame.image // 2, time=frame.time + 3)
        for frame in moving_texture(count=48, seed=5)
    )
    return chain(moving_texture(count=72, seed=1), after)


def _interrupted() -> Iterator[Frame]:
    """Two seconds of a slow texture, two of a darker one, two of the first from where it was."""
    first = [frame.image for frame in moving_texture(count=96, fps=72, seed=1)]
    other = [frame.image // 2 for frame in moving_texture(count=48, seed=5)]
    for index, image in enumerate([*first[:48], *other, *first[48:]]):
        yield Frame(image=image, time=Fraction(index, 24))


def _points(*parts: tuple[float, int], takes: Sequence[int] | None = None) -> list[CurvePoint]:
    """Windows a second apart, each two seconds long; every shot a take unless ``takes`` says."""
    return [
        CurvePoint(
            start=float(index),
            end=index + 2.0,
            shot=shot,
            take=shot if takes is None else takes[shot],
            llr=llr,
        )
        for index, (llr, shot) in enumerate(parts)
    ]


def test_a_cut_is_found_where_it_is() -> None:
    found = list(shots(nearest_frames(_two_shots())))
    assert next(part.sample.tick for part in found if part.shot == 1) == 24
    assert {(part.shot, part.take) for part in found} == {(0, 0), (1, 1)}


def test_motion_and_repeated_frames_are_no_cut() -> None:
    assert {part.shot for part in shots(nearest_frames(moving_texture(count=96)))} == {0}
    slow = nearest_frames(moving_texture(fps=2, count=8))
    assert {part.shot for part in shots(slow)} == {0}


def test_a_shot_that_goes_on_after_another_is_of_one_take() -> None:
    found = list(shots(nearest_frames(_interrupted())))
    assert {(part.shot, part.take) for part in found} == {(0, 0), (1, 1), (2, 0)}
    assert [sum(part.shot == shot for part in found) for shot in (0, 1, 2)] == [16, 16, 16]
    windows = shot_windows(_interrupted(), kinds=())
    assert [(part.shot, part.take) for part in windows] == [(0, 0), (1, 1), (2, 0)]


def test_dark_scenes_are_not_of_one_take_for_being_dark() -> None:
    """Their small pictures differ by less than a cut does; what they show tells them apart."""

    def scenes() -> Iterator[Frame]:
        bright = moving_texture(count=24, seed=2)
        for number, (seed, darker) in enumerate(((1, 12), (2, 1), (5, 12))):
            frames = bright if seed == 2 else moving_texture(count=24, seed=seed)
            for frame in frames:
                yield Frame(image=frame.image // darker, time=frame.time + number)

    found = {(part.shot, part.take) for part in shots(nearest_frames(scenes()))}
    assert found == {(0, 0), (1, 1), (2, 2)}


def test_no_window_mixes_two_shots() -> None:
    found = [
        (part.shot, part.window.start, part.window.end)
        for part in shot_windows(_two_shots(), kinds=("resized",))
    ]
    assert found == [(0, 0.0, 2.0), (0, 1.0, 3.0), (1, 3.0, 5.0)]


def test_windows_that_are_made_are_not_made_again() -> None:
    """Those of the same samples; what is made beside them is the same with and without."""
    kinds = ("resized",)
    made = list(canonical_windows(_two_shots(), kinds=kinds))
    assert [(window.start, window.end) for window in made] == [(0, 2), (2, 4), (4, 5)]
    found = list(shot_windows(_two_shots(), kinds=kinds, made=made))
    plain = list(shot_windows(_two_shots(), kinds=kinds))
    assert [part.window is made[0] for part in found] == [True, False, False]
    assert [part.window.views for part in found] == [part.window.views for part in plain]
    assert [len(part.samples) for part in found] == [16, 16, 16]
    further = shot_windows(_two_shots(), kinds=("native", "resized"), made=made)
    assert next(further).window is not made[0]


def test_features_of_a_window_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    (window,) = canonical_windows(moving_texture(count=48), kinds=("resized",))
    block = Block("resized", "palette")
    first = block_features(window, [block])
    with monkeypatch.context() as patched:
        patched.setattr(Palette, "extract", None)
        again = block_features(window, [block])
    assert np.array_equal(first, again)
    both = block_features(window, [block, Block("resized", "spacetime")])
    assert np.array_equal(both[: len(first)], first)
    assert len(both) > len(first)


def test_long_clips_take_longer_steps() -> None:
    assert curve_step(0) == curve_step(100) == 8
    assert curve_step(3600) == 8 * 30
    frames = moving_texture(fps=8, count=8 * 9, width=160, height=120)
    starts = [p.window.start for p in shot_windows(frames, kinds=("resized",), step=32)]
    assert starts == [0.0, 4.0, 8.0]


def test_a_shot_that_speaks_for_synthesis_is_a_stretch() -> None:
    points = _points((-2, 0), (-1, 0), (3, 1), (2, 1), (-2, 2), (-1, 2))
    (found,) = stretches(points)
    assert (found.start, found.end) == (2.0, 5.0)
    assert found.llr == pytest.approx(2.5)


def test_one_odd_window_inside_a_shot_is_no_stretch() -> None:
    assert stretches(_points((-2, 0), (-1, 0), (1.5, 0), (-2, 0), (-1, 0))) == ()
    assert stretches([]) == ()


def test_a_scene_that_is_only_unlike_the_others_is_no_stretch() -> None:
    """As two cameras are; the others' level tips the balance where there is hardly any."""
    around = [0, 1, 0]
    assert stretches(_points((-2.3, 0), (-2.3, 0), (0.2, 1), (-2.3, 2), takes=around)) == ()
    (found,) = stretches(_points((-2.3, 0), (-2.3, 0), (0.7, 1), (-2.3, 2), takes=around))
    assert (found.start, found.end) == (2.0, 4.0)
    assert stretches(_points((0, 0), (0, 0), (0.7, 1), (0, 2), takes=around)) == ()


def test_most_of_a_clip_is_named_only_where_the_whole_speaks_for_it() -> None:
    """What is put into a clip is the smaller part of it."""
    around = [0, 1, 0]
    smaller = _points((0, 0), (0, 0), (1.5, 1), (0, 2), (0, 2), takes=around)
    assert [(part.start, part.end) for part in stretches(smaller)] == [(2.0, 4.0)]
    larger = _points((2.4, 0), (2.4, 0), (-1, 1), (2.4, 2), (2.4, 2), takes=around)
    assert stretches(larger) == ()
    surer = _points((3.4, 0), (3.4, 0), (-1, 1), (3.4, 2), (3.4, 2), takes=around)
    assert [(part.start, part.end) for part in stretches(surer)] == [(0.0, 3.0), (3.0, 6.0)]
    # As shots that do not go on with one another, each is a smaller part.
    apart = _points((2.4, 0), (2.4, 0), (-1, 1), (2.4, 2), (2.4, 2))
    assert len(stretches(apart)) == 2


def test_of_many_parts_one_must_stand_higher() -> None:
    few = _points((-0.5, 0), (-0.5, 0), (1.5, 1), (-0.5, 2), takes=[0, 1, 0])
    many = _points((-0.5, 0), (-0.5, 0), (1.5, 1), *((-0.5, shot) for shot in range(2, 8)))
    assert len(stretches(few)) == 1
    assert stretches(many) == ()


def test_an_even_clip_is_one_stretch_or_none() -> None:
    (found,) = stretches(_points((2.5, 0), (1.5, 0), (2.5, 0)))
    assert (found.start, found.end) == (0.0, 4.0)
    assert stretches(_points((2, 0), (1, 0)), threshold=3.0) == ()


def test_tiles_cover_the_picture_and_cells_average_them() -> None:
    boxes = tile_boxes(Box(10, 90, 0, 160))
    assert len(boxes) == 9
    assert (boxes[0], boxes[-1]) == (Box(10, 50, 0, 80), Box(50, 90, 80, 160))
    tiles = np.zeros((CELLS - 1, CELLS - 1))
    tiles[0, 0] = 4.0
    cells = np.array(cells_of_tiles(tiles))
    assert cells.shape == (CELLS, CELLS)
    assert cells[0, 0] == 4.0
    assert cells[1, 1] == 1.0
    assert cells[2:].max() == cells[:, 2:].max() == 0.0


def test_the_map_is_red_where_it_speaks_for_synthesis() -> None:
    cells = tuple(tuple(6.0 if column < 2 else -6.0 for column in range(4)) for _ in range(4))
    found = HeatMap(start=0, end=2, box=(0.0, 1.0, 0.0, 1.0), cells=cells)
    drawn = draw_heat_map(np.full((80, 120, 3), 128, np.uint8), found).astype(int)
    assert (drawn[:, :30, 0] > drawn[:, :30, 2] + 50).all()
    assert (drawn[:, 90:, 2] > drawn[:, 90:, 0] + 50).all()


@pytest.mark.slow
def test_score_says_where_when_asked(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", moving_texture(count=48))
    assert score_video(clip).where is None
    picture = tmp_path / "where.png"
    done = CliRunner().invoke(classifier, ["score", "--json", "--picture", str(picture), str(clip)])
    assert done.exit_code == 0, done.output
    where = json.loads(done.output)["where"]
    assert [(point["start"], point["end"]) for point in where["curve"]] == [(0.0, 2.0)]
    assert np.array(where["heat_map"]["cells"]).shape == (CELLS, CELLS)
    drawn = cv2.imread(str(picture))
    assert drawn is not None
    assert drawn.shape[0] > 240
    assert drawn.shape[1] == 320
    labels = drawn[-14:] < 180
    seconds = np.flatnonzero(labels.any(axis=(0, 2)))
    assert set(seconds // 80) == {0, 2, 3}  # at 0 s, 1 s and, moved inside, 2 s


@pytest.mark.slow
def test_what_was_put_into_the_picture_is_said_and_outlined(tmp_path: Path) -> None:
    """A still band of another texture over a moving one, five eighths of the width."""

    def put(kind: str) -> Path:
        frames = []
        patch = next(moving_texture(width=200, height=120, seed=9)).image
        for frame in moving_texture(count=48):
            image = frame.image.copy()
            if kind == "pasted":
                image[60:180, 60:260] = patch
            frames.append(Frame(image=image, time=frame.time))
        return write_clip(tmp_path / f"{kind}.mp4", iter(frames))

    whole = locate(put("whole"))
    assert whole is not None
    assert whole.region is None
    clip = put("pasted")
    where = locate(clip)
    assert where is not None
    assert where.region is not None
    assert where.region.box == pytest.approx((60 / 240, 180 / 240, 60 / 320, 260 / 320), abs=0.01)
    drawn = draw_localisation(clip, where)
    bare = draw_localisation(clip, replace(where, region=None))
    changed = np.argwhere((drawn != bare).any(axis=2))
    assert changed.min(axis=0) == pytest.approx((60, 60), abs=4)
    assert changed.max(axis=0) == pytest.approx((180, 260), abs=4)
    done = CliRunner().invoke(classifier, ["score", "--where", str(clip)])
    assert "19% to 81% from the left, 25% to 75% from the top" in done.output


def test_one_picture_shows_one_file() -> None:
    done = CliRunner().invoke(classifier, ["score", "--picture", "a.png", "a.mp4", "b.mp4"])
    assert isinstance(done.exception, UsageError)
    assert "shows one file" in str(done.exception)


def test_a_picture_replaces_no_file_unasked_and_never_the_clip(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", moving_texture(count=48))
    before = clip.read_bytes()
    other = tmp_path / "other.png"
    other.write_bytes(b"somebody's")

    def refused(*arguments: str | Path) -> str:
        done = CliRunner().invoke(classifier, ["score", str(clip), *map(str, arguments)])
        assert done.exception is not None
        return str(done.exception)

    assert "exists already" in refused("--picture", other)
    assert "is the clip itself" in refused("--picture", clip, "--overwrite")
    assert "no folder" in refused("--picture", tmp_path / "nosuch" / "a.png")
    assert (clip.read_bytes(), other.read_bytes()) == (before, b"somebody's")


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    black = [
        Frame(image=np.zeros((240, 320, 3), np.uint8), time=Fraction(index, 24))
        for index in range(48)
    ]
    clip, picture = write_clip(tmp_path / "black.mp4", iter(black)), tmp_path / "where.png"
    done = CliRunner().invoke(classifier, ["score", str(clip), "--picture", str(picture)])
    assert done.exit_code == 0
    assert "nothing to draw" in done.output
    assert not picture.exists()


@pytest.mark.slow
def test_a_blank_shot_has_no_place_in_the_curve_which_ends_with_the_clip(tmp_path: Path) -> None:
    def at(frames: Iterator[Frame], start: int) -> list[Frame]:
        return [
            Frame(image=frame.image, time=Fraction(start + index, 24))
            for index, frame in enumerate(frames)
        ]

    blank = (Frame(image=np.zeros((240, 320, 3), np.uint8), time=Fraction(0)) for _ in range(36))
    frames = [
        *at(moving_texture(count=36, seed=1), 0),
        *at(blank, 36),
        *at(moving_texture(count=40, seed=5), 72),
    ]
    where = locate(write_clip(tmp_path / "clip.mp4", iter(frames)))
    assert where is not None
    assert [point.shot for point in where.curve] == [0, 2]
    assert where.curve[-1].end == pytest.approx(112 / 24, abs=1e-3)


def test_a_tiny_clip_has_a_curve_and_no_map(tmp_path: Path) -> None:
    frames = (
        Frame(image=frame.image, time=Fraction(frame.time))
        for frame in moving_texture(width=110, height=110, count=30)
    )
    where = score_video(write_clip(tmp_path / "tiny.mp4", frames), where=True).where
    assert where is not None
    assert where.heat_map is None
    assert where.curve
