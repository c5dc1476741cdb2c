"""The JSON edge of the registration desk."""

from typing import Annotated

from fastapi import Query

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.registry import service
from market.registry.models import RegistrationState
from market.registry.repository import Filed
from market.registry.schemas import (
    DecideIn,
    RegistrationOut,
    RegistrationsOut,
    SubmitIn,
    UndoIn,
)

router = api_router("registrations", "/registrations")


def _out(filed: Filed) -> RegistrationOut:
    row, contract = filed.row, filed.contract
    assert contract.signed_on is not None
    return RegistrationOut(
        id=row.public_id,
        state=row.state,
        contract=contract.public_id,
        deal=filed.deal.public_id,
        project_name=contract.project_name,
        type=contract.type,
        sub_type=contract.sub_type,
        field=contract.field,
        seller=contract.seller_name,
        buyer=contract.buyer_name,
        signed_on=contract.signed_on,
        applied_total_fen=contract.total_fen,
        applied_technical_fen=contract.technical_fen,
        submitted_at=row.submitted_at,
        number=row.number,
        decided_on=row.decided_on,
        total_fen=row.total_fen,
        technical_fen=row.technical_fen,
        difference_reason=row.difference_reason,
        supersedes=filed.supersedes,
        refusal_reason=row.refusal_reason,
        note=row.note,
        decided_at=row.decided_at,
        withdraw_reason=row.withdraw_reason,
        withdrawn_at=row.withdrawn_at,
    )


@router.get("")
def registrations(
    work: Annotated[Work, opens(Action.REGISTRATION_VIEW)],
    state: RegistrationState | None = None,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> RegistrationsOut:
    """List registrations: all for the bureau, one's own for others; 50 a page."""
    rows, total = service.registrations(work, state, page)
    return RegistrationsOut(items=[_out(filed) for filed in rows], total=total)


@router.post("", status_code=201)
def submit(
    form: SubmitIn, work: Annotated[Work, opens(Action.REGISTRATION_SUBMIT, write=True)]
) -> RegistrationOut:
    """Hand in a signed contract, by its seller."""
    return _out(service.submit(work, form))


@router.get("/{registration_id}")
def registration(
    registration_id: PathId, work: Annotated[Work, opens(Action.REGISTRATION_VIEW)]
) -> RegistrationOut:
    """Show one registration to its parties, their brokers and the bureau."""
    return _out(service.get(work, PublicId(registration_id)))


@router.post("/{registration_id}/decision")
def decide(
    registration_id: PathId,
    form: DecideIn,
    work: Annotated[Work, opens(Action.REGISTRATION_DECIDE, write=True)],
) -> RegistrationOut:
    """Enter the registry's decision; a registration counts on the board from here on."""
    return _out(service.decide(work, PublicId(registration_id), form))


@router.post("/{registration_id}/undo")
def undo(
    registration_id: PathId,
    form: UndoIn,
    work: Annotated[Work, opens(Action.REGISTRATION_UNDO, write=True)],
) -> RegistrationOut:
    """Undo a wrong decision with a reason; what was counted is taken out again."""
    return _out(service.undo(work, PublicId(registration_id), form))


@router.post("/{registration_id}/withdraw")
def withdraw(
    registration_id: PathId,
    work: Annotated[Work, opens(Action.REGISTRATION_SUBMIT, write=True)],
) -> RegistrationOut:
    """Take an undecided application back, by the seller."""
    return _out(service.withdraw(work, PublicId(registration_id)))
