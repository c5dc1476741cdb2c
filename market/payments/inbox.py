"""Stripe's events: kept once by their id, answered at once, handled by a job.

The job asks Stripe how the object stands now and brings ours there, so that neither the order nor
the number of deliveries matters; the mark that it was handled stands in the same transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.kit import jobs
from market.kit.ids import PublicId
from market.payments import captures, refunds, repository, repository_beside, waiting
from market.payments.seen import CardsRefused, Checkout, DisputeSeen, EventSeen, RefundSeen
from market.payments.stripe import EVENTS, Cards

KIND: Final = "payments.event"
UNKNOWN: Final = "不是这里的款项"


@dataclass(frozen=True, slots=True)
class Now:
    """How the object of an event stands at Stripe."""

    checkout: Checkout | None = None
    refunds: tuple[RefundSeen, ...] = ()
    dispute: DisputeSeen | None = None


def keep(session: Session, seen: EventSeen, at: datetime, *, by_sweep: bool = False) -> bool:
    """Keep an event of a kind that we ask for and owe its handling; return whether it was new."""
    if seen.type not in EVENTS:
        return False
    row = {
        "event": seen.id,
        "type": seen.type,
        "object_id": seen.object_id,
        "by_sweep": by_sweep,
        "received_at": at,
        "outcome": "",
    }
    if not repository_beside.insert_event(session, row):
        return False
    owe(session, seen.id, at)
    return True


def owe(session: Session, event: str, at: datetime, again: str = "") -> None:
    """Owe the handling of an event; `again` names a further try of one that hangs."""
    jobs.enqueue(session, KIND, f"{KIND}:{event}{again}"[:120], {"event": event}, at=at)


def look(cards: Cards, kind: str, about: str) -> Now:
    """Ask Stripe how the object of an event stands. Raises CardsDown."""
    for prefix, ask in _LOOKS.items():
        if kind.startswith(prefix):
            try:
                return ask(cards, about)
            except CardsRefused:  # there is no such object: of another account, or forged
                return Now()
    return Now()


def _checkout(cards: Cards, about: str) -> Now:
    return Now(checkout=cards.checkout(about))


def _refund(cards: Cards, about: str) -> Now:
    return Now(refunds=(cards.refund_seen(about),))


def _charge(cards: Cards, about: str) -> Now:
    intent = cards.intent_of_charge(about)
    return Now(refunds=tuple(cards.refunds(intent)) if intent else ())


def _dispute(cards: Cards, about: str) -> Now:
    return Now(dispute=cards.dispute(about))


_LOOKS: Final[dict[str, Callable[[Cards, str], Now]]] = {
    "checkout.session.": _checkout,
    "charge.refund.": _refund,
    "refund.": _refund,
    "charge.refunded": _charge,
    "charge.dispute.": _dispute,
}


def handle(session: Session, event: str, now: Now, at: datetime) -> None:
    """Bring what an event is about to how it stands, and mark the event, in one transaction.

    An amount that is not the one asked for changes nothing; the operators are told of it. Raises
    Undecided.
    """
    row = repository_beside.event(session, event)
    if row is None or row.handled_at is not None:
        return
    try:
        with session.begin_nested():
            outcome = _apply(session, now, at) or UNKNOWN
    except captures.Mismatch as error:
        outcome = f"金额不符：{error}"
        tell_of_mismatch(session, error, at)
    repository_beside.handle_event(session, event, at, outcome[:100])


def _apply(session: Session, now: Now, at: datetime) -> str:
    outcome = ""
    if now.checkout is not None:
        outcome = _apply_checkout(session, now.checkout, at)
    for seen in now.refunds:
        outcome = refunds.apply(session, seen, at)
    if now.dispute is not None:
        outcome = apply_dispute(session, now.dispute, at)
    return outcome


def tell_of_mismatch(session: Session, error: captures.Mismatch, at: datetime) -> None:
    payment = repository.payment(session, error.payment_id)
    waiting.tell_of_mismatch(session, payment, error.what, at)


def _apply_checkout(session: Session, seen: Checkout, at: datetime) -> str:
    attempt = repository.attempt_by_session(session, seen.id)
    if attempt is None and seen.attempt:
        attempt = repository.attempt_by_public_id(session, PublicId(seen.attempt))
    if attempt is None or (attempt.session and attempt.session != seen.id):
        return UNKNOWN
    return captures.of_card(session, attempt, seen, at)


def apply_dispute(session: Session, seen: DisputeSeen, at: datetime) -> str:
    """Tell the operators of a dispute; where it is lost, the money went back as by a refund.

    Raises Undecided.
    """
    attempt = repository.attempt_by_intent(session, seen.intent) if seen.intent else None
    if attempt is None:
        return UNKNOWN
    if seen.status in _DISPUTES_WON:
        return f"拒付{seen.status}"
    payment = repository.payment(session, attempt.payment_id)
    waiting.tell_of_dispute(session, payment, seen, at)
    if seen.status != "lost":
        return f"拒付{seen.status}"
    back = RefundSeen(seen.id, "", seen.intent, "succeeded", seen.amount_fen)
    return refunds.apply(session, back, at, refunds.LOST)


_DISPUTES_WON: Final = ("won", "warning_closed", "prevented")
