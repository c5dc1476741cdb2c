"""The jobs of payments: each asks Stripe outside of a transaction and writes down what it said in
one. Run twice, killed anywhere or in any order, they end in the same state.

The sweep asks for what no webhook delivered, re-runs what hangs, and looks at whatever is under
way: should Stripe's deliveries all be lost, it finds the same state some minutes later.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session

from market.accounts.work import Parts
from market.kit import jobs
from market.kit.ids import PublicId
from market.kit.jobs import Chunk, Handler, Job, Steps
from market.operations import marks
from market.payments import captures, card, inbox, refunds, repository, repository_beside, transfers
from market.payments.models import Attempt, Refund
from market.payments.seen import CardsRefused, DisputeSeen, EventSeen, RefundSeen
from market.payments.states import AttemptState, RefundState, TransferState
from market.payments.stripe import Cards

SWEEP: Final = "payments.sweep"
EVERY: Final = timedelta(minutes=5)
HANGS: Final = timedelta(minutes=10)
BACK: Final = timedelta(days=29)
"""How far back undelivered events are asked for: Stripe lists them for thirty days."""


def handlers(parts: Parts, cards: Cards | None) -> Mapping[str, Handler]:
    """Return the jobs; none without Stripe's keys, so that they wait until there are some."""
    if cards is None:
        return {}
    work = _Working(parts, cards)
    return {
        inbox.KIND: Steps(work.look_at_event, work.handle_event, _given_up),
        card.LOOK: Steps(work.look_at_attempt, work.settle_attempt, _given_up),
        refunds.REFUND: Steps(work.ask_refund, work.settle_refund, _given_up),
        captures.RETURNS: Steps(work.ask_returns, work.settle_returns, _given_up),
        transfers.TRANSFER: Steps(work.ask_transfer, work.settle_transfer, _given_up),
        SWEEP: Steps(work.ask_missed, work.keep_missed, _given_up),
    }


def _given_up(_session: Session, _job: Job) -> None:
    """The operators are told; the sweep tries again later."""


class Sweeping:
    """Owes a sweep now and then; asked at every turn of the worker."""

    def __init__(self, parts: Parts, cards: Cards | None) -> None:
        self._parts = parts
        self._cards = cards
        self._owed: datetime | None = None

    def owe(self) -> None:
        now = self._parts.clock.now()
        if self._cards is None or (self._owed is not None and now < self._owed + EVERY):
            return
        with self._parts.database.write() as session:
            owe_sweep(session, now)
        self._owed = now


def owe_sweep(session: Session, now: datetime) -> None:
    jobs.enqueue(session, SWEEP, f"{SWEEP}:{slot(now)}", {}, at=now)


def slot(now: datetime) -> int:
    """Return the number of the stretch of EVERY in which a moment lies: keys of one stretch are
    the same.
    """
    return int(now.timestamp() // EVERY.total_seconds())


class _Working:
    def __init__(self, parts: Parts, cards: Cards) -> None:
        self._parts = parts
        self._cards = cards

    def look_at_event(self, job: Job) -> inbox.Now | None:
        with self._parts.database.read() as session:
            row = repository_beside.event(session, job.payload["event"])
        if row is None or row.handled_at is not None:
            return None
        return inbox.look(self._cards, row.type, row.object_id)

    def handle_event(self, session: Session, job: Job, now: inbox.Now | None) -> Chunk:
        if now is not None:
            inbox.handle(session, job.payload["event"], now, self._parts.clock.now())
        return Chunk(None)

    def look_at_attempt(self, job: Job) -> Any:
        """Return (the session as it stands), None where there is nothing to look at any more."""
        with self._parts.database.read() as session:
            row = repository.attempt_by_public_id(session, PublicId(job.payload["attempt"]))
            if row is None or row.state in _OVER:
                return None
            needed = card.needed(session, row, repository.payment(session, row.payment_id))
        return (card.looked(self._cards, row, needed=needed),)

    def settle_attempt(self, session: Session, job: Job, seen: Any) -> Chunk:
        if seen is not None:
            at = self._parts.clock.now()
            try:
                with session.begin_nested():
                    card.settle(session, PublicId(job.payload["attempt"]), seen[0], at)
            except captures.Mismatch as error:
                inbox.tell_of_mismatch(session, error, at)
        return Chunk(None)

    def ask_refund(self, job: Job) -> RefundSeen | None:
        """Return a refund as it stands at Stripe, made where there is none; None where Stripe will
        not make it.

        It is looked for before every asking: Stripe forgets keys after a day, and a job that was
        given up may be run again after that.
        """
        with self._parts.database.read() as session:
            row = repository.refund_by_public_id(session, PublicId(job.payload["refund"]))
            assert row is not None
            capture = repository.capture(session, row.capture_id)
            assert capture.attempt_id is not None
            intent = repository.attempt(session, capture.attempt_id).intent
        if row.stripe_id:
            return self._cards.refund_seen(row.stripe_id)
        found = [one for one in self._cards.refunds(intent) if one.ours == row.public_id]
        if found:
            return found[0]
        try:
            return self._cards.refund(row.public_id, intent, row.amount_fen)
        except CardsRefused:
            return None

    def settle_refund(self, session: Session, job: Job, seen: RefundSeen | None) -> Chunk:
        at = self._parts.clock.now()
        row = repository.refund_by_public_id(session, PublicId(job.payload["refund"]))
        assert row is not None
        if seen is not None:
            captures.of_refund(session, row, seen, at)
        elif row.state == RefundState.WANTED:
            captures.refund_failed(session, row, at)
        return Chunk(None)

    def ask_returns(self, job: Job) -> tuple[list[RefundSeen], list[DisputeSeen]]:
        """Return what went back, or is wanted back, before its payment was known."""
        intent = job.payload["intent"]
        return self._cards.refunds(intent), self._cards.disputes(intent)

    def settle_returns(
        self, session: Session, _job: Job, found: tuple[list[RefundSeen], list[DisputeSeen]]
    ) -> Chunk:
        at = self._parts.clock.now()
        for seen in found[0]:
            refunds.apply(session, seen, at)
        for dispute in found[1]:
            inbox.apply_dispute(session, dispute, at)
        return Chunk(None)

    def ask_transfer(self, job: Job) -> str | None:
        """Return the id of a transfer, made where there is none; "" where Stripe refuses, None
        where nothing is to be sent any more. Looked for before every asking, as refunds are.
        """
        with self._parts.database.read() as session:
            row = repository.transfer(session, job.payload["transfer"])
            payment = repository.payment(session, row.payment_id)
            capture = repository.capture(session, row.capture_id)
            assert capture.attempt_id is not None
            intent = repository.attempt(session, capture.attempt_id).intent
        if row.state != TransferState.SENT:
            return None
        ours = (row.public_id, payment.public_id)
        if found := self._cards.find_transfer(*ours):
            return found
        try:
            return self._cards.transfer(*ours, intent, row.account, row.amount_fen)
        except CardsRefused:
            return ""

    def settle_transfer(self, session: Session, job: Job, made: str | None) -> Chunk:
        if made is not None:
            at = self._parts.clock.now()
            transfers.settled(session, job.payload["transfer"], made, at)
        return Chunk(None)

    def ask_missed(self, _job: Job) -> list[EventSeen]:
        return list(self._cards.undelivered(self._parts.clock.now() - BACK))

    def keep_missed(self, session: Session, _job: Job, missed: list[EventSeen]) -> Chunk:
        now = self._parts.clock.now()
        new = sum(inbox.keep(session, one, now, by_sweep=True) for one in missed)
        hanging = repository_beside.hanging(session, now - HANGS)
        for row in hanging:
            inbox.owe(session, row.event, now, again=f":{slot(now)}")
        for attempt in repository.live_attempts(session):
            _owe(session, card.LOOK, {"attempt": attempt.public_id}, attempt, now)
        for refund in repository.refunds_in(session, [RefundState.WANTED, RefundState.SENT]):
            if refund.way == "card" and refund.wanted_at < now - EVERY:
                _owe(session, refunds.REFUND, {"refund": refund.public_id}, refund, now)
        for transfer in repository.transfers_sent(session):
            key = f"{transfers.TRANSFER}:{transfer.public_id}:{slot(now)}"
            jobs.enqueue(session, transfers.TRANSFER, key, {"transfer": transfer.id}, at=now)
        detail = f"补收{new}个事件，重新处理{len(hanging)}个"
        marks.put(session, marks.PAYMENTS, at=now, good=not hanging, detail=detail)
        return Chunk(None)


_OVER: Final = (AttemptState.PAID, AttemptState.EXPIRED, AttemptState.FAILED)


def _owe(
    session: Session, kind: str, payload: dict[str, Any], row: Attempt | Refund, now: datetime
) -> None:
    jobs.enqueue(session, kind, f"{kind}:{row.public_id}:{slot(now)}", payload, at=now)
