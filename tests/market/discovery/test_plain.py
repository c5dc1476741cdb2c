"""Searching without the index: the same listings, seen by the same people, in the time there is."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts import organisations
from market.accounts.policy import OrganisationKind, Role
from market.accounts.schemas import VerifyIn
from market.accounts.work import ANONYMOUS, Parts
from market.catalog.schemas import Price
from market.catalog.vocabulary import ListingKind
from market.discovery import plain, service
from market.discovery.documents import SCHEMA
from market.discovery.results import ResultPage, SearchParams
from market.discovery.schemas import Sort
from market.kit.db import OutOfTime, limited
from search.engines.tantivy import TantivyEngine
from tests import factories
from tests.market.discovery.conftest import Market
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")
WAN = 1_000_000
Search = Callable[..., ResultPage]


@pytest.fixture
def away(market: Market, tmp_path: Path) -> TantivyEngine:
    """An index that is not there."""
    return TantivyEngine(tmp_path / "nowhere", SCHEMA, read_only=True)


@pytest.fixture
def search(market: Market, away: TantivyEngine) -> Search:
    def run(q: str = "", **given: object) -> ResultPage:
        with read_for(market.parts, ANONYMOUS) as work:
            return service.search(work, away, SearchParams(q=q, **given))  # type: ignore[arg-type]

    return run


def titles(found: ResultPage) -> list[str]:
    assert found.degraded
    assert found.total == len(found.rows)
    return [row.seen.shown.text.title for row in found.rows]


@pytest.fixture
def stocked(market: Market) -> Market:
    one = market.organisation(name="示范大学一", region="500106")
    two = market.organisation(name="ＡＢＣ研究院", region="500107")
    fixed = {"form": "fixed", "low_fen": 60 * WAN, "high_fen": 60 * WAN}
    market.achievement(
        one,
        "车架焊缝气孔在线检测装置",
        keywords=["机器视觉", "IGBT"],
        field=3,
        maturity_level=7,
        modes=["普通许可"],
        price=Price.model_validate(fixed),
        body="正文里才有的词：陨石",
    )
    market.achievement(one, "ＴＣ４钛合金(100%)成形_方法", field=5, maturity_level=4)
    market.achievement(two, "焊缝射线底片评片", keywords=["304不锈钢"], region="510000")
    market.demand(two, "焊缝质量检测")
    return market


@pytest.mark.usefixtures("stocked")
def test_titles_keywords_and_names_are_searched(search: Search) -> None:
    welding = {"车架焊缝气孔在线检测装置", "焊缝射线底片评片"}
    assert set(titles(search("焊缝"))) == welding
    assert titles(search("焊缝 气孔")) == ["车架焊缝气孔在线检测装置"]
    assert titles(search("焊缝气孔在线")) == ["车架焊缝气孔在线检测装置"]
    assert titles(search("焊缝 -射线")) == ["车架焊缝气孔在线检测装置"]
    assert titles(search("“底片评片”")) == ["焊缝射线底片评片"]
    assert titles(search("焊缝 “评片底片”")) == []
    assert titles(search("机器视觉")) == ["车架焊缝气孔在线检测装置"]
    for typed in ("IGBT", "igbt", "ｉｇｂｔ"):
        assert titles(search(typed)) == ["车架焊缝气孔在线检测装置"]
    for typed in ("TC4", "tc4", "ＴＣ４", "tc-4"):
        assert titles(search(typed)) == ["ＴＣ４钛合金(100%)成形_方法"], typed
    assert len(titles(search("示范大学一"))) == 2
    assert titles(search("机构：abc研究院")) == ["焊缝射线底片评片"]
    assert titles(search("关键词：焊缝")) == []
    assert titles(search("304")) == ["焊缝射线底片评片"]
    assert titles(search("4e")) == [], "a piece of how JSON writes an ideograph"
    nothing = search("陨石")
    assert titles(nothing) == [], "bodies are not read"
    assert titles(search(kind=ListingKind.DEMAND)) == ["焊缝质量检测"]


@pytest.mark.usefixtures("stocked")
def test_filters_hold_as_in_the_index(market: Market, search: Search) -> None:
    market.settle()
    with read_for(market.parts, ANONYMOUS) as work:
        whole = service.search(work, market.engine, SearchParams())
        assert not whole.degraded
        asked = 0
        for facet in whole.facets:
            for option in facet.options:
                params = SearchParams(chosen={facet.name: (option.value,)})
                expected = service.search(work, market.engine, params)
                found = search(chosen=params.chosen)
                assert set(titles(found)) == {r.seen.shown.text.title for r in expected.rows}
                assert found.total == option.count
                asked += 1
    assert asked > 8
    for name in ("field", "maturity", "mode", "price", "organisation", "region"):
        for value in ("", "nonsense", "%", "\x00", "9" * 90, "'; --"):
            assert titles(search(chosen={name: (value,)})) == [], (name, value)


@pytest.mark.usefixtures("stocked")
def test_orders(search: Search) -> None:
    whole = ["焊缝射线底片评片", "ＴＣ４钛合金(100%)成形_方法", "车架焊缝气孔在线检测装置"]
    assert set(titles(search())) == set(whole)
    assert titles(search(sort=Sort.PRICE))[0] == "车架焊缝气孔在线检测装置"
    assert titles(search(sort=Sort.MATURITY))[:2] == [whole[2], whole[1]]
    assert titles(search("焊缝 检测", sort=Sort.RELEVANCE)) == [whole[2]]
    assert search(sort=Sort.DEADLINE, kind=ListingKind.DEMAND).total == 1


def test_pages_are_in_one_order_over_all_stretches(
    market: Market, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plain, "_FIRST", 3)
    monkeypatch.setattr(plain, "_STRETCH", 7)
    school = market.organisation()
    for number in range(45):
        price = {"form": "from", "low_fen": (number * 7 % 45 + 1) * WAN}
        market.achievement(school, f"镁合金成形{number}", price=Price.model_validate(price))
    found: list[int] = []
    for page in (1, 2, 3):
        rows = search("镁合金", sort=Sort.PRICE, page=page)
        assert (rows.total, rows.pages, rows.incomplete) == (45, 3, False)
        found += [row.seen.shown.text.price.low_fen or 0 for row in rows.rows]
    assert found == sorted(found)
    assert len(set(found)) == 45
    assert search("镁合金", page=9).params.page == 3


def test_who_sees_what(market: Market, search: Search, parts: Parts) -> None:
    hidden = market.organisation(OrganisationKind.COMPANY, name="保密机械公司")
    market.demand(hidden, "齿轮箱降噪", masked=True)
    school = market.organisation()
    gone = market.achievement(school, "齿轮箱修复")
    other = market.organisation(name="待核实的学院")
    market.achievement(other, "齿轮箱测振")
    demands = {"kind": ListingKind.DEMAND}
    assert search("齿轮箱", **demands).total == 1
    assert search("保密机械公司", **demands).total == 0
    assert search("齿轮箱 -保密机械公司", **demands).total == 1
    chosen = {"organisation": (hidden.public_id,)}
    assert search(chosen=chosen, **demands).total == 0, "a filter would tell as well"
    assert "保密机械公司" not in repr(search("齿轮箱", **demands))
    assert search("齿轮箱").total == 2
    market.withdraw(school, gone)
    assert search("齿轮箱").total == 1, "at once: no index has to hear of it"
    officer = factories.actor(parts, Role.OFFICER)
    with work_for(parts, officer) as work:
        organisations.verify(work, other.public_id, VerifyIn(decision="refused", note="材料不全"))
    assert search("齿轮箱").total == 0


@pytest.mark.usefixtures("stocked")
@pytest.mark.parametrize(
    "typed",
    [
        "%",
        "_",
        "\\",
        "100%",
        "成形_方法",
        "'",
        '"',
        "' OR 1=1 --",
        "\x00",
        "\ud800",
        "/",
        "//%",
    ],
)
def test_signs_of_patterns_are_signs(search: Search, typed: str) -> None:
    found = search(typed)
    assert found.degraded
    assert found.total in (0, 1, 3), "all where nothing was typed that can be searched for"
    if typed == "100%":
        assert titles(found) == ["ＴＣ４钛合金(100%)成形_方法"]


@pytest.mark.usefixtures("stocked")
def test_long_and_strange_texts_are_answered(search: Search) -> None:
    for typed in ("焊" * 2000, "焊缝 " * 500, "a b " * 500, "-焊 " * 99, "“" * 99, "标题：" * 66):
        begun = time.monotonic()
        found = search(typed)
        assert found.degraded
        assert time.monotonic() - begun < 3 * 2.0
    assert search("焊缝 " * 500).shortened


@pytest.mark.usefixtures("stocked")
def test_nothing_found_shows_what_is_nearest(search: Search) -> None:
    found = search("焊缝 陨石")
    assert (found.total, found.rows) == (0, ())
    assert {row.seen.shown.text.title for row in found.nearest} == {
        "车架焊缝气孔在线检测装置",
        "焊缝射线底片评片",
    }


@pytest.mark.usefixtures("stocked")
def test_out_of_time_is_said(market: Market) -> None:
    with read_for(market.parts, ANONYMOUS) as work:
        found = plain.search(work, SearchParams(q="焊缝"), until=time.monotonic() - 1)
        assert (found.degraded, found.incomplete, found.total) == (True, True, 0)
        found = plain.search(work, SearchParams(q="焊缝"), plain.deadline())
        assert (found.incomplete, found.total) == (False, 2)


def test_a_statement_is_ended_and_the_transaction_goes_on(parts: Parts) -> None:
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) "
        "SELECT count(*) FROM n"
    )
    with parts.database.read() as session:
        for _ in range(2):
            begun = time.monotonic()
            with pytest.raises(OutOfTime), limited(session, 0.2):
                session.execute(text(endless))
            assert 0.15 < time.monotonic() - begun < 3.0
            assert session.execute(text("SELECT 1")).scalar_one() == 1
        with limited(session, 0.2):
            assert session.execute(text("SELECT 2")).scalar_one() == 2
        time.sleep(0.3)
        # The limit is gone with the block.
        slow = endless.replace("2000000000", "1500000")
        assert session.execute(text(slow)).scalar_one() == 1_500_000


@pytest.mark.usefixtures("stocked")
def test_readers_take_turns(market: Market, search: Search) -> None:
    held = [plain._scans.acquire() for _ in range(plain._AT_ONCE)]
    try:
        with read_for(market.parts, ANONYMOUS) as work:
            found = plain.search(work, SearchParams(), until=time.monotonic() + 0.1)
        assert (found.total, found.incomplete) == (0, True)
    finally:
        for _ in held:
            plain._scans.release()
    assert search().total == 3


def test_the_api_says_so(stocked: Market, settings: Settings, tmp_path: Path) -> None:
    """tantivy: no index folder at all."""
    reader = open_reader(replace(settings, data_dir=tmp_path / "away"))
    app = create_app(stocked.parts, reader, settings)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        found = client.get("/api/v1/search", params={"q": "焊缝"}).json()
        assert (found["degraded"], found["incomplete"], found["total"]) == (True, False, 2)
        assert found["kinds"] == {}
        options = [one for facet in found["facets"] for one in facet["options"]]
        assert {one["count"] for one in options} == {None}
        answer = client.get("/api/v1/suggestions", params={"q": "焊"})
        assert answer.json() == {"items": []}
        (hit,) = client.get("/api/v1/search", params={"q": "气孔"}).json()["items"]
        near = client.get(f"/api/v1/listings/{hit['id']}/similar").json()["items"]
        assert [one["listing"]["title"] for one in near] == ["焊缝射线底片评片"]
        assert client.get("/ready").json()["status"] == "degraded"
        page = client.get("/search", params={"q": "焊缝"})
        assert page.status_code == 200
        assert "由数据库代为查找" in page.text
        assert "2条" in page.text
    reader.close()


def test_edits_are_found_at_once(market: Market, search: Search) -> None:
    school = market.organisation()
    listing = market.achievement(school, "污泥减量")
    market.edit(school, listing, "污泥减量菌剂", 1, keywords=["菌种"])
    assert titles(search("菌剂")) == ["污泥减量菌剂"]
    assert titles(search("菌种")) == ["污泥减量菌剂"]
