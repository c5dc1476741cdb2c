"""Synonyms that the bureau keeps: bounded, each term in one group, every change conditional."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.api import build_api
from market.kit.audit import AuditRow
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import PublicId
from market.rules import synonyms
from market.rules.schemas import SynonymsEditIn, SynonymsIn
from tests import factories
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def officer(parts: Parts) -> Actor:
    return factories.actor(parts, Role.OFFICER)


def written(parts: Parts, officer: Actor, *terms: str) -> str:
    with work_for(parts, officer) as work:
        return synonyms.add(work, SynonymsIn(terms=list(terms))).public_id


def test_a_change_moves_the_mark_and_only_from_what_was_read(parts: Parts, officer: Actor) -> None:
    marks = []

    def mark() -> None:
        with read_for(parts, officer) as work:
            marks.append(synonyms.mark(work.session))

    mark()
    first = PublicId(written(parts, officer, "IGBT", "绝缘栅双极型晶体管"))
    mark()
    parts.clock.advance(seconds=1)  # type: ignore[attr-defined]
    with work_for(parts, officer) as work:
        edit = SynonymsEditIn(terms=["IGBT", "绝缘栅双极晶体管"], edits=0)
        assert synonyms.change(work, first, edit).edits == 1
    mark()
    for act in (
        lambda work: synonyms.change(work, first, SynonymsEditIn(terms=["a", "b"], edits=0)),
        lambda work: synonyms.remove(work, first, 0),
    ):
        with work_for(parts, officer) as work, pytest.raises(Conflict):
            act(work)
    with read_for(parts, officer) as work:
        assert synonyms.terms(work.session) == [["IGBT", "绝缘栅双极晶体管"]]
    with work_for(parts, officer) as work:
        synonyms.remove(work, first, 1)
    mark()
    parts.clock.advance(seconds=1)  # type: ignore[attr-defined]
    written(parts, officer, "IGBT", "绝缘栅双极型晶体管")
    mark()
    assert marks[0] == marks[3], "nothing there, as before"
    assert len(set(marks)) == 4
    with work_for(parts, officer) as work, pytest.raises(NotFound):
        synonyms.remove(work, first, 1)


def test_a_term_stands_in_one_group(parts: Parts, officer: Actor) -> None:
    first = PublicId(written(parts, officer, "激光雷达", "LiDAR"))
    second = PublicId(written(parts, officer, "IGBT", "绝缘栅双极型晶体管"))
    with work_for(parts, officer) as work, pytest.raises(Invalid) as refused:
        synonyms.add(work, SynonymsIn(terms=["光学雷达", "lidar"]))
    assert refused.value.fields == {"terms": "“lidar”已在另一组（激光雷达、LiDAR）里，请改那一组"}
    with work_for(parts, officer) as work, pytest.raises(Invalid):
        synonyms.change(work, second, SynonymsEditIn(terms=["IGBT", "LIDAR"], edits=0))
    with work_for(parts, officer) as work:
        synonyms.change(work, first, SynonymsEditIn(terms=["LIDAR", "激光雷达"], edits=0))


def test_there_is_a_most(parts: Parts, officer: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synonyms, "MOST", 2)
    for n in range(2):
        written(parts, officer, f"甲{n}", f"乙{n}")
    with work_for(parts, officer) as work, pytest.raises(Conflict, match="最多2组"):
        synonyms.add(work, SynonymsIn(terms=["丙", "丁"]))


@pytest.mark.parametrize("role", [Role.MANAGER, Role.OPERATOR, Role.AUDITOR])
def test_only_the_bureau_writes_them(parts: Parts, role: Role) -> None:
    with work_for(parts, factories.actor(parts, role)) as work, pytest.raises(Forbidden):
        synonyms.add(work, SynonymsIn(terms=["甲", "乙"]))


def test_through_the_api_every_change_is_in_the_audit(parts: Parts, officer: Actor) -> None:
    headers = {"Authorization": f"Bearer {factories.token(parts, officer)}"}
    with TestClient(build_api(parts), headers=headers) as api:
        made = api.post("/synonyms", json={"terms": [" IGBT ", "绝缘栅双极型晶体管", "igbt"]})
        assert made.status_code == 201, made.text
        group: dict[str, Any] = made.json()
        assert group["terms"] == ["IGBT", "绝缘栅双极型晶体管"]
        path = f"/synonyms/{group['id']}"
        changed = api.put(path, json={"terms": ["IGBT", "功率管"], "edits": group["edits"]})
        assert changed.json()["edits"] == 1
        late = api.put(path, json={"terms": ["IGBT", "管"], "edits": 0})
        assert late.status_code == 409
        assert late.json()["error"]["current"]["terms"] == ["IGBT", "功率管"]
        assert [one["terms"] for one in api.get("/synonyms").json()["items"]] == [
            ["IGBT", "功率管"]
        ]
        assert api.delete(path, params={"edits": 1}).status_code == 204
        assert api.get("/synonyms").json()["items"] == []
        for terms in (
            ["一个"],
            ["同", "同"],
            ["甲", "？"],
            ["甲", "乙" * 41],
            ["甲", ""],
            list("甲乙丙丁戊己庚辛壬"),
        ):
            assert api.post("/synonyms", json={"terms": terms}).status_code == 422, terms
    with parts.database.read() as session:
        rows = session.exec(select(AuditRow.subject).where(AuditRow.action == "synonym.edit"))
        assert list(rows).count(f"synonyms:{group['id']}") >= 3
