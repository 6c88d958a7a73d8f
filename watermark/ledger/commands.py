"""``vidigree ledger``: show what was issued, and check it against the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidigree.media.one_line import one_line

if TYPE_CHECKING:
    from vidigree.watermark.ledger.check import LedgerFinding
    from vidigree.watermark.ledger.store import Ledger

__all__ = ["ledger"]

_URL = click.option(
    "--url",
    envvar="VIDIGREE_LEDGER",
    help="Database, e.g. postgresql://user@host/ledger; by default a file in the data folder.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

_LEFT_TO_DO = 8
_MOST = 2**63 - 1
"""Largest number that a database counts to."""


@click.group()
def ledger() -> None:
    """Show what was issued, and check it against the files."""


@ledger.command("list")
@_URL
@click.option(
    "--limit", type=click.IntRange(1, _MOST), default=20, show_default=True, help="Clips to list."
)
@_JSON
def list_entries(url: str | None, limit: int, as_json: bool) -> None:
    """List clips, newest first."""
    from vidigree.watermark.ledger.store import Ledger

    with Ledger.open(url, create=False) as store:
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
            f"{row.key_id}  {one_line(made_by)}"
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
    with Ledger.open(url, create=False) as store:
        entry = store.find_clip(number)
        location = store.location
    if entry is None:
        raise LedgerError(
            f"No clip {clip_id} was issued here ({location}).",
            hint="`vidigree ledger list` shows them.",
        )
    if as_json:
        click.echo(json.dumps({"version": 1, **entry.to_dict()}, indent=2))
        return
    for name, value in entry.to_dict().items():
        click.echo(f"{name:18s}{one_line(str(value))}")


@ledger.command()
@_URL
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--repair", is_flag=True, help="Confirm and record what can be vouched for.")
@click.option("--forget", is_flag=True, help="Drop records whose file never came into place.")
@_JSON
def check(
    url: str | None, paths: tuple[Path, ...], repair: bool, forget: bool, as_json: bool
) -> None:
    """Compare the ledger with files.

    They are those that it issued, and those in PATHS. Nothing is changed without --repair or
    --forget. A ledger that was lost is made anew with --repair and PATHS. Ends with code 8 if
    something is left to do.
    """
    from vidigree.watermark.ledger.check import check_files, check_ledger
    from vidigree.watermark.ledger.store import Ledger

    # A ledger that was lost is made anew from its clips, and only from them.
    with Ledger.open(url, create=repair and bool(paths)) as store:
        found = [*check_ledger(store), *check_files(store, paths)]
        rows = [(finding, _mend(store, finding, repair=repair, forget=forget)) for finding in found]
        total = store.count()
    left = sum(finding.needs_action and not done for finding, done in rows)
    if as_json:
        findings = [{**finding.to_dict(), "done": done} for finding, done in rows]
        report = {"version": 1, "records": total, "left": left, "findings": findings}
        click.echo(json.dumps(report, indent=2))
    else:
        for finding, done in rows:
            what = finding.path or f"clip {finding.clip_id or 0:016x}"
            what, detail = one_line(what), one_line(finding.detail)
            click.echo(f"{finding.kind:20s} {what}  {detail}".rstrip())
            click.echo(f"{'':20s} {done or finding.advice}")
        click.echo(f"{total} records, {len(rows)} findings, {left} of them left to do.")
    click.get_current_context().exit(_LEFT_TO_DO if left else 0)


def _mend(store: Ledger, finding: LedgerFinding, *, repair: bool, forget: bool) -> str:
    """Mend one finding if asked to; return what was done, empty if nothing."""
    from vidigree.media.errors import VidigreeError
    from vidigree.watermark.credentials import TrustSettings
    from vidigree.watermark.ledger.adoption import adopted_entry

    if repair and finding.kind == "unconfirmed" and finding.clip_id is not None:
        store.confirm(finding.clip_id)
        return "Confirmed."
    if forget and finding.kind == "abandoned" and finding.clip_id is not None:
        return "Forgotten." if store.forget(finding.clip_id) else ""
    if repair and finding.kind == "file-without-record":
        try:
            store.record(adopted_entry(Path(finding.path), trust=TrustSettings.load()))
        except VidigreeError as error:
            click.echo(f"vidigree: {one_line(str(error))}", err=True)
            return ""
        return "Recorded."
    return ""
