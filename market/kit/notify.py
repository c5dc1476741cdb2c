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

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, delete, select, text, update
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
    session.flush()
    # Whether a row comes back: the count of this INSERT is unknown on PostgreSQL.
    return session.scalars(write.values(**row).returning(col(Notice.id))).first() is not None


def begin(session: Session, task: Task, *, at: datetime) -> None:
    """Let a task wait, again where it waited before: as it is now, and seen by nobody. Twice is
    once.
    """
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
    if fresh:
        return
    again = changed(
        session,
        update(Notice)
        .where(col(Notice.key) == task.key, col(Notice.settled_at).is_not(None))
        .values(settled_at=None, created_at=at, **_stored(task)),
    )
    if again:
        its = select(col(Notice.id)).where(col(Notice.key) == task.key)
        changed(session, delete(NoticeRead).where(col(NoticeRead.notice_id).in_(its)))


def _stored(task: Task) -> dict[str, object]:
    """Return what may change of a task while its key stays, as its row holds it."""
    return {
        "organisation_id": task.to.organisation_id,
        "role": task.to.role,
        "person_id": task.to.person_id,
        "action": task.to.action,
        "title": task.title[:TITLE],
        "detail": task.detail[:DETAIL],
        "due_on": task.due_on,
        "from_on": task.from_on,
        "asked_by_id": task.asked_by_id,
    }


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
    """Let exactly these tasks of these kinds wait about one subject: others end, missing begin,
    those that say something else now are rewritten.
    """
    its = (col(Notice.subject_kind) == subject.kind, col(Notice.subject_id) == subject.id)
    _follow(session, _compared(session, kinds, tasks, *its), at=at)


def about(session: Session, subject: Subject, kinds: Collection[str]) -> Sequence[Notice]:
    """Return what was said about a subject, the oldest first."""
    return session.scalars(
        select(Notice)
        .where(
            col(Notice.subject_kind) == subject.kind,
            col(Notice.subject_id) == subject.id,
            col(Notice.kind).in_(kinds),
        )
        .order_by(col(Notice.id))
    ).all()


def open_tasks(session: Session, kind: str) -> set[str]:
    """Return the public ids of the subjects about which a task of this kind is open."""
    return set(
        session.scalars(
            select(col(Notice.subject_id)).where(
                col(Notice.kind) == kind, col(Notice.settled_at).is_(None)
            )
        )
    )


@dataclass(frozen=True, slots=True)
class _Compared:
    """What waits without an open task, what the open task tells otherwise, and the keys of open
    tasks for which nothing waits.
    """

    missing: Sequence[Task]
    stale: Sequence[Task]
    left: Sequence[str]


def _compared(
    session: Session,
    kinds: Collection[str],
    tasks: Iterable[Task],
    *those: ColumnElement[bool],
) -> _Compared:
    """Hold open tasks of these kinds, all or only `those`, against what waits.

    The rows are read first: what begins while `tasks` looks around is then found to be missing,
    and beginning it again is nothing; the other way round it would be ended.
    """
    rows = select(Notice.__table__).where(  # type: ignore[attr-defined]  # no row from the session
        col(Notice.kind).in_(kinds), col(Notice.settled_at).is_(None), *those
    )
    session.flush()
    found = {row["key"]: row for row in session.execute(rows).mappings()}
    wanted = {task.key: task for task in tasks}
    return _Compared(
        [task for key, task in wanted.items() if key not in found],
        [
            task
            for key, task in wanted.items()
            if key in found
            and any(found[key][name] != value for name, value in _stored(task).items())
        ],
        sorted(found.keys() - wanted.keys()),
    )


def _follow(session: Session, compared: _Compared, *, at: datetime) -> int:
    """Make the open tasks what was found to wait. Return how many were not."""
    for key in compared.left:
        its = (col(Notice.key) == key, col(Notice.settled_at).is_(None))
        changed(session, update(Notice).where(*its).values(settled_at=at))
    for task in compared.missing:
        begin(session, task, at=at)
    for task in compared.stale:
        changed(
            session,
            update(Notice)
            .where(col(Notice.key) == task.key, col(Notice.settled_at).is_(None))
            .values(**_stored(task)),
        )
    return len(compared.left) + len(compared.missing) + len(compared.stale)


def differences(
    session: Session, kinds: Collection[str], tasks: Iterable[Task]
) -> Iterator[Finding]:
    """Hold all open tasks of these kinds against what the noun says is waiting."""
    compared = _compared(session, kinds, tasks)
    remedy = "运行 zhihe migrate（zhihe up 启动时也会做），它按各处的状态补齐待办"
    for what, found in (
        ("应有待办“{}”，现在没有", compared.missing),
        ("待办“{}”的文字、日期或收件人应随各处更新，现在是旧的", compared.stale),
    ):
        for task in found:
            where = f"{task.subject.kind}:{task.subject.id}"
            yield Finding(where, what.format(task.kind), remedy)
    for key in compared.left:
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
    those = [] if about is None else [col(Notice.subject_id).in_(list(about))]
    return _follow(session, _compared(session, kinds, tasks, *those), at=at)
