"""What does not agree in rewards."""

from collections.abc import Iterator

from sqlmodel import Session

from market.kit.across import Finding
from market.rewards import repository


def audit(session: Session) -> Iterator[Finding]:
    """Yield rewards whose shares do not add up to them."""
    for public_id, amount, parts in repository.uneven(session):
        yield Finding(
            f"奖励{public_id}", f"各人合计应为{amount}，现在是{parts}", "核对说明的原件，重新填写"
        )
