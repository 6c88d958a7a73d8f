"""Unsigned labels in the container: the AIGC tag and the IPTC fields, as others read them.

Their readers are in :mod:`vidigree.watermark.credentials.foreign_labels`. The tag is only as good
as the next tool that handles the file; the signed manifest says the same and cannot be edited.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

from vidigree.watermark.clip import Origin
from vidigree.watermark.credentials import AigcTag, ForeignLabels
from vidigree.watermark.credentials.manifest import IPTC_EXTENSION, IPTC_TERMS
from vidigree.watermark.profiles.provider import Provider

__all__ = [
    "aigc_tag",
    "inherited_aigc_tag",
    "inherited_iptc_fields",
    "iptc_fields",
    "xmp_packet",
]

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

_AI_GENERATED = "1"

# XML 1.0, section 2.2; one of these anywhere, and no reader takes any of the packet.
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def aigc_tag(provider: Provider, produce_id: str) -> str:
    """Return the implicit label of GB 45438-2025: JSON for the container key ``AIGC``.

    Args:
        provider: Its content producer code, else its name.
        produce_id: Our number for the clip.
    """
    return _tag(_AI_GENERATED, provider.content_producer or provider.name, produce_id)


def inherited_aigc_tag(tag: AigcTag, passed_on_by: Provider | None, propagate_id: str) -> str:
    """Return the tag of the file that a clip was made from, to be kept.

    Args:
        tag: The tag as it was found.
        passed_on_by: Who enters as propagator; ``None`` leaves those fields as they were found.
        propagate_id: Our number for the clip.
    """
    propagator, number = tag.propagator, tag.propagate_id
    if passed_on_by is not None:
        propagator, number = passed_on_by.content_producer or passed_on_by.name, propagate_id
    return _tag(tag.label, tag.producer, tag.produce_id, propagator, number)


def _tag(
    label: str, producer: str, produce_id: str, propagator: str = "", propagate_id: str = ""
) -> str:
    return json.dumps(
        {
            "Label": label,
            "ContentProducer": producer,
            "ProduceID": produce_id,
            # Reserved for the producer's own protection of the very bytes, which are others now.
            "ReservedCode1": "",
            "ContentPropagator": propagator,
            "PropagateID": propagate_id,
            "ReservedCode2": "",
        },
        separators=(",", ":"),
    )


def inherited_iptc_fields(labels: ForeignLabels) -> dict[str, str]:
    """Return the IPTC fields that were found in the file that a clip was made from."""
    term = labels.digital_source_type
    fields = {
        "DigitalSourceType": f"{IPTC_TERMS}{term}" if term else "",
        "AISystemUsed": labels.ai_system,
        "AISystemVersionUsed": labels.ai_system_version,
    }
    return {name: value for name, value in fields.items() if value}


def iptc_fields(origin: Origin, source_type: str) -> dict[str, str]:
    """Return the IPTC fields by property name; the prompt is none of them.

    Args:
        origin: What made the clip.
        source_type: Last part of the IPTC digital source type.
    """
    fields = {"DigitalSourceType": f"{IPTC_TERMS}{source_type}"} if source_type else {}
    fields["AISystemUsed"] = origin.model or origin.engine
    if origin.engine_version:
        fields["AISystemVersionUsed"] = origin.engine_version
    return fields


def xmp_packet(fields: Mapping[str, str]) -> bytes:
    """Return an XMP packet (ISO 16684-1) with IPTC extension fields.

    Characters that XML cannot hold, such as control codes, become U+FFFD.
    """
    rows = "".join(
        f"   <Iptc4xmpExt:{name}>{_escaped(value)}</Iptc4xmpExt:{name}>\n"
        for name, value in fields.items()
    )
    text = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">\n'
        f' <rdf:RDF xmlns:rdf="{_RDF}">\n'
        f'  <rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{IPTC_EXTENSION}">\n'
        f"{rows}"
        "  </rdf:Description>\n </rdf:RDF>\n</x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    )
    return text.encode("utf-8")


def _escaped(value: str) -> str:
    return escape(_NOT_IN_XML.sub("\ufffd", value))
