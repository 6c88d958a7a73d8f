"""Shows verdicts to people: a panel on a terminal, plain lines in a pipe."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vidigree.detect.evidence import LAYERS, Evidence
from vidigree.detect.findings import Finding
from vidigree.detect.verdict import Verdict
from vidigree.detect.wording import Wording, wording

if TYPE_CHECKING:
    from rich.panel import Panel

__all__ = ["verdict_panel", "verdict_text"]

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


def verdict_panel(verdict: Verdict, *, language: str = "en", explain: bool = False) -> Panel:
    """Return the verdict as a panel for a terminal.

    Args:
        verdict: The verdict.
        language: Language of the words.
        explain: Say of each piece of evidence what it proves and what it does not.
    """
    from rich.console import Group
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    words = wording(language)
    colour = _COLOURS[verdict.finding]
    head = Text()
    head.append(words.title(verdict.finding), style=f"bold {colour}")
    head.append(f"   {_confidence(verdict, words)}", style="dim")
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="dim")
    table.add_column(ratio=1)
    for layer, piece in _rows(verdict, words):
        ground = piece.code in verdict.grounds
        cell = Text(words.says(piece), style="bold" if ground else "")
        cell.append(_strength(piece), style="dim")
        table.add_row(Text("▶" if ground else " ", style=colour), layer, cell)
        if explain:
            table.add_row("", "", Text(_explanation(piece, words), style="dim"))
    body = Group(
        head,
        Text(verdict.headline(language)),
        Text(f"→ {words.advice(verdict.finding)}", style="italic"),
        Text(),
        table,
    )
    name = "" if verdict.path is None else verdict.path.name
    return Panel(body, title=Text(name), title_align="left", border_style=colour, padding=(1, 2))


def verdict_text(verdict: Verdict, *, language: str = "en", explain: bool = False) -> str:
    """Return the verdict as plain text: the finding first, then the evidence.

    Args:
        verdict: The verdict.
        language: Language of the words.
        explain: Say of each piece of evidence what it proves and what it does not.
    """
    words = wording(language)
    lines = [
        f"{verdict.path}: {verdict.finding.value} ({_confidence(verdict, words)})",
        f"  {words.title(verdict.finding)}. {verdict.headline(language)}",
        f"  -> {words.advice(verdict.finding)}",
    ]
    for layer, piece in _rows(verdict, words):
        sign = "*" if piece.code in verdict.grounds else "-"
        lines.append(
            f"  {sign} {layer + ':' if layer else '':<13} {words.says(piece)}{_strength(piece)}"
        )
        if explain:
            lines.extend(
                textwrap.wrap(
                    _explanation(piece, words),
                    92,
                    initial_indent=" " * 18,
                    subsequent_indent=" " * 18,
                )
            )
    return "\n".join(lines)


def _rows(verdict: Verdict, words: Wording) -> Iterator[tuple[str, Evidence]]:
    """Yield evidence in the order of layers; the layer's name stands at its first row only."""
    for layer in LAYERS:
        pieces = [piece for piece in verdict.evidence if piece.layer == layer]
        for index, piece in enumerate(pieces):
            yield ("" if index else words.layer(layer)), piece


def _confidence(verdict: Verdict, words: Wording) -> str:
    return words.text("confidence", level=words.confidence(verdict.confidence.value))


def _explanation(piece: Evidence, words: Wording) -> str:
    return words.text("explanation", proves=words.proves(piece), no=words.does_not_prove(piece))


def _strength(piece: Evidence) -> str:
    parts = []
    if piece.p_value is not None:
        parts.append(f"p = {piece.p_value:.2g}")
    if piece.llr is not None:
        parts.append(f"log-likelihood ratio {piece.llr:+.2f}")
    if piece.similarity is not None:
        parts.append(f"likeness {piece.similarity:.2f}")
    if piece.segments:
        parts.append(", ".join(f"{part.start:.1f}-{part.end:.1f} s" for part in piece.segments[:4]))
    if len(piece.segments) > 4:
        parts.append(f"and {len(piece.segments) - 4} more")
    return f" ({'; '.join(parts)})" if parts else ""
