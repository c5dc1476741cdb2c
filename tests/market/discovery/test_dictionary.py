"""A word is written, the index built anew by the running indexer's code, and searches go by it."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from frontend.edge import COOKIE
from infra.audit import audit
from infra.indexer import Indexing, indexing
from infra.settings import Settings
from infra.web import create_app
from market.accounts.policy import Role
from market.accounts.work import Parts
from market.discovery import rebuild
from market.discovery.matching import Matcher
from market.rules import dictionary
from search.port import SearchEngine
from tests import factories
from tests.frontend.test_account_pages import HOST, csrf
from tests.market.discovery.conftest import FLOOR, Market

WHOLE, PARTS = "超临界水氧化处理装置", "超临界流体与水的氧化"


@pytest.fixture
def process(settings: Settings, parts: Parts) -> Iterator[Indexing]:
    made = indexing(settings, parts)
    yield made
    made.close()


@pytest.fixture
def site(settings: Settings, parts: Parts, reader: SearchEngine) -> Iterator[TestClient]:
    app = create_app(parts, reader, settings)
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        client.headers["origin"] = HOST
        cookie, _ = factories.cookie(parts, factories.actor(parts, Role.OFFICER))
        client.cookies.set(COOKIE, cookie)
        yield client


def found(site: TestClient) -> list[str]:
    items = site.get("/api/v1/search", params={"q": "超临界水氧化"}).json()["items"]
    return [one["title"] for one in items]


def in_force(parts: Parts) -> list[str]:
    with parts.database.read() as session:
        return dictionary.words(session, in_force=True)


def test_a_word_counts_once_the_index_is_built_anew(
    settings: Settings,
    parts: Parts,
    reader: SearchEngine,
    process: Indexing,
    site: TestClient,
) -> None:
    market = Market(parts, reader, Matcher(FLOOR))  # type: ignore[arg-type]
    school = market.organisation()
    market.achievement(school, WHOLE)
    market.achievement(school, PARTS)
    while process.step():
        pass
    assert found(site) == [WHOLE, PARTS]
    page = site.get("/desk/dictionary").text
    assert "现在没有等着生效的词" in page
    token = csrf(site, "/desk/dictionary")
    refused = site.post("/desk/dictionary", data={"csrf": token, "words": "5G基站、超临界水氧化"})
    assert refused.status_code == 422
    assert "“5G基站”不能作词典词" in refused.text
    assert "超临界水氧化" in refused.text, "nothing typed is lost"
    sent = {"csrf": token, "words": "超臨界水氧化"}
    assert site.post("/desk/dictionary", data=sent).status_code == 303
    process.step()
    assert found(site) == [WHOLE, PARTS], "not before the index was built by it"
    assert "有1个词等重建索引后生效" in site.get("/desk/dictionary").text
    asked = site.post("/desk/dictionary/rebuild", data={"csrf": token})
    assert asked.headers["location"] == "/desk/dictionary?done=rebuild-asked"
    again = site.post("/desk/dictionary/rebuild", data={"csrf": token})
    assert again.status_code == 409
    assert "正在重建" in again.text
    while rebuild.asked(parts):
        process.step()
    assert found(site) == [WHOLE]
    page = site.get("/desk/dictionary").text
    assert "已生效" in page
    assert "已完成" in page
    process.close()
    assert audit(settings, lambda *_: None).findings == ()
    remove = re.search(r'action="(/desk/dictionary/[^"]+/remove)"', page)
    assert remove
    assert site.post(remove[1], data={"csrf": token}).status_code == 303
    assert found(site) == [WHOLE, PARTS], "out of force at once"


def test_a_word_written_while_the_index_is_built_waits_for_the_next(
    parts: Parts,
    reader: SearchEngine,
    process: Indexing,
    site: TestClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the command line asks once more meanwhile: half of the documents lack it."""
    monkeypatch.setattr("search.rebuild.CHUNK", 1)
    market = Market(parts, reader, Matcher(FLOOR))  # type: ignore[arg-type]
    school = market.organisation()
    market.achievement(school, WHOLE)
    market.achievement(school, "汽车车架焊缝检测")
    while process.step():
        pass
    first = rebuild.ask(parts)
    process.step()  # begins
    process.step()  # a document
    token = csrf(site, "/desk/dictionary")
    sent = {"csrf": token, "words": "超临界水氧化"}
    assert site.post("/desk/dictionary", data=sent).status_code == 303
    parts.clock.advance(seconds=1)  # type: ignore[attr-defined]
    second = rebuild.ask(parts)
    while (ended := rebuild.outcome(parts, first)) is None:
        process.step()
    assert ended == (True, "共2条"), "it is held against what it was built by"
    assert in_force(parts) == []
    assert found(site) == [WHOLE]
    assert rebuild.asked(parts) == second
    while rebuild.asked(parts):
        process.step()
    assert in_force(parts) == ["超临界水氧化"]
    assert found(site) == [WHOLE]
