"""The bench's plots: recovery by attack, presence, and quality against robustness."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from vidigree.media.output import output_file
from vidigree.watermark.bench.attacks import ATTACKS

__all__ = ["draw_plots"]

Row = dict[str, Any]


def draw_plots(rows: list[Row], folder: Path) -> None:
    """Write ``recovery.png``, ``presence.png`` and ``quality.png``; nothing without matplotlib.

    Args:
        rows: The bench's rows.
        folder: Where to; it exists.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return
    methods = list(dict.fromkeys(row["method"] for row in rows))
    count = len({row["attack"] for row in rows if row["kind"] == "marked"})
    sizes = {"recovery": (8, 0.22 * count * max(1, len(methods)) ** 0.5 + 1.5)}
    for name, draw in (("recovery", _recovery), ("presence", _presence), ("quality", _quality)):
        figure = Figure(figsize=sizes.get(name, (7, 4)))
        FigureCanvasAgg(figure)
        draw(figure.add_subplot(), rows, methods)
        with output_file(folder / f"{name}.png", overwrite=True) as temporary:
            figure.savefig(temporary, bbox_inches="tight", dpi=130)


def _recovery(axes: Any, rows: list[Row], methods: list[str]) -> None:
    """Draw the share of messages recovered, attack by attack."""
    marked = [row for row in rows if row["kind"] == "marked"]
    names = [a.name for a in ATTACKS if any(row["attack"] == a.name for row in marked)]
    for index, method in enumerate(methods):
        mine = [row for row in marked if row["method"] == method]
        shares = [_mean(row["recovered"] for row in mine if row["attack"] == n) for n in names]
        places = np.arange(len(names)) + 0.8 * index / len(methods)
        axes.barh(places, shares, height=0.8 / len(methods), label=method)
    axes.set_yticks(np.arange(len(names)) + 0.4 - 0.4 / len(methods), names, fontsize=7)
    axes.margins(y=0.005)
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.4)
    axes.set_axisbelow(True)
    axes.set_xlabel("share of messages recovered")
    if len(methods) > 1:
        axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _presence(axes: Any, rows: list[Row], methods: list[str]) -> None:
    """Draw how many marked clips and controls are at or below each p-value."""
    for kind in ("marked", "control"):
        for method in methods:
            values = [
                -np.log10(max(row["p_value"], 1e-300))
                for row in rows
                if row["kind"] == kind and row["method"] == method
            ]
            if values:
                ordered = np.sort(values)
                share = 1 - np.arange(len(ordered)) / len(ordered)
                axes.step(ordered, share, label=f"{method}, {kind}")
    axes.set_xscale("symlog")
    axes.set_xlabel("-log10 p-value")
    axes.set_ylabel("share at or above")
    axes.axvline(6, color="gray", linewidth=0.8)
    axes.legend(fontsize=7)


def _quality(axes: Any, rows: list[Row], methods: list[str]) -> None:
    """Draw every clip: its PSNR, and the share of its messages that was recovered."""
    for method in methods:
        mine = [row for row in rows if row["method"] == method]
        psnr = {row["sha256"]: row["psnr"] for row in mine if row["kind"] == "quality"}
        marked = [row for row in mine if row["kind"] == "marked"]
        shares = [_mean(row["recovered"] for row in marked if row["sha256"] == c) for c in psnr]
        axes.scatter(list(psnr.values()), shares, s=14, label=method)
    axes.set_xlabel("PSNR of a clip, dB")
    axes.set_ylabel("share of its messages recovered")
    axes.legend(fontsize=7)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return float(np.mean(listed)) if listed else float("nan")
