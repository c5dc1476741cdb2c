"""Where a deal stands and what is next, as codes; the templates have the words.

The path is 洽谈 → 公示 → 签约 → 登记 → 入账; 公示 is left out where no price has to be found by
law, and named 挂牌 or 拍卖 where the seller chose that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from market.accounts.work import Work
from market.deals.models import Contract
from market.deals.views import DealRow, Stage
from market.deals.vocabulary import PricingState, Side
from market.registry import service as registry
from market.registry.models import Registration, RegistrationState


class Point(StrEnum):
    """The finest word there is for where a deal stands."""

    TALKING = "talking"
    PROPOSED = "proposed"
    UNPRICED = "unpriced"
    PUBLICISED = "publicised"
    CONTESTED = "contested"
    LISTED = "listed"
    UNDRAFTED = "undrafted"
    DRAFTED = "drafted"
    SIGNED = "signed"
    REGISTERING = "registering"
    CORRECTING = "correcting"
    NOT_REGISTERED = "not_registered"
    COUNTED = "counted"
    OBJECTED = "objected"
    ENDED = "ended"
    LOST = "lost"


OVER = frozenset({Point.COUNTED, Point.OBJECTED, Point.ENDED})
"""The registration is decided; what follows is the registry's alone."""
_POINTS = {
    RegistrationState.DRAFT: Point.SIGNED,
    RegistrationState.SUBMITTED: Point.REGISTERING,
    RegistrationState.CORRECTION: Point.CORRECTING,
    RegistrationState.ACCEPTED: Point.REGISTERING,
    RegistrationState.EXPERT_REVIEW: Point.REGISTERING,
    RegistrationState.REGISTERED: Point.COUNTED,
    RegistrationState.CHANGED: Point.COUNTED,
    RegistrationState.OBJECTION: Point.OBJECTED,
    RegistrationState.NOT_REGISTERED: Point.NOT_REGISTERED,
    RegistrationState.CANCELLED: Point.ENDED,
    RegistrationState.REVOKED: Point.ENDED,
    RegistrationState.WITHDRAWN: Point.SIGNED,
}


@dataclass(frozen=True, slots=True)
class DealLine:
    """A deal in a list, with its registration."""

    row: DealRow
    registration: Registration | None
    point: Point
    today: date

    @property
    def amount_fen(self) -> int | None:
        """Return what the deal is about: the contract's total, or the newest terms' amount, by
        which alone a deal is negotiated anew.
        """
        if self.row.contract is not None and self.row.stage is not Stage.NEGOTIATION:
            return self.row.contract.total_fen
        return self.row.terms.amount_fen if self.row.terms is not None else None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the path; `state` is the design's."""

    key: str
    state: str


def lines(work: Work, rows: Sequence[DealRow]) -> list[DealLine]:
    signed = [row.contract.id for row in rows if row.contract and row.stage is Stage.SIGNED]
    registrations = registry.newest_of(work, signed)
    found = []
    for row in rows:
        registration = registrations.get(row.contract.id) if row.contract else None
        found.append(DealLine(row, registration, _point(row, registration), work.today))
    return found


def _point(row: DealRow, registration: Registration | None) -> Point:
    if row.stage is Stage.LOST:
        return Point.LOST
    if row.stage is Stage.SIGNED:
        return _registered(registration)
    if row.stage is Stage.NEGOTIATION:
        return Point.PROPOSED if row.deal.terms_version else Point.TALKING
    if row.stage is Stage.PRICING:
        return _priced(row)
    return Point.DRAFTED if row.contract is not None else Point.UNDRAFTED


def _priced(row: DealRow) -> Point:
    if row.pricing is None:
        return Point.UNPRICED
    if row.contested:
        return Point.CONTESTED
    return Point.LISTED if row.pricing.state == PricingState.LISTED else Point.PUBLICISED


def _registered(registration: Registration | None) -> Point:
    if registration is None:
        return Point.SIGNED
    return _POINTS[RegistrationState(registration.state)]


def steps(line: DealLine) -> list[Step]:
    """Return the path with what is done, what is now, what is to do."""
    row = line.row
    keys = ["talk", "price", "sign", "register", "count"]
    if row.pricing is None and not row.pricing_applies:
        keys.remove("price")
    now = {
        Stage.NEGOTIATION: "talk",
        Stage.PRICING: "price",
        Stage.SIGNING: "sign",
        Stage.SIGNED: "register",
        Stage.LOST: "",
    }[row.stage]
    if line.point is Point.LOST:
        return [Step(key, "stop" if key == "talk" else "todo") for key in keys]
    if line.point in (Point.COUNTED, Point.OBJECTED):
        return [Step(key, "done") for key in keys]
    if line.point is Point.ENDED:
        states = {"register": "stop", "count": "todo"}
        return [Step(key, states.get(key, "done")) for key in keys]
    reached = keys.index(now)
    return [
        Step(key, "done" if place < reached else "now" if place == reached else "todo")
        for place, key in enumerate(keys)
    ]


# What the seller and the buyer do or wait for.
_NEXT = {
    Point.UNPRICED: ("price", "wait_price"),
    Point.LISTED: ("dealt", "wait_dealt"),
    Point.CONTESTED: ("handle", "wait_handle"),
    Point.UNDRAFTED: ("draft", "wait_draft"),
    Point.SIGNED: ("register", "wait_register"),
    Point.CORRECTING: ("correct", "wait_correct"),
}
_SAME = OVER | {Point.LOST, Point.REGISTERING, Point.NOT_REGISTERED}
"""Where everybody is told the same."""


def next_step(line: DealLine) -> str:
    """Return the code of what the actor should do or wait for; `_next.html` has its words."""
    row, side = line.row, line.row.side
    if line.point in _SAME:
        return line.point.value
    if side is None:
        return "broker"
    if line.point in _NEXT:
        return _NEXT[line.point][side is Side.BUYER]
    if line.point is Point.PUBLICISED:
        return "wait_publicity" if row.contract else _NEXT[Point.UNDRAFTED][side is Side.BUYER]
    if line.point is Point.DRAFTED and row.contract is not None:
        return "wait_sign" if confirmed(row.contract, side) else "sign"
    return _terms_step(row, side)


def _terms_step(row: DealRow, side: Side) -> str:
    if row.terms is None:
        return "propose"
    deal = row.deal
    mine = deal.seller_confirmed if side is Side.SELLER else deal.buyer_confirmed
    return "wait_confirm" if mine == row.terms.version else "confirm"


def confirmed(contract: Contract, side: Side) -> bool:
    at = contract.seller_confirmed_at if side is Side.SELLER else contract.buyer_confirmed_at
    return at is not None
