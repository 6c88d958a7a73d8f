"""Splices made to measure localisation: synthetic parts in real clips, and all-real controls.

Both parts of a splice come from one fold of leave-origin-out, so that a model can be fitted that
saw neither, and everything goes through one encoder together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from vidigree.detect.classifier.dataset import LabelledClip
from vidigree.detect.classifier.laundering import Encode, Laundering, launder
from vidigree.detect.classifier.sampling import nearest_frames
from vidigree.media.reading import Frame, open_video, probe

__all__ = ["Splice", "draw_splices", "splice_frames"]

_RATE = 16
_LARGEST_SHORT_SIDE = 360
_HOST_SECONDS = 6
_SHORTEST_HOST = 2.9
_SHORTEST_INSERT = 1.9
_BLEND = 8
"""Pixels over which the borders of a soft region are blended, inside it."""

_ENCODE = Encode("libx264", 23)


@dataclass(frozen=True, kw_only=True)
class Splice:
    """One made clip.

    Attributes:
        host: Index of the real clip, of a synthetic one for ``"around"``.
        insert: Index of the synthetic clip, of a real one for ``"joined"`` and ``"around"``.
        fold: Fold that both belong to.
        kind: ``"time"``, ``"space"``, ``"soft"`` for a region with blended borders, ``"plain"`` for
            the host alone, ``"joined"`` for a scene of another real clip, or ``"around"`` for a
            scene of a real clip in a synthetic one.
        place: Where the cut is, as a part of the host, [0, 1]; of a region its top and left edge.
        seconds: Length of an inserted stretch; not used for regions.
        second_crf: Constant rate factor of another encode of the whole; 0 for none.
    """

    host: int
    insert: int
    fold: int
    kind: str
    place: tuple[float, float]
    seconds: float
    second_crf: int = 0

    @property
    def name(self) -> str:
        """Name for a cache: everything that decides the pixels before another encode."""
        first, second = self.place
        return f"{self.kind}-{self.host}-{self.insert}-{first:.4f}-{second:.4f}-{self.seconds:.4f}"


def draw_splices(
    clips: Sequence[LabelledClip], fold: NDArray[np.int64], *, kind: str, per_fold: int, seed: int
) -> list[Splice]:
    """Draw pairs of a host and an insert, no origin twice in a fold.

    Args:
        clips: Labelled clips.
        fold: int64 (clips,), fold of each.
        kind: See Splice.
        per_fold: Most splices from one fold.
        seed: Of the draw; the same seed draws the same hosts, inserts and cuts for every kind, but
            that ``"joined"`` takes its inserts from the hosts, and ``"around"`` has hosts of its
            own.
    """
    rng = np.random.default_rng(seed)
    found = []
    for index in np.unique(fold):
        members = rng.permutation(np.flatnonzero(fold == index))
        around = kind == "around"
        hosts = _one_each(clips, members, around, _SHORTEST_HOST, per_fold)
        inserts = _one_each(clips, members, not around, _SHORTEST_INSERT, per_fold)
        hosts = hosts[: len(inserts)]
        if kind == "joined":
            # A scene of the next host's origin, not of its own.
            inserts = hosts[1:] + hosts[:1]
        for host, insert in zip(hosts, inserts, strict=False):
            place = (float(rng.uniform(0.35, 0.65)), float(rng.uniform(0.0, 1.0)))
            seconds = float(rng.uniform(2, 3))
            if host == insert:
                continue  # alone in its fold
            found.append(
                Splice(
                    host=host,
                    insert=insert,
                    fold=int(index),
                    kind=kind,
                    place=place,
                    seconds=seconds,
                )
            )
    return found


def _one_each(
    clips: Sequence[LabelledClip],
    members: NDArray[np.int64],
    synthetic: bool,
    shortest: float,
    count: int,
) -> list[int]:
    origins: set[str] = set()
    chosen: list[int] = []
    for index in members.tolist():
        clip = clips[index]
        if len(chosen) == count:
            break
        if clip.synthetic != synthetic or clip.origin in origins:
            continue
        if float(probe(clip.path).duration or 0) >= shortest:
            origins.add(clip.origin)
            chosen.append(index)
    return chosen


def splice_frames(
    splice: Splice, clips: Sequence[LabelledClip]
) -> tuple[Iterator[Frame], tuple[float, ...]]:
    """Make a splice.

    Args:
        splice: What to make.
        clips: The clips its indices refer to.

    Returns:
        The frames, encoded and decoded, and the truth: start and end in seconds of an
        inserted stretch, or of each of the two around a real one; top, bottom, left and right edge,
        as parts of the frame, of a region; nothing where all is real.

    Raises:
        MediaError: A clip cannot be read.
    """
    host = clips[splice.host].path
    info = probe(host)
    factor = min(1.0, _LARGEST_SHORT_SIDE / min(info.width, info.height))
    size = (round(info.height * factor) // 2 * 2, round(info.width * factor) // 2 * 2)
    images = _images(clips[splice.host], _HOST_SECONDS, size)
    truth: tuple[float, ...] = ()
    if splice.kind in ("time", "joined", "around"):
        insert = _images(clips[splice.insert], splice.seconds, size)
        cut = int(len(images) * splice.place[0])
        images = images[:cut] + insert + images[cut:]
        if splice.kind == "time":
            truth = (cut / _RATE, (cut + len(insert)) / _RATE)
        elif splice.kind == "around":
            truth = (0.0, cut / _RATE, (cut + len(insert)) / _RATE, len(images) / _RATE)
    if splice.kind in ("space", "soft"):
        images, truth = _pasted(images, splice, clips[splice.insert], size)
    frames = (
        Frame(image=np.ascontiguousarray(image), time=Fraction(index, _RATE))
        for index, image in enumerate(images)
    )
    second = (Encode("libx264", splice.second_crf),) if splice.second_crf else ()
    encodes = Laundering(name="splice", encodes=(_ENCODE, *second))
    return launder(frames, encodes, fps=Fraction(_RATE)), truth


def _pasted(
    images: list[NDArray[np.uint8]], splice: Splice, insert: LabelledClip, size: tuple[int, int]
) -> tuple[list[NDArray[np.uint8]], tuple[float, ...]]:
    """Put the insert over a region of half the height and width of the host."""
    height, width = size
    rows, columns = height // 2, width // 2
    top = round(splice.place[0] * (height - rows))
    left = round(splice.place[1] * (width - columns))
    patches = _images(insert, splice.seconds, (rows, columns))
    inside = np.s_[top : top + rows, left : left + columns]
    share = _blend(rows, columns) if splice.kind == "soft" else np.ones((1, 1, 1), np.float32)
    made = []
    for image, patch in zip(images, patches, strict=False):
        whole = image.copy()
        whole[inside] = np.rint(share * patch + (1 - share) * image[inside]).astype(np.uint8)
        made.append(whole)
    edges = (top / height, (top + rows) / height, left / width, (left + columns) / width)
    return made, edges


def _blend(rows: int, columns: int) -> NDArray[np.float32]:
    """Return the share of the insert in each pixel, (rows, columns, 1): it grows from the edge."""
    down, across = (np.minimum(np.arange(n), np.arange(n)[::-1]) + 0.5 for n in (rows, columns))
    nearest = np.minimum(down[:, None], across[None, :])
    return np.clip(nearest / _BLEND, 0, 1).astype(np.float32)[..., None]


def _images(clip: LabelledClip, seconds: float, size: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Return the beginning of a clip at the common rate, cut to fill the size (height, width)."""
    height, width = size
    images = []
    with open_video(clip.path) as reader:
        for sample in nearest_frames(reader, _RATE):
            if sample.tick >= seconds * _RATE:
                break
            image = sample.image
            factor = max(height / image.shape[0], width / image.shape[1])
            whole = (
                max(width, round(image.shape[1] * factor)),
                max(height, round(image.shape[0] * factor)),
            )
            method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
            image = np.asarray(cv2.resize(image, whole, interpolation=method), dtype=np.uint8)
            top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
            images.append(image[top : top + height, left : left + width])
    return images
