"""What does not agree in the books, in their chains and with the heads outside the database."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from market.kit.across import Finding
from market.kit.clock import local_text
from market.ledger import repository_verify, verify

REMEDY: Final = (
    "账只增不改，不要手工改数据库。先停下登记和撤回，保留现在的数据库，用最近一份核对无误的备份恢复，"
    "再把此后的登记补录；补录前把这条原文交给开发者"
)
CHAIN: Final = "密钥链"
UNSIGNED: Final = timedelta(hours=36)
"""A night and what may hold it up: longer than that, an end cut off would be seen by no head."""


def audit(session: Session) -> Iterator[Finding]:
    for what in verify.books(session):
        yield Finding("账", what, REMEDY)
    for what in verify.links(session):
        yield Finding(CHAIN, what, REMEDY)


def unsigned(session: Session, now: datetime) -> Iterator[Finding]:
    """Yield that no head was signed for long: the nightly job does not run, or was kept from it."""
    signed = [one.at for one in repository_verify.seals(session)]
    since = max(signed) if signed else repository_verify.begun(session)
    if since is None or now < since + UNSIGNED:
        return
    what = f"从{local_text(since)}起没有签下账头，此后的账被截去一段也看不出来"
    remedy = (
        "启动任务进程，或运行 zhihe ledger heads；任务进程一直在运行的，是有人动过数据库里的任务，"
        "先保留现场，用最近的备份对照账册的末笔"
    )
    yield Finding("账头", what, remedy)
