"""What does not agree in the books, in their chains and with the heads outside the database."""

from collections.abc import Iterator
from typing import Final

from sqlmodel import Session

from market.kit.across import Finding
from market.ledger import verify

REMEDY: Final = (
    "账只增不改，不要手工改数据库。先停下登记和撤回，保留现在的数据库，用最近一份核对无误的备份恢复，"
    "再把此后的登记补录；补录前把这条原文交给开发者"
)
CHAIN: Final = "密钥链"


def audit(session: Session) -> Iterator[Finding]:
    for what in verify.books(session):
        yield Finding("账", what, REMEDY)
    for what in verify.links(session):
        yield Finding(CHAIN, what, REMEDY)
