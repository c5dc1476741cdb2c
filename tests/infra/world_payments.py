"""One object of everything in payments, for `world`: each as its next step finds it."""

from datetime import timedelta
from io import BytesIO

from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.brokerage.models import Commission, CommissionPart, CommissionState, PartRole
from market.brokerage.rule import Ground
from market.kit.ids import PublicId, new_public_id
from market.payments import bank, invoices, limits, refunds, schedule, service, transfers
from market.payments.schemas import (
    CreditDecisionIn,
    CreditIn,
    FeeIn,
    InvoiceIn,
    LimitIn,
    PaymentIn,
    RefundIn,
    SlipIn,
    TransferIn,
)
from market.payments.states import Purpose
from market.payments.ways import Ways
from tests import factories
from tests.support.market import work_for


def owe(parts: Parts, seller: Actor, agency: Actor, ids: dict[str, str]) -> None:
    """Write a fee and limits that are not yet in force. Owe a service fee with a slip, a credit and a refund to be confirmed, and an invoice; and a
    commission, paid, with a transfer to the agency to be confirmed.
    """
    first, second = (factories.actor(parts, Role.OPERATOR) for _ in range(2))
    with work_for(parts, first) as work:
        fee = FeeIn(
            code="year",
            name="年度服务费",
            purpose="service_fee",
            amount_fen=300_000,
            effective_from=work.today,
            source="示范收费办法",
        )
        ids["fee"] = schedule.set_fee(work, fee).public_id
        day = work.today + timedelta(days=400)
        later = fee.model_copy(update={"effective_from": day})
        ids["fee_id"] = schedule.set_fee(work, later).public_id
        limit = LimitIn(least_fen=400, most_fen=500, effective_from=day, source="示范")
        ids["limit_day"] = limits.put(work, limit).effective_from.isoformat()
    with work_for(parts, seller) as work:
        asked = PaymentIn(purpose=Purpose.SERVICE_FEE, fee=ids["fee"])
        payment = service.create(work, asked).public_id
        slip = SlipIn(amount_fen=100_000, sent_on=work.today)
        kept = bank.attach_slip(work, payment, slip, "a.pdf", BytesIO(b"%PDF-1.7 slip"))
        ids["payment_id"], ids["slip_id"] = payment, kept.public_id
    _decided(parts, second, _recorded(parts, first, payment, "1"))
    ids["credit_id"] = _recorded(parts, first, payment, "2")
    ids["invoice_number"] = "26502000000000000001"
    with work_for(parts, first) as work:
        number = InvoiceIn(number=ids["invoice_number"], amount_fen=1, issued_on=work.today)
        invoices.enter(work, payment, number)
        view = service.view(work, payment)
        back = RefundIn(capture=view.captures[0].public_id, amount_fen=1, reason="示范")
        ids["refund_id"] = refunds.want(work, Ways(), payment, back).public_id
    _sent_on(parts, (first, second), seller, agency, ids)


def _recorded(parts: Parts, who: Actor, payment: PublicId, statement: str) -> PublicId:
    with work_for(parts, who) as work:
        form = CreditIn(
            statement=statement, payer_name="示范", amount_fen=100_000, received_on=work.today
        )
        return bank.record(work, payment, form).public_id


def _decided(parts: Parts, who: Actor, credit: PublicId) -> None:
    with work_for(parts, who) as work:
        bank.decide(work, credit, CreditDecisionIn(decision="confirm"))


def _sent_on(
    parts: Parts, operators: tuple[Actor, Actor], seller: Actor, agency: Actor, ids: dict[str, str]
) -> None:
    due = new_public_id()
    with parts.database.write() as session:
        row = Commission(
            public_id=due,
            key=f"example:{due}",
            ground=Ground.CLAUSE,
            amount_fen=100_000,
            state=CommissionState.DUE,
            created_at=parts.clock.now(),
        )
        session.add(row)
        session.flush()
        session.add_all(
            CommissionPart(
                commission_id=row.id, role=role, organisation_id=of.organisation, amount_fen=100_000
            )
            for role, of in ((PartRole.PAYER, seller), (PartRole.BROKER, agency))
        )
    with work_for(parts, seller) as work:
        asked = PaymentIn(purpose=Purpose.COMMISSION, commission=due)
        payment = service.create(work, asked).public_id
    _decided(parts, operators[1], _recorded(parts, operators[0], payment, "3"))
    with work_for(parts, operators[0]) as work:
        view = service.view(work, payment)
        (share,) = transfers.shares(work.session, view.row)
        on = TransferIn(
            capture=view.captures[0].public_id, agency=share.agency.public_id, amount_fen=1
        )
        ids["transfer_id"] = transfers.want(work, Ways(), payment, on).public_id
