"""``vidigree keys use``: sign with a key from elsewhere."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["use"]

_EXISTING = click.Path(path_type=Path, exists=True, dir_okay=False)
_PASSWORD_ENV = click.option("--password-env", help="Environment variable with the password.")
_PASSWORD_FILE = click.option("--password-file", type=_EXISTING, help="File with the password.")


@click.group()
def use() -> None:
    """Sign with a key from elsewhere, or the own again.

    The signer is opened before it is written to the settings, config.toml in the data folder.
    """


@use.command("folder")
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
def use_folder(folder: Path | None) -> None:
    """Sign with what `vidigree keys init` made.

    It lies in the data folder, or in FOLDER.
    """
    _use("folder", folder=folder)


@use.command("pem")
@click.argument("chain", type=_EXISTING)
@click.argument("key", type=_EXISTING)
@_PASSWORD_ENV
@_PASSWORD_FILE
def use_pem(chain: Path, key: Path, password_env: str | None, password_file: Path | None) -> None:
    """Sign with the private KEY of certificates in CHAIN.

    Both are PEM files; the chain begins with the signer's own certificate.
    """
    _use("pem", chain=chain, key=key, password_env=password_env, password_file=password_file)


@use.command("pkcs12")
@click.argument("file", type=_EXISTING)
@_PASSWORD_ENV
@_PASSWORD_FILE
def use_pkcs12(file: Path, password_env: str | None, password_file: Path | None) -> None:
    """Sign with the key in a .p12 or .pfx FILE."""
    _use("pkcs12", file=file, password_env=password_env, password_file=password_file)


@use.command("pkcs11")
@click.option("--module", required=True, type=_EXISTING, help="The token's PKCS#11 library.")
@click.option("--token", required=True, help="Label of the token.")
@click.option("--key-label", help="Label of the private key.")
@click.option("--key-id", help="Id of the private key, hexadecimal.")
@click.option(
    "--chain",
    type=_EXISTING,
    help="PEM file of the certificates, leaf first.  [default: those on the token]",
)
@click.option("--pin-env", help="Environment variable with the user PIN.")
@click.option("--pin-file", type=_EXISTING, help="File with the user PIN.")
def use_pkcs11(**options: str | Path | None) -> None:
    """Sign with a key that stays in a hardware token."""
    _use("pkcs11", **options)


@use.command("callback")
@click.argument("function")
@click.argument("chain", type=_EXISTING)
def use_callback(function: str, chain: Path) -> None:
    """Sign with a FUNCTION and its certificates in CHAIN.

    It is written as package.module:name. The function takes bytes and returns their signature, by a
    cloud key service or otherwise.
    """
    _use("callback", function=function, chain=chain)


def _use(kind: str, **options: str | Path | None) -> None:
    """Open the signer, write it to the settings, and show whom it signs as."""
    from vidigree.watermark.config import write_signer_section
    from vidigree.watermark.credentials.signers import SignerSettings, open_signer

    given = {
        name: str(value.absolute()) if isinstance(value, Path) else value
        for name, value in options.items()
        if value is not None
    }
    settings = SignerSettings(kind=kind, options=given)
    identity = open_signer(settings)
    path = write_signer_section(settings)
    click.echo(f"Clips are now signed as {identity.organization}, {identity.common_name}.")
    click.echo(f"This is written in {path}. `vidigree keys check` tries it.")
