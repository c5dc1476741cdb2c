"""The whole main job in a browser, as the people of the story would do it, each in their own."""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from frontend.edge import COOKIE
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor
from tests import factories
from tests.support.running import Running

pytestmark = pytest.mark.browser

TITLE = "焊缝内部气孔在线视觉检测装置"
NEED = "车架焊缝气孔在线检测，漏检率低于0.5%"
NUMBER = "0000202600000902"


class People:
    """Browsers of the people of the story, each signed in, and the days that pass for them."""

    def __init__(self, browser: Browser, running: Running, options: dict[str, object]) -> None:
        self._browser = browser
        self._running = running
        self._options = options
        self._contexts: list[tuple[BrowserContext, Actor | None]] = []

    def open(self, who: Actor | None) -> Page:
        context = self._browser.new_context(base_url=self._running.url, **self._options)  # type: ignore[arg-type]
        context.set_default_timeout(30_000)
        self._contexts.append((context, who))
        self._sign_in(context, who)
        return context.new_page()

    def on(self, moment: str) -> None:
        """Go on at a moment; sessions of days before have ended, so everyone signs in anew."""
        self._running.clock.set_local(moment)
        for context, who in self._contexts:
            self._sign_in(context, who)

    def _sign_in(self, context: BrowserContext, who: Actor | None) -> None:
        if who is not None:
            value, _ = factories.cookie(self._running.parts, who)
            context.add_cookies([{"name": COOKIE, "value": value, "url": self._running.url}])


@pytest.fixture
def people(browser: Browser, running: Running, browser_context_args: dict[str, object]) -> People:
    return People(browser, running, browser_context_args)


def press(page: Page, name: str) -> None:
    page.locator("main").get_by_role("button", name=name, exact=True).first.click()
    page.wait_for_load_state()


def follow(page: Page, name: str) -> None:
    page.locator("main").get_by_role("link", name=name).first.click()
    page.wait_for_load_state()


def test_story(running: Running, people: People) -> None:
    running.clock.set_local("2026-11-02 09:00")
    university = running.actor(Role.MANAGER, name="示范大学一", state_founded=True)
    company = running.actor(Role.MANAGER, OrganisationKind.COMPANY, name="示例机电")
    agency = running.actor(Role.MANAGER, OrganisationKind.AGENCY, name="示例技术转移中心")
    bureau = running.actor(Role.OFFICER, OrganisationKind.BUREAU, name="示范区科技局")
    seller, buyer, broker = people.open(university), people.open(company), people.open(agency)
    officer, visitor = people.open(bureau), people.open(None)

    make_plan(officer)
    post_achievement(seller)
    approve(officer, TITLE)
    running.settle()
    find(visitor)
    post_demand(buyer)
    approve(officer, NEED)
    running.settle()
    match_and_ask(buyer)
    answer(seller)
    introduce(seller, broker, buyer)
    agree(seller, buyer)
    publicise_and_draft(people, seller)
    sign(people, seller, buyer)
    register(people, seller, officer, visitor)


def make_plan(officer: Page) -> None:
    officer.goto("/desk/plan")
    officer.get_by_label("计划名称").fill("累计40亿元")
    officer.get_by_label("开始日期").fill("2024-01-01")
    officer.get_by_label("结束日期").fill("2028-12-31")
    officer.get_by_label("目标").fill("400000")
    officer.get_by_label("基数", exact=True).fill("20000")
    officer.get_by_label("基数年份").fill("2020")
    press(officer, "保存计划")
    assert counted(officer) == "0"


def post_achievement(seller: Page) -> None:
    seller.goto("/my/achievements/new")
    seller.locator("#title").fill(TITLE)
    seller.locator("#summary").fill("边焊边报，缺陷处自动标记")
    seller.locator("#body").fill("双波段相机与弧光抑制，实时识别焊缝气孔与未熔合，漏检率0.4%。")
    seller.locator("#field").select_option(label="先进制造技术")
    seller.locator("#maturity_level").select_option("7")
    press(seller, "保存草稿")
    expect(seller.locator("h1")).to_contain_text(TITLE)
    press(seller, "提交审核")
    expect(seller.locator("main")).to_contain_text("审核")


def post_demand(buyer: Page) -> None:
    buyer.goto("/my/demands/new")
    buyer.locator("#title").fill(NEED)
    buyer.locator("#body").fill(
        "车架焊缝靠人工抽检，气孔漏检多，想在焊接时在线检测气孔并标记位置。"
    )
    buyer.locator("#field").select_option(label="先进制造技术")
    buyer.locator("#need_maturity").select_option("6")
    press(buyer, "保存草稿")
    press(buyer, "提交审核")


def approve(officer: Page, title: str) -> None:
    officer.goto("/desk/reviews")
    follow(officer, title)
    officer.get_by_label("通过，公开").check()
    press(officer, "保存审核结果")
    expect(officer.locator(".notice").first).to_be_visible()


def find(visitor: Page) -> None:
    """By a Chinese phrase in its quotes, from the home page, without an account."""
    visitor.goto("/")
    expect(visitor.locator("main")).to_contain_text(TITLE)
    visitor.locator("main input[name=q]").first.fill("“气孔在线视觉检测”")
    visitor.locator("main").get_by_role("button", name="搜索").click()
    visitor.wait_for_load_state()
    expect(visitor.locator("mark").first).to_be_visible()
    follow(visitor, TITLE)
    expect(visitor.locator("h1")).to_contain_text(TITLE)
    expect(visitor.locator("main")).not_to_contain_text("@example.com")


def match_and_ask(buyer: Page) -> None:
    buyer.goto("/my/listings?kind=demand")
    follow(buyer, NEED)
    buyer.locator('main a[href$="/matches"]').first.click()
    buyer.wait_for_load_state()
    expect(buyer.locator("dl.why").first).to_contain_text("焊缝")
    follow(buyer, "询问持有单位")
    buyer.get_by_label("您的情况和问题").fill("节拍能到每分钟多少米？")
    buyer.get_by_label("相关的需求").select_option(index=1)
    press(buyer, "发出询问")


def answer(seller: Page) -> None:
    seller.goto("/inquiries")
    follow(seller, TITLE)
    seller.get_by_label("答复", exact=False).last.fill("1.2米每分钟，可以带样件来试。")
    press(seller, "答复询问")
    expect(seller.locator("main")).to_contain_text("进入洽谈")


def introduce(seller: Page, broker: Page, buyer: Page) -> None:
    seller.goto("/mandates/new")
    seller.get_by_label("技术转移机构").select_option(label="示例技术转移中心")
    seller.get_by_label("代理贵单位卖出成果").check()
    seller.get_by_label("开始日").fill("2026-11-02")
    seller.get_by_label("截止日").fill("2027-11-01")
    press(seller, "发出委托")
    broker.goto("/mandates")
    follow(broker, "示范大学一")
    press(broker, "接受委托")
    broker.goto("/introductions/new?achievement=A-2026-00001&demand=D-2026-00001")
    broker.get_by_label("引荐理由").fill("工况与指标相合。")
    press(broker, "发出引荐")
    for side in (seller, buyer):
        side.goto("/introductions")
        follow(side, TITLE)
        press(side, "接受引荐")
    expect(buyer.locator("main")).to_contain_text("N-2026-00001")


def deal(page: Page) -> None:
    page.goto("/deals")
    follow(page, TITLE)


def agree(seller: Page, buyer: Page) -> None:
    deal(seller)
    seller.get_by_label("合作方式").select_option(label="排他许可")
    seller.get_by_label("价款").fill("186")
    press(seller, "提出条件")
    deal(buyer)
    press(buyer, "确认第1轮条件")
    expect(buyer.locator("main")).to_contain_text("双方确认")


def publicise_and_draft(people: People, seller: Page) -> None:
    people.on("2026-11-12 09:00")
    deal(seller)
    follow(seller, "选定定价方式")
    seller.get_by_label("协议定价", exact=False).first.check()
    press(seller, "选定定价方式")
    expect(seller.locator("main")).to_contain_text("2026-11-27")
    follow(seller, "起草合同")
    seller.locator("#kind").select_option(index=_option(seller, "#kind", "专利实施许可"))
    seller.locator("#field").select_option(label="先进制造技术")
    seller.get_by_label("开始日").fill("2026-12-01")
    seller.get_by_label("终止日").fill("2031-11-30")
    seller.locator("#pay_method").select_option(index=1)
    seller.get_by_label("合同成交额").fill("186")
    seller.get_by_label("第1行名称").fill("专利许可费")
    seller.get_by_label("第1行金额，万元").fill("156")
    seller.get_by_label("第2行名称").fill("检测设备")
    seller.get_by_label("第2行性质").select_option(value="non_technical")
    seller.get_by_label("第2行金额，万元").fill("30")
    press(seller, "保存合同草稿")
    expect(seller.locator("main")).to_contain_text("156.00")


def _option(page: Page, select: str, text: str) -> int:
    """Return the index of the option whose text holds `text`."""
    labels = page.locator(f"{select} option").all_inner_texts()
    return next(n for n, label in enumerate(labels) if text in label)


def sign(people: People, seller: Page, buyer: Page) -> None:
    people.on("2026-11-27 10:00")
    for page in (seller, buyer):
        deal(page)
        expect(page.get_by_role("button", name="确认并签订合同")).to_have_count(0)
        expect(page.locator("main")).to_contain_text(re.compile("11-28|11月28日"))
    people.on("2026-11-28 10:00")
    for page in (seller, buyer):
        deal(page)
        press(page, "确认并签订合同")
    expect(buyer.locator("main")).to_contain_text("登记")


def register(people: People, seller: Page, officer: Page, visitor: Page) -> None:
    deal(seller)
    follow(seller, "提交合同登记")
    press(seller, "提交合同登记")
    people.on("2026-11-30 10:00")
    officer.goto("/desk/registrations")
    follow(officer, TITLE)
    officer.get_by_label("登记编号").fill(NUMBER[:15])
    officer.get_by_label("登记日期").fill("2026-11-30")
    officer.get_by_label("认定成交额").fill("186")
    officer.get_by_label("认定技术交易额").fill("156")
    press(officer, "准予登记并计入看板")
    expect(officer.locator("main")).to_contain_text("现在是15位")
    expect(officer.get_by_label("认定技术交易额")).to_have_value("156")
    officer.get_by_label("登记编号").fill(NUMBER)
    press(officer, "准予登记并计入看板")
    assert counted(officer) == "156"
    officer.goto("/board/contracts")
    expect(officer.locator("main")).to_contain_text("156.00")
    expect(officer.locator("main")).to_contain_text("示例机电")
    assert counted(visitor) != "156", "one contract is no public total"
    expect(visitor.locator("main")).not_to_contain_text("示例机电")


def counted(page: Page) -> str:
    """Return the figure under 累计技术交易额 on the board, in 万元."""
    page.goto("/board")
    figure = page.locator(".stat", has_text="累计技术交易额").locator(".fig b")
    return figure.inner_text() if figure.count() else ""
