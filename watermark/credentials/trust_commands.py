"""``vidigree trust``: whom the audits believe."""

from __future__ import annotations

import json
from typing import cast

import click

from vidigree.watermark.credentials.trust_lists import Role

__all__ = ["trust"]

_ROLE = click.option(
    "--for",
    "role",
    type=click.Choice(["claim", "tsa"]),
    required=True,
    help="claim: who may sign claims. tsa: who may stamp times.",
)


@click.group()
def trust() -> None:
    """Choose whom audits believe: signers of claims and time-stamping authorities, kept apart."""


@trust.command()
@click.argument("source")
@_ROLE
@click.option("--name", help="Name of the list; by default the file's.")
@click.option("--sha256", help="Take the list only if its SHA-256 is this one, in hex.")
def add(source: str, role: str, name: str | None, sha256: str | None) -> None:
    """Add a list from a file, an address, or 'official'.

    SOURCE is a PEM file, an https address, or the word 'official', which fetches the list of the
    C2PA conformance programme.
    """
    from vidigree.watermark.credentials.trust_lists import OFFICIAL_LISTS, add_list

    chosen = cast("Role", role)
    where = OFFICIAL_LISTS[chosen] if source == "official" else source
    added = add_list(where, role=chosen, name=name, sha256=sha256)
    click.echo(f"Added {added.name}: {_counted(added.certificates)}, for {added.role}.")
    click.echo(f"SHA-256 {added.sha256}")


@trust.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_lists(as_json: bool) -> None:
    """Show the lists and where they came from."""
    from vidigree.watermark.credentials.trust_lists import installed_lists

    rows = installed_lists()
    if as_json:
        report = {"version": 1, "lists": [row.to_dict() for row in rows]}
        click.echo(json.dumps(report, indent=2))
        return
    for row in rows:
        click.echo(f"{row.role:6s}{row.name:28s}{_counted(row.certificates):>17s}  {row.source}")
        click.echo(f"      sha256 {row.sha256}")
    if not rows:
        click.echo("No lists: only your own development identity is recognised.")


@trust.command()
@click.argument("name")
@_ROLE
def remove(name: str, role: str) -> None:
    """Remove a list."""
    from vidigree.watermark.credentials.trust_lists import remove_list

    remove_list(name, role=cast("Role", role))
    click.echo(f"Removed {name}.")


@trust.command()
def update() -> None:
    """Fetch every list again that came from an address."""
    from vidigree.watermark.credentials.trust_lists import installed_lists, update_lists

    before = {(row.role, row.name): row.sha256 for row in installed_lists()}
    rows = update_lists()
    for row in rows:
        same = before.get((row.role, row.name)) == row.sha256
        change = "unchanged" if same else f"changed, {_counted(row.certificates)}"
        click.echo(f"Fetched {row.name} for {row.role}: {change}.")
        click.echo(f"  sha256 {row.sha256}")
    if not rows:
        click.echo("No list came from an address.")


def _counted(certificates: int) -> str:
    return f"{certificates} certificate{'s' * (certificates != 1)}"
