"""Every page in a real browser at both widths, seen by somebody who may: axe finds nothing, nothing
scrolls sideways, there is one heading and one title.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import pytest
from playwright.sync_api import Browser, Page

from frontend.edge import COOKIE
from infra import access
from infra.access import Route
from infra.settings import Settings
from infra.web import create_app, in_thread
from infra.wiring import open_reader, open_writer
from market.accounts.policy import Relation
from market.accounts.work import Parts
from tests import factories
from tests.infra.test_access import PARAMETER, on_demand, relation
from tests.infra.world import World, build
from tests.support.browser import DESKTOP, PHONE, axe_violations, sideways_scroll
from tests.support.clock import FakeClock

pytestmark = pytest.mark.browser

# Fragments and files; pages of what the world has no open one of: a link, a contract to hand in.
NOT_PAGES = (
    *("/search/suggest", "/proofs/{file_id}", "/link/{secret}", "/registrations/new"),
    *("/account/data/copy", "/registrations/{registration_id}/edit"),
    *("/payments/{payment_id}/slips/{slip_id}", "/receipts/{receipt_id}/slip"),
    "/past-registrations/export",
    *("/board/picture.svg", "/rewards/{reward_id}/statement", "/evidence", "/files/{file_id}"),
    *("/my/import-template", "/my/imports/{import_id}/errors"),
    *("/file", "/form.json", "/form.pdf", "/form.xlsx", "/summary.pdf"),
)


@pytest.fixture
def site(parts: Parts, clock: FakeClock, settings: Settings) -> Iterator[tuple[World, str]]:
    writer, reader = open_writer(settings), open_reader(settings)
    app = create_app(parts, reader, settings)
    world = build(app, parts, clock, writer)
    server, thread, port = in_thread(app, dataclasses.replace(settings, port=0))
    yield world, f"http://127.0.0.1:{port}"
    server.stop()
    thread.join(timeout=10)
    reader.close()
    writer.close()


def visitors_of(world: World, route: Route) -> Iterator[str]:
    """Yield one of the world's people for each role and kind of organisation that may open it."""
    met = set()
    for name, actor in world.actors.items():
        kind = (actor.role, actor.kind)
        related = relation(route, name) or Relation.OWN
        if kind not in met and (
            actor.may(route.action, related)
            or (not PARAMETER.search(route.path) and actor.may_ever(route.action))
        ):
            met.add(kind)
            yield name
    assert met, f"nobody may open {route.path}"


def problems(page: Page, where: str) -> list[str]:
    found = [f"{where}: {line}" for line in axe_violations(page)]
    if sideways_scroll(page):
        found.append(f"{where}: wider than its window")
    if page.locator("h1").count() != 1:
        found.append(f"{where}: {page.locator('h1').count()} main headings")
    return found


def address_of(world: World, route: Route) -> str:
    return PARAMETER.sub(
        lambda found: (
            world.ids["demand"]
            if found[1] == "listing_id" and on_demand(route)
            else world.ids[found[1]]
        ),
        route.path,
    )


def look(
    browser: Browser,
    site: tuple[World, str],
    size: dict[str, int],
    name: str,
    routes: Sequence[Route],
) -> list[str]:
    """Open the pages as one visitor at one width; return what is wrong with them."""
    world, address = site
    context = browser.new_context(
        base_url=address,
        viewport=size,  # type: ignore[arg-type]
        locale="zh-CN",
        reduced_motion="reduce",
    )
    if world.actors[name].person_id is not None:
        value, _ = factories.cookie(world.parts, world.actors[name])
        context.add_cookies([{"name": COOKIE, "value": value, "url": address}])
    page, wrong = context.new_page(), []
    for route in routes:
        where = f"{route.path} as {name} at {size['width']}"
        answer = page.goto(address_of(world, route))
        assert answer is not None
        if answer.status != 200:
            wrong.append(f"{where}: {answer.status}")
        else:
            wrong += problems(page, where)
    context.close()
    return wrong


def check(site: tuple[World, str], browser: Browser, *, each_role: bool) -> int:
    """Look at every page at both widths; return how many looks that were."""
    world, _ = site
    pages = [
        route
        for route in access.routes(world.app, world.app.state.api)
        if route.method == "GET" and not route.api and not route.path.endswith(NOT_PAGES)
    ]
    assert len(pages) > 40
    seen_by: dict[str, list[Route]] = {}
    for route in pages:
        for name in islice(visitors_of(world, route), None if each_role else 1):
            seen_by.setdefault(name, []).append(route)
    wrong = [
        line
        for size in (DESKTOP, PHONE)
        for name, routes in seen_by.items()
        for line in look(browser, site, size, name, routes)
    ]
    assert not wrong, "\n".join(wrong)
    return 2 * sum(len(routes) for routes in seen_by.values())


def test_every_page_at_both_widths(site: tuple[World, str], browser: Browser) -> None:
    check(site, browser, each_role=False)


@pytest.mark.full
def test_every_page_at_both_widths_in_each_role(
    site: tuple[World, str], browser: Browser, verified: Callable[..., None]
) -> None:
    """About 10 minutes."""
    looks = check(site, browser, each_role=True)
    verified(
        "每个页面、每种角色、两种宽度：axe、横向滚动、标题",
        how_many=f"{looks} 次打开",
        result="axe 0 处",
    )
