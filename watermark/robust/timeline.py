"""The time line: which stretches of a clip carry a mark that was found."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from vidigree.watermark.method import MarkSegment
from vidigree.watermark.robust.reading import Finding, score_of
from vidigree.watermark.robust.significance import p_value
from vidigree.watermark.robust.stretches import Parts, Stretch, parts_of, summed

__all__ = ["carrying_runs", "joined", "segments_of"]

_LEAST_SCORE = 2.0
_SHARE = 0.4


def carrying_runs(stretches: list[Stretch], finding: Finding) -> list[list[Stretch]]:
    """Return the runs of neighbouring stretches that carry a mark.

    They are looked at in the view in which the mark was found. A stretch counts when it scores 0.4
    times what the stronger half of them scores; a single weak one between two that count is taken
    along.
    """
    scores = np.array(
        [score_of(summed(_parts([stretch], finding)), finding) for stretch in stretches]
    )
    strong = float(np.median(np.sort(scores)[len(scores) // 2 :]))
    carrying = scores > max(_LEAST_SCORE, _SHARE * strong)
    carrying[1:-1] |= carrying[:-2] & carrying[2:]
    if not carrying.any():
        # Too weak for any stretch alone; together they carry it.
        carrying[:] = True
    runs: list[list[Stretch]] = []
    for stretch, counts in zip(stretches, carrying, strict=True):
        if not counts:
            continue
        if runs and stretch.start <= runs[-1][-1].end + 1e-6:
            runs[-1].append(stretch)
        else:
            runs.append([stretch])
    return runs


def segments_of(runs: list[list[Stretch]], finding: Finding) -> tuple[MarkSegment, ...]:
    """Return one segment for each run, with the p-value of the run on its own."""
    return tuple(
        MarkSegment(
            start=run[0].start,
            end=run[-1].end,
            p_value=p_value(score_of(summed(_parts(run, finding)), finding), 2.0 * len(runs)),
            message=finding.message,
        )
        for run in runs
    )


def _parts(stretches: list[Stretch], finding: Finding) -> Parts:
    return parts_of(stretches) if finding.view is None else finding.view.parts(stretches)


def joined(segments: Iterable[MarkSegment]) -> tuple[MarkSegment, ...]:
    """Return segments in order of time, with those of one message that touch made one."""
    result: list[MarkSegment] = []
    for segment in sorted(segments, key=lambda one: one.start):
        last = result[-1] if result else None
        if last and last.message == segment.message and segment.start <= last.end + 1e-6:
            result[-1] = MarkSegment(
                start=last.start,
                end=max(last.end, segment.end),
                p_value=min(last.p_value, segment.p_value),
                message=last.message,
            )
        else:
            result.append(segment)
    return tuple(result)
