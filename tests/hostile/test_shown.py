"""Hostile texts, stored and shown in a real Chromium: nothing runs, nothing breaks out, all is kept."""

import dataclasses
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from frontend.edge import COOKIE
from infra.settings import Settings
from infra.web import create_app, in_thread
from infra.wiring import open_reader, open_writer
from market.accounts.work import Parts
from market.kit import letters
from tests import factories
from tests.e2e.test_story_api import good
from tests.hostile import cases
from tests.infra.world import World, _settle, build
from tests.support.clock import FakeClock

pytestmark = pytest.mark.browser

ATTACKS = (*cases.SCRIPTS, *cases.SYNTAX, *cases.WRITING)


@pytest.fixture
def site(parts: Parts, clock: FakeClock, settings: Settings) -> Iterator[tuple[World, str]]:
    writer, reader = open_writer(settings), open_reader(settings)
    app = create_app(parts, reader, settings)
    world = build(app, parts, clock, writer)
    store(world)
    _settle(parts, clock, writer)
    server, thread, port = in_thread(app, dataclasses.replace(settings, port=0))
    yield world, f"http://127.0.0.1:{port}"
    server.stop()
    thread.join(timeout=10)
    reader.close()
    writer.close()


def kept(text: str, *, one_line: bool) -> str:
    """Return what the market keeps of a text, as `market.kit.letters` says."""
    return (letters.one_line(text) if one_line else letters.clean(text)).strip()


def store(world: World) -> None:
    """Put every attack into every text of a listing, and into what people say in a deal."""
    seller, officer = world.api("seller"), world.api("officer")
    ids = []
    for text in ATTACKS:
        title = kept(text.value, one_line=True)
        long = kept(text.value, one_line=False)
        if not title or not long:
            continue
        body = {
            "title": title[:200],
            "summary": text.value[:500],
            "body": text.value,
            "application": text.value[:1000],
            "advantage": text.value[:1000],
            "keywords": [title[:30].strip()],
            "ip_status": title[:60],
            "completers": text.value[:300],
        }
        made = good(seller.post("/my/achievements", json=body), 201)
        # What was stored comes back as it was stored.
        assert made["text"]["body"] == long, text.name
        assert made["text"]["title"] == title[:200].strip(), text.name
        good(seller.post(f"/my/listings/{made['id']}/submission"))
        ids.append(made)
        note = {"audience": "all", "text": text.value}
        good(seller.post(f"/deals/{world.ids['deal_id']}/notes", json=note), 201)
    for made in ids[: len(ids) // 2]:  # the rest stay with the reviewer
        decision = {"revision": made["revision"], "decision": "approve"}
        good(officer.post(f"/reviews/{made['id']}/decision", json=decision), 204)
    world.ids["attacks"] = ",".join(made["id"] for made in ids)


def test_nothing_stored_is_executed(site: tuple[World, str], context: BrowserContext) -> None:
    world, url = site
    page = context.new_page()
    said: list[str] = []
    page.on("dialog", lambda dialog: (said.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: said.append(f"error {error}"))
    # A refusal by the content security policy means that markup came through.
    page.on("console", lambda m: said.append(m.text) if "Content Security" in m.text else None)
    attacks = world.ids["attacks"].split(",")
    deal = world.ids["deal_id"]
    public, waiting = attacks[: len(attacks) // 2], attacks[len(attacks) // 2 :]
    for who, paths in {
        "seller manager": [
            "/my/listings?kind=achievement",
            f"/deals/{deal}",
            *(f"/my/listings/{one}" for one in attacks[::4]),
            *(f"/my/listings/{one}/edit" for one in waiting[::6]),
        ],
        "buyer manager": [
            "/search?kind=achievement",
            f"/deals/{deal}",
            *(f"/listings/{one}" for one in public),
            *(f"/search?q={_quoted(text.value[:80])}" for text in ATTACKS[::4]),
        ],
        "officer": ["/desk/reviews", *(f"/desk/reviews/{one}" for one in waiting[::3])],
    }.items():
        visit(world, context, page, url, who, paths, said)
    assert not said


def visit(
    world: World,
    context: BrowserContext,
    page: Page,
    url: str,
    who: str,
    paths: list[str],
    said: list[str],
) -> None:
    context.clear_cookies()
    cookie, _ = factories.cookie(world.parts, world.actors[who])
    context.add_cookies([{"name": COOKIE, "value": cookie, "url": url}])
    for path in paths:
        answer = page.goto(url + path)
        assert answer is not None
        if answer.status >= 500:
            said.append(f"{path} failed")
        if page.evaluate("window.pwned !== undefined || document.cookie.includes('pwned')"):
            said.append(f"{path} was executed")
        if page.locator(
            "main script, main svg[onload], main img[onerror], main [hx-on\\:load]"
        ).count():
            said.append(f"{path} holds markup of the attack")
        if re.search("[\u202a-\u202e\u2066-\u2069]", page.inner_text("body")):
            said.append(f"{path} holds a control of direction")


def _quoted(text: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415

    return quote(text, safe="")
