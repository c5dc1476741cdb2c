"""What runs across nouns: each noun offers its part under one name, `market.jobs` lists them.

audit.py      audit(session) -> Iterator[Finding]        what does not agree
personal.py   copy(session, person_id) -> Records        what is held of a person
              erase(session, person_id, at) -> None      what may go, goes
              KEPT: tuple[str, ...]                      what law keeps, in sentences
retention.py  expire(session, now, limit) -> int         rows past their time, a chunk at most

A noun without anything to say has no such module.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlmodel import Session

from market.kit.ids import PersonId

Records = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows by a Chinese heading, each a flat mapping of Chinese labels to plain JSON values."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement: where it stands, what is wrong, and what to do about it."""

    where: str
    what: str
    remedy: str


Audit = Callable[[Session], Iterator[Finding]]


class Personal(Protocol):
    """What a noun's `personal` module offers."""

    KEPT: tuple[str, ...]

    def copy(self, session: Session, person_id: PersonId) -> Records: ...

    def erase(self, session: Session, person_id: PersonId, at: datetime) -> None: ...


Expire = Callable[[Session, datetime, int], int]
"""Delete at most `limit` rows whose time is over by `now`; return how many, 0 when none is left."""
