"""Listing pages in a real browser: they fit, they are accessible, an import follows itself."""

import io
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.catalog import drafts, publishing
from market.imports import service
from market.imports.models import Kind
from tests import factories
from tests.market.catalog.texts import ACHIEVEMENT, edited, editor, published
from tests.support.browser import DESKTOP, PHONE, axe_violations, sideways_scroll
from tests.support.market import work_for
from tests.support.running import Running

LONG = "焊缝内部气孔在线视觉检测装置与算法（面向车架、压力容器与长输管道的薄板与中厚板焊接）"
Opened = Callable[[Actor, dict[str, int]], Page]


@pytest.fixture
def opened(running: Running, browser: Browser) -> Iterator[Opened]:
    """`opened(who, size)`: a page of the running site, signed in."""

    def sign_in(who: Actor, size: dict[str, int]) -> Page:
        context = browser.new_context(
            base_url=running.url, viewport=size, locale="zh-CN", reduced_motion="reduce"
        )
        secret, _ = factories.cookie(running.parts, who)
        context.add_cookies([{"name": "zhihe_session", "value": secret, "url": running.url}])
        return context.new_page()

    yield sign_in
    for context in browser.contexts:
        context.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_of_a_waiting_edit_fit(parts: Parts, opened: Opened, size: dict[str, int]) -> None:
    who = editor(parts)
    listing = published(parts, who)
    with work_for(parts, who) as work:
        drafts.edit(work, listing.public_id, edited(ACHIEVEMENT, 1, title=LONG, body="一\n二"))
        publishing.submit(work, listing.public_id)
    here = f"/my/listings/{listing.public_id}"
    seen = {
        who: ["/my/listings", here, f"{here}#withdraw", "/my/demands/new", "/my/imports"],
        factories.actor(parts, Role.OFFICER): ["/desk/reviews", f"/desk/reviews{here[12:]}"],
    }
    for actor, paths in seen.items():
        page = opened(actor, size)
        for path in paths:
            page.goto(path)
            expect(page.locator("h1")).to_have_count(1)
            assert axe_violations(page) == [], path
            assert sideways_scroll(page) == 0, path


def test_an_import_follows_itself(parts: Parts, running: Running, opened: Opened) -> None:
    who = editor(parts)
    table = io.BytesIO("编号,成果名称\n1,甲\n2,\n".encode())
    received = service.receive(parts.files, "成果.csv", table)
    with work_for(parts, who) as work:
        run = service.start_own(work, Kind.ACHIEVEMENT, received, ask=True)
    page = opened(who, DESKTOP)
    page.goto(f"/my/imports/{run.public_id}")
    expect(page.get_by_text("正在读文件")).to_be_visible()
    running.settle()
    expect(page.get_by_text("等您确认")).to_be_visible()
    assert axe_violations(page) == []
    page.get_by_role("button", name="确认导入").click()
    expect(page.get_by_text("导入中")).to_be_visible()
    running.settle()
    expect(page.locator("#progress .status", has_text="已完成")).to_be_visible()
    expect(page.get_by_role("row", name="第3行")).to_contain_text("不能是空的")
    assert axe_violations(page) == []
