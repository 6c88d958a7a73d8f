"""What is wrong with the user's own lists and roots is told of them, and not of a clip."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fixtures.authority import Authority, pem
from fixtures.permissions import changed_mode, run_without_override

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    TrustList,
    TrustSettings,
    init_identity,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.trust_lists import add_list, installed_lists


@pytest.mark.parametrize("content", [b"", pem(Authority.make().root)], ids=["empty", "whole"])
def test_list_whose_writer_was_killed_does_not_count(
    content: bytes, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "kept.pem").write_bytes(pem(Authority.make("Kept").root))
    add_list(str(tmp_path / "kept.pem"), role="claim")
    (home / "trust" / "claim" / ".new.0123456789ab.part.pem").write_bytes(content)
    assert [entry.name for entry in installed_lists()] == ["kept"]
    assert [entry.name for entry in TrustSettings.load().lists] == ["kept"]


def test_damaged_list_is_no_fault_of_the_clip(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    signed = tmp_path / "signed.mp4"
    sign_file(clip, signed, request=request_for_clip, identity=identity)
    good = TrustSettings(lists=(TrustList(name="x", role="claim", anchors=identity.root),))
    bad = replace(good, lists=(TrustList(name="x", role="claim", anchors=b"no certificate"),))
    assert read_credentials(signed, trust=good).integrity == "intact"
    with pytest.raises(CredentialsError, match="The trust list 'x' holds no certificate"):
        read_credentials(signed, trust=bad)
    assert read_credentials(clip, trust=bad).status == "absent"


@pytest.mark.parametrize("folder", ["identity", "identity/former", "trust", "trust/claim"])
def test_folder_that_cannot_be_read_is_told_and_nobody_passed_over(
    folder: str, home: Path, tmp_path: Path
) -> None:
    init_identity()
    init_identity(replace=True)
    (tmp_path / "x.pem").write_bytes(pem(Authority.make().root))
    add_list(str(tmp_path / "x.pem"), role="claim")
    told = "from vidigree.watermark.credentials import TrustSettings; TrustSettings.load()"
    with changed_mode(home / folder, 0o000):
        done = run_without_override("-c", told, home=home)
    (last,) = done.stderr.splitlines()[-1:]
    assert last.startswith("vidigree.media.errors.CredentialsError: The certificates in ")
    assert "Permission denied. Check the folder's permissions" in last


@pytest.mark.parametrize("command", ["list", "add x.pem --for tsa", "remove x --for claim"])
def test_folder_of_lists_that_cannot_be_read_is_told_by_every_command(
    command: str, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "x.pem").write_bytes(pem(Authority.make().root))
    add_list(str(tmp_path / "x.pem"), role="claim")
    with changed_mode(home / "trust", 0o000):
        done = run_without_override(
            "-m", "vidigree.cli", "trust", *command.split(), home=home, cwd=tmp_path
        )
    assert (done.returncode, done.stderr.count("\n")) == (7, 1), done.stderr
    assert "Permission denied" in done.stderr
