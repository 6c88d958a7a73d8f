"""How strong the mark must be to be read: the error-correcting code on Gaussian noise.

    python benchmarks/mark_code.py [--trials 40] [--outputs 26] [--seed 1] [--scores 10.5 11]

Printed for each score of the data points (standard deviations of their normalised correlation with
the codeword): the share of messages read and of wrong ones, as the detector believes them, the
share of wrong ones if every message that the checksum agrees with were believed, and seconds a
decoding.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.robust import ecc
from vidigree.watermark.robust.payload import message_of, payload_bits
from vidigree.watermark.robust.reading import message_p_value
from vidigree.watermark.robust.rivals import likeliest

SCORES = (9.0, 9.5, 10.0, 10.5, 11.0, 11.5, 12.0)


def correlation(received: NDArray[np.float64], bits: NDArray[np.uint8], outputs: int) -> float:
    """Return the normalised correlation with a codeword, as the detector has it."""
    sent = 1.0 - 2.0 * ecc.encode(bits, outputs)
    return float(received @ sent) / float(np.sqrt(np.sum(received**2)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--outputs", type=int, default=26)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scores", type=float, nargs="+", default=SCORES)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    print("| score | read | wrong | wrong by checksum alone | s |\n|---|---|---|---|---|")
    for score in asked.scores:
        read = wrong = unruled = 0
        began = time.process_time()
        for _ in range(asked.trials):
            message = int.from_bytes(rng.bytes(8), "big")
            sent = 1.0 - 2.0 * ecc.encode(payload_bits(message), asked.outputs)
            noisy = sent * score / np.sqrt(len(sent)) + rng.normal(size=len(sent))
            valid = likeliest(noisy.astype(np.float32), asked.outputs)
            right = bool(valid) and message_of(valid[0]) == message
            unruled += bool(valid) and not right
            scores = [correlation(noisy, bits, asked.outputs) for bits in valid]
            if message_p_value(scores, 1, np.hypot(*np.split(noisy, 2))) is not None:
                read += right
                wrong += not right
        each = (time.process_time() - began) / asked.trials
        shares = " | ".join(f"{count / asked.trials:.4g}" for count in (read, wrong, unruled))
        print(f"| {score} | {shares} | {each:.3f} |")


if __name__ == "__main__":
    main()
