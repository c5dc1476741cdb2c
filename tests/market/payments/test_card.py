"""Paying by card: one charge whatever is pressed, lost or repeated, and the books say so."""

import pytest

from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import PublicId
from market.notices import service as notices
from market.payments import card, refunds, service, tasks
from market.payments.schemas import RefundIn
from market.payments.seen import CardsDown
from market.payments.states import AttemptState, PaymentState, RefundState
from market.payments.ways import NO_CARDS, Ways
from tests import factories
from tests.support.market import read_for, work_for
from tests.support.paying import FEE, Till

pytestmark = pytest.mark.usefixtures("both_databases")


def wanted(desk: Till, payment: PublicId, amount: int, *, surplus: bool = False) -> PublicId:
    (capture,) = desk.view(payment).captures
    form = RefundIn(
        capture=capture.public_id, amount_fen=amount, surplus=surplus, reason="示范退款"
    )
    with work_for(desk.parts, desk.operators[0]) as work:
        return refunds.want(work, desk.ways, payment, form).public_id


def test_paying_by_card_and_refunding_in_part_and_in_full(desk: Till) -> None:
    payment = desk.paid()
    assert desk.row(payment).state == PaymentState.PAID
    assert desk.balances() == {"stripe": FEE, "fee": -FEE}
    wanted(desk, payment, 100_000)
    with pytest.raises(Invalid, match="有几处") as refused:
        wanted(desk, payment, FEE - 99_999)
    assert refused.value.fields == {"amount_fen": "最多还能退2,000.00元"}
    desk.work()
    assert desk.row(payment).state == PaymentState.PART_REFUNDED
    wanted(desk, payment, 200_000)
    desk.work()
    desk.deliver()
    desk.work()
    view = desk.view(payment)
    assert view.row.state == PaymentState.REFUNDED
    assert [one.state for one in view.refunds] == [RefundState.DONE, RefundState.DONE]
    assert len(desk.stripe.refunds) == 2
    assert desk.balances() == {}
    desk.sound()


def test_pressing_again_leads_to_the_same_session(desk: Till) -> None:
    payment = desk.owed()
    assert len({desk.checkout(payment) for _ in range(5)}) == 1
    assert len(desk.stripe.sessions) == 1


@pytest.mark.parametrize("fault", ["before", "after", "500"])
def test_no_answer_while_asking_for_a_session_makes_no_second_one(desk: Till, fault: str) -> None:
    payment = desk.owed()
    desk.stripe.faults.append(fault)
    with pytest.raises(CardsDown):
        card.ask(desk.cards, desk.begin(payment))
    desk.stripe.pay(desk.checkout(payment))
    desk.deliver()
    desk.work()
    assert len(desk.stripe.sessions) == 1
    assert desk.row(payment).state == PaymentState.PAID
    desk.sound()


@pytest.mark.parametrize("fault", ["before", "after", "500"])
def test_no_answer_while_refunding_refunds_once(desk: Till, fault: str) -> None:
    payment = desk.paid()
    wanted(desk, payment, 100_000)
    desk.stripe.faults.append(fault)
    desk.work()
    desk.clock.advance(minutes=1)
    desk.work()
    assert len(desk.stripe.refunds) == 1
    assert desk.row(payment).refunded_fen == 100_000
    desk.sound()


def test_a_refund_that_fails_later_comes_back(desk: Till) -> None:
    payment = desk.paid()
    wanted(desk, payment, FEE)
    desk.work()
    assert desk.row(payment).state == PaymentState.REFUNDED
    (made,) = desk.stripe.refunds
    desk.stripe.finish_refund(made, "failed")
    desk.deliver()
    desk.work()
    assert desk.row(payment).state == PaymentState.PAID
    assert desk.balances() == {"stripe": FEE, "fee": -FEE}
    desk.sound()


def test_a_refund_that_stripe_will_not_make_frees_what_it_held(desk: Till) -> None:
    payment = desk.paid()
    desk.stripe.refuse_refunds = True
    wanted(desk, payment, FEE)
    desk.work()
    assert [one.state for one in desk.view(payment).refunds] == [RefundState.FAILED]
    desk.stripe.refuse_refunds = False
    wanted(desk, payment, FEE)
    desk.work()
    assert desk.row(payment).state == PaymentState.REFUNDED
    desk.sound()


def test_a_refund_made_at_stripe_by_hand_is_taken_over(desk: Till) -> None:
    payment = desk.paid()
    (intent,) = desk.stripe.intents
    desk.stripe.refund_by_hand(intent, 120_000)
    desk.deliver()
    desk.work()
    assert desk.row(payment).refunded_fen == 120_000
    assert [one.reason for one in desk.view(payment).refunds] == [refunds.OUTSIDE]
    desk.sound()


def test_a_lost_dispute_takes_the_money_back_and_a_won_one_does_not(desk: Till) -> None:
    payment = desk.paid()
    (intent,) = desk.stripe.intents
    for end, state in (("won", PaymentState.PAID), ("lost", PaymentState.REFUNDED)):
        dispute = desk.stripe.dispute(intent)
        desk.deliver()
        desk.work()
        assert desk.row(payment).state == PaymentState.PAID
        desk.stripe.close_dispute(dispute, end)
        desk.deliver()
        desk.deliver()
        desk.work()
        assert desk.row(payment).state == state
    with read_for(desk.parts, desk.operators[0]) as work:
        told = [one.notice.title for one in notices.messages(work, 1).rows]
    assert len([one for one in told if "拒付" in one]) == 3
    assert [one.reason for one in desk.view(payment).refunds] == [refunds.LOST]
    assert desk.balances() == {}
    desk.sound()


def test_what_no_webhook_brought_the_sweep_finds(desk: Till) -> None:
    payment = desk.owed()
    desk.stripe.pay(desk.checkout(payment))
    desk.clock.advance(minutes=5)
    with desk.parts.database.write() as session:
        tasks.owe_sweep(session, desk.clock.now())
    desk.work()
    assert desk.row(payment).state == PaymentState.PAID
    desk.sound()


def test_a_slow_way_to_pay_is_processing_and_then_paid_or_failed(desk: Till) -> None:
    for paid in (True, False):
        payment = desk.owed()
        session = desk.checkout(payment)
        desk.stripe.submit_slowly(session)
        desk.deliver()
        desk.work()
        attempt = desk.view(payment).attempt
        assert attempt is not None
        assert attempt.state == AttemptState.PROCESSING
        with pytest.raises(Conflict, match="正在处理"):
            desk.begin(payment)
        desk.stripe.finish(session, paid=paid)
        desk.deliver()
        desk.work()
        assert desk.row(payment).state == (PaymentState.PAID if paid else PaymentState.DUE)
    desk.sound()


def test_without_keys_and_outside_the_limits_the_bank_is_the_way(desk: Till) -> None:
    payment = desk.owed()
    with work_for(desk.parts, desk.payer) as work, pytest.raises(Conflict, match=NO_CARDS):
        card.begin(work, Ways(None, desk.ways.bank), payment, "")
    for amount, said in ((399, "不少于4.00元"), (100_000_000, "不超过999,999.99元")):
        with work_for(desk.parts, desk.payer) as work:
            row = service.own(work, payment)
            row.amount_fen = amount
            assert said in card.refused(work.session, desk.ways, row, work.now)
            work.abandon()


def test_others_neither_see_nor_pay_it(desk: Till) -> None:
    payment = desk.owed()
    stranger = factories.actor(desk.parts)
    with work_for(desk.parts, stranger) as work, pytest.raises(NotFound):
        service.view(work, payment)
    with work_for(desk.parts, stranger) as work, pytest.raises(NotFound):
        card.begin(work, desk.ways, payment, "")
    with work_for(desk.parts, desk.operators[0]) as work, pytest.raises(Forbidden):
        card.begin(work, desk.ways, payment, "")


def test_what_is_asked_twice_in_the_same_words_is_made_once(desk: Till) -> None:
    """The keys, without any look beforehand."""
    begun = desk.begin(desk.owed())
    assert {card.ask(desk.cards, begun) for _ in range(2)} == {card.ask(desk.cards, begun)}
    desk.paid()
    (intent,) = desk.stripe.intents
    assert desk.cards.refund("one", intent, 5) == desk.cards.refund("one", intent, 5)
    sent = ("one", "payment", intent, "acct_1example", 5)
    assert desk.cards.transfer(*sent) == desk.cards.transfer(*sent)
