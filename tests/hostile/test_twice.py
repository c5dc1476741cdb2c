"""The same form or request sent twice at the same moment: one effect, and both are told the same.

Every change of the API goes with an `Idempotency-Key`, every form with the token that it was shown
with. Sent together by two threads, on both databases.
"""

import json
import random
import secrets
import threading
from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from infra.access import Route
from infra.settings import Settings
from market.tables import metadata
from tests.hostile.line import Answer
from tests.hostile.market import Market, PageForm
from tests.hostile.snapshot import PostgresSnapshot
from tests.infra.test_access import Snapshot
from tests.infra.world import World

# Rows that say that something was tried, not what became of it.
SAMPLE = 8
Sending = tuple[str, Callable[[], Answer]]
NOISE = ("sent_once", "audit", "sign_in_failure", "notice_read")


@pytest.fixture
def market(world: World) -> Iterator[Market]:
    with TestClient(world.app) as client:
        yield Market(world, client)


class Tables:
    """How many rows every table has, by which a second object is found."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, poolclass=NullPool)
        self._names = [t.name for t in metadata().sorted_tables if t.name not in NOISE]

    def counted(self) -> dict[str, int]:
        with self._engine.connect() as connection:
            return {
                name: connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one()
                for name in self._names
            }


def together(one: Callable[[], Answer], times: int = 2) -> list[Answer]:
    """Return the answers of the same sending from threads that start at once."""
    start, answers = threading.Barrier(times), [Answer(0, (), b"")] * times

    def send(place: int) -> None:
        start.wait()
        answers[place] = one()

    threads = [threading.Thread(target=send, args=(n,)) for n in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def judge(
    label: str, answers: list[Answer], grown: dict[str, int], once: dict[str, int]
) -> list[str]:
    """Return what is wrong with two answers, and with the rows that they left."""
    wrong = []
    statuses = sorted(answer.status for answer in answers)
    if any(status >= 500 for status in statuses):
        wrong.append(f"{label}: {statuses} {answers[0].text[:200]} {answers[1].text[:200]}")
    good = [answer for answer in answers if answer.status < 400]
    if len(good) == 2:
        places = {(a.status, a.header("location")) for a in good}
        if len(places) != 1:
            wrong.append(f"{label}: two answers, {places}")
        bodies = {a.body for a in good}
        if len(bodies) != 1 and good[0].header("content-type") == "application/json":
            wrong.append(f"{label}: two results")
    elif len(good) == 1 and statuses[1] not in (404, 409, 422):
        wrong.append(f"{label}: the second was told {statuses[1]}")
    if grown != once:
        wrong.append(f"{label}: once {_some(once)}, twice {_some(grown)}")
    return wrong


def _some(grown: dict[str, int]) -> dict[str, int]:
    return {name: n for name, n in grown.items() if n}


class Twice:
    def __init__(self, market: Market, settings: Settings, folder: object) -> None:
        self.market = market
        sqlite = settings.database.startswith("sqlite")
        self.snapshot = (
            Snapshot(settings, folder) if sqlite else PostgresSnapshot(settings.database)  # type: ignore[arg-type]
        )
        self.tables = Tables(settings.database)
        self.before = self.tables.counted()

    def restore(self) -> None:
        """Put the world back, with nothing left that the journal would write into it later."""
        self.market.world.parts.journal.flush()
        self.snapshot.restore()

    def grown(self) -> dict[str, int]:
        self.market.world.parts.journal.flush()
        now = self.tables.counted()
        return {name: now[name] - n for name, n in self.before.items()}

    def compare(self, label: str, one: Callable[[], Answer]) -> list[str]:
        """Send once and put back; send twice together; what grew must be the same."""
        self.restore()
        alone = one()
        once = self.grown()
        self.restore()
        answers = together(one)
        wrong = judge(label, answers, self.grown(), once)
        if alone.status < 400 and not any(a.status < 400 for a in answers):
            wrong.append(f"{label}: alone {alone.status}, together {[a.status for a in answers]}")
        return wrong


@pytest.fixture
def twice(market: Market, settings: Settings, tmp_path: object, both_databases: str) -> Twice:
    return Twice(market, settings, tmp_path)


def changes(market: Market) -> list[Sending]:
    """Every change of the API that takes JSON; people and tokens know no key."""
    others = ("/api/v1/tokens", "/api/v1/people")
    return [
        (f"{route.method} {route.path}", _with_key(market, route))
        for route in market.writes()
        if route.path not in others
    ]


def filled_forms(market: Market) -> list[Sending]:
    """Every form of every page but uploads and the ways in."""
    forms, _ = market.page_forms()
    return [
        (f"{form.route.path} as {form.who}", _filled(market, form))
        for form in [*forms, *market.fallback_forms(forms)]
        if not form.upload
        and "{secret}" not in form.route.path
        and form.route.path not in ("/signup", "/login")
    ]


def compare(twice: Twice, sendings: list[Sending]) -> None:
    wrong = [line for label, one in sendings for line in twice.compare(label, one)]
    assert not wrong, "\n".join(wrong)


SENDINGS = pytest.mark.parametrize("sendings", [changes, filled_forms])


@SENDINGS
def test_some_sent_twice_are_one(
    sendings: Callable[[Market], list[Sending]], twice: Twice, market: Market
) -> None:
    seed = secrets.randbelow(2**32)
    print(f"seed {seed}")
    compare(twice, random.Random(seed).sample(sendings(market), SAMPLE))


@pytest.mark.full
@SENDINGS
def test_all_sent_twice_are_one(
    sendings: Callable[[Market], list[Sending]],
    twice: Twice,
    market: Market,
    both_databases: str,
    verified: Callable[..., None],
) -> None:
    """Every form and every change: 3 minutes on each database."""
    every = sendings(market)
    compare(twice, every)
    what = "接口的修改" if sendings is changes else "页面的表单"
    verified(
        f"同时发出两次（{both_databases}）：{what}", how_many=f"{len(every)}种", result="各一次"
    )


def _with_key(market: Market, route: Route) -> Callable[[], Answer]:
    raw = json.dumps(market.good_json(route)).encode()
    lines = (
        *market.headers(route, market.somebody(route)),
        (b"content-type", b"application/json"),
        (b"idempotency-key", b"the same"),
    )
    path = market.path(route).encode()
    return lambda: market.line.send(route.method, path, headers=lines, body=raw)


def _filled(market: Market, form: PageForm) -> Callable[[], Answer]:
    """Return the form as its page shows it, with what is required and stood empty filled in."""
    needed = {
        "title": "示范",
        "text": "示范备注",
        "message": "示范留言",
        "name": "示范名称",
        "note": "示范",
    }
    fields = [(n, v or needed.get(n, "")) for n, v in form.fields if n not in ("once", "csrf")]
    sent = [*fields, ("csrf", market.csrf(form.who)), ("once", "the-same-token")]
    return lambda: market.post_form(form.route, form.who, form.action, sent)


def test_a_key_stands_for_one_request_only(market: Market) -> None:
    route = next(r for r in market.writes() if r.path == "/api/v1/my/achievements")
    first = _with_key(market, route)()
    again = _with_key(market, route)()
    assert (first.status, again.status) == (201, 201)
    assert first.body == again.body
    assert again.header("idempotency-replayed") == "true"
    other = json.dumps({**market.good_json(route), "title": "另一条"}).encode()
    lines = (
        *market.headers(route, market.somebody(route)),
        (b"content-type", b"application/json"),
        (b"idempotency-key", b"the same"),
    )
    answer = market.line.send("POST", market.path(route).encode(), headers=lines, body=other)
    assert answer.status == 409
    assert "Idempotency-Key" in answer.text


def test_going_back_and_changing_something_is_another_sending(market: Market) -> None:
    target = next(r for r in market.routes if r.path == "/my/achievements/new" and r.write)
    shown = next(r for r in market.pages() if r.path == target.path)
    who = market.somebody(target)
    like = PageForm(who, target, target.path, (("title", ""), ("summary", "")), frozenset())
    form = market.forms_in(market.get(shown, who=who).text, like)

    def send(title: str) -> str:
        fields = [(n, title if n == "title" else v) for n, v in form.fields]
        answer = market.post_form(form.route, form.who, form.action, fields)
        assert answer.status == 303, answer.text[:300]
        return answer.header("location")

    assert send("第一条") == send("第一条") != send("第二条")
