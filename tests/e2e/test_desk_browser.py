"""A contract's way over the desk in browsers: corrected, accepted, registered, changed, cancelled,
with the board moving by exact amounts each time.
"""

import os
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from market.rules import service as rules
from market.rules.schemas import PlanIn
from tests.e2e.test_story_browser import People, Site, counted
from tests.support import papers
from tests.support.browser import DESKTOP, PHONE, axe_violations, sideways_scroll
from tests.support.hands import Mouse
from tests.support.market import work_for
from tests.support.running import Running

pytestmark = pytest.mark.browser
PROJECT = "轨道扣件螺栓松动声学检测"
WAN = papers.WAN


@pytest.fixture
def people(browser: Browser, running: Running, browser_context_args: dict[str, object]) -> People:
    return People(browser, running, browser_context_args)


def sound(site: Site, name: str) -> None:
    """Hold the page as it stands against axe, on a desk and on a phone."""
    for size, which in ((PHONE, "phone"), (DESKTOP, "desk")):
        site.page.set_viewport_size(size)
        assert axe_violations(site.page) == [], name
        assert sideways_scroll(site.page) == 0, (name, which)
        if folder := os.environ.get("PICTURES"):
            path = Path(folder) / f"{name}-{which}.png"
            site.page.screenshot(path=str(path), full_page=which == "phone")


def attach(site: Site, text: str) -> None:
    file = {
        "name": "合同.pdf",
        "mimeType": "application/pdf",
        "buffer": f"%PDF-1.7 {text}".encode(),
    }
    site.page.locator("input[type=file]").set_input_files(file)


def test_a_contract_over_the_desk(people: People, running: Running) -> None:
    parts = running.parts
    pair = papers.sides(parts)
    plan = PlanIn(
        name="示范区2026",
        from_on=date(2026, 1, 1),
        to_on=date(2026, 12, 31),
        baseline_fen=WAN,
        baseline_year=2020,
        target_fen=1000 * WAN,
    )
    with work_for(parts, pair.officer) as work:
        rules.put_plan(work, plan)
    contract = papers.signed_contract(parts, pair, project=PROJECT, signed_on=date(2026, 9, 1))
    papers.registered(parts, pair)  # 100万元 that stay
    seller, officer = (Site(people.open(who), Mouse()) for who in (pair.seller_actor, pair.officer))
    assert counted(officer) == "100"

    seller.goto(f"/registrations/new?contract={contract.public_id}")
    sound(seller, "submit")
    seller.press("提交合同登记")
    expect(seller.main).to_contain_text("登记表还缺“关联交易”")
    expect(seller.main).to_contain_text("请附上双方签字盖章的合同文件")
    seller.page.get_by_label("否", exact=True).check()
    seller.choose("计划来源", "计划外")
    seller.choose("知识产权", "技术秘密")
    attach(seller, "第一稿")
    seller.press("提交合同登记")
    expect(seller.main).to_contain_text("待受理")

    officer.goto("/desk/registrations")
    sound(officer, "queue")
    officer.follow(PROJECT)
    sound(officer, "decision")
    officer.follow("要求补正")
    officer.fill("要补正的内容", "请补交设备清单")
    officer.press("要求补正")

    people.on("2026-11-05 09:00")
    seller.goto("/registrations")
    seller.follow(PROJECT)
    expect(seller.main).to_contain_text("请补交设备清单")
    seller.follow("补正并提交")
    attach(seller, "补了设备清单")
    seller.press("提交补正材料")
    people.on("2026-11-06 09:00")
    officer.goto("/desk/registrations")
    officer.follow(PROJECT)
    officer.press("受理")
    expect(officer.main).to_contain_text("2026-11-05")
    expect(officer.main).to_contain_text("2026-11-26")
    assert counted(officer) == "100"

    officer.goto("/desk/registrations")
    officer.follow(PROJECT)
    officer.fill("登记编号", "0000202600000931")
    officer.fill("登记日期", "2026-11-06")
    officer.fill("认定成交额", "120")
    officer.fill("认定技术交易额", "96.5")
    officer.fill("与申报不同的原因", "设备款不计")
    officer.press("准予登记并计入看板")
    expect(officer.main).to_contain_text("已登记")
    assert counted(officer) == "196.50"

    step(officer, "变更登记")
    officer.fill("变更后成交额", "110")
    officer.fill("变更后技术交易额", "90.25")
    officer.fill("变更的原因", "补充协议调减")
    sound(officer, "change")
    officer.press("变更登记")
    expect(officer.main).to_contain_text("补充协议调减")
    assert counted(officer) == "190.25"

    step(officer, "注销登记")
    officer.page.get_by_label("合同解除").check()
    officer.fill("说明", "双方协议解除")
    officer.press("注销登记")
    expect(officer.main).to_contain_text("已注销")
    sound(officer, "cancelled")
    assert counted(officer) == "100"
    seller.goto("/registrations")
    seller.follow(PROJECT)
    expect(seller.main).to_contain_text("合同解除")
    sound(seller, "one")
    for path in ("/desk/rules", "/desk/calendar?year=2027"):
        officer.goto(path)
        sound(officer, path.strip("/").replace("/", "-").partition("?")[0])


def step(officer: Site, name: str) -> None:
    officer.goto(
        "/desk/registrations?state=changed"
        if name == "注销登记"
        else "/desk/registrations?state=registered"
    )
    officer.follow(PROJECT)
    officer.follow(name)
