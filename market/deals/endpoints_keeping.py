"""The JSON edge of what is kept of a contract beside its text."""

from typing import Annotated

from fastapi import File, Response, UploadFile

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals import keeping
from market.deals.keeping import Kept
from market.deals.models import Contract
from market.deals.schemas_keeping import (
    FilingIn,
    FilingOut,
    InstalmentOut,
    InstalmentsIn,
    KeptOut,
    PatentOut,
    PatentsIn,
    ReceiptIn,
    ReceiptOut,
)
from market.kit import files
from market.kit.downloads import as_download
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = api_router("deals", "/deals/{deal_id}/contract")
Upload = Annotated[UploadFile, File(description="PDF, PNG, JPEG; 20 MB")]
Keeping = Annotated[Work, opens(Action.CONTRACT_KEEP, write=True)]


def _out(work: Work, contract: Contract, kept: Kept) -> KeptOut:
    return KeptOut(
        patents=[PatentOut.model_validate(one) for one in kept.patents],
        instalments=[
            InstalmentOut.model_validate(
                one.model_dump() | {"received_fen": kept.received_of(one.position)}
            )
            for one in kept.instalments
        ],
        receipts=[
            ReceiptOut.model_validate(one.model_dump() | {"slip": one.file_id is not None})
            for one in kept.receipts
        ],
        received_fen=kept.received_fen,
        filing=FilingOut.model_validate(kept.filing) if kept.filing else None,
        filing_due_on=keeping.due_of(work, contract),
    )


def _now(work: Work, deal_id: str) -> KeptOut:
    return _out(work, *keeping.seen(work, PublicId(deal_id)))


@router.get("/kept")
def kept(deal_id: PathId, work: Annotated[Work, opens(Action.DEAL_VIEW)]) -> KeptOut:
    """Show patents, payments as agreed and as they came in, and the filing of a licence."""
    return _now(work, deal_id)


@router.put("/patents")
def put_patents(deal_id: PathId, form: PatentsIn, work: Keeping) -> KeptOut:
    """Write the patents that the contract is about."""
    keeping.put_patents(work, PublicId(deal_id), form)
    return _now(work, deal_id)


@router.put("/instalments")
def put_instalments(deal_id: PathId, form: InstalmentsIn, work: Keeping) -> KeptOut:
    """Write the payments as agreed; they come to the contract's amount."""
    keeping.put_instalments(work, PublicId(deal_id), form)
    return _now(work, deal_id)


@router.post("/receipts", status_code=201)
def receive(deal_id: PathId, form: ReceiptIn, work: Keeping) -> KeptOut:
    """Write down money that came in."""
    keeping.receive(work, PublicId(deal_id), form)
    return _now(work, deal_id)


@router.post("/receipts/{receipt_id}/slip", status_code=201)
def attach_slip(deal_id: PathId, receipt_id: PathId, file: Upload, work: Keeping) -> KeptOut:
    """Upload the bank's slip of a receipt that has none."""
    given = (file.filename or "", file.file)
    keeping.attach_slip(work, PublicId(deal_id), PublicId(receipt_id), given)
    return _now(work, deal_id)


@router.get(
    "/receipts/{receipt_id}/slip",
    response_class=Response,
    responses=files.as_document(files.PROOF_TYPES),
)
def download_slip(
    deal_id: PathId, receipt_id: PathId, work: Annotated[Work, opens(Action.DEAL_VIEW)]
) -> Response:
    """Download the bank's slip of a receipt."""
    found = keeping.slip(work, PublicId(deal_id), PublicId(receipt_id))
    stream = work.parts.files.open(found.sha256)
    return as_download(stream, found.name, found.media_type)


@router.post("/receipts/{receipt_id}/void")
def void(deal_id: PathId, receipt_id: PathId, work: Keeping) -> KeptOut:
    """Void a receipt that was written wrongly; it stays to be seen."""
    keeping.void(work, PublicId(deal_id), PublicId(receipt_id))
    return _now(work, deal_id)


@router.post("/filing")
def filed(deal_id: PathId, form: FilingIn, work: Keeping) -> KeptOut:
    """Write down that the patent licence was filed."""
    keeping.filed(work, PublicId(deal_id), form)
    return _now(work, deal_id)
