"""Dictionary words that the bureau keeps: ideographs alone, each once, in force by a rebuild."""

import pytest
from fastapi.testclient import TestClient

from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.api import build_api
from market.kit.errors import Forbidden, Invalid, NotFound
from market.kit.ids import PublicId
from market.rules import dictionary
from market.rules.schemas import DictionaryIn
from tests import factories
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def officer(parts: Parts) -> Actor:
    return factories.actor(parts, Role.OFFICER)


def written(parts: Parts, officer: Actor, *words: str) -> list[PublicId]:
    with work_for(parts, officer) as work:
        return [row.public_id for row in dictionary.add(work, DictionaryIn(words=list(words)))]


def test_each_change_moves_the_mark(parts: Parts, officer: Actor) -> None:
    marks = []

    def mark() -> None:
        with read_for(parts, officer) as work:
            marks.append(dictionary.mark(work.session))

    mark()
    (first,) = written(parts, officer, "超临界水氧化")
    mark()
    with parts.database.write() as session:
        now = parts.clock.now()
        dictionary.put_in_force(session, frozenset(), at=now)
        assert dictionary.words(session, in_force=True) == [], "written after the rebuild began"
        dictionary.put_in_force(session, dictionary.ids(session), at=now)
    mark()
    with work_for(parts, officer) as work:
        assert dictionary.words(work.session, in_force=True) == ["超临界水氧化"]
        dictionary.remove(work, first)
    mark()
    parts.clock.advance(seconds=1)  # type: ignore[attr-defined]
    written(parts, officer, "固废资源化")
    mark()
    with read_for(parts, officer) as work:
        assert dictionary.words(work.session, in_force=True) == []
        assert dictionary.words(work.session, in_force=False) == ["固废资源化"]
    assert len(set(marks[1:])) == len(marks) - 1


def test_words_are_bounded_and_written_once(
    parts: Parts, officer: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(parts, officer, "超临界水氧化", "超临界水氧化")
    with work_for(parts, officer) as work, pytest.raises(Invalid) as told:
        dictionary.add(work, DictionaryIn(words=["固废资源化", "超临界水氧化"]))
    assert "超临界水氧化" in told.value.fields["words"]
    monkeypatch.setattr(dictionary, "MOST", 1)
    with work_for(parts, officer) as work, pytest.raises(Invalid):
        dictionary.add(work, DictionaryIn(words=["固废资源化"]))
    other = factories.actor(parts, Role.MANAGER)
    with work_for(parts, other) as work, pytest.raises((Forbidden, NotFound)):
        dictionary.add(work, DictionaryIn(words=["固废资源化"]))
    with work_for(parts, officer) as work, pytest.raises(NotFound):
        dictionary.remove(work, PublicId("nothing"))


def test_over_the_api(parts: Parts, officer: Actor) -> None:
    token = factories.token(parts, officer)
    with TestClient(build_api(parts), headers={"Authorization": f"Bearer {token}"}) as api:
        made = api.post("/dictionary", json={"words": ["超临界水氧化"]})
        assert made.status_code == 201
        (word,) = made.json()["items"]
        assert word["in_force_at"] is None
        for bad in ("水", "5G基站", "超临界 水", "字" * 13, "", "<b>"):
            answer = api.post("/dictionary", json={"words": [bad]})
            assert answer.status_code == 422, bad
        assert api.get("/dictionary").json()["items"] == [word]
        assert api.delete(f"/dictionary/{word['id']}").status_code == 204
        assert api.delete(f"/dictionary/{word['id']}").status_code == 404
