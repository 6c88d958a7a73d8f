"""Where in a clip: the curve over time, the stretches that stand out, the map of one window."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.canonical import CanonicalWindow
from vidigree.detect.classifier.heat_map import HeatMap, draw_heat_map, heat_map
from vidigree.detect.classifier.model import ClassifierModel
from vidigree.detect.classifier.regions import LEAST_BORDER, Region, pasted_rectangle
from vidigree.detect.classifier.sampling import SAMPLE_RATE, SampledFrame
from vidigree.detect.classifier.time_curve import (
    CurvePoint,
    Stretch,
    curve_step,
    shot_windows,
    stretches,
)
from vidigree.detect.classifier.weights_file import shipped_model
from vidigree.media.errors import UsageError
from vidigree.media.reading import Frame, open_video

__all__ = ["Localisation", "draw_localisation", "locate"]

_CURVE_HEIGHT = 96
_CURVE_LIMIT = 6.0
_FONT = (cv2.FONT_HERSHEY_SIMPLEX, 0.35)
_STEPS = (1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600)
"""Seconds between labels of the curve to choose from."""
_LABEL_WIDTH = 60
"""Pixels between two of them, at least."""
"""Ratios beyond this are drawn at the edge."""


@dataclass(frozen=True, kw_only=True)
class Localisation:
    """Where the pixels of a clip speak for synthesis. Weaker evidence than the clip's own score.

    Attributes:
        curve: Scores of overlapping windows in order, none of which mixes two shots.
        stretches: Parts that stand out over time.
        heat_map: The picture during the window with the highest score; ``None`` where the tiles
            would be too small.
        region: A rectangle in that window that was put into the picture, told by its borders;
            ``None`` for none. It need not be the synthetic part.
    """

    curve: tuple[CurvePoint, ...]
    stretches: tuple[Stretch, ...]
    heat_map: HeatMap | None
    region: Region | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the localisation as JSON values."""
        return {
            "curve": [asdict(point) for point in self.curve],
            "stretches": [asdict(stretch) for stretch in self.stretches],
            "heat_map": None if self.heat_map is None else self.heat_map.to_dict(),
            "region": None if self.region is None else self.region.to_dict(),
        }


def locate(
    path: Path | str,
    *,
    model: ClassifierModel | None = None,
    made: Iterable[CanonicalWindow] = (),
) -> Localisation | None:
    """Find where in a clip its pixels speak for synthesis.

    Curve and map are of the member that leaves out what leans on content
    (:attr:`.ClassifierModel.local`), so their ratios are not the parts of the clip's own.
    Costs about four times as much as the score, and three times where that has left its windows.
    Memory does not grow with the clip: at most two windows of frames are held.

    Args:
        path: A local video file.
        model: Weights; ``None`` takes those that come with the package.
        made: Windows of this clip, as the score has made and judged them; see :func:`shot_windows`.

    Returns:
        The localisation; ``None`` for a clip without a window.

    Raises:
        MediaError: The file cannot be read.
        UsageError: The shipped weights are damaged.
    """
    model = (model or shipped_model()).local
    kinds = tuple(sorted({block.view for block in model.blocks}))
    curve: list[CurvePoint] = []
    highest = -math.inf
    samples: Sequence[SampledFrame] = ()
    with open_video(path) as reader:
        length = float(reader.info.duration or 0)
        for part in shot_windows(reader, kinds=kinds, step=curve_step(length), made=made):
            window = part.window
            if not window.has_detail:
                continue  # a blank picture says nothing, and least of all that a camera took it
            llr = round(float(model.llr(model.windows_members([window]))[0]), 4)
            # The last sample may stand for less than its share of a second.
            end = min(window.end, length or math.inf)
            curve.append(
                CurvePoint(
                    start=window.start,
                    end=end,
                    shot=part.shot,
                    take=part.take,
                    llr=llr,
                )
            )
            if llr > highest:
                highest = llr
                samples = [one for one in part.samples if one.tick < round(end * SAMPLE_RATE)]
    if not curve:
        return None
    region = pasted_rectangle([sample.image for sample in samples])
    return Localisation(
        curve=tuple(curve),
        stretches=stretches(curve),
        heat_map=heat_map(samples, model),
        region=region if region and region.evidence >= LEAST_BORDER else None,
    )


def draw_localisation(path: Path | str, where: Localisation) -> NDArray[np.uint8]:
    """Draw the middle frame of the mapped window under its heat map, and the curve below it.

    A pasted region is outlined.

    Args:
        path: The clip.
        where: What :func:`locate` found in it.

    Returns:
        uint8 RGB (H, W, 3).

    Raises:
        MediaError: The clip cannot be read.
    """
    found = where.heat_map
    moment = where.curve[0].start if found is None else (found.start + found.end) / 2
    with open_video(path) as reader:
        picture = _frame_at(reader, moment).image
    if found is not None:
        picture = draw_heat_map(picture, found)
    if where.region is not None:
        picture = _outlined(picture, where.region)
    return np.concatenate([picture, _drawn_curve(where, picture.shape[1])])


def _outlined(picture: NDArray[np.uint8], region: Region) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    top, bottom, left, right = region.box
    drawn = np.ascontiguousarray(picture).copy()
    corners = (
        (round(left * width), round(top * height)),
        (round(right * width) - 1, round(bottom * height) - 1),
    )
    for colour, thickness in (((0, 0, 0), 4), ((255, 255, 255), 2)):
        cv2.rectangle(drawn, *corners, colour, thickness)
    return drawn


def _frame_at(frames: Any, moment: float) -> Frame:
    shown: Frame | None = None
    first: Frame | None = None
    for frame in frames:
        first = first or frame
        if frame.time - first.time > moment and shown is not None:
            break
        shown = frame
    if shown is None:
        raise UsageError("The clip has no frame.", hint="Give a clip that can be decoded.")
    return shown


def _write(picture: NDArray[np.uint8], text: str, place: tuple[int, int]) -> None:
    """Write small grey ASCII, its lower left corner at ``place``, moved left to stay inside."""
    (width, _), _ = cv2.getTextSize(text, *_FONT, 1)
    left = max(0, min(place[0] + 2, picture.shape[1] - width - 2))
    cv2.putText(picture, text, (left, place[1]), *_FONT, (110, 110, 110), 1, cv2.LINE_AA)


def _drawn_curve(where: Localisation, width: int) -> NDArray[np.uint8]:
    """Draw the curve over seconds, a red band under each stretch; the grey line is even odds."""
    drawn = np.full((_CURVE_HEIGHT, width, 3), 250, np.uint8)
    length = max(point.end for point in where.curve)

    def across(seconds: float) -> int:
        return min(width - 1, round(seconds / length * width))

    def down(llr: float) -> int:
        limited = min(max(llr, -_CURVE_LIMIT), _CURVE_LIMIT)
        return round((0.5 - 0.45 * limited / _CURVE_LIMIT) * (_CURVE_HEIGHT - 1))

    for stretch in where.stretches:
        drawn[:, across(stretch.start) : across(stretch.end) + 1] = (250, 214, 210)
    cv2.line(drawn, (0, down(0)), (width - 1, down(0)), (150, 150, 150), 1)
    step = next((step for step in _STEPS if length / step <= width / _LABEL_WIDTH), _STEPS[-1])
    for second in range(0, int(length) + 1, step):
        place = across(second)
        cv2.line(drawn, (place, down(0) - 2), (place, down(0) + 2), (150, 150, 150), 1)
        _write(drawn, f"{second} s", (place, _CURVE_HEIGHT - 4))
    _write(drawn, "like synthetic", (0, 10))
    _write(drawn, "like footage", (0, _CURVE_HEIGHT - 16))
    for point in where.curve:
        ends = (across(point.start), down(point.llr)), (across(point.end), down(point.llr))
        colour = (190, 30, 30) if point.llr > 0 else (30, 90, 170)
        cv2.line(drawn, *ends, colour, 2)
    return drawn
