"""How many clips a minute one process, several, and a local Ray cluster audit.

    OMP_NUM_THREADS=1 python benchmarks/batch_scaling.py CLIP [--clips 16] [--jobs 1 2] [--cluster]

Audits copies of one clip with all layers, in one run of the command line each, and prints wall
clock and clips a minute. Starting processes is counted.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMMAND = (sys.executable, "-P", "-m", "vidigree.cli", "audit")


def measure(folder: Path, options: list[str]) -> tuple[float, int]:
    before = time.perf_counter()
    done = subprocess.run(
        [*COMMAND, str(folder), "--json", *options], capture_output=True, text=True, check=False
    )
    return time.perf_counter() - before, len(done.stdout.splitlines())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cluster", action="store_true")
    arguments = parser.parse_args()
    ways = {f"--jobs {jobs}": ["--jobs", str(jobs)] for jobs in arguments.jobs}
    if arguments.cluster:
        ways["--cluster local"] = ["--cluster", "local"]
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(arguments.clips):
            shutil.copy(arguments.clip, Path(scratch) / f"{number:03}.mp4")
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {arguments.clips} clips\n")
        print("| | answers | wall s | clips a minute |\n|---|---|---|---|")
        for name, options in ways.items():
            seconds, answers = measure(Path(scratch), options)
            print(f"| `{name}` | {answers} | {seconds:.1f} | {60 * answers / seconds:.0f} |")


if __name__ == "__main__":
    main()
