"""One effect for what was sent twice: a form by a double click, a request repeated by a program.

The sender names the sending (a form's hidden token, an `Idempotency-Key`). The first request with
the name writes a row in its own transaction and leaves its answer there; a second one waits for
the first to end (the write lock on SQLite, the unique key on PostgreSQL) and gets that answer. A
refused request rolls its row back with everything else and may be sent again.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, col

from market.kit.columns import Table, moment, prose, words
from market.kit.db import changed, is_sqlite
from market.kit.errors import Conflict

KEPT_FOR = timedelta(days=2)
DONE_BEFORE = "这次提交已经处理过，没有再做一次；请刷新页面查看结果"
OTHER_CONTENT = "这个 Idempotency-Key 已用于另一个请求，请换一个"


class SentOnce(Table, table=True):
    """`status` 0: the answer was not kept, only that the request was done."""

    __tablename__ = "sent_once"

    key: str = Field(max_length=64, primary_key=True)
    digest: str = words(64)
    status: int = Field(default=0)
    answer: str = prose(default="")
    at: datetime = moment(index=True)


@dataclass(frozen=True, slots=True)
class Sending:
    """One request by the name its sender gave it; both are SHA-256 in hex."""

    key: str
    digest: str


class Repeated(Exception):
    """The request was done before; `status` and `answer` are what the first one got."""

    def __init__(self, status: int, answer: str) -> None:
        super().__init__(status)
        self.status = status
        self.answer = answer


def digest(*parts: str | bytes) -> str:
    """Return one SHA-256 of several parts, none of which runs into the next."""
    whole = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        whole.update(len(raw).to_bytes(8, "big") + raw)
    return whole.hexdigest()


def claim(session: Session, sending: Sending, at: datetime) -> None:
    """Go on only as the first of its name.

    Raises Repeated with the first one's answer, Conflict where that was not kept or where the
    name stood for something else.
    """
    values = {"key": sending.key, "digest": sending.digest, "status": 0, "answer": "", "at": at}
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    session.flush()
    first = insert(SentOnce).values(values).on_conflict_do_nothing().returning(col(SentOnce.key))
    if session.execute(first).first() is not None:  # PostgreSQL gives no row count here
        return
    query = select(col(SentOnce.digest), col(SentOnce.status), col(SentOnce.answer))
    known, status, answer = session.execute(query.where(col(SentOnce.key) == sending.key)).one()
    if known != sending.digest:
        raise Conflict(OTHER_CONTENT)
    if status == 0:
        raise Conflict(DONE_BEFORE)
    raise Repeated(status, answer)


def keep(session: Session, sending: Sending, status: int, answer: str) -> None:
    """Leave the answer for whoever sends the same again."""
    row = update(SentOnce).where(col(SentOnce.key) == sending.key)
    session.execute(row.values(status=status, answer=answer))


def release(session: Session, sending: Sending) -> None:
    """Forget a sending whose repetition does no harm."""
    session.execute(delete(SentOnce).where(col(SentOnce.key) == sending.key))


def expire(session: Session, now: datetime, limit: int) -> int:
    """Delete at most `limit` rows that nobody repeats any more; return how many."""
    old = select(col(SentOnce.key)).where(col(SentOnce.at) < now - KEPT_FOR).limit(limit)
    return changed(session, delete(SentOnce).where(col(SentOnce.key).in_(old)))
