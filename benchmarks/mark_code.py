"""How strong the mark must be to be read: the error-correcting code on Gaussian noise.

    python benchmarks/mark_code.py [--trials 40] [--paths 131072] [--seed 1] [--scores 10.5 11]

Printed for each score of the data points (standard deviations of their normalised correlation with
the codeword): the share of messages read and of wrong ones, as the detector believes them wherever
the tile starts, the share of wrong ones if every message that the checksum agrees with were
believed, the shares read and wrong where only messages count whose tile starts where this one does,
and seconds a decoding. What the pilot must add is not asked here.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import ecc
from vidigree.watermark.robust.carrier import TILE
from vidigree.watermark.robust.decision import message_p_value
from vidigree.watermark.robust.origin import PLACES, at_its_place
from vidigree.watermark.robust.payload import MESSAGE_BITS, message_of, nonce_of, payload_bits
from vidigree.watermark.robust.rivals import likeliest, listed

# Geometries of a picture that is not scaled.
LOOKED = 8
SCORES = (9.0, 9.5, 10.0, 10.5, 11.0, 11.5, 12.0)


def correlation(received: NDArray[np.float64], bits: NDArray[np.uint8], outputs: int) -> float:
    """Return the normalised correlation with a codeword, as the detector has it."""
    sent = 1.0 - 2.0 * ecc.encode(bits, outputs)
    return float(received @ sent) / float(np.sqrt(np.sum(received**2)))


def first_in_place(candidates: NDArray[np.uint8], sent: int) -> NDArray[np.uint8] | None:
    """Return the likeliest candidate whose tile starts where that of the message sent does."""
    x, y = nonce_of(sent, PUBLISHED_KEY)
    for bits in candidates:
        message = message_of(bits)
        if message is not None and at_its_place(message, PUBLISHED_KEY, (x * TILE, y * TILE)):
            return bits
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--paths", type=int, default=ecc.PATHS, help="that the decoder follows")
    parser.add_argument("--outputs", type=int, default=26)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scores", type=float, nargs="+", default=SCORES)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    print("| score | read | wrong | wrong by checksum alone | in place: read | wrong | s |")
    print("|---" * 7 + "|")
    for score in asked.scores:
        read = wrong = unruled = placed = misplaced = 0
        began = time.process_time()
        for _ in range(asked.trials):
            message = int.from_bytes(rng.bytes(8), "big")
            sent = 1.0 - 2.0 * ecc.encode(payload_bits(message), asked.outputs)
            noisy = sent * score / np.sqrt(len(sent)) + rng.normal(size=len(sent))
            soft = noisy.astype(np.float32)
            candidates = listed(soft, asked.outputs, asked.paths)
            valid = likeliest(soft, asked.outputs, candidates)
            right = bool(valid) and message_of(valid[0]) == message
            unruled += bool(valid) and not right
            scores = [correlation(noisy, bits, asked.outputs) for bits in valid]
            moduli = np.hypot(*np.split(noisy, 2))
            if message_p_value(scores, 2.0**MESSAGE_BITS, moduli) is not None:
                read += right
                wrong += not right
            here = first_in_place(candidates, message)
            if here is not None:
                scores = [correlation(noisy, here, asked.outputs)]
                if message_p_value(scores, LOOKED * 2.0**MESSAGE_BITS / PLACES, moduli) is not None:
                    placed += message_of(here) == message
                    misplaced += message_of(here) != message
        each = (time.process_time() - began) / asked.trials
        counts = (read, wrong, unruled, placed, misplaced)
        shares = " | ".join(f"{count / asked.trials:.4g}" for count in counts)
        print(f"| {score} | {shares} | {each:.3f} |")


if __name__ == "__main__":
    main()
