"""Measure the families and the renderer on held-out captions; write their card and its pictures.

Draw the clips and train the reader first (docs/generate.md), then run from the repository root::

    python benchmarks/families.py docs --held-out FOLDER --reader FOLDER/reader.safetensors

Sheets are pictures for a page, too small and too few to be clips, so they carry no mark; clips
leave through ``vidigree generate`` only.
"""

from __future__ import annotations

import argparse
import resource
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.generate import ClipRequest, RequestWarning, engine_registry
from vidigree.generate.engines.families.native import FRAMES, SIDE
from vidigree.generate.engines.families.weights import shipped_weights
from vidigree.generate.training import CaptionedClip, ClipFolder, open_clips
from vidigree.generate.training.captions import caption_words
from vidigree.generate.training.nano.distance import frechet_distance
from vidigree.generate.training.nano.reader import QUESTIONS, Reader, answers_of

ENGINES = ("render", "autoregressive", "vae", "gan", "flow-gan")
SHEET_CLIPS, SHEET_FRAMES = 6, 6
# Fewer clips have no Frechet distance worth a figure.
FEWEST = 64
ASKED = (*QUESTIONS, "left or right")


@dataclass
class Row:
    """What was measured of one engine."""

    engine: str
    accuracy: dict[str, float]
    distance: float
    flicker: float
    seconds: float
    clips: int


def draw(engine: str, clip: CaptionedClip, number: int) -> tuple[NDArray[np.uint8], float]:
    """Return a clip for a caption (24, 64, 64, 3), and the CPU seconds it took."""
    request = ClipRequest(
        prompt=clip.caption, engine=engine, width=SIDE, height=SIDE, num_frames=FRAMES, fps=12,
        seed=number,
    )  # fmt: skip
    began = time.process_time()
    made = engine_registry.get(engine)().generate(request)
    frames = np.stack(list(made.frames))
    return frames, time.process_time() - began


def accuracy(read: list[dict[str, str]], right: list[dict[str, str]]) -> dict[str, float]:
    """Return the share of right answers to each question."""
    shares = {q: share([a[q] == b[q] for a, b in zip(read, right, strict=True)]) for q in QUESTIONS}
    pairs = [(a["motion"], b["motion"]) for a, b in zip(read, right, strict=True)]
    ways = ("travel left", "travel right")
    shares["left or right"] = share([a == b for a, b in pairs if b in ways])
    return shares


def share(hits: list[bool]) -> float:
    return float(np.mean(hits)) if hits else float("nan")


def commonest(right: list[dict[str, str]]) -> dict[str, float]:
    """Return what the same answer for every clip would score."""
    scores = {}
    for question in QUESTIONS:
        counts = np.unique([row[question] for row in right], return_counts=True)[1]
        scores[question] = float(counts.max() / counts.sum())
    ways = [r["motion"] for r in right if r["motion"] in ("travel left", "travel right")]
    counts = np.unique(ways, return_counts=True)[1]
    return {**scores, "left or right": float(counts.max() / counts.sum())}


def flicker(clips: NDArray[np.uint8]) -> float:
    """Return the median over pixels of the change from frame to frame, averaged over clips."""
    change = np.abs(np.diff(clips.astype(np.int16), axis=1)).mean(axis=-1)
    return float(np.median(change.reshape(len(clips), -1), axis=1).mean())


def measure(engine: str, held: ClipFolder, count: int, reader: Reader) -> tuple[Row, Any]:
    """Draw and read ``count`` clips of one engine."""
    made, seconds = [], []
    for number in range(count):
        frames, took = draw(engine, held.clips[number], number)
        made.append(frames)
        seconds.append(took)
    clips = np.stack(made)
    answers, features = reader.read(clips)
    drawn = np.asarray(held.frames[:count, :FRAMES])
    right = [answers_of(clip) for clip in held.clips[:count]]
    row = Row(
        engine,
        accuracy(answers, right),
        frechet_distance(features, reader.read(drawn)[1]),
        flicker(clips),
        float(np.median(seconds)),
        count,
    )
    print(row)
    return row, clips


def sheet(clips: NDArray[np.uint8], path: Path) -> None:
    """Write some frames of some clips, one clip a row, enlarged twice."""
    times = np.linspace(0, FRAMES - 1, SHEET_FRAMES).round().astype(int)
    rows = [np.hstack(list(clip[times])) for clip in clips[:SHEET_CLIPS]]
    large = cv2.resize(np.vstack(rows), None, fx=2, fy=2, interpolation=cv2.INTER_LANCZOS4)
    cv2.imwrite(str(path), large[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])


def started_from(engine: str, held: ClipFolder, folder: Path) -> NDArray[np.uint8]:
    """Return three clips of an engine that start from drawn stills, under their captions."""
    made = []
    for number in range(SHEET_CLIPS // 2):
        caption = held.clips[number].caption
        source = folder / "source.png"
        cv2.imwrite(str(source), np.ascontiguousarray(held.frames[number, 0, ..., ::-1]))
        request = ClipRequest(
            prompt=caption, engine=engine, width=SIDE, height=SIDE, seed=number, image=source
        )
        made.append(np.stack(list(engine_registry.get(engine)().generate(request).frames)))
        source.unlink()
    return np.stack(made)


def percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def table(rows: list[Row], drawn: dict[str, float], chance: dict[str, float]) -> list[str]:
    head = "| | " + " | ".join(ASKED) + " | Frechet | flicker | s per clip | clips |"
    lines = [head, "|---" * (len(ASKED) + 5) + "|"]
    for row in rows:
        cells = [percent(row.accuracy[q]) for q in ASKED]
        distance = f"{row.distance:.0f}" if row.clips >= FEWEST else "too few"
        cells += [distance, f"{row.flicker:.2f}", f"{row.seconds:.2f}", str(row.clips)]
        lines.append(f"| `{row.engine}` | " + " | ".join(cells) + " |")
    for name, scores in (("the set's own clips", drawn), ("always the commonest", chance)):
        lines.append(f"| {name} | " + " | ".join(percent(scores[q]) for q in ASKED) + " | | | | |")
    return lines


def training_table() -> list[str]:
    lines = [
        "| weights | networks | parameters | file | steps | CPU minutes | seed | last losses |",
        "|---" * 8 + "|",
    ]
    for family in ("codec", "captions", *ENGINES[1:]):
        weights = shipped_weights(family)
        count = sum(v.numel() for state in weights.networks.values() for v in state.values())
        facts = weights.facts
        losses = ", ".join(f"{name} {value:.3f}" for name, value in facts["losses"].items())
        size = Path(__file__).parent.parent / "generate/engines/families/weights"
        megabytes = (size / f"{family}.safetensors").stat().st_size / 1e6
        lines.append(
            f"| `{family}` | {', '.join(weights.networks)} | {count / 1e6:.2f} M"
            f" | {megabytes:.1f} MB | {facts['step']:,} | {facts['seconds'] / 60:.1f}"
            f" | {facts['seed']} | {losses} |"
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("docs", type=Path, help="folder of the documentation")
    parser.add_argument("--held-out", type=Path, required=True, help="clips of held-out facts")
    parser.add_argument("--reader", type=Path, required=True, help="checkpoint of the reader")
    parser.add_argument("--count", type=int, default=64, help="captions")
    parser.add_argument("--slow-count", type=int, default=64, help="captions for autoregressive")
    asked = parser.parse_args()
    warnings.simplefilter("ignore", RequestWarning)
    cv2.setNumThreads(1)
    held, reader = open_clips(asked.held_out), Reader(asked.reader)
    pictures = asked.docs / "families"
    pictures.mkdir(exist_ok=True)
    rows = []
    for engine in ENGINES:
        count = asked.slow_count if engine == "autoregressive" else asked.count
        row, clips = measure(engine, held, count, reader)
        rows.append(row)
        sheet(clips, pictures / f"{engine}.jpg")
    for engine in ("flow-gan", "autoregressive"):
        sheet(started_from(engine, held, pictures), pictures / f"{engine}-from-still.jpg")
    right = [answers_of(clip) for clip in held.clips[: asked.count]]
    drawn = accuracy(reader.read(np.asarray(held.frames[: asked.count, :FRAMES]))[0], right)
    minutes = [shipped_weights(name).facts["seconds"] / 60 for name in ENGINES[1:]]
    text = CARD.format(
        least=min(minutes),
        most=max(minutes),
        measured="\n".join(table(rows, drawn, commonest(right))),
        training="\n".join(training_table()),
        captions="\n".join(f"{n}. {c.caption}" for n, c in enumerate(held.clips[:SHEET_CLIPS], 1)),
        words=", ".join(caption_words()),
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    (asked.docs / "families.md").write_text(text, encoding="utf-8")


CARD = (Path(__file__).parent / "families_card.md").read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
