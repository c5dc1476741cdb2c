"""What waits at the desk: applications for the bureau, signed contracts for their seller."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action, Role
from market.accounts.work import Work
from market.deals.models import Contract, Deal
from market.deals.waiting import REGISTER, to_register
from market.kit import notify
from market.kit.clock import local_date
from market.kit.ids import OrganisationId, PublicId
from market.kit.notify import Subject, Task, To
from market.kit.workdays import working_days_after
from market.registry import repository, repository_waiting
from market.registry.models import Registration, RegistrationState
from market.registry.repository import Filed
from market.registry.vocabulary import (
    DECIDE_LARGE_WORKING_DAYS,
    DECIDE_WORKING_DAYS,
    LARGE_TECHNICAL_FEN,
    REFUSAL_REASONS,
)
from market.rules import service as rules
from market.rules.calendar import Calendar

DECIDE: Final = "registration.submitted"
KINDS: Final = (DECIDE, REGISTER)


def due_on(row: Registration, contract: Contract, calendar: Calendar) -> date:
    """Return the last day on which the bureau is to decide."""
    large = contract.technical_fen >= LARGE_TECHNICAL_FEN
    count = DECIDE_LARGE_WORKING_DAYS if large else DECIDE_WORKING_DAYS
    return working_days_after(local_date(row.submitted_at), count, calendar.is_rest_day)


def tasks(session: Session) -> Iterator[Task]:
    """Yield all that waits at the desk, as its own rows say."""
    calendar = rules.calendar(session)
    for row, contract in repository_waiting.submitted(session):
        yield _decide(row, contract, calendar)
    unregistered = repository_waiting.unregistered(session)
    ids = [contract.id for contract, _ in unregistered]
    newest = repository.newest_of_contracts(session, ids)
    for contract, deal in unregistered:
        yield _submit(contract, deal, newest.get(contract.id))


def _decide(row: Registration, contract: Contract, calendar: Calendar) -> Task:
    return Task(
        To(role=Role.OFFICER),
        DECIDE,
        Subject("registration", row.public_id),
        f"审查登记申请：{contract.project_name}",
        detail=f"{contract.seller_name} → {contract.buyer_name}",
        due_on=due_on(row, contract, calendar),
        asked_by_id=contract.seller_id,
    )


def _submit(contract: Contract, deal: Deal, last: Registration | None) -> Task:
    """`last` is the newest registration of the contract, which is no longer live."""
    if last is None:
        return to_register(contract, deal)
    title, detail = "提交登记", "登记申请或登记已撤回，可以重新提交。"
    if last.state == RegistrationState.NOT_REGISTERED:
        title, detail = "改好后重新提交登记", f"不予登记：{REFUSAL_REASONS[last.refusal_reason]}。"
        detail += last.note
    return to_register(contract, deal, title, round=last.public_id, detail=detail)


def moved(work: Work, filed: Filed) -> None:
    """Let the tasks of the bureau and of the seller follow a registration."""
    session, row = work.session, filed.row
    waits = []
    if row.state == RegistrationState.SUBMITTED:
        waits = [_decide(row, filed.contract, rules.calendar(session))]
    subject = Subject("registration", row.public_id)
    notify.hold(session, subject, [DECIDE], waits, at=work.now)
    _hold_seller(work, filed.contract, filed.deal)


def _hold_seller(work: Work, contract: Contract, deal: Deal) -> None:
    """Let the seller's task stand while a signed contract has no live registration."""
    live = repository.live_of_contract(work.session, contract.id)
    waits = []
    if live is None:
        newest = repository.newest_of_contracts(work.session, [contract.id])
        waits = [_submit(contract, deal, newest.get(contract.id))]
    subject = Subject("deal", deal.public_id)
    notify.hold(work.session, subject, [REGISTER], waits, at=work.now)


def tell_parties(work: Work, filed: Filed, kind: str, what: str, detail: str = "") -> None:
    """Tell both parties what became of their registration."""
    contract = filed.contract
    for reader in (contract.seller_id, contract.buyer_id):
        _tell(work, reader, filed.row.public_id, kind, f"{what}：{contract.project_name}", detail)


def _tell(
    work: Work, reader: OrganisationId, registration: PublicId, kind: str, title: str, detail: str
) -> None:
    notify.tell(
        work.session,
        To(organisation_id=reader, action=Action.REGISTRATION_VIEW),
        kind,
        Subject("registration", registration),
        title,
        key=f"{kind}:{registration}:{reader}",
        at=work.now,
        detail=detail,
    )
