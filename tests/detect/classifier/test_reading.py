from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fixtures.drawings import cartoon, screen
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier import ABSTENTIONS, ClipScorer, score_video, shipped_model
from vidigree.detect.classifier import reading as reading_module
from vidigree.detect.classifier.commands import classifier
from vidigree.media.errors import MediaNotFoundError, NotAVideoError
from vidigree.media.frame import Frame
from vidigree.media.reading import open_video


def test_shipped_weights_are_small_and_score(texture_clip: Path) -> None:
    reading = score_video(texture_clip)
    assert reading.status == "scored"
    assert reading.llr is not None
    assert reading.probability == pytest.approx(1 / (1 + np.exp(-reading.llr)))
    assert reading.likely_synthetic == (reading.llr > reading.threshold)
    assert [(w.start, w.end) for w in reading.windows] == [(0.0, 2.0)]
    assert reading.model_id == shipped_model().model_id
    assert json.loads(json.dumps(reading.to_dict()))["status"] == "scored"


def test_score_is_the_same_twice(texture_clip: Path) -> None:
    assert score_video(texture_clip) == score_video(texture_clip)


@pytest.mark.slow
@pytest.mark.parametrize("fps", [8, 7])
def test_windows_are_bounded_where_the_container_does_not_say_how_long_the_clip_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fps: int
) -> None:
    monkeypatch.setattr(reading_module, "_MOST_WINDOWS", 2)
    frames = moving_texture(width=160, height=160, fps=fps, count=18 * fps)
    path = write_clip(tmp_path / "long.mp4", frames, fps=fps)
    with open_video(path) as reader:
        scorer = ClipScorer(replace(reader.info, duration=None))
        for frame in reader:
            scorer.feed(frame)
    starts = [window.start for window in scorer.finish().windows]
    assert starts == [0, 8, 16]  # of nine windows: those of an even step, less than four


@pytest.mark.parametrize(
    ("reason", "frames", "fps"),
    [
        ("too-short", moving_texture(count=8), 24),
        ("too-small", moving_texture(width=64, height=64), 24),
        (
            "too-little-detail",
            (
                Frame(image=np.full((240, 320, 3), 90, np.uint8), time=Fraction(i, 24))
                for i in range(48)
            ),
            24,
        ),
        ("repeated-frames", moving_texture(fps=2, count=6), 2),
    ],
)
def test_abstains_with_the_reason(tmp_path: Path, reason: str, frames, fps: int) -> None:
    reading = score_video(write_clip(tmp_path / "clip.mp4", frames, fps=fps))
    assert (reading.status, reading.reason) == ("abstained", reason)
    assert reason in ABSTENTIONS
    assert reading.llr is None
    assert not reading.likely_synthetic


def after(start: np.ndarray, frames: Iterable[Frame], *, count: int, fps: int = 24) -> Iterator:
    """Yield a still picture, then the others."""
    yield from (Frame(image=start, time=Fraction(i, fps)) for i in range(count))
    for frame in frames:
        yield Frame(image=frame.image, time=Fraction(count, fps) + frame.time)


BLACK = np.zeros((240, 320, 3), np.uint8)
RAMP = np.repeat(np.tile(np.linspace(40, 200, 320).astype(np.uint8), (240, 1))[..., None], 3, 2)


@pytest.mark.parametrize(
    ("blank", "count", "judged"),
    [
        (1, 60, [(0.125, 2.125)]),
        (24, 18, [(1.0, 1.75)]),
        (24, 72, [(2.0, 4.0)]),
        (54, 13, [(2.25, 2.875)]),
        (60, 18, [(2.5, 3.25)]),
    ],
)
def test_a_clip_that_begins_black_is_judged_on_the_rest(
    tmp_path: Path, blank: int, count: int, judged: list[tuple[float, float]]
) -> None:
    frames = after(BLACK, moving_texture(count=count), count=blank)
    reading = score_video(write_clip(tmp_path / "clip.mp4", frames))
    assert (reading.status, reading.reason) == ("scored", "")
    assert [(window.start, window.end) for window in reading.windows] == judged


@pytest.mark.slow
def test_a_clip_that_begins_black_is_searched_like_any_other(tmp_path: Path) -> None:
    frames = after(BLACK, moving_texture(count=18), count=24)
    where = score_video(write_clip(tmp_path / "clip.mp4", frames), where=True).where
    assert where is not None
    assert where.curve[0].start == 1


def test_what_comes_after_a_blank_is_judged_as_if_nothing_came_before(tmp_path: Path) -> None:
    plain = write_clip(tmp_path / "plain.mp4", moving_texture(count=44))
    late = write_clip(tmp_path / "late.mp4", after(BLACK, moving_texture(count=44), count=12))
    assert score_video(late).llr == pytest.approx(score_video(plain).llr, abs=0.1)


@pytest.mark.parametrize(
    ("start", "frames", "reason"),
    [
        (BLACK, moving_texture(count=8), "too-little-detail"),  # a third of a second
        (np.zeros((360, 480, 3), np.uint8), cartoon(count=40), "drawing"),
        (np.zeros((480, 640, 3), np.uint8), screen(count=40), "screen"),
        (RAMP, moving_texture(count=24), "too-little-detail"),  # faint, not blank
    ],
    ids=["short", "cartoon", "screen", "faint"],
)
def test_what_cannot_be_judged_cannot_after_a_blank_either(
    tmp_path: Path, start: np.ndarray, frames: Iterator[Frame], reason: str
) -> None:
    reading = score_video(write_clip(tmp_path / "clip.mp4", after(start, frames, count=24)))
    assert (reading.status, reading.reason) == ("abstained", reason)


def test_blank_windows_do_not_make_a_drawing_of_the_others(tmp_path: Path) -> None:
    """Seven black seconds are flat and of one colour, and no drawing."""
    rng = np.random.default_rng(3)
    squares = np.kron(rng.integers(40, 216, (40, 66)), np.ones((6, 6))).astype(np.uint8)
    frames = (
        Frame(image=np.dstack([squares[:, i : i + 320]] * 3), time=Fraction(i, 24))
        for i in range(72)
    )
    reading = score_video(write_clip(tmp_path / "clip.mp4", after(BLACK, frames, count=168)))
    assert (reading.status, reading.reason) == ("scored", "")


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("not a video")
    with pytest.raises(NotAVideoError):
        score_video(tmp_path / "text.mp4")
    with pytest.raises(MediaNotFoundError):
        score_video(tmp_path / "none.mp4")


def test_p_value_counts_held_out_reals() -> None:
    model = shipped_model()
    count = len(model.reals)
    assert model.p_value(1e9) == 1 / (count + 1)
    assert model.p_value(-1e9) == 1.0
    assert model.p_value(model.header.threshold) <= model.header.false_alarms + 1 / (count + 1)


def test_command_goes_on_after_a_file_that_cannot_be_read(
    tmp_path: Path, texture_clip: Path
) -> None:
    files = [str(tmp_path / "none.mp4"), str(texture_clip)]
    done = CliRunner().invoke(classifier, ["score", "--json", *files])
    assert done.exit_code == MediaNotFoundError.exit_code
    assert done.stderr.count("\n") == 1
    assert "There is no file" in done.stderr
    (row,) = done.stdout.splitlines()
    assert json.loads(row)["file"] == str(texture_clip)


def test_command_scores_and_prints_json(texture_clip: Path) -> None:
    done = CliRunner().invoke(classifier, ["score", "--json", str(texture_clip)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["model_id"] == shipped_model().model_id
    plain = CliRunner().invoke(classifier, ["score", str(texture_clip)])
    assert "log-likelihood ratio" in plain.output
