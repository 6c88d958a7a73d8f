"""Looking at one picture: test a geometry, climb to the best nearby, weigh the parts anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.robust.carrier import Carrier
from vidigree.watermark.robust.combining import gls_weights
from vidigree.watermark.robust.frontend import Picture
from vidigree.watermark.robust.geometry import (
    Geometry,
    kept_spectrum,
    observed_spectrum,
    scaled_spectra,
    spectra_both_ways,
    unscaled_spectra,
    upright_picture,
)
from vidigree.watermark.robust.modulation import align
from vidigree.watermark.robust.spectrum import whiten
from vidigree.watermark.robust.sync import Lock, find_shift
from vidigree.watermark.robust.views import View

__all__ = [
    "Finding",
    "Trial",
    "codeword_score",
    "message_score_of",
    "refine",
    "reweighed",
    "score_of",
    "try_both_ways",
    "try_geometry",
    "try_scales",
    "try_unscaled",
]

_SPREAD = 0.5
# Of the correlations that are seen between parts.
_SHRINKAGE = 0.3
_LEAST_WEIGHT = 0.02
_LEAST_SEEN = 0.3
# What fits into a processor's cache.
_SCALES_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """One geometry tested for one key.

    Attributes:
        key: The key.
        carrier: Its carrier.
        geometry: The geometry that was undone.
        lock: The best shift and its score.
        spectrum: complex64 (K,), whitened.
    """

    key: MarkKey
    carrier: Carrier
    geometry: Geometry
    lock: Lock
    spectrum: NDArray[np.complex64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Finding:
    """A mark, or the best that was found instead.

    Attributes:
        trial: Geometry, shift and key.
        message: The message, or ``None`` if it could not be read.
        p_value: Of the pilot, or of pilot and codeword together, whichever is smaller, with both
            counted, and all else that may be looked at in the file.
        symbols: complex64 (K,), expected symbols: all of them if the message is known, else the
            pilots, zero elsewhere.
        bit_confidence: Per message bit, in [0.5, 1]; empty without a message.
        view: What of the picture it was found in; ``None`` for all of it.
    """

    trial: Trial
    message: int | None
    p_value: float
    symbols: NDArray[np.complex64]
    bit_confidence: tuple[float, ...]
    view: View | None = None


def try_geometry(picture: Picture, key: MarkKey, carrier: Carrier, geometry: Geometry) -> Trial:
    """Undo a geometry and find the best shift."""
    return try_scales(upright_picture(picture, geometry), key, carrier, [geometry])[0]


def try_scales(
    upright: Picture, key: MarkKey, carrier: Carrier, geometries: Sequence[Geometry]
) -> list[Trial]:
    """Find the best shift of a picture whose mirroring and rotation are undone already.

    Args:
        upright: The picture.
        key: The key.
        carrier: Its carrier.
        geometries: Of one mirroring and rotation.
    """
    trials = []
    for start in range(0, len(geometries), _SCALES_AT_ONCE):
        some = geometries[start : start + _SCALES_AT_ONCE]
        trials += _trials(key, carrier, some, scaled_spectra(upright, carrier, some))
    return trials


def try_both_ways(
    upright: Picture, key: MarkKey, carrier: Carrier, geometries: Sequence[Geometry]
) -> list[Trial]:
    """Do what :func:`try_scales` does, and the same for the picture turned by 180 degrees.

    Args:
        upright: The picture; its mirroring and rotation are undone already.
        key: The key.
        carrier: Its carrier.
        geometries: Of one mirroring and rotation.
    """
    there, back = spectra_both_ways(upright, carrier, geometries)
    turned = [geometry.nudged(turn=180.0) for geometry in geometries]
    return _trials(key, carrier, [*geometries, *turned], [*there, *back])


def try_unscaled(
    picture: Picture, key: MarkKey, carrier: Carrier, geometries: Sequence[Geometry]
) -> list[Trial]:
    """Do what :func:`try_geometry` does for several geometries, best of all of UNSCALED."""
    return _trials(key, carrier, geometries, unscaled_spectra(picture, carrier, geometries))


def _trials(
    key: MarkKey,
    carrier: Carrier,
    geometries: Sequence[Geometry],
    spectra: Sequence[NDArray[np.complex64]],
) -> list[Trial]:
    return [
        Trial(
            key=key,
            carrier=carrier,
            geometry=geometry,
            lock=find_shift(spectrum, carrier),
            spectrum=spectrum,
        )
        for geometry, spectrum in zip(geometries, spectra, strict=True)
    ]


def refine(picture: Picture, trial: Trial, reach: float) -> tuple[Trial, int]:
    """Climb to the best nearby geometry.

    Args:
        picture: The residual.
        trial: Where to start.
        reach: First step, as a fraction of scale and in radians of rotation.

    Returns:
        The best trial, and how many geometries were looked at.
    """
    looked = 0
    step = reach
    upright: dict[float, Picture] = {}
    while step > 6e-4:
        improved = False
        # Turning is what costs; most neighbours share their rotation with the trial.
        upright = {turn: kept for turn, kept in upright.items() if turn == trial.geometry.rotation}
        degrees = float(np.rad2deg(step))
        for x, y, turn in (
            (step, step, 0.0),
            (-step, -step, 0.0),
            (0.0, 0.0, degrees),
            (0.0, 0.0, -degrees),
            (step, 0.0, 0.0),
            (-step, 0.0, 0.0),
            (0.0, step, 0.0),
            (0.0, -step, 0.0),
        ):
            geometry = trial.geometry.nudged(x, y, turn)
            if geometry.rotation not in upright:
                upright[geometry.rotation] = upright_picture(picture, geometry)
            [other] = try_scales(upright[geometry.rotation], trial.key, trial.carrier, [geometry])
            looked += 1
            if other.lock.score > trial.lock.score:
                trial, improved = other, True
        if not improved:
            step /= 2
    return trial, looked


def reweighed(trial: Trial, parts: Sequence[tuple[float, Picture]], *, stay: bool = False) -> Trial:
    """Sum a clip's residuals again, each as much as it seems to hold of the mark.

    Codecs keep the mark in some frames and lose it in others, and parts of a clip may be unmarked.
    What a part holds is thought of as its usual weight times what the clip holds, give or take
    half of it; its pilot, seen with a deviation of 1, corrects that. What else the parts show is
    partly the same, since pictures keep still, and parts are added so that it cancels (see
    :mod:`.combining`). Correlations between parts hold no keyed phase, which turns a point of all
    parts alike, and the rest comes from the pilot alone: the phases of the data stay unknown to
    the weights.

    Args:
        trial: What the sum of the pictures gave.
        parts: Usual weights and residuals, of one clip and size.
        stay: Whether the shift, too, is only corrected; else the best of all is found anew. Where a
            filter has turned fine waves about, several are nearly as good, and this tells them.
    """
    if len(parts) < 2:
        return trial
    carrier = trial.carrier
    spectra = np.array([kept_spectrum(picture, carrier, trial.geometry) for _, picture in parts])
    pilots = np.zeros(len(carrier.waves), np.complex64)
    pilots[carrier.pilots] = 1.0
    seen = np.array([_score(align(one, carrier, trial.lock.shift), pilots) for one in spectra])
    usual = np.array([weight for weight, _ in parts])
    level = max(float(usual @ seen) / float(usual @ usual), _LEAST_SEEN)
    variance = (_SPREAD * level * usual) ** 2
    expected = (level * usual + variance * seen) / (1.0 + variance)
    held = np.maximum(expected, _LEAST_WEIGHT * level)
    weights = gls_weights(spectra, held, shrinkage=_SHRINKAGE)
    spectrum = whiten((weights.astype(np.float32) @ spectra).astype(np.complex64), carrier)
    near = trial.lock.shift if stay else None
    return replace(trial, spectrum=spectrum, lock=find_shift(spectrum, carrier, near))


def codeword_score(
    aligned: NDArray[np.complex64],
    symbols: NDArray[np.complex64],
    carrier: Carrier,
    gain: NDArray[np.float64],
) -> float:
    """Return the normalised correlation of the data points with a codeword, weighted by gain.

    Args:
        aligned: complex64 (K,), whitened and aligned.
        symbols: complex64 (K,), the unit symbols of a message.
        carrier: The key's carrier.
        gain: float64 (K,), weights that know nothing of the phases of the data points.
    """
    weighted = aligned[carrier.data] * gain[carrier.data]
    spread = float(np.sqrt(np.sum(np.abs(weighted) ** 2) / 2.0)) + 1e-12
    return float(np.sum((weighted * np.conj(symbols[carrier.data])).real)) / spread


def _score(aligned: NDArray[np.complex64], symbols: NDArray[np.complex64]) -> float:
    """Return the normalised correlation of an aligned spectrum with known symbols."""
    used = np.abs(symbols) > 0
    spread = float(np.sqrt(np.sum(np.abs(aligned[used]) ** 2) / 2.0)) + 1e-12
    return float(np.sum((aligned[used] * np.conj(symbols[used])).real)) / spread


def score_of(picture: Picture, finding: Finding) -> float:
    """Return how strongly a picture holds a mark that was found elsewhere, standard deviations."""
    trial = finding.trial
    spectrum = observed_spectrum(picture, trial.carrier, trial.geometry)
    return _score(align(spectrum, trial.carrier, trial.lock.shift), finding.symbols)


def message_score_of(picture: Picture, finding: Finding) -> float:
    """Return how strongly a picture holds the message that was found elsewhere, without its pilot.

    A mark of the same key whose tile happens to start at the same place has the same pilot, which
    is enough to be far beyond chance; in a film of many marked clips there often are two such.

    Args:
        picture: The residual.
        finding: A mark whose message is known.

    Returns:
        Standard deviations.
    """
    trial = finding.trial
    spectrum = observed_spectrum(picture, trial.carrier, trial.geometry)
    symbols = finding.symbols.copy()
    symbols[trial.carrier.pilots] = 0.0
    return _score(align(spectrum, trial.carrier, trial.lock.shift), symbols)
