"""The manifest store is taken from where a validator reads it, whole, and from nowhere else."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from fixtures.manifest_stores import manifest_store

from vidigree.media.errors import CredentialsError, TruncatedMediaError
from vidigree.watermark.credentials.embedding import (
    C2PA_BOX_TYPE,
    MAX_STORE_BYTES,
    embedded_store,
)
from vidigree.watermark.credentials.jumbf import activate, active_only, stored_manifests

FTYP = struct.pack(">I4s", 16, b"ftyp") + b"isom" + bytes(4)


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def _c2pa(store: bytes, purpose: bytes = b"manifest") -> bytes:
    return _box(b"uuid", C2PA_BOX_TYPE + bytes(4) + purpose + b"\0" + bytes(8) + store)


@pytest.mark.parametrize(
    ("boxes", "store"),
    [
        (_c2pa(b"one"), b"one"),
        (_c2pa(b"one", b"update"), b"one"),
        (_c2pa(b"") + _c2pa(b"two"), b""),
        (_c2pa(b"one") + _c2pa(b"two"), b"one"),
        (_c2pa(b"one", b"merkle") + _c2pa(b"two"), b"two"),
        (_c2pa(b"one", b"original") + _c2pa(b"two", b"update"), b"two"),
        (_c2pa(b"one", b"merkle"), None),
        (_c2pa(b"one", b"manifests"), None),
        (_box(b"uuid", bytes(16) + b"manifest" + bytes(40)), None),
        (_box(b"moov", _c2pa(b"one")) + _c2pa(b"two"), b"two"),
        (_box(b"moov", _c2pa(b"one")), None),
        (_box(b"moov", _box(b"udta", _c2pa(b"one"))), None),
        (_box(b"free", _c2pa(b"one")), None),
        (b"", None),
    ],
)
def test_store_is_that_of_the_first_box_that_holds_one(
    boxes: bytes, store: bytes | None, tmp_path: Path
) -> None:
    (tmp_path / "x.mp4").write_bytes(FTYP + boxes)
    assert embedded_store(tmp_path / "x.mp4") == store


def test_store_of_another_kind_of_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"RIFF" + _c2pa(b"one"))
    assert embedded_store(tmp_path / "x.mp4") is None


def test_store_is_as_large_as_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.mp4"
    for more in (0, 1):
        size = MAX_STORE_BYTES + more
        head = _c2pa(b"")
        with path.open("wb") as stream:
            stream.write(FTYP + struct.pack(">I", len(head) + size) + head[4:])
            stream.truncate(len(FTYP) + len(head) + size)
        if more:
            with pytest.raises(CredentialsError, match="claims 16777217 bytes"):
                embedded_store(path)
        else:
            assert embedded_store(path) == bytes(size)


@pytest.mark.parametrize("short", [1, 8, 9])
def test_box_that_ends_before_its_store_begins_is_told(tmp_path: Path, short: int) -> None:
    box = _box(b"uuid", (C2PA_BOX_TYPE + bytes(4) + b"manifest\0" + bytes(8))[:-short])
    (tmp_path / "x.mp4").write_bytes(FTYP + box)
    with pytest.raises(CredentialsError, match=f"claims -{short} bytes"):
        embedded_store(tmp_path / "x.mp4")


def test_file_that_is_cut_within_its_store_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(FTYP + _c2pa(b"one")[:-1])
    with pytest.raises(TruncatedMediaError):
        embedded_store(tmp_path / "x.mp4")


def _labels(store: bytes) -> list[str]:
    return [manifest.label for manifest in stored_manifests(store)]


def test_activated_manifest_comes_last_and_the_others_keep_their_order() -> None:
    store = manifest_store("a", "b", "c")
    assert _labels(store) == ["a", "b", "c"]
    assert [_labels(activate(store, label)) for label in "abc"] == [
        ["b", "c", "a"],
        ["a", "c", "b"],
        ["a", "b", "c"],
    ]
    assert _labels(active_only(store)) == ["c"]
    assert sorted(manifest.box for manifest in stored_manifests(activate(store, "a"))) == sorted(
        manifest.box for manifest in stored_manifests(store)
    )


@pytest.mark.parametrize("labels", [("b",), ("a", "a"), ("b", "a", "a"), ()])
def test_manifest_that_is_not_there_once_is_not_activated(labels: tuple[str, ...]) -> None:
    with pytest.raises(CredentialsError, match="exactly once"):
        activate(manifest_store(*labels), "a")


def test_empty_store_has_no_active_manifest() -> None:
    assert _labels(manifest_store()) == []
    with pytest.raises(CredentialsError, match="empty"):
        active_only(manifest_store())


@pytest.mark.parametrize(("number", "read"), [(256, True), (257, False)])
def test_number_of_manifests_is_bounded(number: int, read: bool) -> None:
    store = manifest_store(*map(str, range(number)))
    if read:
        assert len(stored_manifests(store)) == number
        return
    with pytest.raises(CredentialsError, match="257 manifests; 256 is the limit"):
        stored_manifests(store)


@pytest.mark.parametrize(
    ("store", "match"),
    [
        (b"", "not a JUMBF superbox"),
        (_box(b"jumd", b""), "not a JUMBF superbox"),
        (_box(b"jumb", b""), "no description box"),
        (_box(b"jumb", _box(b"cbor", b"")), "no description box"),
        (struct.pack(">I4s", 9, b"jumb"), "runs past its end"),
        (struct.pack(">I4s", 7, b"jumb"), "runs past its end"),
        (_box(b"jumb", struct.pack(">I4s", 9, b"jumd")), "runs past its end"),
        (struct.pack(">I4sQ", 1, b"jumb", 15), "runs past its end"),
        (struct.pack(">I4sQ", 1, b"jumb", 17), "runs past its end"),
    ],
)
def test_damaged_store_is_told(store: bytes, match: str) -> None:
    for read in (stored_manifests, active_only, lambda data: activate(data, "a")):
        with pytest.raises(CredentialsError, match=match):
            read(store)


def test_sizes_are_read_in_every_notation() -> None:
    """A box of 64-bit size, and one that runs to the end."""
    plain = manifest_store("a", "b")
    long = struct.pack(">I4sQ", 1, b"jumb", len(plain) + 8) + plain[8:]
    open_ended = struct.pack(">I4s", 0, b"jumb") + plain[8:]
    for store in (long, open_ended):
        assert stored_manifests(store) == stored_manifests(plain)
        assert activate(store, "b") == plain
    inner = manifest_store("a")
    box = stored_manifests(inner)[0].box
    wide = inner.replace(box, struct.pack(">I4sQ", 1, b"jumb", len(box) + 8) + box[8:])
    assert _labels(struct.pack(">I", len(wide)) + wide[4:]) == ["a"]


@pytest.mark.parametrize("toggles", [0, 1, 4])
def test_manifest_without_a_label_has_none(toggles: int) -> None:
    store = manifest_store("a")
    at = store.rindex(b"\x03a\0")
    assert _labels(store[:at] + bytes([toggles]) + store[at + 1 :]) == [""]
