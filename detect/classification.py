"""The classifier layer: what the statistics of the pixels say, as evidence."""

from __future__ import annotations

from vidigree.detect.evidence import Evidence, Segment
from vidigree.detect.readings import ClassifierLike

__all__ = ["classifier_evidence"]


def classifier_evidence(reading: ClassifierLike) -> list[Evidence]:
    """Turn a classifier reading into evidence.

    Args:
        reading: What the classifier said.

    Returns:
        One piece of evidence. For a likely synthetic clip the segments are the windows that speak
        for synthesis.
    """
    if reading.status != "scored":
        return [Evidence(code="classifier.abstained", values={"why": reading.reason})]
    if not reading.likely_synthetic:
        return [
            Evidence(code="classifier.below-threshold", llr=reading.llr, p_value=reading.p_value)
        ]
    windows = [part for part in reading.windows if part.llr > 0]
    return [
        Evidence(
            code="classifier.likely-synthetic",
            llr=reading.llr,
            p_value=reading.p_value,
            segments=tuple(Segment(start=part.start, end=part.end) for part in windows),
        )
    ]
