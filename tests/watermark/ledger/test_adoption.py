"""A clip is recorded again where a signer of this installation made it, and for nobody else."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from fixtures import killed_stamp
from fixtures.authority import key_pem, pem
from fixtures.chain_authority import ChainAuthority, Issued

from vidigree.media import VideoWriter
from vidigree.media.errors import CredentialsError, LedgerError
from vidigree.watermark import StampReceipt, StampSettings, stamp, watermark_methods
from vidigree.watermark.clip import MADE_ELSEWHERE, Origin
from vidigree.watermark.credentials import (
    TrustSettings,
)
from vidigree.watermark.credentials.manifest import SoftBinding
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.ledger import Ledger, adoption
from vidigree.watermark.ledger.adoption import adopted_entry, bound_clip_id, own_signers
from vidigree.watermark.ledger.commands import ledger as ledger_command
from vidigree.watermark.method import SOFT_BINDING_ALGORITHM

AUTHORITY = ChainAuthority()
STUDIO = AUTHORITY.issue()
RIVAL = AUTHORITY.issue()
"""A customer of the same authority, with the same name in the certificate."""


@pytest.fixture
def settings(home: Path, tmp_path: Path) -> StampSettings:
    return killed_stamp.settings(home, f"sqlite:///{tmp_path}/elsewhere.sqlite3")


@pytest.fixture
def rivals_clip(settings: StampSettings, tmp_path: Path) -> StampReceipt:
    """A clip of a stranger who hangs from the authority that vouches for our studio too."""
    return _stamped(settings, RIVAL, tmp_path / "rival.mp4")


def _stamped(settings: StampSettings, issued: Issued, path: Path) -> StampReceipt:
    return stamp(killed_stamp.clip(), path, settings=replace(settings, identity=issued.identity))


def _believe(home: Path) -> None:
    """Let audits believe everybody whom the authority vouches for."""
    (home / "trust" / "claim").mkdir(parents=True)
    (home / "trust" / "claim" / "official.pem").write_bytes(pem(AUTHORITY.root))


def _sign_as(home: Path, issued: Issued, key: bytes | None = None) -> None:
    """Write a signer into the settings, as ``vidigree keys use pem`` does."""
    (home / "studio.pem").write_bytes(issued.chain)
    (home / "studio.key").write_bytes(key or issued.key_pem)
    (home / "config.toml").write_text(
        '[signer]\nkind = "pem"\nchain = "studio.pem"\nkey = "studio.key"\n'
    )


def _repair(*arguments: str | Path) -> Result:
    command = ["check", "--repair", *map(str, arguments)]
    return CliRunner().invoke(ledger_command, command)


def _recorded(number: int) -> bool:
    with Ledger.open() as ledger:  # made here, if the repair made none
        return ledger.find_clip(number) is not None


def test_a_listed_signer_is_not_ours(home: Path, rivals_clip: StampReceipt) -> None:
    _believe(home)
    _sign_as(home, STUDIO)
    done = _repair(rivals_clip.path)
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert isinstance(done.exception, LedgerError)
    assert "There is no ledger" in done.exception.message
    assert not (home / "ledger.sqlite3").exists()  # of no clip, none is made
    Ledger.open().close()
    done = _repair(rivals_clip.path)
    assert (done.exit_code, done.stderr.count("\n")) == (8, 1)
    assert "'Example signer' is none of this installation's" in done.stderr
    assert "--signer" in done.stderr
    assert not _recorded(rivals_clip.clip_id)
    with pytest.raises(LedgerError, match="none of this installation's"):
        adopted_entry(rivals_clip.path, trust=TrustSettings.load())


def test_the_signer_of_the_settings_is_ours(
    home: Path, settings: StampSettings, tmp_path: Path
) -> None:
    receipt = _stamped(settings, STUDIO, tmp_path / "clip.mp4")
    _sign_as(home, STUDIO)
    done = _repair(receipt.path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert _recorded(receipt.clip_id)


def test_an_own_clip_is_recorded_though_another_signer_is_set(
    home: Path, settings: StampSettings, tmp_path: Path
) -> None:
    receipt = stamp(killed_stamp.clip(), tmp_path / "clip.mp4", settings=settings)
    _sign_as(home, STUDIO, key=RIVAL.key_pem)  # the key does not fit
    done = _repair(receipt.path)
    assert done.exit_code == 0
    assert "The signer of the settings does not count here. The private key" in done.stderr
    assert _recorded(receipt.clip_id)


@pytest.mark.parametrize("synthetic", [None, True])
def test_a_clip_that_was_made_elsewhere_is_recorded_as_such(
    synthetic: bool | None, home: Path, settings: StampSettings, tmp_path: Path
) -> None:
    with VideoWriter(tmp_path / "in.mp4", width=128, height=96, fps=Fraction(24)) as video:
        for image in killed_stamp.images(0):
            video.write(image)
    origin = Origin(synthetic=synthetic)
    stamp(tmp_path / "in.mp4", tmp_path / "out.mp4", settings=settings, origin=origin)
    assert adopted_entry(tmp_path / "out.mp4", trust=own_signers({})).engine in MADE_ELSEWHERE


@pytest.mark.parametrize("model", ["", "vidigree-nano", "m" * 512])
def test_a_made_clip_is_recorded_with_what_made_it(
    model: str, home: Path, settings: StampSettings, tmp_path: Path
) -> None:
    made = killed_stamp.clip()
    origin = replace(made.origin, model=model, engine_version="7", trained_model=bool(model))
    stamp(replace(made, origin=origin), tmp_path / "out.mp4", settings=settings)
    engine = adopted_entry(tmp_path / "out.mp4", trust=own_signers({})).engine
    assert engine == {"": "render 7", "m" * 512: "m" * 128}.get(model, f"{model} 7")


def test_a_clip_marked_by_a_method_of_another_package_is_recorded_while_it_is_installed(
    home: Path, settings: StampSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watermark_methods.names()  # what is installed is found before one is added
    targets = {**watermark_methods._targets, "other": "fixtures.faulty_marks:OtherMark"}
    with monkeypatch.context() as installed:
        installed.setattr(watermark_methods, "_targets", targets)
        other = replace(settings, method="other")
        receipt = stamp(killed_stamp.clip(), tmp_path / "clip.mp4", settings=other)
        assert adopted_entry(receipt.path, trust=own_signers({})).method == "other"
        assert bound_clip_id(receipt.path) == receipt.clip_id
    assert bound_clip_id(receipt.path) is None


def test_a_clip_of_our_own_needs_no_other_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A binding of somebody else may stand before ours, and a package that is broken be there."""
    bindings = [
        SoftBinding(alg=alg, value=f"{PUBLISHED_KEY.key_id}:{7:016x}")
        for alg in ("org.example.other.1", SOFT_BINDING_ALGORITHM)
    ]
    reading = SimpleNamespace(soft_bindings=bindings)
    monkeypatch.setattr(adoption, "read_credentials", lambda *_, **__: reading)
    watermark_methods.names()  # what is installed is found before one is added
    targets = {**watermark_methods._targets, "broken": "no_such_package:Mark"}
    monkeypatch.setattr(watermark_methods, "_targets", targets)
    assert bound_clip_id(Path("clip.mp4")) == 7


@pytest.mark.parametrize(
    ("named", "recorded"),
    [
        (RIVAL.chain, True),
        (pem(RIVAL.leaf), True),
        (pem(AUTHORITY.issuer), True),
        (pem(AUTHORITY.root), True),
        (STUDIO.chain, False),  # the issuer behind it vouches for both
        (pem(STUDIO.leaf) + pem(RIVAL.leaf), False),
        (pem(ChainAuthority().root), False),
    ],
    ids=["chain", "leaf", "issuer", "root", "other chain", "second", "other root"],
)
def test_the_operator_names_signers_and_authorities(
    home: Path, rivals_clip: StampReceipt, tmp_path: Path, named: bytes, recorded: bool
) -> None:
    (tmp_path / "named.pem").write_bytes(named)
    done = _repair(rivals_clip.path, "--signer", tmp_path / "named.pem")
    assert (done.exit_code == 0) is recorded
    assert _recorded(rivals_clip.clip_id) is recorded


def test_a_lost_ledger_is_made_of_the_first_clip_that_is_ours(
    home: Path, settings: StampSettings, rivals_clip: StampReceipt, tmp_path: Path
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    rivals_clip.path.rename(clips / "a.mp4")
    (clips / "b.mp4").write_bytes(b"no clip")
    (clips / ".c.0.part.mp4").write_bytes((clips / "a.mp4").read_bytes())
    done = _repair(clips)
    assert isinstance(done.exception, LedgerError)
    assert not (home / "ledger.sqlite3").exists()
    ours = stamp(killed_stamp.clip(1), clips / "d.mp4", settings=settings)
    done = _repair(clips)
    assert done.exit_code == 8  # what is not ours, or no clip, is left to do
    assert done.stderr.count("none of this installation's") == 1
    assert _recorded(ours.clip_id)
    assert not _recorded(rivals_clip.clip_id)


def test_a_clip_that_no_ledger_can_name_is_told_and_the_others_are_recorded(
    home: Path, settings: StampSettings, tmp_path: Path
) -> None:
    clips = tmp_path / "clips"
    clips.mkdir()
    first = stamp(killed_stamp.clip(), clips / "a.mp4", settings=settings)
    first.path.rename(clips / os.fsdecode(b"\xe9.mp4"))
    second = stamp(killed_stamp.clip(1), clips / "b.mp4", settings=settings)
    done = _repair(clips, "--json")  # which no terminal has to show
    assert done.exit_code == 8
    assert "is not UTF-8" in done.stderr
    assert not _recorded(first.clip_id)
    assert _recorded(second.clip_id)


def test_several_signers_may_be_named_and_none_be_held(
    home: Path, settings: StampSettings, rivals_clip: StampReceipt, tmp_path: Path
) -> None:
    ours = _stamped(settings, STUDIO, tmp_path / "clip.mp4")
    shutil.rmtree(home)
    for name, issued in (("a.pem", STUDIO), ("b.pem", RIVAL)):
        (tmp_path / name).write_bytes(issued.chain)
    named = ("--signer", tmp_path / "a.pem", "--signer", tmp_path / "b.pem")
    assert _repair(ours.path, rivals_clip.path, *named).exit_code == 0
    assert _recorded(ours.clip_id)
    assert _recorded(rivals_clip.clip_id)


def test_a_file_that_names_nobody_is_told_before_a_ledger_is_made(
    home: Path, rivals_clip: StampReceipt, tmp_path: Path
) -> None:
    (tmp_path / "key.pem").write_bytes(key_pem(RIVAL.key))
    done = _repair(rivals_clip.path, "--signer", tmp_path / "key.pem")
    assert isinstance(done.exception, CredentialsError)
    assert "key.pem holds no certificate: it holds PRIVATE KEY" in done.exception.message
    assert not (home / "ledger.sqlite3").exists()


def test_a_signer_is_named_for_a_repair_only(home: Path, tmp_path: Path) -> None:
    (tmp_path / "named.pem").write_bytes(STUDIO.chain)
    done = CliRunner().invoke(ledger_command, ["check", "--signer", str(tmp_path / "named.pem")])
    assert done.exit_code == 2
    assert "--repair" in done.stderr


def test_a_forged_certificate_of_the_same_names_and_number_is_not_ours(
    home: Path, settings: StampSettings, tmp_path: Path
) -> None:
    forger = ChainAuthority()  # of the same names, with keys of its own
    forged = forger.issue(serial=STUDIO.leaf.serial_number)
    assert forged.leaf.subject == STUDIO.leaf.subject
    assert forged.leaf.issuer == STUDIO.leaf.issuer
    receipt = _stamped(settings, forged, tmp_path / "forged.mp4")
    ours = own_signers({"The studio": STUDIO.chain}, home=home)
    with pytest.raises(LedgerError, match="none of this installation's"):
        adopted_entry(receipt.path, trust=ours)
    forgers = own_signers({"The forger": forged.chain}, home=home)
    assert adopted_entry(receipt.path, trust=forgers).clip_id == receipt.clip_id
