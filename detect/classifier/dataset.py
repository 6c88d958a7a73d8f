"""Labelled clips: a CSV beside the files, and the groups that must stay in one fold."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidigree.media.errors import MediaNotFoundError, UsageError

__all__ = [
    "LabelledClip",
    "clip_groups",
    "file_sha256",
    "folds",
    "read_dataset",
    "require_origins",
]

_COLUMNS = ("file", "label", "origin")
_LABELS = {"real": False, "synthetic": True}


@dataclass(frozen=True, kw_only=True)
class LabelledClip:
    """One clip with what is known about it; only ``path`` is ever shown to the features.

    Attributes:
        path: The file.
        synthetic: Whether it was made by a generator.
        origin: Name of the generator, or of the source of a real clip.
        repository: Where the clip was published; clips of one place share encoders and pages.
        kind: What it shows or how it was made, for tables: ``"face"``, ``"t2v"``.
        sha256: Hash of the file by the list; empty where the list has none.
        linked: Name shared by clips that show the same pictures; empty where there are none.
    """

    path: Path
    synthetic: bool
    origin: str
    repository: str
    kind: str
    sha256: str
    linked: str = ""


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file, hex, read in pieces.

    Raises:
        MediaNotFoundError: There is no such file, or it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError) as error:  # a name with a zero byte in it is a ValueError
        raise MediaNotFoundError(
            f"{path} cannot be read.", hint="Check the path and its permissions."
        ) from error


def read_dataset(table: Path) -> list[LabelledClip]:
    """Read a table of labelled clips.

    Args:
        table: CSV with the columns ``file`` (relative to the table, or to a folder ``clips``
            beside it), ``label`` (``real`` or ``synthetic``) and ``origin``; ``repo``, ``group``
            and ``sha256`` are used where present.

    Raises:
        MediaNotFoundError: There is no table.
        UsageError: The table cannot be read, lacks a column, or has an unknown label, a clip
            without file or origin, or a hash that is none.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:  # as spreadsheets save it
            rows = list(csv.DictReader(stream))
    except FileNotFoundError as error:
        raise MediaNotFoundError(f"There is no file {table}.", hint="Check the path.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"{table} cannot be read as a table of clips.",
            hint="Give a CSV with the columns file, label and origin.",
        ) from error
    if not rows or any(column not in rows[0] for column in _COLUMNS):
        raise UsageError(
            f"{table} lacks one of the columns {', '.join(_COLUMNS)}, or has no rows.",
            hint="Give a CSV with the columns file, label and origin.",
        )
    base = table.parent / "clips" if (table.parent / "clips").is_dir() else table.parent
    return [_clip(row, base, table) for row in rows]


def _clip(row: dict[str, str], base: Path, table: Path) -> LabelledClip:
    if row["label"] not in _LABELS:
        raise UsageError(
            f"{table}: the label of {row['file']} is {row['label']!r}.",
            hint="Labels are real and synthetic.",
        )
    for column in ("file", "origin"):
        if not row[column]:
            raise UsageError(
                f"{table}: a row labelled {row['label']} has no {column}.",
                hint="Every clip needs a file, a label and an origin: its generator or its source.",
            )
    sha256 = (row.get("sha256") or "").lower()
    if sha256 and not re.fullmatch("[0-9a-f]{64}", sha256):
        raise UsageError(
            f"{table}: the sha256 of {row['file']} is none: {row['sha256']!r}.",
            hint="Give the 64 hex digits of the file, or leave the field empty.",
        )
    return LabelledClip(
        path=base / row["file"],
        synthetic=_LABELS[row["label"]],
        origin=row["origin"],
        repository=row.get("repo") or "",
        kind=row.get("group") or "",
        sha256=sha256,
    )


def clip_groups(clips: Sequence[LabelledClip]) -> NDArray[np.int64]:
    """Number the groups that may not be torn between training and test.

    Clips are in one group if they share the origin (a generator; a real source; an edit and its
    source footage carry the same name), or the repository, or are near-duplicates, or are linked
    by a chain of these.

    Args:
        clips: The clips.

    Returns:
        int64 (len(clips),), numbers from 0 in order of first appearance.
    """
    parent = list(range(len(clips)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first: dict[tuple[str, str], int] = {}
    for index, clip in enumerate(clips):
        keys = (("origin", clip.origin), ("repository", clip.repository), ("linked", clip.linked))
        for key in keys:
            if key[1]:
                parent[root(index)] = root(first.setdefault(key, index))
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(root(index), len(numbers)) for index in range(len(clips))])


def require_origins(
    clips: Sequence[LabelledClip], count: int, *, seen: NDArray[np.bool_] | None = None
) -> None:
    """Refuse clips of which a class cannot be held out group by group.

    Args:
        clips: The clips; near-duplicates that are linked count as one.
        count: Number of folds.
        seen: bool (len(clips),), which clips have a window; ``None`` before that is known.

    Raises:
        UsageError: A class has fewer groups, by :func:`clip_groups`, than folds.
    """
    synthetic = np.array([clip.synthetic for clip in clips])
    known = np.ones(len(clips), dtype=np.bool_) if seen is None else seen
    groups = clip_groups(clips)
    for label, word in ((False, "real"), (True, "synthetic")):
        have = len(np.unique(groups[known & (synthetic == label)]))
        if have < count:
            raise UsageError(
                f"There are {have} independent origins of {word} clips; {count} folds cannot each"
                " hold one out.",
                hint="Add clips of other origins and repositories that show other pictures, none"
                " too short.",
            )


def folds(
    clips: Sequence[LabelledClip], groups: NDArray[np.int64], *, count: int, seed: int
) -> NDArray[np.int64]:
    """Assign whole groups to folds, so that each fold holds unseen generators and unseen sources.

    Groups go, large ones first and ties in seeded order, to the fold that is furthest from its
    share of either class.

    Args:
        clips: The clips.
        groups: Their groups, by :func:`clip_groups`.
        count: Number of folds, at least 2.
        seed: Seed of the order among groups of equal size.

    Returns:
        int64 (len(clips),), the fold of each clip.
    """
    rng = np.random.default_rng(seed)
    labels = np.array([clip.synthetic for clip in clips])
    counts = np.stack(
        [
            np.bincount(groups[labels == label], minlength=groups.max() + 1)
            for label in (False, True)
        ],
        axis=1,
    )
    share = counts.sum(axis=0) / count
    order = sorted(range(len(counts)), key=lambda group: (-counts[group].sum(), rng.random()))
    filled = np.zeros((count, 2))
    fold_of = np.zeros(len(counts), dtype=np.int64)
    for group in order:
        # The fold where the relative overfill, squared and summed, grows least.
        after = (filled + counts[group]) / share
        before = filled / share
        fold = int(np.argmin((after**2 - before**2).sum(axis=1) + 1e-9 * rng.random(count)))
        filled[fold] += counts[group]
        fold_of[group] = fold
    return fold_of[groups]
