"""How strong the mark must be to be read: the whole decision on Gaussian noise.

    python benchmarks/mark_code.py [--trials 40] [--pilot 0.5] [--seed 1] [--scores 10 10.5]

Draws what a detector receives of a mark in white noise, fine waves weaker as codecs leave them, at
the shift that key and message give, and decides as the detector does of an upright picture at the
first look. Printed for each strength: the mean score of the data points as mark_score.py has it
(standard deviations of their correlation with the codeword, weighted as the detector does), the
share of messages read and of wrong ones where the picture may have been cut anywhere, the same
where it may be whole, so that the place of the tile counts, and the seconds both took. The pilot
scores --pilot times as much as the codeword; codecs leave about half.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust.budget import Look, share_of
from vidigree.watermark.robust.carrier import TILE, Carrier, carrier_of
from vidigree.watermark.robust.decision import decode_trial
from vidigree.watermark.robust.geometry import UNSCALED
from vidigree.watermark.robust.modulation import align, channel_gain, symbols_of
from vidigree.watermark.robust.payload import nonce_of
from vidigree.watermark.robust.reading import Trial, codeword_score
from vidigree.watermark.robust.sync import find_shift

# Cycles per carrier pixel at which a wave is left with 1 / e of its amplitude.
REACH = 0.13
SCORES = (9.5, 10.0, 10.5, 11.0, 11.5, 12.0, 13.0)


def received(
    message: int, score: float, pilot: float, carrier: Carrier, rng: np.random.Generator
) -> Trial:
    """Draw the spectrum of a marked picture in noise, and lock on its pilot."""
    symbols = symbols_of(message, carrier) * np.exp(-((carrier.radii / REACH) ** 2))
    for points, wanted in ((carrier.data, score), (carrier.pilots, pilot * score)):
        symbols[points] *= wanted / np.sqrt(2.0 * np.sum(np.abs(symbols[points]) ** 2))
    turns = carrier.waves @ (np.array(nonce_of(message, PUBLISHED_KEY)))
    noise = rng.normal(size=(2, len(symbols))) / np.sqrt(2.0)
    sent = symbols * carrier.phases * np.exp(-2j * np.pi * turns)
    spectrum = (sent + noise[0] + 1j * noise[1]).astype(np.complex64)
    return Trial(
        key=PUBLISHED_KEY,
        carrier=carrier,
        geometry=UNSCALED[0],
        lock=find_shift(spectrum, carrier),
        spectrum=spectrum,
    )


def score_of(trial: Trial, message: int) -> float:
    """Return the score of the data points at the shift that key and message give."""
    x, y = nonce_of(message, PUBLISHED_KEY)
    aligned = align(trial.spectrum, trial.carrier, (x * TILE, y * TILE))
    gain = channel_gain(aligned, trial.carrier)
    return codeword_score(aligned, symbols_of(message, trial.carrier), trial.carrier, gain)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--pilot", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scores", type=float, nargs="+", default=SCORES)
    asked = parser.parse_args()
    rng, carrier = np.random.default_rng(asked.seed), carrier_of(PUBLISHED_KEY)
    share = share_of(1, Look.AS_IT_IS)
    print("| score | cut: read | wrong | whole: read | wrong | s |")
    print("|---" * 6 + "|")
    for score in asked.scores:
        counts, seen = np.zeros(4, int), 0.0
        began = time.process_time()
        for _ in range(asked.trials):
            message = int.from_bytes(rng.bytes(8), "big")
            trial = received(message, score, asked.pilot, carrier, rng)
            seen += score_of(trial, message) / asked.trials
            for column, whole in ((0, False), (2, True)):
                found = decode_trial(trial, len(UNSCALED), 1, share, whole=whole).message
                counts[column] += found == message
                counts[column + 1] += found not in (None, message)
        each = (time.process_time() - began) / asked.trials
        shares = " | ".join(f"{count / asked.trials:.4g}" for count in counts)
        print(f"| {seen:.1f} | {shares} | {each:.3f} |", flush=True)


if __name__ == "__main__":
    main()
