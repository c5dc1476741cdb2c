"""Telling people what concerns them: a row in the transaction of what it tells of.

Two kinds of rows stand in one table. A *message* tells that something happened. A *task* also
waits: it stays on the worklist of those who may do it until the noun that wrote it settles it, in
the transaction in which the waiting ends.

A row is addressed to an organisation (those of its people who may do `action`), to a role (every
officer, every operator), or to one person. Who may read a title may read the page behind it: it
says nothing that the page hides.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, col

from market.kit.columns import BIG, Table, big, check, day, moment, pk, public_id, words
from market.kit.db import changed, is_sqlite
from market.kit.ids import PublicId, new_public_id

TITLE, DETAIL = 200, 300
_OPEN = text("waits AND settled_at IS NULL")


class Notice(Table, table=True):
    """One message or task. `subject_kind` and `subject_id` say which page it leads to.

    `key` makes it once: the same key again writes nothing. `due_on` is the last day in China.
    """

    __tablename__ = "notice"
    __table_args__ = (
        check(
            "one_address",
            "(organisation_id IS NOT NULL AND role = '' AND person_id IS NULL)"
            " OR (organisation_id IS NULL AND role <> '' AND person_id IS NULL)"
            " OR (organisation_id IS NULL AND role = '' AND person_id IS NOT NULL)",
        ),
        Index("ix_notice_organisation", "organisation_id", "id"),
        Index("ix_notice_role", "role", "id"),
        Index("ix_notice_person", "person_id", "id"),
        Index("ix_notice_subject", "subject_kind", "subject_id"),
        Index("ix_notice_open", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
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
    created_at: datetime = moment()
    settled_at: datetime | None = moment(nullable=True)


class NoticeRead(Table, table=True):
    """That a person has seen a notice."""

    __tablename__ = "notice_read"

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
        "created_at": at,
    }
    dialect = sqlite if is_sqlite(session) else postgresql
    write = dialect.insert(Notice).on_conflict_do_nothing(index_elements=["key"])
    return changed(session, write.values(**row)) == 1


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
                col(Notice.waits),
                col(Notice.settled_at).is_(None),
            )
            .values(settled_at=at),
        )
    return count


def open_tasks(session: Session, kind: str) -> set[str]:
    """Return the public ids of the subjects about which a task of this kind is open; an audit
    holds them against what the noun itself says is waiting.
    """
    return set(
        session.scalars(
            select(col(Notice.subject_id)).where(
                col(Notice.kind) == kind, col(Notice.waits), col(Notice.settled_at).is_(None)
            )
        )
    )
