"""The development identity: made once, private, recognisable."""

from __future__ import annotations

import errno
import json
import os
import re
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
from vidigree.watermark.keyring import PUBLISHED_KEY, KeyRing, MarkKey


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
