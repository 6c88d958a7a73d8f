"""``vidigree audit``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from vidigree.detect.audit import audit as audit_clip
from vidigree.detect.settings import CHECKED_LAYERS, AuditSettings
from vidigree.detect.terminal import verdict_panel, verdict_text
from vidigree.detect.verdict import Verdict
from vidigree.detect.wording import LANGUAGES
from vidigree.media.errors import VidigreeError
from vidigree.media.progress import progress_bar

__all__ = ["audit"]


@click.command(epilog="Exit codes: see docs/exit-codes.md.")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.option("--explain", is_flag=True, help="Say what each piece of evidence proves, and not.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(CHECKED_LAYERS),
    help="Look at this layer only; may be given several times.",
)
@click.option("--ledger", metavar="URL", help="Database URL of the ledger.")
@click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default="en",
    show_default=True,
    help="Of the words.",
)
@click.option("--show-personal", is_flag=True, help="Keep authors, prompts and places in --json.")
def audit(
    files: tuple[Path, ...],
    *,
    as_json: bool,
    explain: bool,
    only: tuple[str, ...],
    ledger: str | None,
    language: str,
    show_personal: bool,
) -> int:
    """Say where clips come from, and why.

    Reads the content credentials, the watermark, the ledger and the statistics of the pixels, and
    ends in one finding with all its evidence. No finding calls a clip authentic.
    """
    layers = tuple(layer for layer in CHECKED_LAYERS if not only or layer in only)
    settings = AuditSettings(layers=layers, ledger=ledger)
    findings, errors = [0], [0]
    for path in files:
        try:
            with progress_bar() as progress:
                verdict = audit_clip(path, settings=settings, progress=progress)
        except VidigreeError as error:
            if len(files) == 1 and not as_json:
                raise
            errors.append(error.exit_code)
            _show_error(path, error, as_json=as_json)
            continue
        findings.append(verdict.exit_code)
        if as_json:
            row = verdict.to_dict(language=language, show_personal=show_personal)
            click.echo(json.dumps(row, ensure_ascii=False, allow_nan=False))
        else:
            _show(verdict, language=language, explain=explain)
    return max(errors) or max(findings)


def _show(verdict: Verdict, *, language: str, explain: bool) -> None:
    if not sys.stdout.isatty():
        click.echo(verdict_text(verdict, language=language, explain=explain))
        return
    from rich.console import Console

    Console().print(verdict_panel(verdict, language=language, explain=explain))


def _show_error(path: Path, error: VidigreeError, *, as_json: bool) -> None:
    if as_json:
        row = {
            "file": str(path),
            "error": {
                "kind": type(error).__name__,
                "message": error.message,
                "hint": error.hint,
                "exit_code": error.exit_code,
            },
        }
        click.echo(json.dumps(row, ensure_ascii=False))
    click.echo(f"vidigree: {' '.join(str(error).split())}", err=True)
