"""What stands beside a deal, on its page: phases, parties, listings, files, plans, objections."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages import deal_offer_forms as offer_forms
from frontend.pages.deals import step
from market.accounts.policy import Action
from market.deals import negotiation, next_steps, objections, sharing
from market.deals.schemas import (
    FileAudienceIn,
    NextStepIn,
    ObjectionHandlingIn,
    PartyIn,
    PhaseIn,
    ShareIn,
)
from market.deals.vocabulary import ObjectionState
from market.kit.downloads import as_download
from market.kit.errors import Conflict
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = APIRouter()

MOVED = notices.done("deal-moved", "洽谈已移动")
JOINED = notices.done("party-added", "共同的一方已加入", "它现在起看得到这项洽谈。")
LEFT = notices.done("party-removed", "共同的一方已移出")
AGREED = notices.done("share-confirmed", "份额已确认")
LISTED = notices.done("deal-listing-added", "已加入洽谈")
UNLISTED = notices.done("deal-listing-removed", "已移出洽谈")
PUT = notices.done("deal-file-put", "文件已保存")
SHARED = notices.done("deal-file-shared", "更多的人能看这份文件了")
REMOVED = notices.done("deal-file-removed", "文件已移除")
PLANNED = notices.done("deal-planned", "下一步已保存", "到日子前会出现在经办人的待办里。")
DONE = notices.done("deal-plan-done", "下一步已办完")
CLEARED = notices.done("objection-cleared", "异议已处理", "不成立，公示继续有效。")
UPHELD = notices.done("objection-upheld", "异议已处理", "成立，这次公示已终止。")
MOVE_REFUSED = notices.done("deal-not-moved", "没有移动", "洽谈刚被移动过或已经结束。", "warn")

Writing = Annotated[Page, opens_page(Action.DEAL_NOTE, write=True)]
Joining = Annotated[Page, opens_page(Action.DEAL_PARTIES, write=True)]


@router.post("/deals/{deal_id}/phase")
def move(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.DEAL_MOVE, write=True)]
) -> Response:
    """Move a card of the board, or the deal on its own page; `back` says from where it was sent."""
    form = forms.parse(offer_forms.PhaseForm, page.sent)
    board = page.sent.first("back") == "board"
    back = f"/deals/board#card-{deal_id}" if board else f"/deals/{deal_id}"
    body = form.data or offer_forms.PhaseForm(seen="contact", phase="contact")
    try:
        negotiation.move(page.work, PublicId(deal_id), PhaseIn(**body.model_dump()))
    except Conflict:
        page.work.abandon()
        return page.redirect(back, done=MOVE_REFUSED)
    return page.redirect(back, done=MOVED if form.data else MOVE_REFUSED)


@router.post("/deals/{deal_id}/parties")
def add_party(deal_id: PathId, page: Joining) -> Response:
    def run(form: offer_forms.PartyForm) -> str:
        negotiation.add_party(page.work, PublicId(deal_id), PartyIn(**form.model_dump()))
        return JOINED

    return step(page, deal_id, offer_forms.PartyForm, "party_form", run)


@router.post("/deals/{deal_id}/parties/{organisation_id}/remove")
def remove_party(deal_id: PathId, organisation_id: PathId, page: Joining) -> Response:
    negotiation.remove_party(page.work, PublicId(deal_id), PublicId(organisation_id))
    return page.redirect(f"/deals/{deal_id}#parties", done=LEFT)


@router.post("/deals/{deal_id}/share")
def confirm_share(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.DEAL_SHARE, write=True)]
) -> Response:
    def run(form: offer_forms.ShareForm) -> str:
        negotiation.confirm_share(page.work, PublicId(deal_id), ShareIn(**form.model_dump()))
        return AGREED

    return step(page, deal_id, offer_forms.ShareForm, "share_form", run)


@router.post("/deals/{deal_id}/listings")
def add_listing(deal_id: PathId, page: Joining) -> Response:
    def run(form: offer_forms.ListingForm) -> str:
        negotiation.add_listing(page.work, PublicId(deal_id), PublicId(form.listing))
        return LISTED

    return step(page, deal_id, offer_forms.ListingForm, "listing_form", run)


@router.post("/deals/{deal_id}/listings/{listing_id}/remove")
def remove_listing(deal_id: PathId, listing_id: PathId, page: Joining) -> Response:
    negotiation.remove_listing(page.work, PublicId(deal_id), PublicId(listing_id))
    return page.redirect(f"/deals/{deal_id}#who", done=UNLISTED)


@router.post("/deals/{deal_id}/files")
def attach(deal_id: PathId, page: Writing) -> Response:
    def run(form: offer_forms.FileForm) -> str:
        file = page.sent.file("file")
        name = file.filename or ""
        known = PublicId(deal_id)
        sharing.attach(page.work, known, name, file.file, form.audience, form.note)
        return PUT

    return step(page, deal_id, offer_forms.FileForm, "file_form", run)


@router.post("/deals/{deal_id}/files/{file_id}/audience")
def share(deal_id: PathId, file_id: PathId, page: Writing) -> Response:
    def run(form: offer_forms.ShareFileForm) -> str:
        body = FileAudienceIn(**form.model_dump())
        sharing.share(page.work, PublicId(deal_id), PublicId(file_id), body)
        return SHARED

    return step(page, deal_id, offer_forms.ShareFileForm, "share_file_form", run)


@router.post("/deals/{deal_id}/files/{file_id}/remove")
def remove(deal_id: PathId, file_id: PathId, page: Writing) -> Response:
    sharing.remove(page.work, PublicId(deal_id), PublicId(file_id))
    return page.redirect(f"/deals/{deal_id}#files", done=REMOVED)


@router.get("/deals/{deal_id}/files/{file_id}")
def download(
    deal_id: PathId, file_id: PathId, page: Annotated[Page, opens_page(Action.DEAL_VIEW)]
) -> Response:
    file, stream = sharing.opened(page.work, PublicId(deal_id), PublicId(file_id))
    return as_download(stream, file.name, file.media_type)


@router.post("/deals/{deal_id}/plan")
def plan(deal_id: PathId, page: Writing) -> Response:
    def run(form: offer_forms.PlanForm) -> str:
        next_steps.plan(page.work, PublicId(deal_id), NextStepIn(**form.model_dump()))
        return PLANNED

    return step(page, deal_id, offer_forms.PlanForm, "plan_form", run)


@router.post("/deals/{deal_id}/plan/done")
def finish(deal_id: PathId, page: Writing) -> Response:
    next_steps.finish(page.work, PublicId(deal_id))
    return page.redirect(f"/deals/{deal_id}#plan", done=DONE)


@router.post("/deals/{deal_id}/objections/{objection_id}")
def handle(
    deal_id: PathId,
    objection_id: PathId,
    page: Annotated[Page, opens_page(Action.PRICING_SET, write=True)],
) -> Response:
    def run(form: offer_forms.HandlingForm) -> str:
        body = ObjectionHandlingIn(**form.model_dump())
        sent = page.sent.files.get("file")
        proof = (sent[0].filename or "", sent[0].file) if sent else None
        known = PublicId(deal_id)
        row = objections.handle(page.work, known, PublicId(objection_id), body, proof)
        return UPHELD if row.state == ObjectionState.UPHELD else CLEARED

    return step(page, deal_id, offer_forms.HandlingForm, "handling_form", run)


@router.get("/deals/{deal_id}/objections/{objection_id}/evidence")
def evidence(
    deal_id: PathId,
    objection_id: PathId,
    page: Annotated[Page, opens_page(Action.PRICING_SET)],
) -> Response:
    file, stream = objections.evidence(page.work, PublicId(deal_id), PublicId(objection_id))
    return as_download(stream, file.name, file.media_type)
