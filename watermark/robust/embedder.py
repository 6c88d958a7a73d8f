"""Embedding: a stream of frames in, the same frames with the mark out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import StampError, UsageError
from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.robust.carrier import SHORT_SIDE, carrier_of
from vidigree.watermark.robust.frontend import residual_of, working_luma, working_step
from vidigree.watermark.robust.informed import allocate
from vidigree.watermark.robust.masking import smooth_amplitude, visibility_mask
from vidigree.watermark.robust.modulation import symbols_of
from vidigree.watermark.robust.payload import nonce_of
from vidigree.watermark.robust.scenes import SceneStarts, opening_share
from vidigree.watermark.robust.spectrum import lattice_spectrum, synthesise, whiten

__all__ = ["MINIMUM_SIDE", "EmbedSettings", "Embedder", "check_sides"]

MINIMUM_SIDE = 128
"""Smallest side in pixels of a picture that can carry the mark."""

_CHUNK_FRAMES = 32
_CHUNK_BYTES = 192 << 20
_PROBED_FRAMES = 12
_FADE_FRAMES = 6
_PASSES = 2
# Score at embedding, standard deviations, that leaves room for codecs at a short side of 512;
# reading takes about 10.5. Smaller pictures lose more of it to the same codec setting.
_AIM = 30.0
_AIM_LIMITS = (25.0, 42.0)
_YIELD = 0.35


@dataclass(frozen=True, kw_only=True)
class EmbedSettings:
    """How strongly to mark.

    Attributes:
        psnr: Peak signal-to-noise ratio of the marked frames that is aimed at, dB, 36 to 60.
        weaker_by: How far it may rise where the picture carries the mark easily, dB, from 0.
        stronger_by: How far it may fall where the picture hides the mark from the detector, dB,
            from 0.
        smooth: Most amplitude in places without texture, root mean square in grey levels, above 0,
            at a short side of 480 and more; smaller pictures get up to a quarter more, the first
            frame of a scene 1.2 times as much.
        informed: Whether to make use of what the picture leans to.

    Raises:
        UsageError: A value is out of its range, or no number.
    """

    psnr: float = 44.4
    weaker_by: float = 0.8
    stronger_by: float = 1.9
    smooth: float = 1.12
    informed: bool = True

    def __post_init__(self) -> None:
        # A gain that is no number would spoil every frame.
        allowed = (
            ("psnr", 36.0, self.psnr, 60.0),
            ("weaker_by", 0.0, self.weaker_by, 60.0),
            ("stronger_by", 0.0, self.stronger_by, 60.0),
            ("smooth", 1e-6, self.smooth, 255.0),
        )
        for name, least, value, most in allowed:
            if not least <= value <= most:
                raise UsageError(
                    f"The mark's setting {name} is {value}; it must be in the range {least:g} to"
                    f" {most:g}.",
                    hint="Leave it out for what the bench measured.",
                )


class Embedder:
    """Marks frames of one size with one message.

    Frames are taken in stretches of at most 32 (fewer when they are large), because informed
    embedding looks at a stretch before it marks it; memory is bounded by one stretch.

    Args:
        message: The 64 message bits.
        key: The key.
        settings: How strongly to mark.
    """

    def __init__(self, message: int, key: MarkKey, settings: EmbedSettings) -> None:
        self._settings = settings
        self._carrier = carrier_of(key)
        self._symbols = symbols_of(message, self._carrier)
        turns = self._carrier.waves @ np.array(nonce_of(message, key))
        self._rotor = (self._carrier.phases * np.exp(-2j * np.pi * turns)).astype(np.complex64)
        self._previous: NDArray[np.float32] | None = None
        self._size = (0, 0)
        self._scenes = SceneStarts()
        self._since = 0

    def run(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """Yield the marked frames.

        Raises:
            StampError: A side is under 128 pixels, or the frames differ in size.
        """
        stretch: list[NDArray[np.uint8]] = []
        shape: tuple[int, ...] | None = None
        limit = 1
        for frame in frames:
            if shape is None:
                shape = frame.shape
                self._size = (frame.shape[0], frame.shape[1])
                check_sides(frame.shape[1], frame.shape[0])
                limit = int(np.clip(_CHUNK_BYTES // frame.nbytes, 1, _CHUNK_FRAMES))
            elif frame.shape != shape:
                raise StampError(
                    f"The frames change size in the middle: {shape[:2]}, then {frame.shape[:2]}."
                )
            stretch.append(frame)
            if len(stretch) == limit:
                yield from self._mark(stretch)
                stretch = []
        if stretch:
            yield from self._mark(stretch)

    def _mark(self, stretch: list[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """Mark one stretch of frames."""
        masks, coefficients, gain = self._plan(stretch)
        height, width = stretch[0].shape[:2]
        step = SHORT_SIDE / min(height, width)
        pattern = np.float32(gain) * synthesise(
            coefficients, self._carrier, (height, width), (step, step)
        )
        old, self._previous = self._previous, pattern
        for index, frame in enumerate(stretch):
            blend = pattern
            if old is not None and index < _FADE_FRAMES:
                # No visible step where one stretch ends and the next begins.
                share = np.float32((index + 1) / (_FADE_FRAMES + 1))
                blend = share * pattern + (1 - share) * old
            mask = cv2.resize(masks[index], (width, height), interpolation=cv2.INTER_LINEAR)
            change = cv2.multiply(mask, blend)
            yield np.asarray(cv2.add(frame, cv2.merge([change] * 3), dtype=cv2.CV_8U), np.uint8)

    def _plan(
        self, stretch: list[NDArray[np.uint8]]
    ) -> tuple[list[NDArray[np.float32]], NDArray[np.complex64], float]:
        """Return the masks, the coefficients and the strength for a stretch."""
        lumas = [working_luma(frame, SHORT_SIDE) for frame in stretch]
        masks = [visibility_mask(luma, opening_share(self._since_start(luma))) for luma in lumas]
        # Rounding to 8 bits adds a variance of 1/12 of its own.
        wanted = np.sqrt(max(255.0**2 / 10 ** (self._settings.psnr / 10) - 1 / 12, 0.01))
        power = float(np.mean([np.mean(mask * mask) for mask in masks]))
        plain = self._symbols * self._carrier.amplitudes
        # synthesise() gives a mean square of twice the sum of squares.
        gain = wanted / np.sqrt(power * 2.0 * float(np.sum(np.abs(plain) ** 2)))
        if not self._settings.informed:
            return masks, (plain * self._rotor).astype(np.complex64), gain
        chosen = np.unique(np.linspace(0, len(lumas) - 1, _PROBED_FRAMES).round().astype(int))
        probe = [(lumas[index], masks[index]) for index in chosen]
        coefficients = self._informed(probe, plain, gain)
        gain *= self._adjustment(self._seen(probe, coefficients, gain))
        gain = min(gain, self._most_in_smooth(coefficients))
        return masks, (coefficients * self._rotor).astype(np.complex64), gain

    def _since_start(self, luma: NDArray[np.float32]) -> int:
        """Return how many frames ago this frame's scene began."""
        self._since = 0 if self._scenes.feed(luma) else self._since + 1
        return self._since

    def _adjustment(self, seen: NDArray[np.complex64]) -> float:
        """Return how much stronger to embed, so that hard and small pictures catch up a little."""
        white = whiten(seen, self._carrier)
        score = float(np.sum((white * np.conj(self._symbols)).real))
        score /= float(np.sqrt(np.sum(np.abs(white) ** 2) / 2.0)) + 1e-9
        aim = np.clip(_AIM * np.sqrt(512.0 / min(self._size)), *_AIM_LIMITS)
        needed = _YIELD * 20.0 * np.log10(aim / max(score, 1e-3))
        bounded = np.clip(needed, -self._settings.weaker_by, self._settings.stronger_by)
        return float(10 ** (bounded / 20.0))

    def _most_in_smooth(self, coefficients: NDArray[np.complex64]) -> float:
        """Return the strength at which smooth places, where the eye is best, get all they may."""
        amplitude = np.sqrt(2.0 * float(np.sum(np.abs(coefficients) ** 2))) * smooth_amplitude()
        size = np.clip(np.sqrt(480.0 / min(self._size)), 1.0, 1.25)
        return float(self._settings.smooth * size / amplitude)

    def _informed(
        self,
        probe: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
        plain: NDArray[np.complex64],
        gain: float,
    ) -> NDArray[np.complex64]:
        """Return coefficients that make up for the picture's own lean, as the detector sees it."""
        coefficients = plain
        host = self._seen(probe, None, gain)
        for _ in range(_PASSES):
            seen = self._seen(probe, coefficients, gain)
            response = _response(seen - host, coefficients, self._carrier.radii)
            # What is seen beyond the response to what was put in: host and leakage together.
            lean = seen / response - coefficients
            coefficients = allocate(
                lean.astype(np.complex64), self._symbols, self._carrier.amplitudes
            )
        return coefficients

    def _seen(
        self,
        probe: list[tuple[NDArray[np.float32], NDArray[np.float32]]],
        coefficients: NDArray[np.complex64] | None,
        gain: float,
    ) -> NDArray[np.complex64]:
        """Return what the detector's front end sees of the probe frames, aligned."""
        height, width = probe[0][0].shape
        step = working_step(self._size, (height, width))
        total = np.zeros((height, width), np.float32)
        pattern = None
        if coefficients is not None:
            turned = (coefficients * self._rotor).astype(np.complex64)
            pattern = np.float32(gain) * synthesise(turned, self._carrier, (height, width), step)
        for luma, mask in probe:
            total += residual_of(luma if pattern is None else luma + mask * pattern)
        spectrum = lattice_spectrum(total / np.float32(len(probe)), self._carrier, step)
        return np.asarray(spectrum * np.conj(self._rotor), np.complex64)


def _response(
    change: NDArray[np.complex64], put_in: NDArray[np.complex64], radii: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the detector's response per embedded amplitude, as a smooth function of radius."""
    order = np.argsort(radii, kind="stable")
    parts = np.array_split(order, 10)
    centres = np.array([radii[part].mean() for part in parts])
    levels = np.array(
        [
            np.sum((change[part] * np.conj(put_in[part])).real) / np.sum(np.abs(put_in[part]) ** 2)
            for part in parts
        ]
    )
    floor = 1e-3 + 0.2 * float(levels.max())
    return np.asarray(np.interp(radii, centres, np.maximum(levels, floor)))


def check_sides(width: int, height: int) -> None:
    """Refuse a picture, its size in pixels, that is too small for the mark.

    Raises:
        StampError: A side is under 128 pixels.
    """
    if min(height, width) < MINIMUM_SIDE:
        raise StampError(
            f"A picture of {width} x {height} pixels is too small to carry the mark.",
            hint=f"Both sides must be at least {MINIMUM_SIDE} pixels.",
        )
