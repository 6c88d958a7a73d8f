"""A batch goes on after a failure and after an interruption."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidigree.generate import ClipRequest, generate_batch, read_requests
from vidigree.generate.batch import output_name
from vidigree.media.errors import MediaNotFoundError, UsageError
from vidigree.watermark import StampSettings

SMALL: dict[str, Any] = {"width": 64, "height": 48, "num_frames": 3}


def test_lines_of_text_are_prompts(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("a red ball\n\n  a blue cube  \n")
    first, second = read_requests(path, SMALL)
    assert (first.prompt, second.prompt) == ("a red ball", "a blue cube")
    assert (first.seed, second.seed) == (1, 2)
    assert first.width == 64


def test_json_lines_are_requests(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    rows = [{"prompt": "a ball", "seed": 9, "fps": "30000/1001", "width": 32}, {"prompt": "a cube"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    first, second = read_requests(path, SMALL)
    assert (first.seed, first.fps, first.width) == (9, Fraction(30000, 1001), 32)
    assert (second.seed, second.width) == (2, 64)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"prompt": "a"}\n{"prompt": ""}', "line 2: The prompt is empty"),
        ('{"prompt": "a"', "line 1"),
        ("[]", "line 1: expected an object"),
        ('{"prompt": "a", "colour": "red"}', "unknown fields colour"),
        ('{"seed": 1}', "prompt"),
        ('{"prompt": 5}', "line 1"),
        ('{"prompt": "a", "width": "wide"}', "line 1: The field width is 'wide', not a whole"),
        ('{"prompt": "a", "width": 64.5}', "line 1: The field width is '64.5', not a whole"),
        ('{"prompt": "a", "seed": true}', "line 1: The field seed"),
        ('{"prompt": "a", "seed": null}', "line 1: The field seed"),
        ('{"prompt": "a", "fps": "1/0"}', "line 1: The field fps is '1/0', not a rate"),
        ('{"prompt": "a", "strength": "x"}', "line 1: The field strength"),
        ('{"prompt": "a", "options": [1]}', "line 1: The field options"),
        ('{"prompt": "a", "image": 5}', "line 1: The field image is '5', not a path"),
        ("no json", "line 1: this is not JSON"),
        ("[" * 100_000, "line 1: this is not JSON"),
        ("", "no requests"),
    ],
)
def test_wrong_lines_are_named(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "requests.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=says):
        read_requests(path)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError):
        read_requests(tmp_path / "absent.txt")


def test_names_change_with_the_request() -> None:
    one = output_name(1, ClipRequest(prompt="A red ball!"))
    assert one.startswith("0001-a-red-ball-")
    assert one != output_name(1, ClipRequest(prompt="A red ball!", seed=5))
    assert output_name(2, ClipRequest(prompt="///")).startswith("0002-clip-")


def test_batch_goes_on_after_a_failure_and_resumes(
    stamp_settings: StampSettings, outputs: Path
) -> None:
    requests = [
        ClipRequest(prompt=prompt, **SMALL) for prompt in ("a red ball", "a cat", "a blue cube")
    ]
    rows = list(generate_batch(requests, outputs, settings=stamp_settings))
    assert [row.status for row in rows] == ["issued", "failed", "issued"]
    assert "'cat'" in str(rows[1].error)
    json.dumps([row.to_dict() for row in rows])
    rows[0].path.unlink()
    before = rows[2].path.stat().st_mtime_ns
    again = list(generate_batch(requests, outputs, settings=stamp_settings))
    assert [row.status for row in again] == ["issued", "failed", "skipped"]
    assert rows[2].path.stat().st_mtime_ns == before
