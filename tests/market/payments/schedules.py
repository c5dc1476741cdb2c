"""Webhooks in any order, any number of times, or never: every schedule of a script of what happened
ends as the ordered one.
"""

import random
from dataclasses import dataclass
from typing import Any

from market.payments import refunds, tasks
from market.payments.schemas import RefundIn
from market.payments.states import AttemptState, PaymentState
from tests.support.market import work_for
from tests.support.paying import FEE, Till

SCRIPTS: tuple[tuple[str, ...], ...] = (
    ("pay",),
    ("expire",),
    ("slow", "finish"),
    ("slow", "fail"),
    ("pay", "refund 100000"),
    ("pay", "refund 100000", "refund 200000"),
    ("pay", "by hand 120000"),
    ("pay", "refund 100000", "by hand 50000"),
    ("pay", f"refund {FEE}", "comes back"),
    ("slow", "finish", "refund 1", "comes back", "by hand 2"),
    ("expire", "again", "pay"),
    ("slow", "fail", "again", "pay", "by hand 7"),
    ("pay", "dispute", "won"),
    ("pay", "dispute", "lost"),
    ("pay", "refund 100000", "dispute", "lost"),
    ("pay", "later 100000", "at last"),
)


@dataclass(frozen=True)
class End:
    """How a payment stands in the end."""

    state: PaymentState
    attempt: AttemptState
    paid: int
    refunded: int
    refunds: tuple[tuple[int, str], ...]


class Schedule:
    """One payment taken through a script, with what is delivered of it chosen by `chance`; without
    one all is delivered at once and in order.
    """

    def __init__(self, desk: Till, script: tuple[str, ...], chance: random.Random | None) -> None:
        self._desk = desk
        self._script = script
        self._chance = chance
        desk.stripe.events.clear()  # those of others, delivered or lost
        self._payment = desk.owed()
        self._session = desk.checkout(self._payment)
        self._seen = len(desk.stripe.events)
        self._waiting: list[dict[str, Any]] = []

    def run(self) -> End:
        for step in self._script:
            self._step(step)
            self._deliver()
        if self._chance is not None:
            self._chance.shuffle(self._waiting)
        if self._waiting:
            self._desk.deliver(*self._waiting)
        self._sweep()
        return self._end()

    def _step(self, step: str) -> None:
        stripe = self._desk.stripe
        word, _, amount = step.rpartition(" ")
        if step == "pay":
            stripe.pay(self._session)
        elif step == "expire":
            stripe.expire(self._session)
        elif step == "slow":
            stripe.submit_slowly(self._session)
        elif step in ("finish", "fail"):
            stripe.finish(self._session, paid=step == "finish")
        elif word == "by hand":
            intent = stripe.sessions[self._session]["payment_intent"]
            stripe.refund_by_hand(intent, int(amount))
        elif word == "refund":
            self._refund(int(amount))
        elif word == "later":
            stripe.refund_status = "pending"
            self._refund(int(amount))
            stripe.refund_status = "succeeded"
        elif step == "at last":
            stripe.finish_refund(self._refunds()[-1], "succeeded")
        elif step == "again":
            if self._chance is not None:
                self._sweep()  # who presses anew sees that the last try is over
            self._session = self._desk.checkout(self._payment)
        elif step == "dispute":
            stripe.dispute(stripe.sessions[self._session]["payment_intent"])
        elif step in ("won", "lost"):
            stripe.close_dispute(list(stripe.disputes)[-1], step)
        else:
            stripe.finish_refund(self._refunds()[-1], "failed")

    def _refunds(self) -> list[str]:
        intent = self._desk.stripe.sessions[self._session]["payment_intent"]
        found = self._desk.stripe.refunds.values()
        return [one["id"] for one in found if one["payment_intent"] == intent]

    def _refund(self, amount: int) -> None:
        """Have an operator ask for it, who sees the payment paid first."""
        desk = self._desk
        if not desk.view(self._payment).captures:
            self._sweep()
        (capture,) = desk.view(self._payment).captures
        form = RefundIn(capture=capture.public_id, amount_fen=amount, reason="示范退款")
        with work_for(desk.parts, desk.operators[0]) as work:
            refunds.want(work, desk.ways, self._payment, form)
        desk.work()

    def _deliver(self) -> None:
        """Deliver some of what waits, some of it again, lose some for ever, keep some for later."""
        stripe = self._desk.stripe
        self._waiting += stripe.events[self._seen :]
        self._seen = len(stripe.events)
        if self._chance is None:
            if self._waiting:
                self._desk.deliver(*self._waiting)
            self._waiting = []
            self._desk.work()
            return
        self._chance.shuffle(self._waiting)
        later = []
        for event in self._waiting:
            fate = self._chance.random()
            if fate < 0.25:
                later.append(event)
            elif fate < 0.85:
                self._desk.deliver(*[event] * self._chance.choice((1, 1, 2, 3)))
                if self._chance.random() < 0.3:
                    later.append(event)
            if self._chance.random() < 0.4:
                self._desk.work()
        self._waiting = later

    def _sweep(self) -> None:
        self._desk.clock.advance(minutes=6)
        with self._desk.parts.database.write() as session:
            tasks.owe_sweep(session, self._desk.clock.now())
        self._desk.work()

    def _end(self) -> End:
        view = self._desk.view(self._payment)
        assert view.attempt is not None
        return End(
            PaymentState(view.row.state),
            AttemptState(view.attempt.state),
            view.row.paid_fen,
            view.row.refunded_fen,
            tuple(sorted((one.amount_fen, one.state) for one in view.refunds)),
        )


def ordered(desk: Till) -> dict[tuple[str, ...], End]:
    return {script: Schedule(desk, script, None).run() for script in SCRIPTS}


def differing(desk: Till, seeds: range) -> list[str]:
    """Return the schedules that ended otherwise than the ordered one of their script."""
    ends = ordered(desk)
    wrong = []
    for seed in seeds:
        script = SCRIPTS[seed % len(SCRIPTS)]
        end = Schedule(desk, script, random.Random(seed)).run()
        if end != ends[script]:
            wrong.append(f"seed {seed} {script}: {end}, ordered {ends[script]}")
    return wrong
