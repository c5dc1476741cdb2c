"""Telling people what concerns them: a row in the transaction of what it tells of.

Two kinds of rows stand in one table. A *message* tells that something happened. A *task* also
waits: it stays on the worklist of those who may do it until the noun that wrote it settles it, in
the transaction in which the waiting ends.

A row is addressed to an organisation (those of its people who may do `action`), to a role (every
officer, every operator), or to one person. Who may read a title may read the page behind it: it
says nothing that the page hides.

A noun says what waits in it as `Task`s, built by the same functions whether the waiting begins
(`begin`), one of its objects moves (`hold`), or an audit asks (`differences`).
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, col

from market.kit.across import Finding
from market.kit.columns import BIG, Table, big, check, day, moment, pk, public_id, words
from market.kit.db import changed, is_sqlite
from market.kit.ids import PublicId, new_public_id

TITLE, DETAIL = 200, 300
_OPEN = text("settled_at IS NULL")


def _open_index(name: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=_OPEN, postgresql_where=_OPEN)


class Notice(Table, table=True):
    """One message or task. `subject_kind` and `subject_id` say which page it leads to.

    `key` makes it once: the same key again writes nothing. `due_on` is the last day in China,
    `from_on` the first on which the task can be done at all. `asked_by_id` is the organisation
    that waits for it. A message waits for nobody: it is settled as it is written.
    """

    __tablename__ = "notice"
    __table_args__ = (
        check(
            "one_address",
            "(organisation_id IS NOT NULL AND role = '' AND person_id IS NULL)"
            " OR (organisation_id IS NULL AND role <> '' AND person_id IS NULL)"
            " OR (organisation_id IS NULL AND role = '' AND person_id IS NOT NULL)",
        ),
        check("messages_settled", "waits OR settled_at IS NOT NULL"),
        # Whole enough that the counts of every page read no row.
        Index("ix_notice_organisation", "organisation_id", "waits", "created_at", "action", "id"),
        Index("ix_notice_role", "role", "waits", "created_at", "id"),
        Index("ix_notice_person", "person_id", "waits", "created_at", "id"),
        Index("ix_notice_subject", "subject_kind", "subject_id"),
        Index("ix_notice_settled", "settled_at"),
        _open_index("ix_notice_open_organisation", "organisation_id", "action", "from_on"),
        _open_index("ix_notice_open_role", "role", "from_on"),
        _open_index("ix_notice_open_person", "person_id", "from_on"),
        _open_index("ix_notice_open_asked_by", "asked_by_id"),
        _open_index("ix_notice_open_kind", "kind", "subject_id"),
    )

    id: int = pk()
    public_id: PublicId = public_id()
    key: str = Field(max_length=120, unique=True)
    organisation_id: int | None = big(nullable=True)
    role: str = words(20, default="")
    person_id: int | None = big(nullable=True)
    action: str = words(60, default="")
    kind: str = words(60)
    subject_kind: str = words(40)
    subject_id: str = words(20)
    title: str = words(TITLE)
    detail: str = words(DETAIL, default="")
    waits: bool = Field(default=False)
    due_on: date | None = day(nullable=True)
    from_on: date | None = day(nullable=True)
    asked_by_id: int | None = big(nullable=True)
    created_at: datetime = moment()
    settled_at: datetime | None = moment(nullable=True)


class NoticeRead(Table, table=True):
    """That a person has seen a notice."""

    __tablename__ = "notice_read"
    __table_args__ = (Index("ix_notice_read_person", "person_id"),)

    notice_id: int = Field(primary_key=True, sa_type=BIG, sa_column_args=(ForeignKey("notice.id"),))
    person_id: int = Field(primary_key=True, sa_type=BIG)
    at: datetime = moment()


@dataclass(frozen=True, slots=True)
class To:
    """Whom a notice is for: exactly one of organisation, role and person.

    `action` narrows an organisation to those of its people whom the policy lets do it.
    """

    organisation_id: int | None = None
    role: str = ""
    person_id: int | None = None
    action: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """The object that a notice leads to, by its public id."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Task:
    """One thing that waits, whole. `round` tells this waiting about its subject from the next."""

    to: To
    kind: str
    subject: Subject
    title: str
    round: str = ""
    detail: str = ""
    due_on: date | None = None
    from_on: date | None = None
    asked_by_id: int | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subject.id}:{self.round}"


def tell(
    session: Session,
    to: To,
    kind: str,
    subject: Subject,
    title: str,
    *,
    key: str,
    at: datetime,
    detail: str = "",
    waits: bool = False,
    due_on: date | None = None,
    from_on: date | None = None,
    asked_by_id: int | None = None,
) -> bool:
    """Write a message, or with `waits` a task. Return False where `key` was written before.

    Titles and details are cut to what the columns hold.
    """
    row = {
        "public_id": new_public_id(),
        "key": key,
        "organisation_id": to.organisation_id,
        "role": to.role,
        "person_id": to.person_id,
        "action": to.action,
        "kind": kind,
        "subject_kind": subject.kind,
        "subject_id": subject.id,
        "title": title[:TITLE],
        "detail": detail[:DETAIL],
        "waits": waits,
        "due_on": due_on,
        "from_on": from_on,
        "asked_by_id": asked_by_id,
        "created_at": at,
        "settled_at": None if waits else at,
    }
    dialect = sqlite if is_sqlite(session) else postgresql
    write = dialect.insert(Notice).on_conflict_do_nothing(index_elements=["key"])
    return changed(session, write.values(**row)) == 1


def begin(session: Session, task: Task, *, at: datetime) -> None:
    """Let a task wait, again where it waited before. Twice is once."""
    fresh = tell(
        session,
        task.to,
        task.kind,
        task.subject,
        task.title,
        key=task.key,
        at=at,
        detail=task.detail,
        waits=True,
        due_on=task.due_on,
        from_on=task.from_on,
        asked_by_id=task.asked_by_id,
    )
    if not fresh:
        changed(
            session,
            update(Notice)
            .where(col(Notice.key) == task.key, col(Notice.settled_at).is_not(None))
            .values(settled_at=None, created_at=at, due_on=task.due_on, from_on=task.from_on),
        )


def settle(session: Session, kind: str, subjects: Collection[Subject], *, at: datetime) -> int:
    """End the waiting of all open tasks of a kind about these subjects. Return how many."""
    count = 0
    for subject in subjects:
        count += changed(
            session,
            update(Notice)
            .where(
                col(Notice.kind) == kind,
                col(Notice.subject_kind) == subject.kind,
                col(Notice.subject_id) == subject.id,
                col(Notice.settled_at).is_(None),
            )
            .values(settled_at=at),
        )
    return count


def hold(
    session: Session,
    subject: Subject,
    kinds: Collection[str],
    tasks: Iterable[Task],
    *,
    at: datetime,
) -> None:
    """Let exactly these tasks of these kinds wait about one subject: others end, missing begin."""
    wanted = {task.key: task for task in tasks}
    rows = select(col(Notice.key)).where(
        col(Notice.kind).in_(kinds),
        col(Notice.subject_kind) == subject.kind,
        col(Notice.subject_id) == subject.id,
        col(Notice.settled_at).is_(None),
    )
    session.flush()
    waiting = set(session.scalars(rows))
    _end(session, waiting - wanted.keys(), at=at)
    for key, task in wanted.items():
        if key not in waiting:
            begin(session, task, at=at)


def _end(session: Session, keys: Collection[str], *, at: datetime) -> None:
    for key in sorted(keys):
        changed(session, update(Notice).where(col(Notice.key) == key).values(settled_at=at))


def open_tasks(session: Session, kind: str) -> set[str]:
    """Return the public ids of the subjects about which a task of this kind is open; an audit
    holds them against what the noun itself says is waiting.
    """
    return set(
        session.scalars(
            select(col(Notice.subject_id)).where(
                col(Notice.kind) == kind, col(Notice.settled_at).is_(None)
            )
        )
    )


def _compared(
    session: Session,
    kinds: Collection[str],
    tasks: Iterable[Task],
    about: Collection[str] | None = None,
) -> tuple[dict[str, Task], set[str]]:
    """Return (what waits without a task by key, keys of tasks for which nothing waits)."""
    wanted = {task.key: task for task in tasks}
    rows = select(col(Notice.key)).where(
        col(Notice.kind).in_(kinds), col(Notice.settled_at).is_(None)
    )
    if about is not None:
        rows = rows.where(col(Notice.subject_id).in_(list(about)))
    session.flush()
    waiting = set(session.scalars(rows))
    missing = {key: task for key, task in wanted.items() if key not in waiting}
    return missing, waiting - wanted.keys()


def differences(
    session: Session, kinds: Collection[str], tasks: Iterable[Task]
) -> Iterator[Finding]:
    """Hold all open tasks of these kinds against what the noun says is waiting."""
    missing, left = _compared(session, kinds, tasks)
    remedy = "运行 zhihe migrate（zhihe up 启动时也会做），它按各处的状态补齐待办"
    for task in missing.values():
        where = f"{task.subject.kind}:{task.subject.id}"
        yield Finding(where, f"应有待办“{task.kind}”，现在没有", remedy)
    for key in sorted(left):
        yield Finding(key, "待办还开着，它等的事已经结束", remedy)


def put_right(
    session: Session,
    kinds: Collection[str],
    tasks: Iterable[Task],
    *,
    at: datetime,
    about: Collection[str] | None = None,
) -> int:
    """Make the open tasks of these kinds, all or those about these public ids, what the noun
    says waits. Return how many were not.
    """
    missing, left = _compared(session, kinds, tasks, about)
    for task in missing.values():
        begin(session, task, at=at)
    _end(session, left, at=at)
    return len(missing) + len(left)
