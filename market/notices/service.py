"""What a person has to do, and what was told: the inbox of whoever acts."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action, OrganisationKind, Role, allows_ever
from market.accounts.work import Actor, Work
from market.kit.clock import local_date
from market.kit.errors import NotFound
from market.kit.ids import PublicId
from market.kit.notify import Notice
from market.kit.workdays import working_days_between
from market.notices import repository
from market.notices.repository import Group, Reader
from market.rules import service as rules
from market.rules.calendar import Calendar

PAGE: Final = 20


class When(StrEnum):
    """How a task stands to its day: after it, on it, before it; not yet to be done; without one."""

    LATE = "late"
    TODAY = "today"
    AHEAD = "ahead"
    OPENS = "opens"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A task and its day. `working_days`: since a day that is over, until one that comes, or, of
    a task without a day, since it was written. `provisional`: the holidays of that year are not
    known yet.
    """

    notice: Notice
    when: When
    on: date | None
    working_days: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One group of the worklist: how many there are, and the first or a page of them."""

    group: Group
    total: int
    rows: tuple[Waiting, ...]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


@dataclass(frozen=True, slots=True)
class Counts:
    """For the frame of every page."""

    tasks: int
    unread: int


@dataclass(frozen=True, slots=True)
class Message:
    notice: Notice
    read: bool


@dataclass(frozen=True, slots=True)
class Messages:
    total: int
    rows: tuple[Message, ...]

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // PAGE))


@cache
def _actions(role: Role, kind: OrganisationKind | None, *, verified: bool) -> frozenset[str]:
    """Return what such an actor may do in some relation: what an address is narrowed by."""
    return frozenset(
        action for action in Action if allows_ever(action, role=role, kind=kind, verified=verified)
    )


def reader_of(actor: Actor) -> Reader:
    """Return whose notices an actor reads. Raises NotSignedIn."""
    return Reader(
        person_id=actor.person,
        organisation_id=actor.organisation_id,
        role=actor.role,
        actions=_actions(actor.role, actor.kind, verified=actor.verified),
    )


def counts(session: Session, actor: Actor, now: datetime) -> Counts:
    """Return what the frame shows of an actor who is signed in."""
    return Counts(*repository.frame_counts(session, reader_of(actor), local_date(now), now))


def worklist(work: Work) -> dict[Group, Part]:
    """Return every group with its first PAGE tasks."""
    work.require(Action.ACCOUNT_USE)
    reader, calendar = reader_of(work.actor), rules.calendar(work.session)
    totals = repository.group_counts(work.session, reader, work.today)
    return {
        group: Part(group, total, _rows(work, reader, group, 1, calendar) if total else ())
        for group, total in totals.items()
    }


def part(work: Work, group: Group, page: int) -> Part:
    """Return one page of one group."""
    work.require(Action.ACCOUNT_USE)
    reader = reader_of(work.actor)
    total = repository.group_counts(work.session, reader, work.today)[group]
    return Part(group, total, _rows(work, reader, group, page, rules.calendar(work.session)))


def _rows(
    work: Work, reader: Reader, group: Group, page: int, calendar: Calendar
) -> tuple[Waiting, ...]:
    rows = repository.tasks(
        work.session, reader, group, work.today, offset=(page - 1) * PAGE, limit=PAGE
    )
    return tuple(standing(row, work.today, calendar) for row in rows)


def standing(row: Notice, today: date, calendar: Calendar) -> Waiting:
    """Return how a task stands to its day."""
    on, since, until = row.due_on, today, today
    if row.from_on is not None and row.from_on > today:
        on, when = row.from_on, When.OPENS
        until = on
    elif on is None:
        when, since = When.OPEN, local_date(row.created_at)
    elif on < today:
        when, since = When.LATE, on
    else:
        when, until = When.TODAY if on == today else When.AHEAD, on
    return Waiting(
        notice=row,
        when=when,
        on=on,
        working_days=working_days_between(since, until, calendar.is_rest_day),
        provisional=on is not None and calendar.provisional(on),
    )


def messages(work: Work, page: int) -> Messages:
    """Return one page of messages, newest first."""
    work.require(Action.ACCOUNT_USE)
    total, rows = repository.messages(
        work.session, reader_of(work.actor), work.now, offset=(page - 1) * PAGE, limit=PAGE
    )
    return Messages(total, tuple(Message(*row) for row in rows))


def find(work: Work, public_id: PublicId) -> Notice:
    """Return a task or message of the actor. Raises NotFound."""
    work.require(Action.ACCOUNT_USE)
    row = repository.notice(work.session, reader_of(work.actor), public_id)
    if row is None:
        raise NotFound
    return row


def opened(work: Work, public_id: PublicId) -> Notice:
    """Return a notice that the actor follows; that it was read is noted after the answer."""
    row = find(work, public_id)
    person, at, ids = work.actor.person, work.now, [row.id]
    work.parts.journal.add(
        f"notice:{person}:{row.id}",
        lambda session: repository.mark_read(session, person, ids, at),
    )
    return row


def mark_read(work: Work, public_id: PublicId) -> None:
    """Mark one notice as read. Twice is once. Raises NotFound."""
    row = find(work, public_id)
    repository.mark_read(work.session, work.actor.person, [row.id], work.now)


def mark_all_read(work: Work, newest: PublicId) -> int:
    """Mark every message up to the newest that was shown as read: what came since stays unread.

    Return how many were unread. Raises NotFound.
    """
    row, reader = find(work, newest), reader_of(work.actor)
    ids = repository.unread_up_to(work.session, reader, row.id, work.now)
    repository.mark_read(work.session, work.actor.person, ids, work.now)
    return len(ids)
