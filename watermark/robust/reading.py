"""Reading one picture: test a geometry, decode the message, and say how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.robust import ecc
from vidigree.watermark.robust.carrier import Carrier
from vidigree.watermark.robust.frontend import Picture
from vidigree.watermark.robust.geometry import (
    Geometry,
    observed_spectrum,
    scaled_spectrum,
    upright_picture,
)
from vidigree.watermark.robust.modulation import (
    align,
    channel_gain,
    outputs_per_bit,
    soft_values,
    symbols_of_payload,
)
from vidigree.watermark.robust.payload import MESSAGE_BITS, message_of
from vidigree.watermark.robust.rivals import likeliest
from vidigree.watermark.robust.significance import PRESENT_BELOW, joint_p_value, p_value
from vidigree.watermark.robust.spectrum import whiten
from vidigree.watermark.robust.sync import SHIFTS, Lock, find_shift

__all__ = [
    "Finding",
    "Trial",
    "codeword_score",
    "decode_trial",
    "message_p_value",
    "refine",
    "reweighed",
    "score_of",
    "try_geometry",
    "try_scale",
]

# A codeword that many of the 2**64 could equal by chance is no message, whatever the pilot says.
_MESSAGE_BELOW = 1e-5
# Log likelihood ratio by which a message must lead its strongest rival: a thousand to one.
_CLEARLY = 6.9
_SPREAD = 0.5
_LEAST_WEIGHT = 0.02
_LEAST_SEEN = 0.3


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
    """

    trial: Trial
    message: int | None
    p_value: float
    symbols: NDArray[np.complex64]
    bit_confidence: tuple[float, ...]


def try_geometry(picture: Picture, key: MarkKey, carrier: Carrier, geometry: Geometry) -> Trial:
    """Undo a geometry and find the best shift."""
    return try_scale(upright_picture(picture, geometry), key, carrier, geometry)


def try_scale(upright: Picture, key: MarkKey, carrier: Carrier, geometry: Geometry) -> Trial:
    """Find the best shift of a picture whose mirroring and rotation are undone already."""
    spectrum = scaled_spectrum(upright, carrier, geometry)
    return Trial(
        key=key,
        carrier=carrier,
        geometry=geometry,
        lock=find_shift(spectrum, carrier),
        spectrum=spectrum,
    )


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
            other = try_scale(upright[geometry.rotation], trial.key, trial.carrier, geometry)
            looked += 1
            if other.lock.score > trial.lock.score:
                trial, improved = other, True
        if not improved:
            step /= 2
    return trial, looked


def reweighed(trial: Trial, parts: Sequence[tuple[float, Picture]]) -> Trial:
    """Sum a clip's residuals again, each as much as it seems to hold of the mark.

    Codecs keep the mark in some frames and lose it in others, and parts of a clip may be unmarked.
    What a part holds is thought of as its usual weight times what the clip holds, give or take
    half of it; its pilot, seen with a deviation of 1, corrects that. The weights come from the
    pilot alone, so that the phases of the data stay as they were: unknown to the weights.

    Args:
        trial: What the plain sum gave.
        parts: Usual weights and residuals, of one clip and size.
    """
    if len(parts) < 2:
        return trial
    carrier = trial.carrier
    spectra = np.array(
        [observed_spectrum(picture, carrier, trial.geometry) for _, picture in parts]
    )
    pilots = np.zeros(len(carrier.waves), np.complex64)
    pilots[carrier.pilots] = 1.0
    seen = np.array([_score(align(one, carrier, trial.lock.shift), pilots) for one in spectra])
    usual = np.array([weight for weight, _ in parts])
    level = max(float(usual @ seen) / float(usual @ usual), _LEAST_SEEN)
    variance = (_SPREAD * level * usual) ** 2
    expected = (level * usual + variance * seen) / (1.0 + variance)
    weights = np.maximum(expected, _LEAST_WEIGHT * level)
    spectrum = whiten((weights.astype(np.float32) @ spectra).astype(np.complex64), carrier)
    return replace(trial, spectrum=spectrum, lock=find_shift(spectrum, carrier))


def decode_trial(
    trial: Trial,
    geometries: int,
    decodes: int,
    share: float = 1.0,
    parts: Sequence[tuple[float, Picture]] = (),
) -> Finding:
    """Read the message at a trial's lock and judge it.

    Two tests. The pilot's is charged for every shift of every geometry and key. Those were chosen
    by the pilot; the phases of the data points know nothing of it, so the codeword's test is
    charged for every message of every decoding, and for nothing else. Being independent, the two
    may be put together; a message is given if both together are no chance, the codeword by itself
    hardly one, and no other message nearly as likely.

    Args:
        trial: Geometry and shift.
        geometries: How many geometries and keys this look tries.
        decodes: How many trials this look decodes.
        share: Share of a file's false alarms that this look may give; see :mod:`.budget`.
        parts: The weighted residuals that the trial's picture is the sum of, to be weighted anew.
    """
    carrier = trial.carrier
    pilot_moduli = np.abs(trial.spectrum[carrier.pilots])
    pilot_p = p_value(trial.lock.score, max(1, geometries) * SHIFTS, pilot_moduli)
    better = reweighed(trial, parts)
    aligned = align(better.spectrum, carrier, better.lock.shift)
    gain = channel_gain(aligned, carrier)
    soft = soft_values(aligned, carrier, gain)
    outputs = outputs_per_bit(carrier)
    valid = likeliest(soft, outputs)
    scores = [
        codeword_score(aligned, symbols_of_payload(bits, carrier), carrier, gain) for bits in valid
    ]
    code_p = message_p_value(scores, decodes, np.abs(aligned[carrier.data]) * gain[carrier.data])
    if code_p is not None:
        # Two ways to be believed, the pilot alone and both together: each pays for the other.
        sure = min(1.0, 2.0 / share * joint_p_value(pilot_p, code_p))
        if sure <= PRESENT_BELOW:
            confidence = 1.0 / (1.0 + np.exp(-np.abs(ecc.soft_bits(soft, outputs))))
            return Finding(
                trial=better,
                message=message_of(valid[0]),
                p_value=min(sure, 2.0 / share * pilot_p),
                symbols=symbols_of_payload(valid[0], carrier),
                bit_confidence=tuple(float(value) for value in confidence[:MESSAGE_BITS]),
            )
    pilots = np.zeros(len(carrier.waves), np.complex64)
    pilots[carrier.pilots] = 1.0
    alone = min(1.0, 2.0 / share * pilot_p)
    return Finding(trial=trial, message=None, p_value=alone, symbols=pilots, bit_confidence=())


def message_p_value(
    scores: Sequence[float], decodes: int, moduli: NDArray[np.floating] | None = None
) -> float | None:
    """Return the p-value of the likeliest message, ``None`` where it is not to be believed.

    It must be hardly a chance among all messages, and clearly likelier than the next: a neighbour
    of the message that was written correlates with what was received, too, and may come first.

    Args:
        scores: Of the likeliest message and its rival, standard deviations.
        decodes: How many decodings this one is among.
        moduli: float (n,), of the weighted data points, any unit; ``None`` for a bound.
    """
    if not scores:
        return None
    # The amplitude being what the first score says, this is the log likelihood ratio of the two.
    if len(scores) > 1 and scores[0] * (scores[0] - scores[1]) < _CLEARLY:
        return None
    chance = p_value(scores[0], max(1, decodes) * 2.0**MESSAGE_BITS, moduli)
    return chance if chance <= _MESSAGE_BELOW else None


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
