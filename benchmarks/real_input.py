"""Stamp ten clips that nobody here made; audit them before, after, and after re-encoding.

Usage: python benchmarks/real_input.py SHARED_DATA [--json FILE]

SHARED_DATA is the folder with ``clips.csv``. Which clips is fixed: the first one of five kinds of
real footage and of five generators that has at least 24 frames and 256 pixels a side. Prints a
Markdown table of them, then one of the signed files in SHARED_DATA/c2pa.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import track

from vidigree.detect import AuditSettings, Verdict, audit
from vidigree.media import VideoWriter, VidigreeError, open_video
from vidigree.watermark import StampSettings, stamp
from vidigree.watermark.credentials import TrustList, TrustSettings, init_identity
from vidigree.watermark.ledger import Ledger

CHOSEN = (
    ("real", "group", "people"),
    ("real", "group", "animals"),
    ("real", "group", "driving"),
    ("real", "group", "sports"),
    ("real", "group", "street"),
    ("synthetic", "origin", "kling"),
    ("synthetic", "origin", "veo3"),
    ("synthetic", "origin", "runway-gen3"),
    ("synthetic", "origin", "open-sora-1.2"),
    ("synthetic", "origin", "framepack"),
)
REENCODE_CRF = 28


def choose(folder: Path) -> list[Path]:
    """Return the ten clips."""
    with (folder / "clips.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    return [
        next(
            folder / "clips" / row["file"]
            for row in rows
            if (row["label"], row[column]) == (label, value)
            and int(row["n_frames"]) >= 24
            and min(int(row["width"]), int(row["height"])) >= 256
        )
        for label, column, value in CHOSEN
    ]


def psnr(first: Path, second: Path) -> float:
    """Return the PSNR in dB over all frames of two files of one size."""
    with open_video(first) as a, open_video(second) as b:
        errors = [
            float(np.mean((one.astype(np.float32) - two) ** 2))
            for one, two in zip(a.images(), b.images(), strict=True)
        ]
    return float(10 * np.log10(255**2 / np.mean(errors)))


def reencode(source: Path, target: Path) -> Path:
    """Encode again without metadata, as a platform does."""
    with open_video(source) as video:
        info = video.info
        size = {"width": info.width, "height": info.height}
        with VideoWriter(target, **size, fps=info.fps, crf=REENCODE_CRF) as out:
            for frame in video:
                out.write(frame.image, frame.time)
    return target


def describe(verdict: Verdict) -> str:
    """Return the finding and the codes of its evidence."""
    return f"**{verdict.finding}**: {', '.join(row.code for row in verdict.evidence)}"


def measure(clip: Path, home: Path, settings: StampSettings, look: AuditSettings) -> dict[str, Any]:
    """Stamp one clip and audit its three forms."""
    stamped = home / f"{clip.stem}-stamped.mp4"
    row: dict[str, Any] = {
        "clip": f"{clip.parent.name}/{clip.name}",
        "original": describe(audit(clip, settings=look)),
    }
    try:
        receipt = stamp(clip, stamped, settings=settings)
    except VidigreeError as error:
        return row | {"stamped": f"refused: {error}"}
    laundered = audit(reencode(stamped, home / f"{clip.stem}-again.mp4"), settings=look)
    return row | {
        "size": f"{receipt.width} x {receipt.height}, {receipt.num_frames} frames",
        "psnr": f"{psnr(clip, stamped):.1f}",
        "stamped": describe(audit(stamped, settings=look)),
        "reencoded": describe(laundered),
        "entry found": f"{receipt.clip_id:016x}" in json.dumps(laundered.to_dict()),
    }


def audit_signed(path: Path) -> str:
    """Audit one signed file of others under the official lists that lie beside it."""
    lists = (
        ("claim", "C2PA-TRUST-LIST.pem"),
        ("tsa", "C2PA-TSA-TRUST-LIST.pem"),
    )
    trust = TrustSettings(
        lists=tuple(
            TrustList(name="c2pa", role=role, anchors=path.with_name(name).read_bytes())
            for role, name in lists
        )
    )
    try:
        return describe(audit(path, settings=AuditSettings(trust=trust)))
    except VidigreeError as error:
        return f"{type(error).__name__}: {error}"


def table(rows: list[dict[str, Any]], columns: list[str]) -> None:
    """Print rows as a Markdown table."""
    click.echo("| " + " | ".join(columns) + " |\n|" + "---|" * len(columns))
    for row in rows:
        click.echo("| " + " | ".join(str(row.get(column, "")) for column in columns) + " |")


@click.command()
@click.argument("shared_data", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Also write JSON here.")
def main(shared_data: Path, json_path: Path | None) -> None:
    """Measure on real input and print the tables."""
    console = Console(stderr=True, quiet=not sys.stderr.isatty())
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        url = f"sqlite:///{home / 'ledger.sqlite3'}"
        settings = StampSettings(identity=init_identity(home), ledger=Ledger.open(url))
        look = AuditSettings(ledger=url)
        rows = [
            measure(clip, home, settings, look)
            for clip in track(choose(shared_data), "Clips", console=console)
        ]
        settings.ledger.close()
    table(rows, ["clip", "size", "psnr", "original", "stamped", "reencoded", "entry found"])
    click.echo()
    with (shared_data / "c2pa" / "files.csv").open(newline="", encoding="utf-8") as stream:
        listed = list(csv.DictReader(stream))
    signed = [
        {
            "file": row["file"],
            "verdict": audit_signed(shared_data / "c2pa" / row["file"]),
            "what files.csv says": row["what it is and what a reader should say"],
        }
        for row in listed
        if row["file"].endswith(".mp4")
    ]
    table(signed, ["file", "verdict", "what files.csv says"])
    if json_path is not None:
        json_path.write_text(json.dumps({"clips": rows, "signed": signed}, indent=2))


if __name__ == "__main__":
    main()
