"""`vidigree keys use` opens a signer before it is kept, and `keys check` tries it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from fixtures.chain_authority import ChainAuthority, Issued

from vidigree.media.errors import CredentialsError
from vidigree.watermark.config import Config, write_signer_section
from vidigree.watermark.credentials import init_identity
from vidigree.watermark.credentials.commands import keys
from vidigree.watermark.credentials.signers import SignerSettings, open_signer

MakeSigner = Callable[[str, Issued], SignerSettings]


def arguments(settings: SignerSettings) -> list[str]:
    """Return the command line that says what the settings say."""
    places = {"chain", "key", "file", "password_file", "pin_file", "module"}
    given = {
        name: str(settings.path(name)) if name in places else value
        for name, value in settings.options.items()
    }
    leading = {
        "pem": ["chain", "key"],
        "pkcs12": ["file"],
        "pkcs11": [],
        "callback": ["function", "chain"],
    }[settings.kind]
    positional = [given.pop(name) for name in leading]
    options = [part for name, value in given.items() for part in (f"--{name}", value)]
    options = [part.replace("_", "-") if part.startswith("--") else part for part in options]
    return ["use", settings.kind, *positional, *options]


@pytest.mark.parametrize("kind", ["pem", "pem-encrypted", "pkcs12", "pkcs11", "callback"])
def test_signer_is_kept_and_tried(
    kind: str, authority: ChainAuthority, make_signer: MakeSigner, home: Path
) -> None:
    issued = authority.issue()
    settings = make_signer(kind, issued)
    done = CliRunner().invoke(keys, arguments(settings), catch_exceptions=False)
    assert "signed as Example Ltd, Example signer" in done.output
    assert open_signer(Config.load().signer).chain == issued.chain
    text = (home / "config.toml").read_text()
    assert "correct horse" not in text
    assert "4711" not in text
    checked = CliRunner().invoke(keys, ["check"], catch_exceptions=False)
    assert checked.exit_code == 0, checked.output


def test_signer_that_does_not_open_is_not_kept(
    authority: ChainAuthority, make_signer: MakeSigner, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_signer("pem-encrypted", authority.issue())
    monkeypatch.setenv("TEST_SECRET", "wrong")
    done = CliRunner().invoke(keys, arguments(settings))
    assert isinstance(done.exception, CredentialsError)
    assert not (home / "config.toml").exists()


def test_check_finds_a_wrong_pin(
    authority: ChainAuthority, make_signer: MakeSigner, tmp_path: Path
) -> None:
    settings = make_signer("pkcs11", authority.issue())
    CliRunner().invoke(keys, arguments(settings), catch_exceptions=False)
    (tmp_path / "pin").write_text("0000")
    checked = CliRunner().invoke(keys, ["check"])
    assert checked.exit_code == 7
    assert "the PIN is wrong" in checked.output


def test_folder_again(authority: ChainAuthority, make_signer: MakeSigner, home: Path) -> None:
    run = CliRunner()
    run.invoke(keys, ["init"], catch_exceptions=False)
    run.invoke(keys, arguments(make_signer("pem", authority.issue())), catch_exceptions=False)
    assert "Example Ltd" in run.invoke(keys, ["show"], catch_exceptions=False).output
    run.invoke(keys, ["use", "folder"], catch_exceptions=False)
    assert "vidigree development signer" in run.invoke(keys, ["show"]).output


def _told_of(*options: str) -> list[Path]:
    """Return the key files of which `keys check` says that others may read them."""
    done = CliRunner().invoke(keys, ["check", *options, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    words = "Others on this machine may read the private key "
    problems = [row["problem"] for row in json.loads(done.output)["findings"]]
    return [
        Path(text.removeprefix(words).rstrip(".")) for text in problems if text.startswith(words)
    ]


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps rights elsewhere")
@pytest.mark.parametrize(("kind", "name"), [("pem", "key.pem"), ("pkcs12", "signer.p12")])
def test_check_tells_whose_key_file_others_may_read(
    kind: str,
    name: str,
    authority: ChainAuthority,
    make_signer: MakeSigner,
    home: Path,
    tmp_path: Path,
) -> None:
    init_identity()
    init_identity(tmp_path / "named")
    usual, named = home / "identity" / "key.pem", tmp_path / "named" / "key.pem"
    settings = make_signer(kind, authority.issue())
    for path in (usual, named, tmp_path / name):
        path.chmod(0o644)
    assert _told_of() == [usual]
    assert _told_of("--folder", str(tmp_path / "named")) == sorted([usual, named])
    write_signer_section(SignerSettings(kind="folder", options={"folder": str(named.parent)}))
    assert _told_of() == sorted([usual, named])
    usual.chmod(0o600)
    CliRunner().invoke(keys, arguments(settings), catch_exceptions=False)
    assert _told_of() == [tmp_path / name]
    (tmp_path / name).chmod(0o600)
    assert _told_of() == []


@pytest.mark.skipif(os.name != "posix", reason="Windows keeps rights elsewhere")
def test_check_tells_of_a_key_in_the_data_folder_that_does_not_sign(
    authority: ChainAuthority, make_signer: MakeSigner, home: Path
) -> None:
    init_identity()
    (home / "identity" / "key.pem").chmod(0o644)
    settings = make_signer("callback", authority.issue())
    CliRunner().invoke(keys, arguments(settings), catch_exceptions=False)
    assert _told_of() == [home / "identity" / "key.pem"]
