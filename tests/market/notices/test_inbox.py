"""The inbox: groups by day, unread marks of each person, the counts of the frame, what goes when."""

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import func, insert, select
from sqlmodel import col

from market.accounts.policy import Action, Role
from market.accounts.work import Actor, Parts
from market.kit.errors import NotFound
from market.kit.ids import PublicId, new_public_id
from market.kit.notify import (
    Notice,
    NoticeRead,
    Subject,
    Task,
    To,
    begin,
    open_tasks,
    put_right,
    settle,
    tell,
)
from market.notices import personal, repository, retention, service
from market.notices.repository import Group
from market.notices.service import When
from tests import factories
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for

TODAY = date(2026, 11, 20)


@pytest.fixture
def manager(parts: Parts, clock: FakeClock) -> Actor:
    clock.set_local("2026-11-20 09:00")  # a Friday
    return factories.actor(parts, Role.MANAGER)


def task(parts: Parts, actor: Actor, name: str, **days: date) -> None:
    subject = Subject("deal", name)
    with work_for(parts, actor) as work:
        to = To(organisation_id=actor.organisation_id)
        begin(work.session, Task(to, "test.task", subject, name, **days), at=work.now)


def message(parts: Parts, to: To, name: str) -> None:
    with parts.database.write() as session:
        at = parts.clock.now()
        tell(session, to, "test.message", Subject("deal", "x"), name, key=name, at=at)


@pytest.mark.usefixtures("both_databases")
def test_tasks_are_grouped_by_their_day(parts: Parts, manager: Actor, clock: FakeClock) -> None:
    days = {
        "today": TODAY,
        "late": date(2026, 11, 13),
        "week": date(2026, 11, 27),
        "after": date(2026, 11, 28),
    }
    for name, due in days.items():
        task(parts, manager, name, due_on=due)
    task(parts, manager, "without")
    task(parts, manager, "opens", from_on=date(2026, 11, 23))
    task(parts, manager, "opens late", from_on=date(2027, 10, 1))
    with read_for(parts, manager) as work:
        groups = service.worklist(work)
        assert service.counts(work.session, manager, work.now).tasks == 5
    shown = {
        name: [(row.notice.title, row.when, row.working_days) for row in part.rows]
        for name, part in groups.items()
    }
    assert shown == {
        Group.TODAY: [("late", When.LATE, 5), ("today", When.TODAY, 0)],
        Group.WEEK: [("opens", When.OPENS, 1), ("week", When.AHEAD, 5)],
        Group.LATER: [
            ("after", When.AHEAD, 5),  # a Saturday
            ("opens late", When.OPENS, groups[Group.LATER].rows[1].working_days),
            ("without", When.OPEN, 0),
        ],
        Group.OTHERS: [],
    }
    assert groups[Group.LATER].rows[1].provisional, "the holidays of 2027 are not known"
    clock.set_local("2026-11-22 09:00")  # the Sunday after
    with read_for(parts, manager) as work:
        late = service.worklist(work)[Group.TODAY].rows
    assert [(row.notice.title, row.working_days) for row in late] == [("late", 5), ("today", 0)]


@pytest.mark.usefixtures("both_databases")
def test_a_group_has_pages(parts: Parts, manager: Actor) -> None:
    for n in range(service.PAGE + 3):
        task(parts, manager, f"task {n:02d}")
    with read_for(parts, manager) as work:
        first, second = (service.part(work, Group.LATER, page) for page in (1, 2))
    assert (first.total, first.pages, len(first.rows), len(second.rows)) == (23, 2, 20, 3)
    titles = [row.notice.title for row in (*first.rows, *second.rows)]
    assert titles == sorted(titles)


@pytest.mark.usefixtures("both_databases")
def test_unread_is_each_person_s_own(parts: Parts, manager: Actor) -> None:
    place = To(organisation_id=manager.organisation_id)
    with parts.database.read() as session:
        home = session.get(factories.Organisation, manager.organisation_id)
    colleague = factories.actor(parts, Role.VIEWER, home)
    for n in range(3):
        message(parts, place, f"message {n}")
    message(parts, To(person_id=manager.person_id), "to the manager alone")

    def unread(actor: Actor) -> int:
        with read_for(parts, actor) as work:
            return service.counts(work.session, actor, work.now).unread

    assert (unread(manager), unread(colleague)) == (4, 3)
    with read_for(parts, manager) as work:
        shown = service.messages(work, 1).rows
    with work_for(parts, manager) as work:
        service.mark_read(work, shown[1].notice.public_id)
        service.mark_read(work, shown[1].notice.public_id)
    assert (unread(manager), unread(colleague)) == (3, 3)
    with read_for(parts, manager) as work:
        service.opened(work, shown[2].notice.public_id)
    parts.journal.flush()
    assert unread(manager) == 2
    message(parts, place, "came while the page was open")
    with work_for(parts, manager) as work:
        assert service.mark_all_read(work, shown[0].notice.public_id) == 2
    assert (unread(manager), unread(colleague)) == (1, 4)
    with read_for(parts, manager) as work:
        marks = {one.notice.title: one.read for one in service.messages(work, 1).rows}
    assert [name for name, read in marks.items() if not read] == ["came while the page was open"]


@pytest.mark.usefixtures("both_databases")
def test_a_notice_is_read_by_nobody_else(parts: Parts, manager: Actor) -> None:
    narrow = To(organisation_id=manager.organisation_id, action=Action.ORGANISATION_MANAGE)
    message(parts, narrow, "for managers")
    message(parts, To(role=Role.OFFICER), "for officers")
    with parts.database.read() as session:
        home = session.get(factories.Organisation, manager.organisation_id)
        ids = dict(session.execute(select(col(Notice.title), col(Notice.public_id))).all())
    viewer = factories.actor(parts, Role.VIEWER, home)
    readers = {
        "for managers": [manager],
        "for officers": [factories.actor(parts, Role.OFFICER)],
    }
    everyone = [manager, viewer, *readers["for officers"], factories.actor(parts)]
    everyone += [factories.actor(parts, role) for role in (Role.AUDITOR, Role.PERSON)]
    for title, public_id in ids.items():
        for actor in everyone:
            with read_for(parts, actor) as work:
                seen = [one.notice.title for one in service.messages(work, 1).rows]
                assert (title in seen) == (actor in readers[title])
                if actor not in readers[title]:
                    with pytest.raises(NotFound):
                        service.find(work, PublicId(public_id))


@pytest.mark.usefixtures("both_databases")
def test_what_is_settled_and_read_goes_after_a_year(
    parts: Parts, manager: Actor, clock: FakeClock
) -> None:
    place = To(organisation_id=manager.organisation_id)
    task(parts, manager, "open")
    task(parts, manager, "settled")
    message(parts, place, "read")
    message(parts, place, "unread")
    with work_for(parts, manager) as work:
        settle(work.session, "test.task", [Subject("deal", "settled")], at=work.now)
        for one in service.messages(work, 1).rows:
            if one.notice.title == "read":
                service.mark_read(work, one.notice.public_id)

    def left(after: timedelta) -> set[str]:
        clock.advance(days=after.days)
        (keep,) = retention.KEEPS
        with parts.database.write() as session:
            while keep.expire(session, clock.now(), 1):
                pass
            return set(session.scalars(select(col(Notice.title))))

    assert left(timedelta(days=365)) == {"open", "settled", "read", "unread"}
    assert left(timedelta(days=1)) == {"open", "unread"}
    assert left(timedelta(days=365)) == {"open"}


@pytest.mark.usefixtures("both_databases")
def test_what_is_a_person_s_is_copied_and_erased(parts: Parts, manager: Actor) -> None:
    message(parts, To(person_id=manager.person_id), "mine")
    message(parts, To(organisation_id=manager.organisation_id), "ours")
    with work_for(parts, manager) as work:
        for one in service.messages(work, 1).rows:
            service.mark_read(work, one.notice.public_id)
    with parts.database.write() as session:
        (held,) = personal.held(session, manager.person)
        assert [row["标题"] for row in held.rows(session)] == ["mine"]
        personal.erase(session, manager.person, parts.clock.now())
        assert list(session.scalars(select(col(Notice.title)))) == ["ours"]
        assert session.scalar(select(func.count()).select_from(NoticeRead)) == 0


@pytest.mark.usefixtures("both_databases")
def test_whether_a_message_was_new_is_said(parts: Parts) -> None:
    def told() -> bool:
        with parts.database.write() as session:
            to, about = To(role=Role.OPERATOR), Subject("job", "1")
            return tell(session, to, "test", about, "一次", key="k", at=parts.clock.now())

    assert (told(), told()) == (True, False)


@pytest.mark.on_postgres
@pytest.mark.postgres
def test_what_begins_while_tasks_are_put_right_goes_on(parts: Parts) -> None:
    """SQLite has one writer: nothing can begin there meanwhile."""
    begun = Task(To(role=Role.OPERATOR), "test.task", Subject("job", "1"), "刚刚开始的")

    def looks_around() -> Iterator[Task]:
        with parts.database.write() as session:
            begin(session, begun, at=parts.clock.now())
        yield from ()

    with parts.database.write() as session:
        put_right(session, ["test.task"], looks_around(), at=parts.clock.now())
    with parts.database.read() as session:
        assert open_tasks(session, "test.task") == {"1"}


def filled(parts: Parts, actor: Actor, count: int, *, days: int) -> None:
    """Write so many messages and a tenth as many tasks, the messages over so many days, all
    read by the actor: the dearest case, as nothing unread ends the search early.
    """
    now = parts.clock.now()
    step = timedelta(days=days) / count
    rows = [
        {
            "public_id": new_public_id(),
            "key": f"{actor.organisation_id}:{n}",
            "organisation_id": actor.organisation_id,
            "role": "",
            "action": Action.DEAL_VIEW,
            "kind": "test",
            "subject_kind": "deal",
            "subject_id": str(n),
            "title": f"消息{n}",
            "detail": "",
            "waits": n % 11 == 0,
            "created_at": now - step * (count - n),
            "settled_at": None if n % 11 == 0 else now,
        }
        for n in range(count)
    ]
    with parts.database.write() as session:
        session.execute(insert(Notice), rows)
        ids = session.scalars(
            select(col(Notice.id)).where(col(Notice.organisation_id) == actor.organisation_id)
        )
        repository.mark_read(session, actor.person, list(ids), now)


@pytest.mark.full
@pytest.mark.parametrize("days", [1, 365])
@pytest.mark.usefixtures("both_databases")
def test_the_counts_of_the_frame_are_cheap(
    parts: Parts, manager: Actor, both_databases: str, days: int, verified: Callable[..., None]
) -> None:
    """About half a minute. 10,000 notices of one organisation among 100,000 of others."""
    for _ in range(10):
        filled(parts, factories.actor(parts), 10_000, days=days)
    filled(parts, manager, 10_000, days=days)
    took = []
    with read_for(parts, manager) as work:
        for _ in range(101):
            begun = time.perf_counter()
            counts = service.counts(work.session, manager, work.now)
            took.append(time.perf_counter() - begun)
    assert (counts.tasks, counts.unread) == (910, 0)
    took.sort()
    assert took[10] < 0.01  # whatever else runs on the machine
    verified(
        "每页页眉的待办和未读数",
        how_many=f"一个机构1万条、另有10万条，全部已读，{days}天内，{both_databases}",
        result=f"最快{1000 * took[0]:.1f}毫秒，中位{1000 * took[50]:.1f}毫秒",
    )
