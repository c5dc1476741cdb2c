"""What does not agree in what all nouns stand on: change log, jobs, files, triggers, database.

Every check reads one session's state. What is under way is no finding: a change that is owed to the
index, a claim whose lease runs. What nobody can be at work on any more is one.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, or_, select, text
from sqlmodel import Session, col

from market.kit import triggers
from market.kit.across import Finding
from market.kit.changes import (
    Change,
    ChangeHead,
    Consumer,
    Delivery,
    DeliveryState,
    SubjectVersion,
)
from market.kit.db import is_sqlite
from market.kit.jobs import Job, JobState

LAPSED: Final = timedelta(minutes=10)
"""After the end of its lease, whoever held it is gone and nobody has taken its place."""
RECENT: Final = timedelta(days=25)
"""Deliveries that were done go a month later."""
_SHOWN: Final = 20
_PROCESS: Final = {Consumer.INDEX: "索引", Consumer.MATCH: "任务"}
_REINDEX: Final = "请运行 zhihe reindex，全部重新记录并建立索引"
_RESTORE: Final = "请保留现在的数据，用最近一份核对无误的备份恢复"


def database(session: Session) -> Iterator[Finding]:
    """SQLite's own check of its file; PostgreSQL holds its constraints itself."""
    if not is_sqlite(session):
        return
    for (told,) in session.execute(text("PRAGMA integrity_check(20)")):
        if told != "ok":
            yield Finding("数据库文件", str(told), f"磁盘或文件已损坏。{_RESTORE}")
    for row in session.execute(text("PRAGMA foreign_key_check")).fetchmany(_SHOWN):
        yield Finding(f"表 {row[0]}", f"第{row[1]}行引用了不存在的 {row[2]}", _RESTORE)


def guarded(session: Session) -> Iterator[Finding]:
    for name in triggers.missing(session.connection()):
        yield Finding("数据库", f"缺少触发器 {name}，只增的表可能被改动", "请运行 zhihe migrate")


def change_log(session: Session, now: datetime) -> Iterator[Finding]:
    yield from _sequence(session)
    yield from _versions(session)
    yield from _deliveries(session, now)


def _sequence(session: Session) -> Iterator[Finding]:
    number, low, high = session.execute(
        select(func.count(col(Change.seq)), func.min(col(Change.seq)), func.max(col(Change.seq)))
    ).one()
    head = session.scalar(select(col(ChangeHead.seq)).where(col(ChangeHead.id) == 1)) or 0
    if (low or 1, high or 0) != (1, number) or head != number:
        what = f"序号从{low}到{high}共{number}个，记到{head}，应从1起连续无缺"
        yield Finding("变更日志", what, _RESTORE)


def _versions(session: Session) -> Iterator[Finding]:
    """Versions of a subject are 1, 2, 3 … and the counter stands at the last."""
    log = (
        select(
            col(Change.subject_kind).label("kind"),
            col(Change.subject_id).label("id"),
            func.count().label("number"),
            func.min(col(Change.version)).label("low"),
            func.max(col(Change.version)).label("high"),
        )
        .group_by(col(Change.subject_kind), col(Change.subject_id))
        .subquery()
    )
    same = (
        col(SubjectVersion.subject_kind) == log.c.kind,
        col(SubjectVersion.subject_id) == log.c.id,
    )
    gaps = (
        select(log.c.kind, log.c.id)
        .outerjoin(SubjectVersion, (same[0]) & (same[1]))
        .where(
            or_(
                log.c.high - log.c.low + 1 != log.c.number,
                col(SubjectVersion.version).is_(None),
                col(SubjectVersion.version) != log.c.high,
            )
        )
    )
    for kind, subject_id in session.execute(gaps).fetchmany(_SHOWN):
        what = "文档版本与变更日志不符，应逐一增加"
        yield Finding(f"{kind} {subject_id}", what, _REINDEX)


def _deliveries(session: Session, now: datetime) -> Iterator[Finding]:
    owed = (
        select(col(Delivery.change_id), func.count().label("number"))
        .group_by(col(Delivery.change_id))
        .subquery()
    )
    lacking = session.scalar(
        select(func.count())
        .select_from(Change)
        .outerjoin(owed, owed.c.change_id == col(Change.id))
        .where(col(Change.at) > now - RECENT, func.coalesce(owed.c.number, 0) != len(Consumer))
    )
    if lacking:
        what = f"有{lacking}条变更没有通知到每一处（索引、匹配）"
        yield Finding("变更日志", what, _REINDEX)
    for consumer in Consumer:
        mine: Any = col(Delivery.consumer) == consumer
        held = _number(
            session,
            Delivery,
            mine,
            col(Delivery.state) == DeliveryState.CLAIMED,
            col(Delivery.available_at) < now - LAPSED,
        )
        if held:
            what = f"有{held}条变更已被{_PROCESS[consumer]}进程取走，但早已没有进展"
            yield Finding("变更日志", what, f"{_PROCESS[consumer]}进程没有在运行。{_START}")
        aside = _number(session, Delivery, mine, col(Delivery.state) == DeliveryState.ASIDE)
        if aside:
            what = f"有{aside}条变更多次处理失败，已搁置"
            yield Finding("变更日志", what, "原因见“运行”页面；排除后在那里重试")


_START: Final = "请启动它（zhihe up），几秒后再核对"


def jobs(session: Session, now: datetime) -> Iterator[Finding]:
    failed = select(Job).where(col(Job.state) == JobState.FAILED).order_by(col(Job.id))
    for job in session.scalars(failed.limit(_SHOWN)):
        what = f"{job.kind} 多次失败，已停止：{job.error or '没有记下原因'}"
        yield Finding(f"任务 {job.id}", what, "排除原因后，在“运行”页面重试")
    lapsed = select(Job).where(
        col(Job.state) == JobState.RUNNING, col(Job.available_at) < now - LAPSED
    )
    for job in session.scalars(lapsed.order_by(col(Job.id)).limit(_SHOWN)):
        what = f"{job.kind} 标为正在进行，但早已没有进展"
        yield Finding(f"任务 {job.id}", what, f"任务进程没有在运行。{_START}")


def _number(session: Session, table: Any, *where: Any) -> int:
    found: int = session.execute(select(func.count()).select_from(table).where(*where)).scalar_one()
    return found
