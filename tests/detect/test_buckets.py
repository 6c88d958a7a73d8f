"""Clips in buckets: fetched through fsspec, and what their drivers say told in one line."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fixtures.clip_server import BODY

from vidigree.detect.fetching import FetchLimits, local_copy
from vidigree.detect.inputs import expand
from vidigree.media import MediaError, UnsupportedMediaError, UsageError


def fetch(url: str, **limits: Any) -> bytes:
    with local_copy(url, FetchLimits(**limits)) as path:
        return path.read_bytes()


def test_buckets_are_fetched() -> None:
    fsspec.filesystem("memory").pipe("/b/clip.mp4", BODY)
    assert fetch("memory://b/clip.mp4") == BODY
    with pytest.raises(MediaError, match="There is no"):
        fetch("memory://b/none.mp4")


class NoAccountError(Exception):
    """As those of botocore and google.auth: neither an OSError nor a ValueError."""


class Closed(fsspec.AbstractFileSystem):
    """A store whose driver finds no account, and logs it."""

    protocol = "closed"

    def _open(self, *arguments: object, **options: object) -> object:
        logging.getLogger("s3fs").error("no account")
        raise NoAccountError("Unable to locate credentials")

    def ls(self, *arguments: object, **options: object) -> list[object]:
        raise NoAccountError


def test_a_store_that_lets_nobody_in_is_told_in_one_line(
    capfd: pytest.CaptureFixture[str],
) -> None:
    fsspec.register_implementation("closed", Closed, clobber=True)
    with pytest.raises(MediaError, match=r"cannot be read: Unable to locate credentials\. Check"):
        fetch("closed://b/clip.mp4")
    with pytest.raises(MediaError, match=r"cannot be listed: NoAccountError\. Check"):
        list(expand(["closed://b/"]))
    assert capfd.readouterr().err == ""


def test_a_bucket_that_cannot_be_opened_or_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot be opened: .*pip install 'vidigree\[cloud\]'"):
        fetch("nobody-knows://b/clip.mp4")
    with pytest.raises(MediaError, match="cannot be read: "):
        fetch(f"file://{tmp_path}")


def test_time_is_limited_in_buckets_as_well(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"a clip")
    url = f"file://{tmp_path}/clip.mp4"
    assert fetch(url) == b"a clip"
    with pytest.raises(UnsupportedMediaError, match="takes longer than 0 s to fetch"):
        fetch(url, max_seconds=0)
