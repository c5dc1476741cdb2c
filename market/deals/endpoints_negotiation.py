"""The JSON edge of what stands beside a deal: phases, further parties and listings, files, plans,
objections.
"""

from typing import Annotated

from fastapi import File, Form, UploadFile
from fastapi.responses import StreamingResponse

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals import negotiation, next_steps, objections, sharing, views
from market.deals.answers import deal_whole
from market.deals.schemas import (
    DealListingIn,
    FileAudienceIn,
    NextStepIn,
    ObjectionHandlingIn,
    ObjectionIn,
    PartyIn,
    PhaseIn,
    ShareIn,
    Text200Optional,
)
from market.deals.schemas_out import DealWhole, ObjectionSentOut
from market.deals.vocabulary import Audience
from market.kit.downloads import as_download
from market.kit.files import PROOF_TYPES, as_document
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = api_router("deals")

Upload = Annotated[UploadFile, File(description="PDF, Word, PNG, JPEG; 20 MB")]
_FILE = as_document(PROOF_TYPES)

Viewing = Annotated[Work, opens(Action.DEAL_VIEW)]
Moving = Annotated[Work, opens(Action.DEAL_MOVE, write=True)]
Joining = Annotated[Work, opens(Action.DEAL_PARTIES, write=True)]
Writing = Annotated[Work, opens(Action.DEAL_NOTE, write=True)]
Pricing = Annotated[Work, opens(Action.PRICING_SET, write=True)]


def _whole(work: Work, deal_id: str) -> DealWhole:
    return deal_whole(views.deal_view(work, PublicId(deal_id)))


@router.post("/deals/{deal_id}/phase")
def move_deal(deal_id: PathId, form: PhaseIn, work: Moving) -> DealWhole:
    """Move a deal to another phase of its negotiation, by either leading party."""
    negotiation.move(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/parties", status_code=201)
def add_party(deal_id: PathId, form: PartyIn, work: Joining) -> DealWhole:
    """Add a further party to one's own side; it reads the deal from now on."""
    negotiation.add_party(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.delete("/deals/{deal_id}/parties/{organisation_id}")
def remove_party(deal_id: PathId, organisation_id: PathId, work: Joining) -> DealWhole:
    """Take a further party off one's own side."""
    negotiation.remove_party(work, PublicId(deal_id), PublicId(organisation_id))
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/share")
def confirm_share(
    deal_id: PathId, form: ShareIn, work: Annotated[Work, opens(Action.DEAL_SHARE, write=True)]
) -> DealWhole:
    """Confirm one's share in the newest version of the terms, as a further party."""
    negotiation.confirm_share(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/listings", status_code=201)
def add_listing(deal_id: PathId, form: DealListingIn, work: Joining) -> DealWhole:
    """Name a further achievement or demand of one's own side that the deal is about."""
    negotiation.add_listing(work, PublicId(deal_id), PublicId(form.listing))
    return _whole(work, deal_id)


@router.delete("/deals/{deal_id}/listings/{listing_id}")
def remove_listing(deal_id: PathId, listing_id: PathId, work: Joining) -> DealWhole:
    """Take a further listing of one's own side out of the deal."""
    negotiation.remove_listing(work, PublicId(deal_id), PublicId(listing_id))
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/files", status_code=201)
def attach_file(
    deal_id: PathId,
    file: Upload,
    work: Writing,
    audience: Annotated[Audience, Form()] = Audience.OWN,
    note: Annotated[Text200Optional, Form()] = "",
) -> DealWhole:
    """Put a file to the deal, for one's own organisation or for those it is shared with."""
    sharing.attach(work, PublicId(deal_id), file.filename or "", file.file, audience, note)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/files/{file_id}/audience")
def share_file(deal_id: PathId, file_id: PathId, form: FileAudienceIn, work: Writing) -> DealWhole:
    """Show one's own file to more readers."""
    sharing.share(work, PublicId(deal_id), PublicId(file_id), form)
    return _whole(work, deal_id)


@router.delete("/deals/{deal_id}/files/{file_id}")
def remove_file(deal_id: PathId, file_id: PathId, work: Writing) -> DealWhole:
    """Take one's own file, which nobody else could read, out of the deal."""
    sharing.remove(work, PublicId(deal_id), PublicId(file_id))
    return _whole(work, deal_id)


@router.get("/deals/{deal_id}/files/{file_id}", response_class=StreamingResponse, responses=_FILE)
def download_file(deal_id: PathId, file_id: PathId, work: Viewing) -> StreamingResponse:
    """Download a file of a deal that is one's own or shared with one."""
    file, stream = sharing.opened(work, PublicId(deal_id), PublicId(file_id))
    return as_download(stream, file.name, file.media_type)


@router.put("/deals/{deal_id}/plan")
def plan(deal_id: PathId, form: NextStepIn, work: Writing) -> DealWhole:
    """Set one's organisation's next step with its day and its person; nobody else reads it."""
    next_steps.plan(work, PublicId(deal_id), form)
    return _whole(work, deal_id)


@router.post("/deals/{deal_id}/plan/done")
def finish_plan(deal_id: PathId, work: Writing) -> DealWhole:
    """Note that one's organisation's next step is done."""
    next_steps.finish(work, PublicId(deal_id))
    return _whole(work, deal_id)


@router.post("/publicity/{publicity_id}/objections", status_code=201)
def send_objection(
    publicity_id: PathId,
    form: ObjectionIn,
    work: Annotated[Work, opens(Action.OBJECTION_SEND, write=True)],
) -> ObjectionSentOut:
    """Object to a running 公示. Open to everyone; only the seller reads it."""
    row = objections.send(work, PublicId(publicity_id), form)
    return ObjectionSentOut(publicity=publicity_id, created_at=row.created_at)


@router.post("/deals/{deal_id}/objections/{objection_id}")
def handle_objection(
    deal_id: PathId, objection_id: PathId, form: ObjectionHandlingIn, work: Pricing
) -> DealWhole:
    """Say what became of an objection; one that is upheld stops the 公示."""
    objections.handle(work, PublicId(deal_id), PublicId(objection_id), form)
    return _whole(work, deal_id)
