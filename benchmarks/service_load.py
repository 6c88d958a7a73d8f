"""Whether the service holds parallel uploads without an error, and refuses beyond its queue.

    python benchmarks/service_load.py CLIP [--parallel 8] [--rounds 3] [--flood 48] [--queue 16]

Starts ``vidigree serve`` with a data folder of its own. First, so many clients upload the clip at
the same time, several rounds; all layers are looked at, and a job that takes longer than the
service holds a request open is followed to its end. Then more clients than the queue has places
come at once. Prints a table for docs/reliability.md; ends with code 1 if anything went wrong.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
from serving import MemoryWatch, served


class QueueWatch:
    """The largest number of unfinished jobs that /healthz reports."""

    def __init__(self, url: str) -> None:
        self._url, self._stop = url, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.most, self.answers, self.failures = 0, 0, 0

    def __enter__(self) -> QueueWatch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        with httpx.Client(timeout=10) as http:
            while not self._stop.wait(0.1):
                try:
                    answer = http.get(f"{self._url}/healthz")
                    self.most = max(self.most, answer.json()["unfinished_jobs"])
                    self.answers += 1
                except (httpx.HTTPError, KeyError, ValueError):
                    self.failures += 1


def audit(url: str, clip: bytes) -> tuple[int, float, dict[str, Any]]:
    """Upload, follow to the end; return the first status, the seconds, and the job or error."""
    begun = time.perf_counter()
    with httpx.Client(base_url=url, timeout=120) as http:
        answer = http.post(
            "/v1/audits?name=clip.mp4", content=clip, headers={"Content-Type": "video/mp4"}
        )
        status, job = answer.status_code, answer.json()
        if status == 429:
            job["retry_after"] = answer.headers.get("retry-after")
        while status == 202 and job["state"] not in {"done", "failed"}:
            time.sleep(0.2)
            job = http.get(answer.headers["location"]).json()
    return status, time.perf_counter() - begun, job


def together(url: str, clip: bytes, count: int) -> list[tuple[int, float, dict[str, Any]]]:
    gate = threading.Barrier(count)

    def one(_: int) -> tuple[int, float, dict[str, Any]]:
        gate.wait()
        return audit(url, clip)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--flood", type=int, default=48)
    parser.add_argument("--queue", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    clip = asked.clip.read_bytes()
    options = ("--max-queue", str(asked.queue), "--workers", str(asked.workers))
    options += ("--max-per-address", str(asked.queue))  # all come from this one
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with served(folder, *options, "--per-minute", "100000") as (process, url):
            with MemoryWatch(process.pid) as memory, QueueWatch(url) as queue:
                calm = [
                    row for _ in range(asked.rounds) for row in together(url, clip, asked.parallel)
                ]
                flood = together(url, clip, asked.flood)
            left = [path.name for path in (folder / "home" / "spool").iterdir()]
    done = [row for row in calm if row[2].get("verdict")]
    findings = Counter(row[2]["verdict"]["finding"] for row in done)
    statuses = Counter(row[0] for row in flood)
    refused = [row for row in flood if row[0] == 429]
    served_ = [row for row in flood if row[2].get("verdict")]
    times = sorted(row[1] for row in done)
    rows = [
        ("cores, workers", f"{os.cpu_count()}, {asked.workers}"),
        ("clip", f"{len(clip) / 1e6:.2f} MB"),
        (f"{asked.parallel} parallel uploads, {asked.rounds} rounds: answered", len(done)),
        ("of", len(calm)),
        ("findings", ", ".join(f"{name} {count}" for name, count in findings.items())),
        ("median, slowest answer", f"{statistics.median(times):.1f} s, {times[-1]:.1f} s"),
        (f"{asked.flood} at once on {asked.queue} places: audited", len(served_)),
        ("refused with 429", len(refused)),
        ("... of these with Retry-After", sum(bool(row[2]["retry_after"]) for row in refused)),
        ("other answers", sum(statuses.values()) - len(refused) - len(served_)),
        ("most unfinished jobs seen", queue.most),
        ("health checks answered, failed", f"{queue.answers}, {queue.failures}"),
        ("peak memory, service and workers", f"{memory.peak / 2**20:.0f} MiB"),
        ("uploads left on the disk", len(left) - left.count("spool-id")),
    ]
    for label, value in rows:
        print(f"| {label} | {value} |")
    fine = (
        len(done) == len(calm)
        and len(served_) + len(refused) == len(flood)
        and all(row[2]["retry_after"] for row in refused)
        and queue.most <= asked.queue
        and queue.failures == 0
        and left == ["spool-id"]
    )
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
