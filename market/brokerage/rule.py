"""Who is owed what for bringing two sides together (民法典 963–965), as a function of plain values.

- Paid only on success; else only the necessary cost that was agreed (964).
- The fee is by agreement: where no sum can be worked out it is to be negotiated, never guessed.
- Nothing said of who pays: the commissioning side. A clause that stands in the technology contract
  alone: both sides half.
- Going around a broker whose introduction was used still owes the fee (965, 跳单).

Days are calendar days in China, amounts fen, shares of a fee ten-thousandths.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from market.access.fees import Fee, Payer
from market.kit.shares import split


@dataclass(frozen=True, slots=True)
class MandateFact:
    """A mandate that was accepted. `over_on` is its last day, be it by term or ended before."""

    id: int
    agency: int
    principal: int
    begins_on: date
    over_on: date
    fee: Fee

    def covers(self, day: date) -> bool:
        return self.begins_on <= day <= self.over_on


@dataclass(frozen=True, slots=True)
class IntroductionFact:
    """A recorded introduction. `deal` is the negotiation that it led to, if both consented."""

    id: int
    broker: int
    mandate: MandateFact
    seller: int
    buyer: int
    achievement: int
    demand: int
    proposed_at: datetime
    proposed_on: date
    consented_at: datetime | None = None
    deal: int | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """A broker clause inside the technology contract, confirmed by both sides: brokers with their
    weights, and the fee.
    """

    brokers: tuple[tuple[int, int], ...]
    fee: Fee


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed contract. `sellers` and `buyers` are all parties of a side, `subjects` all listings
    that it is about. `met_at` is when the two sides first spoke of one of these by themselves: an
    inquiry or a deal of their own.
    """

    deal: int
    sellers: tuple[int, ...]  # the one that leads first
    buyers: tuple[int, ...]
    subjects: frozenset[int]
    total_fen: int
    technical_fen: int
    signed_on: date
    met_at: datetime | None = None
    clause: Clause | None = None

    def joins(self, one: IntroductionFact) -> bool:
        """Tell whether the two that were introduced stand on either side of the contract."""
        return any(
            seller in self.sellers and buyer in self.buyers
            for seller, buyer in ((one.seller, one.buyer), (one.buyer, one.seller))
        )


class Ground(StrEnum):
    """Why a broker is owed something, or nothing."""

    SUCCESS = "success"  # the introduction led to this contract
    CLAUSE = "clause"  # the contract itself promises it
    BYPASS = "bypass"  # the introduction was gone around: 跳单
    OVERTAKEN = "overtaken"  # another broker of the same side was first
    KNOWN = "known"  # the two sides had met before the introduction
    LATE = "late"  # signed after the time within which it counts
    OTHER_SUBJECT = "other_subject"  # another achievement and another demand
    UNMANDATED = "unmandated"  # introduced outside the mandate's term
    COST = "cost"  # no success: the agreed necessary cost

    @property
    def owed(self) -> bool:
        return self in (Ground.SUCCESS, Ground.CLAUSE, Ground.BYPASS, Ground.COST)


@dataclass(frozen=True, slots=True)
class Claim:
    """What one introduction, or the contract's clause, comes to.

    `amount_fen` is None where the fee has no figure, and 0 where nothing is owed. `payers` and
    `brokers` are (organisation, fen), each adding up to the amount; `weights` are those by which
    the brokers divide it, for a figure that comes later.
    """

    ground: Ground
    introduction: int | None
    amount_fen: int | None
    payers: tuple[tuple[int, int], ...] = ()
    brokers: tuple[tuple[int, int], ...] = ()
    weights: tuple[int, ...] = ()

    @property
    def bypassed(self) -> bool:
        return self.ground is Ground.BYPASS


def judge(
    signed: Signed, introductions: Sequence[IntroductionFact], *, bypass_days: int
) -> list[Claim]:
    """Return what each introduction of the contract's two sides comes to, those that led to it
    before those gone around, of each the first recorded first; and what the contract's own clause
    promises to brokers with no introduction.
    """
    found: list[Claim] = []
    paid_for: set[int] = set()  # principals whose fee has been earned
    named = {} if signed.clause is None else dict(signed.clause.brokers)
    of_pair = [one for one in introductions if signed.joins(one)]
    for ground, one in _in_order(signed, of_pair, bypass_days):
        principal = one.mandate.principal
        if not ground.owed:
            found.append(Claim(ground, one.id, 0))
        elif one.broker in named:
            # The clause, agreed last and by all, says what this broker gets.
            paid_for.add(principal)
        elif principal in paid_for:
            found.append(Claim(Ground.OVERTAKEN, one.id, 0))
        else:
            paid_for.add(principal)
            found.append(_owed(ground, signed, one))
    if signed.clause is not None:
        found.append(_by_clause(signed, signed.clause, of_pair))
    return found


def _in_order(
    signed: Signed, introductions: Sequence[IntroductionFact], bypass_days: int
) -> list[tuple[Ground, IntroductionFact]]:
    """Return introductions in the order in which they may earn: who led the two sides to this
    contract goes before who was gone around, however early.
    """
    found = [(_ground(signed, one, bypass_days), one) for one in introductions]
    return sorted(
        found,
        key=lambda pair: (
            pair[0] is not Ground.SUCCESS,
            pair[1].consented_at or pair[1].proposed_at,
            pair[1].id,
        ),
    )


def _ground(signed: Signed, one: IntroductionFact, bypass_days: int) -> Ground:
    if not one.mandate.covers(one.proposed_on):
        return Ground.UNMANDATED
    if one.deal == signed.deal and one.consented_at is not None:
        return Ground.SUCCESS
    if not signed.subjects & {one.achievement, one.demand}:
        return Ground.OTHER_SUBJECT
    if signed.met_at is not None and signed.met_at < one.proposed_at:
        return Ground.KNOWN
    if signed.signed_on > one.proposed_on + timedelta(days=bypass_days):
        return Ground.LATE
    return Ground.BYPASS


def _owed(ground: Ground, signed: Signed, one: IntroductionFact) -> Claim:
    fee, principal = one.mandate.fee, one.mandate.principal
    amount = fee.due(signed.total_fen, signed.technical_fen)
    (other,) = {one.seller, one.buyer} - {principal}
    payers = {
        Payer.COUNTERPART: [other],
        Payer.BOTH: [principal, other],
    }.get(fee.payer, [principal])
    return _claim(ground, one.id, amount, payers, [(one.broker, 1)])


def _by_clause(signed: Signed, clause: Clause, of_pair: Sequence[IntroductionFact]) -> Claim:
    amount = clause.fee.due(signed.total_fen, signed.technical_fen)
    seller, buyer = signed.sellers[0], signed.buyers[0]
    # Payer and counterpart are told from the seller's side, who drafts the contract.
    payers = {
        Payer.PRINCIPAL: [seller],
        Payer.COUNTERPART: [buyer],
    }.get(clause.fee.payer, [seller, buyer])
    brokers = {broker for broker, _ in clause.brokers}
    named = next((one.id for one in of_pair if one.broker in brokers), None)
    return _claim(Ground.CLAUSE, named, amount, payers, clause.brokers)


def _claim(
    ground: Ground,
    introduction: int | None,
    amount: int | None,
    payers: Sequence[int],
    brokers: Sequence[tuple[int, int]],
) -> Claim:
    whole = amount or 0
    return Claim(
        ground,
        introduction,
        amount,
        tuple(zip(payers, split(whole, [1] * len(payers)), strict=True)),
        tuple(
            zip(
                [broker for broker, _ in brokers],
                split(whole, [weight for _, weight in brokers]),
                strict=True,
            )
        ),
        tuple(weight for _, weight in brokers),
    )


def without_success(
    mandate: MandateFact, today: date, *, succeeded: bool, negotiating: bool = False
) -> Claim | None:
    """Return the necessary cost that a mandate owes once it is over without success; None where
    none was agreed, it is not over, the fee was earned, or a deal that it led to may still earn it.
    """
    if succeeded or negotiating or today <= mandate.over_on or not mandate.fee.cost_fen:
        return None
    payers, brokers = [mandate.principal], [(mandate.agency, 1)]
    return _claim(Ground.COST, None, mandate.fee.cost_fen, payers, brokers)
