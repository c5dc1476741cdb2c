"""Payments in a browser: pay, pay twice fast, close the tab during payment, refund, and a transfer
by two persons. The pages show the truth each time.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from frontend.edge import COOKIE
from infra.settings import Settings
from infra.web import create_app, in_thread
from infra.wiring import open_reader
from market.accounts.work import Actor, Parts
from tests import factories
from tests.support.browser import PHONE, axe_violations, sideways_scroll
from tests.support.clock import FakeClock
from tests.support.paying import Till, till
from tests.support.stripe_stand_in import serving

pytestmark = pytest.mark.browser


@dataclass
class Place:
    """A site that is served, and who is at it."""

    desk: Till
    address: str
    browser: Browser

    def of(self, who: Actor, **options: object) -> BrowserContext:
        secret, _ = factories.cookie(self.desk.parts, who)
        context = self.browser.new_context(base_url=self.address, locale="zh-CN", **options)  # type: ignore[arg-type]
        context.add_cookies([{"name": COOKIE, "value": secret, "url": self.address}])
        context.set_default_timeout(60_000)
        return context


@pytest.fixture
def place(parts: Parts, clock: FakeClock, settings: Settings, browser: Browser) -> Iterator[Place]:
    with serving(clock.now) as stripe:
        desk = till(parts, clock, stripe)
        engine = open_reader(settings)
        app = create_app(parts, engine, settings)
        app.state.ways = desk.ways
        server, thread, port = in_thread(app, dataclasses.replace(settings, port=0))
        yield Place(desk, f"http://127.0.0.1:{port}", browser)
        server.stop()
        thread.join(timeout=10)
        engine.close()


def test_paid_in_another_tab_that_never_came_back(place: Place) -> None:
    desk = place.desk
    payment = desk.owed()
    with place.of(desk.payer) as context:
        page = context.new_page()
        page.goto(f"/payments/{payment}")
        page.get_by_role("button", name="在线支付", exact=True).click()
        page.get_by_role("button", name="Pay").wait_for()
        page.close()
        (session,) = desk.stripe.sessions
        desk.stripe.pay(session)
        page = context.new_page()
        page.goto(f"/payments/{payment}")
        expect(page.locator(".page-head")).to_contain_text("待付")
        page.get_by_role("button", name="核对在线支付").click()
        expect(page.locator(".page-head")).to_contain_text("已付")
        assert page.get_by_role("button", name="在线支付").count() == 0
    assert len(desk.stripe.charges) == 1
    desk.sound()


def looked_at(page: Page) -> None:
    assert axe_violations(page) == []
    assert not sideways_scroll(page)


def test_pay_twice_fast_close_the_tab_and_refund(place: Place) -> None:
    desk = place.desk
    payment = desk.owed()
    with place.of(desk.payer) as context:
        page = context.new_page()
        page.goto(f"/payments/{payment}")
        looked_at(page)
        page.get_by_role("button", name="在线支付", exact=True).dblclick()
        page.get_by_role("button", name="Pay").wait_for()
        assert len(desk.stripe.sessions) == 1
        # The tab is closed at Stripe's page, and another one opened.
        page.close()
        page = context.new_page()
        page.goto(f"/payments/{payment}")
        page.get_by_role("button", name="接着在线支付").click()
        page.get_by_role("button", name="Pay").click()
        # No notice of Stripe has come: the page has asked by itself.
        expect(page.locator("main")).to_contain_text("付款已收到，这笔款项已经付清")
        expect(page.locator(".page-head")).to_contain_text("已付")
        looked_at(page)
    assert len(desk.stripe.charges) == 1
    with place.of(desk.operators[0]) as context:
        page = context.new_page()
        page.goto(f"/treasury/{payment}")
        looked_at(page)
        page.get_by_label("可退").check()
        page.get_by_label("退款金额").fill("3,000")
        page.get_by_label("原因").fill("多收")
        page.get_by_role("button", name="发起退款").dblclick()
        expect(page.locator("main")).to_contain_text("退款已发起")
    desk.work()
    assert len(desk.stripe.refunds) == 1
    with place.of(desk.payer, viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"/payments/{payment}")
        expect(page.locator(".page-head")).to_contain_text("已退")
        looked_at(page)
    desk.sound()


def test_a_transfer_by_two_persons_without_script(place: Place) -> None:
    desk = place.desk
    payment = desk.owed()
    reference = desk.row(payment).reference
    first, second = (
        place.of(one, java_script_enabled=False, viewport=PHONE) for one in desk.operators
    )
    page = first.new_page()
    page.goto("/treasury")
    page.get_by_label("附言号").fill(reference)
    page.get_by_role("button", name="找到这笔款项").click()
    page.get_by_label("银行流水号").fill("流水1")
    page.get_by_label("付款户名").fill("示范企业")
    page.get_by_label("到账金额").fill("3000.00")
    page.get_by_label("到账日期").fill("2026-11-02")
    page.get_by_role("button", name="录入到账").click()
    expect(page.locator("main")).to_contain_text("您录入的，请另一位运营人员确认")
    assert page.get_by_role("button", name="确认到账").count() == 0
    other = second.new_page()
    other.goto("/treasury")
    other.get_by_role("button", name="确认到账").click()
    expect(other.locator("main")).to_contain_text("没有待确认的到账")
    with place.of(desk.payer, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"/payments/{payment}")
        expect(page.locator(".page-head")).to_contain_text("已付")
    first.close()
    second.close()
    desk.sound()


def test_a_commission_by_bank_goes_on_to_its_agency_by_two_persons(place: Place) -> None:
    desk = place.desk
    payment, agency = desk.owed_commission()
    first, second = (place.of(one) for one in desk.operators)
    page = first.new_page()
    page.goto(f"/treasury/{payment}")
    page.get_by_label("银行流水号").fill("流水1")
    page.get_by_label("付款户名").fill("示范企业")
    page.get_by_label("到账金额").fill("3000")
    page.get_by_label("到账日期").fill("2026-11-02")
    page.get_by_role("button", name="录入到账").click()
    other = second.new_page()
    other.goto("/treasury")
    other.get_by_role("button", name="确认到账").click()
    expect(other.locator("main")).to_contain_text("没有待确认的到账")
    page.goto(f"/treasury/{payment}")
    page.get_by_role("region", name="转给机构").get_by_label("银行转账").check()
    page.get_by_role("region", name="转给机构").get_by_label("机构").select_option(
        label=agency.name
    )
    page.get_by_label("转付金额").fill("3000")
    looked_at(page)
    page.get_by_role("button", name="转给机构").dblclick()
    expect(page.locator("main")).to_contain_text("转付已发起")
    page.goto("/treasury")
    expect(page.get_by_role("region", name="待确认的转付")).to_contain_text("请另一位运营人员确认")
    other.goto("/treasury")
    other.get_by_role("region", name="待确认的转付").get_by_label("银行付款流水号").fill("付0001")
    looked_at(other)
    other.get_by_role("button", name="确认已付出").click()
    expect(other.locator("main")).to_contain_text("转付已处理")
    with place.of(desk.payer, viewport=PHONE) as context:
        page = context.new_page()
        page.goto(f"/payments/{payment}")
        expect(page.locator("main")).to_contain_text("已转")
        looked_at(page)
    first.close()
    second.close()
    assert desk.balances() == {}
    desk.sound()
