"""What does not agree between registrations and the ledger."""

from collections.abc import Iterator

from sqlmodel import Session

from market.kit import notify
from market.kit.across import Finding
from market.ledger.audit import REMEDY
from market.registry import repository_audit as repository
from market.registry import waiting
from market.registry.models import PastRegistration, Registration


def audit(session: Session) -> Iterator[Finding]:
    yield from notify.differences(session, waiting.KINDS, waiting.tasks(session))
    for table, name in ((Registration, "登记"), (PastRegistration, "历史登记")):
        for public_id, number in repository.miscounted(session, table):
            what = f"登记编号{number}：账里没有这一笔，或编号、金额与登记的不同"
            yield Finding(f"{name} {public_id}", what, REMEDY)
        for public_id, number in repository.reversed_otherwise(session, table):
            what = f"登记编号{number}：登记的状态与账里是否冲回不一致"
            yield Finding(f"{name} {public_id}", what, REMEDY)
    for seq in repository.counted_without_registration(session):
        yield Finding("账", f"第{seq}号计入了一笔，但没有任何登记对应它", REMEDY)
