"""``vidigree keys``: make and show the signing identity and the mark keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import click

from vidigree.watermark.credentials.certificates import SigningAlgorithm
from vidigree.watermark.credentials.use_commands import use
from vidigree.watermark.file_path import FOLDER_PATH

if TYPE_CHECKING:
    from vidigree.watermark.credentials.certificate_check import ChainFinding
    from vidigree.watermark.credentials.identity import SigningIdentity

__all__ = ["keys"]

_FOLDER = click.option(
    "--folder",
    type=FOLDER_PATH,
    help="Folder of the identity; by default the one in the data folder.",
)


@click.group()
def keys() -> None:
    """Make and show signing keys and watermark keys."""


@keys.command()
@_FOLDER
@click.option(
    "--algorithm",
    type=click.Choice(list(get_args(SigningAlgorithm))),
    default="es256",
    show_default=True,
    help="Signature algorithm.",
)
@click.option("--mark-key", is_flag=True, help="Also make a secret key for the watermark.")
@click.option("--replace", is_flag=True, help="Replace an identity that is there already.")
def init(folder: Path | None, algorithm: str, mark_key: bool, replace: bool) -> None:
    """Make a development identity to sign with.

    Its certificate names nobody and is on no trust list: your own audits recognise it as yours,
    everybody else's call its signer unlisted.
    """
    from vidigree.watermark.credentials.identity import identity_folder, init_identity
    from vidigree.watermark.keyring import KeyRing

    identity = init_identity(folder, algorithm=cast("SigningAlgorithm", algorithm), replace=replace)
    click.echo(f"Made {identity.common_name} in {identity_folder(folder)}.")
    click.echo(f"It is valid until {identity.not_after:%Y-%m-%d}. It is a development certificate:")
    click.echo("it proves that clips come from the same key, and nothing about who holds it.")
    if mark_key:
        ring = KeyRing.rotate()
        click.echo(f"New clips are marked with the secret key {ring.active.key_id}.")


@keys.command()
def rotate() -> None:
    """Make a new secret watermark key.

    Marks made with the older ones are still found. The new key lies in mark-keys.json in the data
    folder, readable by its owner only.
    """
    from vidigree.watermark.keyring import KeyRing

    ring = KeyRing.rotate()
    click.echo(f"New clips are marked with the secret key {ring.active.key_id}.")
    click.echo(f"Still looked for: {', '.join(key.key_id for key in ring.keys[1:])}.")


@keys.command()
@_FOLDER
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(folder: Path | None, as_json: bool) -> None:
    """Show the signing identity and the mark keys; never a secret."""
    from vidigree.media.errors import CredentialsError
    from vidigree.watermark.keyring import KeyRing

    ring = KeyRing.load()
    failure: CredentialsError | None = None
    identity: SigningIdentity | None = None
    try:
        identity = _identity(folder)
    except CredentialsError as error:  # who only audits has mark keys and no identity
        failure = error
    if as_json:
        report = {
            "version": 1,
            "identity": None if identity is None else identity.to_dict(),
            "mark_keys": [key.key_id for key in ring.keys],
            "active_mark_key": ring.active.key_id,
        }
        click.echo(json.dumps(report, indent=2))
    else:
        if identity is not None:
            click.echo(f"Signer      {identity.organization}")
            click.echo(f"            {identity.common_name}, serial {identity.serial}")
            click.echo(f"Algorithm   {identity.algorithm}, key in {identity.signer.kind}")
            first, last = identity.not_before, identity.not_after
            click.echo(f"Valid       {first:%Y-%m-%d} to {last:%Y-%m-%d}")
        click.echo(f"Mark keys   {', '.join(key.key_id for key in ring.keys)}")
        click.echo(f"            new clips are marked with {ring.active.key_id}")
    if failure is not None:
        raise failure


@keys.command()
@_FOLDER
@click.option(
    "--chain",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Check this PEM file, leaf first, instead of the identity.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def check(context: click.Context, folder: Path | None, chain: Path | None, as_json: bool) -> None:
    """Say what is wrong with the signer, and who may read secrets.

    Unless --chain is given, the signer makes a trial signature, which proves password, PIN and
    rights, and every secret in the data folder that others may read is named. Exits with 7 if clips
    cannot be signed.
    """
    from vidigree.media.errors import CredentialsError
    from vidigree.watermark.credentials.certificate_check import (
        ChainFinding,
        check_chain,
        check_identity,
    )
    from vidigree.watermark.credentials.identity import read_pem

    failure: CredentialsError | None = None
    findings: tuple[ChainFinding, ...] = ()
    try:
        findings = check_chain(read_pem(chain)) if chain else check_identity(_identity(folder))
    except CredentialsError as error:  # who only audits has mark keys and no identity
        failure = error
    findings += () if chain else _exposed_secrets(folder)
    usable = failure is None and all(finding.severity != "error" for finding in findings)
    if as_json:
        rows = [finding.to_dict() for finding in findings]
        if failure is not None:
            first = ChainFinding(severity="error", problem=failure.message, remedy=failure.hint)
            rows.insert(0, first.to_dict())
        click.echo(json.dumps({"version": 1, "usable": usable, "findings": rows}, indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.severity:8s}{finding.problem}")
            click.echo(f"        {finding.remedy}")
        if failure is None:
            click.echo("These certificates can sign." if usable else "They cannot sign.")
    if failure is not None:
        raise failure
    if not usable:
        context.exit(CredentialsError.exit_code)


keys.add_command(use)


def _identity(folder: Path | None) -> SigningIdentity:
    """Return the identity in a folder, or the one that the settings name."""
    from vidigree.watermark.config import Config
    from vidigree.watermark.credentials.identity import load_identity
    from vidigree.watermark.credentials.signers import open_signer

    return load_identity(folder) if folder else open_signer(Config.load().signer)


def _exposed_secrets(folder: Path | None) -> tuple[ChainFinding, ...]:
    """Return the secrets that others may read: in the data folder, and where the settings say."""
    from vidigree.media.home import home_folder
    from vidigree.watermark.config import Config
    from vidigree.watermark.credentials.secret_files import check_secret_files, secrets_of_settings

    home = home_folder()
    named = secrets_of_settings(Config.load(), home)
    if folder is not None:
        named[folder / "key.pem"] = "private key"
    return check_secret_files(home, named)
