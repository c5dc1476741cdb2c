"""Debian's Chromium, driven by Playwright: nothing is downloaded.

pytest-playwright's `page`, `context` and `browser` work as documented; the browser speaks Chinese,
lives in Shanghai's time and is as wide as an office screen.
"""

import functools
import shutil
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str | None:
    """Where the installed browser is, if there is one."""
    places = (Path("/usr/bin/chromium"), *(Path(p) for n in _NAMES if (p := shutil.which(n))))
    return next((str(place) for place in places if place.exists()), None)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    path = chromium()
    if path is None:
        pytest.skip("浏览器测试：没有找到 Chromium（Debian：apt-get install chromium）")
    return {"executable_path": path, "args": list(FLAGS)}


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    return {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", "viewport": DESKTOP}


@functools.cache
def _axe() -> str:
    return (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


def axe_violations(page: Page) -> list[str]:
    """What axe finds on the page as it stands, one line an element; empty is right.

    Evaluated rather than added as a script, which the content security policy would refuse.
    """
    page.evaluate(_axe())
    found = page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{rule['id']}：{' '.join(map(str, node['target']))}（{rule['help']}）"
        for rule in found
        for node in rule["nodes"]
    ]


def sideways_scroll(page: Page) -> int:
    """By how many pixels the page is wider than its window; 0 is right."""
    return int(
        page.evaluate(
            "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
    )
