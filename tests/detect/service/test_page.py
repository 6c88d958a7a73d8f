"""The web page in a real browser: verdict, time line, words, keyboard, no way in for scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fixtures.visits import Visit, browser, changed, job, visit, wait_until

__all__ = ["browser", "job", "visit"]

pytestmark = pytest.mark.browser

EVIL = '<img src="x" onerror="window.pwned=1"><script>window.pwned=1</script>"\'>&'


MARKS = [
    {
        "method": "robust",
        "present": True,
        "segments": [{"start": 0.5, "end": 1.5, "message": None, "p_value": 1e-9}],
    }
]
WINDOWS = {
    "status": "scored",
    "windows": [
        {"start": 0.0, "end": 1.0, "llr": -0.4},
        {"start": 1.0, "end": 2.0, "llr": 2.5},
    ],
}


def test_a_dropped_file_gets_its_verdict(visit: Callable[..., Visit], clip: Path) -> None:
    seen = visit()
    page = seen.page
    data = page.evaluate_handle(
        """bytes => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([new Uint8Array(bytes)], "dropped.mp4"));
            return transfer;
        }""",
        list(clip.read_bytes()),
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": data})
    page.wait_for_selector("#result:not([hidden])")
    assert page.inner_text("#finding") == "No evidence of generation found"
    assert "dropped.mp4" in page.inner_text(".facts")
    assert page.evaluate("document.activeElement.id") == "finding"
    assert "No evidence of generation found" in page.inner_text("#live")
    assert page.locator(".evidence .piece").count() >= 4
    assert "Does not prove" in page.inner_text(".evidence")
    assert page.locator(".strip img").count() > 3
    assert seen.complaints == []


def test_nothing_is_fetched_from_elsewhere(visit: Callable[..., Visit], clip: Path) -> None:
    seen = visit()
    seen.check(clip)
    assert len(seen.requests) > 8
    outside = [
        url
        for url in seen.requests
        if not url.startswith((seen.service.url, f"blob:{seen.service.url}", "data:image/jpeg;"))
    ]
    assert outside == []
    assert seen.service.spooled() == []


def test_the_time_line_and_the_player_move_together(
    visit: Callable[..., Visit], clip: Path, job: dict[str, Any]
) -> None:
    seen = visit()
    seen.answer_with(changed(job, marks=MARKS, classifier=WINDOWS))
    page = seen.check(clip)
    wait_until(page, "document.querySelector('video').readyState >= 1")
    page.get_by_role("button", name=re.compile("^Watermark, 0.5 s to 1.5 s: found")).click()
    now = "document.querySelector('video').currentTime"
    assert page.evaluate(now) == pytest.approx(0.5, abs=0.01)
    assert page.evaluate("parseFloat(document.querySelector('.head').style.left)") == (
        pytest.approx(25, abs=1)
    )
    slider = page.get_by_role("slider", name="Position in the clip")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert page.evaluate(now) == pytest.approx(0.7, abs=0.03)  # on a grid of 0.04 s
    assert slider.get_attribute("aria-valuetext") == "0.7 s of 2.0 s"
    page.evaluate("document.querySelector('video').currentTime = 1.5")
    wait_until(page, "parseFloat(document.querySelector('.head').style.left) > 74")
    heat = page.locator(".cell.hint, .cell.calm")
    assert [heat.nth(i).get_attribute("class") for i in range(2)] == ["cell calm", "cell hint"]


def test_no_string_of_a_manifest_is_read_as_html(
    visit: Callable[..., Visit], clip: Path, job: dict[str, Any]
) -> None:
    def evil_leaves(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: evil_leaves(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [evil_leaves(item, key) for item in value]
        return EVIL if isinstance(value, str) and key not in kept else value

    kept = {"status", "finding", "confidence", "reason", "layer", "code", "jpeg", "found_by"}
    ingredient = {
        "title": "t", "relationship": "r", "signed": True, "integrity": "i", "signer_trust": "s",
        "trusted_by": None, "validity": "v", "claimed_source": "c", "signed_at": "never",
        "generator": "g", "actions": [{"label": "a", "software_agent": "b"}],
        "soft_bindings": [{"alg": "a", "value": "v"}], "ingredients": [],
        "signer": {"organization": "o", "common_name": "n"},
    }  # fmt: skip
    credentials = ingredient | {"status": "present", "ingredients": [ingredient]}
    evil = changed(job, credentials=credentials, ledger={"credentials": credentials})
    evil["verdict"] = evil_leaves(evil["verdict"])
    evil["verdict"]["evidence"][0] |= {
        "code": "credentials.signer-trusted", "layer": "credentials", "values": {"signer": EVIL},
    }  # fmt: skip
    seen = visit()
    seen.answer_with(evil)
    page = seen.check(clip)
    assert page.inner_text("#result").count(EVIL) > 15
    assert page.evaluate("window.pwned") is None
    assert page.locator("#result script").count() == 0
    assert page.locator("#result img").count() == page.locator(".strip img").count()
    assert page.locator(".node").count() == 4
    assert seen.complaints == []


def test_an_error_says_what_to_do(visit: Callable[..., Visit], tmp_path: Path) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video " * 99)
    page = visit().page
    page.set_input_files("#file", bad)
    page.wait_for_selector("#trouble:not([hidden])")
    alert = page.get_by_role("alert")
    assert "bad.mp4 is not a video" in alert.inner_text()
    assert "Give an MP4" in alert.inner_text()
    assert page.locator("#file").is_enabled()  # one can go on at once


def test_a_url_is_checked_with_the_keyboard_alone(visit: Callable[..., Visit]) -> None:
    page = visit().page
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
        if stops[-1] == "url":
            break
    assert stops[0] == "skip"
    assert stops.index("file") < stops.index("url")
    page.keyboard.type("not a url")
    page.keyboard.press("Enter")
    assert "not the address of a video" in page.get_by_role("alert").inner_text()
    page.fill("#url", "http://127.0.0.1/clip.mp4")
    page.press("#url", "Enter")
    wait_until(page, "document.querySelector('#trouble').innerText.includes('public')")


def test_progress_is_shown_step_by_step_and_the_queue_as_well(
    visit: Callable[..., Visit], clip: Path, job: dict[str, Any]
) -> None:
    waiting = job | {"state": "queued", "verdict": None}
    waiting["progress"] = {"ahead": 3, "done": 0, "total": 0, "layer": None}
    running = waiting | {"state": "running"}
    running["progress"] = {"ahead": 0, "done": 2, "total": 4, "layer": "ledger"}
    seen = visit()
    seen.answer_with(waiting, running, job, status=202)
    page = seen.page
    page.set_input_files("#file", clip)
    page.wait_for_selector("li[aria-current=step]:has-text('3 before this one')")
    page.wait_for_selector("li[aria-current=step]:has-text('Ledger')")
    assert page.locator("#work-steps .done").count() == 4
    page.wait_for_selector("#result:not([hidden])")


def test_a_full_queue_is_told_with_the_time_to_wait(
    visit: Callable[..., Visit], clip: Path
) -> None:
    seen = visit()
    error = {"error": {"kind": "QueueFull", "message": "All places are taken.", "hint": ""}}
    seen.page.route(
        "**/v1/audits**",
        lambda route: route.fulfill(status=429, json=error, headers={"Retry-After": "10"}),
    )
    seen.page.set_input_files("#file", clip)
    text = seen.page.get_by_role("alert").inner_text()
    assert "busy" in text
    assert "10 s" in text


def test_both_languages_have_all_words(visit: Callable[..., Visit], clip: Path) -> None:
    seen = visit(locale="zh-CN")
    page = seen.check(clip)
    keys = page.evaluate(
        """async () => {
            const { WORDS } = await import("/page/words.js");
            const names = (words, path = "") => Object.entries(words).flatMap(([key, value]) =>
                typeof value === "string" ? [path + key] : names(value, path + key + "."));
            return Object.values(WORDS).map((words) => names(words).sort());
        }"""
    )
    assert len(keys[0]) > 80
    assert keys[0] == keys[1]
    assert page.get_attribute("html", "lang") == "zh"
    chinese = page.inner_text("#result")
    assert any("一" <= sign <= "鿿" for sign in page.inner_text("#finding"))
    page.get_by_role("button", name="English").click()
    wait_until(page, "document.documentElement.lang === 'en'")
    wait_until(page, "document.querySelector('#finding').innerText.startsWith('No ')")
    english = re.sub("中文", "", page.inner_text("#result"))
    assert not any("一" <= sign <= "鿿" for sign in english)
    assert chinese != english
    assert seen.complaints == []


def test_reports_can_be_downloaded(visit: Callable[..., Visit], clip: Path) -> None:
    page = visit().check(clip)
    with page.expect_download() as data:
        page.click("#download-json")
    verdict = json.loads(Path(data.value.path()).read_text("utf-8"))
    assert verdict["finding"] == "no-evidence"
    assert data.value.suggested_filename == "vidigree-clip.json"
    with page.expect_download() as report:
        page.click("#download-html")
    html = Path(report.value.path()).read_text("utf-8")
    assert "No evidence of generation found" in html
    assert "<script" not in html
    assert not re.search(r"(src|href)=.https?:", html)


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_nothing_sticks_out_at_any_width(
    visit: Callable[..., Visit], clip: Path, job: dict[str, Any], width: int, locale: str
) -> None:
    seen = visit(viewport={"width": width, "height": 800}, locale=locale)
    overflow = "document.documentElement.scrollWidth - window.innerWidth"
    assert seen.page.evaluate(overflow) <= 0
    long = changed(job, marks=MARKS)
    long["verdict"]["file"] = "a-very-long-name-without-a-place-to-break-it" * 4
    seen.answer_with(long)
    page = seen.check(clip)
    assert page.evaluate(overflow) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(visit: Callable[..., Visit], scheme: str) -> None:
    page = visit(color_scheme=scheme).page
    pairs = [
        ("ink", "paper"),
        ("ink", "card"),
        ("soft", "paper"),
        ("soft", "card"),
        ("soft", "faint"),
    ]
    pairs += [("accent-ink", "accent"), ("accent", "card"), ("accent", "paper")]
    for tone in ("made", "likely", "clash", "filmed", "open"):
        pairs += [(tone, "card"), (tone, f"{tone}-bg"), ("card", tone), ("soft", f"{tone}-bg")]
    pairs += [(tone, "faint") for tone in ("good", "warn", "clash", "made")]
    ratios = page.evaluate(
        """pairs => {
            const canvas = document.createElement("canvas").getContext("2d");
            const style = getComputedStyle(document.documentElement);
            const light = (name) => {
                canvas.fillStyle = style.getPropertyValue("--" + name).trim();
                const linear = (c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                const [r, g, b] = canvas.fillStyle.match(/\\w\\w/g)
                    .map((hex) => linear(parseInt(hex, 16) / 255));
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            return pairs.map(([a, b]) => {
                const [x, y] = [light(a), light(b)].sort((p, q) => q - p);
                return [a + " on " + b, (x + 0.05) / (y + 0.05)];
            });
        }""",
        pairs,
    )
    # WCAG 2.2, success criterion 1.4.3, level AA.
    assert [pair for pair in ratios if pair[1] < 4.5] == []


def test_every_control_has_a_name_and_headings_go_in_order(
    visit: Callable[..., Visit], clip: Path, job: dict[str, Any]
) -> None:
    seen = visit()
    seen.answer_with(changed(job, marks=MARKS, classifier=WINDOWS))
    page = seen.check(clip)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, video, img, summary, a")]
            .filter((node) => !(node.getAttribute("aria-label") || node.innerText
                || node.labels?.length || node.hasAttribute("alt")))
            .map((node) => node.outerHTML)"""
    )
    assert nameless == []
    levels = page.evaluate(
        """() => [...document.querySelectorAll("#result :is(h2, h3, h4)")]
            .map((node) => +node.tagName[1])"""
    )
    assert levels[0] == 2
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.evaluate("document.title").endswith("vidigree")
