"""A batch goes on after a failure and after an interruption."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from vidigree.generate import ClipRequest, engine_registry, generate_batch, read_requests
from vidigree.generate.batch import output_name
from vidigree.generate.policy import TermPolicy
from vidigree.media.errors import (
    MediaError,
    MediaNotFoundError,
    OutputError,
    PolicyRefusalError,
    UsageError,
)
from vidigree.watermark import StampSettings
from vidigree.watermark.credentials import TrustSettings, read_credentials

SMALL: dict[str, Any] = {"width": 64, "height": 48, "num_frames": 3}


def test_lines_of_text_are_prompts(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("a red ball\n\n  a blue cube  \n")
    first, second = read_requests(path, SMALL)
    assert (first.prompt, second.prompt) == ("a red ball", "a blue cube")
    assert (first.seed, second.seed) == (1, 2)
    assert first.width == 64


def test_lines_that_begin_with_a_hash_are_comments(tmp_path: Path) -> None:
    path = tmp_path / "prompts.txt"
    path.write_text("# first\na red ball\n  #second\na blue cube # 3\n")
    requests = read_requests(path)
    assert [request.prompt for request in requests] == ["a red ball", "a blue cube # 3"]
    assert [request.seed for request in requests] == [1, 2]
    path.write_text("# nothing\n")
    with pytest.raises(UsageError, match="holds no requests"):
        read_requests(path)
    rows = tmp_path / "requests.jsonl"
    rows.write_text('{"prompt": "#1 ball"}\n# no comment\n')
    with pytest.raises(UsageError, match="line 2: this is not JSON"):
        read_requests(rows)
    rows.write_text('{"prompt": "#1 ball"}\n')
    assert read_requests(rows)[0].prompt == "#1 ball"


def test_json_lines_are_requests(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    rows = [{"prompt": "a ball", "seed": 9, "fps": "30000/1001", "width": 32}, {"prompt": "a cube"}]
    path.write_text("\n".join(map(json.dumps, rows)))
    first, second = read_requests(path, SMALL)
    assert (first.seed, first.fps, first.width) == (9, Fraction(30000, 1001), 32)
    assert (second.seed, second.width) == (2, 64)


@pytest.mark.parametrize("breaker", ["\u2028", "\u2029", "\x85", "\x0b"], ids=ascii)
def test_a_line_ends_where_the_file_says_so(tmp_path: Path, breaker: str) -> None:
    row = json.dumps({"prompt": f"a ball{breaker}on grass"}, ensure_ascii=False)
    for name, line in (("list.jsonl", row), ("list.txt", f"a ball{breaker}on grass")):
        (tmp_path / name).write_bytes(f"\ufeff{line}\r\n{line}\n".encode())
        prompts = [request.prompt for request in read_requests(tmp_path / name)]
        assert prompts == [f"a ball{breaker}on grass"] * 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"prompt": "a"}\n{"prompt": ""}', "line 2: The prompt is empty"),
        ('{"prompt": "a"', "line 1"),
        ("[]", "line 1: expected an object"),
        ('{"prompt": "a", "colour": "red"}', "unknown fields colour"),
        ('{"seed": 1}', r'line 1: expected an object such as \{"prompt": "\.\.\."\}\.$'),
        (f'{{"prompt": "a", "seed": {"9" * 5000}}}', r"line 1: a number has too many digits\.$"),
        ('{"prompt": 5}', "line 1"),
        ('{"prompt": "a", "width": "wide"}', "line 1: The field width is 'wide', not a whole"),
        ('{"prompt": "a", "width": 64.5}', "line 1: The field width is '64.5', not a whole"),
        ('{"prompt": "a", "seed": true}', "line 1: The field seed"),
        ('{"prompt": "a", "seed": null}', "line 1: The field seed"),
        ('{"prompt": "a", "fps": "1/0"}', "line 1: The field fps is '1/0', not a rate"),
        ('{"prompt": "a", "fps": "1e9999999999"}', "line 1: The field fps is '1e9999999999'"),
        ('{"prompt": "a", "fps": "1/1E+1_000_000_0"}', "line 1: The field fps"),
        ('{"prompt": "a", "fps": 1e300}', "line 1: The frame rate is 1000"),
        ('{"prompt": "a", "strength": "x"}', "line 1: The field strength"),
        ('{"prompt": "a", "options": [1]}', "line 1: The field options"),
        ('{"prompt": "a", "options": {"\\ud800": 1}}', "line 1: The name of an option"),
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


def test_what_holds_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MediaError, match="cannot be read as UTF-8"):
        read_requests(tmp_path / "clip.mp4")
    for nothing, reason in ((tmp_path, "directory"), (Path("a\0b"), "null")):
        with pytest.raises(MediaError, match=f"cannot be read: .*{reason}"):
            read_requests(nothing)


def test_a_line_says_where_to_start_from(tmp_path: Path) -> None:
    (tmp_path / "start.png").write_bytes(b"x")
    path = tmp_path / "requests.JSONL"
    row = {"prompt": "a ball", "image": str(tmp_path / "start.png"), "fps": 23.976023976}
    path.write_text("\n" + json.dumps(row))
    (request,) = read_requests(path)
    assert (request.image, request.fps) == (tmp_path / "start.png", Fraction(24000, 1001))
    assert request.seed == 1


def test_names_change_with_the_request() -> None:
    one = output_name(1, ClipRequest(prompt="A red ball!"))
    assert one.startswith("0001-a-red-ball-")
    assert one != output_name(1, ClipRequest(prompt="A red ball!", seed=5))
    assert output_name(2, ClipRequest(prompt="///")).startswith("0002-clip-")


def test_names_stay_so_that_batches_of_older_versions_go_on() -> None:
    assert output_name(1, ClipRequest(prompt="A red ball!")) == "0001-a-red-ball-ea30e795.mp4"
    long = output_name(7, ClipRequest(prompt="a " * 60, seed=3))
    assert long == f"0007{'-a' * 20}-bfa0a29f.mp4"
    assert output_name(1, ClipRequest(prompt="b" * 60)) == f"0001-{'b' * 40}-f440f62c.mp4"


def test_batch_goes_on_after_a_failure_and_resumes(
    stamp_settings: StampSettings, outputs: Path
) -> None:
    requests = [
        ClipRequest(prompt=prompt, **SMALL)
        for prompt in ("a red ball", "a cat", "a purring blue cube")
    ]
    rows = list(generate_batch(requests, outputs, settings=stamp_settings))
    assert [row.status for row in rows] == ["issued", "failed", "issued"]
    assert "'cat'" in str(rows[1].error)
    told = json.loads(json.dumps([row.to_dict() for row in rows]))
    assert [row["number"] for row in told] == [1, 2, 3]
    assert [row["receipt"] is None for row in told] == [False, True, False]
    assert told[0]["receipt"]["clip_id"] != told[2]["receipt"]["clip_id"]
    assert [row["error"] for row in told] == [None, str(rows[1].error), None]
    note = "  note         The render engine does not know 'purring'; drawn without."
    assert [row.summary() for row in rows] == [
        f"issued   {rows[0].path}",
        f"failed   {rows[1].path}",
        f"issued   {rows[2].path}\n{note}",
    ]
    rows[0].path.unlink()
    before = rows[2].path.stat().st_mtime_ns
    again = list(generate_batch(requests, outputs, settings=stamp_settings))
    assert [row.status for row in again] == ["issued", "failed", "skipped"]
    assert rows[2].path.stat().st_mtime_ns == before


def test_no_word_of_a_prompt_stands_in_the_credentials_of_a_batch(
    stamp_settings: StampSettings, outputs: Path
) -> None:
    request = ClipRequest(prompt="a red ball", **SMALL)
    (row,) = generate_batch([request], outputs, settings=stamp_settings)
    assert row.path.name == "0001-a-red-ball-f6f8fd17.mp4"
    title = read_credentials(row.path, trust=TrustSettings()).title
    assert title == "0001-clip-f6f8fd17.mp4"
    assert b"red-ball" not in row.path.read_bytes()
    named = replace(stamp_settings, title="Balls", overwrite=True)
    (row,) = generate_batch([request], outputs, settings=named)
    assert read_credentials(row.path, trust=TrustSettings()).title == "Balls"


def test_what_is_there_is_kept_unless_it_may_be_replaced(
    stamp_settings: StampSettings, outputs: Path
) -> None:
    request = ClipRequest(prompt="a red ball", **SMALL)
    path = outputs / output_name(1, request)
    path.write_bytes(b"precious")
    (row,) = generate_batch([request], outputs, settings=stamp_settings)
    assert (row.status, row.path, path.read_bytes()) == ("skipped", path, b"precious")
    (row,) = generate_batch([request], outputs, settings=replace(stamp_settings, overwrite=True))
    assert row.status == "issued"
    assert row.receipt is not None
    assert row.receipt.path == path
    assert path.stat().st_size > len(b"precious")


def test_every_request_of_a_batch_is_held_against_the_policy(
    stamp_settings: StampSettings, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", str(outputs.parent / "home"))  # refusals are kept there
    requests = [ClipRequest(prompt=text, **SMALL) for text in ("a blue cube", "a red ball")]
    policy = TermPolicy(name="no-blue", terms=("blue",))
    rows = list(generate_batch(requests, outputs, settings=stamp_settings, policy=policy))
    assert [row.status for row in rows] == ["failed", "issued"]
    assert isinstance(rows[0].error, PolicyRefusalError)
    assert [path.name for path in outputs.iterdir()] == [rows[1].path.name]


def test_a_folder_that_cannot_be_made_is_told_before_any_work(
    stamp_settings: StampSettings, outputs: Path
) -> None:
    (outputs / "file").touch()
    asked: list[ClipRequest] = []
    requests = (asked.append(one) or one for one in [ClipRequest(prompt="a ball", **SMALL)])
    with pytest.raises(OutputError, match="cannot be made"):
        next(generate_batch(requests, outputs / "file" / "x", settings=stamp_settings))
    assert asked == []


def test_an_engine_is_opened_once_and_one_that_is_not_there_fails_alone(
    stamp_settings: StampSettings, outputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    known = engine_registry.get

    def get(name: str) -> Any:
        opened.append(name)
        return known(name)

    monkeypatch.setattr(engine_registry, "get", get)
    requests = [
        ClipRequest(prompt="a red ball", seed=seed, engine=engine, **SMALL)
        for seed, engine in enumerate(("render", "absent", "render"))
    ]
    rows = list(generate_batch(requests, outputs / "new" / "folder", settings=stamp_settings))
    assert [row.status for row in rows] == ["issued", "failed", "issued"]
    assert opened == ["render", "absent"]
    assert [row.number for row in rows] == [1, 2, 3]
