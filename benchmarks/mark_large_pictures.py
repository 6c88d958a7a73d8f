"""Video Seal's published cases on large clips: coded bits and messages at 48.3 dB.

    python benchmarks/mark_large_pictures.py CLIPS... [--psnr 48.3] [--frames 256] [--filled]

Video Seal 1.0 reads 79.7 % of its bits after H.264 CRF 40, 53.5 % after CRF 50 and 61.3 % after
CRF 30 and a crop to .75 of the edge, on its authors' clip of 1904 x 1080 (256 frames, 48.3 dB; its
repository, notebooks/video_inference.ipynb). Those are 256 bits without error correction; here 64
bits are spread over many weak coded bits, so that shares of right bits compare only at equal
numbers. Every case prints three things: the share of right bits if the carrier's points, as they
were received at the geometry that is known, held 256 raw bits (every raw bit the weighted sum of
the points that would hold it); the share of coded bits that are right; and whether the message is
read by a detector that knows nothing. ``--learned`` takes the learned front end for the first two;
``--filled`` plays shorter clips to and fro until they have as many frames as asked.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.media import open_video
from vidigree.media.frame import Frame
from vidigree.watermark.bench.codecs import coded
from vidigree.watermark.bench.distortions import cropped
from vidigree.watermark.bench.quality import psnr
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.robust import EmbedSettings, RobustMark
from vidigree.watermark.robust.carrier import carrier_of
from vidigree.watermark.robust.geometry import Geometry
from vidigree.watermark.robust.modulation import align, channel_gain, soft_values, symbols_of
from vidigree.watermark.robust.reading import reweighed, try_geometry
from vidigree.watermark.robust.stretches import StretchReader, learned_parts, parts_of, summed

Frames = list[NDArray[np.uint8]]
FPS = Fraction(24)
MESSAGE = 0x5AFE_C11B_0000_0001 | 0x1234 << 16
RAW_BITS = 256
CASES: dict[str, tuple[float, Callable[[Frames], Frames]]] = {
    "none": (1.0, lambda frames: frames),
    "CRF 40": (1.0, lambda frames: coded(frames, "libx264", 40, FPS)),
    "CRF 50": (1.0, lambda frames: coded(frames, "libx264", 50, FPS)),
    "CRF 30 + crop .75": (
        0.75,
        lambda f: cropped(coded(f, "libx264", 30, FPS), 0.75, np.random.default_rng(1)),
    ),
}


def first_frames(path: Path, most: int) -> Frames:
    with open_video(path) as video:
        return [image for _, image in zip(range(most), video.images(), strict=False)]


def to_and_fro(frames: Frames, count: int) -> Frames:
    """Return ``count`` frames of a clip played forwards and backwards in turn."""
    period = [*frames, *frames[-2:0:-1]]
    return [period[index % len(period)] for index in range(count)]


def right_bits(frames: Frames, kept: float, learned: bool) -> tuple[float, float]:
    """Return the shares of right bits, of 256 raw ones and of the coded ones."""
    reader = StretchReader(FPS)
    fed = [reader.feed(Frame(image=image, time=Fraction(0))) for image in frames]
    stretches = [stretch for stretch in (*fed, reader.finish()) if stretch is not None]
    parts = learned_parts(stretches, len(stretches)) if learned else parts_of(stretches)
    carrier = carrier_of(PUBLISHED_KEY)
    geometry = Geometry(scale=(1 / kept, 1 / kept))
    trial = try_geometry(summed(parts), PUBLISHED_KEY, carrier, geometry)
    trial = reweighed(trial, parts)
    aligned = align(trial.spectrum, carrier, trial.lock.shift)
    soft = soft_values(aligned, carrier, channel_gain(aligned, carrier))
    sent = symbols_of(MESSAGE, carrier)[carrier.data]
    agreement = soft * np.sign(np.concatenate([sent.real, sent.imag]))
    # Which points hold which raw bit is drawn by chance, as a code would spread them.
    mixed = np.random.default_rng(1).permutation(agreement)
    raw = np.array([part.sum() for part in np.array_split(mixed, RAW_BITS)])
    return float(np.mean(raw > 0)), float(np.mean(agreement > 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--psnr", type=float, default=48.3)
    parser.add_argument("--frames", type=int, default=256)
    parser.add_argument("--learned", action="store_true", help="measure the learned front end")
    parser.add_argument("--filled", action="store_true", help="play shorter clips to and fro")
    asked = parser.parse_args()
    mark = RobustMark(EmbedSettings(psnr=asked.psnr, weaker_by=0.0, stronger_by=0.0))
    heads = " | ".join(CASES)
    print(f"| clip | size | frames | PSNR | {heads} |\n|---|---|---|---|{'---|' * len(CASES)}")
    for path in asked.clips:
        frames = first_frames(path, asked.frames)
        if asked.filled:
            frames = to_and_fro(frames, asked.frames)
        marked = list(mark.embed(frames, MESSAGE, key=PUBLISHED_KEY, fps=FPS))
        cells = []
        for kept, attack in CASES.values():
            attacked = attack(marked)
            reading = RobustMark().detect(attacked, keys=[PUBLISHED_KEY], fps=FPS)
            raw, code = right_bits(attacked, kept, asked.learned)
            outcome = "read" if reading.message == MESSAGE else "not"
            cells.append(f"{100 * raw:.1f} % ({100 * code:.1f} %), {outcome}")
        height, width = frames[0].shape[:2]
        print(
            f"| {path.name} | {width} x {height} | {len(frames)} | {psnr(frames, marked):.2f} "
            f"| {' | '.join(cells)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
