"""What runs across nouns: each noun offers its part under one name; `market/jobs.py`, `waiting.py`,
`personal.py` and `retention.py` beside them list the parts.

audit.py      audit(session) -> Iterator[Finding]        what does not agree
waiting.py    tasks(session) -> Iterator[Task]           what waits for a person
personal.py   copy(session, person_id) -> Records        what is held of a person
              erase(session, person_id, at) -> None      what may go, goes; where there is any
              ties(session, organisation_id) -> bool     whether an organisation has any of it
              KEPT: tuple[str, ...]                      what stays, and why, in sentences
retention.py  KEEPS: tuple[Keep, ...]                    what goes when, a chunk at a time

A noun without anything to say has no such module.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from market.kit.columns import Table
from market.kit.ids import OrganisationId, PersonId

GONE = "已注销用户"
"""What stands where the name of a person stood who deleted the account."""

_Row = TypeVar("_Row", bound=Table)

Records = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by a Chinese heading, each a flat mapping of Chinese labels to plain JSON values."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement: where it stands, what is wrong, and what to do about it."""

    where: str
    what: str
    remedy: str


Audit = Callable[[Session], Iterator[Finding]]


Copy = Callable[[Session, PersonId], Records]
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


def rows_by(session: Session, table: type[_Row], column: str, value: int) -> list[_Row]:
    """Return the rows whose reference `column` holds `value`, in the order they were written."""
    query = select(table).where(col(getattr(table, column)) == value)
    return list(session.exec(query.order_by(*table.__table__.primary_key)))  # type: ignore[attr-defined]


def any_by(session: Session, table: type[_Row], column: str, value: int) -> bool:
    query = select(table).where(col(getattr(table, column)) == value).limit(1)
    return session.exec(query).first() is not None
