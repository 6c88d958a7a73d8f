"""`keys check` names every secret on disk that others may read, and how to mend it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from vidigree.media.errors import CredentialsError
from vidigree.watermark.config import Config
from vidigree.watermark.credentials import init_identity, secret_files
from vidigree.watermark.credentials.commands import keys
from vidigree.watermark.credentials.secret_files import check_secret_files, secrets_of_settings
from vidigree.watermark.keyring import KeyRing

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows keeps rights elsewhere")


@pytest.fixture
def kept(home: Path) -> Path:
    """Make a data folder with an identity, a ring of keys, and nothing for others to read."""
    home.mkdir(mode=0o700, exist_ok=True)
    init_identity()
    KeyRing.rotate()
    for folder in (home, home / "identity"):
        folder.chmod(0o700)
    return home


def test_what_this_package_writes_is_not_for_others(kept: Path) -> None:
    init_identity(replace=True)
    KeyRing.rotate()
    assert check_secret_files(kept) == ()


@pytest.mark.parametrize("mode", [0o400, 0o700, 0o640, 0o604, 0o610, 0o602])
@pytest.mark.parametrize(
    ("source", "copy", "what"),
    [
        ("identity/key.pem", "identity/key.pem", "private key"),
        ("identity/key.pem", "backup of may/identity/old.pem~", "private key"),
        ("mark-keys.json", "mark-keys.json", "watermark keys"),
        ("mark-keys.json", "mark-keys.json.1", "watermark keys"),
    ],
)
def test_a_secret_that_others_may_use_is_named_with_its_remedy(
    kept: Path, source: str, copy: str, what: str, mode: int
) -> None:
    path = kept / copy
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if source != copy:
        shutil.copyfile(kept / source, path)
    path.chmod(mode)
    found = check_secret_files(kept)
    assert len(found) == bool(mode & 0o77)
    for row in found:
        assert (row.severity, row.problem) == (
            "warning",
            f"Others on this machine may read the {what} {path}.",
        )
        subprocess.run(["/bin/sh", "-c", row.remedy], check=True)
    assert check_secret_files(kept) == ()


def test_what_is_no_secret_may_be_read(kept: Path) -> None:
    (kept / "config.toml").write_text('[timestamp]\nurl = "http://stamps.example"\n')
    (kept / "ledger.sqlite3").write_bytes(b"SQLite format 3")
    assert (kept / "identity" / "root.pem").stat().st_mode & 0o044
    assert check_secret_files(kept, secrets_of_settings(Config.load(), kept)) == ()


def test_files_that_the_settings_name_are_looked_at_wherever_they_lie(
    kept: Path, tmp_path: Path
) -> None:
    (tmp_path / "pin").write_text("4711")
    (tmp_path / "pin").chmod(0o644)
    (kept / "config.toml").write_text(
        f'[signer]\nkind = "pkcs11"\npin_file = "{tmp_path / "pin"}"\n'
        '[timestamp]\nurl = "http://me:word@stamps.example"\n'
    )
    found = check_secret_files(kept, secrets_of_settings(Config.load(), kept))
    assert sorted(row.problem for row in found) == [
        f"Others on this machine may read the PIN {tmp_path / 'pin'}.",
        f"Others on this machine may read the password in the settings {kept / 'config.toml'}.",
    ]


def test_a_folder_in_which_others_may_replace_a_key_is_named(kept: Path) -> None:
    (kept / "identity").chmod(0o770)
    (row,) = check_secret_files(kept, {kept / "identity" / "key.pem": "private key"})
    assert row.problem.endswith(f"may replace what lies in {kept / 'identity'}.")
    assert row.remedy == f"chmod go-w {kept / 'identity'}"
    (kept / "identity").chmod(0o1777)
    assert check_secret_files(kept, {kept / "identity" / "key.pem": "private key"}) == ()


def test_a_data_folder_of_more_files_than_are_looked_at_is_told(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_files, "_MOST_FILES", 2)
    assert any("only 2 files" in row.problem for row in check_secret_files(kept))


def test_who_has_no_identity_is_told_of_the_mark_keys_all_the_same(kept: Path) -> None:
    shutil.rmtree(kept / "identity")
    (kept / "mark-keys.json").chmod(0o644)
    done = CliRunner().invoke(keys, ["check", "--json"])
    assert isinstance(done.exception, CredentialsError)
    report = json.loads(done.stdout)
    assert not report["usable"]
    missing, exposed = report["findings"]
    assert (missing["severity"], missing["problem"]) == ("error", done.exception.message)
    assert exposed["remedy"] == f"chmod 600 {kept / 'mark-keys.json'}"
