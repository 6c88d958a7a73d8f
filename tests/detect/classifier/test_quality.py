"""What the pictures are like decides whether the classifier answers."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fixtures.drawings import cartoon, screen
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier import ABSTENTIONS, score_video
from vidigree.detect.classifier.laundering import Encode, Laundering, launder
from vidigree.detect.classifier.quality import Quality, mean_quality, measure_quality, outside_range

CAMERA = Quality(flat=0.1, colours=80.0, sharpness=0.1, still=0.1, smooth=0.2, blockiness=1.0)


@pytest.mark.parametrize(("reason", "frames"), [("drawing", cartoon()), ("screen", screen())])
def test_abstains_on_what_no_camera_took(tmp_path: Path, reason: str, frames) -> None:
    reading = score_video(write_clip(tmp_path / "clip.mp4", frames))
    assert (reading.status, reading.reason) == ("abstained", reason)
    assert reason in ABSTENTIONS


def test_a_textured_clip_is_in_range() -> None:
    images = [frame.image for frame in moving_texture(count=4)]
    assert outside_range(measure_quality(images)) == ""
    assert outside_range(CAMERA) == ""


def test_a_hard_encode_is_told_by_its_pixels() -> None:
    def measured(crf: int) -> Quality:
        chain = Laundering(name="x", encodes=(Encode("libx264", crf),))
        images = [f.image for f in launder(moving_texture(count=12), chain, fps=Fraction(24))]
        return measure_quality(images)

    fine, coarse = measured(18), measured(51)
    assert coarse.blockiness > fine.blockiness + 0.1
    assert coarse.smooth > fine.smooth


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"flat": 0.7, "colours": 10.0, "sharpness": 0.2}, "drawing"),
        ({"flat": 0.7, "colours": 10.0, "sharpness": 0.01}, ""),
        ({"flat": 0.7}, ""),
        ({"still": 0.95, "sharpness": 0.6}, "screen"),
        ({"still": 0.95}, ""),
        ({"still": 0.8, "blockiness": 1.4}, "too-compressed"),
        ({"blockiness": 1.4}, ""),
        ({"still": 0.76, "blockiness": 1.25}, ""),  # a clip of the renderer on marble
    ],
)
def test_one_odd_measure_is_no_reason(change: dict[str, float], reason: str) -> None:
    assert outside_range(replace(CAMERA, **change)) == reason
    assert reason == "" or reason in ABSTENTIONS


def test_measures_are_what_they_say() -> None:
    flat = measure_quality([np.full((64, 64, 3), 90, np.uint8)] * 2)
    assert (flat.flat, flat.colours, flat.sharpness, flat.smooth) == (1.0, 1.0, 0.0, 1.0)
    steps = np.zeros((64, 64, 3), np.uint8)
    steps[:, 20:] = 200
    assert measure_quality([steps, steps]).sharpness == 1.0
    assert measure_quality([steps, steps]).still == 1.0
    assert measure_quality([steps, 255 - steps]).still == 0.0
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    assert measure_quality([noise, noise]).colours > 1000
    assert mean_quality([flat, measure_quality([noise, noise])]).flat == 0.5
