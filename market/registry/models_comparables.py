"""Groups of like registered contracts, whose prices are told in bands only. 可比交易

A contract enters one group, once, when its quarter is over, and neither a group nor its bands ever
change; so answers are made of whole groups, and what two answers differ by is a group as well.
"""

from datetime import date
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index
from sqlmodel import Field

from market.kit.columns import BIG, Table, check, day, fk, pk, words
from market.kit.ids import TransactionId


class ComparableGroup(Table, table=True):
    """Contracts of one field and type that say much the same, counted before `until`.

    `bands` holds [lowest fen or null, first fen above or null, contracts] in rising order, on edges
    that hold for all groups; each has at least five contracts.
    """

    __tablename__ = "comparable_group"
    __table_args__ = (
        check("field_known", "field BETWEEN 1 AND 11"),
        check("size_positive", "size > 0"),
        Index("ix_comparable_group_kind", "contract_type", "field"),
    )

    id: int = pk()
    field: int
    contract_type: str = words(8)
    until: date = day()
    size: int
    bands: list[Any] = Field(default_factory=list, sa_type=JSON)


class ComparableMember(Table, table=True):
    """Which group a counted contract is in, and in which of its bands.

    `transaction_id` is what was said of the contract last when the group was formed: its
    registration, or the change since which it was so.
    """

    __tablename__ = "comparable_member"
    __table_args__ = (check("band_known", "band >= 0"),)

    transaction_id: TransactionId = Field(
        primary_key=True, sa_type=BIG, sa_column_args=(ForeignKey("ledger_transaction.id"),)
    )
    group_id: int = fk("comparable_group.id")
    band: int
