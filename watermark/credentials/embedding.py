"""Where a manifest store lies in a file: the C2PA ``uuid`` box (C2PA 2.4 appendix A.5)."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import BinaryIO

from vidigree.media.container import Box, is_iso_media, open_media, walk_boxes
from vidigree.media.errors import CredentialsError

__all__ = ["C2PA_BOX_TYPE", "MAX_STORE_BYTES", "box_purpose", "embedded_store", "is_c2pa_box"]

C2PA_BOX_TYPE = uuid.UUID("d8fec3d6-1b0e-483c-9297-5828877ec481").bytes

MAX_STORE_BYTES = 16 * 2**20
"""Largest manifest store that is read; real ones are below 1 MB."""

# Version and flags, the purpose as a C string, and the offset of the Merkle box.
_PURPOSE_OFFSET = 4
_MAX_PURPOSE = 32
_MERKLE_OFFSET_BYTES = 8


def is_c2pa_box(box: Box) -> bool:
    """Return whether this is a C2PA box of any purpose."""
    return box.extended_type == C2PA_BOX_TYPE


def box_purpose(stream: BinaryIO, box: Box) -> str:
    """Return what a C2PA box says it is for: ``"manifest"``, ``"merkle"``, ``"original"``..."""
    stream.seek(box.payload_offset + _PURPOSE_OFFSET)
    head = stream.read(min(_MAX_PURPOSE, max(0, box.payload_size - _PURPOSE_OFFSET)))
    return head.split(b"\0", 1)[0].decode("ascii", errors="replace")


def embedded_store(path: Path) -> bytes | None:
    """Return the bytes of the manifest store in a file, ``None`` where there is none.

    Files that are not ISO base media give ``None`` as well.

    Raises:
        MediaError: The file cannot be read, or its boxes are damaged before a store was found.
        CredentialsError: The store is larger than any real one.
    """
    with open_media(path) as stream:
        if not is_iso_media(stream):
            return None
        for box in walk_boxes(stream):
            # Within another box it is nobody's store: who validates the file does not look there.
            here = box.path == "/uuid" and is_c2pa_box(box)
            if here and box_purpose(stream, box) in ("manifest", "update"):
                return _read_store(stream, box)
    return None


def _read_store(stream: BinaryIO, box: Box) -> bytes:
    purpose = box_purpose(stream, box)
    skipped = _PURPOSE_OFFSET + len(purpose) + 1 + _MERKLE_OFFSET_BYTES
    size = box.payload_size - skipped
    if not 0 <= size <= MAX_STORE_BYTES:
        raise CredentialsError(
            f"The manifest store claims {size} bytes.",
            hint=f"Stores up to {MAX_STORE_BYTES} bytes are read.",
        )
    stream.seek(box.payload_offset + skipped)
    return stream.read(size)
