"""The development identity: made once, private, recognisable."""

from __future__ import annotations

import errno
import json
import os
import stat
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

import pytest
from click.testing import CliRunner
from cryptography import x509
from fixtures.chain_authority import ChainAuthority

from vidigree.media.errors import CredentialsError
from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    TrustSettings,
    init_identity,
    load_identity,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials import identity as identity_module
from vidigree.watermark.credentials.certificates import DevelopmentChain, SigningAlgorithm
from vidigree.watermark.credentials.commands import keys
from vidigree.watermark.credentials.identity import own_roots


def test_private_key_is_readable_by_its_owner_only(identity: SigningIdentity, home: Path) -> None:
    mode = stat.S_IMODE((home / "identity" / "key.pem").stat().st_mode)
    assert mode == 0o600
    assert stat.S_IMODE((home / "identity").stat().st_mode) == 0o700


def test_chain_is_leaf_then_issuing_authority(identity: SigningIdentity) -> None:
    leaf, issuing = x509.load_pem_x509_certificates(identity.chain)
    (root,) = x509.load_pem_x509_certificates(identity.root)
    leaf.verify_directly_issued_by(issuing)
    issuing.verify_directly_issued_by(root)
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days <= 366


def test_existing_identity_is_not_replaced_unasked(identity: SigningIdentity) -> None:
    with pytest.raises(CredentialsError, match="already"):
        init_identity()
    assert load_identity().serial == identity.serial


@pytest.mark.parametrize("replace", [False, True])
def test_a_second_identity_at_once_is_refused_and_mixes_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, replace: bool
) -> None:
    made = identity_module.make_development_chain
    refused: list[str] = []

    def meanwhile(algorithm: SigningAlgorithm) -> DevelopmentChain:
        monkeypatch.setattr(identity_module, "make_development_chain", made)
        with pytest.raises(CredentialsError, match="is being made by somebody else") as caught:
            init_identity(replace=replace)
        refused.append(caught.value.hint)
        return made(algorithm)

    monkeypatch.setattr(identity_module, "make_development_chain", meanwhile)
    first = init_identity(replace=replace)
    assert "key.tmp" in refused[0]
    assert load_identity().serial == first.serial
    assert sorted(path.name for path in (home / "identity").iterdir()) == [
        "chain.pem",
        "key.pem",
        "root.pem",
    ]


def test_an_identity_that_appears_meanwhile_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = identity_module.sole_writer

    def after_another(path: Path, *, doing: str) -> AbstractContextManager[BinaryIO]:
        monkeypatch.setattr(identity_module, "sole_writer", writer)
        init_identity()
        return writer(path, doing=doing)

    monkeypatch.setattr(identity_module, "sole_writer", after_another)
    with pytest.raises(CredentialsError, match="already"):
        init_identity()
    load_identity()
    assert not (home / "identity" / "key.tmp").exists()


@pytest.mark.parametrize("step", ["write", "flush", "root.pem", "chain.pem"])
def test_a_disk_that_is_full_is_told_and_leaves_nothing_half_made(
    identity: SigningIdentity, home: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    folder = home / "identity"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    full = OSError(errno.ENOSPC, "No space left on device")
    placed = Path.replace

    class Full:
        def write(self, content: bytes) -> int:
            if step == "write":
                raise full
            return len(content)

        def flush(self) -> None:
            raise full

    def replace(self: Path, target: Path) -> Path:
        if Path(target).name == step:
            raise full
        return placed(self, target)

    if step in ("write", "flush"):
        monkeypatch.setattr(identity_module, "sole_writer", lambda *a, **k: nullcontext(Full()))
    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(CredentialsError, match="No space left on device"):
        init_identity(replace=True)
    monkeypatch.undo()
    monkeypatch.setenv("VIDIGREE_HOME", str(home))
    after = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert sorted(after) == sorted(before)
    assert after["key.pem"] == before["key.pem"]
    if step != "chain.pem":
        assert after == before
        assert load_identity().serial == identity.serial
    # What was signed by it stays recognised, whatever became of its successor.
    assert identity.root in own_roots()


def test_certificates_are_on_the_disk_for_everybody_before_they_have_their_names(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    placed, synced = Path.replace, os.fsync

    def fsync(file: int) -> None:
        done.append(os.fstat(file).st_size)
        synced(file)

    def replace(self: Path, target: Path) -> Path:
        if Path(target).suffix == ".pem":
            done.append(Path(target).name)
        return placed(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    init_identity()
    folder = home / "identity"
    sizes = [(folder / name).stat().st_size for name in ("root.pem", "chain.pem", "key.pem")]
    assert done == [sizes[0], "root.pem", sizes[1], "chain.pem", sizes[2], "key.pem"]
    modes = [stat.S_IMODE((folder / name).stat().st_mode) for name in ("root.pem", "chain.pem")]
    assert modes == [0o644, 0o644]


def test_a_part_that_is_missing_or_cannot_be_read_is_named(
    identity: SigningIdentity, home: Path
) -> None:
    folder = home / "identity"
    (folder / "root.pem").unlink()
    assert (load_identity().root, own_roots()) == (b"", ())
    for name in ("key.pem", "chain.pem"):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        with pytest.raises(CredentialsError, match=f"{name} is missing"):
            load_identity()
        (folder / name).mkdir()
        with pytest.raises(CredentialsError, match=f"{name} cannot be read: Is a directory"):
            load_identity()
        (folder / name).rmdir()
        (folder / name).write_bytes(content)
    assert load_identity().serial == identity.serial


def test_a_damaged_root_is_named_and_nothing_is_replaced(
    identity: SigningIdentity, home: Path
) -> None:
    folder = home / "identity"
    (folder / "root.pem").write_text("damaged", encoding="utf-8")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(CredentialsError, match=r"root\.pem"):
        init_identity(replace=True)
    assert {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()} == before


def test_a_folder_without_a_name_is_refused() -> None:
    refused = CliRunner().invoke(keys, ["init", "--folder", ""])
    assert (refused.exit_code, "The name is empty." in refused.output) == (2, True)


def test_a_folder_whose_name_is_too_long_is_named(tmp_path: Path) -> None:
    with pytest.raises(CredentialsError, match="too long"):
        init_identity(tmp_path / ("x" * 256))


def test_no_identity_says_how_to_make_one() -> None:
    with pytest.raises(CredentialsError, match="keys init"):
        load_identity()


def test_roots_of_replaced_identities_stay_own_ones(home: Path) -> None:
    made = [init_identity(replace=True).root for _ in range(3)]
    current, *former = own_roots()
    assert current == made[-1]
    assert set(former) == set(made[:-1])
    (listed,) = TrustSettings.load().lists
    assert (listed.role, len(listed.certificates())) == ("own", 3)


def test_foreign_key_is_refused(identity: SigningIdentity, home: Path, tmp_path: Path) -> None:
    init_identity(tmp_path / "other")
    (home / "identity" / "key.pem").write_bytes((tmp_path / "other" / "key.pem").read_bytes())
    with pytest.raises(CredentialsError, match="does not belong"):
        load_identity()


def test_only_a_certificate_made_here_is_a_development_certificate(
    identity: SigningIdentity,
) -> None:
    issued = ChainAuthority().issue()
    bought = issued.identity
    found = [(one.development, one.to_dict()["development"]) for one in (identity, bought)]
    assert found == [(True, True), (False, False)]


def test_repr_hides_the_key(identity: SigningIdentity) -> None:
    assert "PRIVATE" not in repr(identity)


@pytest.mark.parametrize("algorithm", ["es256", "es384", "ps256", "ed25519"])
def test_every_algorithm_signs(
    algorithm: str, clip: Path, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    identity = init_identity(algorithm=algorithm)  # type: ignore[arg-type]
    sign_file(clip, tmp_path / "signed.mp4", request=request_for_clip, identity=identity)
    reading = read_credentials(tmp_path / "signed.mp4", trust=TrustSettings.load())
    assert (reading.integrity, reading.trusted_by) == ("intact", "own")
    assert reading.signer is not None
    assert reading.signer.algorithm == algorithm


def test_keys_command_makes_and_shows_without_secrets(home: Path) -> None:
    made = CliRunner().invoke(keys, ["init", "--mark-key"], catch_exceptions=False)
    assert "development certificate" in made.output
    shown = CliRunner().invoke(keys, ["show", "--json"], catch_exceptions=False)
    report = json.loads(shown.output)
    assert report["identity"]["development"] is True
    assert report["active_mark_key"].startswith("mk-")
    secret = json.loads((home / "mark-keys.json").read_text())["keys"][0]["secret"]
    assert secret not in made.output + shown.output
    assert "PRIVATE" not in made.output + shown.output
