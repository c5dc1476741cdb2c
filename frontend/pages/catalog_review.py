"""The bureau's desk for listings: what waits for review, and one submission."""

import re
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages import catalog_words
from market.accounts.policy import Action
from market.catalog import proofs, publishing, views
from market.catalog.schemas import ReviewIn
from market.catalog.vocabulary import KIND_NAMES, LABELS, ListingKind, region_name
from market.imports import service as imports
from market.kit.downloads import as_download
from market.kit.errors import Invalid
from market.kit.ids import PublicId
from market.kit.wire import PathId, Storable

router = APIRouter()

APPROVED = notices.done("review-approved", "审核通过", "已公开，检索和匹配会在几秒内更新。")
REFUSED = notices.done("review-refused", "已退回", "持有单位会看到原因，修改后可再提交。")

MANY = notices.done("reviews-approved", "所选的已通过", "已公开，检索和匹配会跟着更新。")
NONE = notices.done("reviews-none", "没有通过任何一条", "请先勾选要通过的；也可能刚被撤回。")
HEAP_PAGE = 100
_CHOICE = re.compile(r"([2-9a-z]{14}):([1-9][0-9]{0,5})", re.ASCII)

Reviewing = Annotated[Page, opens_page(Action.LISTING_REVIEW)]
Deciding = Annotated[Page, opens_page(Action.LISTING_REVIEW, write=True)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), Storable]


class ReviewForm(BaseModel):
    decision: Literal["approve", "refuse"] = Field(title="审核结果")
    note: Note = Field("", title="原因或意见")
    revision: forms.Whole = Field(title="版本", ge=1, le=1_000_000)


@router.get("/desk/reviews")
def queue(
    page: Reviewing,
    number: Annotated[int, Query(alias="page", ge=1, le=100_000)] = 1,
    owner: Annotated[PathId | None, Query()] = None,
    sent: Annotated[PathId | None, Query(alias="import")] = None,
) -> Response:
    session = page.work.session
    run = None if sent is None else imports.run_id(session, PublicId(sent))
    heap = None if owner is None else (PublicId(owner), run)
    total, rows = publishing.queue(page.work, page=number, size=HEAP_PAGE, heap=heap)
    heaps = publishing.heaps(page.work)
    runs = imports.sent_at(session, [one.run_id for one in heaps if one.run_id is not None])
    return page.render(
        "catalog/reviews.html",
        {
            "total": total,
            "rows": rows,
            "kind_names": KIND_NAMES,
            "page": number,
            "pages": views.pages(total, HEAP_PAGE),
            "heaps": [(one, *runs.get(one.run_id or 0, (None, None))) for one in heaps],
            "owner": owner,
            "sent": sent,
        },
    )


@router.post("/desk/reviews")
def approve_many(page: Deciding) -> Response:
    """Approve what was ticked, or all that the page showed."""
    name = "shown" if page.sent.first("all") else "chosen"
    chosen = [_CHOICE.fullmatch(one) for one in page.sent.fields.get(name, [])]
    approved = publishing.approve(
        page.work, [(PublicId(one[1]), int(one[2])) for one in chosen if one]
    )
    return page.redirect("/desk/reviews", done=MANY if approved else NONE)


def _submission(page: Page, listing_id: str, **more: object) -> dict[str, object]:
    view = views.reviewed(page.work, PublicId(listing_id))
    kind = ListingKind(view.listing.kind)
    return {
        "view": view,
        "listing": view.listing,
        "kind_name": KIND_NAMES[kind],
        "labels": LABELS[kind],
        "standing": catalog_words.standing(view.listing),
        "columns": catalog_words.columns(view.text, kind),
        "changes": catalog_words.compared(view.changes, kind),
        "first": view.listing.public_revision_id is None,
        "warnings": [(LABELS[kind][one.field], one.message) for one in view.warnings],
        "region": region_name(view.organisation.region),
        "form": forms.blank(ReviewForm, {"revision": view.revision}),
        **more,
    }


@router.get("/desk/reviews/{listing_id}")
def submission(listing_id: PathId, page: Reviewing) -> Response:
    return page.render("catalog/review.html", _submission(page, listing_id))


@router.post("/desk/reviews/{listing_id}")
def decide(listing_id: PathId, page: Deciding) -> Response:
    form = forms.parse(ReviewForm, page.sent)
    if form.data is not None:
        verdict = ReviewIn(**form.data.model_dump())
        try:
            publishing.decide(page.work, PublicId(listing_id), verdict)
        except Invalid as error:
            form.reject(error)
        else:
            approved = verdict.decision == "approve"
            return page.redirect("/desk/reviews", done=APPROVED if approved else REFUSED)
    return page.again("catalog/review.html", _submission(page, listing_id, form=form))


@router.get("/desk/reviews/{listing_id}/proofs/{file_id}")
def download(listing_id: PathId, file_id: PathId, page: Reviewing) -> Response:
    file, stream = proofs.open_reviewed(page.work, PublicId(listing_id), PublicId(file_id))
    return as_download(stream, file.name, file.media_type)
