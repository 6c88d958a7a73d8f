"""What counts as a clip to audit, and what is refused with a reason."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from vidigree.cli import main
from vidigree.detect.inputs import expand
from vidigree.media import MediaError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.mp4", "a.MOV", "deep/c.webm", "notes.txt", "deep/cover.jpg"):
        path = tmp_path / "clips" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "clips"


def test_a_folder_is_searched_in_order(folder: Path) -> None:
    names = [Path(name).relative_to(folder).as_posix() for name in expand([str(folder)])]
    assert names == ["a.MOV", "b.mp4", "deep/c.webm"]


def test_links_to_files_are_audited_and_links_to_folders_not_followed(
    folder: Path, tmp_path: Path
) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "c.mp4").touch()
    (beside / "far.mp4").symlink_to(folder / "a.mp4")
    (beside / "round").symlink_to(tmp_path)
    assert [Path(name).name for name in expand([str(beside)])] == ["c.mp4", "far.mp4"]


def test_a_pattern_is_matched(folder: Path) -> None:
    names = [Path(name).name for name in expand([str(folder / "**" / "*.webm")])]
    assert names == ["c.webm"]


@pytest.mark.parametrize("round_again", [1, 2])
def test_a_pattern_goes_round_no_circle_of_links(folder: Path, round_again: int) -> None:
    """Two links made Python's own search go on for ever; one made 40 names of each clip."""
    for number in range(round_again):
        (folder / "deep" / f"up-{number}").symlink_to(folder)
    names = [Path(name).relative_to(folder).as_posix() for name in expand([f"{folder}/**/*.*"])]
    assert names == ["a.MOV", "b.mp4", "deep/c.webm", "deep/cover.jpg", "notes.txt"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/*.webm", ["[x]/e.webm", "deep/c.webm"]),
        ("./**/c.webm", ["./deep/c.webm"]),
        ("**/deep/**/*.webm", ["deep/c.webm"]),
        ("d*/**/*.webm", ["deep/c.webm"]),
        ("deep/**", ["deep/c.webm", "deep/cover.jpg"]),
        ("*/c**", ["deep/c.webm", "deep/cover.jpg"]),
    ],
)
def test_two_stars_match_as_a_shell_has_them(
    pattern: str, found: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".hidden/d.webm", "[x]/e.webm"):
        (folder / name).parent.mkdir()
        (folder / name).touch()
    monkeypatch.chdir(folder)
    assert list(expand([pattern])) == found


def test_a_file_whose_name_looks_like_a_pattern_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "clip[1].mp4"
    path.touch()
    assert list(expand([str(path)])) == [str(path)]


def test_a_named_file_is_kept_whatever_its_suffix() -> None:
    assert list(expand(["upload.bin", "-not-there-"])) == ["upload.bin", "-not-there-"]


def test_lists_hold_names_strings_and_objects(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text(
        'a.mp4\n\n"b.mp4"\n{"file": "c.mp4"}\n{"url": "https://x.test/d.mp4", "id": 1}\n',
        encoding="utf-8",
    )
    names = ["a.mp4", "b.mp4", "c.mp4", "https://x.test/d.mp4"]
    assert list(expand([str(path)])) == names
    assert list(expand(["-"], stdin=io.StringIO(path.read_text(encoding="utf-8")))) == names


@pytest.mark.parametrize("line", ["{", "{}", '{"file": 3}', '""'])
def test_a_line_that_names_nothing_is_refused_with_its_number(line: str, tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text(f"a.mp4\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 2"):
        list(expand([str(path)]))


def test_a_binary_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    path.write_bytes(b"\xff\xfe\x00video")
    with pytest.raises(UsageError, match="not a list"):
        list(expand([str(path)]))


BYTES = os.fsdecode(b"\xff\xfe.mp4")


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_names_of_a_list_need_not_be_utf_8_and_a_byte_order_mark_is_none_of_it(
    tmp_path: Path, mark: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.jsonl"
    path.write_bytes(mark + b"first.mp4\r\n\xff\xfe.mp4\r\n")
    assert list(expand([str(path)])) == ["first.mp4", BYTES]
    with path.open(encoding="utf-8") as stream:  # as standard input is opened in most places
        monkeypatch.setattr("sys.stdin", stream)
        assert list(expand(["-"])) == ["first.mp4", BYTES]


@pytest.mark.parametrize("name", ["nothing-*.mp4", "memory://none/*.mp4"])
def test_a_pattern_without_matches_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="Nothing matches"):
        list(expand([name]))


@pytest.mark.parametrize("sent", ["", "\n  \n"])
@pytest.mark.parametrize("options", [[], ["--json"], ["-o", "verdicts.jsonl"], ["--jobs", "2"]])
def test_a_list_that_names_nothing_is_an_error_at_the_end_of_a_pipe_too(
    sent: str,
    options: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Code 0 is a finding; what feeds the pipe may have failed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(sent))
    with pytest.raises(SystemExit) as ended:
        main(["audit", "-", *options])
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("vidigree: The list names no clip. ")
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no video"):
        list(expand([str(tmp_path)]))


@pytest.fixture
def bucket() -> Iterator[str]:
    filesystem = fsspec.filesystem("memory")
    for name in ("x/b.mp4", "x/a.mp4", "x/readme.md", "x/deep/c.mov"):
        filesystem.pipe(f"/bucket/{name}", b"clip")
    yield "memory://bucket/x/"
    filesystem.rm("/bucket", recursive=True)


def test_a_bucket_is_searched_in_order(bucket: str) -> None:
    assert list(expand([bucket])) == [
        "memory://bucket/x/a.mp4",
        "memory://bucket/x/b.mp4",
        "memory://bucket/x/deep/c.mov",
    ]


def test_a_bucket_pattern_is_matched(bucket: str) -> None:
    assert list(expand([f"{bucket}*.mp4"])) == [
        "memory://bucket/x/a.mp4",
        "memory://bucket/x/b.mp4",
    ]


def test_names_are_read_as_they_are_needed() -> None:
    def endless() -> Iterator[str]:
        while True:
            yield "a.mp4"

    names = expand(endless())
    assert [next(names) for _ in range(3)] == ["a.mp4"] * 3


def test_a_missing_file_with_a_bracket_in_its_name_is_a_name() -> None:
    assert list(expand(["none[1.mp4"])) == ["none[1.mp4"]


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(UsageError, match="empty"):
        list(expand([""]))


def test_a_closed_standard_input_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(MediaError, match="standard input is closed"):
        list(expand(["-"]))
