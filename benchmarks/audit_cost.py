"""What an audit costs: time per layer against decoding, and memory against length.

    OMP_NUM_THREADS=1 python benchmarks/audit_cost.py [--seconds 10] [--minutes 10]
    OMP_NUM_THREADS=1 python benchmarks/audit_cost.py --only-memory --minutes 60

Draws a moving texture, stamps it as a generator would, and measures on one thread, wall clock and
CPU time, the least of --runs: decoding alone, without converting the frames to RGB and with;
the credentials of the file; credentials, mark and ledger of a stamped clip and of the clip before
it was stamped; the whole verdict of both, each against decoding that very clip; and the load of the
machine before and after. Then the largest memory of an audit of one minute and of --minutes at
1280 x 720, of a smooth picture in slow motion.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2
import numpy as np

from vidigree.detect import AuditSettings, audit
from vidigree.detect.pixels import PixelPass
from vidigree.media import VideoWriter, open_video
from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import init_identity
from vidigree.watermark.stamp import StampSettings, stamp

MEMORY = """
import resource, sys
from vidigree.detect import audit
verdict = audit(sys.argv[1])
print(verdict.finding.value, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def draw(
    path: Path, width: int, height: int, seconds: float, *, fps: int = 25, noise: float = 6
) -> Path:
    state = np.random.default_rng(3)
    texture = np.zeros((height, width + 512, 3), np.float32)
    for side in (8, 24, 96) if noise else (8,):
        coarse = state.normal(0, 30, (side, side * 2, 3)).astype(np.float32)
        texture += cv2.resize(coarse, (width + 512, height), interpolation=cv2.INTER_CUBIC)
    image = np.clip(128 + texture + state.normal(0, noise, texture.shape), 0, 255).astype(np.uint8)
    with VideoWriter(path, width=width, height=height, fps=Fraction(fps), preset="veryfast") as out:
        for frame in range(round(seconds * fps)):
            shift = round(256 + 250 * np.sin(frame / 40))
            out.write(np.ascontiguousarray(image[:, shift : shift + width]))
    return path


def repeated(source: Path, target: Path, times: int) -> Path:
    """Join a clip with itself without encoding it again."""
    import av

    with av.open(str(source)) as one, av.open(str(target), "w") as many:
        stream = many.add_stream_from_template(one.streams.video[0])
        length = one.streams.video[0].duration or 0
        for turn in range(times):
            one.seek(0)
            for packet in one.demux(video=0):
                if packet.dts is None:
                    continue
                packet.pts = (packet.pts or 0) + turn * length
                packet.dts += turn * length
                packet.stream = stream
                many.mux(packet)
    return target


def decode(path: Path, *, convert: bool) -> None:
    with open_video(path) as reader:
        for frame in reader:
            if convert:
                _ = frame.image


def measured(label: str, work: Callable[[], object], base: float = 0.0, *, times: int = 3) -> float:
    """Print the least of several runs: what other programs take away is not the work's own cost."""
    runs = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        runs.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu, wall = min(run[0] for run in runs), min(run[1] for run in runs)
    share = f"{cpu / base:.2f}" if base else ""
    finding = getattr(result, "finding", "")
    print(f"| {label} | {wall:.3f} | {cpu:.3f} | {share} | {finding} |", flush=True)
    return cpu


def without_where(path: Path) -> Any:
    """Audit a clip as if the classifier found nothing in it whose place it had to look for."""
    whole = PixelPass.classification
    with patch.object(PixelPass, "classification", lambda self, **_: whole(self, where=False)):
        return audit(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=1920)
    parser.add_argument("--height", type=int, default=1080)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only-provenance", action="store_true")
    parser.add_argument("--only-memory", action="store_true")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["VIDIGREE_HOME"] = str(folder / "home")
        if arguments.only_memory:
            memory(folder, arguments.minutes)
            return
        init_identity()
        size = (arguments.width, arguments.height)
        plain = draw(folder / "plain.mp4", *size, arguments.seconds)
        stamped = folder / "stamped.mp4"
        settings = StampSettings.load(preset="veryfast")
        stamp(plain, stamped, settings=settings, origin=Origin(synthetic=True))
        megabytes = stamped.stat().st_size / 1e6
        timed = partial(measured, times=arguments.runs)
        print(f"{size[0]} x {size[1]}, {arguments.seconds:g} s, {megabytes:.1f} MB, one thread")
        print(f"load average {os.getloadavg()[0]:.1f}\n")
        print("| | wall s | CPU s | x decoding | finding |\n|---|---|---|---|---|")
        # The first audit in a process pays for imports and models.
        audit(draw(folder / "first.mp4", 320, 256, 2))
        base = timed("stamped: decoding alone", lambda: decode(stamped, convert=False))
        timed("stamped: decoding alone, to RGB", lambda: decode(stamped, convert=True), base)
        only = AuditSettings(layers=("credentials",))
        provenance = AuditSettings(layers=("credentials", "mark", "ledger"))
        timed("stamped: credentials alone", lambda: audit(stamped, settings=only), base)
        timed(
            "stamped: credentials, mark and ledger",
            lambda: audit(stamped, settings=provenance),
            base,
        )
        if arguments.only_provenance:
            return
        timed("stamped: whole verdict without where", lambda: without_where(stamped), base)
        timed("stamped: whole verdict", lambda: audit(stamped), base)
        # It holds less to decode: the mark costs bits.
        base = timed("not stamped: decoding alone", lambda: decode(plain, convert=False))
        timed(
            "not stamped: credentials, mark and ledger",
            lambda: audit(plain, settings=provenance),
            base,
        )
        timed("not stamped: whole verdict without where", lambda: without_where(plain), base)
        timed("not stamped: whole verdict", lambda: audit(plain), base)
        print(f"\nload average {os.getloadavg()[0]:.1f}")
        if arguments.minutes:
            memory(folder, arguments.minutes)


def memory(folder: Path, minutes: int) -> None:
    short = draw(folder / "short.mp4", 1280, 720, 10, noise=0)
    print("\n| 1280 x 720, minutes | finding | largest memory, MiB | wall s |\n|---|---|---|---|")
    for length in sorted({1, minutes}):
        path = repeated(short, folder / f"{length}.mp4", 6 * length)
        before = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True
        )
        finding, peak = done.stdout.split()
        print(f"| {length} | {finding} | {peak} | {time.perf_counter() - before:.0f} |", flush=True)
        path.unlink()


if __name__ == "__main__":
    main()
