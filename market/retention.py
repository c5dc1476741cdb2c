"""What is kept for how long: the one list, run every night and printed where people read it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date, datetime, timedelta
from typing import Final

from sqlmodel import Session

from market import waiting
from market.accounts import retention as accounts
from market.accounts.work import Parts
from market.brokerage import tasks as brokerage
from market.discovery import retention as discovery
from market.imports import retention as imports
from market.kit import audit, deliveries, files, jobs
from market.kit.across import Keep
from market.kit.clock import SHANGHAI
from market.kit.jobs import Chunk, Handler, Job, Steps
from market.kit.sweep import sweep
from market.ledger import tasks as ledger
from market.notices import retention as notices
from market.operations import marks
from market.registry import tasks as registry

ENDED: Final = timedelta(days=30)


def keeps(audit_days: int) -> Sequence[Keep]:
    """Return everything that goes after its time, where the audit is kept for so many days."""

    def expire_audit(session: Session, now: datetime, limit: int) -> int:
        return audit.expire(session, now, limit, keep=timedelta(days=audit_days))

    return (
        *accounts.KEEPS,
        *notices.KEEPS,
        *imports.KEEPS,
        *discovery.KEEPS,
        Keep("操作记录（谁在什么时候做了什么）", f"{audit_days}天", expire_audit),
        Keep("移除了的附件", f"不再使用后{files.DROPPED_FOR.days}天", _files),
        Keep("做完的后台任务", f"{ENDED.days}天", _jobs),
        Keep("送达索引和匹配的记录", f"{ENDED.days}天", _deliveries),
    )


def _files(session: Session, now: datetime, limit: int) -> int:
    return files.mark_dropped(session, now, limit) + files.expire(session, now, limit)


def _jobs(session: Session, now: datetime, limit: int) -> int:
    return jobs.expire(session, now, limit, keep=ENDED)


def _deliveries(session: Session, now: datetime, limit: int) -> int:
    return deliveries.expire(session, now, limit, keep=ENDED)


def logs(days: int) -> tuple[str, str]:
    """Return the line of what no row is: the files that `ZHIHE_LOG_DIR` asks for."""
    return "运行日志文件（网络地址等，部署时选择保存的）", f"{days}天"


KIND: Final = "retention"
CHUNK: Final = 500
BEGINS: Final = 3
"""The hour in China from which a day's work is owed; at night people wait for nothing."""


Removing = Callable[[], AbstractContextManager[bool]]
"""Tells whether bytes may go, and keeps it so as long as it is open."""


def alone() -> AbstractContextManager[bool]:
    """Say that bytes may go, where nobody else is at the files."""
    return nullcontext(True)


def handlers(parts: Parts, removing: Removing = alone) -> Mapping[str, Handler]:
    """Return the handler of the nightly job: a chunk of rows of one kind a transaction, then the
    bytes that no row names. Where those may not go now, the next night has them. Last, the open
    tasks are brought up to date: with a renamed organisation, say, which rewrites none by itself.
    """
    keeping = keeps(parts.audit_days)
    steps = [one.expire for one in keeping]

    def prepare(job: Job) -> str:
        if job.cursor.get("step", 0) < len(steps):
            return ""
        with removing() as allowed:
            if not allowed:
                return "；备份正在进行，不再使用的文件内容留到下一夜删去"
            sweep(parts.database, parts.files, parts.clock.now())
            return ""

    def expire(session: Session, job: Job, left: str) -> Chunk:
        now = parts.clock.now()
        step, gone = job.cursor.get("step", 0), job.cursor.get("gone", 0)
        if step == len(steps):
            late = waiting.put_right(session, now)
            renewed = f"，{late}条待办改成现在的样子" if late else ""
            marks.put(
                session, marks.RETENTION, at=now, good=True, detail=f"删除{gone}行{renewed}{left}"
            )
            return Chunk(None)
        count = steps[step](session, now, CHUNK)
        gone += count
        return Chunk({"step": step if count else step + 1, "gone": gone})

    def given_up(session: Session, job: Job) -> None:
        marks.put(
            session, marks.RETENTION, at=parts.clock.now(), good=False, detail=job.error or ""
        )

    return {KIND: Steps(prepare, expire, given_up)}


class Nightly:
    """Owes the routine work of each day once; asked at every turn of the worker."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._owed: date | None = None

    def owe(self) -> None:
        now = self._parts.clock.now()
        local = now.astimezone(SHANGHAI)
        if local.hour < BEGINS or local.date() == self._owed:
            return
        with self._parts.database.write() as session:
            jobs.enqueue(session, KIND, f"{KIND}:{local.date()}", {}, at=now)
            brokerage.nightly(session, at=now)
            ledger.owe_night(session, local.date(), at=now)
            registry.owe_night(session, local.date(), at=now)
        self._owed = local.date()
