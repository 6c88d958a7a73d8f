"""What the page says: in words, in the right language, for who reads, listens, types or prints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fixtures.readings import CLEAN, Classifier
from fixtures.truth_table import ROWS
from fixtures.visits import Visit, browser, changed, job, visit, wait_until

from vidigree.detect.verdict import judge

__all__ = ["browser", "job", "visit"]

pytestmark = pytest.mark.browser

Open = Callable[..., Visit]


ABSTAINED = Classifier(status="abstained", reason="too-short", llr=None, p_value=None)
READINGS = {
    "abstained": replace(CLEAN, classifier=ABSTAINED),
    "generated": ROWS["generated-own-signer"],
    "unchecked": ROWS["captured-trusted-unchecked"],
}


@pytest.mark.parametrize(("locale", "language"), [("en-GB", "en"), ("zh-CN", "zh")])
@pytest.mark.parametrize("name", READINGS)
def test_the_page_says_it_as_the_service_does(
    visit: Open, clip: Path, job: dict[str, Any], name: str, locale: str, language: str
) -> None:
    """Once it showed codes: why the classifier abstains, and what the source is."""
    verdict = judge(READINGS[name], path=clip, media=None)
    answer = changed(job)
    answer["verdict"] = verdict.to_dict()
    seen = visit(locale=locale)
    seen.answer_with(answer)
    page = seen.check(clip)
    own = verdict.to_dict(language=language)
    assert page.inner_text(".headline") == own["headline"]
    said = page.locator(".says").evaluate_all(
        "nodes => nodes.map((node) => node.firstChild.textContent.trim())"
    )
    assert sorted(said) == sorted(piece["says"] for piece in own["evidence"])


def test_a_manifest_of_the_ledger_is_not_called_that_of_the_file(
    visit: Open, clip: Path, job: dict[str, Any]
) -> None:
    manifest = {
        "status": "present", "manifest_label": "urn:c2pa:1", "title": "t", "integrity": "intact",
        "signer_trust": "unlisted", "validity": "valid", "claimed_source": "generated",
    }  # fmt: skip
    seen = visit()
    seen.answer_with(changed(job, ledger={"found_by": "mark", "credentials": manifest}))
    text = seen.check(clip).inner_text(".manifest").lower()
    assert "as it was issued" in text
    assert "this file" not in text


def test_a_recovered_manifest_on_other_bytes_is_not_called_altered(
    visit: Open, clip: Path, job: dict[str, Any]
) -> None:
    manifest = {
        "status": "present", "manifest_label": "urn:c2pa:1", "title": "t", "integrity": "altered",
        "signer_trust": "unlisted", "validity": "valid", "claimed_source": "generated",
        "recovered": True, "manifest_integrity": "intact", "content_binding": "mismatch",
    }  # fmt: skip
    seen = visit()
    seen.answer_with(changed(job, ledger={"found_by": "mark", "credentials": manifest}))
    page = seen.check(clip)
    assert "altered" not in page.inner_text(".manifest").lower()
    badges = page.locator(".manifest .badge").all_inner_texts()
    assert badges[0] == "Manifest: unchanged"
    assert badges[1].startswith("Content: not the bytes that were signed")
    assert page.locator(".manifest .badge.bad").count() == 0


def test_places_that_are_not_shown_are_counted(
    visit: Open, clip: Path, job: dict[str, Any]
) -> None:
    many = changed(job)
    many["verdict"]["evidence"][0]["segments"] = [
        {"start": number / 10, "end": number / 10 + 0.05} for number in range(15)
    ]
    seen = visit()
    seen.answer_with(many)
    page = seen.check(clip)
    assert page.locator(".place").count() == 12
    assert page.inner_text(".places").endswith("and 3 more")


def test_a_lane_is_one_stop_and_its_windows_are_reached_by_arrows(
    visit: Open, clip: Path, job: dict[str, Any]
) -> None:
    windows = [{"start": n / 10, "end": (n + 1) / 10, "llr": 0.5} for n in range(20)]
    seen = visit()
    seen.answer_with(changed(job, classifier={"status": "scored", "windows": windows}))
    page = seen.check(clip)
    cells = page.locator(".cell.hint")
    assert cells.count() == 20
    assert page.locator(".cell.hint[tabindex='0']").count() == 1
    cells.first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowRight"):
        page.keyboard.press(key)
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused).startswith("Classifier, 0.2 s to 0.3 s")
    page.keyboard.press("Enter")
    wait_until(page, "parseFloat(document.querySelector('.head').style.left) > 9")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "range"
    cells.nth(12).focus()  # as a mouse or a finger does
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused).startswith("Classifier, 1.3 s to 1.4 s")
    assert page.locator(".cell.hint[tabindex='0']").count() == 1


def test_english_errors_are_marked_as_such_on_a_chinese_page(visit: Open, tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video " * 99)
    page = visit(locale="zh-CN").page
    page.set_input_files("#file", bad)
    page.wait_for_selector("#trouble:not([hidden])")
    assert page.get_attribute("#trouble .headline", "lang") == "en"
    assert page.get_attribute("#trouble .advice", "lang") == "en"
    page.fill("#url", "no url")
    page.press("#url", "Enter")
    wait_until(page, "document.querySelector('#trouble .headline').innerText.includes('网址')")
    assert page.get_attribute("#trouble .headline", "lang") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_edge_of_a_field_can_be_seen(visit: Open, scheme: str) -> None:
    page = visit(color_scheme=scheme).page
    ratio = page.evaluate(
        """() => {
            const light = (colour) => {
                const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                const [r, g, b] = colour.match(/[\\d.]+/g).map((part) => linear(part / 255));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const edge = getComputedStyle(document.querySelector("#url")).borderTopColor;
            const ground = getComputedStyle(document.body).backgroundColor;
            const [x, y] = [light(edge), light(ground)].sort((p, q) => q - p);
            return (x + 0.05) / (y + 0.05);
        }"""
    )
    assert ratio >= 3  # WCAG 2.2, success criterion 1.4.11, level AA


def test_a_verdict_is_printed_dark_on_white_with_the_ground_under_light_words(
    visit: Open, clip: Path
) -> None:
    page = visit(color_scheme="dark").check(clip)
    page.emulate_media(media="print", color_scheme="dark")
    style = "(selector, name) => getComputedStyle(document.querySelector(selector))[name]"
    read = lambda selector, name: page.evaluate(  # noqa: E731
        f"([selector, name]) => ({style})(selector, name)", [selector, name]
    )
    assert read("body", "color") == "rgb(23, 22, 31)"
    assert read("body", "backgroundColor") == "rgb(255, 255, 255)"
    assert read(".sign", "printColorAdjust") == "exact"
    assert read(".evidence", "breakInside") == "auto"


CLAIM = {
    "status": "present", "integrity": "intact", "signer_trust": "trusted", "trusted_by": "list",
    "validity": "valid", "claimed_source": "captured",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({}, "cell filmed"),
        ({"validity": "valid-when-signed", "timestamp": "trusted"}, "cell filmed"),
        ({"validity": "valid-when-signed", "timestamp": "unlisted"}, "cell plain"),
        ({"signer_trust": "unlisted"}, "cell plain"),
        ({"integrity": "unknown"}, "cell plain"),
        ({"validity": "expired"}, "cell plain"),
        ({"claimed_source": "generated"}, "cell sure"),
        ({"claimed_source": "generated", "signer_trust": "unlisted"}, "cell plain"),
    ],
)
def test_a_claim_that_nobody_vouches_for_does_not_look_like_a_fact(
    visit: Open, clip: Path, job: dict[str, Any], changes: dict[str, str], kind: str
) -> None:
    """Once the time line said "recorded by a camera" in full colour on anybody's word."""
    seen = visit()
    seen.answer_with(changed(job, credentials=CLAIM | changes))
    lane = seen.check(clip).get_by_role("group", name="Credentials").get_by_role("button")
    assert lane.get_attribute("class") == kind
    assert lane.inner_text().startswith("claims: ")


def test_a_mark_of_another_clip_is_not_called_an_alteration(
    visit: Open, clip: Path, job: dict[str, Any]
) -> None:
    seen = visit()
    seen.answer_with(changed(job, ledger={"found_by": "mark", "same_content": False}))
    lane = seen.check(clip).get_by_role("group", name="Ledger").get_by_role("button")
    assert lane.inner_text() == "another picture"


@pytest.mark.parametrize(("kind", "says"), [("KeyRequired", "Type it"), ("WrongKey", "not valid")])
def test_a_key_that_is_missing_is_asked_for_in_words_for_people(
    visit: Open, clip: Path, kind: str, says: str
) -> None:
    """Once it said how a program sends one."""
    seen = visit()
    hint = "Send it as 'Authorization: Bearer <key>'."
    error = {"error": {"kind": kind, "message": "A key is needed.", "hint": hint}}
    seen.page.route("**/v1/audits**", lambda route: route.fulfill(status=401, json=error))
    seen.page.set_input_files("#file", clip)
    text = seen.page.get_by_role("alert").inner_text()
    assert "needs an API key" in text
    assert says in text
    assert "Bearer" not in text


def test_with_forced_colours_one_sees_where_a_mark_is_and_which_language_is_chosen(
    visit: Open, clip: Path, job: dict[str, Any]
) -> None:
    """Such a browser takes the grounds away, and nothing else said where the mark ends."""
    segment = {"start": 0.5, "end": 1.0, "message": None, "p_value": 1e-9}
    mark = {"method": "robust", "present": True, "segments": [segment]}
    seen = visit(forced_colors="active")
    seen.answer_with(changed(job, marks=[mark]))
    page = seen.check(clip)
    width = "node => getComputedStyle(node).borderLeftWidth"
    assert page.get_by_role("group", name="Watermark").get_by_role("button").evaluate(width) == (
        "1px"
    )
    chosen = page.locator(".languages button[aria-pressed=true]")
    assert chosen.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
