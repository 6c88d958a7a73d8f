"""What is believed of a trial: is there a mark, and what does it say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.robust import ecc
from vidigree.watermark.robust.frontend import Picture
from vidigree.watermark.robust.modulation import (
    align,
    channel_gain,
    outputs_per_bit,
    soft_values,
    symbols_of_payload,
)
from vidigree.watermark.robust.origin import PLACES, at_its_place
from vidigree.watermark.robust.payload import MESSAGE_BITS, message_of
from vidigree.watermark.robust.reading import Finding, Trial, codeword_score, reweighed
from vidigree.watermark.robust.rivals import likeliest, listed, rival_of
from vidigree.watermark.robust.significance import (
    PRESENT_BELOW,
    joint_p_value,
    p_value,
    weighted_p_value,
)
from vidigree.watermark.robust.sync import SHIFTS

__all__ = ["MESSAGE_BELOW", "PILOT_WEIGHT", "decode_trial", "message_p_value"]

PILOT_WEIGHT = 0.4
"""Weight of the pilot's p-value beside its codeword's; their squares add up to 1.

After strong compression a mark's pilot scores about half of what its codeword does.
"""

MESSAGE_BELOW = 1e-4
"""A codeword that so many messages could equal by chance is none of them, whatever the pilot says.

For a whole file, wherever a tile starts, and as much again where messages are told by their place.
"""

# Log likelihood ratio by which a message must lead its strongest rival: a thousand to one.
_CLEARLY = 6.9
# Many paths are followed where a message may be told by its place and the pilot says that it may be
# worth it: of one key, a chance match of the eleven unscaled geometries seldom reaches this.
# Elsewhere what a longer list adds is too weak to be believed.
_DEEP = 4.8
_DEEP_PATHS = 1 << 16
_NOTHING = np.zeros(0, np.uint8)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Received:
    """What a trial received at its data points.

    Attributes:
        trial: Geometry, shift and key, with the spectrum that the values are from.
        aligned: complex64 (K,), whitened and aligned.
        gain: float64 (K,), weights that know nothing of the phases of the data points.
        soft: float32 (coded bits,), log likelihood ratios of the coded bits.
        candidates: uint8 (n, 72), payloads that the checksum agrees with, likeliest first.
    """

    trial: Trial
    aligned: NDArray[np.complex64]
    gain: NDArray[np.float64]
    soft: NDArray[np.float32]
    candidates: NDArray[np.uint8]

    @classmethod
    def of(cls, trial: Trial) -> _Received:
        carrier = trial.carrier
        aligned = align(trial.spectrum, carrier, trial.lock.shift)
        gain = channel_gain(aligned, carrier)
        soft = soft_values(aligned, carrier, gain)
        candidates = listed(soft, outputs_per_bit(carrier))
        return cls(trial=trial, aligned=aligned, gain=gain, soft=soft, candidates=candidates)

    def with_paths(self, paths: int) -> _Received:
        """Return the same with the candidates of a longer list."""
        outputs = outputs_per_bit(self.trial.carrier)
        return replace(self, candidates=listed(self.soft, outputs, paths))

    @property
    def moduli(self) -> NDArray[np.float64]:
        data = self.trial.carrier.data
        return np.asarray(np.abs(self.aligned[data]) * self.gain[data], np.float64)

    def score(self, bits: NDArray[np.uint8]) -> float:
        carrier = self.trial.carrier
        symbols = symbols_of_payload(bits, carrier)
        return codeword_score(self.aligned, symbols, carrier, self.gain)

    def at_its_place(self, bits: NDArray[np.uint8]) -> bool:
        message = message_of(bits)
        trial = self.trial
        return message is not None and at_its_place(message, trial.key, trial.lock.shift)

    def finding(self, bits: NDArray[np.uint8], chance: float) -> Finding:
        """Return what was found if these bits are the payload.

        Args:
            bits: uint8 (72,).
            chance: p-value.
        """
        outputs = outputs_per_bit(self.trial.carrier)
        confidence = 1.0 / (1.0 + np.exp(-np.abs(ecc.soft_bits(self.soft, outputs))))
        return Finding(
            trial=self.trial,
            message=message_of(bits),
            p_value=chance,
            symbols=symbols_of_payload(bits, self.trial.carrier),
            bit_confidence=tuple(float(value) for value in confidence[:MESSAGE_BITS]),
        )


def decode_trial(
    trial: Trial,
    geometries: int,
    decodes: int,
    share: float = 1.0,
    parts: Sequence[tuple[float, Picture]] = (),
    *,
    whole: bool = False,
    stay: bool = False,
) -> Finding:
    """Read the message at a trial's lock and judge it.

    Two tests. The pilot's is charged for every shift of every geometry and key. Those were chosen
    by the pilot; the phases of the data points know nothing of it, so the codeword's test is
    charged for every message of every decoding, and for nothing else. Being independent, the two
    may be put together; a message is given if both together are no chance, the codeword by itself
    hardly one, and no other message nearly as likely.

    If the picture may be whole, a message whose tile starts where it should is looked for, too; as
    few have that, fewer are charged for.

    Args:
        trial: Geometry and shift.
        geometries: How many geometries and keys this look is charged for.
        decodes: How many trials this look decodes.
        share: Share of a file's false alarms that this look may give; see :mod:`.budget`.
        parts: The weighted residuals that the trial's picture is the sum of, to be weighted anew.
        whole: Whether the picture, as the geometry has it, may be one that was not cut.
        stay: Whether the lock is not the best of its picture, and is to be kept all the same.
    """
    carrier = trial.carrier
    looked = max(1, geometries) * SHIFTS
    pilot_moduli = np.abs(trial.spectrum[carrier.pilots])
    pilot_p = p_value(trial.lock.score, looked, pilot_moduli)
    received = _Received.of(reweighed(trial, parts, stay=stay))
    # Several ways to be believed, the pilot alone and both together: each has a part of the share.
    alone = min(1.0, (4.0 if whole else 2.0) / share * pilot_p)
    bits, chance = _anywhere(received, pilot_p, decodes, share)
    chance *= 2.0 / share
    if whole and chance > PRESENT_BELOW:
        if trial.lock.score >= _DEEP:
            received = received.with_paths(_DEEP_PATHS)
        single = p_value(trial.lock.score, 1.0, pilot_moduli)
        bits, chance = _in_place(received, single, looked, decodes, share)
        chance *= 4.0 / share
    if chance <= PRESENT_BELOW:
        return received.finding(bits, min(chance, alone))
    pilots = np.zeros(len(carrier.waves), np.complex64)
    pilots[carrier.pilots] = 1.0
    return Finding(trial=trial, message=None, p_value=alone, symbols=pilots, bit_confidence=())


def _anywhere(
    received: _Received, pilot_p: float, decodes: int, share: float
) -> tuple[NDArray[np.uint8], float]:
    """Return the likeliest payload of all, and the p-value of pilot and codeword; 1 if none."""
    messages = decodes * 2.0**MESSAGE_BITS
    first = received.candidates[:1]
    # Most often nothing is near enough to be worth comparing it with its rivals.
    if not len(first) or p_value(received.score(first[0]), messages, received.moduli) >= 1.0:
        return _NOTHING, 1.0
    outputs = outputs_per_bit(received.trial.carrier)
    valid = likeliest(received.soft, outputs, received.candidates)
    scores = [received.score(bits) for bits in valid]
    code_p = message_p_value(scores, messages, MESSAGE_BELOW * share, received.moduli)
    return (_NOTHING, 1.0) if code_p is None else (valid[0], joint_p_value(pilot_p, code_p))


def _in_place(
    received: _Received, pilot_p: float, looked: int, decodes: int, share: float
) -> tuple[NDArray[np.uint8], float]:
    """Return the likeliest payload whose tile starts where it should, and its p-value; 1 if none.

    Args:
        received: What was received.
        pilot_p: The pilot's p-value at one shift.
        looked: How many shifts this look tries, over all geometries and keys.
        decodes: How many trials this look decodes.
        share: Share of a file's false alarms that this look may give.
    """
    mine = [bits for bits in received.candidates if received.at_its_place(bits)]
    if not mine:
        return _NOTHING, 1.0
    messages = 2.0**MESSAGE_BITS / PLACES
    best, score = mine[0], received.score(mine[0])
    outputs = outputs_per_bit(received.trial.carrier)
    for other in (rival_of(best, received.soft, outputs, received.candidates), *mine[1:2]):
        # That the tile lies where only one message in so many has it speaks for a message, too.
        credit = 0.0 if received.at_its_place(other) else math.log(PLACES)
        if score * (score - received.score(other)) + credit < _CLEARLY:
            return _NOTHING, 1.0
    below = MESSAGE_BELOW * share
    if message_p_value([score], decodes * messages, below, received.moduli) is None:
        return _NOTHING, 1.0
    code_p = p_value(score, 1.0, received.moduli)
    return best, min(1.0, looked * messages * weighted_p_value(pilot_p, code_p, PILOT_WEIGHT))


def message_p_value(
    scores: Sequence[float],
    messages: float,
    below: float,
    moduli: NDArray[np.floating] | None = None,
) -> float | None:
    """Return the p-value of the likeliest message, ``None`` where it is not to be believed.

    It must be hardly a chance among all messages, and clearly likelier than the next: a neighbour
    of the message that was written correlates with what was received, too, and may come first.

    Args:
        scores: Of the likeliest message and its rival, standard deviations.
        messages: How many messages it is the likeliest of, over all decodings.
        below: The p-value that it may have at most.
        moduli: float (n,), of the weighted data points, any unit; ``None`` for a bound.
    """
    if not scores:
        return None
    # The amplitude being what the first score says, this is the log likelihood ratio of the two.
    if len(scores) > 1 and scores[0] * (scores[0] - scores[1]) < _CLEARLY:
        return None
    chance = p_value(scores[0], messages, moduli)
    return chance if chance <= below else None
