"""invisible-watermark's three methods behind the contract: dwtDct, dwtDctSvd and RivaGAN.

They are here as peers to measure against. None of them has a key, an error-correcting code, a
checksum or a yes-or-no answer, so presence means that the bits of enough frames agree, and a
reading never carries more than the library gives. Install ``vidigree[classic]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import StampError, UsageError
from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.method import MarkReading

__all__ = ["DwtDct", "DwtDctSvd", "RivaGan"]

_MOST_FRAMES = 24
_LEAST_PIXELS = 256 * 256


class _Classic:
    """What the three share: one image method applied to every frame, bits voted over frames."""

    name: ClassVar[str]
    message_bits: ClassVar[int]
    _method: ClassVar[str]

    def embed(
        self,
        frames: Iterable[NDArray[np.uint8]],
        message: int,
        *,
        key: MarkKey,  # noqa: ARG002 -- the library has no key
        fps: Fraction,  # noqa: ARG002 -- nor does it know of time
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield marked frames; see :meth:`vidigree.watermark.method.WatermarkMethod.embed`.

        Raises:
            UsageError: The message does not fit, or the library is not installed.
            StampError: A frame is smaller than 256 x 256, which the library returns unmarked.
        """
        if not 0 <= message < 1 << self.message_bits:
            raise UsageError(f"A {self.name} message has {self.message_bits} bits, not {message}.")
        bits = [message >> shift & 1 for shift in range(self.message_bits - 1, -1, -1)]
        return self._embedded(frames, bits)

    def _embedded(
        self, frames: Iterable[NDArray[np.uint8]], bits: list[int]
    ) -> Iterator[NDArray[np.uint8]]:
        encoder = _library(self._method).WatermarkEncoder()
        encoder.set_watermark("bits", bits)
        if self._method == "rivaGan":
            encoder.loadModel()
        for frame in frames:
            height, width = frame.shape[:2]
            if height * width < _LEAST_PIXELS:
                raise StampError(
                    f"{self.name} cannot mark a picture of {width} x {height} pixels.",
                    hint="It needs at least 256 x 256.",
                )
            # The library speaks BGR; edges that are no multiple of 4 are left as they were.
            inner = np.ascontiguousarray(frame[: height // 4 * 4, : width // 4 * 4, ::-1])
            marked = frame.copy()
            marked[: inner.shape[0], : inner.shape[1]] = encoder.encode(inner, self._method)[
                ..., ::-1
            ]
            yield marked

    def detect(
        self,
        frames: Iterable[NDArray[np.uint8]],
        *,
        keys: Sequence[MarkKey],
        fps: Fraction,  # noqa: ARG002 -- no segments
    ) -> MarkReading:
        """Vote over up to 24 frames; see :meth:`vidigree.watermark.method.WatermarkMethod.detect`.

        The library always returns bits. The p-value is that of the two halves of the frames
        agreeing in as many bits by chance (binomial, one half each), which unmarked but static
        content can satisfy: a known weakness of methods without a presence test.
        """
        decoder = _library(self._method).WatermarkDecoder("bits", self.message_bits)
        if self._method == "rivaGan":
            decoder.loadModel()
        votes: list[NDArray[np.float64]] = []
        for frame in frames:
            if len(votes) == _MOST_FRAMES:
                break
            if frame.shape[0] * frame.shape[1] < _LEAST_PIXELS:
                break
            inner = frame[: frame.shape[0] // 4 * 4, : frame.shape[1] // 4 * 4, ::-1]
            bits = decoder.decode(np.ascontiguousarray(inner), self._method)
            votes.append(np.asarray(bits, np.float64))
        if not votes:
            return MarkReading(method=self.name, present=False)
        share = np.mean(votes, axis=0)
        chance = _agreement_by_chance(votes)
        present = chance <= 1e-3
        value = int("".join("1" if bit else "0" for bit in share >= 0.5), 2)
        return MarkReading(
            method=self.name,
            present=present,
            p_value=chance,
            message=value if present else None,
            key_id=keys[0].key_id if present and keys else None,
            bit_confidence=tuple(float(max(x, 1 - x)) for x in share) if present else (),
            frames_used=len(votes),
        )


class DwtDct(_Classic):
    """Wavelet and DCT quantisation (invisible-watermark ``dwtDct``), 64 bits."""

    name: ClassVar[str] = "dwt-dct"
    message_bits: ClassVar[int] = 64
    _method: ClassVar[str] = "dwtDct"


class DwtDctSvd(_Classic):
    """Wavelet, DCT and singular values (invisible-watermark ``dwtDctSvd``), 64 bits."""

    name: ClassVar[str] = "dwt-dct-svd"
    message_bits: ClassVar[int] = 64
    _method: ClassVar[str] = "dwtDctSvd"


class RivaGan(_Classic):
    """A learned attention mark (Zhang et al., 2019; invisible-watermark ``rivaGan``), 32 bits."""

    name: ClassVar[str] = "rivagan"
    message_bits: ClassVar[int] = 32
    _method: ClassVar[str] = "rivaGan"


def _agreement_by_chance(votes: list[NDArray[np.float64]]) -> float:
    """Return the binomial tail of two halves of the frames agreeing as often as they do."""
    if len(votes) < 2:
        return 1.0
    from scipy.stats import binom

    first = np.mean(votes[0::2], axis=0) >= 0.5
    second = np.mean(votes[1::2], axis=0) >= 0.5
    agreeing = int(np.sum(first == second))
    return float(binom.sf(agreeing - 1, len(first), 0.5))


def _library(method: str) -> Any:
    """Import invisible-watermark, or say what to install."""
    try:
        import imwatermark

        if method == "rivaGan":
            import onnxruntime  # noqa: F401 -- the library fails late without it
    except ImportError as error:
        raise UsageError(
            f"The classic watermarks need a library that is missing: {error.name}.",
            hint="Install it with: pip install 'vidigree[classic]'",
        ) from error
    return imwatermark
