"""The pictures in docs/pictures, taken of a running demonstration market.

python3 run.py                                           # in another window
.venv/bin/python -m tests.support.pictures [address]     # http://127.0.0.1:8000 by default
"""

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from infra.demo.load import DEMO_PASSWORD
from tests.support.browser import DESKTOP, FLAGS, PHONE, chromium

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
COMPANY, UNIVERSITY, BUREAU = (
    "manager@jidian.example",
    "manager@daxue1.example",
    "officer@keji.example",
)


def first_link(page: Page, list_page: str, inside: str) -> str:
    """Return where the first link of a list leads."""
    page.goto(list_page)
    href = page.locator(inside).first.get_attribute("href")
    assert href is not None
    return href


def matches(page: Page) -> str:
    return first_link(page, "/my/listings?kind=demand", 'main a[href$="/matches"]')


def deal(page: Page) -> str:
    return first_link(page, "/deals", 'main .row a[href^="/deals/"]')


PICTURES = {
    "home": (None, lambda _page: "/"),
    "search": (None, lambda _page: "/search?q=检测"),
    "matches": (COMPANY, matches),
    "deal": (UNIVERSITY, deal),
    "board": (BUREAU, lambda _page: "/board"),
}


def take(browser: Browser, address: str) -> None:
    for size, suffix in ((DESKTOP, ""), (PHONE, "-phone")):
        for name, (account, where) in PICTURES.items():
            context = browser.new_context(
                base_url=address,
                viewport=size,  # type: ignore[arg-type]
                locale="zh-CN",
                timezone_id="Asia/Shanghai",
            )
            page = context.new_page()
            if account is not None:
                page.goto("/login")
                page.get_by_label("邮箱").fill(account)
                page.get_by_label("密码").fill(DEMO_PASSWORD)
                page.locator("main").get_by_role("button", name="登录").click()
                page.wait_for_url(lambda url: "/login" not in url)
            page.goto(where(page))
            page.screenshot(path=FOLDER / f"{name}{suffix}.png")
            context.close()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    address = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        take(browser, address)
        browser.close()


if __name__ == "__main__":
    main()
