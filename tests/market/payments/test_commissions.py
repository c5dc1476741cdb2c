"""Commissions paid through the platform and sent on to agencies by Connect."""

import pytest

from market.accounts.policy import OrganisationKind
from market.accounts.work import Actor
from market.brokerage import service as brokerage
from market.brokerage.schemas import SettleIn
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import PublicId
from market.notices import service as notices
from market.payments import bank, card, refunds, service, statements, transfers
from market.payments.schemas import (
    AccountIn,
    BankLeftIn,
    CreditDecisionIn,
    CreditIn,
    PaymentIn,
    RefundIn,
    TransferIn,
)
from market.payments.states import Purpose, TransferState
from tests import factories
from tests.market.brokerage.test_brokerage import granted, introduced, late_success, settled, signed
from tests.support.market import read_for, work_for
from tests.support.paying import BACK, Till
from tests.support.trade import Trade, trade

pytestmark = pytest.mark.usefixtures("both_databases")
FEE_RATE = 300  # of 10,000, as `granted` agrees it


@pytest.fixture
def world(desk: Till) -> Trade:
    return trade(desk.parts, state_founded=False)


def due(world: Trade) -> tuple[PublicId, int]:
    """Return a commission that the seller owes, and how much."""
    granted(world)
    introduced(world, (world.seller, "accept"), (world.buyer, "accept"))
    contract = signed(world)
    (row,) = settled(world.parts)
    assert row.amount_fen == contract.total_fen * FEE_RATE // 10_000
    return PublicId(row.public_id), row.amount_fen


def asked(commission: PublicId) -> PaymentIn:
    return PaymentIn(purpose=Purpose.COMMISSION, commission=commission)


def paid(desk: Till, world: Trade) -> tuple[PublicId, int]:
    """Return a payment of a commission, taken by card, and its amount."""
    commission, amount = due(world)
    with work_for(desk.parts, world.seller) as work:
        payment = service.create(work, asked(commission)).public_id
        begun = card.begin(work, desk.ways, payment, BACK)
    seen = card.ask(desk.cards, begun)
    assert seen is not None
    with work_for(desk.parts, world.seller) as work:
        card.keep(work.session, begun.attempt, seen, work.now)
    desk.stripe.pay(seen.id)
    desk.deliver()
    desk.work()
    return payment, amount


def connected(desk: Till, world: Trade) -> None:
    form = AccountIn(agency=world.agency.public_id, account="acct_1example")
    with work_for(desk.parts, desk.operators[0]) as work:
        transfers.connect(work, form)


def view(desk: Till, payment: PublicId) -> service.PaymentView:
    with read_for(desk.parts, desk.operators[0]) as work:
        return service.view(work, payment)


def sent(desk: Till, world: Trade, payment: PublicId, amount: int) -> None:
    (capture,) = view(desk, payment).captures
    form = TransferIn(capture=capture.public_id, agency=world.agency.public_id, amount_fen=amount)
    with work_for(desk.parts, desk.operators[0]) as work:
        transfers.want(work, desk.ways, payment, form)


def sent_off(desk: Till, payment: PublicId) -> None:
    """Let a second operator confirm what is to go on by card."""
    row, _ = view(desk, payment).transfers[-1]
    with work_for(desk.parts, desk.operators[1]) as work:
        transfers.decide(work, row.public_id, BankLeftIn(decision="confirm"))


def closing(desk: Till, actor: Actor) -> dict[str, int]:
    with read_for(desk.parts, actor) as work:
        return statements.of(work, work.today, work.today).closing


def test_a_commission_goes_from_its_payer_to_the_agency(desk: Till, world: Trade) -> None:
    payment, amount = paid(desk, world)
    assert closing(desk, world.seller) == {"commission": amount}
    connected(desk, world)
    sent(desk, world, payment, amount)
    sent_off(desk, payment)
    desk.work()
    ((row, _),) = view(desk, payment).transfers
    assert (row.state, row.amount_fen) == (TransferState.DONE, amount)
    (made,) = desk.stripe.transfers.values()
    assert (made["amount"], made["destination"]) == (amount, "acct_1example")
    assert closing(desk, world.seller).get("commission", 0) == 0
    assert closing(desk, world.broker).get("agency", 0) == 0
    desk.sound()


def test_no_more_is_sent_on_or_refunded_than_came_in(desk: Till, world: Trade) -> None:
    payment, amount = paid(desk, world)
    with pytest.raises(Invalid) as refused:
        sent(desk, world, payment, 1)
    assert set(refused.value.fields) == {"agency"}  # without an account at Stripe
    connected(desk, world)
    sent(desk, world, payment, amount - 100)
    sent_off(desk, payment)
    with pytest.raises(Invalid) as refused:
        sent(desk, world, payment, 101)
    assert set(refused.value.fields) == {"amount_fen"}
    (capture,) = view(desk, payment).captures
    form = RefundIn(capture=capture.public_id, amount_fen=101, reason="示范退款")
    with work_for(desk.parts, desk.operators[0]) as work, pytest.raises(Invalid):
        refunds.want(work, desk.ways, payment, form)
    desk.work()
    assert closing(desk, world.seller) == {"commission": 100}
    desk.sound()


@pytest.mark.parametrize("fault", ["before", "after", "500"])
def test_no_answer_while_sending_on_sends_once(desk: Till, world: Trade, fault: str) -> None:
    payment, amount = paid(desk, world)
    connected(desk, world)
    sent(desk, world, payment, amount)
    sent_off(desk, payment)
    desk.stripe.faults.append(fault)
    desk.work()
    desk.clock.advance(minutes=1)
    desk.work()
    assert [one["amount"] for one in desk.stripe.transfers.values()] == [amount]
    assert [one.state for one, _ in view(desk, payment).transfers] == [TransferState.DONE]
    desk.sound()


def credited(desk: Till, world: Trade) -> tuple[PublicId, int]:
    """Return a payment of a commission that came by bank, and its amount."""
    commission, amount = due(world)
    with work_for(desk.parts, world.seller) as work:
        payment = service.create(work, asked(commission)).public_id
    with work_for(desk.parts, desk.operators[0]) as work:
        form = CreditIn(
            statement="流水1", payer_name="示范高校", amount_fen=amount, received_on=work.today
        )
        credit = bank.record(work, payment, form).public_id
    with work_for(desk.parts, desk.operators[1]) as work:
        bank.decide(work, credit, CreditDecisionIn(decision="confirm"))
    return payment, amount


def test_what_came_by_bank_goes_on_by_bank_with_a_second_person(desk: Till, world: Trade) -> None:
    payment, amount = credited(desk, world)
    sent(desk, world, payment, amount)
    ((row, agency),) = view(desk, payment).transfers
    assert agency.public_id == world.agency.public_id
    left = BankLeftIn(decision="confirm", statement="付0001")
    with work_for(desk.parts, desk.operators[0]) as work, pytest.raises(Conflict, match="另一位"):
        transfers.decide(work, row.public_id, left)
    with work_for(desk.parts, world.broker) as work, pytest.raises(NotFound):
        transfers.decide(work, row.public_id, left)
    assert closing(desk, world.seller) == {"commission": amount}
    with work_for(desk.parts, desk.operators[1]) as work:
        transfers.decide(work, row.public_id, left)
    with work_for(desk.parts, desk.operators[1]) as work, pytest.raises(Conflict):
        transfers.decide(work, row.public_id, left)
    assert closing(desk, world.seller).get("commission", 0) == 0
    with read_for(desk.parts, world.broker) as work:
        commission = view(desk, payment).row.commission_id
        assert commission is not None
        seen = transfers.through(work, commission)
        assert (seen.payment, seen.paid_fen, seen.sent_fen) == (None, amount, amount)
        assert [one for one in notices.messages(work, 1).rows if "平台转来" in one.notice.title]
    desk.sound()


def test_a_transfer_that_does_not_leave_frees_what_it_held(desk: Till, world: Trade) -> None:
    payment, amount = credited(desk, world)
    for _ in range(2):
        sent(desk, world, payment, amount)
        row, _ = view(desk, payment).transfers[-1]
        with work_for(desk.parts, desk.operators[1]) as work:
            transfers.decide(work, row.public_id, BankLeftIn(decision="reject"))
    assert closing(desk, world.seller) == {"commission": amount}
    desk.sound()


def test_it_goes_to_nobody_but_who_gets_of_it(desk: Till, world: Trade) -> None:
    payment, amount = credited(desk, world)
    (capture,) = view(desk, payment).captures
    other = factories.organisation(desk.parts, OrganisationKind.AGENCY).public_id
    form = TransferIn(capture=capture.public_id, agency=other, amount_fen=amount)
    with work_for(desk.parts, desk.operators[0]) as work, pytest.raises(Invalid) as refused:
        transfers.want(work, desk.ways, payment, form)
    assert set(refused.value.fields) == {"agency"}


def test_a_cost_paid_before_is_taken_off(desk: Till, world: Trade) -> None:
    fee = late_success(world, desk.clock, paid=True)
    with work_for(desk.parts, world.seller) as work:
        row = service.create(work, asked(PublicId(fee.public_id)))
        assert row.amount_fen == fee.amount_fen - 8_000_00


def test_only_who_owes_it_pays_and_not_twice(desk: Till, world: Trade) -> None:
    commission, _ = due(world)
    for actor in (world.buyer, desk.payer):
        with work_for(desk.parts, actor) as work, pytest.raises(Invalid):
            service.create(work, asked(commission))
    with work_for(desk.parts, world.seller) as work:
        payment = service.create(work, asked(commission)).public_id
    with work_for(desk.parts, world.seller) as work, pytest.raises(Conflict):
        service.create(work, asked(commission))
    with read_for(desk.parts, world.broker) as work, pytest.raises(NotFound):
        service.view(work, payment)
    with work_for(desk.parts, world.broker) as work:
        brokerage.settle(work, commission, SettleIn())  # it came in outside of the platform
    with work_for(desk.parts, world.seller) as work, pytest.raises(Conflict, match="结清"):
        card.begin(work, desk.ways, payment, BACK)
