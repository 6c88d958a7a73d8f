"""The reader sees what is there, misses nothing silently, and says when it cannot tell."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.generate import ClipRequest, check_clip, engine_registry
from vidigree.generate.checking import write_check
from vidigree.media import VideoWriter


def write(path: Path, frames: list[NDArray[np.uint8]]) -> Path:
    height, width = frames[0].shape[:2]
    with VideoWriter(path, width=width, height=height, fps=Fraction(12)) as video:
        for frame in frames:
            video.write(frame)
    return path


def discs(path: Path, colour: tuple[int, int, int], count: int, shift: int = 0) -> Path:
    frames = []
    for moment in range(8):
        frame = np.full((96, 160, 3), 128, np.uint8)
        for k in range(count):
            cv2.circle(frame, (30 + 40 * k + shift * moment, 50), 12, colour, -1)
        frames.append(frame)
    return write(path, frames)


def answers(path: Path, prompt: str) -> dict[str, bool | None]:
    return {claim.about: claim.holds for claim in check_clip(path, prompt).claims}


def test_right_and_wrong_colours(tmp_path: Path) -> None:
    clip = discs(tmp_path / "clip.mp4", (210, 20, 20), 2)
    assert answers(clip, "two red balls") == {"colour": True, "count": True}
    assert answers(clip, "two blue balls")["colour"] is False
    assert answers(clip, "three red balls")["count"] is False


@pytest.mark.parametrize(
    ("shift", "asked", "holds"),
    [(5, "right", True), (5, "left", False), (-3, "left", True), (0, "left", False)],
)
def test_direction(tmp_path: Path, shift: int, asked: str, holds: bool) -> None:
    clip = discs(tmp_path / "clip.mp4", (20, 30, 210), 1, shift)
    assert answers(clip, f"a blue ball rolling {asked}")["direction"] is holds


def test_what_cannot_be_seen_is_not_called_fine(tmp_path: Path) -> None:
    clip = discs(tmp_path / "clip.mp4", (210, 20, 20), 1)
    for prompt in ("a grey ball", "a red ball on a wooden floor", "a striped red ball"):
        report = check_clip(clip, prompt)
        assert report.holds is None
        assert report.claims[0].reason
    assert check_clip(clip, "a ball").claims == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    "prompt",
    [
        "two red balls rolling left on concrete",
        "a blue cube sliding right on snow",
        "three green balls bouncing on tiles",
    ],
)
def test_the_renderer_draws_what_it_was_asked(tmp_path: Path, prompt: str) -> None:
    request = ClipRequest(prompt=prompt, width=192, height=144, num_frames=36, seed=2)
    clip = engine_registry.get("render")().generate(request)
    report = check_clip(write(tmp_path / "clip.mp4", list(clip.frames)), prompt)
    assert report.holds is True, report.summary()


def test_report_is_kept_beside_the_clip(tmp_path: Path) -> None:
    clip = discs(tmp_path / "clip.mp4", (210, 20, 20), 1)
    path = write_check(check_clip(clip, "a red ball"))
    assert path.name == "clip.check.json"
    assert '"holds": true' in path.read_text()
