"""Every row of the tamper matrix builds its file; the table in the docs is what this run found.

``VIDIGREE_UPDATE_DOCS=1`` writes the table; otherwise a table that differs fails.
"""

from __future__ import annotations

import io
import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from vidigree.media.container import Box, walk_boxes
from vidigree.media.errors import MediaError
from vidigree.media.metadata import XMP_BOX
from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    TrustList,
    TrustSettings,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.container_checks import check_container
from vidigree.watermark.credentials.embedding import C2PA_BOX_TYPE, is_c2pa_box
from vidigree.watermark.credentials.manifest import manifest_definition
from vidigree.watermark.credentials.sdk import sdk_context
from vidigree.watermark.credentials.signature_call import SignatureCall

DOCS = Path(__file__).resolve().parents[3] / "docs" / "credentials.md"
BEGIN, END = "<!-- tamper matrix: begin -->", "<!-- tamper matrix: end -->"

Change = Callable[[bytes], bytes]


def _boxes(data: bytes) -> list[Box]:
    return list(walk_boxes(io.BytesIO(data)))


def _top(data: bytes, kind: bytes) -> Box:
    return next(box for box in _boxes(data) if box.kind == kind and box.path.count("/") == 1)


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def _c2pa(purpose: bytes, payload: bytes) -> bytes:
    return _box(b"uuid", C2PA_BOX_TYPE + b"\0" * 4 + purpose + b"\0" + b"\0" * 8 + payload)


def _flip(data: bytes, position: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


def _in_samples(data: bytes) -> int:
    kinds = (b"mdat", b"free", b"skip", b"mfra")
    holders = [box for box in _boxes(data) if box.kind in kinds]
    return max(holders, key=lambda box: box.size).payload_offset + 200


def _other_samples(data: bytes) -> bytes:
    holder = _top(data, b"mdat")
    noise = bytes(range(256)) * (holder.payload_size // 256 + 1)
    return data[: holder.payload_offset] + noise[: holder.payload_size] + data[holder.end :]


def _edited_signature(data: bytes) -> bytes:
    store = next(box for box in _boxes(data) if is_c2pa_box(box))
    # COSE_Sign1 ends with its signature, here a byte string of 64 (h'5840').
    return _flip(data, data.rindex(b"\x58\x40", store.offset, store.end) + 20)


def _remux(data: bytes) -> bytes:
    out = io.BytesIO()
    with av.open(io.BytesIO(data)) as source, av.open(out, "w", format="mp4") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return out.getvalue()


def _encode(data: bytes) -> bytes:
    out = io.BytesIO()
    with av.open(io.BytesIO(data)) as source, av.open(out, "w", format="mp4") as target:
        stream = target.add_stream("libx264", rate=8, options={"crf": "30"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for frame in source.decode(video=0):
            frame.pts = None
            target.mux(stream.encode(frame))
        target.mux(stream.encode())
    return out.getvalue()


def _in_store(data: bytes, text: bytes) -> bytes:
    store = next(box for box in _boxes(data) if is_c2pa_box(box))
    position = data.index(text, store.offset, store.end)
    return _flip(data, position)


def _retag(data: bytes, purpose: bytes) -> bytes:
    store = next(box for box in _boxes(data) if is_c2pa_box(box))
    start = store.payload_offset + 4
    return data[:start] + purpose.ljust(8, b"\0") + data[start + 8 :]


def _copy_of_store(data: bytes) -> bytes:
    store = next(box for box in _boxes(data) if is_c2pa_box(box))
    return data + data[store.offset : store.end]


def _store_to_free(data: bytes) -> bytes:
    store = next(box for box in _boxes(data) if is_c2pa_box(box))
    return data[: store.offset + 4] + b"free" + data[store.offset + 8 :]


def _second_ftyp(data: bytes) -> bytes:
    first = _top(data, b"ftyp")
    return data + data[first.offset : first.end]


def _edited_brand(data: bytes) -> bytes:
    first = _top(data, b"ftyp")
    return data[: first.payload_offset] + b"qt  " + data[first.payload_offset + 4 :]


@dataclass(frozen=True)
class Row:
    """One change: its name, how to make it, and what a reader must say of our own clips."""

    name: str
    change: Change
    status: str
    integrity: str
    code: str
    samples_in: bytes = b"mdat"


ROWS = [
    Row("nothing", lambda data: data, "present", "intact", ""),
    Row("1 bit of a sample", lambda d: _flip(d, _in_samples(d)), "present", "altered", "bmffHash"),
    Row(
        "1 bit of moov",
        lambda d: _flip(d, _top(d, b"moov").offset + 40),
        "present",
        "altered",
        "bmffHash",
    ),
    Row("bytes appended", lambda d: d + b"\0" * 4, "present", "altered", "container.damaged"),
    Row("cut short", lambda d: d[:-400], "present", "altered", "container.damaged"),
    Row("second mdat", lambda d: d + _box(b"mdat", b"x" * 90), "present", "altered", "bmffHash"),
    Row("unknown box", lambda d: d + _box(b"abcd", b"x" * 90), "present", "altered", "bmffHash"),
    Row(
        "foreign uuid box",
        lambda d: d + _box(b"uuid", b"0123456789abcdef" + b"x" * 90),
        "present",
        "altered",
        "bmffHash",
    ),
    Row(
        "100 kB in a free box",
        lambda d: d + _box(b"free", b"x" * 100_000),
        "present",
        "altered",
        "bmffHash",
    ),
    Row(
        "100 kB in a skip box",
        lambda d: d + _box(b"skip", b"x" * 100_000),
        "present",
        "altered",
        "bmffHash",
    ),
    Row("second ftyp", _second_ftyp, "present", "unknown", "duplicateFtyp"),
    Row("brand in ftyp edited", _edited_brand, "present", "intact", ""),
    Row(
        "100 kB in ftyp",
        lambda d: d + _box(b"ftyp", b"isom" + b"x" * 100_000),
        "present",
        "unknown",
        "oversizedFtyp",
    ),
    Row(
        "C2PA box of purpose 'hidden'",
        lambda d: d + _c2pa(b"hidden", b"x" * 9000),
        "present",
        "unknown",
        "unknownC2paBox",
    ),
    Row("second manifest box", _copy_of_store, "unreadable", "unknown", "unreadable"),
    Row(
        "purpose retagged 'original'", lambda d: _retag(d, b"original"), "unreadable", "unknown", ""
    ),
    Row("purpose retagged 'other'", lambda d: _retag(d, b"otherone"), "unreadable", "unknown", ""),
    Row("manifest box renamed free", _store_to_free, "absent", "unknown", ""),
    Row(
        "action edited in the store",
        lambda d: _in_store(d, b"c2pa.created"),
        "present",
        "altered",
        "",
    ),
    Row(
        "soft binding edited",
        lambda d: _in_store(d, b"published-1:"),
        "present",
        "altered",
        "hashedURI",
    ),
    Row("claim edited", lambda d: _in_store(d, b"specVersion"), "present", "altered", ""),
    Row(
        "samples in a free box, swapped",
        lambda d: _flip(d, _in_samples(d)),
        "present",
        "altered",
        "",
        samples_in=b"free",
    ),
    Row(
        "samples in a skip box, swapped",
        lambda d: _flip(d, _in_samples(d)),
        "present",
        "altered",
        "",
        samples_in=b"skip",
    ),
    Row("samples of another clip", _other_samples, "present", "altered", "bmffHash"),
    Row(
        "XMP added",
        lambda d: d + _box(b"uuid", XMP_BOX + b"<x:xmpmeta/>"),
        "present",
        "altered",
        "bmffHash",
    ),
    Row("signature edited", _edited_signature, "present", "altered", "claimSignature"),
    Row("remuxed", _remux, "absent", "unknown", ""),
    Row("encoded again", _encode, "absent", "unknown", ""),
    Row("emptied", lambda _: b"", "absent", "unknown", ""),
    Row("overwritten with text", lambda _: b"not a video at all" * 9, "absent", "unknown", ""),
]


def _with_samples_in(data: bytes, kind: bytes) -> bytes:
    holder = _top(data, b"mdat")
    return data[: holder.offset + 4] + kind + data[holder.offset + 8 :]


def _sign_with_defaults(
    source: Path, target: Path, request: ManifestRequest, identity: SigningIdentity
) -> None:
    """Sign as others do: with the library's own settings, which leave padding out of the hash."""
    from c2pa import (
        Builder,
        C2paBuilderIntent,
        C2paDigitalSourceType,
        Context,
    )

    builder = Builder(json.dumps(manifest_definition(request)), context=Context.from_dict({}))
    builder.set_intent(C2paBuilderIntent.CREATE, C2paDigitalSourceType.EMPTY)
    with source.open("rb") as reading, target.open("w+b") as writing:
        builder.sign(SignatureCall(identity).for_library(), "video/mp4", reading, writing)


def _answer(path: Path, trust: TrustSettings) -> tuple[str, str, tuple[str, ...]]:
    try:
        reading = read_credentials(path, trust=trust)
    except MediaError as error:
        return "error", "", (type(error).__name__,)
    assert reading.status == "absent" or reading.signer_trust in ("trusted", "unknown")
    notes = tuple(code for code in reading.codes.informational if code.startswith("vidigree."))
    return reading.status, reading.integrity, (*reading.codes.failure, *notes)


def _library_state(path: Path, trust: TrustSettings) -> str:
    from c2pa import C2paError, Reader

    try:
        reader = Reader.try_create(path, context=sdk_context(trust))
    except C2paError:
        return "error"
    return "none" if reader is None else str(reader.get_validation_state())


@pytest.fixture
def sources(clip: Path, tmp_path: Path) -> dict[bytes, Path]:
    found = {b"mdat": clip}
    for kind in (b"free", b"skip", b"mfra"):
        found[kind] = tmp_path / f"samples-in-{kind.decode()}.mp4"
        found[kind].write_bytes(_with_samples_in(clip.read_bytes(), kind))
    return found


def test_moved_samples_still_play(sources: dict[bytes, Path]) -> None:
    for path in sources.values():
        with av.open(str(path)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 16


def test_samples_in_an_index_that_every_hash_leaves_out_are_seen(
    sources: dict[bytes, Path],
) -> None:
    """The library does not sign such a file; another signer may."""
    found = check_container(sources[b"mfra"], frozenset({"/mfra", "/ftyp", "/uuid"}))
    assert ("vidigree.container.samplesNotHashed", "altered") in [
        (finding.code, finding.breaks) for finding in found
    ]


def test_every_change_is_told_and_the_docs_say_so(
    sources: dict[bytes, Path],
    identity: SigningIdentity,
    request_for_clip: ManifestRequest,
    tmp_path: Path,
) -> None:
    trust = TrustSettings(lists=(TrustList(name="x", role="claim", anchors=identity.root),))
    lines = [
        "| change after signing | our clips | clips of others | library state, ours / theirs |",
        "|---|---|---|---|",
    ]
    for number, row in enumerate(ROWS):
        ours, theirs = tmp_path / f"ours{number}.mp4", tmp_path / f"theirs{number}.mp4"
        source = sources[row.samples_in]
        sign_file(source, ours, request=request_for_clip, identity=identity)
        _sign_with_defaults(source, theirs, request_for_clip, identity)
        for path in (ours, theirs):
            path.write_bytes(row.change(path.read_bytes()))
        status, integrity, codes = _answer(ours, trust)
        assert (status, integrity) == (row.status, row.integrity), row.name
        assert row.code in " ".join(codes), row.name
        other = _answer(theirs, trust)
        if row.name not in ("nothing", "brand in ftyp edited"):
            assert other[1] != "intact", row.name
        states = f"{_library_state(ours, trust)} / {_library_state(theirs, trust)}"
        lines.append(
            f"| {row.name} | {_cell(status, integrity, codes)} | {_cell(*other)} | {states} |"
        )
    _compare_with_docs("\n".join(lines))


def _cell(status: str, integrity: str, codes: tuple[str, ...]) -> str:
    if status == "error":
        return f"refused: `{codes[0]}`"
    if status != "present":
        return status
    names = ", ".join(f"`{code}`" for code in codes)
    return f"**{integrity}** {names}".strip()


def _compare_with_docs(table: str) -> None:
    text = DOCS.read_text(encoding="utf-8")
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    expected = f"{head}{BEGIN}\n{table}\n{END}{tail}"
    if os.environ.get("VIDIGREE_UPDATE_DOCS"):
        DOCS.write_text(expected, encoding="utf-8")
    assert text == expected or os.environ.get("VIDIGREE_UPDATE_DOCS"), (
        "docs/credentials.md differs from this run; set VIDIGREE_UPDATE_DOCS=1 to write it"
    )
