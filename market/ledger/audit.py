"""What does not agree in the books."""

from collections.abc import Iterator

from sqlmodel import Session

from market.kit.across import Finding
from market.ledger import service

REMEDY = (
    "账只增不改，不要手工改数据库。先停下登记和撤回，保留现在的数据库，用最近一份核对无误的备份恢复，"
    "再把此后的登记补录；补录前把这条原文交给开发者"
)


def audit(session: Session) -> Iterator[Finding]:
    for what in service.verify(session):
        yield Finding("账", what, REMEDY)
