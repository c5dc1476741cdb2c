"""Payments on the site, over HTTP without script: the pages show the truth at each step."""

import re
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from frontend.edge import COOKIE
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts.policy import Role
from market.accounts.work import Parts
from market.payments import repository_beside, schedule
from market.payments.schemas import FeeIn
from market.payments.stripe import Cards
from market.payments.ways import Ways
from tests import factories
from tests.frontend.test_board_pages import HOST, Visitor
from tests.support import printed
from tests.support.clock import FakeClock
from tests.support.market import work_for
from tests.support.paying import Till, till
from tests.support.stripe_stand_in import KEY, SECRET, serving


@pytest.fixture
def desk(parts: Parts, clock: FakeClock) -> Iterator[Till]:
    with serving(clock.now) as stripe:
        yield till(parts, clock, stripe)


@pytest.fixture
def site(parts: Parts, settings: Settings, desk: Till) -> Iterator[TestClient]:
    engine = open_reader(settings)
    app = create_app(parts, engine, settings)
    app.state.ways = desk.ways
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        client.headers["origin"] = HOST
        yield client
    engine.close()


def as_payer(desk: Till) -> tuple[dict[str, str], str]:
    """Return the headers of the payer's browser, and the token of its forms."""
    secret, csrf = factories.cookie(desk.parts, desk.payer)
    return {"cookie": f"{COOKIE}={secret}"}, csrf


def sent_on(site: TestClient, desk: Till, path: str) -> str:
    """Press a button of the payer that leads to another site; return where."""
    headers, csrf = as_payer(desk)
    answer = site.post(path, data={"csrf": csrf}, headers=headers)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_paying_by_card_from_the_fee_to_the_refund(site: TestClient, desk: Till) -> None:
    payer = Visitor(site, desk.parts, desk.payer)
    assert "示范收费办法第2条" in payer.get("/fees")
    page = payer.post("/payments/new", {"fee": desk.fee})
    assert "待付" in page
    assert "测试模式" in page
    address = re.search(r'action="(/payments/[a-z0-9]{14})/card"', page)
    assert address
    here = address[1]
    places = {sent_on(site, desk, f"{here}/card") for _ in range(3)}
    (session,) = desk.stripe.sessions
    assert places == {desk.stripe.sessions[session]["url"]}
    page = payer.get(f"{here}?returned=1")
    assert "还没有收到付款结果" in page
    assert "接着在线支付" in page
    headers, _ = as_payer(desk)
    policy = site.get(here, headers=headers).headers["content-security-policy"]
    assert f"form-action 'self' {desk.stripe.url};" in policy
    desk.stripe.pay(session)
    assert sent_on(site, desk, f"{here}/card/check").startswith(here)
    page = payer.get(here)
    assert "已付" in page
    assert "在线支付</button>" not in page
    operator = Visitor(site, desk.parts, desk.operators[0])
    (capture,) = desk.view(here.rsplit("/", 1)[1]).captures  # type: ignore[arg-type]
    form = {"capture": capture.public_id, "amount_fen": "1000", "reason": "多收了一个月"}
    treasury = here.replace("/payments/", "/treasury/")
    again = operator.post(f"{treasury}/refunds", {**form, "amount_fen": "10000"}, 422)
    assert "最多还能退3,000.00元" in again
    assert "退款已发起" in operator.post(f"{treasury}/refunds", form)
    desk.work()
    page = payer.get(here)
    assert "退了一部分" in page
    assert "多收了一个月" in page
    page = payer.get("/statement")
    assert "2,000.00元" in page
    answer = site.get("/statement?as=pdf", headers=headers)
    assert "平台年度服务费" in printed.text(answer.content)
    assert site.get("/statement?as=xlsx", headers=headers).content.startswith(b"PK")
    desk.sound()


def test_back_from_stripe_the_page_asks_by_itself(site: TestClient, desk: Till) -> None:
    payment = desk.owed()
    here = f"/payments/{payment}"
    sent_on(site, desk, f"{here}/card")
    ((session, made),) = desk.stripe.sessions.items()
    back = made["success_url"].removeprefix(HOST)
    payer = Visitor(site, desk.parts, desk.payer)
    payer.get(back, 303)
    assert "还没有收到付款结果" in payer.get(f"{here}?returned=1")
    desk.stripe.pay(session)  # and nothing is delivered
    Visitor(site, desk.parts, desk.operators[0]).get(back, 303)
    assert "/login" in site.get(back).headers["location"]
    assert desk.row(payment).state == "due"  # who may not pay asks for nothing
    payer.get(back, 303)
    assert "付款已收到，这笔款项已经付清" in payer.get(f"{here}?returned=1")
    assert desk.row(payment).state == "paid"
    desk.sound()


def test_a_transfer_with_four_eyes(site: TestClient, desk: Till) -> None:
    payment = desk.owed()
    payer = Visitor(site, desk.parts, desk.payer)
    page = payer.get(f"/payments/{payment}")
    reference = desk.row(payment).reference
    assert page.count(reference) == 2
    assert "1234567890" in page
    slip = {"file": ("回单.pdf", b"%PDF-1.7 slip", "application/pdf")}
    headers, csrf = as_payer(desk)
    data = {"csrf": csrf, "amount_fen": "3500", "sent_on": "2026-11-02"}
    answer = site.post(f"/payments/{payment}/slips", data=data, files=slip, headers=headers)
    assert answer.status_code == 303
    first, second = (Visitor(site, desk.parts, one) for one in desk.operators)
    assert "校验码" in first.post("/treasury/find", {"reference": "123456789012"}, 422)
    page = first.post("/treasury/find", {"reference": reference})
    assert "回单.pdf" in page
    form = {
        "statement": "流水1",
        "payer_name": "示范企业",
        "amount_fen": "3500",
        "received_on": "2026-11-02",
    }
    page = first.post(f"/treasury/{payment}/credits", form)
    assert "您录入的，请另一位运营人员确认" in page
    assert "确认到账" in second.get("/work")
    (credit,) = desk.view(payment).credits
    decision = f"/credits/{credit.public_id}/decision"
    assert "录入的人不能自己确认" in first.post(decision, {"decision": "confirm"}, 409)
    assert "待付" in payer.get(f"/payments/{payment}")
    page = second.post(decision, {"decision": "confirm"})
    assert "多付的款，待退回" in page
    page = payer.get(f"/payments/{payment}")
    assert "已付" in page
    assert "500.00元" in page
    invoice = {"number": "26502000000000000001", "amount_fen": "3000", "issued_on": "2026-11-02"}
    assert "26502000000000000001" in second.post(f"/treasury/{payment}/invoices", invoice)
    desk.sound()


def test_without_keys_everything_but_the_card_works_and_says_so(
    site: TestClient, desk: Till
) -> None:
    site.app.state.ways = Ways(None, desk.ways.bank)  # type: ignore[attr-defined]
    payment = desk.owed()
    payer = Visitor(site, desk.parts, desk.payer)
    page = payer.get(f"/payments/{payment}")
    assert "这里没有开通在线支付" in page
    assert "测试模式" not in page
    assert "没有开通在线支付" in payer.post(f"/payments/{payment}/card", {}, 409)
    assert "没有 Stripe 的密钥" in Visitor(site, desk.parts, desk.operators[0]).get("/treasury")
    assert "已取消" in payer.post(f"/payments/{payment}/cancellation", {})


def test_stripe_down_says_that_nobody_was_charged(site: TestClient, desk: Till) -> None:
    payment = desk.owed()
    payer = Visitor(site, desk.parts, desk.payer)
    desk.stripe.faults.append("after")
    assert "没有扣款" in payer.post(f"/payments/{payment}/card", {}, 503)
    desk.clock.advance(seconds=1)
    sent_on(site, desk, f"/payments/{payment}/card")
    assert len(desk.stripe.sessions) == 1


def test_a_paid_session_that_nothing_told_of_ends_when_looked_at(
    site: TestClient, desk: Till
) -> None:
    """The tab was closed during payment."""
    payment = desk.owed()
    sent_on(site, desk, f"/payments/{payment}/card")
    (session,) = desk.stripe.sessions
    desk.stripe.pay(session)
    desk.clock.advance(hours=3)
    desk.work()
    assert "已付" in Visitor(site, desk.parts, desk.payer).get(f"/payments/{payment}")
    assert desk.clock.now() - desk.view(payment).captures[0].at < timedelta(seconds=1)


def test_a_commission_is_offered_to_be_paid_only_to_who_may(site: TestClient, desk: Till) -> None:
    payment, _ = desk.owed_commission()
    payer = Visitor(site, desk.parts, desk.payer)
    payer.post(f"/payments/{payment}/cancellation", {})
    found = re.search(r'href="(/commissions/[a-z0-9]{14})"', payer.get("/commissions"))
    assert found
    assert "/payments/new?commission=" in payer.get(found[1])
    viewer = factories.actor(desk.parts, Role.VIEWER, desk.organisation)
    assert "/payments/new?commission=" not in Visitor(site, desk.parts, viewer).get(found[1])


@pytest.mark.parametrize(
    ("since", "until", "field", "said"),
    [
        ("abc", "2026-11-02", "since", "应写成2026-11-20的样子，现在是“abc”"),
        ("2026-10-01", "2026-13-01", "until", "日历上没有这一天"),
        ("2026-11-02", "2026-11-01", "until", "应不早于开始的日期"),
        ("2020-01-01", "2026-11-01", "until", "最多三年"),
        ("12026-01-01", "", "since", "应写成"),
    ],
)
@pytest.mark.parametrize("kind", ["", "pdf", "xlsx"])
def test_wrong_days_of_a_statement_are_told_at_their_field(
    site: TestClient, desk: Till, kind: str, since: str, until: str, field: str, said: str
) -> None:
    whose = str(desk.organisation.public_id)
    asked = urlencode({"since": since, "until": until, "as": kind, "organisation": whose})
    for who in (desk.payer, desk.operators[0]):
        page = Visitor(site, desk.parts, who).get(f"/statement?{asked}", 422)
        assert f'id="{field}-e"' in page
        assert said in page
        assert f'value="{since}"' in page
        assert f'value="{until}"' in page
        assert f'name="organisation" value="{whose}"' in page
        assert desk.organisation.name in page


def test_the_statement_of_another_is_not_to_be_had_by_wrong_days(
    site: TestClient, desk: Till
) -> None:
    other = factories.organisation(desk.parts)
    payer = Visitor(site, desk.parts, desk.payer)
    for days in ("", "&since=abc"):
        payer.get(f"/statement?organisation={other.public_id}{days}", 404)


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ((), "在支付服务的页面选择付款方式"),
        (("card",), ">银行卡，在支付服务的页面完成"),
        (("card", "alipay"), ">银行卡或支付宝，"),
        (("card", "alipay", "wechat_pay"), ">银行卡、支付宝或微信支付，"),
        (("card", "unionpay_x"), ">银行卡或unionpay_x，"),
    ],
)
def test_the_page_names_the_ways_to_pay_that_the_account_takes(
    site: TestClient, desk: Till, methods: tuple[str, ...], said: str
) -> None:
    cards = Cards(KEY, SECRET, url=desk.stripe.url, methods=methods)
    site.app.state.ways = Ways(cards, desk.ways.bank)  # type: ignore[attr-defined]
    page = Visitor(site, desk.parts, desk.payer).get(f"/payments/{desk.owed()}")
    assert said in page
    assert ("支付宝" in page) == ("alipay" in methods)


@pytest.mark.parametrize("field", ["deal", "commission"])
def test_what_is_no_id_of_a_purpose_is_not_there(site: TestClient, desk: Till, field: str) -> None:
    earnest = FeeIn(
        code="earnest",
        name="诚意金",
        purpose="earnest",
        rate_bp=200,
        effective_from=desk.clock.now().date(),
        source="示范收费办法第5条",
    )
    with work_for(desk.parts, desk.operators[0]) as work:
        schedule.set_fee(work, earnest)
    payer = Visitor(site, desk.parts, desk.payer)
    for typed in ("x", "x" * 30, "2" * 14):
        payer.get(f"/payments/new?{field}={typed}", 404)
        payer.post("/payments/new", {"fee": desk.fee, field: typed}, 404)


def test_a_payment_that_was_not_paid_online_says_so(site: TestClient, desk: Till) -> None:
    payment = desk.owed()
    session = desk.checkout(payment)
    desk.stripe.submit_slowly(session)
    desk.deliver()
    desk.work()
    payer = Visitor(site, desk.parts, desk.payer)
    page = payer.get(f"/payments/{payment}")
    assert "先不要汇款" in page
    assert "1234567890" not in page
    desk.stripe.finish(session, paid=False)
    desk.deliver()
    desk.work()
    page = payer.get(f"/payments/{payment}")
    assert "上一次在线支付没有成功" in page
    assert "1234567890" in page
    assert "在线支付没有成功，没有扣款" in payer.get("/messages")


def test_a_commission_that_is_being_paid_leads_there(site: TestClient, desk: Till) -> None:
    payment, _ = desk.owed_commission()
    with desk.parts.database.read() as session:
        commission = repository_beside.commission(session, desk.row(payment).commission_id)
    page = Visitor(site, desk.parts, desk.payer).get(
        f"/payments/new?commission={commission.public_id}"
    )
    assert f'href="/payments/{payment}"' in page
    assert ">登记款项</button>" not in page
