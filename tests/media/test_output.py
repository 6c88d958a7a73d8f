"""Places that cannot be written to are told apart, before the work and after it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import av.error
import pytest

from vidigree.media import OutputError, output_file
from vidigree.media.output import check_target, output_error


@pytest.mark.parametrize(
    ("name", "overwrite", "words"),
    [
        ("folder", True, "is a folder"),
        ("nowhere/a.mp4", False, "There is no folder"),
        ("file/a.mp4", False, "is not a folder"),
        ("file", False, "exists already"),
        ("pipe", False, "exists already"),
        ("pipe", True, "is not a regular file"),
        ("a" * 300, False, "is not a usable file name: File name too long"),
        ("a\0b", False, "is not a usable file name: it holds a zero byte"),
        ("a\ud800b", False, "is not a usable file name: "),
    ],
)
def test_places_that_are_none_are_told_apart(
    tmp_path: Path, name: str, overwrite: bool, words: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError) as error:
        check_target(tmp_path / name, overwrite=overwrite)
    assert words in error.value.message
    assert error.value.hint


def test_places_that_are_one_are_taken_and_left_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    check_target(tmp_path / "new")
    check_target(tmp_path / "file", overwrite=True)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("file", b"old")]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "x"), "the disk is full"),
        (OSError(errno.EROFS, "x"), "Read-only file system"),
        (OSError("an odd thing"), "an odd thing"),
        (av.error.FFmpegError(-1_179_861_752, "of a muxer"), "of a muxer"),
    ],
)
def test_what_went_wrong_is_said(error: OSError, words: str) -> None:
    assert words in output_error(Path("a.mp4"), error).message


def no_links(*_: object) -> None:
    raise OSError(errno.EPERM, "no links here")


def test_a_disk_without_links_gets_the_file_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", no_links)
    path = tmp_path / "a.mp4"
    with output_file(path) as temporary:
        temporary.write_bytes(b"first")
    assert path.read_bytes() == b"first"
    path.unlink()
    with pytest.raises(OutputError, match="exists already"), output_file(path) as temporary:
        path.write_bytes(b"of somebody else")
    assert path.read_bytes() == b"of somebody else"
    assert [one.name for one in tmp_path.iterdir()] == ["a.mp4"]
