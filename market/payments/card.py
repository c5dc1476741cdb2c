"""Paying by card: an attempt is a row before Stripe is asked, and Stripe is asked outside of any
transaction. Its session is one however often it is asked for.

    begin    a transaction: the one live attempt of the payment, made where there is none
    ask      no transaction: Stripe makes the session of that attempt, or has made it
    keep     a transaction: the session and where the browser goes

The browser is sent on only after `keep` has been committed, so nobody pays by a session that is not
written here.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlmodel import Session

from market.accounts.work import Work
from market.kit import jobs
from market.kit.clock import local_date
from market.kit.errors import Conflict, Unavailable
from market.kit.ids import PaymentId, PublicId, new_public_id
from market.kit.money import yuan_in_words
from market.payments import captures, repository, repository_beside, service, waiting
from market.payments.models import Attempt, Payment
from market.payments.seen import Asked, CardsDown, CardsRefused, Checkout
from market.payments.states import PAYABLE, AttemptState, PaymentState
from market.payments.stripe import Cards
from market.payments.ways import NO_CARDS, Ways

OPEN_FOR: Final = timedelta(hours=2)
"""How long a session can be paid by; Stripe wants 30 minutes to 24 hours."""
DOWN: Final = "支付服务暂时没有应答，没有扣款；请稍后再试，不会重复扣款"
REFUSED: Final = "支付服务没有受理这笔款项，请改用银行转账"
OTHERWISE: Final = "支付服务说的金额与这里不同，没有入账；运营人员已收到消息，会核对"
LOOK: Final = "payments.look"
OVER: Final = {
    PaymentState.PAID: "这笔款项已经付清，不用再付",
    PaymentState.PART_REFUNDED: "这笔款项已经退过款，不能再付",
    PaymentState.REFUNDED: "这笔款项已经退款，不能再付",
    PaymentState.CANCELLED: "这笔款项已经取消",
}
"""What is said of a payment that takes no money any more."""


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that Stripe is to be asked for; `url` where it was asked and answered before."""

    attempt: PublicId
    payment: PublicId
    title: str
    amount_fen: int
    url: str
    asked_before: bool
    unanswered: int
    created_at: datetime
    expires_at: datetime
    back: str


def refused(session: Session, ways: Ways, payment: Payment, now: datetime) -> str:
    """Return why a payment cannot be paid by card; "" where it can."""
    if PaymentState(payment.state) not in PAYABLE:
        return OVER[PaymentState(payment.state)]
    if why := service.not_owed(session, payment):
        return why
    if ways.cards is None:
        return NO_CARDS
    return _outside_the_limits(session, payment.amount_fen - payment.paid_fen, now)


def _outside_the_limits(session: Session, left: int, now: datetime) -> str:
    limit = repository_beside.card_limit(session, local_date(now))
    if limit is None:
        return "还没有登记在线支付的限额，请改用银行转账"
    if left < limit.least_fen:
        return f"在线支付每笔不少于{yuan_in_words(limit.least_fen)}，请改用银行转账"
    if left > limit.most_fen:
        return f"在线支付每笔不超过{yuan_in_words(limit.most_fen)}，请改用银行转账"
    return ""


def begin(work: Work, ways: Ways, public_id: PublicId, back: str) -> Begun:
    """Return the attempt of a payment, a new one where none lives. `back` is the page to return to.

    Raises NotFound, Forbidden, Conflict with the way by bank where it cannot be paid by card.
    """
    payment = service.own(work, public_id)
    payment = repository.hold_payment(work.session, payment.id)
    if why := refused(work.session, ways, payment, work.now):
        raise Conflict(why)
    left = payment.amount_fen - payment.paid_fen
    _attempt(work, payment, left, back)
    live = repository.live_attempt(work.session, payment.id)
    assert live is not None
    if live.state == AttemptState.PROCESSING:
        raise Conflict("这笔款项正在处理，请稍后查看结果")
    if live.amount_fen != left:
        raise Conflict(
            "有一次在线支付还没有结束，金额与现在应付的不同；"
            f"{service.until(live)}以后可以再付，或者从银行转账"
        )
    begun = Begun(
        live.public_id,
        payment.public_id,
        payment.title,
        live.amount_fen,
        live.url,
        live.asked > 0,
        live.unanswered,
        live.created_at,
        live.expires_at,
        live.back,
    )
    # What was there before: the update changes the row in hand, too.
    repository.ask(work.session, live.id)
    key = f"{LOOK}:{live.public_id}"
    over = live.expires_at + service.SLACK
    jobs.enqueue(work.session, LOOK, key, {"attempt": live.public_id}, at=over)
    work.touched("payment", payment.public_id)
    return begun


def _attempt(work: Work, payment: Payment, amount: int, back: str) -> None:
    """Write the live attempt of a payment where there is none."""
    repository.begin_attempt(
        work.session,
        {
            "public_id": new_public_id(),
            "payment_id": payment.id,
            "amount_fen": amount,
            "state": AttemptState.WANTED,
            "asked": 0,
            "unanswered": 0,
            "session": "",
            "intent": "",
            "url": "",
            "back": back[:300],
            "expires_at": work.now + OPEN_FOR,
            "created_by": work.actor.person,
            "created_at": work.now,
        },
    )


def ask(cards: Cards, begun: Begun) -> Checkout | None:
    """Return the session of an attempt from Stripe, None where it refuses. Raises CardsDown.

    Whoever asked before may have been answered without hearing it: that session is looked for.
    """
    if begun.asked_before:
        found = cards.find_checkout(begun.attempt, begun.created_at - service.SLACK)
        if found is not None:
            return found
    asked = Asked(
        attempt=begun.attempt,
        unanswered=begun.unanswered,
        payment=begun.payment,
        title=begun.title,
        amount_fen=begun.amount_fen,
        done_url=f"{begun.back}/returned",
        back_url=begun.back,
        expires_at=begun.expires_at,
    )
    try:
        return cards.open_checkout(asked)
    except CardsRefused:
        return None


def keep(session: Session, public_id: PublicId, seen: Checkout | None, at: datetime) -> str:
    """Write down what Stripe said; return where the browser goes: to Stripe, or back to the page of
    the payment where it is paid by now; "" where Stripe refused or the attempt is over. Raises
    Mismatch.
    """
    attempt = repository.attempt_by_public_id(session, public_id)
    assert attempt is not None
    repository.hold_payment(session, attempt.payment_id)
    session.refresh(attempt)
    if seen is not None:
        captures.of_card(session, attempt, seen, at)
    elif attempt.state == AttemptState.WANTED:  # else another press was not refused
        repository.move_attempt(session, attempt, AttemptState.FAILED)
    if attempt.state == AttemptState.OPEN:
        return attempt.url
    return attempt.back if attempt.state in (AttemptState.PAID, AttemptState.PROCESSING) else ""


Opened = Callable[[], AbstractContextManager[Work]]
"""Opens a writing transaction of the one who pays."""


def pay(opened: Opened, ways: Ways, public_id: PublicId, back: str) -> str:
    """Return where the browser goes to pay: `begin`, `ask` and `keep` one after another.

    Raises what `begin` raises; Conflict where Stripe refuses or says another amount; Unavailable
    where it does not answer, which charges nobody and may be pressed again.
    """
    with opened() as work:
        begun = begin(work, ways, public_id, back)
        over = bool(begun.url) and begun.expires_at <= work.now
    if over:  # nobody can pay by it any more: what became of it is looked at first
        check(opened, ways, public_id)
        with opened() as work:
            begun = begin(work, ways, public_id, back)
    if begun.url:
        return begun.url
    assert ways.cards is not None
    try:
        with ways.cards.turn():
            seen = ask(ways.cards, begun)
    except CardsDown:
        with opened() as work:
            repository.not_answered(work.session, begun.attempt, begun.unanswered)
        raise Unavailable(DOWN) from None
    url: str | None = None
    with opened() as work:
        work.touched("payment", public_id)
        with _telling(work, public_id):
            url = keep(work.session, begun.attempt, seen, work.now)
    if not url:
        raise Conflict(OTHERWISE if url is None else REFUSED)
    return url


@contextmanager
def _telling(work: Work, public_id: PublicId) -> Iterator[None]:
    """Write down what Stripe said; where that is not what was asked for, tell the operators."""
    try:
        with work.session.begin_nested():
            yield
    except captures.Mismatch as error:
        payment = service.own(work, public_id)
        waiting.tell_of_mismatch(work.session, payment, error.what, work.now)


def check(opened: Opened, ways: Ways, public_id: PublicId) -> None:
    """Bring the live attempt of a payment to where it stands at Stripe, at the payer's asking.

    Raises NotFound, Forbidden, Unavailable where Stripe does not answer.
    """
    with opened() as work:
        payment = service.own(work, public_id)
        live = repository.live_attempt(work.session, payment.id)
        wanted = live is not None and needed(work.session, live, payment)
    if live is None or ways.cards is None:
        return
    try:
        with ways.cards.turn():
            seen = looked(ways.cards, live, needed=wanted)
    except CardsDown:
        raise Unavailable("支付服务暂时没有应答，请稍后再查") from None
    with opened() as work:
        work.touched("payment", public_id)
        with _telling(work, public_id):
            settle(work.session, live.public_id, seen, work.now)


def owe_look(session: Session, payment_id: PaymentId, at: datetime) -> None:
    """Owe a look at the session that is open for a payment, if any: something else came in."""
    live = repository.live_attempt(session, payment_id)
    if live is not None:
        key = f"{LOOK}:{live.public_id}:{at:%Y%m%d%H%M%S}"
        jobs.enqueue(session, LOOK, key, {"attempt": live.public_id}, at=at)


def needed(session: Session, attempt: Attempt, payment: Payment) -> bool:
    """Tell whether a payment still is to be paid by an attempt."""
    left = payment.amount_fen - payment.paid_fen
    return left == attempt.amount_fen and service.takes_money(session, payment)


def looked(cards: Cards, attempt: Attempt, *, needed: bool) -> Checkout | None:
    """Return an attempt's session as it stands at Stripe, ended where it is `needed` no more; None
    where there is none, or none of this account's. Raises CardsDown.
    """
    if attempt.session:
        with suppress(CardsRefused):
            return (cards.checkout if needed else cards.end_checkout)(attempt.session)
        return None
    return cards.find_checkout(attempt.public_id, attempt.created_at - service.SLACK)


def settle(session: Session, public_id: PublicId, seen: Checkout | None, at: datetime) -> str:
    """Write down what `looked` found. Raises Mismatch."""
    attempt = repository.attempt_by_public_id(session, public_id)
    assert attempt is not None
    if seen is None:
        repository.hold_payment(session, attempt.payment_id)
        session.refresh(attempt)
        unpaid = attempt.state in (AttemptState.WANTED, AttemptState.OPEN)
        if unpaid and service.over(attempt, at):
            repository.move_attempt(session, attempt, AttemptState.EXPIRED)
        return str(attempt.state)
    return captures.of_card(session, attempt, seen, at)
