"""Searching by fingerprint: the index finds what a comparison with everything would find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vidigree.watermark.fingerprint import VIEWS, Fingerprint, fingerprint_frames
from vidigree.watermark.ledger import Ledger, LedgerEntry, similar
from vidigree.watermark.ledger import index as ledger_index
from vidigree.watermark.ledger.codes import codes_of, kept_codes, query_codes
from vidigree.watermark.ledger.index import (
    CodeIndex,
    InvertedIndex,
    ScannedIndex,
    fastest_index,
    has_faiss,
)

MakeEntry = Callable[..., LedgerEntry]
MakeScene = Callable[[int], list[NDArray[np.uint8]]]

needs_faiss = pytest.mark.skipif(not has_faiss(), reason="the extra vidigree[index] is missing")


@pytest.fixture(params=["scanned", pytest.param("inverted", marks=needs_faiss)])
def index(request: pytest.FixtureRequest) -> CodeIndex:
    return ScannedIndex() if request.param == "scanned" else InvertedIndex(_codes(5000, seed=9))


def _codes(number: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (number, 16), dtype=np.uint8)


def _flipped(code: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Return the code with bits changed that are spread over all of it."""
    changed = np.unpackbits(code)
    changed[np.linspace(0, 127, bits).round().astype(int)] ^= 1
    return np.packbits(changed)[None]


@pytest.mark.parametrize("bits", [0, 1, 8, 15])
def test_nearest_comes_first_with_its_distance(index: CodeIndex, bits: int) -> None:
    codes = _codes(5000)
    index.add(np.arange(5000), codes)
    assert len(index) == 5000
    for number in (0, 17, 4999):
        assert index.search(_flipped(codes[number], bits), 5)[0][0] == (number, bits)


def test_scan_finds_what_is_far(index: CodeIndex) -> None:
    if not isinstance(index, ScannedIndex):
        pytest.skip("an inverted file gives up what is far")
    codes = _codes(1)
    index.add(np.array([7]), codes)
    assert index.search(_flipped(codes[0], 60), 1) == [[(7, 60)]]


def test_number_with_many_codes_comes_once(index: CodeIndex) -> None:
    codes = _codes(40)
    index.add(np.repeat(np.arange(4), 10), codes)
    for found in index.search(codes[10:20], 4):
        assert found[0] == (1, 0)
        assert len({number for number, _ in found}) == len(found)


@pytest.mark.parametrize("chunk", [7, 64, 1 << 20])
@pytest.mark.parametrize("limit", [1, 5, 100, 1000])
def test_scan_finds_what_a_comparison_with_everything_finds(
    monkeypatch: pytest.MonkeyPatch, chunk: int, limit: int
) -> None:
    monkeypatch.setattr(ledger_index, "_CHUNK", chunk)
    codes, asked = _codes(400), _codes(3, seed=5)
    numbers = np.arange(400) % 100  # four codes each, far apart from each other in the index
    index = ScannedIndex()
    for start in range(0, 400, 50):
        index.add(numbers[start : start + 50], codes[start : start + 50])
    apart = np.unpackbits(codes[:, None] ^ asked[None], axis=2).sum(axis=2)
    for found, one in zip(index.search(asked, limit), apart.T, strict=True):
        least = [int(one[numbers == number].min()) for number in range(100)]
        assert [distance for _, distance in found] == sorted(least)[:limit]
        assert all(least[number] == distance for number, distance in found)
        assert found == sorted(found, key=lambda pair: (pair[1], pair[0]))
    for radius in (0, 40, 52, 128):
        expected = {
            number: int((apart[numbers == number] <= radius).any(axis=0).sum())
            for number in range(100)
            if (apart[numbers == number] <= radius).any()
        }
        assert index.within(asked, radius) == expected
    kept_numbers, kept = index.contents()
    assert np.array_equal(kept_numbers, numbers)
    assert np.array_equal(kept, codes)


def test_index_grows_in_small_steps(index: CodeIndex) -> None:
    codes = _codes(3000)
    for start in range(0, 3000, 7):
        stop = min(start + 7, 3000)
        index.add(np.arange(start, stop), codes[start:stop])
    assert all(index.search(codes[n : n + 1], 1) == [[(n, 0)]] for n in (0, 1023, 1024, 2999))


def test_empty_index_finds_nothing(index: CodeIndex) -> None:
    assert index.search(_codes(2), 5) == [[], []]
    assert index.within(_codes(2), 128) == {}
    index.add(np.zeros(0, np.int64), _codes(0))
    assert index.search(_codes(0), 5) == []
    assert index.within(_codes(0), 128) == {}


@pytest.mark.parametrize("bits", [0, 1, 8, 15])
def test_all_that_is_near_is_found_and_nothing_farther(index: CodeIndex, bits: int) -> None:
    codes = np.repeat(_codes(2), 3000, axis=0)
    index.add(np.arange(6000), codes)
    asked = np.concatenate([_flipped(codes[0], bits), codes[:1]])
    assert index.within(asked, bits) == dict.fromkeys(range(3000), 2)
    assert index.within(asked[:1], bits - 1) == {}


@needs_faiss
def test_large_index_is_inverted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_index, "SCAN_LIMIT", 100)
    codes = _codes(200)
    scanned = ScannedIndex()
    scanned.add(np.arange(100), codes[:100])
    assert fastest_index(scanned) is scanned
    scanned.add(np.arange(100, 200), codes[100:])
    inverted = fastest_index(scanned)
    assert isinstance(inverted, InvertedIndex)
    assert inverted.search(codes[150:151], 1) == [[(150, 0)]]
    monkeypatch.setattr(ledger_index, "has_faiss", lambda: False)
    assert fastest_index(scanned) is scanned


def test_counting_ones_works_without_numpy_2(monkeypatch: pytest.MonkeyPatch) -> None:
    words = _codes(50).view(np.uint64)
    expected = ledger_index._ones(words)
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert np.array_equal(ledger_index._ones(words), expected)
    assert np.array_equal(expected, np.unpackbits(_codes(50), axis=1).sum(axis=1))


def test_flat_clip_has_no_codes() -> None:
    flat = fingerprint_frames([np.full((64, 64, 3), 128, np.uint8)] * 24, 24)
    assert kept_codes(flat).shape == (0, 16)
    assert query_codes(flat).shape == (0, 16)
    assert codes_of(flat.to_bytes()) == b""
    assert codes_of(b"of another version") == b""


def test_long_clip_has_few_codes(scene: MakeScene) -> None:
    frames = [image for seed in range(30) for image in scene(seed)[::20]]
    long = fingerprint_frames(frames * 4, 1)
    assert len(kept_codes(long)) <= 16 * 17
    assert len(query_codes(long)) <= 16


def _fingerprint(moments: int, flat: frozenset[int] = frozenset()) -> Fingerprint:
    """Return a fingerprint whose every code tells its moment and its view."""
    bits = np.zeros((moments, len(VIEWS), 16), np.uint8)
    bits[:, :, 0] = np.arange(moments)[:, None]
    bits[:, :, 1] = np.arange(len(VIEWS))
    structured = np.array([moment not in flat for moment in range(moments)], bool)
    return Fingerprint(bits=bits, structured=structured, step=Fraction(1, 2))


def _told(codes: NDArray[np.uint8]) -> tuple[list[int], list[int]]:
    """Return the moments and the views of codes."""
    return sorted({*codes[:, 0].tolist()}), sorted({*codes[:, 1].tolist()})


def test_middle_of_every_four_seconds_is_kept_in_most_views() -> None:
    moments, views = _told(kept_codes(_fingerprint(20)))
    assert moments == [4, 12, 18]
    assert [VIEWS[view][0] for view in range(len(VIEWS)) if view not in views] == [0.9, 0.63]
    assert len(kept_codes(_fingerprint(20))) == 3 * (len(VIEWS) - 2)
    assert codes_of(_fingerprint(20).to_bytes()) == kept_codes(_fingerprint(20)).tobytes()


def test_flat_moments_are_neither_kept_nor_asked_for() -> None:
    fingerprint = _fingerprint(6, flat=frozenset({0, 3, 4}))
    assert _told(kept_codes(fingerprint))[0] == [2]
    assert _told(query_codes(fingerprint))[0] == [1, 2, 5]


@pytest.mark.parametrize(("moments", "kept", "asked"), [(8, 1, 8), (9, 2, 8), (128, 16, 8)])
def test_codes_are_spread_over_a_clip(moments: int, kept: int, asked: int) -> None:
    fingerprint = _fingerprint(moments)
    found = _told(kept_codes(fingerprint))[0]
    assert len(found) == kept
    wholes = query_codes(fingerprint)
    told, views = _told(wholes)
    assert (len(told), views, len(wholes)) == (asked, [0, 1], 2 * asked)
    assert (told[0], told[-1]) == (0, moments - 1)
    assert np.ptp(np.diff(told)) <= 1


@pytest.fixture(params=[250_000, 10], ids=["scanned", "inverted"])
def two_ledgers(
    request: pytest.FixtureRequest, ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Ledger, Ledger]]:
    """Two processes' views of one database, and an index of either kind."""
    monkeypatch.setattr(ledger_index, "SCAN_LIMIT", request.param)
    with Ledger.open(ledger_url) as writer, Ledger.open(ledger_url) as reader:
        yield writer, reader


def test_index_follows_the_database(
    two_ledgers: tuple[Ledger, Ledger], make_entry: MakeEntry, scene: MakeScene
) -> None:
    writer, reader = two_ledgers
    for number in range(6):
        writer.record(make_entry(number, seed=number))
        asked = fingerprint_frames([image[20:170, 10:290] for image in scene(number)], 20)
        entry, likeness = reader.find_similar(asked.to_bytes(), limit=1)[0]
        assert entry.clip_id == number
        assert likeness > 0.6
    assert len(reader._search) == sum(
        len(kept_codes(Fingerprint.from_bytes(entry.fingerprint))) for entry in writer.entries()
    )  # nothing was read twice


def test_deleted_last_row_gives_its_number_to_another(
    two_ledgers: tuple[Ledger, Ledger], make_entry: MakeEntry
) -> None:
    writer, reader = two_ledgers
    first, second = replace(make_entry(1, seed=1), confirmed=False), make_entry(2, seed=2)
    writer.record(first)
    assert reader.find_similar(first.fingerprint, 1)[0][0] == first
    writer.forget(1)
    writer.record(second)
    assert reader.find_similar(second.fingerprint, 1)[0] == (second, 1.0)
    assert [entry.clip_id for entry, _ in reader.find_similar(first.fingerprint, 5)] in ([2], [])


def test_a_ledger_that_was_replaced_is_searched_from_its_first_row(
    tmp_path: Path, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "_OVERLAP", 0)
    file, other = tmp_path / "ledger.sqlite3", tmp_path / "other.sqlite3"
    for path, seeds in ((file, (1, 2, 3)), (other, (4, 5))):
        with Ledger.open(f"sqlite:///{path}") as ledger:
            for seed in seeds:
                ledger.record(make_entry(seed, seed=seed))
    with Ledger.open(f"sqlite:///{file}") as service:
        wanted = {seed: make_entry(seed, seed=seed) for seed in (1, 4, 5)}
        assert service.find_similar(wanted[1].fingerprint, 1) == [(wanted[1], 1.0)]
        other.replace(file)
        for seed in (4, 5):
            assert service.find_similar(wanted[seed].fingerprint, 1) == [(wanted[seed], 1.0)]
        found = service.find_similar(wanted[1].fingerprint, 1)
        assert [entry.clip_id for entry, _ in found] != [1]


@pytest.mark.parametrize("negative", [False, True])
@pytest.mark.parametrize("mirrored", [False, True])
def test_copies_in_a_mirror_and_negatives_are_found(
    two_ledgers: tuple[Ledger, Ledger],
    make_entry: MakeEntry,
    scene: MakeScene,
    mirrored: bool,
    negative: bool,
) -> None:
    writer, _ = two_ledgers
    for number in range(3):
        writer.record(make_entry(number, seed=number))
    turned = [image[:, ::-1] if mirrored else image for image in scene(2)]
    copy = fingerprint_frames([255 - image if negative else image for image in turned], 20)
    entry, likeness = writer.find_similar(copy.to_bytes(), 1)[0]
    assert (entry.clip_id, likeness > 0.95) == (2, True)


@pytest.mark.slow
def test_clips_that_begin_alike_are_told_apart(
    two_ledgers: tuple[Ledger, Ledger], make_entry: MakeEntry
) -> None:
    """A title of four seconds before every clip gives all of them one code in common."""
    writer, reader = two_ledgers
    issued = [replace(make_entry(1), clip_id=n, fingerprint=_titled(n)) for n in range(100)]
    for entry in issued:
        writer.record(entry)
    for entry in issued:
        (found, likeness), *_ = reader.find_similar(entry.fingerprint, 1)
        assert (found.clip_id, likeness) == (entry.clip_id, 1.0)


def _titled(seed: int) -> bytes:
    """Return the fingerprint of a clip of eight seconds: a title, and what no other clip has."""
    pictures = [
        np.random.default_rng(n).integers(0, 256, (1, len(VIEWS), 16)) for n in (0, seed + 1)
    ]
    bits = np.concatenate([np.repeat(picture, 8, axis=0) for picture in pictures])
    structured = np.ones(len(bits), bool)
    return Fingerprint(
        bits=bits.astype(np.uint8), structured=structured, step=Fraction(1, 2)
    ).to_bytes()


def test_row_that_appears_late_is_seen(
    two_ledgers: tuple[Ledger, Ledger], make_entry: MakeEntry
) -> None:
    """In PostgreSQL a lower number may be committed after a higher one."""
    writer, reader = two_ledgers
    for number in (1, 2):
        writer.record(make_entry(number, seed=number))
    reader._search._recent = {}
    assert len(reader.find_similar(make_entry(2, seed=2).fingerprint, 5)) >= 1
    late = make_entry(3, seed=3)
    # As if row 1 had been invisible when row 2 was read.
    reader._search._recent.pop(min(reader._search._recent))
    before = len(reader._search)
    writer.record(late)
    assert reader.find_similar(late.fingerprint, 1)[0][0] == late
    added = len(kept_codes(Fingerprint.from_bytes(late.fingerprint)))
    assert len(reader._search) > before + added
