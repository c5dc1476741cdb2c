"""What goes wrong around a payment, each as it was found once: money that Stripe moved without us,
keys that it forgot, answers that came late, and people who typed a line wrongly.
"""

import socket
from contextlib import ExitStack
from datetime import timedelta
from time import monotonic

import pytest
from sqlmodel import select

from market.deals import service as deals
from market.deals.schemas import LoseIn
from market.deals.vocabulary import LostReason
from market.kit.errors import Conflict, Invalid, Unavailable
from market.kit.ids import PublicId
from market.kit.jobs import Job, JobState
from market.notices import service as notices
from market.operations import service as operations
from market.payments import bank, card, refunds, schedule, service, tasks, transfers
from market.payments.models_beside import StripeEvent
from market.payments.schemas import (
    BankLeftIn,
    CreditDecisionIn,
    FeeIn,
    PaymentIn,
    RefundIn,
    TransferIn,
)
from market.payments.seen import CardsDown
from market.payments.states import (
    AttemptState,
    PaymentState,
    Purpose,
    RefundState,
    TransferState,
)
from market.payments.stripe import SLOW, TURNS, Cards
from market.payments.ways import Ways
from tests import factories
from tests.market.payments.test_bank import credited, recorded
from tests.market.payments.test_card import wanted
from tests.support.market import read_for, work_for
from tests.support.paying import BACK, FEE, Till
from tests.support.stripe_stand_in import KEY, SECRET
from tests.support.trade import agreed, trade

pytestmark = pytest.mark.usefixtures("both_databases")


def settled(desk: Till, *, minutes: int = 0) -> None:
    """Deliver what there is and do what is due, after some time."""
    desk.clock.advance(minutes=minutes)
    desk.deliver()
    desk.work()


def swept(desk: Till) -> None:
    with desk.parts.database.write() as session:
        tasks.owe_sweep(session, desk.clock.now())
    desk.work()


def told(desk: Till, what: str) -> list[str]:
    """Return the messages to the operators that say so."""
    with read_for(desk.parts, desk.operators[0]) as work:
        titles = [one.notice.title for one in notices.messages(work, 1).rows]
    return [one for one in titles if what in one]


def paid_commission(desk: Till) -> PublicId:
    payment, _ = desk.owed_commission()
    desk.stripe.pay(desk.checkout(payment))
    settled(desk)
    return payment


def sent_on(desk: Till, payment: PublicId, *, by_bank: bool = False) -> PublicId:
    """Ask for all of a commission to go on; return the transfer."""
    view = desk.view(payment)
    with work_for(desk.parts, desk.operators[0]) as work:
        (share,) = transfers.shares(work.session, view.row)
        form = TransferIn(
            capture=view.captures[0].public_id,
            agency=share.agency.public_id,
            amount_fen=FEE,
            by_bank=by_bank,
        )
        return transfers.want(work, desk.ways, payment, form).public_id


def confirmed(desk: Till, transfer: PublicId, statement: str = "") -> None:
    with work_for(desk.parts, desk.operators[1]) as work:
        transfers.decide(work, transfer, BankLeftIn(decision="confirm", statement=statement))
    desk.work()


def test_a_refund_run_again_after_stripe_forgot_its_key_is_made_once(desk: Till) -> None:
    payment = desk.paid()
    wanted(desk, payment, 100_000)
    desk.stripe.faults.extend(["after", *["GET before"] * 4])
    for _ in range(6):
        desk.work()
        desk.clock.advance(minutes=30)
    desk.stripe.keys.clear()
    with desk.parts.database.read() as session:
        (job,) = session.exec(select(Job).where(Job.state == JobState.FAILED)).all()
    with work_for(desk.parts, desk.operators[0]) as work:
        operations.retry_job(work, job.id)
    desk.work()
    assert [one["amount"] for one in desk.stripe.refunds.values()] == [100_000]
    assert [one.state for one in desk.view(payment).refunds] == [RefundState.DONE]
    desk.sound()


def test_a_second_refund_under_our_name_is_booked_too(desk: Till) -> None:
    payment = desk.paid()
    wanted(desk, payment, 100_000)
    desk.work()
    (first,) = desk.stripe.refunds.values()
    with desk.stripe.lock:
        desk.stripe._refund(
            {
                "payment_intent": first["payment_intent"],
                "amount": "100000",
                "metadata[refund]": first["metadata"]["refund"],
            }
        )
    settled(desk)
    assert desk.row(payment).refunded_fen == 200_000
    desk.sound()


def test_a_line_rejected_for_one_payment_may_be_entered_for_another(desk: Till) -> None:
    wrong, right = desk.owed(), desk.owed()
    credit = recorded(desk, wrong, FEE, "流水1")
    with work_for(desk.parts, desk.operators[1]) as work:
        bank.decide(work, credit, CreditDecisionIn(decision="reject"))
    credited(desk, right, FEE, "流水1")
    for payment in (wrong, right):
        with pytest.raises(Invalid) as twice:
            recorded(desk, payment, FEE, "流水1")
        assert set(twice.value.fields) == {"statement"}
    assert desk.row(right).state == PaymentState.PAID
    desk.sound()


def test_what_is_given_back_at_stripe_comes_from_the_surplus_and_then_from_what_was_paid(
    desk: Till,
) -> None:
    payment = desk.owed()
    session = desk.checkout(payment)
    credited(desk, payment, 100_000, "流水1")
    desk.stripe.pay(session)
    settled(desk)
    assert desk.balances() == {"bank": 100_000, "stripe": FEE, "fee": -FEE, "surplus": -100_000}
    (intent,) = desk.stripe.intents
    desk.stripe.refund_by_hand(intent, FEE)
    settled(desk)
    settled(desk)
    assert desk.balances() == {"bank": 100_000, "fee": -100_000}
    assert sorted(one.amount_fen for one in desk.view(payment).refunds) == [100_000, 200_000]
    desk.sound()


def test_a_dispute_lost_after_the_money_went_on_is_the_platforms_loss(desk: Till) -> None:
    payment = paid_commission(desk)
    confirmed(desk, sent_on(desk, payment))
    assert desk.balances() == {}
    (intent,) = desk.stripe.intents
    desk.stripe.close_dispute(desk.stripe.dispute(intent), "lost")
    settled(desk)
    settled(desk)
    assert desk.balances() == {"stripe": -FEE, "loss": FEE}
    assert len(told(desk, "由平台垫付")) == 1
    assert [(one.amount_fen, one.uncovered) for one in desk.view(payment).refunds] == [(FEE, True)]
    desk.sound()


def test_a_refund_that_fails_after_its_purpose_was_paid_anew_is_surplus(desk: Till) -> None:
    payment = paid_commission(desk)
    wanted(desk, payment, FEE)
    desk.work()
    commission = desk.row(payment).commission_id
    with work_for(desk.parts, desk.payer) as work:
        found = service.repository_beside.commission(work.session, commission or 0)
        form = PaymentIn(purpose=Purpose.COMMISSION, commission=found.public_id)
        again = service.create(work, form).public_id
    (made,) = desk.stripe.refunds
    desk.stripe.finish_refund(made, "failed")
    settled(desk)
    view = desk.view(payment)
    assert (view.row.state, view.row.paid_fen) == (PaymentState.CANCELLED, 0)
    assert [one.state for one in view.refunds] == [RefundState.FAILED]
    assert desk.balances() == {"stripe": FEE, "surplus": -FEE}
    assert len(told(desk, "没有办成")) == 1
    desk.sound()
    wanted(desk, payment, FEE, surplus=True)
    desk.work()
    assert desk.balances() == {}
    assert desk.row(again).state == PaymentState.DUE
    desk.sound()


def test_an_amount_that_is_not_ours_is_told_once_and_not_tried_for_ever(desk: Till) -> None:
    payment = desk.owed()
    session = desk.checkout(payment)
    desk.stripe.sessions[session]["amount_total"] = FEE - 1
    desk.stripe.pay(session)
    settled(desk)
    for _ in range(20):
        desk.clock.advance(minutes=11)
        swept(desk)
    with desk.parts.database.read() as read:
        assert read.exec(select(Job).where(Job.state == JobState.FAILED)).all() == []
        (event,) = read.exec(select(StripeEvent)).all()
    assert event.outcome.startswith("金额不符")
    assert len(told(desk, "金额与这里不同")) == 1
    assert (desk.row(payment).state, desk.balances()) == (PaymentState.DUE, {})


def test_a_session_that_was_given_up_and_is_paid_after_all_counts(desk: Till) -> None:
    payment = desk.owed()
    session = desk.checkout(payment)
    attempt = desk.view(payment).attempt
    assert attempt is not None
    with work_for(desk.parts, desk.payer) as work:
        card.settle(work.session, attempt.public_id, None, attempt.expires_at + timedelta(hours=1))
    desk.stripe.pay(session)
    settled(desk)
    assert desk.row(payment).state == PaymentState.PAID
    desk.sound()


def test_a_press_that_is_answered_after_another_has_paid_leads_back_to_the_payment(
    desk: Till,
) -> None:
    payment = desk.owed()
    first, second = desk.begin(payment), desk.begin(payment)
    made = card.ask(desk.cards, first)
    assert made is not None
    with work_for(desk.parts, desk.payer) as work:
        card.keep(work.session, first.attempt, made, work.now)
    late = card.ask(desk.cards, second)
    desk.stripe.pay(made.id)
    settled(desk)
    with work_for(desk.parts, desk.payer) as work:
        assert card.keep(work.session, second.attempt, late, work.now) == BACK
    desk.sound()


def test_two_presses_that_are_both_refused_end_alike(desk: Till) -> None:
    payment = desk.owed()
    attempts = [desk.begin(payment).attempt for _ in range(2)]
    for attempt in attempts:
        with work_for(desk.parts, desk.payer) as work:
            assert card.keep(work.session, attempt, None, work.now) == ""
    desk.checkout(payment)  # the next press begins anew


@pytest.mark.parametrize("fault", ["lost", "500"])
def test_an_error_under_a_key_does_not_stand_in_the_way_of_the_next_press(
    desk: Till, fault: str
) -> None:
    payment = desk.owed()
    desk.stripe.faults.append(fault)
    with pytest.raises(Unavailable):
        card.pay(lambda: work_for(desk.parts, desk.payer), desk.ways, payment, BACK)
    url = card.pay(lambda: work_for(desk.parts, desk.payer), desk.ways, payment, BACK)
    (session,) = desk.stripe.sessions
    assert url.endswith(session)


def test_an_expired_session_is_looked_at_and_a_new_one_made(desk: Till) -> None:
    payment = desk.owed()
    old = desk.checkout(payment)
    desk.clock.advance(hours=2, minutes=1)
    desk.stripe.expire(old)
    url = card.pay(lambda: work_for(desk.parts, desk.payer), desk.ways, payment, BACK)
    assert url.endswith(list(desk.stripe.sessions)[1])


def test_with_other_keys_what_was_begun_ends_by_its_time(desk: Till) -> None:
    payment = desk.owed()
    desk.checkout(payment)
    desk.stripe.sessions.clear()  # another account knows none of them
    card.check(lambda: work_for(desk.parts, desk.payer), desk.ways, payment)
    with work_for(desk.parts, desk.payer) as work, pytest.raises(Conflict, match="没有结束"):
        service.cancel(work, payment)
    desk.clock.advance(hours=3)
    swept(desk)
    attempt = desk.view(payment).attempt
    assert attempt is not None
    assert attempt.state == AttemptState.EXPIRED


def test_without_keys_what_was_begun_can_be_given_up_after_its_time(desk: Till) -> None:
    payment = desk.owed()
    desk.checkout(payment)
    desk.ways = Ways(None, desk.ways.bank)
    desk.clock.advance(hours=3)
    with work_for(desk.parts, desk.payer) as work:
        assert service.cancel(work, payment).state == PaymentState.CANCELLED


def test_who_is_told_when_a_refund_is_refused_and_when_a_done_one_comes_back(desk: Till) -> None:
    payment = desk.paid()
    desk.stripe.refuse_refunds = True
    wanted(desk, payment, 100_000)
    desk.work()
    assert len(told(desk, "没有办成")) == 1
    desk.stripe.refuse_refunds = False
    wanted(desk, payment, 100_000)
    desk.work()
    desk.stripe.finish_refund(list(desk.stripe.refunds)[-1], "failed")
    settled(desk)
    assert len(told(desk, "没有办成")) == 2
    with read_for(desk.parts, desk.payer) as work:
        titles = [one.notice.title for one in notices.messages(work, 1).rows]
    assert any("没有成功，钱回到了平台" in one for one in titles)


def test_a_refund_that_stripe_takes_its_time_for_is_sent_and_then_done(desk: Till) -> None:
    payment = desk.paid()
    desk.stripe.refund_status = "pending"
    wanted(desk, payment, 100_000)
    desk.work()
    assert [one.state for one in desk.view(payment).refunds] == [RefundState.SENT]
    assert desk.row(payment).refunded_fen == 0
    desk.stripe.finish_refund(next(iter(desk.stripe.refunds)), "succeeded")
    settled(desk)
    assert desk.row(payment).refunded_fen == 100_000
    desk.sound()


def test_one_operator_alone_sends_nothing_on_over_stripe(desk: Till) -> None:
    payment = paid_commission(desk)
    transfer = sent_on(desk, payment)
    desk.work()
    swept(desk)
    assert desk.stripe.transfers == {}
    with work_for(desk.parts, desk.operators[0]) as work, pytest.raises(Conflict, match="另一位"):
        transfers.decide(work, transfer, BankLeftIn(decision="confirm"))
    confirmed(desk, transfer)
    assert len(desk.stripe.transfers) == 1
    desk.sound()


def test_what_stripe_will_not_send_on_goes_by_bank(desk: Till) -> None:
    payment = paid_commission(desk)
    (charge,) = desk.stripe.charges.values()
    charge["amount"] = 1  # too little there, it will say
    confirmed(desk, sent_on(desk, payment))
    assert [one.state for one, _ in desk.view(payment).transfers] == [TransferState.FAILED]
    assert len(told(desk, "没有办成")) == 1
    confirmed(desk, sent_on(desk, payment, by_bank=True), "付0001")
    assert desk.balances() == {}
    desk.sound()


def test_money_leaves_once_under_a_number_of_the_bank(desk: Till) -> None:
    payment = desk.owed()
    credited(desk, payment, FEE, "流水1")
    (capture,) = desk.view(payment).captures
    form = RefundIn(capture=capture.public_id, amount_fen=1000, reason="示范退款")
    with work_for(desk.parts, desk.operators[0]) as work:
        rows = [refunds.want(work, desk.ways, payment, form).public_id for _ in range(2)]
    left = BankLeftIn(decision="confirm", statement="付0001")
    with work_for(desk.parts, desk.operators[1]) as work:
        refunds.decide(work, rows[0], left)
    with (
        work_for(desk.parts, desk.operators[1]) as work,
        pytest.raises(Invalid, match="有几处") as e,
    ):
        refunds.decide(work, rows[1], left)
    assert e.value.fields == {"statement": refunds.USED}


def test_the_audit_sees_money_that_came_in_and_was_not_taken(desk: Till) -> None:
    payment = desk.paid()
    with desk.parts.database.write() as session:
        (capture,) = desk.view(payment).captures
        session.delete(session.get_one(type(capture), capture.id))
    assert any("没有记成收款" in one.what for one in desk.wrong())


def test_an_operator_who_is_of_the_paying_organisation_has_no_hand_in_its_payments(
    desk: Till,
) -> None:
    payment = desk.owed()
    factories.join(desk.parts, desk.operators[1], desk.organisation)
    credit = recorded(desk, payment, FEE, "流水1")
    with work_for(desk.parts, desk.operators[1]) as work, pytest.raises(Conflict, match="付款单位"):
        bank.decide(work, credit, CreditDecisionIn(decision="confirm"))
    desk.stripe.pay(desk.checkout(payment))
    settled(desk)
    (capture,) = desk.view(payment).captures
    form = RefundIn(capture=capture.public_id, amount_fen=1, reason="示范退款")
    with work_for(desk.parts, desk.operators[1]) as work, pytest.raises(Conflict, match="付款单位"):
        refunds.want(work, desk.ways, payment, form)


def test_a_number_of_the_bank_is_one_however_it_is_spaced(desk: Till) -> None:
    payment = desk.owed()
    recorded(desk, payment, 1000, "流水 12")
    with pytest.raises(Invalid):
        recorded(desk, payment, 1000, "流 水１2")


def test_earnest_money_of_a_lost_deal_is_owed_no_more(desk: Till) -> None:
    world = trade(desk.parts)
    deal = agreed(world)
    with work_for(desk.parts, desk.operators[0]) as work:
        line = FeeIn(
            code="earnest",
            name="诚意金",
            purpose="earnest",
            amount_fen=FEE,
            effective_from=work.today,
            source="示范收费办法第5条",
        )
        fee = schedule.set_fee(work, line).public_id
    with work_for(desk.parts, world.buyer) as work:
        asked = PaymentIn(purpose=Purpose.EARNEST, deal=deal.public_id, fee=fee)
        payment = service.create(work, asked).public_id
    with work_for(desk.parts, world.buyer) as work:
        deals.lose(work, PublicId(deal.public_id), LoseIn(reason=LostReason.PRICE))
    with work_for(desk.parts, world.buyer) as work, pytest.raises(Conflict, match="洽谈已经结束"):
        card.begin(work, desk.ways, payment, BACK)
    credited(desk, payment, FEE, "流水1")
    with read_for(desk.parts, world.buyer) as work:
        (capture,) = service.view(work, payment).captures
    assert (capture.applied_fen, capture.surplus_fen) == (0, FEE)
    desk.sound()


def test_only_a_few_wait_for_stripe_at_a_time(desk: Till) -> None:
    payment = desk.owed()
    with ExitStack() as waiting:
        for _ in range(TURNS):
            waiting.enter_context(desk.cards.turn())
        with pytest.raises(Unavailable):
            card.pay(lambda: work_for(desk.parts, desk.payer), desk.ways, payment, BACK)
    assert card.pay(lambda: work_for(desk.parts, desk.payer), desk.ways, payment, BACK)


def test_a_stripe_that_hangs_is_not_asked_again_for_a_while() -> None:
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        cards = Cards(KEY, SECRET, url=url, seconds=(1.0, SLOW + 0.1))
        took = []
        for _ in range(3):
            begun = monotonic()
            with pytest.raises(CardsDown):
                cards.checkout("cs_1")
            took.append(monotonic() - begun)
    assert took[0] > SLOW
    assert max(took[1:]) < 0.5


def test_cards_of_another_mode_are_told_apart() -> None:
    assert Cards(KEY, SECRET).test_mode
    assert not Cards("sk_live_x", SECRET).test_mode
