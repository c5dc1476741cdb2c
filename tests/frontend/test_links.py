"""Nobody is shown a link that leads to a refusal: each role opens its pages and follows each link."""

import html
import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from frontend.edge import COOKIE
from infra import access
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader, open_writer
from market.accounts.work import Parts
from tests import factories
from tests.frontend.test_board_pages import HOST
from tests.frontend.test_every_page import NOT_PAGES, address_of, visitors_of
from tests.infra.world import World, build
from tests.support.clock import FakeClock

LINK = re.compile(r'<a\b[^>]*\bhref="(/[^"#]*)')


@pytest.fixture
def world(parts: Parts, clock: FakeClock, settings: Settings) -> Iterator[World]:
    writer, reader = open_writer(settings), open_reader(settings)
    app = create_app(parts, reader, settings)
    yield build(app, parts, clock, writer)
    reader.close()
    writer.close()


def test_each_link_of_each_page_may_be_followed(world: World) -> None:
    routes = [
        route
        for route in access.routes(world.app, world.app.state.api)
        if route.method == "GET" and not route.api and not route.path.endswith(NOT_PAGES)
    ]
    pages: dict[str, set[str]] = {}
    for route in routes:
        for name in visitors_of(world, route):
            pages.setdefault(name, set()).add(address_of(world, route))
    wrong, met = set(), 0
    for name, addresses in pages.items():
        client = TestClient(world.app, base_url=HOST, follow_redirects=False)
        if world.actors[name].person_id is not None:
            value, _ = factories.cookie(world.parts, world.actors[name])
            client.headers["cookie"] = f"{COOKIE}={value}"
        statuses: dict[str, int] = {}
        for address in sorted(addresses):
            page = client.get(address)
            if page.status_code != 200 or "text/html" not in page.headers["content-type"]:
                continue
            for found in set(LINK.findall(page.text)):
                link = html.unescape(found)
                if link not in statuses:
                    statuses[link] = client.get(link).status_code
                met += 1
                if statuses[link] == 403:
                    wrong.add(f"{name}: {address} → {link}")
    assert met > 1_000
    assert not wrong, "\n".join(sorted(wrong))
