"""The JSON edge of access: mandates."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import File, Query, UploadFile
from fastapi.responses import StreamingResponse

from market.access import evidence, mandates
from market.access.fees import FeeBase, FeeKind, Payer
from market.access.models import Mandate, MandateState
from market.access.schemas import (
    MandateDecisionIn,
    MandateIn,
    MandateOut,
    Mandates,
    OrganisationRef,
)
from market.accounts import repository as accounts
from market.accounts.edge import api_router, opens
from market.accounts.models import Organisation
from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit.downloads import as_download
from market.kit.files import PROOF_TYPES, as_document
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = api_router("access")

Upload = Annotated[UploadFile, File(description="PDF, Word, PNG, JPEG; 20 MB")]


def _ref(row: Organisation) -> OrganisationRef:
    return OrganisationRef(id=row.public_id, name=row.name)


def _out(work: Work, rows: Sequence[Mandate]) -> list[MandateOut]:
    ids = {row.agency_id for row in rows} | {row.principal_id for row in rows}
    names = accounts.organisations(work.session, ids)
    papers = evidence.ids(work, rows)
    return [
        MandateOut(
            id=row.public_id,
            agency=_ref(names[row.agency_id]),
            principal=_ref(names[row.principal_id]),
            as_seller=row.as_seller,
            as_buyer=row.as_buyer,
            scope=row.scope,
            fee=row.fee,
            fee_kind=FeeKind(row.fee_kind),
            fee_rate_bp=row.fee_rate_bp,
            fee_fixed_fen=row.fee_fixed_fen,
            fee_base=FeeBase(row.fee_base),
            fee_payer=Payer(row.fee_payer),
            cost_fen=row.cost_fen,
            evidence=papers.get(row.id),
            exclusive=row.exclusive,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            state=MandateState(row.state),
            in_force=mandates.in_force(work, row),
            refuse_reason=row.refuse_reason,
            created_at=row.created_at,
            decided_at=row.decided_at,
            ended_at=row.ended_at,
        )
        for row in rows
    ]


@router.get("/mandates")
def list_mandates(
    work: Annotated[Work, opens(Action.MANDATE_VIEW)],
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Mandates:
    """List the mandates that one's organisation gave or got, newest first."""
    total, rows = mandates.mandates_of_actor(work, number)
    return Mandates(items=_out(work, rows), total=total)


@router.post("/mandates", status_code=201)
def grant_mandate(
    form: MandateIn, work: Annotated[Work, opens(Action.MANDATE_GRANT, write=True)]
) -> MandateOut:
    """Offer an agency a mandate; it is live once the agency has accepted."""
    return _out(work, [mandates.grant(work, form)])[0]


@router.get("/mandates/{mandate_id}")
def show_mandate(
    mandate_id: PathId, work: Annotated[Work, opens(Action.MANDATE_VIEW)]
) -> MandateOut:
    return _out(work, [mandates.mandate(work, PublicId(mandate_id))])[0]


@router.post("/mandates/{mandate_id}/decision")
def decide_mandate(
    mandate_id: PathId,
    form: MandateDecisionIn,
    work: Annotated[Work, opens(Action.MANDATE_ACCEPT, write=True)],
) -> MandateOut:
    """Accept or refuse an offered mandate, by the agency's manager."""
    return _out(work, [mandates.decide(work, PublicId(mandate_id), form)])[0]


@router.post("/mandates/{mandate_id}/end")
def end_mandate(
    mandate_id: PathId, work: Annotated[Work, opens(Action.MANDATE_END, write=True)]
) -> MandateOut:
    """End a live mandate, by either side's manager."""
    return _out(work, [mandates.end(work, PublicId(mandate_id))])[0]


@router.put("/mandates/{mandate_id}/evidence")
def put_evidence(
    mandate_id: PathId,
    file: Upload,
    work: Annotated[Work, opens(Action.MANDATE_GRANT, write=True)],
) -> MandateOut:
    """Put in the signed paper of a mandate, by the principal; an earlier one is replaced."""
    row = evidence.attach(work, PublicId(mandate_id), file.filename or "", file.file)
    return _out(work, [row])[0]


@router.get("/mandates/{mandate_id}/evidence", responses=as_document(PROOF_TYPES))
def get_evidence(
    mandate_id: PathId, work: Annotated[Work, opens(Action.MANDATE_VIEW)]
) -> StreamingResponse:
    """Download the signed paper of a mandate, by either side."""
    stored, stream = evidence.open_paper(work, PublicId(mandate_id))
    return as_download(stream, stored.name, stored.media_type)
