"""Reports on paper: all of them, dark on white, from the first page on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fixtures.browser import browser
from fixtures.truth_table import verdict

from vidigree.detect.report import render_report

__all__ = ["browser"]

pytestmark = pytest.mark.browser

Open = Callable[..., Any]


@pytest.fixture
def printed(browser: Any, tmp_path: Path) -> Iterator[Open]:
    """Open a report of so many clips as it goes to the printer."""
    context = browser.new_context(color_scheme="dark")

    def open_(count: int) -> Any:
        row = verdict("marked").to_dict() | {"media": None}
        pieces = render_report([(row, [])] * count, Counter({row["finding"]: count}))
        path = tmp_path / "report.html"
        path.write_text("".join(pieces), encoding="utf-8")
        page = context.new_page()
        page.emulate_media(media="print")
        page.goto(path.as_uri())
        return page

    yield open_
    context.close()


@pytest.mark.parametrize("count", [1, 3])
def test_all_evidence_is_printed_and_no_json(printed: Open, count: int) -> None:
    page = printed(count)
    seen = "node => node.checkVisibility({contentVisibilityAuto: true})"
    evidence = page.locator(".evidence > li").all()
    assert len(evidence) >= 4 * count
    assert all(piece.evaluate(seen) for piece in evidence)
    assert not any(raw.evaluate(seen) for raw in page.locator(".raw").all())


def test_the_first_page_is_not_left_empty(printed: Open) -> None:
    """A clip is longer than a page: kept together, it began on the second."""
    page = printed(1)
    assert page.locator(".clip").evaluate("node => getComputedStyle(node).breakInside") == "auto"


def test_it_is_dark_on_white_from_a_dark_screen_too(printed: Open) -> None:
    page = printed(1)
    colours = "({color, backgroundColor}) => [color, backgroundColor]"
    style = page.evaluate(f"({colours})(getComputedStyle(document.body))")
    assert style == ["rgb(28, 28, 30)", "rgb(255, 255, 255)"]
