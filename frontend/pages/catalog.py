"""One's own listings: the list, one of them, its proofs, and its way to the public."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages import catalog_edit, catalog_review, catalog_words
from market.accounts import repository as accounts
from market.accounts.policy import Action
from market.catalog import proofs, publishing, views
from market.catalog.models import Listing, ListingState, ReviewState
from market.catalog.proofs import MAX_PROOFS
from market.catalog.repository import Shelf
from market.catalog.vocabulary import KIND_NAMES, LABELS, ListingKind
from market.deals.inquiries import interest_counts
from market.kit.downloads import as_download
from market.kit.errors import Invalid
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = APIRouter()
for part in (catalog_edit, catalog_review):
    router.include_router(part.router)

SUBMITTED = notices.done("listing-submitted", "已提交审核", "结果会显示在这一页。")
PUBLISHED = notices.done("listing-published", "已公开", "检索和匹配会在几秒内更新。")
TAKEN_BACK = notices.done("listing-taken-back", "已撤回提交", "现在可以修改，改好后再提交。")
WITHDRAWN = notices.done("listing-withdrawn", "已撤下", "别人不再看到；再次提交审核可以恢复公开。")
ATTACHED = notices.done("proof-attached", "附件已保存", "只有本单位和审核人员能看。")
REMOVED = notices.done("proof-removed", "附件已移除")


class ProofForm(BaseModel):
    """`file` carries only messages: what was chosen is no text."""

    file: str = Field("", title="附件")


Viewing = Annotated[Page, opens_page(Action.LISTING_VIEW_OWN)]
Editing = Annotated[Page, opens_page(Action.LISTING_EDIT, write=True)]
Submitting = Annotated[Page, opens_page(Action.LISTING_SUBMIT, write=True)]


@router.get("/my/listings")
def own_list(
    page: Viewing,
    kind: ListingKind = ListingKind.ACHIEVEMENT,
    shelf: Shelf | None = None,
    q: Annotated[str, Query(max_length=100)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
) -> Response:
    words = q.strip()
    total, rows = views.own_lines(page.work, kind=kind, shelf=shelf, words=words, page=number)
    counts = views.own_counts(page.work)
    return page.render(
        "catalog/own_list.html",
        {
            "kind": kind,
            "kinds": [
                (name, one, counts.get((one, None), 0), one is kind)
                for one, name in KIND_NAMES.items()
            ],
            "shelf": shelf,
            "shelves": [
                (name, one, counts.get((kind, one), 0))
                for one, name in catalog_words.SHELF_NAMES.items()
            ],
            "q": words,
            "total": total,
            "rows": [(row, title, catalog_words.standing(row)) for row, title in rows],
            "asked": interest_counts(page.work.session, [row.id for row, _ in rows]),
            "page": number,
            "pages": views.pages(total),
            "may_edit": page.work.may(Action.LISTING_EDIT),
        },
    )


def _own(page: Page, listing_id: str, **more: object) -> dict[str, object]:
    view = views.own(page.work, PublicId(listing_id))
    listing = view.listing
    kind = ListingKind(listing.kind)
    review = ReviewState(listing.review_state)
    owner = accounts.organisation(page.work.session, listing.organisation_id)
    open_text = review in (ReviewState.DRAFT, ReviewState.REFUSED)
    may_edit = page.work.may(Action.LISTING_EDIT)
    return {
        "view": view,
        "listing": listing,
        "kind_name": KIND_NAMES[kind],
        "labels": LABELS[kind],
        "standing": catalog_words.standing(listing),
        "columns": catalog_words.columns(view.text, kind),
        "pending": catalog_words.compared(view.pending, kind),
        "warnings": [(LABELS[kind][one.field], one.message) for one in view.warnings],
        "self_publish": owner.self_publish,
        "may_edit": may_edit,
        "may_submit": page.work.may(Action.LISTING_SUBMIT) and open_text,
        "unverified": may_edit and not page.work.actor.verified,
        "may_take_back": may_edit and review is ReviewState.SUBMITTED,
        "may_change": may_edit and review is not ReviewState.SUBMITTED,
        "may_withdraw": may_edit and listing.state == ListingState.PUBLISHED,
        "asked": interest_counts(page.work.session, [listing.id]).get(listing.id, 0),
        "max_proofs": MAX_PROOFS,
        "form": forms.blank(ProofForm),
        **more,
    }


@router.get("/my/listings/{listing_id}")
def own(listing_id: PathId, page: Viewing) -> Response:
    return page.render("catalog/own.html", _own(page, listing_id))


@router.post("/my/listings/{listing_id}/submit")
def submit(listing_id: PathId, page: Submitting) -> Response:
    listing = publishing.submit(page.work, PublicId(listing_id))
    public = listing.review_state == ReviewState.APPROVED
    return _back(page, listing, PUBLISHED if public else SUBMITTED)


@router.post("/my/listings/{listing_id}/take-back")
def take_back(listing_id: PathId, page: Editing) -> Response:
    return _back(page, publishing.take_back(page.work, PublicId(listing_id)), TAKEN_BACK)


@router.post("/my/listings/{listing_id}/withdraw")
def withdraw(listing_id: PathId, page: Editing) -> Response:
    return _back(page, publishing.withdraw(page.work, PublicId(listing_id)), WITHDRAWN)


def _back(page: Page, listing: Listing, done: str) -> Response:
    return page.redirect(f"/my/listings/{listing.public_id}", done=done)


@router.post("/my/listings/{listing_id}/proofs")
def attach(listing_id: PathId, page: Editing) -> Response:
    form = forms.parse(ProofForm, page.sent)
    try:
        file = page.sent.file("file")
        proofs.attach(page.work, PublicId(listing_id), file.filename or "", file.file)
    except Invalid as error:
        form.reject(error)
        return page.again("catalog/own.html", _own(page, listing_id, form=form))
    return page.redirect(f"/my/listings/{listing_id}#proofs", done=ATTACHED)


@router.post("/my/listings/{listing_id}/proofs/{file_id}/remove")
def remove(listing_id: PathId, file_id: PathId, page: Editing) -> Response:
    proofs.remove(page.work, PublicId(listing_id), PublicId(file_id))
    return page.redirect(f"/my/listings/{listing_id}#proofs", done=REMOVED)


@router.get("/my/listings/{listing_id}/proofs/{file_id}")
def download(listing_id: PathId, file_id: PathId, page: Viewing) -> Response:
    file, stream = proofs.open_own(page.work, PublicId(listing_id), PublicId(file_id))
    return as_download(stream, file.name, file.media_type)
