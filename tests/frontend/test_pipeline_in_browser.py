"""The pipeline board in a real browser: cards move by mouse, by keyboard and on a phone."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from market.accounts.work import Actor, Parts
from market.deals import repository, service
from market.deals.models import Deal
from tests import factories
from tests.support.browser import DESKTOP, PHONE, axe_violations, sideways_scroll
from tests.support.market import read_for
from tests.support.running import Running
from tests.support.trade import Trade, mandate, negotiated, trade

Opened = Callable[..., Page]


@pytest.fixture
def opened(running: Running, browser: Browser) -> Iterator[Opened]:
    """`opened(who, size, script=True)`: a page of the running site, signed in."""

    def sign_in(who: Actor, size: dict[str, int], *, script: bool = True) -> Page:
        context = browser.new_context(
            base_url=running.url,
            viewport=size,  # type: ignore[arg-type]
            locale="zh-CN",
            reduced_motion="reduce",
            java_script_enabled=script,
            has_touch=size is PHONE,
        )
        secret, _ = factories.cookie(running.parts, who)
        context.add_cookies([{"name": "zhihe_session", "value": secret, "url": running.url}])
        return context.new_page()

    yield sign_in
    for context in browser.contexts:
        context.close()


@pytest.fixture
def world(parts: Parts) -> Trade:
    return trade(parts)


@pytest.fixture
def deal(world: Trade) -> Deal:
    return negotiated(world)


def stages(world: Trade, deal: Deal) -> list[str]:
    with read_for(world.parts, world.seller) as work:
        return [one.stage for one in repository.stages_of(work.session, [deal.id])]


def lane(page: Page, name: str) -> str:
    return f'.lane[data-name="{name}"]'


def test_a_card_is_dragged_by_the_mouse(world: Trade, deal: Deal, opened: Opened) -> None:
    page = opened(world.seller, DESKTOP)
    page.goto("/deals/board")
    card = page.locator(f"{lane(page, '初步接触')} .card")
    card.drag_to(page.locator(lane(page, "商务谈判")))
    expect(page.locator(f"{lane(page, '商务谈判')} .card")).to_have_count(1)
    expect(page.locator(f"{lane(page, '初步接触')} .card")).to_have_count(0)
    assert stages(world, deal) == ["contact", "bargaining"]
    # No hand fills the lanes behind: the card stays where it was.
    page.locator(f"{lane(page, '商务谈判')} .card").drag_to(page.locator("#lane-signing"))
    expect(page.get_by_role("status").filter(has_text="不能拖到“签约”")).to_be_visible()
    expect(page.locator(f"{lane(page, '商务谈判')} .card")).to_have_count(1)
    assert stages(world, deal) == ["contact", "bargaining"]


def test_a_card_is_moved_by_the_keyboard_alone(world: Trade, deal: Deal, opened: Opened) -> None:
    page = opened(world.buyer, DESKTOP)
    page.goto("/deals/board")
    page.get_by_role("link", name=deal.title).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="技术考察")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(f"{lane(page, '技术考察')} .card")).to_have_count(1)
    expect(page.get_by_role("link", name=deal.title)).to_be_focused()
    assert stages(world, deal) == ["contact", "assessment"]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_lost_deal_is_told_from_the_board(
    world: Trade, deal: Deal, opened: Opened, *, script: bool
) -> None:
    page = opened(world.seller, PHONE, script=script)
    page.goto("/deals/board")
    fold = page.locator(".card summary")
    box = fold.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    fold.tap()
    page.get_by_role("link", name="未成交…").tap()
    expect(page.locator("#lose-reason")).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
def test_a_card_is_moved_on_a_phone(
    world: Trade, deal: Deal, opened: Opened, *, script: bool
) -> None:
    page = opened(world.seller, PHONE, script=script)
    page.goto("/deals/board")
    page.locator(".card summary").tap()
    page.get_by_role("button", name="技术考察").tap()
    expect(page.locator(f"{lane(page, '技术考察')} .card")).to_have_count(1)
    assert stages(world, deal) == ["contact", "assessment"]


def test_a_card_that_another_moved_meanwhile_stays_and_says_so(
    world: Trade, deal: Deal, opened: Opened
) -> None:
    mine, theirs = opened(world.seller, DESKTOP), opened(world.buyer, DESKTOP)
    for page in (mine, theirs):
        page.goto("/deals/board")
        page.locator(".card summary").click()
    theirs.get_by_role("button", name="商务谈判").click()
    expect(theirs.locator(f"{lane(theirs, '商务谈判')} .card")).to_have_count(1)
    mine.get_by_role("button", name="技术考察").click()
    expect(mine.get_by_text("没有移动")).to_be_visible()
    assert stages(world, deal) == ["contact", "bargaining"]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_board_list_and_deal_fit_and_are_accessible(
    world: Trade, deal: Deal, opened: Opened, size: dict[str, int]
) -> None:
    mandate(world, world.seller, as_seller=True)
    for who in (world.seller, world.broker):
        page = opened(who, size)
        for path in ("/deals/board", "/deals", f"/deals/{deal.public_id}"):
            page.goto(path)
            expect(page.locator("h1")).to_have_count(1)
            if path == f"/deals/{deal.public_id}":
                for fold in page.locator("details.fold > summary").all():
                    fold.click()
            assert axe_violations(page) == [], path
            assert sideways_scroll(page) == 0, path
    page = opened(world.broker, size)
    page.goto("/deals/board")
    expect(page.locator(".card")).to_have_count(1)
    expect(page.locator(".card form")).to_have_count(0)
    with read_for(world.parts, world.broker) as work:
        assert service.deal_counts(work)["running"] == 1
