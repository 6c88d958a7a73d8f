"""How strong the mark must be to be read: the error-correcting code on Gaussian noise.

    python benchmarks/mark_code.py [--trials 40] [--outputs 26] [--seed 1]

Printed for each score of the data points (standard deviations of their normalised correlation with
the codeword): the share of messages read, the share of wrong ones, and seconds a decoding.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from vidigree.watermark.robust import ecc
from vidigree.watermark.robust.payload import message_of, payload_bits

SCORES = (9.0, 9.5, 10.0, 10.5, 11.0, 11.5, 12.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--outputs", type=int, default=26)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    print("| score | read | wrong | s |\n|---|---|---|---|")
    for score in SCORES:
        read = wrong = 0
        began = time.process_time()
        for _ in range(asked.trials):
            message = int.from_bytes(rng.bytes(8), "big")
            sent = 1.0 - 2.0 * ecc.encode(payload_bits(message), asked.outputs)
            noisy = sent * score / np.sqrt(len(sent)) + rng.normal(size=len(sent))
            blocks = ecc.decode(noisy.astype(np.float32), asked.outputs)
            found = next((m for bits in blocks if (m := message_of(bits)) is not None), None)
            read += found == message
            wrong += found is not None and found != message
        each = (time.process_time() - began) / asked.trials
        print(f"| {score} | {read / asked.trials:.2f} | {wrong / asked.trials:.3f} | {each:.3f} |")


if __name__ == "__main__":
    main()
