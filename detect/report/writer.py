"""Writes reports: rows are spooled to disk as they come, and rendered as a stream at the end."""

from __future__ import annotations

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import IO, TYPE_CHECKING, Any

from vidigree import __version__
from vidigree.detect.evidence import LAYERS
from vidigree.detect.findings import Finding
from vidigree.detect.report.curve import curve
from vidigree.detect.report.heat import heat
from vidigree.detect.report.manifest_tree import manifest_tree
from vidigree.detect.report.timeline import tracks
from vidigree.detect.wording import Wording, wording
from vidigree.media.errors import OutputError
from vidigree.media.one_line import one_line
from vidigree.media.output import output_error, output_file
from vidigree.watermark.method import p_value_text

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["ReportWriter", "render_report"]

# What a report says of itself, and within how many bytes.
_MARKER = b'<meta name="generator" content="vidigree">'
_HEAD_BYTES = 1024

# Marks, overrides and isolates that change the direction of what follows (Unicode Annex 9).
_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

Row = dict[str, Any]
Picture = dict[str, Any]


class ReportWriter:
    """Collects verdicts and writes the report when all are there.

    Args:
        path: HTML file to write; a report that is there is replaced.
        language: Language of the words.

    Raises:
        OutputError: What is there is no report of ours, or cannot be read.
    """

    def __init__(self, path: Path, *, language: str = "en") -> None:
        _keep_pages_of_others(path)
        self._path = path
        self._language = language
        self._spool: IO[str] = tempfile.TemporaryFile(  # noqa: SIM115
            "w+", encoding="utf-8", errors="backslashreplace"
        )
        self._counts: Counter[str] = Counter()

    def add(self, row: Row, pictures: list[Picture]) -> None:
        """Take a verdict or an error, with its thumbnails."""
        self._counts[row.get("finding", "error")] += 1
        self._spool.write(json.dumps([row, pictures]) + "\n")

    def finish(self) -> None:
        """Write the report; memory does not grow with the number of clips.

        Raises:
            OutputError: The file cannot be written.
        """
        with (
            output_file(self._path, overwrite=True) as part,
            part.open("w", encoding="utf-8", errors="backslashreplace") as stream,
        ):
            for piece in render_report(self._rows(), self._counts, language=self._language):
                stream.write(piece)

    def close(self) -> None:
        """Throw away what was collected."""
        self._spool.close()

    def _rows(self) -> Iterator[tuple[Row, list[Picture]]]:
        self._spool.seek(0)
        for line in self._spool:
            row, pictures = json.loads(line)
            yield row, pictures


def render_report(
    rows: Iterable[tuple[Row, list[Picture]]],
    counts: Counter[str],
    *,
    language: str = "en",
) -> Iterator[str]:
    """Yield the HTML of a report, piece by piece.

    Args:
        rows: Verdicts and errors in their JSON form, each with its thumbnails.
        counts: Number of rows of each finding, ``"error"`` for errors.
        language: Language of the words.
    """
    words = wording(language)
    template = _environment().get_template("report.html.j2")
    yield from template.generate(
        clips=(_clip(row, pictures) for row, pictures in rows),
        counts=[
            (name, counts[name])
            for name in [*(finding.value for finding in Finding), "error"]
            if counts[name]
        ],
        total=counts.total(),
        words=words,
        table=words.table,
        language=language,
        version=__version__,
    )


def _keep_pages_of_others(path: Path) -> None:
    if path.exists() and not path.is_file():  # a pipe may wait; a folder is told when it is written
        return
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD_BYTES)
    except FileNotFoundError:
        return
    except OSError as error:
        raise output_error(path, error) from error
    if head and _MARKER not in head:
        raise OutputError(
            f"{path} is there and is no report of vidigree.",
            hint="Give another name for the report, or delete the file.",
        )


def _clip(row: Row, pictures: list[Picture]) -> dict[str, Any]:
    shown = _readable(row)
    path = shown["file"] or ""
    name = PurePath(path).name or path
    clip: dict[str, Any] = {
        "row": shown,
        "name": name,
        "folder": path.removesuffix(name),
        "pictures": pictures,
        "kind": row.get("finding", "error"),
    }
    if "error" not in row:
        order = {layer: number for number, layer in enumerate(LAYERS)}
        clip |= {
            "evidence": sorted(row["evidence"], key=lambda piece: order[piece["layer"]]),
            "tracks": tracks(row),
            "curve": curve(row),
            "heat": heat(row, pictures),
            "trees": manifest_tree(row),
            "json": _TURNING.sub(_escaped, json.dumps(row, ensure_ascii=False, indent=2)),
        }
    return clip


def _readable(row: Row) -> Row:
    """Return a row whose names turn nothing round: they come from strangers."""
    shown = row | {"file": row["file"] and one_line(row["file"])}
    if "error" in row:
        error = row["error"]
        told = {name: one_line(error[name]) for name in ("message", "hint")}
        shown["error"] = error | told
    return shown


def _escaped(sign: re.Match[str]) -> str:
    return f"\\u{ord(sign[0]):04x}"


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("vidigree.detect.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["clock"] = _clock
    environment.filters["figures"] = _figures
    return environment


def _figures(piece: dict[str, Any], words: Wording) -> list[str]:
    """Return the strength of a piece of evidence in figures; what says nothing is left out."""
    strength = piece["strength"]
    p_value, llr, similarity = (strength[name] for name in ("p_value", "llr", "similarity"))
    found = [p_value_text(p_value)] if p_value is not None and p_value < 1 else []
    found += [f"LLR = {llr:+.2f}"] if llr is not None else []
    found += [f"{words.text('likeness')} = {similarity:.2f}"] if similarity is not None else []
    return found


def _clock(seconds: float) -> str:
    """Return seconds as m:ss.s."""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:04.1f}"
