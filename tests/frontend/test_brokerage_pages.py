"""Brokers' fees, flags, rewards, rules and reports on the site, over HTTP without script."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from frontend.edge import COOKIE
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts.policy import Role
from market.accounts.work import Parts
from tests import factories
from tests.frontend.test_board_pages import HOST, Visitor
from tests.market.brokerage.test_brokerage import bypassed
from tests.support import printed
from tests.support.trade import Trade, trade


@pytest.fixture
def site(parts: Parts, settings: Settings) -> Iterator[TestClient]:
    engine = open_reader(settings)
    app = create_app(parts, engine, settings)
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        client.headers["origin"] = HOST
        yield client
    engine.close()


@pytest.fixture
def world(parts: Parts) -> Trade:
    return trade(parts, state_founded=False)


def link(page: str, pattern: str) -> str:
    found = re.search(rf'href="({pattern})"', page)
    assert found, pattern
    return found[1]


def test_a_mandate_says_its_fee_and_keeps_its_paper(
    site: TestClient, world: Trade, parts: Parts
) -> None:
    seller = Visitor(site, parts, world.seller)
    form = {
        "agency": world.agency.public_id,
        "as_seller": "on",
        "fee_kind": "rate",
        "fee_rate_bp": "2.5",
        "fee_base": "technical",
        "fee_payer": "both",
        "cost_fen": "0.8",
        "valid_from": "2026-11-02",
        "valid_until": "2027-11-01",
    }
    again = seller.post("/mandates/new", {**form, "fee_rate_bp": "x"}, 422)
    assert "应为百分数" in again
    again = seller.post("/mandates/new", {**form, "fee_rate_bp": ""}, 422)
    assert "按比例的，请填比例" in again
    page = seller.post("/mandates/new", form)
    for words in ("技术交易额的2.5%", "双方各半", "8,000.00元", "还没有放入"):
        assert words in page, words


def test_a_flag_is_contested_and_decided(site: TestClient, world: Trade, parts: Parts) -> None:
    bypassed(world)
    buyer = Visitor(site, parts, world.buyer)
    officer = Visitor(site, parts, factories.actor(parts, Role.OFFICER))
    address = link(buyer.get("/bypasses"), "/bypasses/[a-z0-9]{14}")
    assert "引荐了谁、何时、由谁" in buyer.get(address)
    assert "还有1处要改" in buyer.post(f"{address}/contest", {"reason": ""}, 422)
    page = buyer.post(f"{address}/contest", {"reason": "引荐之前已经在谈。"})
    assert "有异议，待科技局处理" in page
    assert "处理跳单异议" in officer.get("/work")
    page = officer.post(f"{address}/decision", {"decision": "dismiss", "note": "查有意向书。"})
    assert "已撤销标记" in page
    broker = Visitor(site, parts, world.broker)
    owed = link(broker.get("/commissions"), "/commissions/[a-z0-9]{14}")
    assert "不再应付" in broker.get(owed)


def test_a_broker_settles_its_fee(site: TestClient, world: Trade, parts: Parts) -> None:
    bypassed(world)
    broker = Visitor(site, parts, world.broker)
    address = link(broker.get("/commissions"), "/commissions/[a-z0-9]{14}")
    assert "55,800.00元" in broker.get(address)
    assert "请先确认款已到账" in broker.post(f"{address}/settlement", {}, 422)
    assert "已收讫" in broker.post(f"{address}/settlement", {"arrived": "1"})


def test_a_reward_is_stated_confirmed_and_printed(
    site: TestClient, world: Trade, parts: Parts
) -> None:
    seller = Visitor(site, parts, world.seller)
    assert "空着按最低比例" in seller.get("/rewards/new")
    form = {
        "title": "检测方法",
        "way": "transfer",
        "income": "0.02",
        "decided_on": "2026-11-01",
        "names": ["甲", "乙", "丙"],
        "parts": ["", "", ""],
        "weights": ["1", "1", "1"],
    }
    assert "至少写一位完成人" in seller.post("/rewards/new", {**form, "names": []}, 422)
    page = seller.post("/rewards/new", form)
    assert "33.34元" in page
    assert "33.33元" in page
    address = link(page, "/rewards/[a-z0-9]{14}/statement").removesuffix("/statement")
    page = seller.post(f"{address}/drop", {})
    assert "草稿已删除" in page
    assert "还没有奖励说明" in page
    page = seller.post("/rewards/new", form)
    address = link(page, "/rewards/[a-z0-9]{14}/statement").removesuffix("/statement")
    page = seller.post(f"{address}/confirmation", {})
    assert "已确认" in page
    assert "删除草稿" not in page
    assert "不能删除" in seller.post(f"{address}/drop", {}, 409)


def test_the_bureau_changes_a_rule_and_reads_its_reports(
    site: TestClient, world: Trade, parts: Parts
) -> None:
    bureau = factories.actor(parts, Role.OFFICER)
    officer = Visitor(site, parts, bureau)
    page = officer.get("/desk/transfer-rules")
    replaces = re.search(r'name="replaces" value="([a-z0-9]{14})"', page)
    assert replaces
    form = {
        "replaces": replaces[1],
        "effective_from": "2015-10-01",
        "transfer_bp": "60",
        "equity_bp": "50",
        "own_bp": "5",
        "own_years_least": "3",
        "own_years_most": "5",
        "bypass_days": "180",
        "publicity_days": "20",
        "source": "示范",
        "checked_on": "2026-11-02",
    }
    page = officer.post("/desk/transfer-rules", form)
    assert "60%" in page
    assert "已替换" in page
    assert "刚被别人改过" in officer.post("/desk/transfer-rules", form, 422)
    plan = {
        "name": "示范区2026–2030",
        "region": "500106",
        "from_on": "2026-01-01",
        "to_on": "2030-12-31",
        "target_fen": "400000",
        "baseline_fen": "20000",
        "baseline_year": "2020",
    }
    officer.post("/desk/plan", plan)
    assert "看月报" in officer.get("/reports")
    month = officer.get("/reports/month?month=2026-11")
    assert "只作对照，不计入累计" in month
    assert "资料不足" in month
    assert "资料不足" in officer.get("/board")
    assert "总结报告" in officer.get("/reports/plan?stage=final")
    officer.get("/reports/month?month=2027-11", 404)
    assert officer.get("/board/picture.svg").startswith("<svg")
    value, _ = factories.cookie(parts, bureau)
    answer = site.get(
        "/reports/month?month=2026-11&kind=pdf", headers={"cookie": f"{COOKIE}={value}"}
    )
    assert printed.text(answer.content).startswith("技术合同登记月报（2026年11月）")
    Visitor(site, parts, world.seller).get("/reports/month", 403)
    assert "一、取得的成绩" in Visitor(site, parts, world.seller).get("/reports/year?year=2026")
