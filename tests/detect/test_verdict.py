"""The truth table, one case a row, and the words of every verdict."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from vidigree.detect.classifier import ABSTENTIONS
from vidigree.detect.evidence import LAYERS
from vidigree.detect.findings import Confidence, Finding
from vidigree.detect.readings import LedgerReading, NotChecked, Readings
from vidigree.detect.rules import RULES
from vidigree.detect.verdict import Verdict, judge
from vidigree.detect.wording import LANGUAGES, wording
from vidigree.watermark.keyring import PUBLISHED_KEY
from vidigree.watermark.method import MarkReading, MarkSegment

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
OURS = "com.vidigree.robust.1"


@dataclass(frozen=True, kw_only=True)
class Binding:
    alg: str
    value: str


@dataclass(frozen=True, kw_only=True)
class Ingredient:
    integrity: str = "intact"
    claimed_source: str = "unknown"
    ingredients: tuple[Ingredient, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Signer:
    organization: str = "Example Studio"
    common_name: str = "Example Studio signing"


@dataclass(frozen=True, kw_only=True)
class Labels:
    says_generated: bool = False
    named: str = ""


@dataclass(frozen=True, kw_only=True)
class Credentials:
    status: str = "present"
    integrity: str = "intact"
    signer_trust: str = "trusted"
    validity: str = "valid"
    timestamp: str = "absent"
    claimed_source: str = "generated"
    trusted_by: str | None = "list"
    signer: Signer | None = field(default_factory=Signer)
    generator: str | None = "vidigree"
    soft_bindings: tuple[Binding, ...] = ()
    ingredients: tuple[Ingredient, ...] = ()
    labels: Labels = field(default_factory=Labels)
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Window:
    start: float = 0.0
    end: float = 2.0
    llr: float = 3.0


@dataclass(frozen=True, kw_only=True)
class Classifier:
    status: str = "scored"
    reason: str = ""
    llr: float | None = -1.0
    p_value: float | None = 0.5
    likely_synthetic: bool = False
    windows: tuple[Window, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


NONE = Credentials(status="absent")
GENERATED = Credentials()
CAPTURED = Credentials(claimed_source="captured", generator="Camera 1")
CLIP_ID = 0x00000000000000AB
BOUND = replace(GENERATED, soft_bindings=(Binding(alg=OURS, value=f"{CLIP_ID:016x}"),))
NO_MARK = MarkReading(method="robust", present=False, p_value=0.4)
MARK = MarkReading(
    method="robust",
    present=True,
    p_value=1e-20,
    message=CLIP_ID,
    key_id="mk-1",
    segments=(MarkSegment(start=0.0, end=4.0, p_value=1e-20, message=CLIP_ID),),
)
ENTRY = LedgerReading(
    found_by="mark",
    clip_id=f"{CLIP_ID:016x}",
    similarity=0.97,
    same_content=True,
    claimed_source="generated",
    generated=True,
    engine="render",
    issued_at="2026-01-02T03:04:05+00:00",
)
CLEAN = Readings(credentials=NONE, marks=(NO_MARK,), classifier=Classifier())
LIKELY = Classifier(llr=4.0, likely_synthetic=True, windows=(Window(), Window(start=2, llr=-1.0)))
ABSTAINED = Classifier(status="abstained", reason="the clip is shorter than 1 s", llr=None)

ROWS: dict[str, Readings] = {
    "capture-over-mark": replace(CLEAN, credentials=CAPTURED, marks=(MARK,)),
    "capture-over-ledger": replace(
        CLEAN, credentials=CAPTURED, ledger=replace(ENTRY, found_by="fingerprint")
    ),
    "binding-mismatch": replace(CLEAN, credentials=BOUND, marks=(replace(MARK, message=7),)),
    "transplanted-mark": replace(CLEAN, marks=(MARK,), ledger=replace(ENTRY, same_content=False)),
    "ingredient-altered": replace(
        CLEAN, credentials=replace(GENERATED, ingredients=(Ingredient(integrity="altered"),))
    ),
    "capture-from-generated": replace(
        CLEAN,
        credentials=replace(CAPTURED, ingredients=(Ingredient(claimed_source="generated"),)),
    ),
    "content-altered": replace(CLEAN, credentials=replace(GENERATED, integrity="altered")),
    "generated-trusted": replace(CLEAN, credentials=GENERATED),
    "generated-own-signer": replace(CLEAN, credentials=replace(GENERATED, trusted_by="own")),
    "generated-confirmed-by-mark": replace(
        CLEAN, credentials=replace(BOUND, signer_trust="unlisted"), marks=(MARK,)
    ),
    "generated-unverified-signer": replace(
        CLEAN, credentials=replace(GENERATED, signer_trust="unlisted", validity="expired")
    ),
    "made-from-generated": replace(
        CLEAN,
        credentials=replace(
            GENERATED,
            claimed_source="edited",
            ingredients=(Ingredient(ingredients=(Ingredient(claimed_source="generated"),)),),
        ),
    ),
    "stamped-but-likely-synthetic": replace(
        CLEAN,
        credentials=replace(BOUND, claimed_source="unknown"),
        marks=(MARK,),
        classifier=LIKELY,
    ),
    "issued-but-likely-synthetic": replace(
        CLEAN,
        marks=(MARK,),
        ledger=replace(ENTRY, claimed_source="edited", generated=False),
        classifier=LIKELY,
    ),
    "stamped-source-unclaimed": replace(
        CLEAN, credentials=replace(BOUND, claimed_source="unknown"), marks=(MARK,)
    ),
    "issued-source-unclaimed": replace(
        CLEAN, marks=(MARK,), ledger=replace(ENTRY, claimed_source="edited", generated=False)
    ),
    "issued-as-captured": replace(
        CLEAN, marks=(MARK,), ledger=replace(ENTRY, claimed_source="captured", generated=False)
    ),
    "recovered-by-mark": replace(CLEAN, marks=(MARK,), ledger=ENTRY),
    "recovered-content-unchecked": replace(
        CLEAN, marks=(MARK,), ledger=replace(ENTRY, same_content=None, similarity=None)
    ),
    "recovered-by-fingerprint": replace(CLEAN, ledger=replace(ENTRY, found_by="fingerprint")),
    "marked": replace(CLEAN, marks=(MARK,)),
    "marked-weakly": replace(CLEAN, marks=(replace(MARK, key_id=PUBLISHED_KEY.key_id),)),
    "captured-trusted": replace(CLEAN, credentials=CAPTURED),
    "capture-against-classifier": replace(CLEAN, credentials=CAPTURED, classifier=LIKELY),
    "labelled-generated": replace(
        CLEAN, credentials=replace(NONE, labels=Labels(says_generated=True, named="AIGC 1"))
    ),
    "classifier": replace(CLEAN, classifier=LIKELY),
    "capture-unverified": replace(CLEAN, credentials=replace(CAPTURED, signer_trust="unlisted")),
    "claim-unverified": replace(CLEAN, credentials=replace(GENERATED, integrity="unknown")),
    "credentials-unreadable": replace(CLEAN, credentials=Credentials(status="unreadable")),
    "layer-not-checked": replace(
        CLEAN, classifier=NotChecked(layer="classifier", why="there is no model")
    ),
    "classifier-abstained": replace(CLEAN, classifier=ABSTAINED),
    "nothing-found": CLEAN,
}


def verdict(name: str) -> Verdict:
    return judge(ROWS[name], path=Path("clip.mp4"), media={"seconds": 4.0})


def test_every_row_of_the_table_has_a_case() -> None:
    assert list(ROWS) == [rule.name for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_row_decides_its_case(rule: Any) -> None:
    result = verdict(rule.name)
    assert result.reason == rule.name
    assert result.finding is rule.finding
    assert result.confidence is rule.confidence
    codes = {piece.code for piece in result.evidence}
    assert set(result.grounds) <= codes
    assert result.grounds or rule.name == "nothing-found"


def test_the_table_in_the_docs_is_the_table_in_the_code() -> None:
    page = (DOCS / "verdict.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \d+ \| `([a-z-]+)` \| `([a-z-]+)` \| (\w+) \|", page, re.MULTILINE)
    assert rows == [(rule.name, rule.finding.value, rule.confidence.value) for rule in RULES]


def test_exit_codes_in_the_docs_are_those_in_the_code() -> None:
    page = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| `([a-z-]+)` \|", page, re.MULTILINE)
    assert {name: int(code) for code, name in rows} == {
        finding.value: finding.exit_code for finding in Finding
    }


def test_no_finding_says_authentic() -> None:
    for language in LANGUAGES:
        for finding in Finding:
            assert "authentic" not in wording(language).title(finding).lower()
    assert all("authentic" not in finding.value for finding in Finding)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ROWS)
def test_every_verdict_has_words(name: str, language: str) -> None:
    row = verdict(name).to_dict(language=language)
    assert row["title"]
    assert row["headline"]
    for piece in row["evidence"]:
        for part in ("says", "proves", "does_not_prove"):
            assert piece[part]
            assert "{" not in piece[part]
        assert piece["layer"] in LAYERS
    json.dumps(row, allow_nan=False)


def test_languages_have_the_same_keys_and_placeholders() -> None:
    def shape(table: Any, path: str = "") -> dict[str, Any]:
        if isinstance(table, str):
            return {path: sorted(set(re.findall(r"{(\w+)}", table)))}
        rows: dict[str, Any] = {}
        for key, value in table.items():
            rows |= shape(value, f"{path}/{key}")
        return rows

    english = shape(wording("en").table)
    for language in LANGUAGES:
        assert shape(wording(language).table) == english


def test_a_mark_on_altered_content_that_names_the_same_clip_is_not_a_contradiction() -> None:
    readings = replace(
        CLEAN, credentials=replace(BOUND, integrity="altered"), marks=(MARK,), ledger=ENTRY
    )
    assert judge(readings).finding is Finding.RECOVERED


def test_a_capture_stamped_here_does_not_contradict_its_own_mark() -> None:
    readings = replace(
        CLEAN,
        credentials=CAPTURED,
        marks=(MARK,),
        ledger=replace(ENTRY, claimed_source="captured", generated=False),
    )
    assert judge(readings).finding is not Finding.CONTRADICTORY


def test_a_layer_left_out_on_request_is_shown_but_does_not_decide() -> None:
    left_out = NotChecked(layer="classifier", why="only provenance was asked for", asked=True)
    result = judge(replace(CLEAN, classifier=left_out))
    assert result.finding is Finding.NO_EVIDENCE
    assert "classifier.left-out" in {piece.code for piece in result.evidence}


@pytest.mark.parametrize("layer", ["credentials", "marks", "ledger", "classifier"])
def test_a_layer_that_could_not_run_is_never_silent(layer: str) -> None:
    name: Any = "mark" if layer == "marks" else layer
    result = judge(replace(CLEAN, **{layer: NotChecked(layer=name, why="it is broken")}))
    assert result.finding is Finding.INCONCLUSIVE
    assert wording().layer(name) in result.headline()
    assert f"{name}.not-checked" in {piece.code for piece in result.evidence}


def test_a_presence_without_message_is_only_a_weak_mark() -> None:
    result = judge(replace(CLEAN, marks=(replace(MARK, message=None),)))
    assert (result.finding, result.confidence) == (Finding.MARKED_SYNTHETIC, Confidence.MEDIUM)


def test_a_mark_over_part_of_the_clip_is_told() -> None:
    result = judge(replace(CLEAN, marks=(MARK,)), media={"seconds": 16.0})
    partial = next(piece for piece in result.evidence if piece.code == "mark.partial")
    assert partial.values["percent"] == 25


def test_two_messages_in_one_clip_are_told() -> None:
    other = MarkSegment(start=4.0, end=8.0, p_value=1e-9, message=9)
    result = judge(replace(CLEAN, marks=(replace(MARK, segments=(*MARK.segments, other)),)))
    assert "mark.several" in {piece.code for piece in result.evidence}


def test_classifier_segments_are_the_windows_that_speak_for_synthesis() -> None:
    (piece,) = [p for p in verdict("classifier").evidence if p.layer == "classifier"]
    assert [(part.start, part.end) for part in piece.segments] == [(0.0, 2.0)]


def test_a_capture_claim_of_an_own_development_identity_is_not_a_trusted_one() -> None:
    result = judge(replace(CLEAN, credentials=replace(CAPTURED, trusted_by="own")))
    assert result.finding is Finding.INCONCLUSIVE


@pytest.mark.parametrize("source", ["unknown", "edited", "captured"])
def test_a_stamp_without_a_claim_is_never_called_synthetic(source: str) -> None:
    entry = replace(ENTRY, claimed_source=source, generated=False)
    for found in ("mark", "fingerprint"):
        for same in (True, None):
            row = replace(entry, found_by=found, same_content=same)
            marks = (MARK,) if found == "mark" else (NO_MARK,)
            assert judge(replace(CLEAN, marks=marks, ledger=row)).exit_code not in {10, 11}


def test_no_ledger_is_told_apart_from_an_empty_answer() -> None:
    result = judge(replace(CLEAN, ledger=LedgerReading(exists=False)))
    assert "ledger.empty" in {piece.code for piece in result.evidence}
    assert result.finding is Finding.NO_EVIDENCE


@pytest.mark.parametrize(
    ("timestamp", "reason"),
    [("trusted", "generated-trusted"), ("unlisted", "generated-unverified-signer")],
)
def test_only_a_trusted_time_stamp_saves_an_expired_certificate(
    timestamp: str, reason: str
) -> None:
    late = replace(GENERATED, validity="valid-when-signed", timestamp=timestamp)
    assert judge(replace(CLEAN, credentials=late)).reason == reason


def test_signer_name_is_called_unverified_when_unlisted() -> None:
    spoofed = replace(CAPTURED, signer=Signer(organization="Sony"), signer_trust="unlisted")
    result = judge(replace(CLEAN, credentials=spoofed))
    assert "Sony" not in result.headline()
    assert any("unverified" in piece["says"] for piece in result.to_dict()["evidence"])


def test_personal_data_is_redacted_unless_asked_for() -> None:
    @dataclass(frozen=True, kw_only=True)
    class WithMetadata(Credentials):
        metadata: dict[str, Any] = field(
            default_factory=lambda: {
                "dc:creator": "Jane Doe",
                "exif:GPSLatitude": "48.1",
                "prompt": "a red ball",
                "serialNumber": "123",
                "prompt_sha256": "ab",
            }
        )

    result = judge(replace(CLEAN, credentials=WithMetadata()))
    hidden = result.to_dict()["readings"]["credentials"]["metadata"]
    assert hidden == {
        "dc:creator": "[redacted]",
        "exif:GPSLatitude": "[redacted]",
        "prompt": "[redacted]",
        "serialNumber": "[redacted]",
        "prompt_sha256": "ab",
    }
    shown = result.to_dict(show_personal=True)["readings"]["credentials"]["metadata"]
    assert shown["dc:creator"] == "Jane Doe"


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        ({"manifest_integrity": "intact", "content_binding": "mismatch"}, "manifest-recovered"),
        ({"manifest_integrity": "intact", "content_binding": "match"}, "manifest-unchanged"),
        ({"manifest_integrity": "altered"}, "manifest-broken"),
        (None, "manifest-broken"),
    ],
)
def test_the_ledgers_manifest_is_judged_by_itself(
    manifest: dict[str, Any] | None, code: str
) -> None:
    entry = replace(ENTRY, credentials=manifest)
    result = judge(replace(CLEAN, marks=(MARK,), ledger=entry))
    assert [piece.code for piece in result.evidence if "manifest" in piece.code] == [
        f"ledger.{code}"
    ]


def test_every_reason_to_abstain_has_words() -> None:
    for language in LANGUAGES:
        assert set(wording(language).table["abstention"]) == set(ABSTENTIONS)
    abstained = Classifier(status="abstained", reason="too-short", llr=None, p_value=None)
    verdict = judge(replace(CLEAN, classifier=abstained))
    assert "the clip is too short" in verdict.headline()
    assert "视频太短" in verdict.headline("zh")
