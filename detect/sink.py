"""Where verdicts go: the screen, a file that survives a crash, tables, the report."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from vidigree.detect import terminal
from vidigree.detect.findings import Finding
from vidigree.detect.journal import Journal
from vidigree.detect.report import ReportWriter
from vidigree.detect.tables import check_parquet, write_csv, write_parquet
from vidigree.media.errors import OutputError
from vidigree.media.one_line import one_line

__all__ = ["VerdictSink", "journal_of"]

_IN_FULL = 5
"""Up to so many clips are shown in full, more as one line each."""


class VerdictSink:
    """Takes verdicts as they come; a context manager that writes tables and report at the end.

    Args:
        names: The clips of the run, those that are done included.
        options: What stands for the options; an output file of other options is refused.
        output: File for verdicts: JSON lines, or a table beside its journal; ``None`` for none.
        restart: Begin the file anew.
        report: HTML file; ``None`` for none.
        as_json: Print JSON lines instead of text.
        language: Language of the words.
        explain: Show what each piece of evidence proves and what it does not.

    Raises:
        OutputError: The output cannot be written.
        UsageError: It is Parquet, and pyarrow is not installed.
    """

    def __init__(
        self,
        *,
        names: Sequence[str],
        options: str = "",
        output: Path | None = None,
        restart: bool = False,
        report: Path | None = None,
        as_json: bool = False,
        language: str = "en",
        explain: bool = False,
    ) -> None:
        self._total = len(names)
        self._output = output
        self._as_json = as_json
        self._words: dict[str, Any] = {"language": language, "explain": explain}
        self._counts: Counter[str] = Counter()
        self._errors = self._findings = 0
        if output is not None and output.suffix == ".parquet":
            check_parquet()
        if output is not None and not restart:
            _keep_table(output)
        self._journal: Journal | None = None
        if output is not None:
            self._journal = Journal(
                journal_of(output), options=options, names=frozenset(names), restart=restart
            )
        self._report = None if report is None else ReportWriter(report, language=language)
        if self._journal is not None:
            if done := len(self._journal):
                clips = "1 clip was" if done == 1 else f"{done} clips were"
                click.echo(f"{clips} audited before.", err=True)
            if again := self._journal.again:
                words = (
                    "1 is audited again: it" if again == 1 else f"{again} are audited again: they"
                )
                click.echo(f"{words} failed, or changed since.", err=True)
            for row in self._journal.rows():
                self._count(row)
                if self._report is not None:
                    self._report.add(row, [])

    def __enter__(self) -> VerdictSink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            if self._journal is not None:
                self._journal.close()
            if self._report is not None:
                self._report.close()

    def __contains__(self, name: object) -> bool:
        return self._journal is not None and name in self._journal

    def begin(self, names: Iterable[str]) -> Iterator[str]:
        """Pass on names, noting what every file is at the time it is asked for."""
        for name in names:
            if self._journal is not None:
                self._journal.begin(name)
            yield name

    @property
    def silent(self) -> bool:
        """Whether nothing is printed for a verdict, so that a progress bar has the screen."""
        if self._as_json:
            return not sys.stdout.isatty()
        many = self._output is not None and self._total > _IN_FULL
        return many or not sys.stdout.isatty()

    @property
    def exit_code(self) -> int:
        """The highest code of all errors; without any, of all findings."""
        return self._errors or self._findings

    def take(self, row: dict[str, Any], pictures: list[dict[str, Any]]) -> None:
        """Take a verdict or an error.

        Args:
            row: In the published JSON form.
            pictures: Thumbnails for the report.

        Raises:
            OutputError: The output cannot be written.
        """
        self._count(row)
        if self._journal is not None:
            self._journal.add(row)
        if self._report is not None:
            self._report.add(row, pictures)
        if self._as_json:
            line = json.dumps(row, ensure_ascii=False, allow_nan=False)
            # File names need not be UTF-8; escaped so, JSON gives them back as they were.
            click.echo(line.encode("utf-8", "backslashreplace").decode())
        elif "error" not in row and (self._output is None or self._total <= _IN_FULL):
            self._show(row)
        if "error" in row:
            error = row["error"]
            told = one_line(f"{error['message']} {error['hint']}")
            click.echo(f"vidigree: {told}", err=True)

    def _count(self, row: dict[str, Any]) -> None:
        if "error" in row:
            self._errors = max(self._errors, row["error"]["exit_code"])
        else:
            self._findings = max(self._findings, Finding(row["finding"]).exit_code)
        terminal.tally(row, self._counts)

    def _show(self, row: dict[str, Any]) -> None:
        if self._total > _IN_FULL:
            click.echo(terminal.verdict_line(row))
        elif sys.stdout.isatty():
            from rich.console import Console

            Console().print(terminal.verdict_panel(row, **self._words))
        else:
            click.echo(terminal.verdict_text(row, **self._words))

    def _finish(self) -> None:
        if self._journal is not None and self._output is not None:
            if self._output.suffix == ".csv":
                write_csv(self._journal.rows(), self._output)
            elif self._output.suffix == ".parquet":
                write_parquet(self._journal.rows(), self._output)
        if self._report is not None:
            self._report.finish()
        if self._total > 1:
            click.echo(terminal.summary_line(self._counts), err=True)


def _keep_table(output: Path) -> None:
    """Refuse to replace a table that has no journal beside it: somebody else wrote it.

    Raises:
        OutputError: It is one.
    """
    journal = journal_of(output)
    if journal != output and _holds(output) and not _holds(journal):
        raise OutputError(
            f"{output} is there, but {journal.name}, which its rows come from, is not.",
            hint="Give another output file, or --restart to replace it.",
        )


def _holds(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:  # whatever else is the matter is told when it is written
        return False


def journal_of(output: Path) -> Path:
    """Return the file that rows are kept in while the run goes on, and after it.

    Args:
        output: What was asked for: JSON lines, or a table, whose rows come from a file beside it.
    """
    return output if output.suffix == ".jsonl" else output.with_name(f"{output.name}.jsonl")
