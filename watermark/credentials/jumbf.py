"""Just enough of JUMBF (ISO 19566-5) to take a manifest store apart and put it together again.

A store is a superbox of manifests; the last one is the active one (C2PA 2.4 section 11.1). Moving
another manifest to the end makes a store in which the library validates *that* one, today and with
our trust lists, instead of what its successor's signer wrote down about it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from vidigree.media.errors import CredentialsError

__all__ = ["StoredManifest", "activate", "active_only", "stored_manifests"]

_MAX_MANIFESTS = 256
_SUPERBOX = b"jumb"
_DESCRIPTION = b"jumd"
# A description box: 16 bytes of type, 1 byte of toggles, then the label if toggle 2 is set.
_LABEL_OFFSET = 17
_LABEL_PRESENT = 0x02


@dataclass(frozen=True, kw_only=True)
class StoredManifest:
    """One manifest in a store.

    Attributes:
        label: Its label, e.g. ``"urn:c2pa:..."``.
        box: The whole superbox with its header.
    """

    label: str
    box: bytes


def stored_manifests(store: bytes) -> tuple[StoredManifest, ...]:
    """Return the manifests of a store in order; the last one is the active one.

    Raises:
        CredentialsError: The store is damaged or holds too many manifests.
    """
    _, children = _open_store(store)
    if len(children) > _MAX_MANIFESTS:
        raise CredentialsError(
            f"The manifest store holds {len(children)} manifests; {_MAX_MANIFESTS} is the limit."
        )
    return tuple(StoredManifest(label=_label(box), box=box) for box in children)


def activate(store: bytes, label: str) -> bytes:
    """Return the store with the manifest ``label`` last, so that it is the active one.

    Raises:
        CredentialsError: The store is damaged or holds no such manifest.
    """
    description, children = _open_store(store)
    chosen = [box for box in children if _label(box) == label]
    if len(chosen) != 1:
        raise CredentialsError(f"The manifest store does not hold {label!r} exactly once.")
    others = [box for box in children if _label(box) != label]
    body = description + b"".join(others) + chosen[0]
    return struct.pack(">I4s", 8 + len(body), _SUPERBOX) + body


def active_only(store: bytes) -> bytes:
    """Return a store that holds the active manifest alone.

    Raises:
        CredentialsError: The store is damaged or empty.
    """
    description, children = _open_store(store)
    if not children:
        raise CredentialsError("The manifest store is empty.")
    body = description + children[-1]
    return struct.pack(">I4s", 8 + len(body), _SUPERBOX) + body


def _open_store(store: bytes) -> tuple[bytes, list[bytes]]:
    """Return the description box and the manifest boxes of a store."""
    outer = next(_boxes(store), (b"", b"", 0))
    kind, box, header = outer
    if kind != _SUPERBOX:
        raise CredentialsError("The manifest store is not a JUMBF superbox.")
    parts = list(_boxes(box[header:]))
    if not parts or parts[0][0] != _DESCRIPTION:
        raise CredentialsError("The manifest store has no description box.")
    return parts[0][1], [content for kind, content, _ in parts[1:] if kind == _SUPERBOX]


def _label(superbox: bytes) -> str:
    for kind, box, header in _boxes(superbox[_header_length(superbox) :]):
        if kind == _DESCRIPTION and len(box) > header + _LABEL_OFFSET:
            content = box[header:]
            if content[16] & _LABEL_PRESENT:
                return content[_LABEL_OFFSET:].split(b"\0", 1)[0].decode("utf-8", "replace")
        break
    return ""


def _header_length(box: bytes) -> int:
    return 16 if box[:4] == b"\0\0\0\1" else 8


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield (type, whole box, header length) of the boxes that follow one another in ``data``."""
    offset = 0
    while offset + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, offset)
        header = 8
        if size == 1 and offset + 16 <= len(data):
            (size,) = struct.unpack_from(">Q", data, offset + 8)
            header = 16
        elif size == 0:
            size = len(data) - offset
        if size < header or offset + size > len(data):
            raise CredentialsError("A box of the manifest store runs past its end.")
        yield kind, data[offset : offset + size], header
        offset += size
