"""Find the nearest of many 128-bit codes by Hamming distance: exactly, or by an inverted file.

Up to some hundred thousand codes a plain scan is fast enough. Beyond, an inverted file (Sivic,
Zisserman 2003, "Video Google", section 4) keeps each code in the list of the nearest of 4,096
example codes, and looks only into the lists whose examples are nearest to the wanted code. FAISS
does it, where the extra ``vidigree[index]`` is installed; without it the scan goes on, exact and
slower. Multi-index hashing was tried and took over 600 bytes of memory for each code.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vidigree.watermark.ledger.codes import CODE_BYTES

__all__ = ["CodeIndex", "InvertedIndex", "ScannedIndex", "fastest_index", "has_faiss"]

SCAN_LIMIT = 250_000
"""Number of codes up to which the scan is used even where FAISS is installed."""

_LISTS = 4096
_LOOKED_INTO = 128
"""Lists that are searched for each code: a 32nd of the index."""

_CHUNK = 1 << 20


class CodeIndex(Protocol):
    """An index of codes under numbers; one number may have many codes."""

    def add(self, numbers: NDArray[np.int64], codes: NDArray[np.uint8]) -> None:
        """Add codes, uint8 of shape (n, 16), under their numbers, int64 of shape (n,)."""

    def search(self, codes: NDArray[np.uint8], limit: int) -> list[list[tuple[int, int]]]:
        """Return for each code up to ``limit`` numbers, nearest first, with distances in bits."""

    def within(self, codes: NDArray[np.uint8], radius: int) -> dict[int, int]:
        """Return all numbers with a code at most ``radius`` bits from one of these, and how many.

        That is from how many of these codes.
        """

    def __len__(self) -> int:
        """Return the number of codes."""


class ScannedIndex:
    """Compares with every code: exact, and as fast as memory is read."""

    def __init__(self) -> None:
        self._numbers = np.zeros(0, np.int64)
        self._codes = np.zeros((0, CODE_BYTES // 8), np.uint64)
        self._used = 0

    def __len__(self) -> int:
        return self._used

    def add(self, numbers: NDArray[np.int64], codes: NDArray[np.uint8]) -> None:
        """Add codes under their numbers."""
        end = self._used + len(numbers)
        if end > len(self._numbers):
            # Doubling keeps the cost of adding one after the other linear.
            self._numbers = np.resize(self._numbers, max(1024, 2 * end))
            self._codes = np.resize(self._codes, (max(1024, 2 * end), CODE_BYTES // 8))
        self._numbers[self._used : end] = numbers
        self._codes[self._used : end] = np.ascontiguousarray(codes).view(np.uint64)
        self._used = end

    def search(self, codes: NDArray[np.uint8], limit: int) -> list[list[tuple[int, int]]]:
        """Return for each code the nearest numbers with their distances."""
        found = []
        for code in np.ascontiguousarray(codes).view(np.uint64):
            best: dict[int, int] = {}
            for numbers, distances in self._distances(code):
                _keep(best, numbers, distances, limit)
            found.append(_nearest(best, limit))
        return found

    def within(self, codes: NDArray[np.uint8], radius: int) -> dict[int, int]:
        """Return all numbers with a code that is near one of these, and near how many."""
        found = []
        for code in np.ascontiguousarray(codes).view(np.uint64):
            parts = [numbers[apart <= radius] for numbers, apart in self._distances(code)]
            found.append(np.unique(np.concatenate(parts)) if parts else self._numbers[:0])
        return _counted(found)

    def _distances(
        self, code: NDArray[np.uint64]
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.uint16]]]:
        """Yield all numbers with the distances of their codes, a part at a time."""
        for start in range(0, self._used, _CHUNK):
            stop = min(start + _CHUNK, self._used)
            yield self._numbers[start:stop], _ones(self._codes[start:stop] ^ code)

    def contents(self) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """Return numbers and codes, as they were added."""
        return self._numbers[: self._used], self._codes[: self._used].view(np.uint8)


class InvertedIndex:
    """An inverted file by FAISS: milliseconds among millions, not exact for distant codes.

    Args:
        examples: uint8 of shape (n, 16), at least one: codes like those that will be added; up to
            4,096 different ones of them get a list each.
    """

    def __init__(self, examples: NDArray[np.uint8]) -> None:
        import faiss

        different = np.unique(examples, axis=0)
        lists = min(_LISTS, len(different))
        chosen = np.linspace(0, len(different) - 1, lists).round().astype(int)
        heads = np.ascontiguousarray(different[chosen])
        # Kept here, because the index only refers to it.
        self._lists: Any = faiss.IndexBinaryFlat(CODE_BYTES * 8)
        self._lists.add(heads)
        self._index: Any = faiss.IndexBinaryIVF(self._lists, CODE_BYTES * 8, lists)
        self._index.train(heads)
        self._index.nprobe = min(_LOOKED_INTO, lists)

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def add(self, numbers: NDArray[np.int64], codes: NDArray[np.uint8]) -> None:
        """Add codes under their numbers."""
        if len(numbers):
            self._index.add_with_ids(
                np.ascontiguousarray(codes), np.ascontiguousarray(numbers, np.int64)
            )

    def search(self, codes: NDArray[np.uint8], limit: int) -> list[list[tuple[int, int]]]:
        """Return for each code the nearest numbers with their distances."""
        if not len(codes):
            return []
        lists = []
        answers = self._index.search(np.ascontiguousarray(codes), 4 * limit)
        for distances, numbers in zip(*answers, strict=True):
            found = numbers >= 0  # -1 fills up where fewer were found
            best: dict[int, int] = {}
            _keep(best, numbers[found], distances[found], limit)
            lists.append(_nearest(best, limit))
        return lists

    def within(self, codes: NDArray[np.uint8], radius: int) -> dict[int, int]:
        """Return all numbers with a code that is near one of these, as far as it is looked for."""
        if not len(codes):
            return {}
        # Its radius is the least distance that is too far.
        ends, _, numbers = self._index.range_search(np.ascontiguousarray(codes), radius + 1)
        return _counted([np.unique(numbers[a:b]) for a, b in pairwise(ends.tolist())])


def has_faiss() -> bool:
    """Return whether FAISS is installed."""
    return find_spec("faiss") is not None


def fastest_index(index: CodeIndex) -> CodeIndex:
    """Return an index with the same contents: the inverted one as soon as it is worth it."""
    if not isinstance(index, ScannedIndex) or len(index) <= SCAN_LIMIT or not has_faiss():
        return index
    numbers, codes = index.contents()
    inverted = InvertedIndex(codes)
    inverted.add(numbers, codes)
    return inverted


def _ones(words: NDArray[np.uint64]) -> NDArray[np.uint16]:
    """Return the number of ones in each row of uint64 words."""
    if hasattr(np, "bitwise_count"):
        return np.asarray(np.bitwise_count(words).sum(axis=1, dtype=np.uint16))
    bits = np.unpackbits(words.view(np.uint8), axis=1)  # NumPy before 2.0
    return np.asarray(bits.sum(axis=1, dtype=np.uint16))


def _keep(
    best: dict[int, int], numbers: NDArray[np.int64], distances: NDArray[Any], limit: int
) -> None:
    """Take the nearest over into ``best``, with the least distance of each number."""
    if len(distances) > limit:
        # Several codes may belong to one number, so a few more than asked for are looked at.
        near = np.argpartition(distances, min(4 * limit, len(distances) - 1))[: 4 * limit]
        numbers, distances = numbers[near], distances[near]
    for number, distance in zip(numbers.tolist(), distances.tolist(), strict=True):
        best[number] = min(best.get(number, distance), distance)


def _counted(found: Sequence[NDArray[np.int64]]) -> dict[int, int]:
    """Return the numbers with the count of arrays that they stand in."""
    if not found:
        return {}
    numbers, counts = np.unique(np.concatenate(found), return_counts=True)
    return dict(zip(numbers.tolist(), counts.tolist(), strict=True))


def _nearest(best: dict[int, int], limit: int) -> list[tuple[int, int]]:
    return sorted(best.items(), key=lambda pair: (pair[1], pair[0]))[:limit]
