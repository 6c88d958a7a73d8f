"""The XMP packet can be read, whatever a model is called."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from vidigree.watermark.credentials.manifest import IPTC_EXTENSION
from vidigree.watermark.profiles.tags import xmp_packet


@given(st.text())
def test_every_name_gives_a_packet_that_says_it(name: str) -> None:
    packet = xmp_packet({"AISystemUsed": name, "AISystemVersionUsed": "1"})
    root = ET.fromstring(packet)
    said = {element.tag: element.text or "" for element in root.iter()}
    assert said[f"{{{IPTC_EXTENSION}}}AISystemVersionUsed"] == "1"
    # XML reads every line break as one kind.
    expected = name.replace("\r\n", "\n").replace("\r", "\n")
    told = said[f"{{{IPTC_EXTENSION}}}AISystemUsed"]
    assert len(told) == len(expected)
    assert all(one in {wanted, "\ufffd"} for one, wanted in zip(told, expected, strict=True))


def test_control_codes_become_replacement_characters() -> None:
    packet = xmp_packet({"AISystemUsed": "mo\x01del\ufffe\x00"})
    assert "mo\ufffddel\ufffd\ufffd</" in packet.decode()
    ET.fromstring(packet)
