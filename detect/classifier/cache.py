"""Canonical windows kept on disk, so that a change of features does not decode every clip again."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import astuple, fields
from pathlib import Path
from typing import IO, Any

import numpy as np

from vidigree.detect.classifier.cache_files import read_cached, write_cached
from vidigree.detect.classifier.canonical import (
    RECIPE_ID,
    WINDOW_FRAMES,
    CanonicalWindow,
    canonical_windows,
)
from vidigree.detect.classifier.dataset import LabelledClip, file_sha256
from vidigree.detect.classifier.geometry import bounded
from vidigree.detect.classifier.laundering import (
    ALIGNED_PREFIX,
    DRAW_PREFIX,
    LAUNDERINGS,
    draw_aligned,
    draw_laundering,
    launder,
)
from vidigree.detect.classifier.quality import Quality
from vidigree.detect.classifier.regions import REGIONS_VERSION, Region, pasted_rectangle
from vidigree.detect.classifier.sampling import nearest_frames
from vidigree.media.frame import Frame
from vidigree.media.reading import VideoReader, open_video

__all__ = ["TRAINING_SECONDS", "WindowCache"]

_MEASURES = tuple(field.name for field in fields(Quality))

TRAINING_SECONDS = 6
"""Training and evaluation look at this much of a clip, so that long clips do not dominate."""


class WindowCache:
    """Canonical windows of labelled clips, by file hash, recipe and laundering.

    Args:
        folder: Where the files go; made when needed. Keep it outside any repository.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def windows(self, clip: LabelledClip, laundering: str) -> list[CanonicalWindow]:
        """Return the first windows of a clip after a laundering, from disk if they are there.

        Args:
            clip: The clip.
            laundering: A key of LAUNDERINGS; ``draw-N`` for the clip's Nth random draw; or
                ``aligned-N`` for the same draw with a surrogate upsampler, its aligned pair.

        Raises:
            MediaError: The clip, or what is kept of it, cannot be read.
            OutputError: The cache cannot be written.
        """
        digest = self.digest(clip)
        path = self.folder / RECIPE_ID / laundering / f"{digest}.npz"
        if path.exists():
            return _read(path)
        if laundering in LAUNDERINGS:
            chain = LAUNDERINGS[laundering]
        elif laundering.startswith(ALIGNED_PREFIX):
            chain = draw_aligned(f"{digest} {DRAW_PREFIX}{laundering.removeprefix(ALIGNED_PREFIX)}")
        else:
            chain = draw_laundering(f"{digest} {laundering}")
        with open_video(clip.path) as reader:
            frames = launder(_beginning(reader), chain, fps=reader.info.fps)
            windows = list(canonical_windows(frames))
        with write_cached(path) as stream:
            _write(stream, windows)
        return windows

    def quality(self, clip: LabelledClip) -> Quality | None:
        """Measure the pictures of a clip's first window, or load it; ``None`` without a window.

        Raises:
            MediaError: The clip, or what is kept of it, cannot be read.
            OutputError: The cache cannot be written.
        """
        path = self.folder / RECIPE_ID / "quality-v1" / f"{self.digest(clip)}.npy"
        if path.exists():
            with read_cached(path) as measures:
                row = measures.tolist()
                return Quality(**dict(zip(_MEASURES, row, strict=True))) if row else None
        with open_video(clip.path) as reader:
            window = next(canonical_windows(reader, kinds=()), None)
        quality = None if window is None else window.quality
        with write_cached(path) as stream:
            np.save(stream, np.array([] if quality is None else astuple(quality)))
        return quality

    def region(self, clip: LabelledClip) -> Region | None:
        """Find the rectangle with the strongest borders in a clip's first window, or load it.

        Raises:
            MediaError: The clip, or what is kept of it, cannot be read.
            OutputError: The cache cannot be written.
        """
        folder = self.folder / RECIPE_ID / f"regions-v{REGIONS_VERSION}"
        path = folder / f"{self.digest(clip)}.npy"
        if path.exists():
            with read_cached(path) as numbers:
                *box, evidence = numbers.tolist() or [0.0]
                return Region(box=tuple(box), evidence=evidence) if box else None
        with open_video(clip.path) as reader:
            samples = itertools.takewhile(
                lambda sample: sample.tick < WINDOW_FRAMES, nearest_frames(reader)
            )
            found = pasted_rectangle([bounded(sample.image) for sample in samples])
        with write_cached(path) as stream:
            np.save(stream, np.array([] if found is None else [*found.box, found.evidence]))
        return found

    def digest(self, clip: LabelledClip) -> str:
        """Return the SHA-256 of the clip's file, from the list if it is there."""
        return clip.sha256 or file_sha256(clip.path)

    def feature_path(self, clip: LabelledClip, laundering: str, kind: str) -> Path:
        """Return where features of a clip are kept; ``kind`` names view, group and version."""
        return self.folder / RECIPE_ID / laundering / kind / f"{self.digest(clip)}.npy"

    def splice_path(self, name: str, layout: str) -> Path:
        """Return where features of a self-made splice are kept; ``layout`` names the blocks."""
        digest = hashlib.sha256(f"{name} {layout}".encode()).hexdigest()[:24]
        return self.folder / RECIPE_ID / "splices" / f"{digest}.npz"


def _beginning(reader: VideoReader) -> Iterator[Frame]:
    frames = iter(reader)
    first = next(frames)
    yield first
    yield from itertools.takewhile(lambda frame: frame.time - first.time < TRAINING_SECONDS, frames)


def _write(stream: IO[bytes], windows: list[CanonicalWindow]) -> None:
    arrays: dict[str, Any] = {
        "facts": np.array(
            [[w.start, w.end, w.num_frames, w.repeated, w.short_side] for w in windows]
        ).reshape(-1, 5)
    }
    for index, window in enumerate(windows):
        for kind, units in window.views.items():
            arrays[f"{index}-{kind}-sizes"] = np.array([len(unit) for unit in units])
            arrays[f"{index}-{kind}"] = np.frombuffer(b"".join(units), dtype=np.uint8)
    np.savez(stream, **arrays)


def _read(path: Path) -> list[CanonicalWindow]:
    with read_cached(path) as arrays:
        kinds = [key[2:] for key in arrays if key.startswith("0-") and not key.endswith("-sizes")]
        windows = []
        for index, facts in enumerate(arrays["facts"]):
            views = {}
            for kind in kinds:
                ends = np.cumsum(arrays[f"{index}-{kind}-sizes"])
                data = arrays[f"{index}-{kind}"].tobytes()
                views[kind] = tuple(
                    data[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)
                )
            start, end, num_frames, repeated, short_side = facts.tolist()
            windows.append(
                CanonicalWindow(
                    start=start,
                    end=end,
                    num_frames=int(num_frames),
                    repeated=repeated,
                    short_side=int(short_side),
                    views=views,
                )
            )
    return windows
