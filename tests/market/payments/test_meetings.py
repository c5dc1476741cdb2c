"""Two people at one payment at the same moment, the second between two steps of the first."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest

from market.kit import notify
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.payments import bank, card, charging, refunds, schedule, service, transfers, waiting
from market.payments.schemas import BankLeftIn, ChargeIn, RefundIn, SlipIn, TransferIn
from market.payments.stripe import Cards
from tests.market.payments.test_bank import credited, recorded
from tests.support.market import work_for
from tests.support.paying import FEE, Till


def once_before(
    patch: pytest.MonkeyPatch, where: Any, name: str, first: Callable[[], object]
) -> None:
    """Let something else happen before a step is taken the first time."""
    real, done = getattr(where, name), []

    def step(*args: Any, **more: Any) -> Any:
        if not done:
            done.append(True)
            first()
        return real(*args, **more)

    patch.setattr(where, name, step)


def once_after(
    patch: pytest.MonkeyPatch, where: Any, name: str, then: Callable[[], object]
) -> None:
    real, done = getattr(where, name), []

    def step(*args: Any, **more: Any) -> Any:
        found = real(*args, **more)
        if not done:
            done.append(True)
            then()
        return found

    patch.setattr(where, name, step)


def slip(desk: Till, payment: PublicId, text: bytes) -> None:
    with work_for(desk.parts, desk.payer) as work:
        form = SlipIn(amount_fen=FEE, sent_on=work.today)
        bank.attach_slip(work, payment, form, "回单.pdf", BytesIO(b"%PDF-1.7 " + text))


def cancelled(desk: Till, payment: PublicId) -> None:
    with work_for(desk.parts, desk.payer) as work:
        service.cancel(work, payment)


def withdrawn(desk: Till) -> None:
    with work_for(desk.parts, desk.operators[1]) as work:
        schedule.withdraw(work, PublicId(desk.fee))


@pytest.mark.on_postgres  # SQLite lets one writer wait for the other
def test_a_fee_is_withdrawn_while_it_is_charged(
    desk: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    once_after(monkeypatch, schedule, "in_force", lambda: withdrawn(desk))
    form = ChargeIn(credit_code=desk.organisation.credit_code or "", fee=desk.fee)
    with work_for(desk.parts, desk.operators[0]) as work, pytest.raises(Invalid) as refused:
        charging.charge(work, form)
    assert set(refused.value.fields) == {"fee"}


@pytest.mark.on_postgres  # SQLite lets one writer wait for the other
def test_a_fee_is_withdrawn_while_a_company_registers_it(
    desk: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    once_after(monkeypatch, schedule, "in_force", lambda: withdrawn(desk))
    with pytest.raises(Invalid) as refused:
        desk.owed()
    assert set(refused.value.fields) == {"fee"}


@pytest.mark.on_postgres  # SQLite lets one writer wait for the other
def test_a_slip_meets_a_cancellation(desk: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = desk.owed()
    once_after(monkeypatch, service, "own", lambda: cancelled(desk, payment))
    with pytest.raises(Conflict, match="已经取消"):
        slip(desk, payment, b"one")


@pytest.mark.on_postgres  # SQLite lets one writer wait for the other
def test_a_cancellation_meets_a_slip(desk: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = desk.owed()
    once_after(monkeypatch, service, "own", lambda: slip(desk, payment, b"one"))
    with pytest.raises(Conflict, match="已上传回单"):
        cancelled(desk, payment)
    assert desk.row(payment).state == "due"


@pytest.mark.on_postgres  # SQLite lets one writer wait for the other
def test_no_more_slips_than_there_may_be(desk: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = desk.owed()
    for place in range(bank.MAX_SLIPS - 1):
        slip(desk, payment, str(place).encode())
    once_after(monkeypatch, service, "own", lambda: slip(desk, payment, b"last"))
    with pytest.raises(Invalid) as refused:
        slip(desk, payment, b"one more")
    assert set(refused.value.fields) == {"file"}
    assert len(desk.view(payment).slips) == bank.MAX_SLIPS


def test_a_look_at_stripe_meets_a_cancellation(desk: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = desk.owed()
    desk.begin(payment)
    desk.clock.advance(hours=3)
    once_before(monkeypatch, Cards, "find_checkout", lambda: cancelled(desk, payment))
    card.check(lambda: work_for(desk.parts, desk.payer), desk.ways, payment)
    assert desk.row(payment).state == "cancelled"
    desk.sound()


def test_a_number_of_the_bank_is_one_however_it_is_typed(desk: Till) -> None:
    payment = desk.owed()
    recorded(desk, payment, 1, "L-1a")
    for typed in ("l-1A", "L - 1a", "L-\u200b1a", "Ｌ-1a"):
        with pytest.raises(Invalid) as refused:
            recorded(desk, payment, 1, typed)
        assert set(refused.value.fields) == {"statement"}
    with pytest.raises(Invalid):
        recorded(desk, payment, 1, "\ufdfa" * 60)  # one letter for eighteen


def leaving(desk: Till) -> tuple[PublicId, PublicId, PublicId]:
    """Return two refunds and a transfer that wait for the second person."""
    wanted = []
    for number in ("流水1", "流水2"):
        payment = desk.owed()
        credited(desk, payment, FEE, number)
        (capture,) = desk.view(payment).captures
        form = RefundIn(capture=capture.public_id, amount_fen=FEE, reason="示范退款")
        with work_for(desk.parts, desk.operators[0]) as work:
            wanted.append(refunds.want(work, desk.ways, payment, form).public_id)
    payment, agency = desk.owed_commission()
    credited(desk, payment, FEE, "流水3")
    (capture,) = desk.view(payment).captures
    on = TransferIn(capture=capture.public_id, agency=agency.public_id, amount_fen=FEE)
    with work_for(desk.parts, desk.operators[0]) as work:
        transfer = transfers.want(work, desk.ways, payment, on).public_id
    return wanted[0], wanted[1], transfer


@pytest.mark.usefixtures("both_databases")
@pytest.mark.parametrize("second", ["refund", "transfer"])
def test_one_number_of_the_bank_for_two_that_leave_at_once(desk: Till, second: str) -> None:
    first, other, transfer = leaving(desk)
    left = BankLeftIn(decision="confirm", statement="付1")

    def refund(of: PublicId) -> None:
        with work_for(desk.parts, desk.operators[1]) as work:
            refunds.decide(work, of, left)

    def send_on() -> None:
        with work_for(desk.parts, desk.operators[1]) as work:
            transfers.decide(work, transfer, left)

    ways = [lambda: refund(first), send_on if second == "transfer" else lambda: refund(other)]
    start = threading.Barrier(2)

    def pressed(way: Callable[[], None]) -> str:
        start.wait()
        try:
            way()
        except Invalid as refused:
            return ",".join(refused.fields)
        return "done"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(pressed, ways)) == ["done", "statement"]
    desk.sound()


def test_another_amount_at_stripe_is_told_and_not_booked(desk: Till) -> None:
    payment = desk.owed()
    begun = desk.begin(payment)
    assert card.ask(desk.cards, begun) is not None  # answered, and never kept
    ((session, made),) = desk.stripe.sessions.items()
    made["amount_total"] = FEE - 1
    desk.stripe.pay(session)
    with pytest.raises(Conflict, match="金额与这里不同"):
        card.pay(
            lambda: work_for(desk.parts, desk.payer), desk.ways, payment, "https://market.test/p"
        )
    assert desk.row(payment).paid_fen == 0
    with desk.parts.database.read() as reading:
        told = notify.about(reading, waiting.subject(desk.row(payment)), waiting.ALERTS)
    assert [one.kind for one in told] == [waiting.MISMATCH]
