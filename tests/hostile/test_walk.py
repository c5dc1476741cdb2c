"""Everything of the table, sent everywhere: nothing fails, nothing is executed, nothing is lost.

A run takes a sample by a fresh seed, which it prints; `--full` sends all of it (25 minutes).
"""

import json
import random
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from fastapi.testclient import TestClient

from infra.access import Route
from infra.settings import Settings
from market.kit import letters
from tests.hostile import cases
from tests.hostile.line import Answer
from tests.hostile.market import Market, PageForm, shown, with_value
from tests.hostile.snapshot import PostgresSnapshot
from tests.infra.test_access import PARAMETER, Snapshot
from tests.infra.world import World

SAMPLE = 200  # of each kind of walk
EXPECTED = frozenset(
    {200, 201, 202, 204, 206, 303, 304, 307, 400, 401, 403, 404, 405, 409, 413, 416, 422, 429, 503}
)


MARKUP = re.compile(r"<script>window\.pwned|<(img|svg)[^>]*on(error|load)=|</style><style>")


@dataclass
class Attack:
    """One request: what it is called, and how to send it and judge the answer."""

    name: str
    send: Callable[[], Answer]
    judge: Callable[[Answer], str | None] = lambda _answer: None
    changes: bool = False


@dataclass
class Outcome:
    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@pytest.fixture
def market(world: World) -> Iterator[Market]:
    with TestClient(world.app) as client:
        yield Market(world, client)


Run = Callable[[Iterable[Attack]], Outcome]


@pytest.fixture
def run(market: Market, settings: Settings, tmp_path: Path) -> Run:
    sqlite = settings.database.startswith("sqlite")
    snapshot = Snapshot(settings, tmp_path) if sqlite else PostgresSnapshot(settings.database)

    def go(attacks: Iterable[Attack]) -> Outcome:
        outcome = Outcome()
        for attack in attacks:
            answer = attack.send()
            outcome.sent += 1
            outcome.statuses[answer.status] += 1
            problem = _problem(answer) or attack.judge(answer)
            if problem:
                outcome.wrong.append(f"{attack.name}: {problem}")
            if attack.changes and answer.status < 400:
                snapshot.restore()
        return outcome

    return go


def _problem(answer: Answer) -> str | None:
    if answer.status not in EXPECTED:
        return f"answered {answer.status}: {answer.text[:200]}"
    if any(b"\r" in v or b"\n" in v for _, v in answer.headers):
        return "a header was split"
    if any(name == b"set-cookie" and b"pwned" in value for name, value in answer.headers):
        return "a cookie was set"
    if "evil.example" in answer.header("location"):
        return f"led away to {answer.header('location')}"
    kind = answer.header("content-type")
    if answer.status >= 400 and not kind.startswith(
        ("application/json", "text/html", "text/plain")
    ):
        return f"an error of type {kind!r}"
    if kind.startswith("text/html") and MARKUP.search(answer.text):
        return "markup came through"
    return None


def page_fields(market: Market) -> Iterator[Attack]:
    """Every field of every form, with every text."""
    forms, _ = market.page_forms()
    for form in [*forms, *market.fallback_forms(forms)]:
        names = dict.fromkeys(name for name, _ in form.fields)
        for name in names:
            for text in cases.TEXTS:
                yield _typed(market, form, name, text)


def _typed(market: Market, form: PageForm, name: str, text: cases.Text) -> Attack:
    fields = form.with_field(name, text.value)

    def judge(answer: Answer) -> str | None:
        if name == "csrf" and text.value != market.csrf(form.who):
            good = answer.status in (303, 403, 404, 413, 422)
            return None if good else f"a foreign token was answered {answer.status}"
        if answer.status == 422 and name in form.typed and len(text.value) <= 150_000:
            return _kept(answer, text.value)
        return None

    return Attack(
        f"{form.route.path} {name} = {text.name} as {form.who}",
        lambda: market.post_form(form.route, form.who, form.action, fields),
        judge,
        changes=True,
    )


def _kept(answer: Answer, typed: str) -> str | None:
    """A refused form holds what was typed; what no database keeps is marked where it stood."""
    as_read = typed.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    marked = "".join(c if letters.is_storable(c) else "\ufffd" for c in as_read)
    return None if shown(answer.text, marked) else "what was typed is not on the page any more"


def page_queries(market: Market) -> Iterator[Attack]:
    """Every parameter of a page, named by its route, links or forms, with every text; whole query
    strings.
    """
    _, asked = market.page_forms()
    declared = market.page_parameters()
    for route in market.pages():
        for name in sorted(asked.get(route.path, set()) | declared[route.path]):
            for text in cases.TEXTS:
                query = _query(name, text.value)
                yield Attack(
                    f"GET {route.path}?{name} = {text.name}", _getter(market, route, query)
                )
        for query in cases.QUERIES:
            yield Attack(f"GET {route.path}?{query[:40]!r}", _getter(market, route, query))


def api_queries(market: Market) -> Iterator[Attack]:
    for route in market.gets():
        if not route.api:
            continue
        operation = market.walker.openapi["paths"][route.path.removeprefix("/api/v1")]["get"]
        for one in operation.get("parameters", []):
            if one["in"] == "query":
                for text in cases.TEXTS:
                    query = _query(one["name"], text.value)
                    yield Attack(
                        f"GET {route.path}?{one['name']} = {text.name}",
                        _getter(market, route, query),
                    )
        for query in cases.QUERIES:
            yield Attack(f"GET {route.path}?{query[:40]!r}", _getter(market, route, query))


def _query(name: str, value: str) -> bytes:
    return f"{name}=".encode() + quote_from_bytes(value.encode("utf-8", "surrogatepass")).encode()


def _getter(
    market: Market, route: Route, query: bytes = b"", path: bytes = b""
) -> Callable[[], Answer]:
    return lambda: market.get(route, query=query, path=path)


def paths(market: Market) -> Iterator[Attack]:
    """Every route with every id that is none."""
    for route in market.routes:
        for parameter in PARAMETER.findall(route.path):
            for bad in cases.IDS:
                head, _, tail = route.path.partition(f"{{{parameter}}}")
                path = _filled(market, route, head) + bad + _filled(market, route, tail)
                yield Attack(
                    f"{route.method} {path[:80]!r}", _getter(market, route, path=path), changes=True
                )


def _filled(market: Market, route: Route, part: str) -> bytes:
    return PARAMETER.sub(lambda found: market.walker.id_for(route, found[1]), part).encode()


def api_values(market: Market) -> Iterator[Attack]:
    """Every field of every body with every value and text; texts that were taken come back."""
    for route in market.writes():
        good = market.good_json(route)
        for name in good:
            for label, raw in cases.VALUES:
                yield _json(market, route, f"{name} = {label}", with_value(good, name, raw))
            if isinstance(good[name], str):
                for text in cases.TEXTS:
                    yield _json(
                        market,
                        route,
                        f"{name} = {text.name}",
                        with_value(good, name, json.dumps(text.value)),
                    )


def _json(market: Market, route: Route, what: str, raw: bytes) -> Attack:
    return Attack(
        f"{route.method} {route.path} {what}", lambda: market.post_json(route, raw), changes=True
    )


def bodies(market: Market) -> Iterator[Attack]:
    """Every route that changes something with every body, pages and API."""
    for route in market.routes:
        if route.method == "GET":
            continue
        good = market.walker.body(route).get("json", {}) if route.api else {}
        filled = json.dumps(good).encode()
        for body in cases.BODIES:
            raw = body.raw.replace(b"{b}", filled)
            yield Attack(
                f"{route.method} {route.path} with {body.name}",
                _sender(market, route, body.type, raw),
                changes=True,
            )


def _sender(market: Market, route: Route, kind: str, raw: bytes) -> Callable[[], Answer]:
    return lambda: market.post_json(route, raw, kind)


def headers(market: Market) -> Iterator[Attack]:
    """Every route that reads, and one change, with every header."""
    some = [
        *market.gets(),
        *(
            r
            for r in market.routes
            if r.path in ("/my/achievements/new", "/api/v1/my/achievements")
        ),
    ]
    for route in some:
        for one in cases.HEADERS:
            yield Attack(
                f"{route.method} {route.path} with {one.name}", _with_headers(market, route, one)
            )
        for method in cases.METHODS:
            yield Attack(
                f"{method[:20]} {route.path}",
                lambda r=route, m=method: market.line.send(
                    m, market.path(r).encode(), headers=market.headers(r, market.somebody(r))
                ),
            )


def _with_headers(market: Market, route: Route, one: cases.Headers) -> Callable[[], Answer]:
    named = {name for name, _ in one.lines}
    usual = [pair for pair in market.headers(route, market.somebody(route)) if pair[0] not in named]
    return lambda: market.line.send(
        route.method, market.path(route).encode(), headers=(*usual, *one.lines)
    )


def uploads(market: Market) -> Iterator[Attack]:
    """Every upload with every file, pages and API."""
    for route in market.routes:
        page = route.path.endswith(("/proofs", "/imports")) and route.method == "POST"
        if not page:
            continue
        for one in cases.UPLOADS:
            yield Attack(
                f"{route.path} with a file: {one.name}", _uploader(market, route, one), changes=True
            )


def _uploader(market: Market, route: Route, one: cases.Upload) -> Callable[[], Answer]:
    who = market.somebody(route)
    fields = {"csrf": market.csrf(who), "kind": "achievement"}
    parts = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (n.encode(), v.encode())
        for n, v in fields.items()
    )
    file = b'--x\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\nContent-Type: %s\r\n%s\r\n%s\r\n--x--\r\n' % (
        one.filename, one.type, one.headers, one.content,
    )  # fmt: skip
    lines = (*market.headers(route, who), (b"content-type", b"multipart/form-data; boundary=x"))
    return lambda: market.line.send(
        "POST", market.path(route).encode(), headers=lines, body=parts + file
    )


WALKS: dict[str, tuple[str, Callable[[Market], Iterator[Attack]]]] = {
    "page fields": ("页面表单的每一栏", page_fields),
    "page queries": ("页面地址的每个参数", page_queries),
    "API values": ("接口请求体的每一项", api_values),
    "API queries": ("接口地址的每个参数", api_queries),
    "bodies": ("每个会改变数据的地址收到的整个请求体", bodies),
    "paths": ("地址里的每个编号", paths),
    "headers": ("请求头与方法", headers),
    "uploads": ("每个上传", uploads),
}


def sample(walk: str, market: Market, run: Run, size: int) -> None:
    seed = secrets.randbelow(2**32)
    everything = list(WALKS[walk][1](market))
    outcome = run(random.Random(seed).sample(everything, min(size, len(everything))))
    print(f"{walk}: {outcome.sent} of {len(everything)}, seed {seed}: {dict(outcome.statuses)}")
    assert not outcome.wrong, f"seed {seed}\n" + listed(outcome)


def listed(outcome: Outcome) -> str:
    return f"{len(outcome.wrong)} wrong:\n" + "\n".join(islice(outcome.wrong, 40))


@pytest.mark.parametrize("walk", WALKS)
def test_a_sample_does_no_harm(walk: str, market: Market, run: Run) -> None:
    sample(walk, market, run, SAMPLE)


def test_extremes_of_every_page_parameter_do_no_harm(market: Market, run: Run) -> None:
    """Each alone: beside another that is refused it would not be looked at."""
    declared = market.page_parameters()
    assert "year" in declared["/past-registrations"]
    outcome = run(
        Attack(
            f"GET {one.path}?{name} = {text.name}", _getter(market, one, _query(name, text.value))
        )
        for one in market.pages()
        for name in sorted(declared[one.path])
        for text in cases.EXTREMES
    )
    assert not outcome.wrong, listed(outcome)


@pytest.mark.on_postgres
@pytest.mark.postgres
@pytest.mark.parametrize("walk", ["page fields", "API values", "API queries"])
def test_a_sample_does_no_harm_on_postgresql(walk: str, market: Market, run: Run) -> None:
    sample(walk, market, run, SAMPLE // 2)


@pytest.mark.full
@pytest.mark.parametrize("walk", WALKS)
def test_all_of_it_does_no_harm(
    walk: str, market: Market, run: Run, verified: Callable[..., None]
) -> None:
    """All of the table, one kind of walk after another: 30 minutes."""
    what, attacks = WALKS[walk]
    outcome = run(attacks(market))
    assert not outcome.wrong, listed(outcome)
    verified(
        f"恶意输入：{what}", how_many=f"{outcome.sent:,}个请求", result="0个5xx，0处执行，0处丢失"
    )


@pytest.mark.full
@pytest.mark.on_postgres
@pytest.mark.postgres
@pytest.mark.parametrize("walk", ["page fields", "API values", "API queries"])
def test_much_of_it_does_no_harm_on_postgresql(walk: str, market: Market, run: Run) -> None:
    """2,500 of each kind on PostgreSQL: 8 minutes."""
    sample(walk, market, run, 2500)
