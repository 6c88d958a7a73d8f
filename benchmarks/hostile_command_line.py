"""Two hundred hostile files through `vidigree audit`: every one must cost one clear error.

    python benchmarks/hostile_command_line.py [--seed 1] [--jobs 2] [--max-seconds 60]
        [--only credentials]

Makes the files in a temporary folder from a clip that it draws itself: mutated, truncated,
bombs, wrong suffixes, absurd sizes, endless streams, nested boxes, hostile names. Audits them in
one run of the command line, and then a good clip beside them. Prints a table by kind:
how many gave an error, a verdict, a traceback, a time-out; and the worst time and memory.

Every file is damaged beyond what a decoder can read whole, so every one must give an error; ends
with code 1 if one gave a verdict. What must never happen besides: a traceback, a lost or doubled
file, a run that dies, a good clip that is not audited.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from vidigree.media import VideoWriter

COMMAND = (sys.executable, "-P", "-m", "vidigree.cli", "audit")


def good_clip(path: Path) -> bytes:
    random_state = np.random.default_rng(0)
    texture = random_state.integers(0, 255, (144, 192, 3)).astype(np.uint8)
    with VideoWriter(path, width=160, height=128, fps=Fraction(12)) as writer:
        for frame in range(24):
            writer.write(np.ascontiguousarray(texture[frame % 8 :, frame:][:128, :160]))
    return path.read_bytes()


def box(name: bytes, body: bytes) -> bytes:
    return (len(body) + 8).to_bytes(4, "big") + name + body


def nested(depth: int) -> bytes:
    body = b""
    for _ in range(depth):
        body = box(b"moov", body)
    return box(b"ftyp", b"isom\0\0\2\0isomiso2") + body


def gif(width: int, height: int, frames: int) -> bytes:
    head = b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\x80\0\0"
    head += b"\0\0\0\xff\xff\xff"
    image = b"," + bytes(4) + (1).to_bytes(2, "little") * 2 + b"\0\x02\x02D\x01\0"
    return head + image * frames + b";"


def png(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        check = zlib.crc32(name + body).to_bytes(4, "big")
        return len(body).to_bytes(4, "big") + name + body + check

    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data = zlib.compress(bytes(1000), 9)
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size + b"\x08\x02\0\0\0")
    return head + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def with_size(data: bytes, width: int, height: int) -> bytes:
    """Write another size into the sample description (avc1: at 24 bytes after the name).

    The codec's own parameters say the right size; they are overwritten.
    """
    at = data.index(b"avc1", data.index(b"stsd")) + 4 + 24
    size = width.to_bytes(2, "big") + height.to_bytes(2, "big")
    data = data[:at] + size + data[at + 4 :]
    at = data.index(b"avcC") + 4
    return data[: at + 8] + b"\xff" * 24 + data[at + 32 :]


def with_counts(data: bytes, table: bytes, count: int) -> bytes:
    """Write a count into a table, and nonsense over its entries: readers cut counts down."""
    at = data.index(table) + 8
    data = data[:at] + count.to_bytes(4, "big") + data[at + 4 :]
    return data[: at + 4] + b"\x7f" * 24 + data[at + 28 :]


def hostile_files(  # noqa: C901 - a list, not a decision
    good: bytes, choose: random.Random
) -> list[tuple[str, str, bytes]]:
    """Return kind, name and content of two hundred files."""
    files: list[tuple[str, str, bytes]] = []

    def add(kind: str, data: bytes, suffix: str = ".mp4", name: str = "") -> None:
        files.append((kind, name or f"{kind.replace(' ', '-')}-{len(files):03}{suffix}", data))

    for _ in range(50):
        data = bytearray(good)
        for _ in range(choose.choice((500, 2000, 8000))):
            data[choose.randrange(len(data))] = choose.randrange(256)
        add("mutated", bytes(data))
    moov = good.index(b"moov")
    for _ in range(30):
        data = bytearray(good)
        for _ in range(choose.choice((100, 400, 800))):
            data[moov + choose.randrange(800)] = choose.randrange(256)
        add("mutated index", bytes(data))
    for part in range(1, 31):
        add("truncated", good[: len(good) * part // 31])
    for suffix in (".mp4", ".mkv", ".avi", ".mov", ".webm", ".gif", ".ts", ".mpg", ".ogv", ".flv"):
        add("noise", choose.randbytes(20_000), suffix)
        add("text", b"#EXTM3U\n/etc/passwd\nhttp://127.0.0.1/\n" * 40, suffix)
        add("zeros", bytes(20_000), suffix)
    for depth in (10, 100, 1000, 5000, 20_000):
        add("nested boxes", nested(depth))
    sizes = ((0, 0), (1, 1), (65535, 65535), (10_000, 10_000), (65535, 1), (0, 480), (16385, 64))
    for width, height in sizes:
        add("absurd size", with_size(good, width, height))
    for width, height in ((65535, 65535), (1, 1), (10_000, 10_000), (30_000, 2)):
        add("gif bomb", gif(width, height, 5000), ".gif")
        add("png named mp4", png(width, height))
    for table in (b"stsz", b"stco", b"stts", b"stsc"):
        for count in (0, 0x7FFFFFFF, 0xFFFFFFFF):
            if table in good:
                add("absurd table", with_counts(good, table, count))
    add("endless stream", b"\0\0\1\xb3" + b"\x2d\x01\xe0\x24\x0a\x1e\x23\x80" * 200_000, ".mpg")
    add("endless stream", b"FLV\1\5\0\0\0\x09" + bytes(4_000_000), ".flv")
    add("endless stream", (b"\x47\x40\x11\x10" + bytes(184)) * 20_000, ".ts")
    add("playlist", b"ffconcat version 1.0\nfile /etc/passwd\n")
    add("playlist", b"#EXTM3U\n#EXTINF:1,\nhttp://169.254.169.254/\n")
    add("image", b"\xff\xd8\xff\xe0" + choose.randbytes(2000))
    add("document", b"%PDF-1.7\n" + choose.randbytes(2000))
    add("archive", b"PK\3\4" + choose.randbytes(2000))
    add("program", b"\x7fELF" + choose.randbytes(2000))
    add("page", b"<html><script>alert(1)</script></html>" * 30)
    add("index alone", good[: good.index(b"mdat") - 4])
    add("extra start", good[:32] * 500 + good)
    for name in ("-rf.mp4", "a\nb.mp4", "=cmd().mp4", "<script>.mp4", "né 视频 🎬.mp4", "%s%n.mp4"):
        add("hostile name", b"no video " * 30, name=name)
    while len(files) < 200:
        data = bytearray(good)
        for _ in range(400):
            at = choose.randrange(len(data) - 4)
            data[at : at + 4] = choose.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\1"))
        add("mutated length", bytes(data))
    return files[:200]


def tally(
    rows: list[dict[str, Any]], kinds: dict[str, str]
) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """Return errors, verdicts and limits by kind of file, and how often each answer was given."""
    table: dict[str, Counter[str]] = {}
    said: Counter[str] = Counter()
    for row in rows:
        kind = table.setdefault(kinds[row["file"]], Counter())
        if "error" in row:
            kind["errors"] += 1
            message = row["error"]["message"]
            assert "\n" not in message.replace("\\n", "")[len(row["file"]) :], message
            said[row["error"]["kind"]] += 1
            if "takes longer" in message or "brought the decoder down" in message:
                kind["stopped"] += 1
        else:
            kind["verdicts"] += 1
            said[row["finding"]] += 1
    return table, said


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--max-seconds", type=int, default=60)
    parser.add_argument("--only", action="append", default=[])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "hostile"
        folder.mkdir()
        good = good_clip(folder / "good.mp4")
        files = hostile_files(good, random.Random(arguments.seed))
        for _, name, data in files:
            (folder / name).write_bytes(data)
        kinds = {str(folder / name): kind for kind, name, _ in files}
        kinds[str(folder / "good.mp4")] = "a good clip"
        assert len(kinds) == 201
        names = Path(scratch) / "names.jsonl"
        names.write_text("".join(json.dumps({"file": name}) + "\n" for name in kinds))
        only = [part for layer in arguments.only for part in ("--only", layer)]
        limit = ["--max-seconds", str(arguments.max_seconds), "--jobs", str(arguments.jobs)]
        before = time.monotonic()
        done = subprocess.run(
            [*COMMAND, str(names), "--json", *limit, *only],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"VIDIGREE_HOME": str(Path(scratch) / "home")},
        )
        seconds = time.monotonic() - before
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    seen = Counter(row["file"] for row in rows)
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    lost = [name for name in kinds if seen[name] != 1]
    assert not lost, f"{len(lost)} lost or doubled, the first {lost[0]!r}: {done.stderr[-500:]}"
    table, said = tally(rows, kinds)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print("| kind | files | errors | verdicts | stopped by a limit |")
    print("|---|---|---|---|---|")
    for kind, counts in table.items():
        total = counts["errors"] + counts["verdicts"]
        print(
            f"| {kind} | {total} | {counts['errors']} | {counts['verdicts']}"
            f" | {counts['stopped']} |"
        )
    print()
    print("answers:", ", ".join(f"{count} {name}" for name, count in said.most_common()))
    print(f"exit code {done.returncode}, {seconds:.0f} s, largest process {peak:.0f} MiB")
    verdicts = sum(counts["verdicts"] for kind, counts in table.items() if kind != "a good clip")
    return 1 if verdicts or not table["a good clip"]["verdicts"] else 0


if __name__ == "__main__":
    sys.exit(main())
