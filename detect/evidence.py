"""One piece of evidence: what a layer saw, how strongly, and where in the clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["LAYERS", "Evidence", "Layer", "Segment"]

Layer = Literal["credentials", "mark", "ledger", "classifier", "consistency"]

LAYERS: tuple[Layer, ...] = ("credentials", "mark", "ledger", "classifier", "consistency")
"""In the order in which they are read and shown; the last one compares the others."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A stretch of the clip.

    Attributes:
        start: Seconds from the first frame.
        end: Seconds from the first frame, exclusive.
    """

    start: float
    end: float


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one layer saw.

    Attributes:
        code: Stable name, ``layer.what``; its words are in ``detect/texts``.
        p_value: Probability of a score at least as high on a clip without the mark (for the
            classifier: on a recording); ``None`` where the layer has no such number.
        llr: Natural-log likelihood ratio, synthetic over real; positive speaks for synthetic.
        similarity: Likeness of two fingerprints, 0 to 1.
        status_codes: Status codes of the C2PA specification, as the validator gave them.
        segments: Where in the clip; empty means the whole clip.
        values: What the wording's placeholders stand for; JSON values only.
    """

    code: str
    p_value: float | None = None
    llr: float | None = None
    similarity: float | None = None
    status_codes: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    values: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)

    @property
    def layer(self) -> str:
        """The layer that saw it: the part of the code before the first dot."""
        return self.code.partition(".")[0]

    def to_dict(self) -> dict[str, Any]:
        """Return the evidence as JSON values, without words."""
        return {
            "code": self.code,
            "layer": self.layer,
            "strength": {
                "p_value": self.p_value,
                "llr": self.llr,
                "similarity": self.similarity,
                "status_codes": list(self.status_codes),
            },
            "segments": [{"start": part.start, "end": part.end} for part in self.segments],
            "values": dict(self.values),
        }
