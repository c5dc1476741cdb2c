"""What runs across nouns: each noun offers its part under one name; `market/jobs.py`, `waiting.py`,
`personal.py` and `retention.py` beside them list the parts.

audit.py      audit(session) -> Iterator[Finding]        what does not agree
waiting.py    tasks(session) -> Iterator[Task]           what waits for a person
              member_moved(session, person, organisation, at)  lets it follow the membership, where
                                                       it waits for a person on its behalf
personal.py   held(session, person_id) -> Sequence[Held]  what is held of a person
              erase(session, person_id, at) -> None      what may go, goes; where there is any
              ties(session, organisation_id) -> bool     whether an organisation has any of it
              KEPT: tuple[str, ...]                      what stays, and why, in sentences
retention.py  KEEPS: tuple[Keep, ...]                    what goes when, a chunk at a time

A noun without anything to say has no such module.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import Select, SelectOfScalar

from market.kit.columns import Table
from market.kit.ids import OrganisationId, PersonId

GONE = "已注销用户"
"""What stands where the name of a person stood who deleted the account."""

_Row = TypeVar("_Row", bound=Table)
_Found = TypeVar("_Found")

Records = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by a Chinese heading, each a flat mapping of Chinese labels to plain JSON values."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement: where it stands, what is wrong, and what to do about it."""

    where: str
    what: str
    remedy: str


Audit = Callable[[Session], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Held(Generic[_Found]):
    """One kind of record that is held of a person: how it is found, and as what a row is shown.

    Several with one `title` stand under one heading. Counting reads no row.
    """

    title: str
    query: SelectOfScalar[_Found] | Select[Any, Any]
    shown: Callable[[_Found], Mapping[str, Any]]

    def count(self, session: Session) -> int:
        query = self.query.with_only_columns(func.count(), maintain_column_froms=True)
        return int(session.execute(query.order_by(None)).scalar_one())

    def rows(self, session: Session) -> list[dict[str, Any]]:
        found = cast("Iterable[_Found]", session.exec(self.query))
        return [dict(self.shown(row)) for row in found]


Holds = Callable[[Session, PersonId], Sequence[Held[Any]]]
Erase = Callable[[Session, PersonId, datetime], None]
Ties = Callable[[Session, OrganisationId], bool]

Expire = Callable[[Session, datetime, int], int]
"""Delete at most `limit` rows whose time is over by `now`; return how many, 0 when none is left."""


@dataclass(frozen=True, slots=True)
class Keep:
    """One kind of record that goes after its time; a line of the privacy notice.

    `what` and `how_long` are words for people: “登录会话”, “退出或过期后30天”.
    """

    what: str
    how_long: str
    expire: Expire


def by(table: type[_Row], column: str, value: int) -> SelectOfScalar[_Row]:
    """Ask for the rows whose reference `column` holds `value`, in the order they were written."""
    query = select(table).where(col(getattr(table, column)) == value)
    return query.order_by(*table.__table__.primary_key)  # type: ignore[attr-defined]


def any_by(session: Session, table: type[_Row], column: str, value: int) -> bool:
    query = select(table).where(col(getattr(table, column)) == value).limit(1)
    return session.exec(query).first() is not None
