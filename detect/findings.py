"""The findings an audit can end in, and the exit code of each.

There is no finding that calls a clip authentic: no layer can show that, and absence of evidence
is reported as absence of evidence.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Confidence", "Finding"]


class Finding(StrEnum):
    """What the audit says about the clip, strongest statement first."""

    CONTRADICTORY = "contradictory"
    DECLARED_SYNTHETIC = "declared-synthetic"
    RECOVERED = "recovered"
    MARKED_SYNTHETIC = "marked-synthetic"
    DECLARED_CAPTURED = "declared-captured"
    LIKELY_SYNTHETIC = "likely-synthetic"
    INCONCLUSIVE = "inconclusive"
    NO_EVIDENCE = "no-evidence"

    @property
    def exit_code(self) -> int:
        """Exit code of ``vidigree audit`` for this finding; see docs/exit-codes.md."""
        return _EXIT_CODES[self]


class Confidence(StrEnum):
    """How much the finding bears; which rule gives which is in docs/verdict.md.

    ``HIGH`` rests on cryptography or on a calibrated test with a negligible false-alarm rate.
    ``MEDIUM`` rests on a statement nobody vouches for, on something a determined forger could make,
    or on a trusted statement or a mark where something that might speak against it was not looked
    at. ``LOW`` rests on statistics, or on what is missing.
    """

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


_EXIT_CODES = {
    Finding.NO_EVIDENCE: 0,
    Finding.DECLARED_CAPTURED: 0,
    Finding.DECLARED_SYNTHETIC: 10,
    Finding.MARKED_SYNTHETIC: 10,
    Finding.RECOVERED: 10,
    Finding.LIKELY_SYNTHETIC: 11,
    Finding.CONTRADICTORY: 12,
    Finding.INCONCLUSIVE: 13,
}
