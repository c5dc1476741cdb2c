"""What Stripe takes at least and at most in CNY: dated data with its source."""

from datetime import UTC, date, datetime
from typing import Final

from sqlmodel import Session

from market.payments import repository_beside
from market.payments.models import CardLimit

SOURCE: Final = (
    "Stripe 文档“Supported currencies”的最小、最大金额：每笔至少为结算货币0.50美元的等值，"
    "人民币按不低于4.00元取；金额以分计最多八位数"
)


def seed(session: Session) -> None:
    """Write the first limits where there are none; `checked_on` stays empty until somebody holds
    them against the source.
    """
    if repository_beside.card_limit(session, date.max) is None:
        session.add(
            CardLimit(
                effective_from=date(2020, 1, 1),
                least_fen=400,
                most_fen=99_999_999,
                source=SOURCE,
                created_at=datetime(2026, 11, 30, tzinfo=UTC),
            )
        )
        session.flush()
