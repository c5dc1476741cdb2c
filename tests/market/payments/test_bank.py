"""Bank transfers by two persons, part and over-payments, returns; fees, invoices, statements."""

from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Barrier

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import PublicId
from market.payments import bank, invoices, refunds, schedule, service, statements
from market.payments.models import Capture, Payment
from market.payments.schemas import (
    BankLeftIn,
    CreditDecisionIn,
    CreditIn,
    FeeIn,
    InvoiceIn,
    PaymentIn,
    RefundIn,
    SlipIn,
)
from market.payments.states import PaymentState, Purpose
from tests.support.market import read_for, work_for
from tests.support.paying import FEE, Till
from tests.support.trade import agreed, trade

pytestmark = pytest.mark.usefixtures("both_databases")
CONFIRM = CreditDecisionIn(decision="confirm")
NUMBERS = ("26502000000000000001", "26502000000000000002")


def recorded(desk: Till, payment: PublicId, amount: int, statement: str) -> PublicId:
    with work_for(desk.parts, desk.operators[0]) as work:
        form = CreditIn(
            statement=statement,
            payer_name="示范企业",
            amount_fen=amount,
            received_on=work.today,
        )
        return bank.record(work, payment, form).public_id


def credited(desk: Till, payment: PublicId, amount: int, statement: str) -> None:
    credit = recorded(desk, payment, amount, statement)
    with work_for(desk.parts, desk.operators[1]) as work:
        bank.decide(work, credit, CONFIRM)


def returned(desk: Till, payment: PublicId, amount: int, *, surplus: bool) -> None:
    capture = desk.view(payment).captures[-1]
    form = RefundIn(
        capture=capture.public_id, amount_fen=amount, surplus=surplus, reason="示范退款"
    )
    with work_for(desk.parts, desk.operators[0]) as work:
        row = refunds.want(work, desk.ways, payment, form)
    left = BankLeftIn(decision="confirm", statement=f"付{row.public_id}")
    with work_for(desk.parts, desk.operators[0]) as work, pytest.raises(Conflict, match="另一位"):
        refunds.decide(work, row.public_id, left)
    with work_for(desk.parts, desk.operators[1]) as work:
        refunds.decide(work, row.public_id, left)


def test_a_transfer_in_two_parts_and_too_much_by_four_eyes(desk: Till) -> None:
    payment = desk.owed()
    first = recorded(desk, payment, 100_000, "流水1")
    assert desk.row(payment).state == PaymentState.DUE
    with work_for(desk.parts, desk.operators[0]) as work, pytest.raises(Conflict, match="另一位"):
        bank.decide(work, first, CONFIRM)
    with work_for(desk.parts, desk.payer) as work, pytest.raises(Forbidden):
        bank.decide(work, first, CONFIRM)
    with work_for(desk.parts, desk.operators[1]) as work:
        bank.decide(work, first, CONFIRM)
    with work_for(desk.parts, desk.operators[1]) as work, pytest.raises(Conflict):
        bank.decide(work, first, CONFIRM)
    assert desk.row(payment).state == PaymentState.PART_PAID
    with pytest.raises(Invalid) as twice:
        recorded(desk, payment, 100_000, "流水1")
    assert "statement" in twice.value.fields
    credited(desk, payment, 250_000, "流水2")
    row = desk.row(payment)
    assert (row.state, row.paid_fen) == (PaymentState.PAID, FEE)
    assert desk.balances() == {"bank": 350_000, "fee": -FEE, "surplus": -50_000}
    returned(desk, payment, 50_000, surplus=True)
    assert desk.row(payment).state == PaymentState.PAID
    assert desk.balances() == {"bank": FEE, "fee": -FEE}
    returned(desk, payment, 200_000, surplus=False)
    assert desk.row(payment).state == PaymentState.PART_REFUNDED
    desk.sound()


def test_what_is_no_payment_of_ours_is_rejected_and_moves_nothing(desk: Till) -> None:
    payment = desk.owed()
    credit = recorded(desk, payment, FEE, "流水3")
    with work_for(desk.parts, desk.operators[1]) as work:
        bank.decide(work, credit, CreditDecisionIn(decision="reject", note="不是这笔"))
    assert desk.row(payment).state == PaymentState.DUE
    assert desk.balances() == {}


def test_a_transfer_while_a_card_session_is_open_ends_the_session(desk: Till) -> None:
    payment = desk.owed()
    session = desk.checkout(payment)
    credited(desk, payment, FEE, "流水4")
    desk.work()
    assert desk.stripe.sessions[session]["status"] == "expired"
    assert desk.row(payment).state == PaymentState.PAID
    desk.sound()


def test_paid_by_card_and_by_bank_at_once_the_second_is_surplus(desk: Till) -> None:
    payment = desk.owed()
    desk.stripe.pay(desk.checkout(payment))
    credited(desk, payment, FEE, "流水5")
    desk.deliver()
    desk.work()
    assert desk.balances() == {"bank": FEE, "stripe": FEE, "fee": -FEE, "surplus": -FEE}
    desk.sound()


def test_the_database_itself_refuses_more_back_than_came_in(desk: Till) -> None:
    payment = desk.owed()
    credited(desk, payment, FEE, "流水6")
    for table, values in (
        (Capture, {"reserved_fen": FEE + 1}),
        (Capture, {"returning_fen": 1}),
        (Capture, {"refunded_fen": 1}),
        (Payment, {"refunded_fen": FEE + 1}),
        (Payment, {"deal_id": 1}),
        (Payment, {"paid_fen": 0}),
    ):
        with pytest.raises(IntegrityError), desk.parts.database.write() as session:
            session.execute(update(table).where(col(table.id) > 0).values(**values))


def test_the_reference_finds_the_payment_and_a_slip_of_the_pen_does_not(desk: Till) -> None:
    payment = desk.owed()
    reference = desk.row(payment).reference
    with work_for(desk.parts, desk.operators[0]) as work:
        spaced = f"{reference[:4]} {reference[4:]}"
        assert bank.by_reference(work, spaced).public_id == payment
        for place in range(12):
            digit = str((int(reference[place]) + 1) % 10)
            with pytest.raises(Invalid):
                bank.by_reference(work, reference[:place] + digit + reference[place + 1 :])
    with work_for(desk.parts, desk.payer) as work, pytest.raises(Forbidden):
        bank.by_reference(work, reference)


def test_slips_are_kept_for_payer_and_operators_and_move_nothing(desk: Till) -> None:
    payment = desk.owed()
    with work_for(desk.parts, desk.payer) as work:
        form = SlipIn(amount_fen=FEE, sent_on=work.today)
        slip = bank.attach_slip(work, payment, form, "回单.pdf", BytesIO(b"%PDF-1.7 slip"))
    assert desk.row(payment).state == PaymentState.DUE
    for who in (desk.payer, desk.operators[0]):
        with read_for(desk.parts, who) as work:
            assert bank.slip(work, payment, slip.public_id).name == "回单.pdf"
    with read_for(desk.parts, desk.payer) as work, pytest.raises(NotFound):
        bank.slip(work, payment, PublicId("2" * 14))


def test_earnest_money_is_the_buyers_one_at_a_time_by_the_agreed_amount(desk: Till) -> None:
    world = trade(desk.parts)
    deal = agreed(world)
    with work_for(desk.parts, desk.operators[0]) as work:
        form = FeeIn(
            code="earnest",
            name="诚意金",
            purpose="earnest",
            rate_bp=200,
            least_fen=100_000,
            most_fen=2_000_000,
            effective_from=work.today,
            source="示范收费办法第5条",
        )
        fee = schedule.set_fee(work, form).public_id
    asked = PaymentIn(purpose=Purpose.EARNEST, deal=deal.public_id, fee=fee)
    with work_for(desk.parts, world.seller) as work, pytest.raises(Conflict, match="买方"):
        service.create(work, asked)
    with work_for(desk.parts, desk.payer) as work, pytest.raises(NotFound):
        service.create(work, asked)
    with work_for(desk.parts, world.buyer) as work:
        row = service.create(work, asked)
        assert row.amount_fen == 2_000_000
        with pytest.raises(Conflict, match="已有一笔"):
            service.create(work, asked)
        service.cancel(work, row.public_id)
        service.create(work, asked)


def invoice(desk: Till, payment: PublicId, number: str, amount: int) -> None:
    with work_for(desk.parts, desk.operators[0]) as work:
        form = InvoiceIn(number=number, amount_fen=amount, issued_on=work.today)
        invoices.enter(work, payment, form)


def voided(desk: Till, payment: PublicId, number: str) -> None:
    with work_for(desk.parts, desk.operators[1]) as work:
        invoices.void(work, payment, number)


def refused(desk: Till, payment: PublicId, number: str, amount: int) -> set[str]:
    """Return the fields at which an invoice is refused."""
    with pytest.raises(Invalid) as told:
        invoice(desk, payment, number, amount)
    return set(told.value.fields)


def test_invoice_numbers_are_noted_once_and_within_what_was_paid(desk: Till) -> None:
    payment = desk.owed()
    assert refused(desk, payment, NUMBERS[0], 1) == {"amount_fen"}
    credited(desk, payment, FEE, "流水7")
    assert refused(desk, payment, NUMBERS[0], FEE + 1) == {"amount_fen"}
    invoice(desk, payment, NUMBERS[0], FEE - 1)
    assert refused(desk, payment, NUMBERS[0], 1) == {"number"}
    assert refused(desk, payment, NUMBERS[1], 2) == {"amount_fen"}
    invoice(desk, payment, NUMBERS[1], 1)
    with work_for(desk.parts, desk.payer) as work, pytest.raises(Forbidden):
        invoices.void(work, payment, NUMBERS[0])


def test_what_went_back_is_not_invoiced(desk: Till) -> None:
    payment = desk.owed()
    credited(desk, payment, FEE + 500, "流水7")
    returned(desk, payment, 100_000, surplus=False)
    assert refused(desk, payment, NUMBERS[0], FEE - 100_000 + 1) == {"amount_fen"}
    invoice(desk, payment, NUMBERS[0], FEE - 100_000)
    returned(desk, payment, 50_000, surplus=False)
    with read_for(desk.parts, desk.operators[0]) as work:
        heading = invoices.heading(work, service.view(work, payment))
    payer = desk.organisation
    assert heading == invoices.Heading(
        payer.name, payer.credit_code or "", "平台年度服务费", -50_000
    )


def test_a_wrong_invoice_is_voided_once_and_its_number_is_free_again(desk: Till) -> None:
    payment, other = desk.owed(), desk.owed()
    for one, statement in ((payment, "流水7"), (other, "流水8")):
        credited(desk, one, FEE, statement)
    invoice(desk, payment, NUMBERS[0], FEE)
    assert refused(desk, other, NUMBERS[0], FEE) == {"number"}
    with pytest.raises(NotFound):
        voided(desk, other, NUMBERS[0])
    voided(desk, payment, NUMBERS[0])
    with pytest.raises(Conflict, match="已经作废"):
        voided(desk, payment, NUMBERS[0])
    invoice(desk, payment, NUMBERS[1], FEE)
    invoice(desk, other, NUMBERS[0], FEE)
    told = [(one.number, one.voided_at is None) for one in desk.view(payment).invoices]
    assert told == [(NUMBERS[0], False), (NUMBERS[1], True)]
    voided(desk, other, NUMBERS[0])


def test_of_two_that_enter_one_number_at_once_one_is_told_at_the_field(desk: Till) -> None:
    payments = [desk.owed(), desk.owed()]
    for one, statement in zip(payments, ("流水7", "流水8"), strict=True):
        credited(desk, one, FEE, statement)
    met = Barrier(2)

    def enter(payment: PublicId) -> set[str]:
        met.wait(timeout=30)
        try:
            invoice(desk, payment, NUMBERS[0], FEE)
        except Invalid as told:
            return set(told.fields)
        return set()

    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(enter, payments))
    assert sorted(told, key=len) == [set(), {"number"}]


def test_the_statement_begins_with_what_was_before_and_adds_up(desk: Till) -> None:
    """What page, Excel and PDF make of it is held in tests/frontend/test_statement_pages.py."""
    first = desk.owed()
    credited(desk, first, FEE + 100, "流水8")
    desk.clock.advance(days=1)
    credited(desk, desk.owed(), FEE, "流水9")
    returned(desk, first, 100, surplus=True)
    returned(desk, first, 200, surplus=False)
    with read_for(desk.parts, desk.payer) as work:
        one = statements.of(work, work.today, work.today)
        assert one.opening == {"fee": FEE, "surplus": 100}
        assert one.closing == {"fee": 2 * FEE - 200, "surplus": 0}
        assert [(statements.item(line.account), -line.amount_fen) for line in one.lines] == [
            ("fee", FEE),
            ("surplus", -100),
            ("fee", -200),
        ]
        with pytest.raises(NotFound):
            statements.of(work, work.today, work.today, "2" * 14)
    with read_for(desk.parts, desk.operators[0]) as work:
        whose = str(desk.organisation.public_id)
        assert statements.of(work, work.today, work.today, whose).closing == one.closing
