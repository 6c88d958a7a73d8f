"""``vidigree ledger``: show what was issued, and check it against the files."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vidigree.media.one_line import one_line

if TYPE_CHECKING:
    from vidigree.watermark.ledger.check import LedgerFinding
    from vidigree.watermark.ledger.mending import Mender
    from vidigree.watermark.ledger.store import Ledger

__all__ = ["ledger"]

_URL = click.option(
    "--url",
    envvar="VIDIGREE_LEDGER",
    help="Database, e.g. postgresql://user@host/ledger; by default $VIDIGREE_LEDGER, else a file in"
    " the data folder.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

_LEFT_TO_DO = 8
# Zeros in front may be missing; Python's own reading of digits takes signs and underscores, too.
_CLIP_ID = re.compile(r"(?:.*:)?(?:0x)?([0-9a-f]{1,16})", re.IGNORECASE | re.ASCII)
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

    digits = _CLIP_ID.fullmatch(clip_id)
    if digits is None:
        raise UsageError(
            f"{clip_id!r} is not a clip id.", hint="Give its 16 hex digits, as `ledger list` does."
        )
    with Ledger.open(url, create=False) as store:
        entry = store.find_clip(int(digits[1], 16))
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
@click.option(
    "--signer",
    "signers",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="PEM file of a further signer whose clips --repair records as issued here.",
)
@_JSON
def check(
    url: str | None,
    paths: tuple[Path, ...],
    repair: bool,
    forget: bool,
    signers: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Compare the ledger with files.

    They are those that it issued, and those in PATHS. Nothing is changed without --repair or
    --forget. A ledger that was lost is made anew with --repair and PATHS. Ends with code 8 if
    something is left to do.

    Clips are recorded that this installation signed: with its development identities, with the
    signer of its settings, or with the first certificate of a file named by --signer.
    """
    from vidigree.watermark.ledger.check import check_files, check_ledger
    from vidigree.watermark.ledger.mending import Mender

    if signers and not repair:
        raise click.UsageError("--signer goes with --repair.")

    def tell(sentence: str) -> None:
        click.echo(f"vidigree: {one_line(sentence)}", err=True)

    mender = Mender(repair=repair, forget=forget, signers=signers, report=tell)

    with _ledger_to_check(url, mender, paths) as store:
        found = [*check_ledger(store), *check_files(store, paths)]
        rows = [(finding, mender.mend(store, finding)) for finding in found]
        total = store.count()
    left = _print_check(rows, total, as_json=as_json)
    click.get_current_context().exit(_LEFT_TO_DO if left else 0)


def _ledger_to_check(url: str | None, mender: Mender, paths: Sequence[Path]) -> Ledger:
    """Open the ledger; one that was lost is made anew from its clips, and only from them.

    An empty one would say of every clip that nobody issued it.
    """
    from vidigree.watermark.ledger.connection import NoLedgerError
    from vidigree.watermark.ledger.store import Ledger

    try:
        return Ledger.open(url, create=False)
    except NoLedgerError:
        if not mender.finds_a_clip(paths):
            raise
        return Ledger.open(url)


def _print_check(rows: Sequence[tuple[LedgerFinding, str]], total: int, *, as_json: bool) -> int:
    """Print what was found and done; return how many findings are left to do."""
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
        click.echo(f"Records: {total}. Findings: {len(rows)}, left to do: {left}.")
    return left
