"""Our own look at the container, before a signature over it is believed.

A C2PA hard binding leaves boxes out on purpose (``ftyp``, the C2PA box itself, with many signers
``free`` and ``skip``). What hides there is not signed: pictures that a sample table points to
included. So every place that the hash leaves out is looked at here, and a file that uses one for
more than padding does not count as intact, whatever the library says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vidigree.media.container import Box, is_iso_media, open_media, walk_boxes
from vidigree.media.errors import TruncatedMediaError
from vidigree.media.sample_layout import sample_layout
from vidigree.watermark.credentials.embedding import box_purpose, is_c2pa_box
from vidigree.watermark.credentials.index_checks import strange_index

__all__ = ["ContainerFinding", "check_container", "hash_exclusions"]

# What C2PA 2.4 appendix A.5 (and earlier versions, for v1 and v2 of the assertion) leaves out.
_USUAL_EXCLUSIONS = frozenset(
    {
        "/uuid",
        "/ftyp",
        "/mfra",
        "/free",
        "/skip",
        "/emsg",
        "/meta/iloc",
        "/mfra/tfra",
        "/moov/trak/mdia/minf/stbl/stco",
        "/moov/trak/mdia/minf/stbl/co64",
        "/moof/traf/tfhd",
        "/moof/traf/trun",
    }
)
# Versions 1 and 2 of the hash leave these out, so that chunks could be put in another order.
_OFFSETS = frozenset(
    {
        "/moov/trak/mdia/minf/stbl/stco",
        "/moov/trak/mdia/minf/stbl/co64",
        "/moof/traf/tfhd",
        "/moof/traf/trun",
    }
)
_PURPOSES = frozenset({"manifest", "merkle", "original", "update"})

# Encoders write their name into a free box; a picture does not fit.
_SMALL_PAYLOAD = 1024
_MAX_FTYP = 512
_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class ContainerFinding:
    """Something about the container.

    Attributes:
        code: Our status code, ``vidigree.container.*``.
        breaks: What it does to integrity: ``"altered"``, ``"unknown"``, or empty for a mere note.
        detail: What was found, in numbers.
    """

    code: str
    breaks: str
    detail: str


def hash_exclusions(assertions: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the box paths that a manifest's BMFF hash leaves out, ``None`` without such a hash."""
    found: set[str] = set()
    seen = False
    for label, data in assertions.items():
        if label.startswith("c2pa.hash.bmff") and isinstance(data, dict):
            seen = True
            rows = data.get("exclusions")
            for row in rows if isinstance(rows, list) else []:
                if isinstance(row, dict):
                    found.add(str(row.get("xpath")))
    return frozenset(found) if seen else None


def check_container(path: Path, exclusions: frozenset[str] | None) -> tuple[ContainerFinding, ...]:
    """Look for what a signature over this file does not cover.

    Args:
        path: The file.
        exclusions: Box paths that the hash leaves out; ``None`` takes the usual ones.

    Raises:
        MediaError: The file cannot be read, or is built to exhaust a reader.
    """
    with open_media(path) as stream:
        if not is_iso_media(stream):
            return ()
        left_out = _USUAL_EXCLUSIONS if exclusions is None else exclusions
        found = list(_excluded_content(left_out))
        boxes: list[Box] = []
        try:
            boxes.extend(walk_boxes(stream))
            found += _samples(stream, boxes, left_out)
        except TruncatedMediaError as error:
            found.append(
                ContainerFinding(
                    code="vidigree.container.damaged", breaks="unknown", detail=error.message
                )
            )
        found += _padding(stream, boxes, left_out)
        found += _file_types(boxes)
        found += _c2pa_boxes(stream, boxes)
        return tuple(found)


def _excluded_content(left_out: frozenset[str]) -> Iterable[ContainerFinding]:
    unusual = sorted(left_out - _USUAL_EXCLUSIONS)
    if unusual:
        yield ContainerFinding(
            code="vidigree.container.contentNotHashed",
            breaks="unknown",
            detail=f"the signer left out {len(unusual)} unusual box paths",
        )


def _samples(
    stream: BinaryIO, boxes: list[Box], left_out: frozenset[str]
) -> Iterable[ContainerFinding]:
    strange = strange_index(stream, boxes)
    if strange:
        yield ContainerFinding(
            code="vidigree.container.strangeIndex", breaks="unknown", detail=strange
        )
    layout = sample_layout(stream, boxes)
    if layout.external:
        yield ContainerFinding(
            code="vidigree.container.externalSamples",
            breaks="altered",
            detail=f"{layout.external} tracks take their samples from another file",
        )
    if left_out & _OFFSETS and not (layout.in_order and layout.seamless):
        yield ContainerFinding(
            code="vidigree.container.offsetsNotHashed",
            breaks="unknown",
            detail="the hash leaves chunk offsets out, and the chunks are not in their usual order",
        )
    # Anywhere in a top-level box that the hash covers is signed; elsewhere is not.
    signed = [
        (box.payload_offset, box.end)
        for box in boxes
        if box.path.count("/") == 1 and box.path not in left_out and box.kind != b"uuid"
    ]
    outside = layout.outside(signed)
    if outside:
        yield ContainerFinding(
            code="vidigree.container.samplesNotHashed",
            breaks="altered",
            detail=f"{outside} bytes of samples lie in boxes that the signature leaves out",
        )
    proper = [(box.payload_offset, box.end) for box in boxes if box.kind in (b"mdat", b"idat")]
    elsewhere = layout.outside(proper)
    if elsewhere and not outside:
        yield ContainerFinding(
            code="vidigree.container.samplesOutsideMdat",
            breaks="",
            detail=f"{elsewhere} bytes of samples lie outside mdat",
        )


def _padding(
    stream: BinaryIO, boxes: list[Box], left_out: frozenset[str]
) -> Iterable[ContainerFinding]:
    payload = sum(
        _used_bytes(stream, box)
        for box in boxes
        if box.kind in (b"free", b"skip") and box.path in left_out
    )
    if payload:
        yield ContainerFinding(
            code="vidigree.container.payloadNotHashed",
            breaks="unknown" if payload > _SMALL_PAYLOAD else "",
            detail=f"{payload} bytes other than zero in padding that the signature leaves out",
        )


def _used_bytes(stream: BinaryIO, box: Box) -> int:
    """Count the bytes of a box that are not zero, block by block."""
    stream.seek(box.payload_offset)
    left, used = box.payload_size, 0
    while left > 0:
        block = stream.read(min(_BLOCK, left))
        if not block:
            break
        used += len(block) - block.count(0)
        left -= len(block)
    return used


def _file_types(boxes: list[Box]) -> Iterable[ContainerFinding]:
    found = [box for box in boxes if box.kind == b"ftyp"]
    if len(found) > 1:
        yield ContainerFinding(
            code="vidigree.container.duplicateFtyp",
            breaks="unknown",
            detail=f"{len(found)} ftyp boxes",
        )
    if any(box.size > _MAX_FTYP for box in found):
        yield ContainerFinding(
            code="vidigree.container.oversizedFtyp",
            breaks="unknown",
            detail=f"an ftyp box of {max(box.size for box in found)} bytes",
        )


def _c2pa_boxes(stream: BinaryIO, boxes: list[Box]) -> Iterable[ContainerFinding]:
    purposes = [box_purpose(stream, box) for box in boxes if is_c2pa_box(box)]
    if sum(purpose == "manifest" for purpose in purposes) > 1:
        yield ContainerFinding(
            code="vidigree.container.severalManifestBoxes",
            breaks="unknown",
            detail=f"{purposes.count('manifest')} C2PA boxes with a manifest",
        )
    strange = sum(purpose not in _PURPOSES for purpose in purposes)
    if strange:
        yield ContainerFinding(
            code="vidigree.container.unknownC2paBox",
            breaks="unknown",
            detail=f"{strange} C2PA boxes of no known purpose, which the signature leaves out",
        )
