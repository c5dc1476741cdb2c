"""An open task says what is so now: where it waits again, and where what it tells of changes."""

from datetime import date

import pytest
from sqlalchemy import event, func, select, update
from sqlmodel import col

from market import jobs, waiting
from market.access import mandates
from market.access.schemas import MandateIn
from market.accounts.models import Organisation
from market.accounts.policy import Role
from market.accounts.work import Parts
from market.catalog import publishing
from market.catalog.schemas import ReviewIn
from market.deals import introductions
from market.deals.schemas import IntroductionIn
from market.kit.notify import Notice, NoticeRead
from market.notices import repository
from market.notices import service as inbox
from market.registry import waiting as desk
from market.rules.models import DayKind, Holiday
from tests import factories
from tests.market.catalog import texts
from tests.support import papers
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.trade import MESSAGE, asked, mandate, trade

pytestmark = pytest.mark.usefixtures("both_databases")


def open_task(parts: Parts, kind: str) -> Notice:
    """Return the one open task of a kind."""
    with parts.database.read() as session:
        query = select(Notice).where(col(Notice.kind) == kind, col(Notice.settled_at).is_(None))
        return session.scalars(query).one()


def told_otherwise(parts: Parts) -> list[str]:
    """Return where the audits find open tasks that differ from what waits."""
    with parts.database.read() as session:
        found = [one for name in ("委托", "洽谈") for one in jobs.AUDITS[name](session)]
    return [one.where for one in found if "待办" in one.what]


def put_right(parts: Parts) -> int:
    with parts.database.write() as session:
        return waiting.put_right(session, parts.clock.now())


def test_a_second_refusal_gives_the_second_reason_unread(parts: Parts, clock: FakeClock) -> None:
    owner = factories.actor(parts, Role.EDITOR)
    listing = texts.submitted(parts, owner)
    texts.decide(parts, listing, refuse="请补充应用场景")
    first = open_task(parts, "listing.refused")
    assert first.detail == "审核没有通过：请补充应用场景"
    with parts.database.write() as session:
        repository.mark_read(session, owner.person, [first.id], clock.now())
    clock.advance(days=3)
    with work_for(parts, owner) as work:
        publishing.submit(work, listing.public_id)
    officer = factories.actor(parts, Role.OFFICER)
    with work_for(parts, officer) as work:
        form = ReviewIn(revision=1, decision="refuse", note="请写明技术指标")
        publishing.decide(work, listing.public_id, form)
    again = open_task(parts, "listing.refused")
    assert (again.id, again.detail) == (first.id, "审核没有通过：请写明技术指标")
    assert again.created_at == clock.now()
    with parts.database.read() as session:
        assert session.scalar(select(func.count()).select_from(NoticeRead)) == 0


def test_a_renamed_organisation_is_found_and_rewritten(parts: Parts) -> None:
    world = trade(parts)
    asked(world)
    with work_for(parts, world.seller) as work:
        form = MandateIn(
            agency=world.agency.public_id,
            as_seller=True,
            as_buyer=False,
            valid_from=date(2026, 11, 2),
            valid_until=date(2027, 11, 1),
        )
        offered = mandates.grant(work, form)
    before = open_task(parts, "mandate.offered")
    assert told_otherwise(parts) == []
    with parts.database.write() as session:
        session.execute(
            update(Organisation)
            .where(col(Organisation.id) == world.university.id)
            .values(name="更名后的示范大学")
        )
    assert told_otherwise(parts) == [f"mandate:{offered.public_id}"]
    assert (put_right(parts), put_right(parts)) == (1, 0)
    after = open_task(parts, "mandate.offered")
    assert (after.id, after.title) == (before.id, "答复委托：更名后的示范大学")
    assert after.created_at == before.created_at
    assert told_otherwise(parts) == []


def test_a_new_holiday_moves_the_last_day(parts: Parts, clock: FakeClock) -> None:
    clock.set_local("2026-11-12 09:00")
    inquiry = asked(trade(parts))
    before = open_task(parts, "inquiry.received").due_on
    assert before is not None
    with parts.database.write() as session:
        session.add(
            Holiday(falls_on=before, kind=DayKind.REST, year=2026, name="测试", source="测试")
        )
    assert told_otherwise(parts) == [f"inquiry:{inquiry.public_id}"]
    assert (put_right(parts), put_right(parts)) == (1, 0)
    after = open_task(parts, "inquiry.received").due_on
    assert after is not None
    assert after > before
    assert told_otherwise(parts) == []


def test_a_step_rewrites_the_task_of_its_object(parts: Parts) -> None:
    pair = papers.sides(parts)
    filed = papers.submitted(parts, pair)
    with parts.database.write() as session:
        session.execute(update(Notice).values(title="旧的", asked_by_id=None))
    with work_for(parts, pair.officer) as work:
        desk.moved(work, filed)
    task = open_task(parts, desk.DECIDE)
    assert task.title == f"受理登记申请：{filed.contract.project_name}"
    assert task.asked_by_id == pair.seller.id


def test_a_broker_sees_which_side_has_not_answered(parts: Parts) -> None:
    world = trade(parts, masked=True)
    mandate(world, world.seller, as_seller=True)
    form = IntroductionIn(
        achievement=world.achievement.public_id, demand=world.demand.public_id, message=MESSAGE
    )
    with work_for(parts, world.broker) as work:
        introductions.propose(work, form)
    with read_for(parts, world.broker) as work:
        rows = inbox.worklist(work)[repository.Group.OTHERS].rows
    pair = "轨道扣件螺栓松动声学检测 → 轨道扣件松动的在线监测"
    assert sorted(row.notice.title for row in rows) == [
        f"买方答复引荐：{pair}",
        f"卖方答复引荐：{pair}",
    ]
    assert not any(world.company.name in row.notice.title + row.notice.detail for row in rows)


def test_the_desk_asks_as_much_for_three_contracts_as_for_one(parts: Parts) -> None:
    statements: list[str] = []

    @event.listens_for(parts.database.reader, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    def told() -> tuple[int, int]:
        statements.clear()
        with parts.database.read() as session:
            return len(list(desk.tasks(session))), len(statements)

    pair = papers.sides(parts)
    papers.signed_contract(parts, pair)
    one, few = told()
    for _ in range(2):
        papers.signed_contract(parts, pair)
    assert (one, told()) == (1, (3, few))
