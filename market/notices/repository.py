"""The SQL of the inbox. The rows themselves are `kit.notify`'s."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    case,
    delete,
    exists,
    false,
    func,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from market.kit.db import changed, is_sqlite
from market.kit.ids import PersonId, PublicId
from market.kit.notify import Notice, NoticeRead

WEEK: Final = timedelta(days=7)
FRESH: Final = timedelta(days=30)
"""A message older than this is no longer called unread: a new member is not met by years."""
COUNTED: Final = 300
"""Of so many newest messages of each address the unread are counted."""


class Group(StrEnum):
    """When a task wants doing; `others` are those that others are asked for."""

    TODAY = "today"
    WEEK = "week"
    LATER = "later"
    OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: a person acting for an organisation, or none, in a role that may do `actions`."""

    person_id: PersonId
    organisation_id: int | None
    role: str
    actions: frozenset[str]

    def addresses(self) -> list[ColumnElement[bool]]:
        """Return one condition for each address of the reader, each with an index of its own."""
        found = [col(Notice.person_id) == self.person_id, col(Notice.role) == self.role]
        if self.organisation_id is not None:
            found.append(
                and_(
                    col(Notice.organisation_id) == self.organisation_id,
                    col(Notice.action).in_(sorted({"", *self.actions})),
                )
            )
        return found


_OPEN = col(Notice.settled_at).is_(None)
_MESSAGE = col(Notice.waits) == false()


def _doable(today: date) -> ColumnElement[bool]:
    return or_(col(Notice.from_on).is_(None), col(Notice.from_on) <= today)


def _group(today: date) -> Any:
    by = today + WEEK
    return case(
        (and_(~_doable(today), col(Notice.from_on) <= by), Group.WEEK),
        (~_doable(today), Group.LATER),
        (col(Notice.due_on) <= today, Group.TODAY),
        (col(Notice.due_on) <= by, Group.WEEK),
        else_=Group.LATER,
    )


def _open_of(reader: Reader) -> Any:
    """Return the ids of the open tasks of a reader: an OR would use none of the indexes."""
    return union_all(*(select(col(Notice.id)).where(_OPEN, one) for one in reader.addresses()))


def frame_counts(session: Session, reader: Reader, today: date, now: datetime) -> tuple[int, int]:
    """Return (tasks that can be done now, unread messages among the newest), in one statement."""
    tasks = [
        select(func.count()).select_from(Notice).where(_OPEN, one, _doable(today)).scalar_subquery()
        for one in reader.addresses()
    ]
    unread = select(func.count()).select_from(_unread(reader, now).subquery()).scalar_subquery()
    row = session.execute(select(*tasks, unread)).one()
    return sum(row[:-1]), row[-1]


def _unread(reader: Reader, now: datetime) -> Select[Any]:
    """Select the ids of unread messages among the newest of each address."""
    newest = [
        select(col(Notice.id))
        .where(_MESSAGE, one, col(Notice.created_at) >= now - FRESH)
        .order_by(col(Notice.created_at).desc())
        .limit(COUNTED)
        .subquery()
        for one in reader.addresses()
    ]
    ids = union_all(*(select(one.c.id) for one in newest)).subquery()
    return select(ids.c.id).where(~_seen(ids.c.id, reader.person_id))


def _seen(notice_id: Any, person_id: PersonId) -> ColumnElement[bool]:
    return exists().where(
        col(NoticeRead.notice_id) == notice_id, col(NoticeRead.person_id) == person_id
    )


def group_counts(session: Session, reader: Reader, today: date) -> dict[Group, int]:
    group = _group(today)
    rows = session.execute(
        select(group, func.count()).where(col(Notice.id).in_(_open_of(reader))).group_by(group)
    )
    found = dict.fromkeys(Group, 0) | {Group(row[0]): row[1] for row in rows}
    if reader.organisation_id is not None:
        waiting = select(func.count()).select_from(Notice).where(*_asked(reader))
        found[Group.OTHERS] = session.execute(waiting).scalar_one()
    return found


def _asked(reader: Reader) -> list[ColumnElement[bool]]:
    """The condition for what the reader's organisation waits for; not what it also has to do."""
    return [
        _OPEN,
        col(Notice.asked_by_id) == reader.organisation_id,
        func.coalesce(col(Notice.organisation_id), 0) != reader.organisation_id,
    ]


def tasks(
    session: Session, reader: Reader, group: Group, today: date, *, offset: int, limit: int
) -> Sequence[Notice]:
    """Return a page of one group: the nearest day first, those without any by age."""
    query = select(Notice)
    if group is Group.OTHERS:
        query = query.where(*(_asked(reader) if reader.organisation_id is not None else [false()]))
    else:
        query = query.where(col(Notice.id).in_(_open_of(reader)), _group(today) == group)
    day = func.coalesce(col(Notice.from_on), col(Notice.due_on))
    order = (day.is_(None), day, col(Notice.created_at), col(Notice.id))
    return session.scalars(query.order_by(*order).offset(offset).limit(limit)).all()


def _visible(reader: Reader) -> ColumnElement[bool]:
    return or_(*reader.addresses())


def messages(
    session: Session, reader: Reader, now: datetime, *, offset: int, limit: int
) -> tuple[int, list[tuple[Notice, bool]]]:
    """Return (how many messages, a page of them with whether each was read), newest first. Those
    that are no longer fresh count as read.
    """
    ids = union_all(*(select(col(Notice.id)).where(_MESSAGE, one) for one in reader.addresses()))
    query = select(Notice, _seen(col(Notice.id), reader.person_id)).where(col(Notice.id).in_(ids))
    order = (col(Notice.created_at).desc(), col(Notice.id).desc())
    rows = session.execute(query.order_by(*order).offset(offset).limit(limit))
    count = session.execute(select(func.count()).select_from(ids.subquery())).scalar_one()
    return count, [(row[0], row[1] or row[0].created_at < now - FRESH) for row in rows]


def notice(session: Session, reader: Reader, public_id: PublicId) -> Notice | None:
    """Return a task or message of the reader."""
    return session.scalars(
        select(Notice).where(col(Notice.public_id) == public_id, _visible(reader))
    ).first()


def mark_read(
    session: Session, person_id: PersonId, notice_ids: Collection[int], at: datetime
) -> None:
    """Note that a person has seen notices. Twice is once."""
    if not notice_ids:
        return
    dialect = sqlite if is_sqlite(session) else postgresql
    rows = [{"notice_id": one, "person_id": person_id, "at": at} for one in sorted(notice_ids)]
    session.execute(dialect.insert(NoticeRead).on_conflict_do_nothing(), rows)


def unread_up_to(session: Session, reader: Reader, newest: int, now: datetime) -> list[int]:
    """Return the ids of unread messages that are no newer than one."""
    ids = _unread(reader, now).subquery()
    return list(session.scalars(select(ids.c.id).where(ids.c.id <= newest)))


def forget_person(session: Session, person_id: PersonId) -> None:
    """Delete what is addressed to a person, and what the person has read."""
    changed(session, delete(NoticeRead).where(col(NoticeRead.person_id) == person_id))
    own = select(col(Notice.id)).where(col(Notice.person_id) == person_id)
    changed(session, delete(NoticeRead).where(col(NoticeRead.notice_id).in_(own)))
    changed(session, delete(Notice).where(col(Notice.person_id) == person_id))


def drop_settled(session: Session, *, read_before: datetime, before: datetime, limit: int) -> int:
    """Delete at most `limit` of those settled: tasks, and messages somebody read, that ended
    before `read_before`; messages nobody read that were written before `before`. Return how many.
    """
    read = exists().where(col(NoticeRead.notice_id) == col(Notice.id))
    over = case(
        (or_(col(Notice.waits) == true(), read), col(Notice.settled_at) < read_before),
        else_=col(Notice.settled_at) < before,
    )
    ids = session.scalars(
        select(col(Notice.id)).where(col(Notice.settled_at) < read_before, over).limit(limit)
    ).all()
    changed(session, delete(NoticeRead).where(col(NoticeRead.notice_id).in_(ids)))
    return changed(session, delete(Notice).where(col(Notice.id).in_(ids)))
