"""The start page of each role, messages, and what the frame counts, over HTTP."""

import html
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader, open_writer
from market.accounts import organisations
from market.accounts.policy import OrganisationKind, Role
from market.accounts.schemas import JoinIn
from market.accounts.work import Actor, Parts
from market.catalog import drafts, publishing
from market.catalog.schemas import AchievementIn
from market.deals import inquiries
from market.deals.schemas import AnswerIn, InquiryIn
from tests import factories
from tests.frontend.test_deals_pages import Browser
from tests.support.clock import FakeClock
from tests.support.market import work_for
from tests.support.trade import MESSAGE, asked, mandate, published, trade

PRIMARY = re.compile(r'class="btn[^"]*\bprimary\b')


class Site:
    def __init__(self, client: TestClient, parts: Parts) -> None:
        self.client, self.parts = client, parts

    def __call__(self, actor: Actor) -> Browser:
        return Browser(self.client.app, self.parts, actor)  # type: ignore[arg-type]


@pytest.fixture
def site(parts: Parts, settings: Settings, clock: FakeClock) -> Iterator[Site]:
    clock.set_local("2026-11-13 09:00")
    writer, reader = open_writer(settings), open_reader(settings)  # the writer makes the index
    with TestClient(create_app(parts, reader, settings)) as client:
        yield Site(client, parts)
    reader.close()
    writer.close()


def main_of(page: str) -> str:
    return page.split("<main", 1)[1].split("</main>", 1)[0]


def test_a_tech_manager_sees_what_is_late_by_how_much(site: Site, clock: FakeClock) -> None:
    world = trade(site.parts)
    inquiry = asked(world)
    clock.set_local("2026-11-20 09:00")  # due on the 18th
    page = site(world.seller).get("/work")
    assert "待办，今天要处理1件" in page
    assert "逾期2个工作日" in page
    assert "11月18日" in page
    assert f'href="/inquiries/{inquiry.public_id}"' in page
    assert len(PRIMARY.findall(page)) == 1
    assert re.search(r'href="/work"[^>]*>待办 <span class="muted">1</span>', page)
    viewer = factories.actor(site.parts, Role.VIEWER, world.university)
    page = site(viewer).get("/work")
    assert "现在没有等您办的事" in page
    assert re.search(r'href="/work"[^>]*>待办\s*</a>', page)
    waits = main_of(site(world.buyer).get("/work"))
    assert "等对方" in waits
    assert "轨道扣件螺栓松动声学检测" in waits


def test_signing_in_leads_to_the_start_page_unless_asked_otherwise(site: Site) -> None:
    person = factories.person(site.parts, password_hash=None)
    assert person.password_hash is None
    actor = factories.actor(site.parts, Role.MANAGER)
    browser = site(actor)
    assert browser.client.get("/login").headers["location"] == "/work"
    assert browser.client.get("/login?next=/deals").headers["location"] == "/deals"
    nobody = site(Actor())
    assert nobody.client.get("/work").headers["location"].startswith("/login?next=/work")


def test_a_newcomer_is_led_step_by_step(site: Site) -> None:
    parts = site.parts
    page = site(factories.actor(parts, Role.PERSON)).get("/work")
    assert "创建或加入机构" in main_of(page)
    assert len(PRIMARY.findall(page)) == 1
    pending = factories.organisation(parts, verified=False)
    page = main_of(site(factories.actor(parts, Role.MANAGER, pending)).get("/work"))
    assert "科技局正在核验贵单位" in page
    page = main_of(site(factories.actor(parts, Role.EDITOR)).get("/work"))
    assert 'href="/my/imports"' in page
    company = factories.actor(parts, Role.EDITOR, kind=OrganisationKind.COMPANY)
    assert 'href="/my/demands/new"' in main_of(site(company).get("/work"))
    agency = factories.actor(parts, Role.MANAGER, kind=OrganisationKind.AGENCY)
    assert "发出委托，接受后就可以" in main_of(site(agency).get("/work"))
    viewer = main_of(site(factories.actor(parts, Role.VIEWER)).get("/work"))
    assert "/my/achievements/new" not in viewer


def test_the_bureau_sees_reviews_and_organisations(site: Site) -> None:
    parts = site.parts
    owner = factories.actor(parts, Role.EDITOR)
    with work_for(parts, owner) as work:
        publishing.submit(work, drafts.create(work, AchievementIn(title="成果一")).public_id)
    officer = factories.actor(parts, Role.OFFICER)
    page = main_of(site(officer).get("/work"))
    assert owner.organisation_name in page
    assert 'href="/desk/reviews"' in page
    assert "成果和需求待审核" in page


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_every_other_role_has_a_start_page(site: Site, role: Role) -> None:
    page = site(factories.actor(site.parts, role)).get("/work")
    assert "现在没有等您办的事" in page


def test_a_manager_is_led_to_who_asks_to_join(site: Site) -> None:
    home = factories.organisation(site.parts)
    manager = factories.actor(site.parts, Role.MANAGER, home)
    person = factories.actor(site.parts, Role.PERSON)
    with work_for(site.parts, person) as work:
        organisations.join(work, home.public_id, JoinIn(role=Role.VIEWER))
    page = main_of(site(manager).get("/work"))
    assert 'href="/organisation#members"' in page
    assert person.person_name not in page, "a name stays on the page that can forget it"


def test_messages_are_read_one_by_one_or_all(site: Site) -> None:
    world = trade(site.parts)
    inquiry = asked(world)
    with work_for(site.parts, world.seller) as work:
        inquiries.answer(work, inquiry.public_id, AnswerIn(answer="可以"))
    browser = site(world.buyer)
    page = browser.get("/messages")
    assert "1条未读消息" in page
    (opened,) = re.findall(r'href="(/notices/\w+)"', page)
    leads = browser.client.get(opened)
    assert (leads.status_code, leads.headers["location"]) == (
        303,
        f"/inquiries/{inquiry.public_id}",
    )
    site.parts.journal.flush()
    assert "未读</span>" not in browser.get("/messages")
    site(world.seller).get(opened, 404)
    second = published(site.parts, world.seller, AchievementIn(title="第二项成果"))
    with work_for(site.parts, world.buyer) as work:
        asked_too = inquiries.ask(work, InquiryIn(listing=second.public_id, message=MESSAGE))
    with work_for(site.parts, world.seller) as work:
        inquiries.answer(work, asked_too.public_id, AnswerIn(answer="可以"))
    page = browser.get("/messages")
    newest = re.findall(r'name="until" value="(\w+)"', page)[0]
    assert browser.send("/messages/read", until=newest).startswith("/messages")
    assert "未读</span>" not in browser.get("/messages")
    assert browser.send(f"/messages/{newest}/read") == "/messages"
    site(world.seller).send(f"/messages/{newest}/read", 404)


def test_the_front_page_offers_what_the_visitor_may_do(site: Site) -> None:
    parts = site.parts
    offered = {
        "editor": factories.actor(parts, Role.EDITOR),
        "viewer": factories.actor(parts, Role.VIEWER),
        "person": factories.actor(parts, Role.PERSON),
        "broker": factories.actor(parts, Role.EDITOR, kind=OrganisationKind.AGENCY),
        "officer": factories.actor(parts, Role.OFFICER),
        "nobody": Actor(),
    }
    for name, actor in offered.items():
        browser = site(actor)
        page = main_of(browser.get("/"))
        links = set(re.findall(r'href="(/[^"]*)"', page.split('id="who"')[1]))
        assert ("/my/achievements/new" in links) == (name == "editor")
        assert ("/introductions/new" in links) == (name == "broker")
        for link in links:
            status = browser.client.get(html.unescape(link)).status_code
            assert status == 200, f"{name} is offered {link}, which answers {status}"


def test_lists_have_pages(site: Site) -> None:
    parts = site.parts
    world = trade(parts)
    company = factories.actor(parts, Role.MANAGER, kind=OrganisationKind.COMPANY)
    with work_for(parts, world.seller) as work:
        ids = [
            publishing.submit(
                work, drafts.create(work, AchievementIn(title=f"成果{n:02d}")).public_id
            ).public_id
            for n in range(51)
        ]
    for one in ids:
        with work_for(parts, company) as work:
            row = inquiries.ask(work, InquiryIn(listing=one, message=MESSAGE))
        with work_for(parts, world.seller) as work:
            inquiries.answer(work, row.public_id, AnswerIn(answer="可以"))
    browser = site(world.seller)
    for path, count in (("/inquiries?", 51), ("/deals?shelf=running", 51)):
        first, second = (browser.get(f"{path}&page={n}") for n in (1, 2))
        heading = r'<h[23]><a href="/(?:inquiries|deals)/\w+">'
        assert len(re.findall(heading, first)) == 50
        assert len(re.findall(heading, second)) == count - 50
        assert f">{count}</span>" in first
    assert "在谈51件" in browser.get("/deals?page=2")
    assert "这里没有洽谈" in browser.get("/deals?shelf=lost")


def test_a_broker_searches_within_its_mandates(site: Site) -> None:
    world = trade(site.parts)
    mandate(world, world.seller, as_seller=True)
    stranger = factories.organisation(site.parts, self_publish=True)
    other = factories.actor(site.parts, Role.MANAGER, stranger)
    published(site.parts, other, AchievementIn(title="别人的轨道检测"))
    for n in range(21):
        published(site.parts, world.seller, AchievementIn(title=f"道床检测{n:02d}"))
    browser = site(world.broker)
    page = main_of(browser.get("/introductions/new"))
    assert page.count('<li class="row tight">') == 20
    assert "22条" in page
    assert "其余用上面的搜索找" in page
    found = main_of(browser.get("/introductions/new?q=轨道&demand=D-2026-00001"))
    assert found.count('<li class="row tight">') == 1
    assert "别人的轨道检测" not in found
    assert 'value="D-2026-00001"' in found
    assert "没有找到" in browser.get("/introductions/new?q=%25")
