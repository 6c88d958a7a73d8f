"""Unsigned labels of others are named, whatever else the file is; damage is absence."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidigree.media.errors import MediaNotFoundError
from vidigree.media.metadata import XMP_BOX
from vidigree.watermark.credentials import (
    ManifestRequest,
    SigningIdentity,
    TrustSettings,
    read_credentials,
    read_foreign_labels,
    sign_file,
)
from vidigree.watermark.credentials.foreign_labels import (
    MAX_XMP_BYTES,
    AigcTag,
    ForeignLabels,
)
from vidigree.watermark.credentials.manifest import SoftBinding

AIGC = {
    "Label": "1",
    "ContentProducer": "001191110000000000000000000",
    "ProduceID": "42",
    "ReservedCode1": "",
    "ContentPropagator": "",
    "PropagateID": "",
    "ReservedCode2": "",
}
PACKET = """<?xpacket begin="" id="x"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:t="http://www.tc260.org.cn/ns/AIGC/1.0/" xmlns:d="http://purl.org/dc/terms/"{attributes}>
{body}</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
TERM = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def _with_xmp(clip: Path, out: Path, *, body: str = "", attributes: str = "") -> Path:
    packet = PACKET.format(body=body, attributes=attributes).encode()
    box = struct.pack(">I4s", 24 + len(packet), b"uuid") + XMP_BOX + packet
    out.write_bytes(clip.read_bytes() + box)
    return out


def _box(packet: bytes) -> bytes:
    return struct.pack(">I4s", 24 + len(packet), b"uuid") + XMP_BOX + packet


def _system(name: str) -> bytes:
    body = f"<e:AISystemUsed>{name}</e:AISystemUsed>"
    return PACKET.format(body=body, attributes="").encode()


def _with_tag(clip: Path, out: Path, value: str) -> Path:
    options = {"movflags": "+faststart+use_metadata_tags"}
    with av.open(str(clip)) as source, av.open(str(out), "w", options=options) as target:
        target.metadata["AIGC"] = value
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    return out


def test_clip_without_labels_has_none(clip: Path) -> None:
    assert not read_foreign_labels(clip).any


def test_aigc_tag_of_the_container_is_read(clip: Path, tmp_path: Path) -> None:
    found = read_foreign_labels(_with_tag(clip, tmp_path / "x.mp4", json.dumps(AIGC))).aigc
    assert found is not None
    assert (found.label, found.producer, found.produce_id) == ("1", AIGC["ContentProducer"], "42")


def test_aigc_tag_in_xmp_is_read(clip: Path, tmp_path: Path) -> None:
    text = json.dumps(AIGC).replace('"', "&quot;")
    path = _with_xmp(clip, tmp_path / "x.mp4", body=f"<t:AIGC>{text}</t:AIGC>")
    found = read_foreign_labels(path).aigc
    assert found is not None
    assert found.label == "1"


@pytest.mark.parametrize(
    ("body", "attributes"),
    [
        (f"<e:DigitalSourceType>{TERM}</e:DigitalSourceType>", ""),
        (f'<e:DigitalSourceType rdf:resource="{TERM}"/>', ""),
        ("", f' e:DigitalSourceType="{TERM}"'),
    ],
    ids=["text", "resource", "attribute"],
)
def test_iptc_source_type_is_read_in_every_spelling(
    clip: Path, tmp_path: Path, body: str, attributes: str
) -> None:
    path = _with_xmp(clip, tmp_path / "x.mp4", body=body, attributes=attributes)
    found = read_foreign_labels(path)
    assert found.digital_source_type == "trainedAlgorithmicMedia"
    assert found.claimed_source == "generated"


def test_ai_fields_and_remote_manifest_are_named(clip: Path, tmp_path: Path) -> None:
    body = "<e:AISystemUsed>A Model</e:AISystemUsed>"
    body += "<e:AISystemVersionUsed>3</e:AISystemVersionUsed>"
    attributes = ' d:provenance="https://example.org/x.c2pa"'
    found = read_foreign_labels(
        _with_xmp(clip, tmp_path / "x.mp4", body=body, attributes=attributes)
    )
    assert (found.ai_system, found.ai_system_version) == ("A Model", "3")
    assert found.remote_manifest == "https://example.org/x.c2pa"


def test_only_a_label_that_says_so_says_that_a_clip_was_generated() -> None:
    kinds = {
        "generated": True,
        "generated-by-algorithm": True,
        "composite-with-generated": True,
        "captured": False,
        "unknown": False,
    }
    for kind, says in kinds.items():
        labels = ForeignLabels(digital_source_type="x", claimed_source=kind)  # type: ignore[arg-type]
        assert (labels.any, labels.says_generated) == (True, says)
    for label, says in (("1", True), ("2", False), ("", False)):
        labels = ForeignLabels(aigc=AigcTag(label=label))
        assert (labels.any, labels.says_generated) == (True, says)
    model = ForeignLabels(ai_system="A Model")
    assert (model.any, model.says_generated) == (True, True)
    pointer = ForeignLabels(remote_manifest="https://example.org/x.c2pa")
    assert (pointer.any, pointer.says_generated) == (True, False)
    assert (ForeignLabels().any, ForeignLabels().says_generated) == (False, False)


def test_labels_are_named_in_a_few_words_and_shown_whole() -> None:
    tag = AigcTag(label="1", producer="x", produce_id="2", propagator="y", propagate_id="3")
    labels = ForeignLabels(
        aigc=tag, digital_source_type="term", ai_system="A Model", ai_system_version="3"
    )
    assert labels.named == "AIGC 1 x, IPTC term, IPTC A Model 3"
    assert labels.to_dict()["aigc"] == vars(tag)
    assert (ForeignLabels().named, ForeignLabels().to_dict()["aigc"]) == ("", None)
    assert ForeignLabels(ai_system="A Model").named == "IPTC A Model"


def test_a_tag_of_the_container_comes_before_one_in_xmp(clip: Path, tmp_path: Path) -> None:
    inner = json.dumps({**AIGC, "ProduceID": "7"}).replace('"', "&quot;")
    packet = PACKET.format(body=f"<t:AIGC>{inner}</t:AIGC>", attributes="").encode()
    tagged = _with_tag(clip, tmp_path / "x.mp4", json.dumps({"AIGC": AIGC}))
    tagged.write_bytes(tagged.read_bytes() + _box(packet))
    found = read_foreign_labels(tagged).aigc
    assert found is not None
    assert found.produce_id == "42"


@pytest.mark.parametrize(
    ("row", "label"),
    [({"Label": "1"}, "1"), ({"Label": 1}, "1"), ({"ContentProducer": "x"}, "")],
)
def test_a_label_or_a_producer_makes_a_tag(
    clip: Path, tmp_path: Path, row: dict[str, object], label: str
) -> None:
    for tag in (row, {"AIGC": row}):
        found = read_foreign_labels(_with_tag(clip, tmp_path / "x.mp4", json.dumps(tag))).aigc
        assert found is not None
        assert found.label == label


def test_a_packet_that_is_too_large_hides_none_that_follows(clip: Path, tmp_path: Path) -> None:
    plain, path = clip.read_bytes(), tmp_path / "x.mp4"
    fits = _system("first").ljust(MAX_XMP_BYTES)
    path.write_bytes(plain + _box(fits + b" ") + _box(_system("second")))
    assert read_foreign_labels(path).ai_system == "second"
    path.write_bytes(plain + _box(fits) + _box(_system("second")))
    assert read_foreign_labels(path).ai_system == "first"


def test_a_file_that_ends_early_has_no_labels_and_no_error(clip: Path, tmp_path: Path) -> None:
    packet = _box(_system("A Model"))
    (tmp_path / "x.mp4").write_bytes(clip.read_bytes() + packet[:-9])
    assert not read_foreign_labels(tmp_path / "x.mp4").any


@pytest.mark.parametrize(
    ("change", "read"),
    [
        (lambda packet: b"\0\0 " + packet + b"\0\0", True),
        (lambda packet: packet.replace(b"<rdf:RDF", b"<!-- a note --><rdf:RDF", 1), True),
        (lambda packet: packet.decode().encode("utf-16"), False),
        (lambda packet: packet.replace(b"A Model", b"A\0Model"), False),
        (lambda packet: packet.replace(b"A Model", b"<![CDATA[A Model]]>"), False),
        (lambda packet: b"<<!--!DOCTYPE x>-->" + packet, False),
    ],
    ids=["padding", "comment", "UTF-16", "null", "CDATA", "comment in a tag"],
)
def test_a_packet_is_plain_xml_in_utf_8(
    clip: Path, tmp_path: Path, change: Callable[[bytes], bytes], read: bool
) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(clip.read_bytes() + _box(change(_system("A Model"))))
    assert (read_foreign_labels(path).ai_system == "A Model") is read


def test_the_first_value_of_a_property_counts(clip: Path, tmp_path: Path) -> None:
    words = "<rdf:Alt><rdf:li> </rdf:li><rdf:li>{}</rdf:li></rdf:Alt>"
    body = "".join(f"<e:AISystemUsed>{words.format(n)}</e:AISystemUsed>" for n in ("one", "two"))
    body += f'<e:DigitalSourceType rdf:resource="">{TERM}/</e:DigitalSourceType>'
    found = read_foreign_labels(_with_xmp(clip, tmp_path / "x.mp4", body=body))
    assert (found.ai_system, found.digital_source_type) == ("one", "trainedAlgorithmicMedia")


def test_entities_are_not_expanded(clip: Path, tmp_path: Path) -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;">]>'
    packet = bomb + PACKET.format(body="<e:AISystemUsed>&c;</e:AISystemUsed>", attributes="")
    box = struct.pack(">I4s", 24 + len(packet), b"uuid") + XMP_BOX + packet.encode()
    (tmp_path / "x.mp4").write_bytes(clip.read_bytes() + box)
    assert not read_foreign_labels(tmp_path / "x.mp4").any


@pytest.mark.timeout(20)
def test_packet_of_nested_emptiness_costs_no_more_than_its_size(clip: Path, tmp_path: Path) -> None:
    body = "<e:AISystemUsed>" * 20_000 + "</e:AISystemUsed>" * 20_000
    assert not read_foreign_labels(_with_xmp(clip, tmp_path / "x.mp4", body=body)).any


@pytest.mark.parametrize(
    "value", ["{", "[]", '"x"', '{"other": 1}', "[" * 5000, '{"Label": "' + "x" * 20_000 + '"}']
)
def test_tag_that_is_none_is_absence(clip: Path, tmp_path: Path, value: str) -> None:
    assert read_foreign_labels(_with_tag(clip, tmp_path / "x.mp4", value)).aigc is None


def test_strings_are_bounded_and_printable(clip: Path, tmp_path: Path) -> None:
    row = {**AIGC, "ContentProducer": "a\x1b[31m\u202e" + "x" * 5000}
    found = read_foreign_labels(_with_tag(clip, tmp_path / "x.mp4", json.dumps(row))).aigc
    assert found is not None
    assert len(found.producer) <= 256
    assert found.producer.isprintable()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.binary(max_size=200))
def test_any_packet_ends_in_labels(tmp_path: Path, data: bytes) -> None:
    box = struct.pack(">I4s", 24 + len(data), b"uuid") + XMP_BOX + data
    (tmp_path / "x.mp4").write_bytes(struct.pack(">I4s4s", 12, b"ftyp", b"isom") + box)
    assert not read_foreign_labels(tmp_path / "x.mp4").any


def test_labels_are_those_of_the_file_that_is_asked_for_its_own_credentials(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    path = _with_tag(clip, tmp_path / "x.mp4", json.dumps(AIGC))
    assert read_credentials(path, trust=TrustSettings()).labels.aigc is not None
    store = sign_file(clip, tmp_path / "y.mp4", request=request_for_clip, identity=identity)
    recovered = read_credentials(path, trust=TrustSettings(), store=store)
    assert recovered.recovered
    assert not recovered.labels.any


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MediaNotFoundError):
        read_foreign_labels(tmp_path / "missing.mp4")


def test_soft_binding_of_an_unknown_algorithm_is_named(
    clip: Path, identity: SigningIdentity, request_for_clip: ManifestRequest, tmp_path: Path
) -> None:
    from dataclasses import replace

    foreign = SoftBinding(alg="org.nobody.knows.7", value="q" * 1000)
    request = replace(request_for_clip, mark=foreign)
    sign_file(clip, tmp_path / "x.mp4", request=request, identity=identity)
    (found,) = read_credentials(tmp_path / "x.mp4", trust=TrustSettings()).soft_bindings
    assert found.alg == "org.nobody.knows.7"
    assert len(found.value) <= 256
