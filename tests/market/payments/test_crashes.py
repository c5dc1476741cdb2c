"""A process that dies between any two steps of a payment, by card or by bank, of its refund or of its
way on to an agency, loses and doubles nothing; however often paying is pressed, one charge is made.

The points: before and after each commit, before and after each call of Stripe.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlmodel import Session

from market.kit import jobs
from market.kit.errors import Conflict
from market.kit.ids import PublicId
from market.payments import bank, refunds, transfers
from market.payments.schemas import BankLeftIn, CreditDecisionIn, CreditIn, RefundIn, TransferIn
from market.payments.states import CreditState, PaymentState, RefundState, TransferState
from tests.support.market import work_for
from tests.support.paying import FEE, Till

pytestmark = pytest.mark.usefixtures("both_databases")
LEFT = BankLeftIn(decision="confirm", statement="付0001")


class Died(BaseException):
    """The process ended here."""


class Dying:
    """Ends at one point, counted from 0; then goes on as a new process does."""

    def __init__(self, desk: Till, at: int | None) -> None:
        self.passed = 0
        self._at = at
        self._write = desk.parts.database.write
        self._call = desk.cards._call
        desk.parts.database.write = self.write  # type: ignore[method-assign]
        desk.cards._call = self.call  # type: ignore[method-assign]

    def point(self) -> None:
        here, self.passed = self.passed, self.passed + 1
        if here == self._at:
            raise Died

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self._write() as session:
            yield session
            self.point()
        self.point()

    def call(self, ask: Callable[[], Any]) -> Any:
        self.point()
        answer = self._call(ask)
        self.point()
        return answer


class Card:
    """By card, and refunded."""

    points = 36

    def __init__(self, desk: Till) -> None:
        self.desk = desk
        self.payment = desk.owed()

    def go(self) -> None:
        """Take it through to its end, from wherever it stands."""
        desk, payment = self.desk, self.payment
        self.pay()
        if not desk.view(payment).refunds:
            self.want_refund()
        desk.work()

    def pay(self) -> None:
        desk = self.desk
        if desk.row(self.payment).state == PaymentState.DUE:
            desk.stripe.pay(desk.checkout(self.payment))
            desk.deliver()
            desk.work()

    def want_refund(self) -> None:
        (capture,) = self.desk.view(self.payment).captures
        form = RefundIn(capture=capture.public_id, amount_fen=FEE, reason="示范退款")
        with work_for(self.desk.parts, self.desk.operators[0]) as work:
            refunds.want(work, self.desk.ways, self.payment, form)

    def ended(self) -> None:
        desk, view = self.desk, self.desk.view(self.payment)
        assert view.row.state == PaymentState.REFUNDED
        assert len(desk.stripe.sessions) == len(desk.stripe.charges) == len(view.captures) == 1
        assert len(desk.stripe.refunds) == len(view.refunds) == 1


class Bank(Card):
    """By bank, confirmed by a second person, and given back the same way."""

    points = 8

    def pay(self) -> None:
        desk, (first, second) = self.desk, self.desk.operators
        if not desk.view(self.payment).credits:
            with work_for(desk.parts, first) as work:
                form = CreditIn(
                    statement="流水1", payer_name="示范", amount_fen=FEE, received_on=work.today
                )
                bank.record(work, self.payment, form)
        (credit,) = desk.view(self.payment).credits
        if credit.state == CreditState.RECORDED:
            with work_for(desk.parts, second) as work:
                bank.decide(work, credit.public_id, CreditDecisionIn(decision="confirm"))

    def go(self) -> None:
        desk = self.desk
        self.pay()
        if not desk.view(self.payment).refunds:
            self.want_refund()
        (refund,) = desk.view(self.payment).refunds
        if refund.state == RefundState.WANTED:
            with work_for(desk.parts, desk.operators[1]) as work:
                refunds.decide(work, refund.public_id, LEFT)

    def ended(self) -> None:
        view = self.desk.view(self.payment)
        assert view.row.state == PaymentState.REFUNDED
        assert len(view.credits) == len(view.captures) == len(view.refunds) == 1


class SentOn(Card):
    """A commission by card that goes on to its agency over Connect."""

    points = 40

    def __init__(self, desk: Till) -> None:
        self.desk = desk
        self.payment, self.agency = desk.owed_commission()

    def want(self) -> None:
        view = self.desk.view(self.payment)
        if not view.transfers:
            form = TransferIn(
                capture=view.captures[0].public_id, agency=self.agency.public_id, amount_fen=FEE
            )
            with work_for(self.desk.parts, self.desk.operators[0]) as work:
                transfers.want(work, self.desk.ways, self.payment, form)

    def go(self) -> None:
        self.pay()
        self.want()
        ((row, _),) = self.desk.view(self.payment).transfers
        if row.state == TransferState.WANTED:
            with work_for(self.desk.parts, self.desk.operators[1]) as work:
                transfers.decide(work, row.public_id, LEFT)
        self.desk.work()

    def ended(self) -> None:
        view = self.desk.view(self.payment)
        assert [one.state for one, _ in view.transfers] == [TransferState.DONE]
        assert len(self.desk.stripe.charges) == len(self.desk.stripe.transfers) == 1


class SentOnByBank(SentOn):
    """A commission by bank that goes on by bank, confirmed by a second person."""

    points = 8
    pay = Bank.pay  # type: ignore[assignment]

    def go(self) -> None:
        self.pay()
        self.want()
        ((row, _),) = self.desk.view(self.payment).transfers
        if row.state == TransferState.WANTED:
            with work_for(self.desk.parts, self.desk.operators[1]) as work:
                transfers.decide(work, row.public_id, LEFT)

    def ended(self) -> None:
        view = self.desk.view(self.payment)
        assert [one.state for one, _ in view.transfers] == [TransferState.DONE]
        assert len(view.credits) == len(view.captures) == 1


WAYS: tuple[type[Card], ...] = (Card, Bank, SentOn, SentOnByBank)


def died_at(desk: Till, way: type[Card], point: int | None) -> int:
    """Return how many points were passed with a death at one of them."""
    one = way(desk)
    dying = Dying(desk, point)
    for _ in range(2):
        try:
            one.go()
            break
        except Died:
            with dying._write() as session:
                jobs.give_back(session, at=desk.clock.now())
    one.ended()
    assert desk.balances() == {}
    desk.sound()
    return dying.passed


@pytest.mark.parametrize("way", WAYS)
def test_the_points_are_all_of_them(desk: Till, way: type[Card]) -> None:
    assert died_at(desk, way, None) == way.points


@pytest.mark.parametrize(
    ("way", "point"), [(way, point) for way in WAYS for point in range(way.points)]
)
def test_dying_at_each_point_loses_and_doubles_nothing(
    desk: Till, way: type[Card], point: int
) -> None:
    assert died_at(desk, way, point) > point


def pressed(desk: Till, payment: PublicId, times: int) -> None:
    """Press “pay” many times at once, pay whatever session comes of it each time."""
    begun = len(desk.stripe.sessions)

    def press(_: int) -> str:
        try:
            session = desk.checkout(payment)
        except Conflict:  # another press has found it paid by now, and this one is told so
            assert desk.row(payment).state == PaymentState.PAID
            return list(desk.stripe.sessions)[begun]
        desk.stripe.pay(session)
        return session

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(press, range(times)))) == 1
    assert len(desk.stripe.sessions) == begun + 1


def charged_once(desk: Till, payments: list[PublicId]) -> None:
    desk.deliver()
    desk.work()
    assert len(desk.stripe.sessions) == len(desk.stripe.charges) == len(payments)
    for payment in payments:
        view = desk.view(payment)
        assert (view.row.state, len(view.captures)) == (PaymentState.PAID, 1)
    desk.sound()


def test_100_submits_make_one_charge(desk: Till) -> None:
    payment = desk.owed()
    pressed(desk, payment, 100)
    charged_once(desk, [payment])


def test_100_double_submits_make_one_charge_each(desk: Till) -> None:
    payments = [desk.owed() for _ in range(100)]
    for payment in payments:
        pressed(desk, payment, 2)
    charged_once(desk, payments)


@pytest.mark.full
def test_1000_submits_make_one_charge(
    desk: Till, both_databases: str, verified: Callable[..., None]
) -> None:
    payment = desk.owed()
    pressed(desk, payment, 1000)
    charged_once(desk, [payment])
    what = f"连按在线支付，{both_databases}"
    verified(what, how_many="同一笔1,000次", result="一次扣款")


@pytest.mark.full
def test_1000_double_submits_make_one_charge_each(
    desk: Till, both_databases: str, verified: Callable[..., None]
) -> None:
    payments = [desk.owed() for _ in range(1000)]
    for payment in payments:
        pressed(desk, payment, 2)
    charged_once(desk, payments)
    what = f"在线支付同时按两次，{both_databases}"
    verified(what, how_many="1,000笔各两次", result="每笔一次扣款")
