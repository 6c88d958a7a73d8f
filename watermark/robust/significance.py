"""How surprising a match is: p-values that hold for any picture.

Given the picture, a match's only randomness is the key: the phase of every lattice point is
uniform and independent. So a match is a sum ``c = sum(a_k cos(phi_k))`` whose moduli ``a_k`` are
known and whose distribution is therefore known exactly, whatever the picture, the attack or the
codec: its cumulant generating function is ``K(s) = sum(log I0(s a_k))``. The saddlepoint
approximation of Lugannani and Rice (1980) turns that into a tail probability; a test holds it to
within a tenth of what importance sampling gives, down to 1e-24. Every further
hypothesis looked at multiplies it by at most one more (Bonferroni). Nothing has to be assumed
about pictures, and nothing fitted.

Where the moduli are not at hand, ``exp(-z**2 / 2)`` with ``z = c / sqrt(sum(a_k**2) / 2)`` bounds
it, because ``I0(x) <= exp(x**2 / 4)``; it is 100 to 6,000 times too careful where it matters.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, i0e, i1e, log_ndtr, ndtri_exp

__all__ = ["PRESENT_BELOW", "joint_p_value", "p_value", "weighted_p_value"]

PRESENT_BELOW = 1e-6
"""A mark is reported present when its p-value is at or below this."""

_LEAST = -700.0
_STEPS = 60
_PRECISE = 1e-9
_NEARLY_ALL = 0.98
# A p-value of 1 would outweigh any other.
_SURELY = 1.0 - 1e-12


def p_value(score: float, hypotheses: float, moduli: NDArray[np.floating] | None = None) -> float:
    """Return the probability of a score at least this high on unmarked content, or a bound on it.

    Args:
        score: Normalised correlation, standard deviations.
        hypotheses: How many places, geometries, keys and messages were looked at in all.
        moduli: float (n,), what each point added at most to the correlation, in any common unit;
            ``None`` for the bound that needs none.

    Returns:
        In (0, 1].
    """
    if score <= 0:
        return 1.0
    tail = -score * score / 2.0 if moduli is None else _log_tail(score, moduli)
    exponent = math.log(max(hypotheses, 1.0)) + tail
    return min(1.0, math.exp(max(exponent, _LEAST)))


def joint_p_value(first: float, second: float) -> float:
    """Return the p-value of two independent tests together.

    The product of two independent p-values is at most ``x`` with probability ``x (1 - log x)``
    (Fisher, 1932).
    """
    product = max(first * second, math.exp(_LEAST))
    return min(1.0, product * (1.0 - math.log(product)))


def weighted_p_value(first: float, second: float, weight: float) -> float:
    """Return the p-value of two independent tests together, the first one counting less or more.

    The two are taken as standard normal deviates and added with fixed weights (Liptak, 1958),
    which is closest to the best test where it is known beforehand how strong either will be.

    Args:
        first: A p-value, in (0, 1].
        second: Another.
        weight: Of the first, in (0, 1); the squares of both weights add up to 1.
    """
    deviates = [-ndtri_exp(math.log(min(one, _SURELY))) for one in (first, second)]
    total = weight * deviates[0] + math.sqrt(1.0 - weight * weight) * deviates[1]
    return math.exp(max(float(log_ndtr(-total)), _LEAST))


def _log_tail(score: float, moduli: NDArray[np.floating]) -> float:
    """Return the log probability that ``sum(a cos(phi))`` exceeds ``score`` deviations."""
    values = np.asarray(moduli, np.float64).ravel()
    values = values / (math.sqrt(float(np.sum(values**2)) / 2.0) + 1e-300)
    total = float(values.sum())
    if score >= _NEARLY_ALL * total:
        # All phases nearly agree: the saddlepoint runs away. The bound holds and is small enough;
        # being a bound, it lies higher than what is computed just below.
        return -score * score / 2.0
    tilt, curvature = _saddlepoint(min(score, total), values)
    cumulant = float(np.sum(np.log(i0e(tilt * values)) + tilt * values))
    gap = tilt * score - cumulant
    root = math.sqrt(2.0 * max(gap, 0.0))
    slope = tilt * math.sqrt(curvature)
    if root < 0.1:
        return 0.0
    mills = math.sqrt(math.pi / 2.0) * float(erfcx(root / math.sqrt(2.0)))
    density = -gap - 0.5 * math.log(2.0 * math.pi)
    return min(0.0, density + math.log(max(mills + 1.0 / slope - 1.0 / root, 1e-12)))


def _saddlepoint(score: float, values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the tilt at which the mean of the sum is ``score``, and the variance there."""
    low, high = 0.0, 1.0
    while _tilted(high, values)[0] < score:
        low, high = high, 2.0 * high
    tilt = min(max(score, low), high)
    curvature = 1.0
    for _ in range(_STEPS):
        mean, curvature = _tilted(tilt, values)
        low, high = (tilt, high) if mean < score else (low, tilt)
        if abs(mean - score) <= _PRECISE * score:
            break
        newton = tilt + (score - mean) / curvature
        tilt = newton if low < newton < high else (low + high) / 2.0
    return tilt, curvature


def _tilted(tilt: float, values: NDArray[np.float64]) -> tuple[float, float]:
    """Return mean and variance of the sum when every phase is drawn by von Mises."""
    points = np.maximum(tilt * values, 1e-12)
    ratio = i1e(points) / i0e(points)
    variance = 1.0 - ratio / points - ratio**2
    return float(np.sum(values * ratio)), float(np.sum(values**2 * np.maximum(variance, 1e-12)))
