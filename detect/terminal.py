"""Shows verdicts to people: a panel on a terminal, plain lines in a pipe.

Works on rows in the published JSON form, so that a verdict from another process looks the same.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from vidigree.detect.evidence import LAYERS
from vidigree.detect.findings import Finding
from vidigree.detect.wording import Wording, wording
from vidigree.watermark.method import p_value_text

if TYPE_CHECKING:
    from rich.panel import Panel

__all__ = ["summary_line", "tally", "verdict_line", "verdict_panel", "verdict_text"]

Row = dict[str, Any]

# No green: nothing here vouches for a clip.
_COLOURS = {
    Finding.CONTRADICTORY: "red",
    Finding.DECLARED_SYNTHETIC: "magenta",
    Finding.MARKED_SYNTHETIC: "magenta",
    Finding.RECOVERED: "magenta",
    Finding.LIKELY_SYNTHETIC: "yellow",
    Finding.DECLARED_CAPTURED: "blue",
    Finding.INCONCLUSIVE: "yellow",
    Finding.NO_EVIDENCE: "white",
}
_INDENT = " " * 18
_DEEPER = " " * 20
_SEGMENTS = 4


def verdict_panel(row: Row, *, language: str = "en", explain: bool = False) -> Panel:
    """Return the verdict as a panel for a terminal.

    Args:
        row: The verdict in its JSON form.
        language: Language of the words.
        explain: Say of each piece of evidence what it proves and what it does not.
    """
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    words = wording(language)
    finding = Finding(row["finding"])
    colour = _COLOURS[finding]
    head = Text()
    head.append(row["title"], style=f"bold {colour}")
    head.append(f"   {_confidence(row, words)}", style="dim")
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(ratio=1)
    for layer, piece in _pieces(row, words):
        ground = piece["code"] in row["grounds"]
        cell = Text(_printable(piece["says"]), style="bold" if ground else "")
        cell.append(_strength(piece), style="dim")
        table.add_row(Text("▶" if ground else " ", style=colour), layer, cell)
        if explain:
            for line in _explanation(piece, words):
                table.add_row("", "", Text(line, style="dim"))
    lines = [head, Text(row["headline"]), Text(f"→ {_advice(row, words)}", style="italic")]
    name = _printable(PurePath(row["file"] or "").name)
    return Panel(
        Group(*lines, Text(), table),
        title=Text(name),
        title_align="left",
        border_style=colour,
        padding=(1, 2),
    )


def verdict_text(row: Row, *, language: str = "en", explain: bool = False) -> str:
    """Return the verdict as plain text: the finding first, then the evidence.

    Args:
        row: The verdict in its JSON form.
        language: Language of the words.
        explain: Say of each piece of evidence what it proves and what it does not.
    """
    words = wording(language)
    lines = [
        f"{_name(row)}: {row['finding']} ({_confidence(row, words)})",
        f"  {row['title']}. {row['headline']}",
        f"  -> {_advice(row, words)}",
    ]
    for layer, piece in _pieces(row, words):
        sign = "*" if piece["code"] in row["grounds"] else "-"
        name = f"{layer}:" if layer else ""
        lines.append(f"  {sign} {name:<13} {_printable(piece['says'])}{_strength(piece)}")
        for text in _explanation(piece, words) if explain else ():
            lines.extend(textwrap.wrap(text, 92, initial_indent=_INDENT, subsequent_indent=_DEEPER))
    return "\n".join(lines)


def verdict_line(row: Row) -> str:
    """Return a verdict or an error as one line, for lists of many clips."""
    if "error" in row:
        return f"{'error':<19} {_name(row)}: {_printable(row['error']['message'])}"
    action = f"{row['decision']['action']:<7}" if "decision" in row else ""
    return f"{row['finding']:<19} {action}{_name(row)}: {row['headline']}"


def tally(row: Row, counts: Counter[str]) -> None:
    """Count a row under its finding, or as an error."""
    counts[row.get("finding", "error")] += 1


def summary_line(counts: Counter[str]) -> str:
    """Return the counts in one line, strongest finding first."""
    names = [finding.value for finding in Finding] + ["error"]
    parts = [f"{counts[name]} {name}" for name in names if counts[name]]
    total = counts.total()
    return f"{total} {'clip' if total == 1 else 'clips'}: {', '.join(parts) or 'nothing to audit'}"


def _name(row: Row) -> str:
    return _printable(str(row["file"]))


def _printable(text: str) -> str:
    """Escape what would move the cursor, colour the screen or pretend to be another verdict."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _pieces(row: Row, words: Wording) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield evidence in the order of layers; the layer's name stands at its first row only."""
    for layer in LAYERS:
        pieces = [piece for piece in row["evidence"] if piece["layer"] == layer]
        for index, piece in enumerate(pieces):
            yield ("" if index else words.layer(layer)), piece


def _confidence(row: Row, words: Wording) -> str:
    return words.text("confidence", level=words.confidence(row["confidence"]))


def _advice(row: Row, words: Wording) -> str:
    decision = row.get("decision")
    if decision is None:
        return words.advice(Finding(row["finding"]))
    return words.decision(decision)


def _explanation(piece: dict[str, Any], words: Wording) -> tuple[str, str]:
    return (
        f"{words.text('proves')}: {piece['proves']}",
        f"{words.text('proves_not')}: {piece['does_not_prove']}",
    )


def _strength(piece: dict[str, Any]) -> str:
    strength, segments = piece["strength"], piece["segments"]
    parts = []
    if strength["p_value"] is not None and strength["p_value"] < 1:
        parts.append(p_value_text(strength["p_value"]))
    if strength["llr"] is not None:
        parts.append(f"log-likelihood ratio {strength['llr']:+.2f}")
    if strength["similarity"] is not None:
        parts.append(f"likeness {strength['similarity']:.2f}")
    parts.extend(f"{part['start']:.1f}-{part['end']:.1f} s" for part in segments[:_SEGMENTS])
    if len(segments) > _SEGMENTS:
        parts.append(f"and {len(segments) - _SEGMENTS} more")
    return f" ({'; '.join(parts)})" if parts else ""
