"""Wire types of the board."""

from datetime import date

from pydantic import Field

from market.kit.wire import Out
from market.rules.schemas import PlanOut


class FigureOut(Out):
    """Registered contracts, amounts in fen; all null where left out for the public. `as_of` is null
    where the figure is of the day of its board, else the earlier close that it is told of.
    """

    key: str
    label: str
    count: int | None
    technical_fen: int | None
    total_fen: int | None
    as_of: date | None


class SellerOut(Out):
    """`id` is null for a seller that is no organisation of the market."""

    id: str | None
    figure: FigureOut


class PaceOut(Out):
    day: int
    days: int
    expected_fen: int
    gap_fen: int
    share: float
    left_fen: int
    monthly_need_fen: int | None


class BoardOut(Out):
    """`outgoing` (输出) counts for the plan; `incoming` (吸纳) is never added to it.

    `exact` is false for the public: figures of fewer than five contracts are left out together
    with a second one, and all figures are as of `as_of`, the end of a closed month. `earlier` are
    the years before the plan's period, in no other figure.
    """

    plan: PlanOut
    as_of: date
    exact: bool
    outgoing: FigureOut
    incoming: FigureOut
    both: FigureOut
    pace: PaceOut | None
    years: list[FigureOut]
    months: list[FigureOut]
    types: list[FigureOut]
    fields: list[FigureOut]
    sellers: list[SellerOut]
    recent_monthly_fen: int | None
    earlier: list[FigureOut]


class BoardPage(Out):
    """`board` is null where the bureau has set no plan."""

    board: BoardOut | None


class PublicContractOut(Out):
    """Names and sums only where both sides agreed."""

    month: str = Field(examples=["2026-11"])
    type: str = Field(validation_alias="contract_type")
    field: int
    project_name: str | None
    seller_name: str | None
    buyer_name: str | None
    technical_fen: int | None
    total_fen: int | None


class PublicContractsOut(Out):
    items: list[PublicContractOut]
    total: int


class LineOut(Out):
    """One transaction; a reversal's amounts are negative, `original_on` the day it takes out.

    It counts a `registration` of this market or a `past_registration`; the other is null.
    """

    registration: str | None
    past_registration: str | None
    kind: str
    number: str | None
    effective_on: date
    original_on: date | None
    project_name: str
    type: str
    sub_type: str
    field: int
    seller_name: str
    buyer_name: str
    technical_fen: int
    total_fen: int


class LinesOut(Out):
    """The lines that a figure is the sum of; `sum` is of all pages."""

    items: list[LineOut]
    total: int
    sum: FigureOut
    since: date | None
    until: date | None
