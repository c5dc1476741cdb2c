"""The JSON edge of listings: one's own, their proofs, and the bureau's review.

What others may read of a listing stands in `access`.
"""

from typing import Annotated

from fastapi import File, Query, UploadFile
from fastapi.responses import StreamingResponse

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.catalog import drafts, proofs, publishing, views
from market.catalog.models import Listing, ListingState, Proof, ReviewState
from market.catalog.repository import Shelf
from market.catalog.schemas import (
    AchievementEditIn,
    AchievementIn,
    DemandEditIn,
    DemandIn,
    DifferenceOut,
    ListingLineOut,
    Listings,
    OwnListingOut,
    ProofOut,
    ReviewIn,
    ReviewLineOut,
    ReviewOut,
    Reviews,
)
from market.catalog.texts import Difference
from market.catalog.vocabulary import ListingKind
from market.kit.downloads import as_download
from market.kit.files import PROOF_TYPES, StoredFile, as_document
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = api_router("catalog")
PageNumber = Annotated[int, Query(ge=1, le=100_000)]
Upload = Annotated[UploadFile, File(description="PDF, Word, PNG, JPEG; 20 MB")]
_FILE = as_document(PROOF_TYPES)

Viewing = Annotated[Work, opens(Action.LISTING_VIEW_OWN)]
Editing = Annotated[Work, opens(Action.LISTING_EDIT, write=True)]
Submitting = Annotated[Work, opens(Action.LISTING_SUBMIT, write=True)]
Reviewing = Annotated[Work, opens(Action.LISTING_REVIEW)]
Deciding = Annotated[Work, opens(Action.LISTING_REVIEW, write=True)]


def own_out(work: Work, listing: Listing) -> OwnListingOut:
    view = views.own_view(work, listing)
    return OwnListingOut(
        id=listing.public_id,
        number=listing.number,
        kind=ListingKind(listing.kind),
        own_number=listing.own_number,
        masked=listing.masked,
        state=ListingState(listing.state),
        review_state=ReviewState(listing.review_state),
        revision=view.revision,
        edits=listing.edits,
        public_revision=view.public_revision,
        text=view.text,
        warnings=list(view.warnings),
        review_note=view.review_note,
        proofs=[_proof_out(*one) for one in view.proofs],
        created_at=listing.created_at,
        updated_at=listing.updated_at,
        published_at=listing.published_at,
    )


def _proof_out(proof: Proof, file: StoredFile) -> ProofOut:
    return ProofOut(
        id=file.public_id,
        name=file.name,
        media_type=file.media_type,
        size=file.size,
        attached_at=proof.created_at,
    )


def _line_out(listing: Listing, title: str) -> ListingLineOut:
    return ListingLineOut(
        id=listing.public_id,
        number=listing.number,
        own_number=listing.own_number,
        kind=ListingKind(listing.kind),
        title=title,
        masked=listing.masked,
        state=ListingState(listing.state),
        review_state=ReviewState(listing.review_state),
        updated_at=listing.updated_at,
        published_at=listing.published_at,
    )


@router.get("/my/listings")
def list_own(
    work: Viewing,
    kind: ListingKind | None = None,
    shelf: Shelf | None = None,
    q: Annotated[str, Query(max_length=100)] = "",
    page: PageNumber = 1,
) -> Listings:
    """List the acting organisation's listings, last changed first, 50 a page.

    `q` is looked for in titles and numbers.
    """
    total, rows = views.own_lines(work, kind=kind, shelf=shelf, words=q.strip(), page=page)
    items = [_line_out(*row) for row in rows]
    return Listings(items=items, total=total, page=page, pages=views.pages(total))


@router.post("/my/achievements", status_code=201)
def create_achievement(form: AchievementIn, work: Editing) -> OwnListingOut:
    """Write a draft of an achievement."""
    return own_out(work, drafts.create(work, form))


@router.post("/my/demands", status_code=201)
def create_demand(form: DemandIn, work: Editing) -> OwnListingOut:
    """Write a draft of a demand."""
    return own_out(work, drafts.create(work, form))


@router.put("/my/achievements/{listing_id}")
def edit_achievement(listing_id: PathId, form: AchievementEditIn, work: Editing) -> OwnListingOut:
    """Save a whole new text; what is public stays until the new text is approved."""
    return own_out(work, drafts.edit(work, PublicId(listing_id), form))


@router.put("/my/demands/{listing_id}")
def edit_demand(listing_id: PathId, form: DemandEditIn, work: Editing) -> OwnListingOut:
    """Save a whole new text; what is public stays until the new text is approved."""
    return own_out(work, drafts.edit(work, PublicId(listing_id), form))


@router.get("/my/listings/{listing_id}")
def show_own(listing_id: PathId, work: Viewing) -> OwnListingOut:
    """Read an own listing: its newest text, where it stands, its proofs."""
    listing = drafts.own_listing(work, PublicId(listing_id), Action.LISTING_VIEW_OWN)
    return own_out(work, listing)


@router.post("/my/listings/{listing_id}/submission")
def submit(listing_id: PathId, work: Submitting) -> OwnListingOut:
    """Hand the newest text in for review; it is published at once where the bureau gave leave."""
    return own_out(work, publishing.submit(work, PublicId(listing_id)))


@router.delete("/my/listings/{listing_id}/submission")
def take_back(listing_id: PathId, work: Editing) -> OwnListingOut:
    """Take a submission back, so that the text can be edited."""
    return own_out(work, publishing.take_back(work, PublicId(listing_id)))


@router.post("/my/listings/{listing_id}/withdrawal")
def withdraw(listing_id: PathId, work: Editing) -> OwnListingOut:
    """Take a published listing out of the public."""
    return own_out(work, publishing.withdraw(work, PublicId(listing_id)))


@router.post("/my/listings/{listing_id}/proofs", status_code=201)
def attach_proof(listing_id: PathId, file: Upload, work: Editing) -> OwnListingOut:
    """Attach a file that backs the listing; only its owner and the bureau can read it."""
    proofs.attach(work, PublicId(listing_id), file.filename or "", file.file)
    listing = drafts.own_listing(work, PublicId(listing_id), Action.LISTING_EDIT)
    return own_out(work, listing)


@router.delete("/my/listings/{listing_id}/proofs/{file_id}", status_code=204)
def remove_proof(listing_id: PathId, file_id: PathId, work: Editing) -> None:
    """Take a file off a listing."""
    proofs.remove(work, PublicId(listing_id), PublicId(file_id))


@router.get(
    "/my/listings/{listing_id}/proofs/{file_id}",
    response_class=StreamingResponse,
    responses=_FILE,
)
def download_proof(listing_id: PathId, file_id: PathId, work: Viewing) -> StreamingResponse:
    """Download a proof of an own listing."""
    file, stream = proofs.open_own(work, PublicId(listing_id), PublicId(file_id))
    return as_download(stream, file.name, file.media_type)


@router.get("/reviews")
def list_reviews(work: Reviewing, page: PageNumber = 1) -> Reviews:
    """List what waits for the bureau's review, the longest waiting first, 50 a page."""
    total, rows = publishing.queue(work, page=page, size=views.PAGE)
    items = [
        ReviewLineOut(
            id=row.listing.public_id,
            kind=ListingKind(row.listing.kind),
            title=row.revision.title,
            organisation=row.organisation.name,
            revision=row.revision.seq,
            submitted_at=row.review.submitted_at,
            first=row.listing.public_revision_id is None,
        )
        for row in rows
    ]
    return Reviews(items=items, total=total, page=page, pages=views.pages(total))


@router.get("/reviews/{listing_id}")
def show_review(listing_id: PathId, work: Reviewing) -> ReviewOut:
    """Read the newest submission of a listing, with what it changes of the public text."""
    view = views.reviewed(work, PublicId(listing_id))
    return ReviewOut(
        id=view.listing.public_id,
        kind=ListingKind(view.listing.kind),
        number=view.listing.number,
        organisation=view.organisation.name,
        masked=view.listing.masked,
        revision=view.revision,
        submitted_at=view.submitted_at,
        open=view.open,
        text=view.text,
        changes=[_difference_out(one) for one in view.changes],
        warnings=list(view.warnings),
        proofs=[_proof_out(*one) for one in view.proofs],
    )


def _difference_out(one: Difference) -> DifferenceOut:
    return DifferenceOut(field=one.field, before=one.before, after=one.after)


@router.post("/reviews/{listing_id}/decision", status_code=204)
def decide(listing_id: PathId, form: ReviewIn, work: Deciding) -> None:
    """Approve the revision that was read, which publishes it, or refuse it with a note."""
    publishing.decide(work, PublicId(listing_id), form)


@router.get(
    "/reviews/{listing_id}/proofs/{file_id}",
    response_class=StreamingResponse,
    responses=_FILE,
)
def download_reviewed_proof(
    listing_id: PathId, file_id: PathId, work: Reviewing
) -> StreamingResponse:
    """Download a proof of a listing that was handed in."""
    file, stream = proofs.open_reviewed(work, PublicId(listing_id), PublicId(file_id))
    return as_download(stream, file.name, file.media_type)
