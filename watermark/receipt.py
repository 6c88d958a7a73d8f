"""What was issued."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidigree.media.one_line import one_line
from vidigree.watermark.method import MarkReading, p_value_text

__all__ = ["StampReceipt"]


@dataclass(frozen=True, kw_only=True)
class StampReceipt:
    """What was issued.

    Attributes:
        path: The finished file.
        clip_id: Message of the mark, 64 bits; the soft binding and the ledger key.
        key_id: Mark key.
        method: Watermark method.
        num_frames: Frames written.
        width: Width in pixels.
        height: Height in pixels.
        duration: Seconds.
        reading: What the detector read back from the finished pixels.
        signer: Common name of the certificate that signed.
        timestamped: Whether the signature carries a time stamp.
        profile: Name of the rules that were followed.
        label: Text of the visible label; empty without one.
        notes: Things a person should know, such as words of a prompt that were not understood.
    """

    path: Path
    clip_id: int
    key_id: str
    method: str
    num_frames: int
    width: int
    height: int
    duration: float
    reading: MarkReading
    signer: str
    timestamped: bool = False
    profile: str = "none"
    label: str = ""
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Return the receipt as a few lines of text."""
        lines = [
            (
                f"{one_line(str(self.path))}  {self.width} x {self.height},"
                f" {self.num_frames} frames, {self.duration:.2f} s"
            ),
            (
                f"  mark         clip id {self.clip_id:016x}, key {self.key_id}, read back"
                f" ({p_value_text(self.reading.p_value)})"
            ),
            f"  credentials  C2PA, signed by {self.signer}"
            + (", time-stamped" if self.timestamped else ""),
            "  ledger       recorded",
        ]
        if self.profile != "none" or self.label:
            shown = f"visible label {self.label!r}" if self.label else "no visible label"
            lines.append(f"  profile      {self.profile}, {shown}")
        return "\n".join([*lines, *(f"  note         {one_line(note)}" for note in self.notes)])

    def to_dict(self) -> dict[str, Any]:
        """Return the receipt as JSON values; the clip id as 16 hex digits."""
        return {
            "path": str(self.path),
            "clip_id": f"{self.clip_id:016x}",
            "key_id": self.key_id,
            "method": self.method,
            "num_frames": self.num_frames,
            "width": self.width,
            "height": self.height,
            "duration": self.duration,
            "mark": self.reading.to_dict(),
            "signer": self.signer,
            "timestamped": self.timestamped,
            "profile": self.profile,
            "label": self.label,
            "notes": list(self.notes),
        }
