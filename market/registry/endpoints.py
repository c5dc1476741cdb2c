"""The JSON edge of the registration desk: applications, and what the bureau does with them."""

from typing import Annotated

from fastapi import File, Query, UploadFile
from fastapi.responses import StreamingResponse

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit.downloads import as_download
from market.kit.files import PROOF_TYPES, as_document
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.registry import items, service, standing
from market.registry.items import Items
from market.registry.repository import Filed
from market.registry.schemas import (
    CancelIn,
    ChangeIn,
    DecideIn,
    EventOut,
    HandInIn,
    ObjectIn,
    RegistrationDetailOut,
    RegistrationOut,
    RegistrationsOut,
    ResolveIn,
    ReturnIn,
    ReviewIn,
    RevokeIn,
    SubmitIn,
    UndoIn,
)
from market.registry.states import RegistrationState

router = api_router("registrations", "/registrations")
Submitting = Annotated[Work, opens(Action.REGISTRATION_SUBMIT, write=True)]
Deciding = Annotated[Work, opens(Action.REGISTRATION_DECIDE, write=True)]
Undoing = Annotated[Work, opens(Action.REGISTRATION_UNDO, write=True)]


def _told(work: Work, filed: Filed) -> dict[str, object]:
    row, contract = filed.row, filed.contract
    stored, term = service.file_of(work, filed), service.term_of(work, filed)
    told = items.shown(work, contract, items.read(row.items))
    return row.model_dump() | {
        "id": row.public_id,
        "contract": contract.public_id,
        "deal": filed.deal.public_id,
        **contract.model_dump(include={"project_name", "type", "sub_type", "field", "signed_on"}),
        "seller": contract.seller_name,
        "buyer": contract.buyer_name,
        "applied_total_fen": contract.total_fen,
        "applied_technical_fen": contract.technical_fen,
        "file": stored.name if stored else None,
        "items": told.model_dump(),
        "missing": sorted(service.lacking(filed)),
        "decide_by": term.decide_by if term else None,
        "provisional": term.provisional if term else False,
        "rule": service.version_of(work, filed).row.code,
        "supersedes": filed.supersedes,
        "standing": standing.of(row, contract),
    }


def _out(work: Work, filed: Filed) -> RegistrationOut:
    return RegistrationOut.model_validate(_told(work, filed))


@router.get("")
def registrations(
    work: Annotated[Work, opens(Action.REGISTRATION_VIEW)],
    state: RegistrationState | None = None,
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> RegistrationsOut:
    """List registrations: all for the bureau, one's own for others; 50 a page."""
    rows, total = service.registrations(work, state, page)
    return RegistrationsOut(items=[_out(work, filed) for filed in rows], total=total)


@router.post("", status_code=201)
def prepare(form: SubmitIn, work: Submitting) -> RegistrationOut:
    """Begin the application for a signed contract, as a draft with what is known already."""
    return _out(work, service.prepare(work, form))


@router.get("/{registration_id}")
def registration(
    registration_id: PathId, work: Annotated[Work, opens(Action.REGISTRATION_VIEW)]
) -> RegistrationDetailOut:
    """Show one registration to its parties, their brokers and the bureau."""
    filed, related = service.seen(work, PublicId(registration_id))
    return RegistrationDetailOut.model_validate(
        _told(work, filed)
        | {
            "events": [EventOut.model_validate(row) for row in service.events(work, filed)],
            "steps": [step.value for step in service.steps_of(work, filed, related)],
        }
    )


@router.put("/{registration_id}/items")
def fill(registration_id: PathId, form: Items, work: Submitting) -> RegistrationOut:
    """Complete the form's items that no contract tells, while it is the seller's turn."""
    return _out(work, service.fill(work, PublicId(registration_id), form))


@router.post("/{registration_id}/file")
def attach(
    registration_id: PathId, file: Annotated[UploadFile, File()], work: Submitting
) -> RegistrationOut:
    """Attach the contract's signed file in place of an earlier one."""
    public_id = PublicId(registration_id)
    service.attach(work, public_id, service.Upload(file.filename or "", file.file))
    return _out(work, service.get(work, public_id))


@router.get(
    "/{registration_id}/file",
    response_class=StreamingResponse,
    responses=as_document(PROOF_TYPES),
)
def download(
    registration_id: PathId, work: Annotated[Work, opens(Action.REGISTRATION_FILE)]
) -> StreamingResponse:
    """Download the contract's file as it was handed in, by its parties and the bureau."""
    stored, stream = service.open_file(work, PublicId(registration_id))
    return as_download(stream, stored.name, stored.media_type)


@router.post("/{registration_id}/hand-in")
def hand_in(
    registration_id: PathId, work: Submitting, form: HandInIn | None = None
) -> RegistrationOut:
    """Hand the application in, or what was corrected of it, with a reply to what was asked."""
    reply = form.reply if form else ""
    return _out(work, service.hand_in(work, PublicId(registration_id), reply))


@router.post("/{registration_id}/withdraw")
def withdraw(registration_id: PathId, work: Submitting) -> RegistrationOut:
    """Take an application back before it is accepted, by the seller."""
    return _out(work, service.withdraw(work, PublicId(registration_id)))


@router.post("/{registration_id}/return")
def send_back(registration_id: PathId, form: ReturnIn, work: Deciding) -> RegistrationOut:
    """Ask the seller to correct what was handed in."""
    return _out(work, service.send_back(work, PublicId(registration_id), form))


@router.post("/{registration_id}/accept")
def accept(registration_id: PathId, work: Deciding) -> RegistrationOut:
    """Accept an application; the days for the decision run from here."""
    return _out(work, service.accept(work, PublicId(registration_id)))


@router.post("/{registration_id}/review")
def review(registration_id: PathId, form: ReviewIn, work: Deciding) -> RegistrationOut:
    """Have experts look at what is disputed."""
    return _out(work, service.review(work, PublicId(registration_id), form))


@router.post("/{registration_id}/decision")
def decide(registration_id: PathId, form: DecideIn, work: Deciding) -> RegistrationOut:
    """Enter the registry's decision; a registration counts on the board from here on."""
    return _out(work, service.decide(work, PublicId(registration_id), form))


@router.post("/{registration_id}/change")
def change(registration_id: PathId, form: ChangeIn, work: Undoing) -> RegistrationOut:
    """Enter other amounts, type, field or parties as the registry changed them; from today."""
    return _out(work, service.change(work, PublicId(registration_id), form))


@router.post("/{registration_id}/cancel")
def cancel(registration_id: PathId, form: CancelIn, work: Undoing) -> RegistrationOut:
    """Cancel a registration whose contract is no more; what counted is taken out today."""
    return _out(work, service.cancel(work, PublicId(registration_id), form))


@router.post("/{registration_id}/revoke")
def revoke(registration_id: PathId, form: RevokeIn, work: Undoing) -> RegistrationOut:
    """Revoke a registration that should not have been; what counted is taken out today."""
    return _out(work, service.revoke(work, PublicId(registration_id), form))


@router.post("/{registration_id}/undo")
def undo(registration_id: PathId, form: UndoIn, work: Undoing) -> RegistrationOut:
    """Undo what was copied wrongly, with a reason; what was counted is taken out again."""
    return _out(work, service.undo(work, PublicId(registration_id), form))


@router.post("/{registration_id}/objection")
def object_to(
    registration_id: PathId,
    form: ObjectIn,
    work: Annotated[Work, opens(Action.REGISTRATION_OBJECT, write=True)],
) -> RegistrationOut:
    """Object to a registration, by either party; it counts until it was looked at anew."""
    return _out(work, service.object_to(work, PublicId(registration_id), form))


@router.post("/{registration_id}/resolve")
def resolve(registration_id: PathId, form: ResolveIn, work: Undoing) -> RegistrationOut:
    """Answer an objection: the registration is upheld, or its amounts are corrected."""
    return _out(work, service.resolve(work, PublicId(registration_id), form))
