"""How surprising a match is: p-values that hold for any picture.

Given the picture, a match's only randomness is the key: the phase of every lattice point is
uniform and independent. A sum ``c = sum(r_k cos(phi_k))`` of such terms satisfies
``P(c >= t) <= exp(-t**2 / sum(r_k**2))``, because ``E exp(s r cos phi) = I0(s r) <=
exp(s**2 r**2 / 4)``. With ``z = c / sqrt(sum(r_k**2) / 2)`` that is ``exp(-z**2 / 2)``, whatever
the picture, the attack or the codec; and every further hypothesis looked at multiplies it by at
most one more (Bonferroni). Nothing has to be assumed about pictures, and nothing fitted.
"""

from __future__ import annotations

import math

__all__ = ["PRESENT_BELOW", "p_value"]

PRESENT_BELOW = 1e-6
"""A mark is reported present when its p-value is at or below this."""


def p_value(score: float, hypotheses: float) -> float:
    """Return a bound on the probability of a score at least this high on unmarked content.

    Args:
        score: Normalised correlation, standard deviations.
        hypotheses: How many places, geometries, keys and messages were looked at in all.

    Returns:
        In (0, 1].
    """
    if score <= 0:
        return 1.0
    exponent = math.log(max(hypotheses, 1.0)) - score * score / 2.0
    return min(1.0, math.exp(max(exponent, -700.0)))
