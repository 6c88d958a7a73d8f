"""Constancy of what is followed: do its brightness, contrast and colour drift, or flicker?

Optical flow rests on things keeping their brightness as they move (Horn and Schunck, "Determining
optical flow", 1981). The idea: where light, focus or angle change, what a camera saw changes little
by little and much of it together, and what is drawn anew for every frame changes forth and back,
each part by itself. No single number tells real from synthetic clips well; what they are together
does. Only ratios and correlations are looked at, no amounts: how much changes leans on noise, on
compression and on what is shown.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.coding import DecodedView
from vidigree.detect.classifier.features.following import followed_corners, squares_around

__all__ = ["Constancy"]

_RADIUS = 6
"""Of the square around a corner, in pixels."""

_FEWEST = 6
"""Corners that have to last; with fewer, the frames up to there are looked at."""

_LEVEL = 20.0
"""So many levels count as much as a factor of e in variance, for the two floors below."""

_LEAST_POWER = 1e-6
_LEAST_SPREAD = 0.003

_QUANTITIES = ("brightness", "contrast", "fineness", "cb", "cr", "colour-contrast")
_STATISTICS = ("return", "common-share")


class Constancy:
    """Of each quantity of the squares around followed corners: its return and its common share.

    The return is the autocorrelation about zero of its changes from step to step, the median of the
    squares: -1 where it alternates, near -1/2 where it flickers around a level, above 0 where it
    drifts. The common share is the log of how much the median change of all squares varies over
    the steps, against what the change of one does beside it; light that fades at a steady rate has
    none.

    Left out, since held-out origins were told no better with them: amounts of change and of drift,
    correlations two steps apart, a second fineness by the Laplacian, smaller and larger squares,
    a grid carried by dense flow instead of corners, corners followed backwards.
    """

    name: ClassVar[str] = "constancy"
    version: ClassVar[int] = 1

    def names(self) -> tuple[str, ...]:
        """Return the two statistics of each quantity."""
        return tuple(
            f"{quantity}-{statistic}" for quantity in _QUANTITIES for statistic in _STATISTICS
        )

    def extract(self, view: DecodedView) -> NDArray[np.float32]:
        """Return 12 features: autocorrelations, in [-1.1, 1.1], and logs of ratios.

        All NaN, too, where a picture has fewer than twelve corners, or fewer than six of them last
        to the fourth frame.
        """
        tracks = followed_corners(view) if view.steady else None
        steps = 0 if tracks is None else int((tracks.lasting.sum(axis=1) >= _FEWEST).sum())
        if tracks is None or steps < 3:
            return np.full(len(self.names()), np.nan, np.float32)
        places = tracks.places[: steps + 1, tracks.lasting[steps - 1]]
        changes = np.diff(_quantities(view, places), axis=0)
        return np.concatenate([_statistics(change) for change in changes.transpose(2, 0, 1)])


def _quantities(view: DecodedView, places: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return each quantity at places (steps + 1, n, 2), float64 (steps + 1, n, quantities)."""
    rows = []
    kept = slice(len(places))
    for luma, cb, cr, here in zip(view.luma[kept], *view.chroma[:, kept], places, strict=True):
        light = squares_around(luma, here, _RADIUS)
        # Chroma has half the size, and its first sample lies between two of luma.
        blue, red = (squares_around(plane, (here - 0.5) / 2, _RADIUS // 2) for plane in (cb, cr))
        colours = np.log(blue.var(axis=1) + red.var(axis=1) + 1)
        means = [plane.mean(axis=1) / _LEVEL for plane in (light, blue, red)]
        rows.append(np.stack([means[0], *_detail(light), *means[1:], colours], axis=1))
    return np.array(rows, dtype=np.float64)


def _detail(light: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return contrast and fineness of squares (n, pixels), float32 (n,) each.

    Contrast is the log of the variance plus 1, fineness that of the mean squared gradient plus 1,
    less contrast.
    """
    side = 2 * _RADIUS + 1
    pictures = light.reshape(-1, side, side)
    across = np.diff(pictures, axis=2)[:, :-1] ** 2
    down = np.diff(pictures, axis=1)[:, :, :-1] ** 2
    contrast = np.log(light.var(axis=1) + 1)
    return contrast, np.log((across + down).mean(axis=(1, 2)) + 1) - contrast


def _statistics(change: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return both statistics of the changes (steps, corners) of one quantity."""
    returns = (change[1:] * change[:-1]).mean(axis=0) / ((change**2).mean(axis=0) + _LEAST_POWER)
    together = np.median(change, axis=1)
    apart = np.median((change - together[:, None]).std(axis=0))
    share = np.log(together.std() + _LEAST_SPREAD) - np.log(apart + _LEAST_SPREAD)
    return np.array([np.median(returns), share], dtype=np.float32)
