"""Takes the pictures of web page and report that stand in the documentation, from a real audit.

    python benchmarks/page_pictures.py CLIP [--out docs/images]

Starts a service with the data folder of the caller (so that a clip that was stamped here is known),
drops the clip on its page in headless Chromium, and writes page-wide.jpg, page-dark.jpg and
page-phone.jpg; then writes a report of the clip, and report-light.jpg of that.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright
from serving import served

VIEWS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 1060}},
    "dark": {"viewport": {"width": 1280, "height": 1060}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "locale": "zh-CN"},
}
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or sys.exit("There is no Chromium.")
    with tempfile.TemporaryDirectory() as name:
        home = os.environ.get("VIDIGREE_HOME")
        if home:
            shutil.copytree(home, Path(name) / "home")
        with served(Path(name)) as (_, url), sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            for view, options in VIEWS.items():
                page = browser.new_context(**({"locale": "en-GB"} | options)).new_page()
                page.goto(url)
                page.wait_for_selector("body[data-ready]")
                page.set_input_files("#file", asked.clip)
                page.wait_for_selector("#result:not([hidden])", timeout=240_000)
                # The play head in the middle shows what it is.
                page.evaluate("document.querySelector('.scrub input').value = 0.9")
                page.dispatch_event(".scrub input", "input")
                page.wait_for_timeout(2000)
                page.screenshot(path=asked.out / f"page-{view}.jpg", quality=88)
            page = browser.new_page(viewport={"width": 1280, "height": 1060})
            page.goto(report(asked.clip, Path(name)).as_uri())
            page.screenshot(path=asked.out / "report-light.jpg", quality=88)
            browser.close()


def report(clip: Path, folder: Path) -> Path:
    """Audit the clip as a user does; return the report."""
    path = folder / "report.html"
    subprocess.run(
        [sys.executable, "-m", "vidigree.cli", "audit", str(clip), "--report", str(path)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        stdout=subprocess.DEVNULL,
        check=False,  # the exit code is that of the finding
    )
    return path


if __name__ == "__main__":
    main()
