"""Who sent a file and has gone since: what waits and what is told is for who imports now."""

import pytest
from sqlmodel import col, select

from market import jobs, personal, waiting
from market.accounts import organisations, passwords
from market.accounts.models import Membership, Person
from market.accounts.policy import Role
from market.accounts.schemas import DecideMemberIn
from market.accounts.work import Parts
from market.imports.models import RunState
from market.kit.notify import Notice
from tests import factories
from tests.market.imports.bringing import Bringing, table
from tests.support.market import work_for

UNKNOWN = table("成果名称,怪列", "焊缝检测,1")


@pytest.fixture
def at(parts: Parts) -> Bringing:
    return Bringing(parts, factories.organisation(parts))


def for_the_organisation(at: Bringing, *, waits: bool) -> list[str]:
    """Return what is told to, or waits for, those who import for the organisation."""
    with at.parts.database.read() as session:
        query = select(Notice.title).where(
            Notice.organisation_id == at.home.id,
            Notice.action == "import.use",
            Notice.waits == waits,
        )
        if waits:
            query = query.where(col(Notice.settled_at).is_(None))
        return list(session.exec(query.order_by(col(Notice.id))))


def agrees(at: Bringing) -> None:
    with at.parts.database.write() as session:
        assert list(jobs.AUDITS["导入"](session)) == []
        assert waiting.put_right(session, at.parts.clock.now()) == 0


def decide(at: Bringing, decision: str, role: Role | None = None) -> None:
    manager = factories.actor(at.parts, Role.MANAGER, at.home)
    with work_for(at.parts, manager) as work:
        row = work.session.get_one(Membership, at.editor.membership_id)
        form = DecideMemberIn.model_validate({"decision": decision, "role": role})
        organisations.decide_member(work, row.public_id, form)


@pytest.mark.parametrize("ready", [False, True], ids=["before it is tried", "while it waits"])
@pytest.mark.usefixtures("both_databases")
def test_an_import_waits_for_the_others_once_its_sender_is_gone(
    parts: Parts, at: Bringing, *, ready: bool
) -> None:
    password = "correct horse battery"
    with parts.database.write() as session:
        row = session.get_one(Person, at.editor.person)
        row.password_hash = passwords.hashed(password)
    run = at.start(table("成果名称", "焊缝检测"), "a.csv", ask=True)
    if ready:
        at.settle()
        assert at.notices(waits=True)
    personal.delete(parts, at.editor, password, personal.CONFIRM, "192.0.2.1")
    at.settle()
    assert at.view(run).run.state == RunState.READY
    agrees(at)
    assert at.notices() == at.notices(waits=True) == []
    assert for_the_organisation(at, waits=True) == ["导入“a.csv”：已试导入，等您确认"]


@pytest.mark.usefixtures("both_databases")
@pytest.mark.parametrize("how", ["leaves", "is removed", "becomes a viewer"])
def test_who_imports_no_more_hears_no_more(at: Bringing, how: str) -> None:
    view = at.ask(UNKNOWN)
    sent = at.start(
        table("成果名称,成果编号", "甲,1", "乙,1"), "b.csv", publish=False, actor=at.editor
    )
    assert at.notices(waits=True) == ["导入“a.csv”：有表头要您对应"]
    if how == "leaves":
        factories.actor(at.parts, Role.MANAGER, at.home)
        with work_for(at.parts, at.editor) as work:
            organisations.leave(work)
    elif how == "is removed":
        decide(at, "remove")
    else:
        decide(at, "accept", Role.VIEWER)
    told = at.notices()
    assert at.notices(waits=True) == [], "at once"
    assert for_the_organisation(at, waits=True) == ["导入“a.csv”：有表头要您对应"]
    agrees(at)
    at.settle()
    assert at.view(sent).run.refused == 1
    assert at.notices() == told
    assert for_the_organisation(at, waits=False) == ["导入“b.csv”已完成，1行没有导入"]
    other = factories.actor(at.parts, Role.EDITOR, at.home)
    at.editor, gone = other, at.editor
    assert at.mapped(view, {"怪列": ""}).state == "ready"
    assert for_the_organisation(at, waits=True) == ["导入“a.csv”：已试导入，等您确认"]
    at.editor = gone
    assert at.notices(waits=True) == []
    agrees(at)


@pytest.mark.usefixtures("both_databases")
def test_who_imports_again_has_it_back(at: Bringing) -> None:
    at.ask(UNKNOWN)
    decide(at, "accept", Role.VIEWER)
    assert at.notices(waits=True) == []
    decide(at, "accept", Role.EDITOR)
    assert at.notices(waits=True) == ["导入“a.csv”：有表头要您对应"]
    assert for_the_organisation(at, waits=True) == []
    agrees(at)
