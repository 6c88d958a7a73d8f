"""The bench's report: JSON for machines, Markdown and plots for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vidigree.media.output import output_file
from vidigree.watermark.bench.attacks import ATTACKS
from vidigree.watermark.bench.plots import draw_plots

__all__ = ["markdown", "write_report"]

Row = dict[str, Any]

_FIGURES = {"psnr": "PSNR", "psnr_least_frame": "worst frame", "ssim": "SSIM", "vmaf": "VMAF"}
_LONG = 24
"""Frames that a clip needs for the goals to be set for it."""


def _belongs(low: int, high: float) -> Callable[[Row], bool]:
    """Return whether a row's clip is long enough and its short side within [low, high)."""
    return lambda row: row["frames"] >= _LONG and low <= min(row["width"], row["height"]) < high


_CLASSES: tuple[tuple[str, Callable[[Row], bool]], ...] = (
    ("short side >= 480", _belongs(480, float("inf"))),
    ("256 to 479", _belongs(256, 480)),
    ("under 256", _belongs(0, 256)),
    (f"under {_LONG} frames", lambda row: row["frames"] < _LONG),
)


def write_report(rows: list[Row], folder: Path) -> Path:
    """Write ``results.json``, ``report.md`` and the plots; return the path of the Markdown.

    Plots need matplotlib and are left out without it.

    Raises:
        OutputError: They cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.md"
    results = json.dumps({"version": 1, "rows": rows}, indent=1)
    for target, text in ((folder / "results.json", results), (path, markdown(rows))):
        with output_file(target, overwrite=True) as temporary:
            temporary.write_text(text, encoding="utf-8")
    draw_plots(rows, folder)
    return path


def markdown(rows: list[Row]) -> str:
    """Return the report as Markdown tables."""
    methods = list(dict.fromkeys(row["method"] for row in rows))
    parts = [_quality_table(rows, methods)]
    if len(methods) > 1:
        parts.append(_methods_table(rows, methods))
    parts += [_recovery_table(rows, method) for method in methods]
    parts += [_control_table(rows, methods), _clip_table(rows)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _quality_table(rows: list[Row], methods: list[str]) -> str:
    heads = " | ".join(f"{name} (least)" for name in _FIGURES.values())
    lines = [
        "### Quality and cost\n",
        f"| method | clips | refused | {heads} | embed | find |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for method in methods:
        mine = [row for row in rows if row["method"] == method]
        done = [row for row in mine if row["kind"] == "quality"]
        refused = sum(row["kind"] == "refused" for row in mine)
        cells = [_mean_and_least([row[name] for row in done]) for name in _FIGURES]
        embed = [1000 * row["embed_seconds"] / row["frames"] for row in done]
        detect = [
            1000 * row["detect_seconds"]
            for row in mine
            if row["kind"] == "marked" and row["attack"] == "none"
        ]
        lines.append(
            f"| {method} | {len(done)} | {refused} | {' | '.join(cells)} "
            f"| {_median(embed)} | {_median(detect)} |"
        )
    return "\n".join(lines)


def _methods_table(rows: list[Row], methods: list[str]) -> str:
    """Return messages recovered, methods beside each other, clips of all sizes together."""
    lines = [
        "### Methods beside each other: messages recovered exactly (wrong messages)\n",
        f"| attack | {' | '.join(methods)} |",
        "|---|" + "---|" * len(methods),
    ]
    for attack in ATTACKS:
        hit = [row for row in rows if row["kind"] == "marked" and row["attack"] == attack.name]
        if not hit:
            continue
        cells = []
        for method in methods:
            mine = [row for row in hit if row["method"] == method]
            wrong = sum(row["wrong"] for row in mine)
            cells.append(_share(mine, None) + (f" ({wrong})" if wrong else ""))
        lines.append(f"| {attack.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _recovery_table(rows: list[Row], method: str) -> str:
    mine = [row for row in rows if row["method"] == method and row["kind"] == "marked"]
    heads = " | ".join(name for name, _ in _CLASSES)
    lines = [
        f"### {method}: messages recovered exactly\n",
        f"| attack | goal (>= 480; 256 to 479) | {heads} | present | wrong messages |",
        "|---|---|" + "---|" * (len(_CLASSES) + 2),
    ]
    for attack in ATTACKS:
        hit = [row for row in mine if row["attack"] == attack.name]
        if not hit:
            continue
        goals = (attack.goal, attack.small_goal)
        cells = []
        for index, (_, belongs) in enumerate(_CLASSES):
            part = [row for row in hit if belongs(row)]
            cells.append(_share(part, goals[index] if index < 2 else None))
        present = sum(row["present"] for row in hit)
        wrong = sum(row["wrong"] for row in hit)
        lines.append(
            f"| {attack.name} | {_goal(goals[0])}; {_goal(goals[1])} | {' | '.join(cells)} "
            f"| {present}/{len(hit)} | {wrong} |"
        )
    return "\n".join(lines)


def _control_table(rows: list[Row], methods: list[str]) -> str:
    controls = [row for row in rows if row["kind"] == "control"]
    if not controls:
        return ""
    lines = [
        "### Unmarked controls, attacked the same way\n",
        "| method | looked at | present | messages read | smallest p-value |",
        "|---|---|---|---|---|",
    ]
    for method in methods:
        mine = [row for row in controls if row["method"] == method]
        if mine:
            read = sum(row["bit_accuracy"] is not None for row in mine)
            lines.append(
                f"| {method} | {len(mine)} | {sum(row['present'] for row in mine)} | {read} "
                f"| {min(row['p_value'] for row in mine):.2g} |"
            )
    return "\n".join(lines)


def _clip_table(rows: list[Row]) -> str:
    seen = {row["sha256"]: row for row in rows}
    methods = list(dict.fromkeys(row["method"] for row in rows))
    heads = " | ".join(f"{method}: unattacked | of all" for method in methods)
    lines = [
        "### Clips\n",
        f"| clip | size | frames | {heads} | sha256 |",
        "|---|---|---|" + "---|---|" * len(methods) + "---|",
    ]
    for digest, row in seen.items():
        mine = [one for one in rows if one["sha256"] == digest]
        cells = " | ".join(_clip_cells([r for r in mine if r["method"] == m]) for m in methods)
        lines.append(
            f"| {row['clip']} | {row['width']} x {row['height']} | {row['frames']} "
            f"| {cells} | `{digest[:16]}` |"
        )
    return "\n".join(lines)


def _clip_cells(rows: list[Row]) -> str:
    """Return what came of one clip: unattacked, and how many of all messages were recovered."""
    if any(row["kind"] == "refused" for row in rows):
        return "refused | -"
    marked = [row for row in rows if row["kind"] == "marked"]
    plain = [row for row in marked if row["attack"] == "none"]
    cell = "-" if not plain else "read" if all(r["recovered"] for r in plain) else "**not read**"
    return f"{cell} | {sum(row['recovered'] for row in marked)}/{len(marked)}"


def _share(part: list[Row], goal: float | None) -> str:
    """Return "recovered/all", bold where a goal is missed."""
    if not part:
        return "-"
    good = sum(row["recovered"] for row in part)
    text = f"{good}/{len(part)}"
    return f"**{text}**" if goal is not None and good / len(part) < goal else text


def _goal(goal: float | None) -> str:
    return "-" if goal is None else f"{100 * goal:.0f} %"


def _mean_and_least(values: list[float | None]) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "-"
    digits = 4 if max(known) <= 1 else 1
    return f"{np.mean(known):.{digits}f} ({min(known):.{digits}f})"


def _median(values: list[float]) -> str:
    return f"{np.median(values):.0f}" if values else "-"
