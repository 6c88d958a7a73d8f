"""What a signature leaves out of a file is looked at, place by place."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from vidigree.media.container import walk_boxes
from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    TrustSettings,
    read_credentials,
    sign_file,
)
from vidigree.watermark.credentials.container_checks import check_container, hash_exclusions
from vidigree.watermark.credentials.embedding import C2PA_BOX_TYPE

OFFSETS = [
    "/moov/trak/mdia/minf/stbl/stco",
    "/moov/trak/mdia/minf/stbl/co64",
    "/moof/traf/tfhd",
    "/moof/traf/trun",
]
USUAL = frozenset(
    {"/uuid", "/ftyp", "/mfra", "/free", "/skip", "/emsg", "/meta/iloc", "/mfra/tfra", *OFFSETS}
)
OURS = frozenset({"/uuid", "/ftyp", "/mfra"})

Found = list[tuple[str, str]]
Look = Callable[..., Found]


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def _c2pa(purpose: bytes) -> bytes:
    return _box(b"uuid", C2PA_BOX_TYPE + bytes(4) + purpose + bytes(9))


@pytest.fixture
def look(clip: Path, tmp_path: Path) -> Look:
    """Return a function that looks at the clip with boxes behind it, or changed, by a reader."""

    def looked(
        more: bytes = b"",
        left_out: frozenset[str] | None = OURS,
        change: Callable[[bytes], bytes] = bytes,
    ) -> Found:
        path = tmp_path / "x.mp4"
        path.write_bytes(change(clip.read_bytes()) + more)
        return [
            (finding.code.removeprefix("vidigree.container."), finding.breaks)
            for finding in check_container(path, left_out)
        ]

    return looked


@pytest.mark.parametrize("left_out", [None, OURS, USUAL, frozenset()])
def test_clip_of_an_encoder_has_no_findings(look: Look, left_out: frozenset[str] | None) -> None:
    assert look(left_out=left_out) == []


def test_what_is_no_iso_file_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "x.avi").write_bytes(b"RIFF" + bytes(100))
    assert check_container(tmp_path / "x.avi", OURS) == ()


@pytest.mark.parametrize("path", ["/mdat", "/moov", "/moov/udta", "/abcd", "/free/mdat", ""])
def test_unusual_place_that_is_left_out_is_told(look: Look, path: str) -> None:
    found = look(left_out=USUAL | {path})
    assert ("contentNotHashed", "unknown") in found


@pytest.mark.parametrize("kind", [b"free", b"skip"])
@pytest.mark.parametrize(
    ("payload", "breaks"),
    [(1, ""), (1024, ""), (1025, "unknown"), (3 << 20, "unknown")],
)
def test_padding_that_is_used_is_told(look: Look, kind: bytes, payload: int, breaks: str) -> None:
    box = _box(kind, bytes(50) + b"x" * payload + bytes(50))
    left_out = OURS | {f"/{kind.decode()}"}
    assert look(box, left_out) == [("payloadNotHashed", breaks)]
    assert look(box, None) == [("payloadNotHashed", breaks)]
    assert look(box, OURS) == []
    assert look(_box(kind, bytes(3 << 20)), left_out) == []


def test_padding_counts_in_all_its_boxes(look: Look) -> None:
    box = _box(b"free", b"x" * 600) + _box(b"skip", b"x" * 600)
    assert look(box, USUAL) == [("payloadNotHashed", "unknown")]
    # Padding within another box is hashed with it.
    inside = _box(b"abcd", box)
    assert look(inside, USUAL) == []


@pytest.mark.parametrize(("payload", "found"), [(504, []), (505, [("oversizedFtyp", "unknown")])])
def test_file_type_is_short(look: Look, payload: int, found: Found) -> None:
    def change(data: bytes) -> bytes:
        (size,) = struct.unpack_from(">I", data)
        return _box(b"ftyp", b"isom" + bytes(payload - 4)) + data[size:]

    def check(data: bytes) -> bytes:
        # The samples move with the box before them; only the type is looked at here.
        return change(data).replace(b"moov", b"abcd", 1)

    assert [row for row in look(change=check) if "Ftyp" in row[0]] == found


@pytest.mark.parametrize(
    ("purposes", "found"),
    [
        ([b"manifest"], []),
        ([b"manifest", b"merkle"], []),
        ([b"merkle", b"merkle", b"original", b"update"], []),
        ([b"manifest", b"manifest"], [("severalManifestBoxes", "unknown")]),
        ([b"manifest", b"hidden"], [("unknownC2paBox", "unknown")]),
        ([b"Manifest"], [("unknownC2paBox", "unknown")]),
        ([b""], [("unknownC2paBox", "unknown")]),
    ],
)
def test_c2pa_boxes_have_one_manifest_and_known_purposes(
    look: Look, purposes: list[bytes], found: Found
) -> None:
    assert look(b"".join(map(_c2pa, purposes))) == found


def test_second_file_type_is_told(look: Look) -> None:
    assert look(_box(b"ftyp", b"isom")) == [("duplicateFtyp", "unknown")]


def test_file_that_is_cut_short_is_looked_at_as_far_as_it_goes(look: Look) -> None:
    found = look(_box(b"free", b"x" * 2000) + _box(b"mdat", b"x" * 50)[:-1], USUAL)
    assert found == [("damaged", "unknown"), ("payloadNotHashed", "unknown")]


def _renamed(kind: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(b"mdat", kind, 1)


@pytest.mark.parametrize(
    ("kind", "left_out", "found"),
    [
        (b"free", OURS | {"/free"}, ("samplesNotHashed", "altered")),
        (b"skip", USUAL, ("samplesNotHashed", "altered")),
        (b"mfra", OURS, ("samplesNotHashed", "altered")),
        (b"free", OURS, ("samplesOutsideMdat", "")),
        (b"abcd", USUAL, ("samplesOutsideMdat", "")),
    ],
)
def test_samples_lie_where_the_hash_covers_them(
    look: Look, kind: bytes, left_out: frozenset[str], found: tuple[str, str]
) -> None:
    told = [row for row in look(left_out=left_out, change=_renamed(kind)) if "samples" in row[0]]
    assert told == [found]


def test_samples_in_a_uuid_box_are_not_hashed_whatever_is_left_out(look: Look) -> None:
    """A hash leaves out ``uuid`` boxes by their extended type, which a path does not tell."""
    assert ("samplesNotHashed", "altered") in look(left_out=frozenset(), change=_renamed(b"uuid"))


@pytest.fixture(scope="module")
def with_sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a clip of two tracks, whose chunks lie in turn."""
    path = tmp_path_factory.mktemp("sound") / "clip.mp4"
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=8)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("aac", rate=48_000, layout="mono")
        for number in range(16):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 9 * number, np.uint8))
            container.mux(video.encode(frame))
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 6_000), np.float32), "fltp", "mono")
            silence.rate, silence.pts = 48_000, 6_000 * number
            container.mux(sound.encode(silence))
        container.mux([*video.encode(None), *sound.encode(None)])
    return path.read_bytes()


def _swapped_chunks(data: bytes) -> bytes:
    """Let the first two chunks of a track change places, without their bytes."""
    at = data.index(b"stco") + 4
    (count,) = struct.unpack_from(">I", data, at + 4)
    assert count > 1
    first, second = at + 8, at + 12
    return data[:first] + data[second : second + 4] + data[first:second] + data[second + 4 :]


@pytest.mark.parametrize("path", OFFSETS)
def test_order_of_chunks_that_nothing_holds_is_told(
    look: Look, with_sound: bytes, path: str
) -> None:
    usual, swapped = (lambda _: with_sound), (lambda _: _swapped_chunks(with_sound))
    found = [("offsetsNotHashed", "unknown")]
    assert look(left_out=OURS | {path}, change=swapped) == found
    assert look(left_out=OURS | {path}, change=usual) == []
    assert look(left_out=OURS, change=swapped) == []


def test_chunks_with_room_between_them_may_have_been_elsewhere(
    look: Look, with_sound: bytes
) -> None:
    """They are in their order, and something else lies in the gap."""
    at = with_sound.index(b"stco") + 4
    (count,) = struct.unpack_from(">I", with_sound, at + 4)
    last = at + 4 + 4 * count
    (offset,) = struct.unpack_from(">I", with_sound, last)
    moved = with_sound[:last] + struct.pack(">I", offset + 1) + with_sound[last + 4 :]
    found = look(left_out=OURS | {OFFSETS[0]}, change=lambda _: moved)
    assert ("offsetsNotHashed", "unknown") in found
    assert ("offsetsNotHashed", "unknown") not in look(left_out=OURS, change=lambda _: moved)


def _elsewhere(data: bytes) -> bytes:
    """Let the first track take its samples from another file."""
    at = data.index(b"url ", data.index(b"dref")) + 4
    return data[:at] + bytes(4) + data[at + 4 :]


def test_samples_in_another_file_are_altered(look: Look) -> None:
    assert look(change=_elsewhere) == [("externalSamples", "altered")]


def test_signature_over_samples_in_another_file_does_not_hold(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    (tmp_path / "x.mp4").write_bytes(_elsewhere(clip.read_bytes()))
    signed = tmp_path / "signed.mp4"
    sign_file(tmp_path / "x.mp4", signed, request=request_for_clip, identity=identity)
    reading = read_credentials(signed, trust=TrustSettings.load())
    assert (reading.content_binding, reading.integrity) == ("match", "altered")
    assert "vidigree.container.externalSamples" in reading.codes.failure


def test_what_a_hash_leaves_out_is_read_from_every_hash() -> None:
    rows = {
        "c2pa.hash.bmff.v2": {"exclusions": [{"xpath": "/free"}, "no row", {"xpath": "/skip"}]},
        "c2pa.hash.bmff.v3__1": {"exclusions": [{"xpath": "/mdat"}, {}]},
        "c2pa.hash.data": {"exclusions": [{"xpath": "/other"}]},
    }
    assert hash_exclusions(rows) == {"/free", "/skip", "/mdat", "None"}
    assert hash_exclusions({"c2pa.hash.bmff": {"exclusions": "all"}}) == frozenset()
    assert hash_exclusions({"c2pa.hash.bmff": ["/mdat"], "c2pa.hash.data": {}}) is None
    assert hash_exclusions({}) is None


def test_boxes_are_found_where_the_tests_put_them(clip: Path) -> None:
    with clip.open("rb") as stream:
        kinds = [box.kind for box in walk_boxes(stream) if box.path.count("/") == 1]
    assert kinds[0] == b"ftyp"
    assert {b"moov", b"mdat"} <= set(kinds)
