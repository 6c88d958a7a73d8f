"""A mark in the noise that a diffusion model starts from: it changes no pixel after the fact.

The signs of the noise say the message, its magnitudes stay as they were drawn: as the signs are
keyed coin flips, marked noise is distributed like any other (Gaussian Shading, Yang et al. 2024;
VideoShield, Hu et al. 2025, for clips). The message is error-corrected, a quarter of the signs
carry nothing but the key, and everything is weighed softly. What differs from both papers: the
p-value is a bound that holds for any clip, not a threshold that was fitted.

The detector needs an estimate of that noise, which only the model itself can give by running
backwards: that part belongs to whoever has the model. Every message flips the same sign pattern of
a key, so whoever knows many clips of one key *and* their noise learns about the pattern.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import StampError
from vidigree.watermark.keyring import MarkKey
from vidigree.watermark.robust.decision import message_p_value
from vidigree.watermark.robust.ecc import encode
from vidigree.watermark.robust.payload import MESSAGE_BITS, PAYLOAD_BITS, message_of, payload_bits
from vidigree.watermark.robust.rivals import likeliest, listed
from vidigree.watermark.robust.significance import PRESENT_BELOW, joint_p_value, p_value

__all__ = ["NoiseReading", "mark_noise", "read_noise"]

# One value in this many carries the key alone.
_PILOTS: Final = 4
# Coded bits per bit: as many as fit, up to what the code has, and not fewer than make sense.
_OUTPUTS: Final = (4, 26)
# Estimates are clipped here, in standard deviations: outliers know nothing more.
_CLIP: Final = 2.0
# By how much of a chance the likeliest of all messages may be no message.
_MESSAGE_BELOW: Final = 1e-5


@dataclass(frozen=True, kw_only=True)
class NoiseReading:
    """What is read from an estimate of the initial noise. Absence is a result.

    Attributes:
        present: Whether a mark of one of the keys is there.
        p_value: Bound on the probability of as good a match on unmarked noise, all keys and
            messages counted; in (0, 1].
        message: The message, exact; ``None`` if absent or not readable.
        key_id: The key it was made with; ``None`` if absent.
        agreement: Share of the signs that are as they were made; 0.5 is chance. ``None`` if the
            message could not be read.
    """

    present: bool
    p_value: float = 1.0
    message: int | None = None
    key_id: str | None = None
    agreement: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the reading as JSON values; the message as 16 hex digits."""
        row = asdict(self)
        row["message"] = None if self.message is None else f"{self.message:016x}"
        return row


def mark_noise(noise: NDArray[np.float32], message: int, key: MarkKey) -> NDArray[np.float32]:
    """Give noise the signs that say ``message``.

    Args:
        noise: float32, any shape, standard normal; at least 383 values.
        message: Unsigned integer of 64 bits.
        key: Secret that seeds the signs.

    Returns:
        float32 of the same shape; the magnitudes are those of ``noise``.

    Raises:
        StampError: There are too few values to carry a message.
    """
    plan = _Plan.of(noise.size, key)
    signs = plan.signs(payload_bits(message)).reshape(noise.shape)
    marked: NDArray[np.float32] = (np.abs(noise) * signs).astype(np.float32)
    return marked


def read_noise(estimate: NDArray[np.float32], keys: Sequence[MarkKey]) -> NoiseReading:
    """Look for a mark of one of ``keys`` in an estimate of the noise.

    Args:
        estimate: float32, of the shape that was marked; any scale.
        keys: Keys to try.

    Raises:
        StampError: There are too few values to carry a message.
    """
    values = estimate.astype(np.float64).ravel()
    values -= values.mean()
    values = np.clip(values / max(float(values.std()), 1e-9), -_CLIP, _CLIP)
    readings = [_read(values, key, len(keys)) for key in keys]
    best = min(readings, key=lambda reading: reading.p_value, default=NoiseReading(present=False))
    return best if best.present else NoiseReading(present=False, p_value=best.p_value)


def _read(values: NDArray[np.float64], key: MarkKey, keys: int) -> NoiseReading:
    plan = _Plan.of(values.size, key)
    aligned = values * plan.pad
    pilots = p_value(_score(aligned[plan.pilots]), keys)
    soft = np.zeros(PAYLOAD_BITS * plan.outputs)
    np.add.at(soft, plan.coded_bit, aligned[plan.payload])
    received = soft.astype(np.float32)
    likely = likeliest(received, plan.outputs, listed(received, plan.outputs))
    matched = [values * plan.signs(bits) for bits in likely]
    # Without the values that carry the key alone, which would speak for a wrong message, too.
    scores = [_score(one[plan.payload]) for one in matched]
    surprise = message_p_value(scores, keys * 2.0**MESSAGE_BITS, _MESSAGE_BELOW)
    # Two ways to be believed, the key alone and both together: each pays for the other.
    alone = min(1.0, 2.0 * pilots)
    if surprise is not None:
        both = min(1.0, 2.0 * joint_p_value(pilots, surprise))
        if both <= PRESENT_BELOW:
            return NoiseReading(
                present=True,
                p_value=min(alone, both),
                message=message_of(likely[0]),
                key_id=key.key_id,
                agreement=float(np.mean(matched[0] > 0)),
            )
    return NoiseReading(
        present=alone <= PRESENT_BELOW,
        p_value=alone,
        key_id=key.key_id if alone <= PRESENT_BELOW else None,
    )


def _score(matched: NDArray[np.float64]) -> float:
    """Return the sum of ``matched`` in its own standard deviations.

    For signs that are fair coin flips, ``P(score >= z) <= exp(-z**2 / 2)`` whatever the values
    (Hoeffding 1963).
    """
    return float(matched.sum()) / max(math.sqrt(float(np.sum(matched**2))), 1e-9)


@dataclass(frozen=True)
class _Plan:
    """What a key makes of a number of values.

    Attributes:
        pad: Keyed signs, float64 (N,) of -1 and 1.
        pilots: Indices of values that carry the key alone.
        payload: Indices of values that carry a coded bit as well.
        coded_bit: Which coded bit each of ``payload`` carries.
        outputs: Coded bits per payload bit.
    """

    pad: NDArray[np.float64]
    pilots: NDArray[np.int64]
    payload: NDArray[np.int64]
    coded_bit: NDArray[np.int64]
    outputs: int

    @classmethod
    def of(cls, size: int, key: MarkKey) -> _Plan:
        """Return the plan for ``size`` values.

        Raises:
            StampError: They are too few.
        """
        pilots = size // _PILOTS
        outputs = min(_OUTPUTS[1], (size - pilots) // PAYLOAD_BITS)
        if outputs < _OUTPUTS[0]:
            raise StampError(
                f"Noise of {size} values is too small for a mark.",
                hint="Make the clip larger or longer.",
            )
        flips = np.unpackbits(_stream(key, b"signs", -(-size // 8)))[:size]
        pad = 1.0 - 2.0 * flips.astype(np.float64)
        places = _stream(key, b"places", 8 * size).view("<u8")
        order = np.argsort(places, kind="stable")
        payload = order[pilots:]
        return cls(
            pad=pad,
            pilots=order[:pilots],
            payload=payload,
            coded_bit=np.arange(len(payload)) % (PAYLOAD_BITS * outputs),
            outputs=outputs,
        )

    def signs(self, bits: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return the signs (N,) that say payload ``bits``."""
        code = 1.0 - 2.0 * encode(bits, self.outputs)
        signs = self.pad.copy()
        signs[self.payload] *= code[self.coded_bit]
        return signs


def _stream(key: MarkKey, purpose: bytes, length: int) -> NDArray[np.uint8]:
    """Return keyed bytes that no version of a library changes (SHAKE-256)."""
    seed = b"vidigree initial noise 2 " + purpose + b" " + key.secret
    return np.frombuffer(hashlib.shake_256(seed).digest(length), np.uint8)
