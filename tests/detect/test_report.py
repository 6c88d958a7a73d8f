"""Reports: self-contained, escaped, and in words."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fixtures.readings import Classifier

from vidigree.detect.evidence import Layer
from vidigree.detect.findings import Finding
from vidigree.detect.readings import LedgerReading, NotChecked, Readings
from vidigree.detect.report import render_report
from vidigree.detect.report.curve import curve
from vidigree.detect.report.heat import Outline, heat
from vidigree.detect.report.manifest_tree import manifest_tree
from vidigree.detect.report.timeline import tracks
from vidigree.detect.verdict import judge
from vidigree.detect.wording import LANGUAGES, wording
from vidigree.watermark.method import MarkReading, MarkSegment

VOID = {"meta", "img", "rect", "br", "link"}


class Checker(HTMLParser):
    """Checks that tags are balanced and that nothing is loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.sources.extend(value or "" for name, value in attrs if name in {"src", "href"})
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def row(**changes: Any) -> dict[str, Any]:
    def gap(layer: Layer) -> NotChecked:
        return NotChecked(layer=layer, why="a test")

    segment = MarkSegment(start=1.0, end=3.0, p_value=1e-12, message=5)
    mark = MarkReading(
        method="robust", present=True, p_value=1e-12, message=5, key_id="mk-1", segments=(segment,)
    )
    readings = Readings(
        credentials=gap("credentials"),
        marks=(mark,),
        ledger=LedgerReading(),
        classifier=gap("classifier"),
    )
    verdict = judge(replace(readings, **changes), path=Path("a.mp4"), media=None)
    media = {"seconds": 4.0, "width": 64, "height": 48, "codec": "h264", "fps": 8.0, "bytes": 100}
    return verdict.to_dict() | {"media": media}


ERROR = {
    "file": "bad.mp4",
    "error": {"kind": "X", "message": "It is broken.", "hint": "Mend it.", "exit_code": 3},
}


def render(*rows: dict[str, Any], language: str = "en") -> str:
    counts = Counter(str(entry.get("finding", "error")) for entry in rows)
    picture = {"time": 0.5, "jpeg": "AAAA"}
    return "".join(render_report(((entry, [picture]) for entry in rows), counts, language=language))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_balanced_and_self_contained(language: str) -> None:
    for page in (render(row(), language=language), render(row(), ERROR, language=language)):
        checker = Checker()
        checker.feed(page)
        assert checker.open == []
        assert checker.sources
        assert all(source.startswith("data:") for source in checker.sources)
        assert "script" not in checker.tags
        assert "{{" not in page


def test_one_clip_shows_finding_evidence_and_both_sides_of_it() -> None:
    page = render(row())
    assert "generator&#39;s watermark" in page
    assert "mark.found" in page
    assert "Does not prove" in page
    assert "the finding rests on this" in page


def test_what_the_finding_rests_on_is_told_from_what_else_was_seen() -> None:
    entry = row()
    page = render(entry)
    seen, grounds = len(entry["evidence"]), entry["grounds"]
    assert seen > len(grounds) == 1
    assert page.count('<li class="ground">') == page.count('class="basis">') == 1
    assert page.index('<li class="ground">') < page.index(f"<code>{grounds[0]}</code>")
    text = html.unescape(page)
    for piece in entry["evidence"]:
        for said in ("says", "proves", "does_not_prove"):
            assert piece[said] in text


def test_a_decision_stands_in_the_place_of_the_advice() -> None:
    decision = {"action": "block", "reason": "Because.", "policy": "ours 1", "row": "finding.x"}
    words = wording("en")
    advice = words.advice(Finding(row()["finding"]))
    for page in (
        render(row() | {"decision": decision}),
        render(row() | {"decision": decision}, ERROR),
    ):
        text = html.unescape(page)
        assert words.decision(decision) in text
        assert advice not in text
        assert "ours 1" in text


def test_a_page_may_load_and_run_nothing() -> None:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', render(row()))
    rules = dict(part.split(" ", 1) for part in policy.split("; "))
    assert rules == {"default-src": "'none'", "img-src": "data:", "style-src": "'unsafe-inline'"}


def test_names_of_strangers_are_escaped() -> None:
    page = render(row() | {"file": "<script>alert(1)</script>.mp4"})
    assert "<script" not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("sign", ["\u202e", "\u2067", "\x1b", "\n"])
def test_a_name_turns_no_words_round(sign: str) -> None:
    name = f"evil{sign}gpj.mp4"
    told = {"message": f"{name} is broken.", "hint": f"Look at {name}."}
    error = ERROR | {"file": name, "error": ERROR["error"] | told}
    for page in (render(row() | {"file": name}), render(error), render(row(), error)):
        assert "evil" in page
        assert f"evil{sign}" not in page
    (raw,) = re.findall(r"<pre>(.*)</pre>", render(row() | {"file": name}), re.DOTALL)
    assert json.loads(html.unescape(raw))["file"] == name


def test_many_clips_get_a_summary() -> None:
    page = render(row(), row(), ERROR)
    assert page.count("<summary>\n<img") + page.count("<summary>\n<span") == 3
    assert re.search(r"<b>2</b>\s*Carries a generator", page)
    assert re.search(r"<b>1</b>\s*Could not be read", page)
    assert "It is broken." in page


def test_clips_of_one_name_are_told_apart() -> None:
    page = render(row() | {"file": "one/a.mp4"}, row() | {"file": "two/a.mp4"}, ERROR)
    (_, *summaries) = page.split("<summary>\n<img")
    names = [
        re.sub("<[^>]+>", "", re.findall(r'<p class="file">(.*)</p>', one)[0]) for one in summaries
    ]
    assert names == ["one/a.mp4", "two/a.mp4", "bad.mp4"]


def test_tracks_have_the_marks_segments_in_place() -> None:
    (track,) = tracks(row())
    (part,) = track.parts
    assert (track.layer, part.left, part.width) == ("mark", 250.0, 500.0)


def test_a_moment_can_be_seen_and_nothing_is_drawn_outside() -> None:
    places = ((-1.0, 0.001), (3.0, 9.0))
    segments = tuple(
        MarkSegment(start=start, end=end, p_value=1e-9, message=5) for start, end in places
    )
    mark = MarkReading(method="robust", present=True, message=5, segments=segments)
    (track,) = tracks(row(marks=(mark,)))
    assert [(part.left, part.width) for part in track.parts] == [(0, 2.0), (750, 250)]


def test_the_heat_map_tells_for_from_against() -> None:
    entry = row()
    windows = [{"start": 0.0, "end": 2.0, "llr": 6.0}, {"start": 2.0, "end": 4.0, "llr": -0.3}]
    entry["readings"]["classifier"] = {"status": "scored", "windows": windows}
    heat = tracks(entry)[1]
    assert [part.kind for part in heat.parts] == ["synthetic", "neutral"]
    assert heat.parts[0].level > 0.9 > 0.2 > heat.parts[1].level


def test_the_picture_map_lies_over_the_nearest_thumbnail() -> None:
    entry = row()
    found = {"start": 2.0, "end": 4.0, "box": [0.1, 0.9, 0, 1], "cells": [[6.0, -6.0]] * 2}
    entry["readings"]["classifier"] = {"status": "scored", "where": {"heat_map": found}}
    pictures = [{"time": 0.5, "jpeg": "AAAA"}, {"time": 3.5, "jpeg": "BBBB"}]
    shown = heat(entry, pictures)
    assert shown is not None
    assert shown.jpeg == "BBBB"
    first, second = shown.cells[:2]
    assert (first.left, first.top, first.width, first.height) == (0, 100, 500, 400)
    assert (first.kind, second.kind) == ("synthetic", "neutral")
    assert 'class="heat"' in render(entry)
    assert 'class="heat"' not in render(row())
    assert heat(row(), pictures) is None


def test_the_picture_map_shows_differences_not_levels() -> None:
    entry = row()
    found = {"start": 0.0, "end": 2.0, "box": [0, 1, 0, 1], "cells": [[5.0, 5.0], [5.0, 8.0]]}
    entry["readings"]["classifier"] = {"status": "scored", "where": {"heat_map": found}}
    shown = heat(entry, [])
    assert shown is not None
    assert [cell.level > 0 for cell in shown.cells] == [False, False, False, True]
    assert shown.cells[3].kind == "synthetic"
    found["cells"] = [[5.0, 5.0], [5.0, 5.5]]
    assert "No part of the picture stands out" in render(entry)
    assert 'class="heat"' not in render(entry)


def test_a_rectangle_that_was_put_in_is_outlined_even_where_no_part_stands_out() -> None:
    entry = row()
    found = {"start": 0.0, "end": 2.0, "box": [0, 1, 0, 1], "cells": [[5.0, 5.0], [5.0, 5.5]]}
    where = {"heat_map": found, "region": {"box": [0.25, 0.75, 0.1, 0.5], "evidence": 2.0}}
    entry["readings"]["classifier"] = {"status": "scored", "where": where}
    shown = heat(entry, [])
    assert shown is not None
    assert shown.region == Outline(left=100, top=250, width=400, height=500)
    page = render(entry)
    assert '<rect class="region" x="100.0" y="250.0" width="400.0" height="500.0">' in page
    assert "put into the picture" in page
    assert "No part of the picture stands out" in page
    where["region"] = None
    assert 'class="region"' not in render(entry)


def test_the_curve_lies_over_the_clip_with_what_stands_out_behind_it() -> None:
    entry = row()
    points = [
        {"start": 0.0, "end": 2.0, "shot": 0, "llr": -60.0},
        {"start": 2.0, "end": 4.0, "shot": 1, "llr": 3.0},
    ]
    where = {"curve": points, "stretches": [{"start": 2.0, "end": 4.0, "llr": 3.0}]}
    entry["readings"]["classifier"] = {"status": "scored", "where": where | {"heat_map": None}}
    drawn = curve(entry)
    assert drawn is not None
    first, second = drawn.strokes
    assert (first.left, first.right, second.left, second.right) == (0, 500, 500, 1000)
    assert second.down < 500 < first.down <= 1000
    assert (first.kind, second.kind) == ("neutral", "synthetic")
    assert [(band.left, band.width) for band in drawn.bands] == [(500, 500)]
    assert 'class="stroke synthetic"' in render(entry)
    assert curve(row()) is None


def test_figures_that_say_nothing_are_left_out() -> None:
    absent = MarkReading(method="robust", present=False)
    assert "p = 1" not in render(row(marks=(absent,)))
    assert "p = 1e-12" in render(row())


def test_the_manifest_tree_shows_ingredients_and_recovered_credentials() -> None:
    inner = {
        "claimed_source": "generated",
        "integrity": "altered",
        "signer_trust": "unlisted",
        "validity": "valid",
        "relationship": "parentOf",
        "title": "parent <b>",
        "ingredients": [],
    }
    outer = inner | {"status": "present", "title": "clip", "ingredients": [inner]}
    entry = row(ledger=LedgerReading(found_by="fingerprint", same_content=True, credentials=outer))
    (tree,) = manifest_tree(entry)
    assert (tree.role, tree.children[0].role) == ("recovered", "parentOf")
    page = render(entry)
    assert "parent &lt;b&gt;" in page
    assert "integrity: altered" in page
    assert "完整性: 已更改" in render(entry, language="zh")
    assert "声称: <b>AI 生成</b>" in render(entry, language="zh").replace("：", ": ")


def test_the_manifest_tree_ends_somewhere() -> None:
    node: dict[str, Any] = {
        "claimed_source": "unknown",
        "integrity": "intact",
        "signer_trust": "unlisted",
        "validity": "valid",
        "relationship": "parentOf",
    }
    for _ in range(60):
        node = node | {"ingredients": [node]}
    entry = row()
    entry["readings"]["credentials"] = node | {"status": "present"}
    assert render(entry).count("<li>\n<p><b>") == 17


@pytest.mark.parametrize(("trust", "says"), [("unlisted", True), ("trusted", False)])
def test_a_name_that_anybody_may_write_is_not_shown_as_that_of_the_signer(
    trust: str, says: bool
) -> None:
    entry = row()
    entry["readings"]["credentials"] = {
        "status": "present",
        "claimed_source": "captured",
        "integrity": "intact",
        "signer_trust": trust,
        "validity": "valid",
        "signer": {"organization": "Famous News"},
    }
    assert ("signer: Famous News (name not verified)" in render(entry)) is says
    assert "signer: Famous News" in render(entry)


@pytest.mark.parametrize(
    ("timestamp", "said"), [("trusted", "valid-when-signed"), ("unlisted", "expired")]
)
def test_a_certificate_is_shown_as_the_finding_takes_it(timestamp: str, said: str) -> None:
    inner = {
        "claimed_source": "captured",
        "integrity": "intact",
        "signer_trust": "trusted",
        "validity": "valid-when-signed",
        "timestamp": timestamp,
    }
    entry = row()
    parent = inner | {"relationship": "parentOf", "timestamp": "absent"}
    entry["readings"]["credentials"] = inner | {"status": "present", "ingredients": [parent]}
    (tree,) = manifest_tree(entry)
    assert dict(tree.answers)["validity"] == said
    assert dict(tree.children[0].answers)["validity"] == "valid-when-signed"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("asked", [True, False], ids=["left out", "not checked"])
def test_what_was_not_looked_at_is_not_called_absent(language: str, asked: bool) -> None:
    nothing = NotChecked(layer="credentials", why="the file is locked.", asked=asked)
    abstained = Classifier(status="abstained", reason="too-short", llr=None, p_value=None)
    verdict = judge(Readings(credentials=nothing, classifier=abstained))
    entry = verdict.to_dict(language=language) | {"file": "clip.mp4", "media": {"seconds": 4.0}}
    entry["media"] |= {"width": 64, "height": 64, "codec": "h264", "fps": 24, "bytes": 1}
    heading = f"<h3>{wording(language).text('heading_manifest')}</h3>"
    section = render(entry, language=language).split(heading)[1]
    assert entry["evidence"][0]["says"] in html.unescape(section)
    assert "classifier" not in [track.layer for track in tracks(entry)]


def test_headings_go_in_order() -> None:
    for page in (render(row()), render(row(), ERROR)):
        levels = [int(level) for level in re.findall(r"<h([1-6])", page)]
        assert levels[:2] == [1, 2]
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_one_s_own_signer_is_not_called_trusted_and_no_manifest_is_shown_twice() -> None:
    manifest = {
        "status": "present",
        "manifest_label": "urn:c2pa:1",
        "claimed_source": "generated",
        "integrity": "intact",
        "signer_trust": "trusted",
        "trusted_by": "own",
        "validity": "valid",
        "title": "clip",
        "ingredients": [],
    }
    entry = row()
    entry["readings"]["credentials"] = manifest
    entry["readings"]["ledger"]["credentials"] = dict(manifest)
    (tree,) = manifest_tree(entry)
    assert dict(tree.answers)["signer_trust"] == "own"
    page = render(entry)
    assert "signer: this machine&#39;s own" in page
    assert "signer: trusted" not in page
    entry["readings"]["ledger"]["credentials"]["manifest_label"] = "urn:c2pa:2"
    assert [node.role for node in manifest_tree(entry)] == ["file", "recovered"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_row_of_many_says_how_sure_and_what_to_do_as_one_alone_does(language: str) -> None:
    words = wording(language)
    for page in (render(row(), language=language), render(row(), ERROR, language=language)):
        text = html.unescape(page)
        assert words.text("confidence", level=words.confidence(row()["confidence"])) in text
        assert words.advice(Finding(row()["finding"])) in text


def test_what_is_said_in_english_is_marked_as_such() -> None:
    for page in (render(ERROR, language="zh"), render(row(), ERROR, language="zh")):
        said = re.findall(r"<(?:p|span)([^>]*)>[^<]*It is broken\.", page)
        assert len(said) >= 2
        assert all('lang="en"' in attributes for attributes in said)
