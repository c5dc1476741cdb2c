"""Rule versions and holidays as data: who changes them, and what follows."""

from datetime import date

import pytest
from sqlmodel import col, select

from market import jobs
from market.accounts.work import Parts
from market.kit.errors import Conflict, Forbidden, Invalid, Overtaken
from market.kit.jobs import Runner
from market.kit.notify import Notice
from market.registry import service
from market.registry.waiting import DECIDE
from market.rules import versions
from market.rules.schemas import DayIn, VersionIn, YearIn
from tests.support import papers
from tests.support.market import read_for, work_for


@pytest.fixture
def pair(parts: Parts) -> papers.Sides:
    return papers.sides(parts)


def edit(parts: Parts, code: str, content: dict | None = None, **changes: object) -> VersionIn:
    with parts.database.read() as session:
        one = next(v for v in versions.book(session).versions if v.row.code == code)
        values = {
            "name": one.row.name,
            "effective_from": one.row.effective_from,
            "source": one.row.source,
            "draft": one.row.draft,
            "checked": False,
            "content": one.rules.model_copy(update=content or {}),
            "replaces": one.row.public_id,
        }
    return VersionIn(**(values | changes))


def work_off(parts: Parts) -> None:
    runner = Runner(parts.database, parts.clock, jobs.handlers(parts))
    while runner.run_one():
        pass


def due_on(parts: Parts) -> date | None:
    with parts.database.read() as session:
        task = session.exec(
            select(Notice).where(col(Notice.kind) == DECIDE, col(Notice.settled_at).is_(None))
        ).one()
        return task.due_on


def test_both_versions_begin_unchecked_and_the_second_says_it_follows_a_draft(
    parts: Parts,
) -> None:
    with parts.database.read() as session:
        old, new = versions.book(session).versions
    assert (old.row.code, new.row.code) == ("2000/2001", "MIIT-2026")
    assert (old.row.draft, new.row.draft) == (False, True)
    assert old.wants_check
    assert new.wants_check
    assert "LIC" not in old.rules.types
    assert "LIC" in new.rules.types


def test_a_changed_deadline_moves_what_waits(parts: Parts, pair: papers.Sides) -> None:
    paper = papers.signed_contract(parts, pair, signed_on=date(2026, 9, 1))
    filed = papers.submitted(parts, pair, paper)
    with work_for(parts, pair.officer) as work:
        service.accept(work, filed.row.public_id)
    assert due_on(parts) == date(2026, 11, 23)
    form = edit(parts, "MIIT-2026", {"decide_days": 10}, checked=True, draft=False)
    with work_for(parts, pair.officer) as work:
        done = versions.put(work, form)
    assert (done.row.checked_on, done.wants_check) == (date(2026, 11, 2), False)
    work_off(parts)
    assert due_on(parts) == date(2026, 11, 16)
    with work_for(parts, pair.officer) as work, pytest.raises(Conflict):
        versions.put(work, form)  # read before it was changed
    with parts.database.read() as session:
        assert [one.rules.decide_days for one in versions.archived(session)] == [15]


def test_rules_that_contradict_themselves_are_refused(parts: Parts, pair: papers.Sides) -> None:
    for content in (
        {"replaced": {"LIC": "XXX"}},
        {"large_fen": 1, "long_days": None},
        {"long_days": 14},
    ):
        with work_for(parts, pair.officer) as work, pytest.raises(Invalid):
            versions.put(work, edit(parts, "MIIT-2026", content))
    same_day = edit(parts, "MIIT-2026", effective_from=date(2000, 2, 16))
    with work_for(parts, pair.officer) as work, pytest.raises(Invalid):
        versions.put(work, same_day)
    with work_for(parts, pair.seller_actor) as work, pytest.raises(Forbidden):
        versions.put(work, edit(parts, "MIIT-2026"))


def test_a_notice_that_comes_later_moves_a_provisional_deadline(
    parts: Parts, pair: papers.Sides, clock
) -> None:
    clock.set_local("2026-12-28 09:00")
    paper = papers.signed_contract(parts, pair, signed_on=date(2026, 12, 1))
    filed = papers.submitted(parts, pair, paper)
    with work_for(parts, pair.officer) as work:
        service.accept(work, filed.row.public_id)
        found = service.term_of(work, service.get(work, filed.row.public_id))
    assert found is not None
    assert (found.provisional, found.decide_by) == (True, date(2027, 1, 18))
    with work_for(parts, pair.officer) as work:
        day = DayIn(on=date(2027, 1, 1), kind="rest", name="元旦")
        seen = versions.year_mark(work.session, 2027)
        versions.put_year(work, 2027, YearIn(source="通知", days=[day], seen=seen))
    work_off(parts)
    assert due_on(parts) == date(2027, 1, 19)
    with read_for(parts, pair.officer) as work:
        found = service.term_of(work, service.get(work, filed.row.public_id))
    assert found is not None
    assert not found.provisional
    with work_for(parts, pair.officer) as work, pytest.raises(Overtaken):
        versions.put_year(work, 2027, YearIn(source="通知", days=[day], seen=seen))
    wrong = DayIn(on=date(2027, 1, 4), kind="work", name="元旦")  # a Monday
    form = YearIn(source="通知", days=[wrong], seen="")
    with work_for(parts, pair.officer) as work, pytest.raises(Invalid):
        versions.put_year(work, 2027, form)
