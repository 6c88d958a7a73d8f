"""The ring of mark keys: shown, rotated, damaged."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials.commands import keys
from vidigree.watermark.keyring import PUBLISHED_KEY, KeyRing, MarkKey


def test_mark_keys_are_shown_without_an_identity_too(home: Path) -> None:
    """Who only audits has a file of mark keys and signs nothing."""
    CliRunner().invoke(keys, ["rotate"], catch_exceptions=False)
    key = KeyRing.load().active.key_id
    shown = CliRunner().invoke(keys, ["show"])
    assert isinstance(shown.exception, CredentialsError)
    assert shown.output.startswith(f"Mark keys   {key}, published-1\n")
    assert "Signer" not in shown.output
    shown = CliRunner().invoke(keys, ["show", "--json"])
    assert isinstance(shown.exception, CredentialsError)
    report = json.loads(shown.output)
    assert (report["identity"], report["mark_keys"]) == (None, [key, "published-1"])


def test_mark_keys_rotate_and_older_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path))
    runner = CliRunner()
    first = runner.invoke(keys, ["rotate"], catch_exceptions=False)
    second = runner.invoke(keys, ["rotate"], catch_exceptions=False)
    assert (first.exit_code, second.exit_code) == (0, 0)
    older, newer = (out.output.split("secret key ")[1].split(".")[0] for out in (first, second))
    assert older != newer
    assert [key.key_id for key in KeyRing.load().keys] == [newer, older, "published-1"]
    assert (tmp_path / "mark-keys.json").stat().st_mode & 0o777 == 0o600


def test_a_second_rotation_at_once_is_refused_and_loses_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path))
    before = KeyRing.rotate()
    (tmp_path / "mark-keys.tmp").touch(0o644)
    refused = CliRunner().invoke(keys, ["rotate"])
    assert "is being rotated by somebody else" in str(refused.exception)
    assert "mark-keys.tmp" in str(refused.exception)
    assert KeyRing.load() == before
    (tmp_path / "mark-keys.tmp").unlink()
    assert KeyRing.rotate().keys[1:] == before.keys


def test_a_rotation_that_fails_leaves_the_ring_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path))
    (tmp_path / "mark-keys.json").write_text("no json", encoding="utf-8")
    with pytest.raises(CredentialsError, match="not a key ring"):
        KeyRing.rotate()
    assert [path.name for path in tmp_path.iterdir()] == ["mark-keys.json"]


def test_a_new_ring_is_on_the_disk_before_it_takes_the_place_of_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new" / "folder" / "mark-keys.json"
    done: list[object] = []
    place = Path.replace
    monkeypatch.setattr(os, "fsync", lambda file: done.append(os.fstat(file).st_size))
    monkeypatch.setattr(Path, "replace", lambda *two: (done.append("placed"), place(*two)))
    for _ in range(2):
        KeyRing.rotate(path)
        assert done == [path.stat().st_size, "placed"]
        done.clear()


def test_a_ring_that_cannot_be_read_or_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="cannot be read: Is a directory"):
        KeyRing.load(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(CredentialsError, match="cannot be written: "):
        KeyRing.rotate(tmp_path / "file" / "mark-keys.json")


def test_a_ring_that_is_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "mark-keys.json"
    link.symlink_to(real)
    ring = KeyRing.rotate(link)
    assert link.is_symlink()
    assert KeyRing.load(real) == ring


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[]",
        "null",
        "no json",
        "[" * 200_000,
        '{"version": 1, "keys": {}}',
        '{"version": 1, "keys": [{"key_id": "mk-1", "secret": ""}]}',
        '{"version": 1, "keys": [{"key_id": "", "secret": "' + "00" * 32 + '"}]}',
        '{"version": 1, "keys": [{"key_id": 5, "secret": "' + "00" * 32 + '"}]}',
    ],
)
def test_damaged_mark_keys_are_said_to_be_no_ring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.setenv("VIDIGREE_HOME", str(tmp_path))
    (tmp_path / "mark-keys.json").write_text(content, encoding="utf-8")
    with pytest.raises(CredentialsError, match="not a key ring"):
        KeyRing.load()


@pytest.mark.parametrize("version", ["2", '"2"', "null"])
def test_mark_keys_of_another_version_are_no_damage(tmp_path: Path, version: str) -> None:
    path = tmp_path / "mark-keys.json"
    content = f'{{"version": {version}, "keys": {{"another": "form"}}}}'
    path.write_text(content, encoding="utf-8")
    for use in (KeyRing.load, KeyRing.rotate):
        with pytest.raises(CredentialsError, match=r"of version .*; this vidigree reads version 1"):
            use(path)
    assert path.read_text(encoding="utf-8") == content


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([("mk-1", PUBLISHED_KEY.secret)], "'mk-1' in it is not what it is called"),
        ([("published-1", bytes(32))], "'published-1' in it is not what it is called"),
        ([("mk-1", bytes(32)), ("mk-1", bytes(31) + b"1")], "two keys in it have one name"),
        ([("mk\x1b[2J", bytes(32))], "a name that cannot be printed"),
    ],
    ids=["published by another name", "another by the published name", "one name", "escape"],
)
def test_a_ring_in_which_a_key_is_not_what_it_is_called_is_refused(
    tmp_path: Path, rows: list[tuple[str, bytes]], match: str
) -> None:
    """A mark of a key that everyone has would count as that of a secret one."""
    keys = [{"key_id": name, "secret": secret.hex()} for name, secret in rows]
    path = tmp_path / "mark-keys.json"
    path.write_text(json.dumps({"version": 1, "keys": keys}), encoding="utf-8")
    with pytest.raises(CredentialsError, match=re.escape(match)):
        KeyRing.load(path)


def test_a_key_that_stands_twice_in_a_ring_counts_once(tmp_path: Path) -> None:
    rows = [PUBLISHED_KEY, MarkKey(key_id="mk-1", secret=bytes(32))] * 2
    keys = [{"key_id": key.key_id, "secret": key.secret.hex()} for key in rows]
    (tmp_path / "ring").write_text(json.dumps({"version": 1, "keys": keys}), encoding="utf-8")
    assert [key.key_id for key in KeyRing.load(tmp_path / "ring").keys] == ["published-1", "mk-1"]
