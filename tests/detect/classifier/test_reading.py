from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from fixtures.textures import moving_texture, write_clip

from vidigree.detect.classifier import ABSTENTIONS, score_video, shipped_model
from vidigree.detect.classifier.commands import classifier
from vidigree.media.errors import MediaNotFoundError, NotAVideoError
from vidigree.media.frame import Frame


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


def test_command_scores_and_prints_json(texture_clip: Path) -> None:
    done = CliRunner().invoke(classifier, ["score", "--json", str(texture_clip)])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["model_id"] == shipped_model().model_id
    plain = CliRunner().invoke(classifier, ["score", str(texture_clip)])
    assert "log-likelihood ratio" in plain.output
