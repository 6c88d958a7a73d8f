"""The contract of a pixel watermark: the robust mark and its peers stand behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import UsageError
from vidigree.media.frame import Frame
from vidigree.media.registry import Registry
from vidigree.watermark.keyring import MarkKey

__all__ = [
    "CLIP_ID_BITS",
    "SOFT_BINDING_ALGORITHM",
    "MarkDetector",
    "MarkReading",
    "MarkSegment",
    "StreamingMethod",
    "WatermarkMethod",
    "issuing_method",
    "p_value_text",
    "watermark_methods",
]

SOFT_BINDING_ALGORITHM = "org.vidigree.robust.3"
"""Soft binding algorithm id of the robust mark."""

CLIP_ID_BITS = 64
"""Bits of a clip id, and so of the messages of a method that clips are issued with."""


@dataclass(frozen=True, kw_only=True)
class MarkSegment:
    """A stretch of the clip that carries one mark.

    Attributes:
        start: Seconds from the first frame, by the frames' own times where the detector was given
            frames that have them, else by the frame rate.
        end: Likewise, exclusive.
        p_value: Probability of a score at least as high on an unmarked stretch, counting the
            segments of one search but not that they were chosen: for comparing segments of a
            file, not for judging it.
        message: The message read there, or ``None`` if only presence is certain.
    """

    start: float
    end: float
    p_value: float
    message: int | None


@dataclass(frozen=True, kw_only=True)
class MarkReading:
    """What a detector says about a clip. Absence is a result, not an error.

    Attributes:
        method: Name of the watermark method.
        present: Whether a mark of one of the keys is there.
        p_value: Probability of a score at least as high on an unmarked clip, all tried keys and
            geometries counted; 1.0 when nothing was found.
        message: The message, exact; ``None`` if absent or present but not readable.
        key_id: The key the mark was made with; ``None`` if absent.
        bit_confidence: Per message bit, probability in [0.5, 1] that the bit is right.
        scale: Size of the carrier in this clip relative to how it was embedded; ``None`` unknown,
            as of a picture in a picture or in perspective.
        rotation: Rotation found, degrees counter-clockwise; ``None`` unknown, likewise.
        mirrored: Whether the picture is mirrored left to right.
        negative: Whether its colours are inverted.
        offset: Where the picture's upper left corner lay in the marked one, along x and y, as a
            fraction of its short side and modulo a half; ``None`` unknown or turned.
        segments: Where in time the mark was found, in order.
        frames_used: Number of frames the detector looked at.
    """

    method: str
    present: bool
    p_value: float = 1.0
    message: int | None = None
    key_id: str | None = None
    bit_confidence: tuple[float, ...] = ()
    scale: float | None = None
    rotation: float | None = None
    mirrored: bool = False
    negative: bool = False
    offset: tuple[float, float] | None = None
    segments: tuple[MarkSegment, ...] = field(default_factory=tuple)
    frames_used: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as JSON values; the message as 16 hex digits."""
        row = asdict(self)
        row["message"] = None if self.message is None else f"{self.message:016x}"
        for segment in row["segments"]:
            if segment["message"] is not None:
                segment["message"] = f"{segment['message']:016x}"
        return row


def p_value_text(p_value: float) -> str:
    """Write a p-value for people: ``"p = 0.03"``, and ``"p < 1e-12"`` below that.

    The bound may be far smaller, but no count of unmarked clips can show that it holds so far
    out, so nobody should read more into it.
    """
    return "p < 1e-12" if p_value < 1e-12 else f"p = {p_value:.2g}"


class WatermarkMethod(Protocol):
    """A pixel watermark.

    Required: ``name``, ``message_bits``, :meth:`embed`, :meth:`detect`. Both work on streams of
    frames; memory does not grow with the length of the clip.

    Clips are issued only with a method that has ``soft_binding_algorithm`` as well, the id under
    which the signed credentials tell others how the mark is read (C2PA 2.4, soft bindings), and
    messages of 64 bits.
    """

    name: ClassVar[str]
    message_bits: ClassVar[int]

    def embed(
        self,
        frames: Iterable[NDArray[np.uint8]],
        message: int,
        *,
        key: MarkKey,
        fps: Fraction,
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield marked frames of the same number, shape and order.

        Args:
            frames: uint8 RGB frames of one shape (H, W, 3).
            message: Unsigned integer of ``message_bits`` bits.
            key: Secret that seeds the carrier.
            fps: Frames per second.

        Raises:
            StampError: The frames cannot carry the mark (too small, for one).
        """
        ...

    def detect(
        self,
        frames: Iterable[NDArray[np.uint8]],
        *,
        keys: Sequence[MarkKey],
        fps: Fraction,
    ) -> MarkReading:
        """Look for a mark made with one of ``keys``; nothing else about the clip is known.

        Args:
            frames: uint8 RGB frames of one shape (H, W, 3), in order.
            keys: Keys to try, most likely first.
            fps: Frames per second, for the times of segments.
        """
        ...


class MarkDetector(Protocol):
    """Looks for marks in frames that it is given one by one."""

    def feed(self, frame: Frame) -> None:
        """Take the next frame."""
        ...

    def finish(self) -> Sequence[MarkReading]:
        """Return a reading for every mark, strongest first; at least one."""
        ...


@runtime_checkable
class StreamingMethod(Protocol):
    """What a method may offer beside the contract, so that others can read the same decoding."""

    def detector(self, *, keys: Sequence[MarkKey], fps: Fraction) -> MarkDetector:
        """Return a detector for one clip.

        Args:
            keys: Keys to try, most likely first.
            fps: Frames per second, for the times of segments.
        """
        ...


watermark_methods: Registry[type[WatermarkMethod]] = Registry(
    "watermark method", "vidigree.watermark_methods"
)
watermark_methods.add("robust", "vidigree.watermark.robust:RobustMark")
watermark_methods.add("dwt-dct", "vidigree.watermark.classic:DwtDct")
watermark_methods.add("dwt-dct-svd", "vidigree.watermark.classic:DwtDctSvd")
watermark_methods.add("rivagan", "vidigree.watermark.classic:RivaGan")


def issuing_method(name: str) -> tuple[type[WatermarkMethod], str]:
    """Return a method that clips may be issued with, and its soft binding algorithm id.

    Raises:
        UsageError: There is no such method, its messages do not have the 64 bits of a clip id, or
            it has no such id of its own: what is signed would name another method's mark.
    """
    method = watermark_methods.get(name)
    if method.message_bits != CLIP_ID_BITS:
        raise UsageError(
            f"The method {name!r} carries {method.message_bits} bits; a clip id needs"
            f" {CLIP_ID_BITS}.",
            hint="Use the method 'robust'.",
        )
    algorithm: str = getattr(method, "soft_binding_algorithm", "")
    if not algorithm:
        raise UsageError(
            f"The method {name!r} has no soft binding algorithm id, by which credentials name it.",
            hint="Use the method 'robust'.",
        )
    return method, algorithm
