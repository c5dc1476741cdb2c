"""Searching, reading a listing and deciding about matches, as a browser without script and with."""

import html
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

import httpx
import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from market.access import mandates
from market.access.schemas import MandateDecisionIn, MandateIn
from market.accounts import passwords
from market.accounts.models import Person
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor
from market.catalog import drafts, publishing
from market.catalog.schemas import AchievementIn, DemandIn, Price
from market.catalog.vocabulary import Mode, PriceForm
from market.discovery import bands, quality
from market.discovery.repository_judged import Acceptance
from market.kit.money import FEN_PER_WAN
from tests import factories
from tests.support.browser import DESKTOP, PHONE, axe_violations, sideways_scroll
from tests.support.market import work_for
from tests.support.running import Running

PASSWORD = "correct horse battery"
SEAM = "车架焊缝内部气孔在线检测"


@dataclass
class Site:
    """A market with one demand, two achievements that fit it and one that does not."""

    running: Running
    firm: Actor
    school: Actor
    demand: str = ""
    best: str = ""
    other: str = ""
    open: ExitStack = field(default_factory=ExitStack)

    def post(self, who: Actor, form: AchievementIn | DemandIn) -> str:
        with work_for(self.running.parts, who) as work:
            listing = drafts.create(work, form)
            return publishing.submit(work, listing.public_id).public_id

    def client(self, who: Actor | None = None, **headers: str) -> httpx.Client:
        url = self.running.url
        given = {"origin": url, **headers}
        if who is not None:
            given["cookie"] = f"zhihe_session={factories.cookie(self.running.parts, who)[0]}"
        return self.open.enter_context(httpx.Client(base_url=url, headers=given, timeout=30))


@pytest.fixture
def site(running: Running) -> Iterator[Site]:
    made = Site(
        running,
        firm=running.actor(
            Role.MANAGER, OrganisationKind.COMPANY, name="示例机电", self_publish=True
        ),
        school=running.actor(Role.MANAGER, name="示范大学一", self_publish=True),
    )
    price = Price(form=PriceForm.FROM, low_fen=80 * FEN_PER_WAN)
    made.demand = made.post(made.firm, DemandIn(title=SEAM, body="漏检率低于0.5%", field=3))
    made.best = made.post(
        made.school,
        AchievementIn(
            title=f"{SEAM}装置",
            summary="边焊边报，缺陷处自动标记",
            body="第一段说明。\n第二段<b>说明</b>。",
            field=3,
            maturity_level=7,
            modes=[Mode.PLAIN],
            price=price,
            application="车架、压力容器",
            completers="示范张甲",
        ),
    )
    made.other = made.post(made.school, AchievementIn(title="焊缝气孔检测相机", field=1))
    made.post(made.school, AchievementIn(title="镁合金低温成形工艺", field=5))
    running.settle()
    yield made
    made.open.close()


def text(page: str) -> str:
    return re.sub(r"\s+", "", re.sub(r"<[^>]+>", "", page))


def good(answer: httpx.Response, status: int = 200) -> str:
    assert answer.status_code == status, answer.text[:2000]
    return answer.text


def token(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found
    return found[1]


def test_front_page_says_what_is_new_and_where_to_begin(site: Site) -> None:
    page = good(site.client().get("/"))
    assert f"{SEAM}装置" in page
    assert "全部3条" in text(page)
    assert "注册账号" in page
    assert "示例机电" in page


def test_front_page_of_an_empty_market(running: Running) -> None:
    page = text(httpx.get(running.url).text)
    assert "还没有公开的成果" in page
    assert "还没有公开的需求" in page


def test_searching_filtering_and_taking_filters_back(site: Site) -> None:
    visitor = site.client()
    page = good(visitor.get("/search", params={"q": "焊缝 气孔"}))
    assert "<mark>焊缝</mark>" in page
    assert "2条" in text(page)
    assert "示范大学一" in page
    chosen = good(visitor.get("/search", params={"q": "焊缝 气孔", "field": "3"}))
    assert "筛选·已选1" in text(chosen)
    assert "去掉条件：先进制造技术" in text(chosen)
    assert "检测相机" not in chosen
    nothing = good(visitor.get("/search", params={"q": "焊缝", "field": "9"}))
    assert "去掉“农业技术”：2条" in text(nothing)
    demands = good(visitor.get("/search", params={"q": "焊缝", "kind": "demand"}))
    assert f'href="/listings/{site.demand}"' in demands
    names = good(visitor.get("/search", params={"q": "示范大学", "kind": "organisation"}))
    assert "示范大学一" in names
    assert "示例机电" not in names


def test_a_problem_in_ones_own_words_finds_what_comes_closest(site: Site) -> None:
    page = good(
        site.client().get("/search", params={"q": "我们厂里做出来的焊缝老是漏气有什么办法吗"})
    )
    assert "：0条" in text(page)
    assert "最接近的成果" in text(page)
    assert "<mark>焊缝</mark>" in page
    assert "镁合金" not in page


def test_what_comes_closest_has_nothing_that_was_excluded(site: Site) -> None:
    typed = "我们厂里做出来的焊缝老是漏气有什么办法吗 -相机"
    page = text(good(site.client().get("/search", params={"q": typed})))
    assert "：0条" in page
    assert f"{SEAM}装置" in page
    assert "检测相机" not in page


def test_what_is_asked_of_the_organisation_is_not_marked_in_texts(site: Site) -> None:
    page = good(site.client().get("/search", params={"q": "机构：示范大学一 第二段"}))
    assert "第二段" in set(re.findall("<mark>([^<]*)</mark>", page))
    assert "一" not in "".join(re.findall("<mark>([^<]*)</mark>", page))


def test_where_little_is_left_what_comes_closest_is_shown_as_well(site: Site) -> None:
    page = text(good(site.client().get("/search", params={"q": "焊缝 镁合金"})))
    assert "没有同时含有“焊缝”“镁合金”的成果，已放宽为“镁合金”" in page
    assert f"{SEAM}装置" in page.split("最接近的成果")[1]
    assert "最接近的成果" not in text(good(site.client().get("/search", params={"q": "焊缝"})))


def test_nothing_found_leads_to_a_demand_with_the_words_typed(site: Site) -> None:
    page = good(site.client().get("/search", params={"q": "深海采矿集矿机"}))
    link = re.search(r'href="(/my/demands/new\?q=[^"]+)"', page)
    assert link
    form = good(site.client(site.firm).get(link[1]))
    assert 'value="深海采矿集矿机"' in form
    login = site.client().get(link[1])
    assert login.status_code == 303
    assert login.headers["location"].startswith("/login?next=/my/demands/new")


def test_a_problem_typed_at_length_is_still_there_after_signing_in(running: Running) -> None:
    """All 200 characters that the box takes, from a page without results to the demand's form."""
    typed = ("液态金属 <b>“泵”</b> & 100%密封：" * 20)[:200]
    actor = running.actor(Role.MANAGER, OrganisationKind.COMPANY)
    with running.parts.database.write() as session:
        firm = session.exec(select(Person).where(Person.id == actor.person)).one()
        firm.password_hash = passwords.hashed(PASSWORD)
    visitor = httpx.Client(base_url=running.url, headers={"origin": running.url}, timeout=30)
    page = good(visitor.get("/search", params={"q": typed}))
    link = re.search(r'href="(/my/demands/new\?q=[^"]+)"', page)
    assert link
    login = visitor.get(html.unescape(link[1]))
    form = good(visitor.get(login.headers["location"]))
    to = re.search(r'name="next" value="([^"]+)"', form)
    assert to
    sent = {"email": firm.email, "password": PASSWORD, "next": html.unescape(to[1])}
    inside = visitor.post("/login", data=sent)
    assert inside.status_code == 303, inside.text
    filled = good(visitor.get(inside.headers["location"]))
    title = re.search(r'name="title"[^>]* value="([^"]*)"', filled)
    problem = re.search(r'name="problem"[^>]*>\n(.*?)</textarea>', filled, re.DOTALL)
    assert title
    assert problem
    assert html.unescape(title[1]) == typed[:60]
    assert html.unescape(problem[1]) == typed
    visitor.close()


def test_fewer_words_are_said_on_the_page(site: Site) -> None:
    page = good(site.client().get("/search", params={"q": "焊缝 <量子>"}))
    assert "没有同时含有“焊缝”“量子”的成果，已放宽为“焊缝”" in text(page)
    assert "2条" in text(page)
    link = re.search(r'href="(/my/demands/new\?q=[^"]+)"', page)
    assert link
    other = good(site.client().get("/search", params={"q": "焊缝 量子", "kind": "demand"}))
    assert "没有同时含有“焊缝”“量子”的需求，已放宽为“焊缝”" in text(other)
    assert "发布为需求" not in text(other)


@pytest.mark.parametrize(
    "query",
    [
        "?page=0",
        "?page=99999999999",
        "?kind=x&sort=y&field=&maturity=9-9",
        "?q=%22%27%3Cscript%3E",
        "?organisation=nobody&organisation=%ff",
        "?q=%ff&kind=organisation",
        "?" + "&".join(f"field={n}" for n in range(200)),
    ],
)
@pytest.mark.usefixtures("both_databases")
def test_any_address_gives_a_page(site: Site, query: str) -> None:
    page = good(site.client().get(f"/search{query}"))
    assert "<script>" not in page


def test_a_fragment_is_part_of_the_page(site: Site) -> None:
    part = good(site.client(**{"hx-request": "true"}).get("/search", params={"q": "焊缝"}))
    assert part.lstrip().startswith('<div id="found"')
    assert "<html" not in part
    assert text(part) in text(good(site.client().get("/search?q=焊缝")))


def test_suggestions_are_links(site: Site) -> None:
    part = good(site.client().get("/search/suggest", params={"q": "车架焊", "kind": "achievement"}))
    assert f'href="/listings/{site.best}"' in part
    assert good(site.client().get("/search/suggest", params={"q": ""})).strip() == ""


def test_a_listing_is_readable_and_leads_to_asking(site: Site) -> None:
    page = good(site.client().get(f"/listings/{site.best}"))
    assert "<p>第二段&lt;b&gt;说明&lt;/b&gt;。</p>" in page
    shown = text(page)
    assert "80万元起" in shown
    assert "7级典型使用环境工程样机" in shown
    assert "示范张甲" in shown
    assert "登录后询问" in shown
    assert "焊缝气孔检测相机" in shown  # similar
    asking = good(site.client(site.firm).get(f"/listings/{site.best}"))
    assert f'action="/listings/{site.best}/inquiries"' in asking
    own = good(site.client(site.school).get(f"/listings/{site.best}"))
    assert "看相合的需求" in own
    assert "发出询问" not in own
    assert site.client().get("/listings/22222222222222").status_code == 404


def test_the_listing_stands_without_an_index_and_the_search_says_so(
    running: Running, site: Site
) -> None:
    for part in running.settings.index_dir.rglob("meta.json"):
        part.rename(part.with_suffix(".away"))
    page = good(site.client().get(f"/listings/{site.best}"))
    assert f"{SEAM}装置" in page
    found = good(site.client().get("/search?q=焊缝"))
    assert "由数据库代为查找" in found
    assert f"{SEAM}装置" in text(found)
    assert 'class="count"' not in found, "nobody counted"
    assert "示范大学一" in good(site.client().get("/search?kind=organisation"))


def test_matches_are_decided_without_script(site: Site) -> None:
    firm = site.client(site.firm)
    path = f"/listings/{site.demand}/matches"
    page = good(firm.get(path))
    assert "合适的成果：2项" in text(page)
    assert "<mark>" in page
    assert "%" not in text(page).replace("漏检率低于0.5%", "")
    for word in ("强", "可能匹配", "匹配度", "分数"):
        assert word not in text(page)
    first, second = dict.fromkeys(re.findall(r'action="(/matches/\w{14}/decision)"', page))
    wrong = firm.post(first, data={"decision": "unsuitable", "csrf": token(page)})
    assert "请选一个原因，现在没有选" in good(wrong, 422)
    done = firm.post(first, data={"decision": "unsuitable", "reason": "route", "csrf": token(page)})
    assert done.status_code == 303
    assert "已移出匹配" in good(firm.get(done.headers["location"]))
    firm.post(second, data={"decision": "suitable", "csrf": token(page)})
    assert "不合适：技术路线不对" in text(good(firm.get(path, params={"state": "unsuitable"})))
    assert "焊缝气孔检测相机" in good(firm.get(path, params={"state": "suitable"}))
    holder = text(good(site.client(site.school).get(f"/listings/{site.other}/matches")))
    assert "1家单位标为合适" in holder
    assert "示例机电" in holder  # the demand is public with its name; who marked it is not told
    assert "示例机电标" not in holder


def test_a_match_says_its_band_and_marks_what_is_shared(site: Site) -> None:
    page = good(site.client(site.firm).get(f"/listings/{site.demand}/matches"))
    assert f"<mark>{SEAM}</mark>装置</a>" in page
    assert '<a class="tag" href="/about/matching">可能</a>' in page
    holder = good(site.client(site.school).get(f"/listings/{site.best}/matches"))
    assert f"<mark>{SEAM}</mark></a>" in holder
    site.running.parts.journal.flush()
    with site.running.parts.database.read() as session:
        found = quality.quality(session)
    assert [row.shown for row in found.ranks] == [1, 1, 0, 0], "the owner's page, not the holder's"


def test_everybody_reads_how_good_matches_are(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    measured = bands.measured()
    page = text(good(site.client().get("/about/matching")))
    for band in measured.calibration.bands:
        assert f"{band.rate:.1%}" in page
        assert f"{band.low:.0%}～{band.high:.0%}" in page
        if band.least is None:
            assert f"现在没有“{bands.NAMES[band.name]}”这一档" in page
    assert "事先挑过" in page
    assert f"{measured.on}量" in page
    assert "满200个后" in page
    rows = [Acceptance(1, "likely", 300, 101, 103)]
    monkeypatch.setattr(quality.repository, "acceptance", lambda _: rows)
    told = text(good(site.client().get("/about/matching")))
    assert "可能20050%" in told
    assert "101" not in told, "no count tells what one decision was"


def test_matches_of_others_are_not_to_be_had(site: Site) -> None:
    path = f"/listings/{site.demand}/matches"
    assert site.client().get(path).headers["location"].startswith("/login")
    assert site.client(site.school).get(path).status_code == 403


def test_a_broker_goes_from_a_match_to_an_introduction(site: Site) -> None:
    broker = site.running.actor(Role.MANAGER, OrganisationKind.AGENCY, name="示例转移")
    with work_for(site.running.parts, site.firm) as work:
        form = MandateIn(
            agency=broker.organisation_public_id,
            as_buyer=True,
            valid_from="2026-11-02",
            valid_until="2027-11-01",
        )
        mandate = mandates.grant(work, form).public_id
    with work_for(site.running.parts, broker) as work:
        mandates.decide(work, mandate, MandateDecisionIn(decision="accept"))
    agency = site.client(broker)
    listing = good(agency.get(f"/listings/{site.demand}"))
    assert f'href="/listings/{site.demand}/matches"' in listing
    page = good(agency.get(f"/listings/{site.demand}/matches"))
    assert "合适，先放着" not in page
    link = re.search(r'href="(/introductions/new[^"]+)"', page)
    assert link
    form_page = good(agency.get(link[1].replace("&amp;", "&")))
    assert 'value="A-2026-00001"' in form_page
    assert 'value="D-2026-00001"' in form_page


def test_where_nothing_fits_the_page_says_what_was_compared(site: Site) -> None:
    demand = site.post(site.firm, DemandIn(title="柑橘采后霉变早期识别"))
    path = f"/listings/{demand}/matches"
    assert "正在比对" in good(site.client(site.firm).get(path))
    site.running.settle()
    page = text(good(site.client(site.firm).get(path)))
    assert "还没有合适的成果" in page
    assert "比对了3项成果" in page


def test_a_masked_name_is_on_no_page_of_others(site: Site) -> None:
    hidden = site.running.actor(
        Role.MANAGER, OrganisationKind.COMPANY, name="隐名示例机电", self_publish=True
    )
    demand = site.post(hidden, DemandIn(title=f"{SEAM}需求", masked=True))
    site.running.settle()
    paths = [
        "/",
        "/search?kind=demand",
        "/search?kind=demand&q=焊缝",
        "/search?kind=organisation",
        f"/listings/{demand}",
        f"/listings/{site.demand}",
        "/search/suggest?q=隐名",
        "/search/suggest?q=车架&kind=demand",
    ]
    pages = [good(site.client().get(path)) for path in paths]
    pages.append(good(site.client(site.school).get(f"/listings/{site.best}/matches")))
    told = "".join(pages)
    assert "名称保密" in told
    assert "隐名" not in told.replace("/search/suggest?q=隐名", "")
    assert str(hidden.organisation_public_id) not in told


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_are_accessible_and_fit(site: Site, page: Page, size: dict[str, int]) -> None:
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
    page.emulate_media(reduced_motion="reduce")
    url = site.running.url
    lonely = site.post(site.firm, DemandIn(title="柑橘采后霉变早期识别"))
    site.running.settle()
    cookie = factories.cookie(site.running.parts, site.firm)[0]
    page.context.add_cookies([{"name": "zhihe_session", "value": cookie, "url": url}])
    for path in (
        "/",
        "/help",
        "/search?q=焊缝&field=3",
        "/search?q=焊缝&field=9",
        "/search?kind=organisation",
        f"/listings/{site.best}",
        f"/listings/{site.demand}/matches",
        f"/listings/{lonely}/matches",
    ):
        page.goto(url + path)
        assert axe_violations(page) == [], path
        assert sideways_scroll(page) == 0, path


def test_filters_sorting_and_decisions_with_script(site: Site, page: Page) -> None:
    url = site.running.url
    cookie = factories.cookie(site.running.parts, site.firm)[0]
    page.context.add_cookies([{"name": "zhihe_session", "value": cookie, "url": url}])
    page.goto(f"{url}/search?q=焊缝")
    page.evaluate("window.stayed = true")
    page.get_by_label("先进制造技术").check()
    page.get_by_role("button", name="应用筛选").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("1条")
    assert "field=3" in page.url
    page.get_by_label("排序").select_option("newest")
    page.wait_for_url("**sort=newest**")
    assert "field=3" in page.url
    assert page.evaluate("window.stayed") is True
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("1条")

    page.goto(f"{url}/listings/{site.demand}/matches")
    page.get_by_role("button", name=f"合适，先放着 {SEAM}装置").click()
    expect(page.locator("#toasts")).to_contain_text("已标为合适")
    expect(page.get_by_role("navigation", name="匹配状态")).to_contain_text("合适 1")
    page.get_by_text("不合适…").first.click()
    page.get_by_role("button", name="移出匹配").first.click()
    expect(page.get_by_text("请选一个原因，现在没有选")).to_be_visible()


def test_suggestions_wait_for_the_input_method(site: Site, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url) if "suggest" in sent.url else None)
    page.goto(site.running.url)
    box = page.locator("#q")
    box.focus()
    session = page.context.new_cdp_session(page)
    for typed in ("ch", "che", "chej"):
        session.send(
            "Input.imeSetComposition", {"text": typed, "selectionStart": 3, "selectionEnd": 3}
        )
    page.wait_for_timeout(500)
    assert asked == []
    session.send("Input.insertText", {"text": "车架"})
    expect(page.locator("#suggest a").first).to_contain_text("车架焊缝")
    assert len(asked) == 1
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/listings/*")
