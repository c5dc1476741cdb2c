"""Directories of organisations by file: entries that nobody belongs to, and what becomes of them."""

from collections.abc import Mapping, Sequence

import pytest
from sqlmodel import Session, col, func, select

from market.accounts import creditcode, organisations, repository_waiting
from market.accounts.intake import Organisations
from market.accounts.models import Organisation, Verification
from market.accounts.policy import OrganisationKind, Role
from market.accounts.schemas import OrganisationIn, VerifyIn
from market.accounts.work import Parts
from market.kit.errors import Conflict, Invalid
from market.kit.intake import Context, Done, Effect, Given, Outcome
from tests import factories
from tests.support.market import work_for

pytestmark = pytest.mark.usefixtures("both_databases")
TARGET = Organisations({"500106": "重庆市沙坪坝区", "500000": "重庆市"})
LABELS = {one.key: one.label for one in TARGET.columns}


def code(n: int) -> str:
    first = f"12500000MB{n:07}"
    return first + creditcode.check_digit(first)


def row(n: int, **changes: str) -> dict[str, str]:
    return {
        "name": f"示范研究院{n}",
        "credit_code": code(n),
        "kind": "科研院所",
        "region": "沙坪坝区",
        "address": "示范路1号",
        "state_founded": "是",
    } | changes


def bring(parts: Parts, rows: Sequence[Mapping[str, str]], **given: object) -> list[Outcome]:
    with parts.database.write() as session:
        context = Context(1, 1, None, parts.clock.now(), **given)  # type: ignore[arg-type]
        chunk = [Given(place, one, LABELS, True) for place, one in enumerate(rows, 2)]
        return list(TARGET.bring_in(session, context, chunk))


def undo(parts: Parts, outcomes: Sequence[Outcome], **given: object) -> Mapping[int, str]:
    done = [
        Done(one.row, one.effect, one.subject_id, one.before)
        for one in outcomes
        if one.subject_id is not None
    ]
    with parts.database.write() as session:
        context = Context(1, 1, None, parts.clock.now(), **given)  # type: ignore[arg-type]
        return TARGET.undo(session, context, done)


def standing(session: Session, n: int) -> Organisation | None:
    return session.exec(
        select(Organisation).where(col(Organisation.credit_code) == code(n))
    ).first()


def look(parts: Parts, n: int) -> Organisation | None:
    with parts.database.read() as session:
        return standing(session, n)


def found(parts: Parts, n: int, name: str = "示范研究院（自己写）") -> None:
    with work_for(parts, factories.actor(parts, Role.PERSON)) as work:
        organisations.found(
            work, OrganisationIn(kind=OrganisationKind.UNIVERSITY, name=name, credit_code=code(n))
        )


def reasons(outcome: Outcome) -> str:
    return "；".join(f"{one.heading}：{one.reason}" for one in outcome.faults)


def test_a_row_becomes_an_entry_that_waits_for_nobody(parts: Parts) -> None:
    (outcome,) = bring(parts, [row(1, credit_code=f" {code(1).lower()[:9]} {code(1)[9:]}")])
    assert (outcome.effect, outcome.key) == (Effect.CREATED, code(1))
    entry = look(parts, 1)
    assert entry is not None
    assert (entry.name, entry.kind, entry.region) == ("示范研究院1", "university", "500106")
    assert (entry.state_founded, entry.verification) == (True, Verification.PENDING)
    with parts.database.read() as session:
        assert repository_waiting.unverified(session) == []


@pytest.mark.parametrize(
    ("cell", "shown"),
    [("重庆市沙坪坝", "重庆市沙坪坝区"), ("重庆沙坪坝", "重庆市沙坪坝区"), ("四川省", "510000")],
)
def test_a_region_is_read_as_in_other_files(cell: str, shown: str) -> None:
    given = Given(2, row(1, region=cell), LABELS, True)
    assert TARGET.understood(given)["region"] == shown


def test_the_same_again_changes_nothing_and_a_changed_row_its_columns(parts: Parts) -> None:
    bring(parts, [row(1)])
    assert bring(parts, [row(1)])[0].effect is Effect.UNCHANGED
    assert bring(parts, [row(1, address="")])[0].effect is Effect.UNCHANGED
    (changed,) = bring(parts, [row(1, name="示范研究院（新名）", address="")])
    assert changed.effect is Effect.UPDATED
    entry = look(parts, 1)
    assert entry is not None
    assert (entry.name, entry.address) == ("示范研究院（新名）", "示范路1号")
    with parts.database.read() as session:
        exported = [one for one in TARGET.export(session, 1) if one["credit_code"] == code(1)]
    assert bring(parts, exported)[0].effect is Effect.UNCHANGED


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"name": ""}, "机构名称：不能是空的，每一行都要有"),
        ({"credit_code": ""}, "统一社会信用代码：不能是空的，每一行都要有"),
        ({"credit_code": code(1)[:-1]}, "统一社会信用代码：统一社会信用代码应为18位，现在是17位"),
        ({"credit_code": code(1)[:-2] + "00"}, "校验位对不上"),
        ({"kind": "其他"}, "机构类型：应为“高校、院所”、“企业”、“技术转移机构”之一，现在是“其他”"),
        ({"kind": "民办非企业单位"}, "机构类型：应为“高校、院所”、“企业”"),
        ({"region": "远方"}, "行政区划：应为六位行政区划代码，如500106，现在是“远方”"),
        ({"region": "重庆市高新区"}, "行政区划：应为六位行政区划代码，如500106"),
        ({"region": "400030"}, "行政区划：应为六位行政区划代码，如500106，现在是“400030”"),
        ({"state_founded": "也许"}, "国家设立：应为“是”或“否”，现在是“也许”"),
        ({"name": "字" * 121}, "机构名称：最多120个字"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_of_the_row_is_written(
    parts: Parts, changes: dict[str, str], reason: str
) -> None:
    wrong, right = bring(parts, [row(1, **changes), row(2)])
    assert (wrong.effect, right.effect) == (Effect.REFUSED, Effect.CREATED)
    assert reason in reasons(wrong)
    assert look(parts, 1) is None


def test_a_code_stands_once_in_a_run(parts: Parts) -> None:
    first, second = bring(parts, [row(1), row(1, name="又一个")])
    assert (first.effect, second.effect) == (Effect.CREATED, Effect.REFUSED)
    assert "在第2行已经有了" in reasons(second)
    (third,) = bring(parts, [row(3)], met=lambda _keys: {code(3): 7})
    assert "在第7行已经有了" in reasons(third)


def test_who_founds_an_organisation_takes_its_entry_over(parts: Parts) -> None:
    bring(parts, [row(1)])
    found(parts, 1)
    entry = look(parts, 1)
    assert entry is not None
    assert (entry.name, entry.verification) == ("示范研究院（自己写）", Verification.PENDING)
    with parts.database.read() as session:
        assert [one.id for one in repository_waiting.unverified(session)] == [entry.id]
        assert session.exec(select(func.count()).select_from(Organisation)).one() == 1
    with pytest.raises(Invalid):
        found(parts, 1)
    # A file no longer changes what is theirs.
    (refused,) = bring(parts, [row(1)])
    assert refused.effect is Effect.REFUSED
    assert "已有成员或经科技局处理" in reasons(refused)
    assert "机构名称" in reasons(refused)


def test_an_entry_is_not_verified_before_somebody_belongs_to_it(parts: Parts) -> None:
    bring(parts, [row(1)])
    entry = look(parts, 1)
    assert entry is not None
    officer = factories.actor(parts, Role.OFFICER)
    decision = VerifyIn(decision="verified")
    with pytest.raises(Conflict, match="还没有人认领"), work_for(parts, officer) as work:
        organisations.verify(work, entry.public_id, decision)
    found(parts, 1)
    with work_for(parts, officer) as work:
        organisations.verify(work, entry.public_id, decision)
    entry = look(parts, 1)
    assert entry is not None
    assert entry.verification == Verification.VERIFIED


def test_a_decided_organisation_and_the_platforms_own_are_not_changed(parts: Parts) -> None:
    home = factories.organisation(parts)
    team = factories.organisation(parts, OrganisationKind.PLATFORM)
    theirs, ours = bring(
        parts,
        [row(1, credit_code=str(home.credit_code)), row(2, credit_code=str(team.credit_code))],
    )
    assert (theirs.effect, ours.effect) == (Effect.REFUSED, Effect.REFUSED)
    assert "属于本平台或科技局" in reasons(ours)


def test_undo_takes_back_what_nobody_has_touched(parts: Parts) -> None:
    created = bring(parts, [row(1), row(2), row(3)])
    updated = bring(parts, [row(1, name="新名"), row(3, address="新址")])
    assert undo(parts, updated) == {}
    entry = look(parts, 1)
    assert entry is not None
    assert entry.name == "示范研究院1"
    found(parts, 2)
    kept = undo(parts, created, depends=lambda ids: {min(ids): "已被合同引用"})
    assert sorted(kept.values()) == [
        "“示范研究院（自己写）”导入以后已有成员、经过核验或被修改过",
        "已被合同引用",
    ]
    assert [look(parts, n) is None for n in (1, 2, 3)] == [False, False, True]
    assert set(undo(parts, created[2:]).values()) == {"已经不在"}
