"""The board, its reports, brokers' fees and rewards in a real browser, at both widths."""

import dataclasses
import itertools
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from frontend.edge import COOKIE
from infra.settings import Settings
from infra.web import create_app, in_thread
from infra.wiring import open_reader
from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.brokerage import service as brokerage
from market.rewards import service as rewards
from market.rules import service as rules
from market.rules.schemas import PlanIn
from tests import factories
from tests.frontend.test_every_page import problems
from tests.market.brokerage.test_brokerage import bypassed
from tests.market.rewards.test_rewards import form
from tests.support import papers, printed
from tests.support.browser import DESKTOP, PHONE
from tests.support.market import read_for, work_for
from tests.support.trade import Trade, trade

pytestmark = pytest.mark.browser
YI = 100 * 100 * papers.WAN


@pytest.fixture
def address(parts: Parts, settings: Settings) -> Iterator[str]:
    reader = open_reader(settings)
    app = create_app(parts, reader, settings)
    server, thread, port = in_thread(app, dataclasses.replace(settings, port=0))
    yield f"http://127.0.0.1:{port}"
    server.stop()
    thread.join(timeout=10)
    reader.close()


def plan(parts: Parts, officer: Actor) -> None:
    with work_for(parts, officer) as work:
        rules.put_plan(
            work,
            PlanIn(
                name="示范区2026–2030",
                region="500106",
                from_on=date(2026, 1, 1),
                to_on=date(2030, 12, 31),
                baseline_fen=2 * YI,
                baseline_year=2020,
                target_fen=40 * YI,
            ),
        )


def opened(browser: Browser, address: str, parts: Parts, actor: Actor, width: dict) -> Page:
    context = browser.new_context(
        base_url=address, viewport=width, locale="zh-CN", reduced_motion="reduce"
    )
    value, _ = factories.cookie(parts, actor)
    context.add_cookies([{"name": COOKIE, "value": value, "url": address}])
    return context.new_page()


def looked_at(page: Page, where: str, paths: list[str]) -> list[str]:
    """Open each page; return what is wrong. Pictures go to the folder that PICTURES names."""
    wrong = []
    for path in paths:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        wrong += problems(page, f"{path} {where}")
        if folder := os.environ.get("PICTURES"):
            name = path.strip("/").replace("/", "_").replace("?", "_")[:60]
            page.screenshot(path=Path(folder) / f"{where}-{name}.png", full_page=True)
    page.context.close()
    return wrong


def world(parts: Parts, officer: Actor) -> tuple[Trade, dict[str, list[str]]]:
    """Return a market with a flag, a fee, a reward and a board, and the pages of each side."""
    plan(parts, officer)
    people = trade(parts, state_founded=False)
    owed = bypassed(people)
    pair = papers.sides(parts)
    for place in range(6):
        papers.registered(
            parts, pair, technical=(place + 3) * 10 * papers.WAN, total=YI, field=place + 1
        )
    with work_for(parts, people.seller) as work:
        reward = rewards.state(work, form())
    with read_for(parts, people.broker) as work:
        flag = brokerage.bypasses(work)[1][0].row.public_id
    return people, {
        "officer": [
            "/board",
            "/reports",
            "/reports/month",
            "/reports/plan?stage=final",
            "/bypasses",
            f"/bypasses/{flag}",
            "/desk/transfer-rules",
        ],
        "seller": [
            "/mandates/new",
            "/rewards",
            "/rewards/new",
            f"/rewards/{reward.public_id}",
            "/reports/year?year=2026",
        ],
        "broker": ["/commissions", f"/commissions/{owed.public_id}", "/mandates"],
    }


def test_the_pages_at_both_widths_and_a_figure_down_to_its_contracts(
    parts: Parts, address: str, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Their deals have numbers of their own, apart from those that the market gives.
    monkeypatch.setattr(papers, "_COUNTER", itertools.count(500))
    officer = factories.actor(parts, Role.OFFICER)
    people, pages = world(parts, officer)
    who = {"officer": officer, "seller": people.seller, "broker": people.broker}
    wrong: list[str] = []
    for width in (DESKTOP, PHONE):
        for name, paths in pages.items():
            page = opened(browser, address, parts, who[name], width)
            wrong += looked_at(page, f"{name}-{width['width']}", paths)
    assert wrong == []
    page = opened(browser, address, parts, officer, DESKTOP)
    page.goto("/board")
    assert "资料不足" in page.locator('section[aria-labelledby="forecast"]').inner_text()
    page.locator('section[aria-labelledby="buyer"]').get_by_role("link").first.click()
    # 30 to 80万元, six contracts of one buyer.
    assert "3,300,000.00" in page.get_by_text("技术交易额合计").locator("xpath=..").inner_text()
    assert page.locator("main table tbody tr").count() == 6
    with page.expect_download() as started:
        page.goto("/reports")
        page.get_by_role("button", name="PDF").first.click()
    assert started.value.suggested_filename.startswith("月报-")
    paper = Path(started.value.path()).read_bytes()
    told = printed.text(paper)
    assert told.startswith("技术合同登记月报（")
    assert "3,300,000.00 元" in told
    assert all(name.startswith("NotoSansSC") for name in printed.fonts(paper))
    page.context.close()
