"""Plots of the audit table as SVG: ROC, reliability, bars. Text, so that changes can be read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import OutputError
from vidigree.media.output import output_file

if TYPE_CHECKING:
    from vidigree.detect.classifier.evaluation import Evaluation

__all__ = [
    "audit_plots",
    "bars",
    "line_plot",
    "make_plots_folder",
    "reliability_points",
    "roc_points",
    "write_plots",
]

_SIDE = 360
_MARGIN = 48
_ROW = 18
_LABELS = 170
_BINS = 10

Point = tuple[float, float]


def roc_points(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> list[Point]:
    """Return the curve of false against true positive rate, from (0, 0) to (1, 1)."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order]) / labels.sum()
    alarms = np.cumsum(~labels[order]) / (~labels).sum()
    return [(0.0, 0.0), *zip(alarms.tolist(), hits.tolist(), strict=True)]


def reliability_points(probability: NDArray[np.float64], labels: NDArray[np.bool_]) -> list[Point]:
    """Return mean probability against share of synthetic clips in ten bins, both classes alike."""
    weights = np.where(labels, 0.5 / labels.sum(), 0.5 / (~labels).sum())
    order = np.argsort(probability, kind="stable")
    reached = np.cumsum(weights[order]) - weights[order] / 2
    bin_of = np.minimum((reached * _BINS).astype(int), _BINS - 1)
    points = []
    for index in range(_BINS):
        chosen = order[bin_of == index]
        if len(chosen):
            part = weights[chosen]
            points.append(
                (
                    float(np.average(probability[chosen], weights=part)),
                    float(np.average(labels[chosen], weights=part)),
                )
            )
    return points


def line_plot(title: str, across: str, down: str, points: Sequence[Point], *, dots: bool) -> str:
    """Draw points of the unit square, over its diagonal.

    Args:
        title: Heading.
        across: Name of the first coordinate.
        down: Name of the second.
        points: In order.
        dots: Whether to mark each point.
    """
    whole = _SIDE + 2 * _MARGIN
    placed = [(_MARGIN + x * _SIDE, _MARGIN + (1 - y) * _SIDE) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    marks = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#1f5fa8"/>' for x, y in placed]
    end = _MARGIN + _SIDE
    ticks = [
        f'<text x="{_MARGIN + t * _SIDE:.0f}" y="{end + 16}" text-anchor="middle">{t:g}</text>'
        f'<text x="{_MARGIN - 8}" y="{end - t * _SIDE + 4:.0f}" text-anchor="end">{t:g}</text>'
        for t in (0, 0.5, 1)
    ]
    middle = whole // 2
    return _svg(
        whole,
        whole,
        [
            f'<text x="{middle}" y="24" text-anchor="middle" font-size="15">{escape(title)}</text>',
            (
                f'<rect x="{_MARGIN}" y="{_MARGIN}" width="{_SIDE}" height="{_SIDE}" fill="none"'
                ' stroke="#999"/>'
            ),
            (
                f'<line x1="{_MARGIN}" y1="{end}" x2="{end}" y2="{_MARGIN}" stroke="#bbb"'
                ' stroke-dasharray="4"/>'
            ),
            f'<polyline points="{path}" fill="none" stroke="#1f5fa8" stroke-width="2"/>',
            *(marks if dots else []),
            *ticks,
            f'<text x="{middle}" y="{whole - 12}" text-anchor="middle">{escape(across)}</text>',
            (
                f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">'
                f"{escape(down)}</text>"
            ),
        ],
    )


def bars(title: str, rows: Sequence[tuple[str, float]], *, origin: float) -> str:
    """Draw one bar a row, between 0 and 1, with a line at ``origin``.

    Args:
        title: Heading.
        rows: Names and values in [0, 1].
        origin: Where a useless classifier would be.
    """
    height = _MARGIN + _ROW * len(rows) + 24
    parts = [f'<text x="12" y="24" font-size="15">{escape(title)}</text>']
    for index, (name, value) in enumerate(rows):
        top = _MARGIN + _ROW * index
        colour = "#1f5fa8" if value >= origin else "#b3261e"
        parts.append(
            f'<text x="{_LABELS - 8}" y="{top + 12}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{_LABELS}" y="{top + 2}" width="{value * _SIDE:.1f}" height="{_ROW - 5}"'
            f' fill="{colour}"/>'
            f'<text x="{_LABELS + value * _SIDE + 6:.1f}" y="{top + 12}">{value:.2f}</text>'
        )
    line = _LABELS + origin * _SIDE
    parts.append(
        f'<line x1="{line}" y1="{_MARGIN - 4}" x2="{line}" y2="{height - 20}" stroke="#888"'
        ' stroke-dasharray="4"/>'
    )
    return _svg(_LABELS + _SIDE + 60, height, parts)


def _svg(width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
        ' font-family="sans-serif" font-size="11">\n'
        f'<rect width="{width}" height="{height}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def audit_plots(result: Evaluation) -> dict[str, str]:
    """Return the plots of an evaluation by name."""
    generators = [(row.name, row.auc) for row in result.per_generator]
    launderings = [(name, value.value) for name, value in result.laundering.items()]
    return {
        "roc": line_plot(
            "Leave-origin-out", "false positive rate", "true positive rate", result.roc, dots=False
        ),
        "reliability": line_plot(
            "Reliability", "probability", "share synthetic", result.reliability, dots=True
        ),
        "generators": bars("AUC by generator", generators, origin=0.5),
        "launderings": bars("AUC after laundering", launderings, origin=0.5),
    }


def make_plots_folder(folder: Path) -> None:
    """Make the folder for plots, before the work whose figures they show.

    Raises:
        OutputError: It cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"The folder {folder} cannot be made.", hint="Give another --plots."
        ) from error


def write_plots(folder: Path, plots: dict[str, str]) -> None:
    """Write each plot as ``NAME.svg``.

    Raises:
        OutputError: The folder cannot be written.
    """
    make_plots_folder(folder)
    for name, text in plots.items():
        with output_file(folder / f"{name}.svg", overwrite=True) as temporary:
            temporary.write_text(text, encoding="utf-8")
