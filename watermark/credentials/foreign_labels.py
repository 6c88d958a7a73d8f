"""Labels of other makers, outside of C2PA: the AIGC tag and the IPTC fields in XMP.

They are unsigned: anybody can write or remove them. They are worth reading because whoever labels a
clip as generated rarely lies about it, and worth nothing as a proof of the contrary.

Sources: GB 45438-2025 (the ``AIGC`` key and its JSON), IPTC Photo Metadata 2025.1 and Video
Metadata Hub 1.7 (digital source type and AI fields), XMP part 3 (the ``uuid`` box of MP4).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from vidigree.media.container import is_iso_media, open_media, walk_boxes
from vidigree.media.errors import TruncatedMediaError
from vidigree.media.metadata import XMP_BOX
from vidigree.media.opening import container_tags
from vidigree.watermark.credentials.answers import ClaimedSource
from vidigree.watermark.credentials.claims import source_of_term
from vidigree.watermark.credentials.manifest import IPTC_EXTENSION
from vidigree.watermark.credentials.untrusted_text import bounded_text

__all__ = ["AigcTag", "ForeignLabels", "read_foreign_labels"]


MAX_XMP_BYTES = 2**20
"""Largest XMP packet that is parsed; real ones are below 100 kB."""

_MAX_TAG_BYTES = 16_384
_IPTC = f"{{{IPTC_EXTENSION}}}"
_TC260 = "{http://www.tc260.org.cn/ns/AIGC/1.0/}"
_DCTERMS = "{http://purl.org/dc/terms/}"
_PROPERTIES = (
    f"{_IPTC}DigitalSourceType",
    f"{_IPTC}AISystemUsed",
    f"{_IPTC}AISystemVersionUsed",
    f"{_TC260}AIGC",
    f"{_DCTERMS}provenance",
)
_RDF_RESOURCE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"


@dataclass(frozen=True, kw_only=True)
class AigcTag:
    """The implicit label of GB 45438-2025. Bounded text, as it stands there.

    Attributes:
        label: ``"1"`` in every clip seen: made by AI.
        producer: Code or name of the provider that made the content.
        produce_id: The provider's number for it.
        propagator: Code or name of the platform that passed it on.
        propagate_id: The platform's number for it.
    """

    label: str = ""
    producer: str = ""
    produce_id: str = ""
    propagator: str = ""
    propagate_id: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return the tag as JSON values."""
        return {
            "label": self.label,
            "producer": self.producer,
            "produce_id": self.produce_id,
            "propagator": self.propagator,
            "propagate_id": self.propagate_id,
        }


@dataclass(frozen=True, kw_only=True)
class ForeignLabels:
    """Unsigned labels in a file.

    Attributes:
        aigc: The AIGC tag; ``None`` without one.
        digital_source_type: Last part of the IPTC term; empty without one.
        claimed_source: What that term means.
        ai_system: IPTC "AI System Used"; empty without one.
        ai_system_version: IPTC "AI System Version Used"; empty without one.
        remote_manifest: Address of a C2PA manifest that the file points to; it is not fetched.
    """

    aigc: AigcTag | None = None
    digital_source_type: str = ""
    claimed_source: ClaimedSource = "unknown"
    ai_system: str = ""
    ai_system_version: str = ""
    remote_manifest: str = ""

    @property
    def any(self) -> bool:
        """Whether there is any label."""
        fields = (self.digital_source_type, self.ai_system, self.remote_manifest)
        return self.aigc is not None or any(fields)

    @property
    def named(self) -> str:
        """The labels in a few words, untrusted text."""
        words = []
        if self.aigc is not None:
            words.append(f"AIGC {self.aigc.label} {self.aigc.producer}".strip())
        if self.digital_source_type:
            words.append(f"IPTC {self.digital_source_type}")
        if self.ai_system:
            words.append(f"IPTC {self.ai_system} {self.ai_system_version}".strip())
        return ", ".join(words)

    @property
    def says_generated(self) -> bool:
        """Whether a label says that the content was generated, in whole or in part."""
        return (
            (self.aigc is not None and self.aigc.label == "1")
            or self.claimed_source
            in ("generated", "generated-by-algorithm", "composite-with-generated")
            or bool(self.ai_system)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the labels as JSON values."""
        return {
            "aigc": self.aigc.to_dict() if self.aigc else None,
            "digital_source_type": self.digital_source_type,
            "claimed_source": self.claimed_source,
            "ai_system": self.ai_system,
            "ai_system_version": self.ai_system_version,
            "remote_manifest": self.remote_manifest,
        }


def read_foreign_labels(path: Path) -> ForeignLabels:
    """Read the labels of a file; damage in them is absence.

    Args:
        path: A media file of any container.

    Raises:
        MediaNotFoundError: There is no such file.
        UnsupportedMediaError: The file is built to exhaust a reader.
    """
    fields = dict(_xmp_fields(_xmp_packet(path)))
    aigc = _aigc(_container_tag(path, "aigc")) or _aigc(fields.get(f"{_TC260}AIGC"))
    term = bounded_text(fields.get(f"{_IPTC}DigitalSourceType")).rstrip("/").rsplit("/", 1)[-1]
    return ForeignLabels(
        aigc=aigc,
        digital_source_type=term,
        claimed_source=source_of_term(term),
        ai_system=bounded_text(fields.get(f"{_IPTC}AISystemUsed")),
        ai_system_version=bounded_text(fields.get(f"{_IPTC}AISystemVersionUsed")),
        remote_manifest=bounded_text(fields.get(f"{_DCTERMS}provenance")),
    )


def _xmp_packet(path: Path) -> bytes:
    """Return the XMP packet of an ISO media file, empty without one."""
    with open_media(path) as stream:
        if not is_iso_media(stream):
            return b""
        try:
            for box in walk_boxes(stream):
                if box.extended_type == XMP_BOX and box.payload_size <= MAX_XMP_BYTES:
                    stream.seek(box.payload_offset)
                    return stream.read(box.payload_size)
        except TruncatedMediaError:
            return b""
    return b""


def _xmp_fields(packet: bytes) -> Iterator[tuple[str, str]]:
    """Yield name and value of the properties we read, each name once."""
    packet = packet.strip(b"\0 \r\n\t")
    # XMP has no document type; here one could only define entities that grow. UTF-16, in which it
    # could hide, is not read.
    if not packet or b"\0" in packet or b"<!" in packet.replace(b"<!--", b""):
        return
    try:
        root = ET.fromstring(packet)  # noqa: S314
    except (ET.ParseError, ValueError):
        return
    wanted = set(_PROPERTIES)
    for element in root.iter():
        for name in wanted & element.attrib.keys():
            wanted.discard(name)
            yield name, element.attrib[name]
        if element.tag in wanted:
            # Looked at once each, so that a packet of empty elements costs no more than its size.
            wanted.discard(element.tag)
            yield element.tag, _value(element)


def _value(element: ET.Element) -> str:
    """Return what a property refers to, its text, or that of its first list item."""
    if element.attrib.get(_RDF_RESOURCE):
        return element.attrib[_RDF_RESOURCE]
    return next((text.strip() for text in element.itertext() if text.strip()), "")


def _container_tag(path: Path, name: str) -> str | None:
    """Return a tag of the container by name, whatever its case; ``None`` without one."""
    tags = container_tags(path)
    return next((value for key, value in tags.items() if key.lower() == name), None)


def _aigc(text: str | None) -> AigcTag | None:
    """Return the tag in a JSON text, ``None`` if it is none."""
    if not text or len(text) > _MAX_TAG_BYTES:
        return None
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(row, dict) and isinstance(row.get("AIGC"), dict):
        row = row["AIGC"]
    if not isinstance(row, dict) or not {"Label", "ContentProducer"} & set(row):
        return None
    return AigcTag(
        label=bounded_text(row.get("Label")),
        producer=bounded_text(row.get("ContentProducer")),
        produce_id=bounded_text(row.get("ProduceID")),
        propagator=bounded_text(row.get("ContentPropagator")),
        propagate_id=bounded_text(row.get("PropagateID")),
    )
