"""The whole main job in a browser, as the people of the story would do it, each in their own: with
the mouse, and with nothing but the keyboard.
"""

import re

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from frontend.edge import COOKIE
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor
from tests import factories
from tests.support.hands import Hand, Keyboard, Mouse
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


class Site:
    """A page and the hand that works it."""

    def __init__(self, page: Page, hand: Hand) -> None:
        self.page, self.hand = page, hand
        self.goto = page.goto
        self.main = page.locator("main")

    def label(self, name: str, *, exact: bool = False) -> Locator:
        labelled = self.page.get_by_label(name, exact=exact)
        return labelled.and_(self.page.locator("input, select, textarea")).first

    def fill(self, name: str, text: str, *, exact: bool = False) -> None:
        self.hand.fill(self._field(name, exact=exact), text)

    def choose(self, name: str, label: str) -> None:
        self.hand.choose(self._field(name), label)

    def check(self, name: str) -> None:
        self.hand.check(self.label(name))

    def press(self, name: str) -> None:
        self.go(self.main.get_by_role("button", name=name, exact=True).first)

    def follow(self, name: str) -> None:
        self.go(self.main.get_by_role("link", name=name).first)

    def go(self, where: Locator) -> None:
        with self.page.expect_navigation():
            self.hand.press(where)

    def _field(self, name: str, *, exact: bool = False) -> Locator:
        return self.page.locator(name) if name.startswith("#") else self.label(name, exact=exact)


@pytest.mark.parametrize("hand", [Mouse(), Keyboard()], ids=["mouse", "keyboard"])
def test_story(running: Running, people: People, hand: Hand) -> None:
    running.clock.set_local("2026-11-02 09:00")
    university = running.actor(Role.MANAGER, name="示范大学一", state_founded=True)
    company = running.actor(Role.MANAGER, OrganisationKind.COMPANY, name="示例机电")
    agency = running.actor(Role.MANAGER, OrganisationKind.AGENCY, name="示例技术转移中心")
    bureau = running.actor(Role.OFFICER, OrganisationKind.BUREAU, name="示范区科技局")
    seller, buyer, broker, officer, visitor = (
        Site(people.open(who), hand) for who in (university, company, agency, bureau, None)
    )

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


def make_plan(officer: Site) -> None:
    officer.goto("/desk/plan")
    officer.fill("计划名称", "累计40亿元")
    officer.fill("开始日期", "2024-01-01")
    officer.fill("结束日期", "2028-12-31")
    officer.fill("目标", "400000")
    officer.fill("基数", "20000", exact=True)
    officer.fill("基数年份", "2020")
    officer.press("保存计划")
    assert counted(officer) == "0"


def post_achievement(seller: Site) -> None:
    seller.goto("/my/achievements/new")
    seller.fill("#title", TITLE)
    seller.fill("#summary", "边焊边报，缺陷处自动标记")
    seller.fill("#body", "双波段相机与弧光抑制，实时识别焊缝气孔与未熔合，漏检率0.4%。")
    seller.choose("#field", "先进制造技术")
    seller.choose("#maturity_level", "7")
    seller.press("保存草稿")
    expect(seller.page.locator("h1")).to_contain_text(TITLE)
    seller.press("提交审核")
    expect(seller.main).to_contain_text("审核")


def post_demand(buyer: Site) -> None:
    buyer.goto("/my/demands/new")
    buyer.fill("#title", NEED)
    buyer.fill("#body", "车架焊缝靠人工抽检，气孔漏检多，想在焊接时在线检测气孔并标记位置。")
    buyer.choose("#field", "先进制造技术")
    buyer.choose("#need_maturity", "6")
    buyer.press("保存草稿")
    buyer.press("提交审核")


def approve(officer: Site, title: str) -> None:
    officer.goto("/desk/reviews")
    officer.follow(title)
    officer.check("通过，公开")
    officer.press("保存审核结果")
    expect(officer.page.locator(".notice").first).to_be_visible()


def find(visitor: Site) -> None:
    """By a Chinese phrase in its quotes, from the home page, without an account."""
    visitor.goto("/")
    expect(visitor.main).to_contain_text(TITLE)
    visitor.fill("#q", "“气孔在线视觉检测”")
    visitor.press("搜索")
    expect(visitor.page.locator("mark").first).to_be_visible()
    visitor.follow(TITLE)
    expect(visitor.page.locator("h1")).to_contain_text(TITLE)
    expect(visitor.main).not_to_contain_text("@example.com")


def match_and_ask(buyer: Site) -> None:
    buyer.goto("/my/listings?kind=demand")
    buyer.follow(NEED)
    buyer.go(buyer.page.locator('main a[href$="/matches"]').first)
    expect(buyer.page.locator("dl.why").first).to_contain_text("焊缝")
    buyer.follow("询问持有单位")
    buyer.fill("您的情况和问题", "节拍能到每分钟多少米？")
    buyer.choose("相关的需求", NEED)
    buyer.press("发出询问")


def answer(seller: Site) -> None:
    seller.goto("/inquiries")
    seller.follow(TITLE)
    seller.fill("答复", "1.2米每分钟，可以带样件来试。")
    seller.press("答复询问")
    expect(seller.main).to_contain_text("进入洽谈")


def introduce(seller: Site, broker: Site, buyer: Site) -> None:
    seller.goto("/mandates/new")
    seller.choose("技术转移机构", "示例技术转移中心")
    seller.check("代理贵单位卖出成果")
    seller.fill("开始日", "2026-11-02")
    seller.fill("截止日", "2027-11-01")
    seller.press("发出委托")
    broker.goto("/mandates")
    broker.follow("示范大学一")
    broker.press("接受委托")
    broker.goto("/introductions/new?achievement=A-2026-00001&demand=D-2026-00001")
    broker.fill("引荐理由", "工况与指标相合。")
    broker.press("发出引荐")
    for side in (seller, buyer):
        side.goto("/introductions")
        side.follow(TITLE)
        side.press("接受引荐")
    expect(buyer.main).to_contain_text("N-2026-00001")


def deal(page: Site, shelf: str = "running") -> None:
    page.goto(f"/deals?shelf={shelf}")
    page.follow(TITLE)


def agree(seller: Site, buyer: Site) -> None:
    deal(seller)
    seller.choose("合作方式", "排他许可")
    seller.fill("价款", "186")
    seller.press("提出条件")
    deal(buyer)
    buyer.press("确认第1轮条件")
    expect(buyer.main).to_contain_text("双方确认")


def publicise_and_draft(people: People, seller: Site) -> None:
    people.on("2026-11-12 09:00")
    deal(seller)
    seller.follow("选定定价方式")
    seller.check("协议定价")
    expect(seller.page.locator("#summary")).to_have_value("边焊边报，缺陷处自动标记")
    seller.check("否")
    seller.check("我已核对")
    seller.press("选定定价方式")
    expect(seller.main).to_contain_text("2026-11-27")
    seller.follow("起草合同")
    seller.choose("#kind", "专利实施许可")
    seller.choose("#field", "先进制造技术")
    seller.fill("开始日", "2026-12-01")
    seller.fill("终止日", "2031-11-30")
    seller.choose("#pay_method", "一次总付")
    seller.fill("合同成交额", "186")
    seller.fill("第1行名称", "专利许可费")
    seller.fill("第1行金额，万元", "156")
    seller.fill("第2行名称", "检测设备")
    seller.choose("第2行性质", "非技术")
    seller.fill("第2行金额，万元", "30")
    seller.press("保存合同草稿")
    expect(seller.main).to_contain_text("156.00")


def sign(people: People, seller: Site, buyer: Site) -> None:
    people.on("2026-11-27 10:00")
    for page in (seller, buyer):
        deal(page)
        expect(page.page.get_by_role("button", name="确认并签订合同")).to_have_count(0)
        expect(page.main).to_contain_text(re.compile("11-28|11月28日"))
    people.on("2026-11-28 10:00")
    for page in (seller, buyer):
        deal(page)
        page.press("确认并签订合同")
    expect(buyer.main).to_contain_text("登记")


def register(people: People, seller: Site, officer: Site, visitor: Site) -> None:
    deal(seller, "signed")
    seller.follow("提交合同登记")
    seller.page.get_by_label("否", exact=True).check()
    seller.choose("计划来源", "计划外")
    scan = {"name": "合同.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 story"}
    seller.page.locator("input[type=file]").set_input_files(scan)
    seller.press("提交合同登记")
    people.on("2026-11-30 10:00")
    officer.goto("/desk/registrations")
    officer.follow(TITLE)
    officer.fill("登记编号", NUMBER[:15])
    officer.fill("登记日期", "2026-11-30")
    officer.fill("认定成交额", "186")
    officer.fill("认定技术交易额", "156")
    officer.press("准予登记并计入看板")
    expect(officer.main).to_contain_text("现在是15位")
    expect(officer.page.get_by_label("认定技术交易额")).to_have_value("156")
    officer.fill("登记编号", NUMBER)
    officer.press("准予登记并计入看板")
    assert counted(officer) == "156"
    officer.goto("/board/contracts")
    expect(officer.main).to_contain_text("1,560,000.00")
    expect(officer.main).to_contain_text("示例机电")
    assert counted(visitor) != "156", "one contract is no public total"
    expect(visitor.main).not_to_contain_text("示例机电")


def counted(page: Site) -> str:
    """Return the figure under 累计技术交易额 on the board, in 万元."""
    page.goto("/board")
    figure = page.page.locator(".stat", has_text="累计技术交易额").locator(".fig b")
    return figure.inner_text() if figure.count() else ""
