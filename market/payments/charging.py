"""Service fees that the operators charge an organisation, and charges that they take back. 收费"""

from typing import Final

from market.accounts import repository as accounts
from market.accounts.models import Organisation, Verification
from market.accounts.policy import Action, OrganisationKind, Relation
from market.accounts.work import Work
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.payments import repository, service, waiting
from market.payments.models import Payment
from market.payments.schemas import ChargeIn

TAKEN_BACK: Final = "payment.taken_back"
_OURS: Final = (OrganisationKind.BUREAU, OrganisationKind.PLATFORM)


def charge(work: Work, form: ChargeIn) -> Payment:
    """Let an organisation owe a fee of the schedule; it finds that among what waits for it.

    Raises Invalid at `credit_code`, `fee`; Conflict where it owes the same fee already, and for an
    operator who is of that organisation.
    """
    work.require(Action.PAYMENT_CONFIRM, Relation.OTHER)
    payer = _payer(work, form.credit_code)
    row = service.fee_of(work, payer.id, form.fee)
    service.apart(work, row)
    if same := repository.fee_owed_by(work.session, payer.id, row.fee_id):
        raise Conflict(f"{payer.name}已有一笔同样的待付款项，附言号{same.reference}")
    return service.written(work, row)


def _payer(work: Work, credit_code: str) -> Organisation:
    found = accounts.organisation_by_code(work.session, credit_code.upper())
    if found is None or found.kind in _OURS or found.verification != Verification.VERIFIED:
        raise Invalid(fields={"credit_code": "没有这个代码的已核验单位，请核对"})
    return found


def take_back(work: Work, public_id: PublicId) -> Payment:
    """Give up, as an operator, a payment of which nothing has been paid; its payer is told.

    Raises as `service.cancel` does, and Conflict for an operator who is of the paying organisation.
    """
    seen = service.find(work, public_id, Action.PAYMENT_CONFIRM)
    service.apart(work, seen)
    row = service.cancelled(work, repository.hold_payment(work.session, seen.id))
    said = f"运营者取消了这笔款项，不用付：{row.title}"
    waiting.tell_payer(work.session, row, TAKEN_BACK, said, row.public_id, work.now)
    return row
