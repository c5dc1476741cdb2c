"""What runs across nouns: each noun offers its part under one name, `market.jobs` lists them.

audit.py      audit(session) -> Iterator[Finding]        what does not agree
personal.py   copy(session, person_id) -> Records        what is held of a person
              erase(session, person_id, at) -> None      what may go, goes
              KEPT: tuple[str, ...]                      what stays, and why, in sentences
retention.py  KEEPS: tuple[Keep, ...]                    what goes when, a chunk at a time

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


@dataclass(frozen=True, slots=True)
class Keep:
    """One kind of record that goes after its time; a line of the privacy notice.

    `what` and `how_long` are words for people: “登录会话”, “退出或过期后30天”.
    """

    what: str
    how_long: str
    expire: Expire
