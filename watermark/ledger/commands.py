"""``vidigree ledger``: show what was issued."""

from __future__ import annotations

import json

import click

__all__ = ["ledger"]

_URL = click.option(
    "--url",
    envvar="VIDIGREE_LEDGER",
    help="Database, e.g. postgresql://user@host/ledger; by default a file in the data folder.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def ledger() -> None:
    """Show what was issued."""


@ledger.command("list")
@_URL
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@_JSON
def list_entries(url: str | None, limit: int, as_json: bool) -> None:
    """List clips, newest first."""
    from vidigree.watermark.ledger.store import Ledger

    with Ledger.open(url) as store:
        rows = list(store.entries(limit))
        total = store.count()
    if as_json:
        report = {"version": 1, "total": total, "entries": [row.to_dict() for row in rows]}
        click.echo(json.dumps(report, indent=2))
        return
    for row in rows:
        made_by = " ".join(part for part in (row.engine, row.model) if part)
        click.echo(
            f"{row.clip_id:016x}  {row.created_at:%Y-%m-%d %H:%M:%S}  {row.duration:7.2f} s  "
            f"{row.key_id}  {made_by}"
        )
    click.echo(f"{len(rows)} of {total} clips.")


@ledger.command()
@_URL
@click.argument("clip_id")
@_JSON
def show(url: str | None, clip_id: str, as_json: bool) -> None:
    """Show one clip by its id of 16 hex digits."""
    from vidigree.media.errors import LedgerError, UsageError
    from vidigree.watermark.ledger.store import Ledger

    try:
        number = int(clip_id.rsplit(":", 1)[-1], 16)
    except ValueError as error:
        raise UsageError(
            f"{clip_id!r} is not a clip id.", hint="Give its 16 hex digits, as `ledger list` does."
        ) from error
    with Ledger.open(url) as store:
        entry = store.find_clip(number)
        location = store.location
    if entry is None:
        raise LedgerError(f"No clip {clip_id} was issued here ({location}).")
    if as_json:
        click.echo(json.dumps({"version": 1, **entry.to_dict()}, indent=2))
        return
    for name, value in entry.to_dict().items():
        click.echo(f"{name:18s}{value}")
