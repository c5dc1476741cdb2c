"""What does not agree in brokerage."""

from collections.abc import Iterator

from sqlmodel import Session

from market.brokerage import repository, waiting
from market.kit import notify
from market.kit.across import Finding


def audit(session: Session) -> Iterator[Finding]:
    """Yield commissions whose parts do not add up, and tasks that nothing waits for."""
    for public_id, role, amount, parts in repository.unbalanced(session):
        side = "各付款方" if role == "payer" else "各机构"
        yield Finding(
            f"报酬{public_id}",
            f"{side}合计应为{amount}分，现在是{parts}分",
            "核对这笔报酬的约定，更正分配",
        )
    yield from notify.differences(session, waiting.KINDS, waiting.tasks(session))
