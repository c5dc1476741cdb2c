"""Wire types of periods."""

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from market.kit.wire import In, Out

MonthText = Annotated[str, StringConstraints(pattern=r"^(19|20)\d\d-(0[1-9]|1[0-2])$")]


class CloseIn(In):
    """A month to be closed, with all before it."""

    month: MonthText = Field(examples=["2026-10"])


class PeriodOut(Out):
    """A month of the statistics, amounts in fen: as closed, or as it is so far.

    `head_seq`, `head_hash`: the last transaction when it closed; `seal`: the number of the signed
    file outside the database.
    """

    month: str
    begins_on: date
    ends_on: date
    state: str
    count: int
    technical_fen: int
    total_fen: int
    closing_at: datetime | None
    closed_at: datetime | None
    automatic: bool
    head_seq: int | None
    head_hash: str | None
    seal: int | None
    may_close: bool


class PeriodsOut(Out):
    items: list[PeriodOut]
