"""What an audit looks for, whom it believes, and how large a clip it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vidigree.detect.evidence import Layer
from vidigree.media.arguments import check_not_empty
from vidigree.media.errors import UsageError
from vidigree.media.frame import MOST_PIXELS
from vidigree.watermark.keyring import KeyRing

if TYPE_CHECKING:
    from vidigree.watermark.credentials import TrustSettings

__all__ = ["CHECKED_LAYERS", "AuditSettings"]

CHECKED_LAYERS: tuple[Layer, ...] = ("credentials", "mark", "ledger", "classifier")
"""The layers that look at the clip, in the order in which they run."""


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """Settings of an audit.

    Attributes:
        layers: Layers to look at; the others appear in the verdict as left out.
        trust: Signers and time-stamping authorities to believe; ``None`` reads the lists in the
            data folder.
        keys: Keys of marks to look for; ``None`` reads the ring in the data folder.
        mark_methods: Names of the watermark methods to look for.
        ledger: Database URL of the ledger; ``None`` means the one in the data folder.
        max_pixels: Largest number of pixels in a frame.
        max_seconds: Longest clip by its container, in seconds; ``None`` for no limit.
        weights: Path of the classifier's weights, such as ``vidigree classifier calibrate`` makes
            for traffic of one's own; ``None`` means those that come with the package.
    """

    layers: tuple[Layer, ...] = CHECKED_LAYERS
    trust: TrustSettings | None = None
    keys: KeyRing | None = None
    mark_methods: tuple[str, ...] = ("robust",)
    ledger: str | None = None
    max_pixels: int = MOST_PIXELS
    max_seconds: float | None = None
    weights: str | None = None

    def __post_init__(self) -> None:
        unknown = [layer for layer in self.layers if layer not in CHECKED_LAYERS]
        if unknown or not self.layers:
            raise UsageError(
                f"There is no layer {unknown[0]!r}." if unknown else "No layer was asked for.",
                hint=f"Known: {', '.join(CHECKED_LAYERS)}.",
            )

        check_not_empty(self.ledger, "URL of the ledger")
        check_not_empty(self.weights, "path of the weights")

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as JSON values, for another process on a machine set up alike.

        Raises:
            UsageError: Trust lists or keys were given by value; they travel in the data folder.
        """
        if self.trust is not None or self.keys is not None:
            raise UsageError(
                "Trust lists and keys given by value cannot be handed to another process.",
                hint="Put them into the data folder (VIDIGREE_HOME).",
            )
        return {
            "layers": list(self.layers),
            "mark_methods": list(self.mark_methods),
            "ledger": self.ledger,
            "max_pixels": self.max_pixels,
            "max_seconds": self.max_seconds,
            "weights": self.weights,
        }

    @classmethod
    def from_dict(cls, row: Mapping[str, Any]) -> AuditSettings:
        """Read what :meth:`to_dict` wrote."""
        lists = {name: tuple(row[name]) for name in ("layers", "mark_methods")}
        return cls(**(dict(row) | lists))
