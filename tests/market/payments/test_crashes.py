"""A process that dies between any two steps of a payment and its refund loses and doubles nothing;
and however often paying is pressed, one charge is made.
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
from market.payments import refunds
from market.payments.schemas import RefundIn
from market.payments.states import PaymentState
from tests.support.market import work_for
from tests.support.paying import FEE, Till

pytestmark = pytest.mark.usefixtures("both_databases")
POINTS = 34
"""How many there are: before and after each commit, before and after each call of Stripe."""


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


def through(desk: Till, payment: PublicId) -> None:
    """Take a payment through to its refund, from wherever it stands."""
    if desk.row(payment).state == PaymentState.DUE:
        desk.stripe.pay(desk.checkout(payment))
        desk.deliver()
        desk.work()
    if not desk.view(payment).refunds:
        (capture,) = desk.view(payment).captures
        form = RefundIn(capture=capture.public_id, amount_fen=FEE, reason="示范退款")
        with work_for(desk.parts, desk.operators[0]) as work:
            refunds.want(work, desk.ways, payment, form)
    desk.work()


def died_at(desk: Till, point: int | None) -> int:
    """Return how many points were passed with a death at one of them."""
    payment = desk.owed()
    dying = Dying(desk, point)
    for _ in range(2):
        try:
            through(desk, payment)
            break
        except Died:
            with dying._write() as session:
                jobs.give_back(session, at=desk.clock.now())
    view = desk.view(payment)
    assert view.row.state == PaymentState.REFUNDED
    assert len(desk.stripe.sessions) == len(desk.stripe.charges) == len(view.captures) == 1
    assert len(desk.stripe.refunds) == len(view.refunds) == 1
    assert desk.balances() == {}
    desk.sound()
    return dying.passed


def test_the_points_are_all_of_them(desk: Till) -> None:
    assert died_at(desk, None) == POINTS


@pytest.mark.parametrize("point", range(POINTS))
def test_dying_at_each_point_loses_and_doubles_nothing(desk: Till, point: int) -> None:
    assert died_at(desk, point) > point


def pressed(desk: Till, times: int) -> None:
    """Press “pay” many times at once, pay whatever session comes of it each time."""
    payment = desk.owed()

    def press(_: int) -> str:
        try:
            session = desk.checkout(payment)
        except Conflict:  # another press has found it paid by now, and this one is told so
            assert desk.row(payment).state == PaymentState.PAID
            return next(iter(desk.stripe.sessions))
        desk.stripe.pay(session)
        return session

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(press, range(times)))) == 1
    desk.deliver()
    desk.work()
    assert len(desk.stripe.sessions) == len(desk.stripe.charges) == 1
    assert desk.row(payment).state == PaymentState.PAID
    desk.sound()


def test_100_submits_make_one_charge(desk: Till) -> None:
    pressed(desk, 100)


@pytest.mark.full
def test_1000_submits_make_one_charge(desk: Till, verified: Callable[..., None]) -> None:
    pressed(desk, 1000)
    verified("连按在线支付", how_many="1,000次", result="一次扣款")
