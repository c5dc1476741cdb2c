"""Rules of rewards and brokers that are data: what is due at least, and within what time."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, column

from market.kit.columns import Table, check, choice, day, fk, moment, one_of, pk, public_id, words
from market.kit.ids import PersonId, PublicId


class TransferRuleState(StrEnum):
    CURRENT = "current"
    ARCHIVED = "archived"


_CURRENT = column("state") == "current"


class TransferRule(Table, table=True):
    """Floors of the reward to completers (促进科技成果转化法 45), the time within which a deal
    around an introduction counts as 跳单, and how many days 协议定价 is publicised, from a day on.
    Shares in ten-thousandths.

    A row is never rewritten: an edit archives it and writes the next. `checked_on` is when somebody
    compared it with the official text.
    """

    __tablename__ = "transfer_rule"
    __table_args__ = (
        one_of("state", TransferRuleState),
        check(
            "shares_possible",
            "transfer_bp BETWEEN 0 AND 10000 AND equity_bp BETWEEN 0 AND 10000"
            " AND own_bp BETWEEN 0 AND 10000",
        ),
        check("years_ordered", "1 <= own_years_least AND own_years_least <= own_years_most"),
        check("bypass_positive", "bypass_days > 0"),
        check("publicity_positive", "publicity_days > 0"),
        Index(
            "uq_transfer_rule_current",
            "effective_from",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
    )

    id: int = pk()
    public_id: PublicId = public_id()
    effective_from: date = day()
    transfer_bp: int
    equity_bp: int
    own_bp: int
    own_years_least: int
    own_years_most: int
    bypass_days: int
    source: str = words(300)
    checked_on: date | None = day(nullable=True)
    state: str = choice(default=TransferRuleState.CURRENT)
    created_by: PersonId | None = fk("person.id", nullable=True, index=False)
    created_at: datetime = moment()
    archived_at: datetime | None = moment(nullable=True)
    publicity_days: int
