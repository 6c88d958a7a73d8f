"""The robust mark behind the contract of a watermark method."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.media.frame import Frame
from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.method import SOFT_BINDING_ALGORITHM, MarkReading
from vidigree.watermark.robust.carrier import SHORT_SIDE, TILE
from vidigree.watermark.robust.detector import BlockMark, Detector
from vidigree.watermark.robust.embedder import Embedder, EmbedSettings
from vidigree.watermark.robust.geometry import NEGATIVE
from vidigree.watermark.robust.payload import MESSAGE_BITS, nonce_of
from vidigree.watermark.robust.reading import Finding
from vidigree.watermark.robust.timeline import joined

__all__ = ["RobustDetector", "RobustMark"]

_UPRIGHT = 0.1  # degrees


class RobustMark:
    """64 keyed, error-corrected bits in the luma, found again after codecs, crops and rotation.

    Args:
        settings: How strongly to mark.

    Example:
        >>> from fractions import Fraction
        >>> import numpy as np
        >>> from vidigree.media.frame import Frame
        >>> from vidigree.watermark.keyring import PUBLISHED_KEY
        >>> from vidigree.watermark.robust import RobustMark
        >>> noise = np.random.default_rng(1).normal(120, 25, (8, 256, 256, 3))
        >>> frames = np.clip(noise, 0, 255).astype(np.uint8)
        >>> mark = RobustMark()
        >>> marked = list(mark.embed(frames, 2026, key=PUBLISHED_KEY, fps=Fraction(24)))
        >>> mark.detect(marked, keys=[PUBLISHED_KEY], fps=Fraction(24)).message
        2026
    """

    name: ClassVar[str] = "robust"
    message_bits: ClassVar[int] = MESSAGE_BITS
    soft_binding_algorithm: ClassVar[str] = SOFT_BINDING_ALGORITHM

    def __init__(self, settings: EmbedSettings | None = None) -> None:
        self._settings = settings or EmbedSettings()

    def embed(
        self,
        frames: Iterable[NDArray[np.uint8]],
        message: int,
        *,
        key: MarkKey,
        fps: Fraction,  # noqa: ARG002 -- the mark does not depend on it
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield marked frames of the same number, shape and order.

        Args:
            frames: uint8 RGB frames of one shape (H, W, 3), both sides at least 128.
            message: Unsigned integer of 64 bits.
            key: Secret that seeds the carrier.
            fps: Frames per second; not used.

        Raises:
            UsageError: The message does not fit 64 bits.
            StampError: A side is under 128 pixels, or the frames differ in size.
        """
        return Embedder(message, key, self._settings).run(frames)

    def detect(
        self,
        frames: Iterable[NDArray[np.uint8]],
        *,
        keys: Sequence[MarkKey],
        fps: Fraction,
    ) -> MarkReading:
        """Look for marks made with one of ``keys``.

        A file that joins several marked clips has one segment for each; the reading's own fields
        speak of the strongest.

        Args:
            frames: uint8 RGB frames (H, W, 3), in order.
            keys: Keys to try.
            fps: Frames per second, for the times of segments.
        """
        detector = self.detector(keys=keys, fps=fps)
        for number, image in enumerate(frames):
            detector.feed(Frame(image=image, time=number / fps))
        first, *others = detector.finish()
        segments = joined(part for reading in (first, *others) for part in reading.segments)
        return replace(first, segments=segments)

    def detector(self, *, keys: Sequence[MarkKey], fps: Fraction) -> RobustDetector:
        """Return a detector that is fed frame by frame; see :class:`RobustDetector`."""
        return RobustDetector(keys, fps)


class RobustDetector:
    """Looks for marks in frames that it is given one by one; asks only for the lumas it needs.

    Args:
        keys: Keys to try.
        fps: Frames per second, for the times of segments.
    """

    def __init__(self, keys: Sequence[MarkKey], fps: Fraction) -> None:
        self._detector = Detector(keys, fps)
        self._marks: list[BlockMark] = []

    def feed(self, frame: Frame) -> None:
        """Take the next frame."""
        self._marks += self._detector.feed(frame)

    def finish(self) -> tuple[MarkReading, ...]:
        """Return a reading for every mark, strongest first; one that says absent if there is none.

        Stretches where a mark's presence is certain but not its message count with the strongest
        mark of the same key.
        """
        self._marks += self._detector.finish()
        used = self._detector.frames_used
        if not self._marks:
            return (MarkReading(method=RobustMark.name, present=False, frames_used=used),)
        groups: dict[tuple[str, int | None], list[BlockMark]] = {}
        # A message beats mere presence, then the smaller p-value counts.
        for mark in sorted(
            self._marks, key=lambda mark: (mark.finding.message is None, mark.finding.p_value)
        ):
            key_id, message = mark.finding.trial.key.key_id, mark.finding.message
            same = [group for group in groups if group[0] == key_id]
            name = same[0] if message is None and same else (key_id, message)
            groups.setdefault(name, []).append(mark)
        return tuple(_reading(marks, used) for marks in groups.values())


def _reading(marks: Sequence[BlockMark], frames_used: int) -> MarkReading:
    """Return the reading of one mark from what several blocks say of it, strongest first."""
    finding = marks[0].finding
    geometry = finding.trial.geometry
    # What was cut out and laid straight says nothing of size and turn in the whole picture.
    whole = finding.view is None
    return MarkReading(
        method=RobustMark.name,
        present=True,
        p_value=finding.p_value,
        message=finding.message,
        key_id=finding.trial.key.key_id,
        bit_confidence=finding.bit_confidence,
        scale=float(np.sqrt(geometry.scale[0] * geometry.scale[1])) if whole else None,
        rotation=_principal(geometry.rotation) if whole else None,
        mirrored=geometry.mirrored,
        negative=geometry == NEGATIVE,
        offset=_offset(finding) if whole else None,
        segments=joined(segment for mark in marks for segment in mark.segments),
        frames_used=frames_used,
    )


def _offset(finding: Finding) -> tuple[float, float] | None:
    """Return where the picture begins in the marked one, as the reading tells it.

    The tile of the marked picture began where key and message say, modulo its side.
    """
    geometry = finding.trial.geometry
    if finding.message is None or geometry.mirrored or abs(geometry.rotation) > _UPRIGHT:
        return None
    began = nonce_of(finding.message, finding.trial.key)
    x, y = (
        (TILE * start - found) % TILE / SHORT_SIDE
        for start, found in zip(began, finding.trial.lock.shift, strict=True)
    )
    return x, y


def _principal(degrees: float) -> float:
    """Return an angle in (-180, 180] degrees."""
    return 180.0 - (180.0 - degrees) % 360.0
