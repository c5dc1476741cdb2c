"""Fees that the operators charge, what then waits for the payer, and charges taken back."""

import pytest

from market import waiting
from market.accounts.policy import OrganisationKind, Role
from market.kit import notify
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import PublicId, new_public_id
from market.payments import bank, charging, service
from market.payments import waiting as ours
from market.payments.schemas import ChargeIn, CreditDecisionIn
from tests import factories
from tests.market.payments.test_bank import credited, recorded
from tests.support.market import work_for
from tests.support.paying import FEE, Till


def charged(desk: Till, code: str, fee: str = "") -> PublicId:
    with work_for(desk.parts, desk.operators[0]) as work:
        return charging.charge(work, ChargeIn(credit_code=code, fee=fee or desk.fee)).public_id


def waits(desk: Till) -> set[str]:
    """Return the payments that wait to be paid, by the tasks; they are those of the rows."""
    with desk.parts.database.write() as session:
        assert waiting.put_right(session, desk.clock.now()) == 0
        return notify.open_tasks(session, ours.OWED)


def test_a_fee_that_is_charged_waits_for_its_payer_until_it_is_paid(desk: Till) -> None:
    code = desk.organisation.credit_code or ""
    payment = charged(desk, code.lower())
    row = desk.row(payment)
    assert (row.organisation_id, row.amount_fen) == (desk.organisation.id, FEE)
    assert waits(desk) == {payment}
    row = recorded(desk, payment, FEE // 2, "流水1")
    with work_for(desk.parts, desk.operators[1]) as work, pytest.raises(Conflict, match="等着确认"):
        charging.take_back(work, payment)
    with work_for(desk.parts, desk.operators[1]) as work:
        bank.decide(work, row, CreditDecisionIn(decision="confirm"))
    assert waits(desk) == {payment}
    with work_for(desk.parts, desk.operators[1]) as work, pytest.raises(Conflict):
        charging.take_back(work, payment)
    desk.stripe.pay(desk.checkout(payment))
    desk.deliver()
    desk.work()
    assert waits(desk) == set()
    desk.sound()


def test_a_charge_is_taken_back_before_anything_is_paid(desk: Till) -> None:
    payment = charged(desk, desk.organisation.credit_code or "")
    own = desk.owed()
    with work_for(desk.parts, desk.payer) as work:
        service.cancel(work, own)
    assert waits(desk) == {payment}
    with work_for(desk.parts, desk.operators[1]) as work:
        charging.take_back(work, payment)
    assert desk.row(payment).state == "cancelled"
    assert waits(desk) == set()
    with work_for(desk.parts, desk.operators[1]) as work, pytest.raises(Conflict):
        charging.take_back(work, payment)
    credited(desk, payment, FEE, "流水1")  # sent all the same: to be returned
    (capture,) = desk.view(payment).captures
    assert (capture.applied_fen, capture.surplus_fen) == (0, FEE)
    desk.sound()


def test_who_is_charged_and_by_whom(desk: Till) -> None:
    bureau = factories.organisation(desk.parts, OrganisationKind.BUREAU)
    unknown = factories.organisation(desk.parts, OrganisationKind.COMPANY, verified=False)
    for code in ("91999999MA9999999X", bureau.credit_code or "", unknown.credit_code or ""):
        with pytest.raises(Invalid) as refused:
            charged(desk, code)
        assert set(refused.value.fields) == {"credit_code"}
    code = desk.organisation.credit_code or ""
    with pytest.raises(Invalid) as refused:
        charged(desk, code, new_public_id())
    assert set(refused.value.fields) == {"fee"}
    payment = desk.owed()
    with work_for(desk.parts, desk.payer) as work:
        with pytest.raises(Forbidden):
            charging.charge(work, ChargeIn(credit_code=code, fee=desk.fee))
        with pytest.raises(Forbidden):
            charging.take_back(work, payment)
    stranger = factories.actor(
        desk.parts, Role.MANAGER, factories.organisation(desk.parts, OrganisationKind.COMPANY)
    )
    with work_for(desk.parts, stranger) as work, pytest.raises(NotFound):
        charging.take_back(work, payment)
