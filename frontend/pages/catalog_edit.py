"""Writing an own listing: a new one, and an edit of the newest text."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from frontend import notices
from frontend.edge import Page, opens_page
from frontend.pages import catalog_forms
from market.accounts.policy import Action
from market.catalog import drafts, views
from market.catalog.models import Listing
from market.catalog.vocabulary import KIND_NAMES, LABELS, ListingKind
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = APIRouter()

SAVED = notices.done("listing-saved", "已保存", "别人还看不到，提交审核通过后公开。")
KEPT = notices.done("listing-unchanged", "内容没有变化", "没有生成新的版本。", kind="")

TEMPLATE = "catalog/edit.html"
_LONGEST = 2_000  # characters of a search that found nothing
Reading = Annotated[Page, opens_page(Action.LISTING_EDIT)]
Editing = Annotated[Page, opens_page(Action.LISTING_EDIT, write=True)]


def _context(kind: ListingKind, form: object, **more: object) -> dict[str, object]:
    return {
        "kind": kind,
        "kind_name": KIND_NAMES[kind],
        "labels": LABELS[kind],
        "form": form,
        "options": catalog_forms.OPTIONS,
        "view": None,
        "stale": False,
        **more,
    }


def _new(page: Page, kind: ListingKind) -> Response:
    page.work.require(Action.LISTING_EDIT)
    typed = page.request.query_params.get("q", "")[:_LONGEST]
    return page.render(TEMPLATE, _context(kind, catalog_forms.blank(kind, typed)))


def _create(page: Page, kind: ListingKind) -> Response:
    form = catalog_forms.parse(kind, page.sent)
    if form.data is not None:
        try:
            listing = drafts.create(page.work, catalog_forms.to_new(form.data))
        except Invalid as error:
            form.reject(error)
        else:
            return page.redirect(f"/my/listings/{listing.public_id}", done=SAVED)
    return page.again(TEMPLATE, _context(kind, form))


@router.get("/my/achievements/new")
def new_achievement(page: Reading) -> Response:
    return _new(page, ListingKind.ACHIEVEMENT)


@router.post("/my/achievements/new")
def create_achievement(page: Editing) -> Response:
    return _create(page, ListingKind.ACHIEVEMENT)


@router.get("/my/demands/new")
def new_demand(page: Reading) -> Response:
    return _new(page, ListingKind.DEMAND)


@router.post("/my/demands/new")
def create_demand(page: Editing) -> Response:
    return _create(page, ListingKind.DEMAND)


@router.get("/my/listings/{listing_id}/edit")
def edit(listing_id: PathId, page: Reading) -> Response:
    view = views.own(page.work, PublicId(listing_id))
    page.work.require(Action.LISTING_EDIT)
    kind = ListingKind(view.listing.kind)
    return page.render(TEMPLATE, _context(kind, catalog_forms.of(view), view=view))


@router.post("/my/listings/{listing_id}/edit")
def save(listing_id: PathId, page: Editing) -> Response:
    before = views.own(page.work, PublicId(listing_id))
    kind, was = ListingKind(before.listing.kind), _shown(before.listing)
    form = catalog_forms.parse(kind, page.sent)
    if form.data is not None:
        try:
            listing = drafts.edit(
                page.work, before.listing.public_id, catalog_forms.to_edit(form.data)
            )
        except Invalid as error:
            form.reject(error)
        except Conflict as error:
            form.fail("", error.message)
            return _overtaken(page, listing_id, kind, form)
        else:
            done = KEPT if _shown(listing) == was else SAVED
            return page.redirect(f"/my/listings/{listing_id}", done=done)
    return page.again(TEMPLATE, _context(kind, form, view=before))


def _shown(listing: Listing) -> tuple[object, ...]:
    """Return what a saved form may have changed."""
    return listing.working_revision_id, listing.masked, listing.own_number


def _overtaken(
    page: Page, listing_id: str, kind: ListingKind, form: catalog_forms.AnyForm
) -> Response:
    """Show what was typed again beside what was saved in between, to choose from."""
    page.work.abandon()
    newest = views.own(page.work, PublicId(listing_id))
    form.overtaken(catalog_forms.of(newest), by=("based_on", "seen"))
    context = _context(kind, form, view=newest, stale=True)
    return page.render(TEMPLATE, context, status=Conflict.status)
