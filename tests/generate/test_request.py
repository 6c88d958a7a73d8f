"""A request that cannot mean anything is refused before any work begins."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidigree.generate import ClipRequest
from vidigree.media.errors import MediaNotFoundError, UsageError


def test_prompt_of_2000_characters_is_taken() -> None:
    assert len(ClipRequest(prompt="x" * 2000).prompt) == 2000


@pytest.mark.parametrize(
    ("prompt", "says"),
    [("", "empty"), ("  \n", "empty"), ("x" * 10_000, "10,000"), ("\ud800", "Unicode")],
)
def test_bad_prompts_are_refused(prompt: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ClipRequest(prompt=prompt)


@pytest.mark.parametrize(
    "values",
    [
        {"width": 15},
        {"width": 4097},
        {"height": 0},
        {"height": -512},
        {"num_frames": 0},
        {"num_frames": 100_001},
        {"fps": Fraction(1, 2)},
        {"fps": Fraction(241)},
        {"seed": -1},
        {"seed": 2**63},
        {"strength": 0.0},
        {"strength": 1.5},
        {"negative_prompt": "x" * 2001},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        ClipRequest(prompt="a ball", **values)
    assert caught.value.exit_code == 2


def test_inputs_must_exist_and_decide_the_task(tmp_path: Path) -> None:
    source = tmp_path / "in.png"
    with pytest.raises(MediaNotFoundError, match=r"in\.png"):
        ClipRequest(prompt="a ball", image=source)
    source.write_bytes(b"-")
    assert ClipRequest(prompt="a ball").task == "text-to-video"
    assert ClipRequest(prompt="a ball", image=source).task == "image-to-video"
    assert ClipRequest(prompt="a ball", video=source).task == "video-to-video"
    with pytest.raises(UsageError, match="not from both"):
        ClipRequest(prompt="a ball", image=source, video=source)


def test_to_dict_is_json() -> None:
    request = ClipRequest(prompt="a ball", fps=Fraction(24000, 1001), seed=3)
    row = json.loads(json.dumps(request.to_dict()))
    assert row["fps"] == "24000/1001"
    assert row["seed"] == 3
