"""What the board, the home page and the lists of contracts show."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from market.insight.pace import Pace
from market.insight.repository import Origin
from market.kit.ids import OrganisationId, PublicId
from market.ledger.models import Transaction
from market.ledger.schemas import Sum
from market.rules.models import Plan


@dataclass(frozen=True, slots=True)
class Figure:
    """A sum of registered contracts, amounts in fen.

    All three are None where the figure is left out for the public, which is not 0. `as_of` is the
    day of a public one that is told as it was at an earlier close than its board.
    """

    key: str
    label: str
    count: int | None
    technical_fen: int | None
    total_fen: int | None
    as_of: date | None = None

    @property
    def shown(self) -> bool:
        return self.technical_fen is not None


def figure(found: Sum, label: str = "") -> Figure:
    return Figure(
        found.key, label or found.label, found.count, found.technical_fen, found.total_fen
    )


@dataclass(frozen=True, slots=True)
class Seller:
    """A seller's figure, for the bureau; `id` is None for one that is no organisation here."""

    id: PublicId | None
    figure: Figure


@dataclass(frozen=True, slots=True)
class Board:
    """The registered contracts of the current plan, by the day of registration, as of a day: today,
    or for the public the end of a closed month.

    `exact` is the ledger itself, for the bureau; else figures of few contracts are left out, and
    `sellers` and `recent_monthly_fen` with them. `outgoing` counts for the plan; `incoming` is a
    view by the buyer's region and is never added, `both` is what stands in the two.
    `points` are (day, fen so far) for the curve. `earlier` are the years before the plan's period,
    for comparison: they are part of no other figure.
    """

    plan: Plan
    as_of: date
    exact: bool
    outgoing: Figure
    incoming: Figure
    both: Figure
    pace: Pace | None
    years: tuple[Figure, ...]
    months: tuple[Figure, ...]
    types: tuple[Figure, ...]
    fields: tuple[Figure, ...]
    sellers: tuple[Seller, ...]
    points: tuple[tuple[date, int], ...]
    recent_monthly_fen: int | None
    earlier: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class PublicContract:
    """A registered contract as anyone may know it: names and sums only where both sides agreed."""

    month: str
    contract_type: str
    field: int
    project_name: str | None
    seller_name: str | None
    buyer_name: str | None
    technical_fen: int | None
    total_fen: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """One transaction of the ledger with what is behind it, and what it moves within the figure:
    a reversal takes out, a change moves the difference.

    `said` has type, field, names: the transaction's own; for a party that a change has taken out,
    those before it.
    """

    transaction: Transaction
    said: Transaction
    origin: Origin
    moved: Sum


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of the transactions that a figure is the sum of."""

    rows: Sequence[Line]
    number: int
    sum: Figure
    since: date | None
    until: date | None
    seller_id: OrganisationId | None


@dataclass(frozen=True, slots=True)
class HomeFigures:
    """Progress as anyone may know it on `as_of`, and how many contracts were registered in
    `recent_days`.
    """

    plan: Plan | None
    as_of: date
    outgoing: Figure | None
    pace: Pace | None
    recent_count: int
    recent_days: int
    registered: int
