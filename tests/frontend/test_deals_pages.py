"""The pages from mandate to signed contract, over HTTP as a browser without script would."""

import html
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from frontend.edge import COOKIE
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.catalog.schemas import AchievementIn
from market.deals import negotiation, views
from market.kit.ids import PublicId
from tests import factories
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.trade import (
    MESSAGE,
    Trade,
    agreed,
    asked,
    drafted,
    mandate,
    negotiated,
    publicised,
    published,
    trade,
)

HOST = "http://127.0.0.1"


class Browser:
    """One person's browser: keeps the session, sends the page's token with every form."""

    def __init__(self, app: FastAPI, parts: Parts, actor: Actor) -> None:
        self.client = TestClient(app, base_url=HOST, follow_redirects=False)
        self.client.headers["origin"] = HOST
        self.csrf = ""
        if actor.person_id is not None:
            cookie, self.csrf = factories.cookie(parts, actor)
            self.client.cookies.set(COOKIE, cookie)

    def get(self, path: str, status: int = 200) -> str:
        return self._text(self.client.get(path), status)

    def send(self, to: str, status: int = 303, /, **fields: Any) -> str:
        """Send a form; return where it leads, or the page that it got where it is refused."""
        answer = self.client.post(to, data={"csrf": self.csrf, **fields})
        text = self._text(answer, status)
        return answer.headers["location"] if status == 303 else text

    def _text(self, answer: httpx.Response, status: int) -> str:
        assert answer.status_code == status, re.sub(r"\s+", " ", answer.text)[-1500:]
        return html.unescape(answer.text)


class Site:
    def __init__(self, app: FastAPI, parts: Parts) -> None:
        self.app, self.parts = app, parts

    def __call__(self, actor: Actor) -> Browser:
        return Browser(self.app, self.parts, actor)


@pytest.fixture
def site(parts: Parts, settings: Settings) -> Iterator[Site]:
    app = create_app(parts, open_reader(settings), settings)
    with TestClient(app):
        yield Site(app, parts)


@pytest.fixture
def world(parts: Parts, clock: FakeClock) -> Trade:
    clock.set_local("2026-11-12 09:00")
    return trade(parts, masked=True)


def path_of(location: str) -> str:
    return location.partition("?")[0]


def contract(**changes: Any) -> dict[str, Any]:
    return {
        "project_name": "轨道扣件螺栓松动声学检测",
        "kind": "LIC:专利实施许可",
        "field": "10",
        "total": "186",
        "line_name": ["入门费", "", "检测设备", ""],
        "line_kind": ["technical", "technical", "non_technical", "technical"],
        "line_amount": ["156", "", "30", ""],
        "pay_method": "lump",
        "begins_on": "2026年11月28日",
        "ends_on": "2031-11-27",
        **changes,
    }


def test_the_whole_way_by_pages(site: Site, world: Trade, clock: FakeClock) -> None:
    seller, buyer = site(world.seller), site(world.buyer)
    ask = f"/listings/{world.achievement.public_id}/inquiries"
    assert "发出询问" in buyer.get(ask)
    question = {"message": MESSAGE, "own_listing": world.demand.public_id}
    inquiry = path_of(buyer.send(ask, **question, contact_phone="13800000002"))
    assert "等待您" not in buyer.get(inquiry)
    received = seller.get("/inquiries")
    assert "待您答复" in received
    assert world.company.name not in received
    before = seller.get(inquiry)
    assert "13800000002" not in before
    assert "答复后可见" in before
    seller.send(f"{inquiry}/answer", answer="可以支持", contact_phone="13800000003")
    answered = buyer.get(inquiry)
    assert "13800000003" in answered
    deal = re.search(r"/deals/[2-9a-z]{14}", answered)
    assert deal is not None

    assert "下一步：提出条件" in seller.get(deal[0])
    terms = {"seen": "0", "mode": "排他许可", "amount": "150", "text": "5年，中国境内"}
    seller.send(f"{deal[0]}/terms", **terms)
    assert "等对方确认第1轮条件" in seller.get(deal[0])
    assert "下一步：确认第1轮条件" in buyer.get(deal[0])
    buyer.send(f"{deal[0]}/confirm", version="1")
    assert "下一步：选定定价方式" in seller.get(deal[0])
    assert "2026-11-27" in seller.get(f"{deal[0]}/pricing")
    choice = {"path": "agreement", "summary": "声学检测方法", "interested": "no"}
    seller.send(f"{deal[0]}/pricing", **choice, checked="1")
    running = seller.get(deal[0])
    assert "公示中，第0天" in running
    assert "11月28日" in running
    notice = re.search(r"/publicity/[2-9a-z]{14}", running)
    assert notice is not None
    public = site(Actor()).get(notice[0])
    assert "1,500,000.00元" in public
    assert world.university.name in public
    assert world.company.name not in public

    seller.send(f"{deal[0]}/contract", **contract())
    shown = buyer.get(deal[0])
    assert "156.00" in shown
    assert "等公示期满" in shown
    assert 'name="contract"' not in shown, "nothing to sign while the 公示 runs"
    clock.set_local("2026-11-27 18:00")
    buyer = site(world.buyer)  # the old session has been idle too long
    with_id = drafted_id(site, world, deal[0])
    refused = buyer.send(f"{deal[0]}/contract/confirm", 409, contract=with_id)
    assert "最早2026-11-28可以签约" in refused
    clock.set_local("2026-11-28 08:00")
    seller, buyer = site(world.seller), site(world.buyer)
    assert "下一步：确认并签订合同" in buyer.get(deal[0])
    assert "价款：约定150万元，合同186万元" in buyer.get(deal[0])
    unknowing = buyer.send(f"{deal[0]}/contract/confirm", 422, contract=with_id)
    assert 'id="differences_known-e"' in unknowing
    knowing = {"contract": with_id, "differences_known": "1"}
    buyer.send(f"{deal[0]}/contract/confirm", **knowing)
    assert "等对方确认合同" in buyer.get(deal[0])
    seller.send(f"{deal[0]}/contract/confirm", **knowing)
    signed = seller.get(deal[0])
    assert "技术许可，186万元" in signed
    assert "186万元" in seller.get("/deals?shelf=signed")
    assert "186万元" in seller.get("/deals/board")
    assert f"/registrations/new?contract={with_id}" in signed
    assert "已签约，待登记" in seller.get("/deals?shelf=signed")
    buyer.send(f"{deal[0]}/disclosure", agrees="yes")
    assert "买方同意" in seller.get(deal[0])


def drafted_id(site: Site, world: Trade, deal: str) -> str:
    with read_for(site.parts, world.seller) as work:
        found = views.deal_view(work, PublicId(deal.rpartition("/")[2])).row.contract
    assert found is not None
    return found.public_id


def test_a_mandate_and_an_introduction_by_pages(site: Site, world: Trade) -> None:
    buyer, broker, seller = site(world.buyer), site(world.broker), site(world.seller)
    offer = {
        "agency": world.agency.public_id,
        "as_buyer": "1",
        "fee": "成交额的3%",
        "valid_from": "2026-11-12",
    }
    wrong = buyer.send("/mandates/new", 422, **offer, valid_until="2026-11-11")
    assert "不早于开始日2026-11-12，现在是2026-11-11" in wrong
    assert "成交额的3%" in wrong
    given = path_of(buyer.send("/mandates/new", **offer, valid_until="2027-11-11"))
    assert "等待接受" in buyer.get("/mandates")
    assert "接受委托" in broker.get(given)
    broker.send(f"{given}/decision", decision="accept")
    assert "有效" in broker.get("/mandates")

    choices = broker.get("/introductions/new")
    assert world.demand.number is not None
    assert world.achievement.number is not None
    assert world.demand.number in choices
    pair = {"achievement": world.achievement.number, "message": "建议面谈"}
    wrong = broker.send("/introductions/new", 422, **pair, demand="D-2026-99999")
    assert "没有编号为“D-2026-99999”" in wrong
    assert "建议面谈" in wrong
    number = world.demand.number.lower()
    proposed = path_of(broker.send("/introductions/new", **pair, demand=number))
    shown = seller.get(proposed)
    assert "待您决定" in shown
    assert world.company.name not in shown
    seller.send(f"{proposed}/decision", decision="accept")
    opened = buyer.send(f"{proposed}/decision", decision="accept")
    assert "done=introduction-opened" in opened
    deal = re.search(r"/deals/[2-9a-z]{14}", seller.get(proposed))
    assert deal is not None
    assert "由买卖双方办理" in broker.get(deal[0])
    broker.send(f"{deal[0]}/notes", text="周二看样机", audience="own")
    assert "周二看样机" in broker.get(deal[0])
    assert "周二看样机" not in buyer.get(deal[0])
    broker.send(f"{given}/end")
    broker.get(deal[0], 404)


def test_searching_and_picking_keep_what_was_typed(site: Site, world: Trade) -> None:
    broker = site(world.broker)
    achievement = world.achievement.number
    typed = {"message": "工况相符", "demand": "D-2026-00031", "q": "没有这样的成果"}
    page = broker.send("/introductions/new", 200, **typed, step="search")
    assert "没有找到" in page
    for _ in range(2):  # the same button again is no second introduction
        picked = broker.send("/introductions/new", 200, **typed, step=f"achievement:{achievement}")
        for kept in ("工况相符", 'value="D-2026-00031"', f'value="{achievement}"'):
            assert kept in picked
    assert "工况相符" in broker.send("/introductions/new", 200, **typed, step="keep")
    assert "还没有引荐" in broker.get("/introductions")


def test_what_was_typed_stays_when_refused(site: Site, world: Trade) -> None:
    seller, buyer = site(world.seller), site(world.buyer)
    ask = f"/listings/{world.achievement.public_id}/inquiries"
    page = buyer.send(ask, 422, contact_name="示范李乙")
    assert "示范李乙" in page
    deal = f"/deals/{negotiated(world).public_id}"
    page = seller.send(f"{deal}/terms", 422, seen="0", amount="一百", text="5年，中国境内")
    assert "请填数字，单位万元" in page
    assert "5年，中国境内" in page
    page = seller.send(f"{deal}/lose", 422, reason="other")
    assert "请写明是什么" in page
    buyer.send(f"{deal}/terms", seen="0", mode="普通许可", amount="100")
    page = seller.send(f"{deal}/terms", 409, seen="0", mode="普通许可", amount="120", text="含培训")
    assert "先看过再提" in page
    assert "含培训" in page
    assert "100万元" in page


def test_a_contract_form_says_which_line_is_wrong(site: Site, world: Trade) -> None:
    seller = site(world.seller)
    deal = f"/deals/{agreed(world).public_id}"
    form = seller.get(f"{deal}/contract")
    assert 'value="150"' in form
    wrong = {
        "第3行：请填数字": contract(line_amount=["156", "", "三十", ""]),
        "第1行：名称应为": contract(line_name=["", "", "检测设备", ""]),
        "明细合计应等于成交额187万元，现在是186万元": contract(total="187"),
        "至少填一行": contract(line_name=[""], line_amount=[""], line_kind=["technical"]),
        "应从给出的类型里选": contract(kind="XXX:别的"),
        "终止日应不早于": contract(ends_on="2026-11-27"),
    }
    for message, form_ in wrong.items():
        page = seller.send(f"{deal}/contract", 422, **form_)
        assert message in page, message
        assert "轨道扣件螺栓松动声学检测" in page
    more = seller.send(f"{deal}/contract", 200, **contract(), more="1")
    assert more.count('name="line_name"') == 8
    assert "检测设备" in more
    within = contract(line_reasonable=["2"])
    seller.send(f"{deal}/contract", **within)
    assert "非技术，合理数量内" in seller.get(deal)
    assert "186.00" in seller.get(deal)


def test_a_publicity_begins_with_nothing_left_unsaid(site: Site, world: Trade) -> None:
    deal = agreed(world)
    text = AchievementIn(title="轨道几何尺寸的车载检测", summary="车上测轨距和高低。")
    further = published(world.parts, world.seller, text)
    with work_for(world.parts, world.seller) as work:
        negotiation.add_listing(work, deal.public_id, further.public_id)
    seller = site(world.seller)
    path = f"/deals/{deal.public_id}/pricing"
    blank = seller.get(path)
    assert " checked" not in blank
    assert "车上测轨距和高低。" in blank
    nothing = seller.send(path, 422, path="agreement", summary="", exchange="留着的字")
    for field in ("summary", "interested", "checked"):
        assert f'id="{field}-e"' in nothing
    assert "留着的字" in nothing
    whole = {"path": "agreement", "summary": "声学检测", "interested": "yes", "checked": "1"}
    assert 'id="interest_note-e"' in seller.send(path, 422, **whole)
    assert 'id="path-e"' in seller.send(path, 422, **{**whole, "path": ""})
    seller.send(path, **{**whole, "interested": "no"})
    for shown in (seller.get(path), seller.send(path, 422, **{**whole, "interested": "no"})):
        assert "定价方式已经选定" in shown
        assert 'name="summary"' not in shown


def test_stopping_and_losing(site: Site, world: Trade) -> None:
    deal = agreed(world)
    publicised(world, deal)
    drafted(world, deal)
    seller, buyer = site(world.seller), site(world.buyer)
    path = f"/deals/{deal.public_id}"
    seller.send(f"{path}/publicity/stop", reason="objection", note="待核实")
    assert "收到异议" in seller.get(path)
    for side in (seller, buyer):  # what was agreed is agreed anew, by both
        assert "下一步：确认第1轮条件，或提出新的条件" in side.get(path)
        assert "条件" in side.get("/work")
        side.send(f"{path}/confirm", version="1")
    seller.send(f"{path}/pricing", path="listing", exchange="示范技术交易所")
    assert "挂牌" in seller.get(path)
    late = seller.send(f"{path}/pricing/dealt", 422, dealt_on="2026-11-13", price="150")
    assert "应不晚于今天2026-11-12" in late
    seller.send(f"{path}/pricing/dealt", dealt_on="2026-11-12", price="160")
    assert "示范技术交易所" in buyer.get(path)
    buyer.send(f"{path}/lose", reason="funds")
    assert "资金或预算不足" in seller.get(path)
    assert seller.get("/deals?shelf=lost").count(f"/deals/{deal.public_id}") == 1


def test_who_gets_which_answer(site: Site, world: Trade) -> None:
    deal = f"/deals/{negotiated(world).public_id}"
    inquiry = f"/inquiries/{asked(world).public_id}"
    nobody = site(Actor())
    for path in (deal, inquiry, "/deals", "/inquiries", "/mandates", "/introductions"):
        answer = nobody.client.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/login?next=")
    stranger = site(factories.actor(world.parts))
    stranger.get(deal, 404)
    stranger.get(inquiry, 404)
    viewer = site(factories.actor(world.parts, Role.VIEWER, world.university))
    page = viewer.get(deal)
    assert "提出条件</button>" not in page
    viewer.send(f"{deal}/terms", 403, seen="0", mode="普通许可", amount="100")
    mandate(world, world.seller, as_seller=True)
    site(world.broker).send(f"{deal}/lose", 403, reason="price")
    own = f"/listings/{world.achievement.public_id}/inquiries"
    assert "不用询问" in site(world.seller).get(own, 403)
    site(world.buyer).get(f"{deal}/pricing", 403)
    for empty in ("/deals", "/inquiries", "/inquiries?box=sent", "/mandates", "/introductions"):
        assert "还没有" in stranger.get(empty)
