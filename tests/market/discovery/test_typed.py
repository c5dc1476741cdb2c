"""What people type, through the API: synonyms at once, fewer words said, past queries, pinyin."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from market.accounts.policy import OrganisationKind, Role
from market.api import build_api
from market.discovery import queries
from market.discovery.models_queries import PastQuery, QuerySighting
from market.retention import keeps
from market.rules import synonyms
from market.rules.schemas import SynonymsEditIn, SynonymsIn
from tests import factories
from tests.market.discovery.conftest import Market
from tests.support.market import work_for


@pytest.fixture
def api(market: Market) -> Iterator[TestClient]:
    app = build_api(market.parts)
    app.state.engine = market.engine
    with TestClient(app) as client:
        yield client


def search(api: TestClient, q: str, **more: Any) -> dict[str, Any]:
    answer = api.get("/search", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def titles(found: dict[str, Any]) -> list[str]:
    return [item["title"] for item in found["items"]]


def suggested(api: TestClient, q: str, **more: str) -> list[tuple[str, str]]:
    answer = api.get("/suggestions", params={"q": q, **more})
    assert answer.status_code == 200, answer.text
    return [(item["kind"], item["text"]) for item in answer.json()["items"]]


def test_synonyms_work_from_the_next_search_on(api: TestClient, market: Market) -> None:
    school = market.organisation()
    market.achievement(school, "大功率绝缘栅双极型晶体管封装")
    market.achievement(school, "封装用导热胶", body="适用于IGBT模块")
    market.settle()
    officer = factories.actor(market.parts, Role.OFFICER)
    assert titles(search(api, "IGBT封装")) == ["封装用导热胶"]
    with work_for(market.parts, officer) as work:
        group = synonyms.add(work, SynonymsIn(terms=["IGBT", "绝缘栅双极型晶体管"]))
    found = search(api, "ＩＧＢＴ封装")
    assert titles(found) == ["封装用导热胶", "大功率绝缘栅双极型晶体管封装"], (
        "typed before synonyms"
    )
    marked = [part["text"] for part in found["items"][1]["title_parts"] if part["marked"]]
    assert marked == ["绝缘栅双极型晶体管封装"]
    assert len(titles(search(api, "绝缘栅双极型晶体管"))) == 2
    with work_for(market.parts, officer) as work:
        edit = SynonymsEditIn(terms=["MOSFET", "绝缘栅双极型晶体管"], edits=0)
        synonyms.change(work, group.public_id, edit)
    assert len(titles(search(api, "IGBT封装"))) == 1
    assert len(titles(search(api, "MOSFET封装"))) == 1


@pytest.fixture
def seams(market: Market) -> Market:
    school = market.organisation(name="重庆示范大学")
    market.achievement(school, "焊缝气孔在线检测", field=3)
    market.achievement(school, "焊缝射线底片评片", field=3)
    market.achievement(school, "焊缝外观机器视觉测量", field=1)
    market.achievement(school, "石墨烯导电浆料")
    firm = market.organisation(OrganisationKind.COMPANY, name="示例车架厂")
    market.demand(firm, "车架焊缝打磨")
    market.settle()
    return market


def test_words_that_nothing_has_are_left_out_and_named(api: TestClient, seams: Market) -> None:
    found = search(api, "焊缝 气孔 量子")
    assert titles(found) == ["焊缝气孔在线检测"]
    assert found["left_out"] == ["量子"]
    assert found["kinds"] == {"achievement": 1, "demand": 0}
    assert search(api, "焊缝 气孔")["left_out"] == []


def test_the_least_telling_word_goes_first(api: TestClient, seams: Market) -> None:
    found = search(api, "焊缝石墨烯")
    assert (titles(found), found["left_out"]) == (["石墨烯导电浆料"], ["焊缝"])


def test_a_chosen_filter_comes_before_fewer_words(api: TestClient, seams: Market) -> None:
    """Without the filter there is something: the page offers that, the words stay."""
    found = search(api, "焊缝 气孔", field=["1"])
    assert (found["total"], found["left_out"]) == (0, [])


def test_what_was_excluded_or_quoted_stays_so(api: TestClient, seams: Market) -> None:
    found = search(api, "焊缝 量子 -气孔 -射线")
    assert (titles(found), found["left_out"]) == (["焊缝外观机器视觉测量"], ["量子"])
    assert search(api, "焊缝 量子 “深海采矿”")["total"] == 0


def test_pages_of_a_search_with_fewer_words(api: TestClient, market: Market) -> None:
    school = market.organisation()
    for n in range(45):
        market.achievement(school, f"第{n}号镁合金工艺")
    market.settle()
    found = [search(api, "镁合金 量子", page=n) for n in (1, 2, 3, 9)]
    assert [len(one["items"]) for one in found] == [20, 20, 5, 5]
    assert {tuple(one["left_out"]) for one in found} == {("量子",)}
    assert len({item["id"] for one in found for item in one["items"]}) == 45


def test_too_little_left_of_a_long_text_is_no_result(api: TestClient, seams: Market) -> None:
    assert search(api, "我们厂里做出来的焊缝老是漏气有什么办法吗")["total"] == 0


# Suggestions


def test_titles_and_names_by_pinyin_and_initials(api: TestClient, seams: Market) -> None:
    stone, hole = ("listing", "石墨烯导电浆料"), ("listing", "焊缝气孔在线检测")
    for typed in (
        "shimox",
        "SHIMOXI",
        "smx",
        "smxddjl",
        "shi'mo xi",
        "shimoxidaodianjiangliao",
        "daodian",
    ):
        assert suggested(api, typed) == [stone], typed
    assert suggested(api, "hfqk") == [hole]
    assert suggested(api, "hanfengqikongzaixianjiancexyz") == []
    assert suggested(api, "hanfengqikongzaixianjiance") == [hole]
    assert suggested(api, "cqsf") == [("organisation", "重庆示范大学")]
    assert suggested(api, "chongqingshi") == [("organisation", "重庆示范大学")]
    assert suggested(api, "cjhf", kind="demand") == [("listing", "车架焊缝打磨")]
    assert suggested(api, "hf", kind="demand") == [("listing", "车架焊缝打磨")], "inside a title"
    assert suggested(api, "hfqk", kind="demand") == []
    assert suggested(api, "h") == suggested(api, "12") == suggested(api, "墨xi") == []


@pytest.mark.usefixtures("both_databases")
def test_names_are_found_however_they_are_written(api: TestClient, market: Market) -> None:
    market.achievement(market.organisation(name="示范Lab研究院"), "镁合金成形")
    market.settle()
    for typed in ("示范", "LAB", "ｌａｂ", "lab研", "示範lab"):
        assert ("organisation", "示范Lab研究院") in suggested(api, typed), typed


def test_a_masked_name_is_not_found_by_pinyin(api: TestClient, market: Market) -> None:
    firm = market.organisation(OrganisationKind.COMPANY, name="隐名示例机电")
    market.demand(firm, "车架打磨", masked=True)
    market.settle()
    for typed in ("yinming", "ymsljd"):
        assert suggested(api, typed, kind="demand") == []


def typed_by(api: TestClient, market: Market, at: Any, q: str) -> None:
    headers = {}
    if at is not None:
        headers = {"Authorization": f"Bearer {factories.token(market.parts, market.person_of(at))}"}
    assert api.get("/search", params={"q": q}, headers=headers).status_code == 200
    market.parts.journal.flush()


@pytest.mark.usefixtures("both_databases")
def test_what_several_organisations_found_is_suggested(api: TestClient, seams: Market) -> None:
    firms = [seams.organisation(OrganisationKind.COMPANY) for _ in range(queries.VISITORS)]
    for firm in firms[:-1]:
        for _ in range(2):
            typed_by(api, seams, firm, "焊缝气孔")
    typed_by(api, seams, None, "焊缝气孔")
    assert ("query", "焊缝气孔") not in suggested(api, "焊")
    with seams.parts.database.read() as session:
        assert session.exec(select(PastQuery)).first() is None, "the text is not written down yet"
        sightings = list(session.exec(select(QuerySighting)))
        assert len(sightings) == queries.VISITORS - 1
        assert len({row.visitor_digest for row in sightings}) == queries.VISITORS - 1
    typed_by(api, seams, firms[-1], "焊縫氣孔")
    for typed in ("焊", "焊缝", "hf", "hanfengq"):
        assert suggested(api, typed)[0] == ("query", "焊縫氣孔"), typed
    assert ("query", "焊縫氣孔") not in suggested(api, "焊缝气孔"), "it is typed already"
    with seams.parts.database.read() as session:
        assert session.exec(select(QuerySighting)).first() is None
    typed_by(api, seams, firms[0], "焊缝气孔")
    with seams.parts.database.read() as session:
        (row,) = session.exec(select(PastQuery))
        assert row.uses == queries.VISITORS + 1


@pytest.mark.parametrize(
    "q",
    [
        "量子纠缠",  # nothing found
        "焊缝 量子",  # only with fewer words
        "“焊缝”",
        "焊缝 -气孔",
        "标题:焊缝",
        "焊缝 13800000000",
        "焊缝 a@b.cn",
        "焊" * 41,
        "焊",
        "",
    ],
)
def test_what_is_not_kept(api: TestClient, seams: Market, q: str) -> None:
    for _ in range(queries.VISITORS):
        typed_by(api, seams, seams.organisation(OrganisationKind.COMPANY), q)
    with seams.parts.database.read() as session:
        assert session.exec(select(QuerySighting)).first() is None
        assert session.exec(select(PastQuery)).first() is None


@pytest.mark.usefixtures("both_databases")
def test_both_go_after_their_time(api: TestClient, seams: Market) -> None:
    for _ in range(queries.VISITORS):
        typed_by(api, seams, seams.organisation(OrganisationKind.COMPANY), "焊缝")
    typed_by(api, seams, seams.organisation(OrganisationKind.COMPANY), "气孔")
    now = seams.parts.clock.now()

    def left(after: timedelta) -> tuple[int, int]:
        with seams.parts.database.write() as session:
            for keep in keeps(365):
                if "搜" in keep.what:
                    keep.expire(session, now + after, 100)
        with seams.parts.database.read() as session:
            return len(session.exec(select(PastQuery)).all()), len(
                session.exec(select(QuerySighting)).all()
            )

    assert left(queries.KEPT_FOR) == (1, 1)
    assert left(queries.KEPT_FOR + timedelta(seconds=1)) == (1, 0)
    assert left(queries.UNUSED_FOR + timedelta(seconds=1)) == (0, 0)
