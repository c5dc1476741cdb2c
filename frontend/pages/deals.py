"""Deals (洽谈): the list by stage, and one deal with its next step first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from frontend import deal_path, forms, notices
from frontend.edge import Page, opens_page
from frontend.pages import deal_forms as papers
from frontend.pages import deal_offer_forms as offer_forms
from market.accounts.policy import Action
from market.catalog import views as catalog
from market.catalog.vocabulary import FIELDS
from market.deals import (
    contracts,
    inquiries,
    negotiation,
    next_steps,
    offers,
    pricing,
    service,
    views,
)
from market.deals.schemas import (
    ConfirmIn,
    DealtIn,
    DisclosureIn,
    LoseIn,
    NoteIn,
    SignIn,
    StopIn,
)
from market.deals.views import DealView, Stage
from market.deals.vocabulary import (
    CONTRACT_TYPES,
    LOST_REASONS,
    PAGE,
    PATHS,
    PAY_METHODS,
    STOP_REASONS,
    WIDER,
    ContractType,
    LostReason,
    PayMethod,
    Phase,
    PricingPathKind,
    Shelf,
    Side,
    StopReason,
)
from market.kit import letters
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.payments import service as payments

router = APIRouter()

PROPOSED = notices.done("terms-proposed", "条件已提出", "等对方确认，或提出新的条件。")
CONFIRMED = notices.done("terms-confirmed", "条件已确认", "双方达成一致。")
LOST = notices.done("deal-lost", "洽谈已终止", "原因已记入经过，对方看得到。")
NOTED = notices.done("deal-noted", "备注已保存")
STOPPED = notices.done(
    "pricing-stopped",
    "已终止",
    "双方重新确认条件或提出新的条件，再选定定价方式；公示要从头计算天数。",
)
DEALT = notices.done("pricing-dealt", "成交结果已保存", "现在可以签约。")
SIGN_ONE = notices.done("contract-confirmed", "合同已确认", "另一方也确认后合同签订。")
SIGNED = notices.done("contract-signed", "合同已签订", "卖方可以提交合同登记。")
DISCLOSED = notices.done("contract-disclosure", "公开意愿已保存")

M = TypeVar("M", bound=BaseModel)
TEMPLATE = "deals/deal.html"
FORMS = (
    *("terms_form", "lose_form", "note_form", "dealt_form", "stop_form"),
    *("sign_form", "party_form", "listing_form", "file_form", "plan_form", "handling_form"),
)
RENAMED = {"amount_fen": "amount", "entry_fen": "entry"}
STAGES = (Stage.NEGOTIATION, Stage.PRICING, Stage.SIGNING, Stage.SIGNED, Stage.LOST)


@dataclass(frozen=True, slots=True)
class Group:
    stage: Stage
    lines: list[deal_path.DealLine]


@router.get("/deals")
def list_deals(
    page: Annotated[Page, opens_page(Action.DEAL_VIEW)],
    shelf: Shelf = Shelf.RUNNING,
    phase: Annotated[Phase | Literal[""], Query()] = "",
    side: Annotated[Side | Literal[""], Query()] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    if letters.problem(q):
        q = ""
    only = service.only(page.work, phase=phase or None, words=q, side=side or None)
    lines = deal_path.lines(page.work, views.deals_of_actor(page.work, shelf, number, only))
    groups = [Group(one, [line for line in lines if line.row.stage is one]) for one in STAGES]
    counts = service.deal_counts(page.work, only)
    return page.render(
        "deals/deals.html",
        {
            "groups": [one for one in groups if one.lines],
            "shelf": shelf,
            "counts": counts,
            "running_fen": service.running_fen(page.work),
            "narrowed": bool(phase or side or q),
            "phases": offer_forms.PHASE_CHOICES,
            "phase": phase,
            "side": side,
            "q": q,
            "any": sum(service.deal_counts(page.work).values()),
            "page": number,
            "pages": catalog.pages(counts[shelf], PAGE),
        },
    )


def context(page: Page, deal_id: str, **more: object) -> dict[str, object]:
    """Return all that the deal's page shows; `more` replaces forms by those sent."""
    view = views.deal_view(page.work, PublicId(deal_id))
    line = deal_path.lines(page.work, [view.row])[0]
    return {
        "view": view,
        "row": view.row,
        "deal": view.row.deal,
        "line": line,
        "steps": deal_path.steps(line),
        "next": deal_path.next_step(line),
        "side": view.row.side,
        "may": {action.value for action in view.may},
        "may_pay": view.row.deal.buyer_id == page.work.actor.organisation_id
        and page.work.may(Action.PAYMENT_MAKE),
        "earnest": payments.earnest_for(page.work, view.row.deal),
        "inquiries": inquiries.inquiries_of_deal(page.work, view.row.deal)
        if view.row.side is not None
        else [],
        "mine_confirmed": view.row.contract is not None
        and view.row.side is not None
        and deal_path.confirmed(view.row.contract, view.row.side),
        "today": page.work.today,
        "problem": "",
        **_names(view),
        **_blanks(view),
        **_beside(page, view),
        **more,
    }


def _beside(page: Page, view: DealView) -> dict[str, object]:
    """Return what the page offers beside the deal's papers."""
    broker = view.row.side is None
    return {
        "parts": offer_forms.typed_instalments(
            page.sent, view.beside.offers[0].instalments if view.beside.offers else ()
        ),
        "pays": papers.PAYS,
        "bases": offer_forms.BASES,
        "trends": offer_forms.TRENDS,
        "phases": offer_forms.PHASE_CHOICES,
        "phase_names": dict(offer_forms.PHASE_CHOICES),
        "audiences": offer_forms.BROKER_AUDIENCES if broker else offer_forms.AUDIENCE_CHOICES,
        "audience_names": dict(offer_forms.AUDIENCE_CHOICES),
        "wider": {one.value: {to.value for to in wider} for one, wider in WIDER.items()},
        "people": next_steps.people(page.work) if "deal.note" in view.may else [],
        "offered": [
            (one.public_id, f"{one.number or ''} {one.title}".strip())
            for one in (negotiation.offered(page.work, view.row.deal) if view.row.leads else [])
        ],
    }


def _names(view: DealView) -> dict[str, object]:
    contract, pricing_ = view.row.contract, view.row.pricing
    deal = view.row.deal
    return {
        "modes": offer_forms.MODES,
        "lost_reasons": papers.LOST,
        "stop_reasons": papers.STOPS,
        "lost_reason": LOST_REASONS[LostReason(deal.lost_reason)] if deal.lost_reason else "",
        "stopped": [
            (path, STOP_REASONS[StopReason(path.stop_reason)])
            for path in view.stopped
            if path.stop_reason
        ],
        "path_name": PATHS[PricingPathKind(pricing_.path)] if pricing_ else "",
        "type_name": CONTRACT_TYPES[ContractType(contract.type)] if contract else "",
        "pay_name": PAY_METHODS[PayMethod(contract.pay_method)] if contract else "",
        "field_name": FIELDS[contract.field] if contract else "",
    }


def _blanks(view: DealView) -> dict[str, forms.Form[BaseModel]]:
    newest = view.row.terms
    terms = {
        "seen": view.row.deal.terms_version,
        "mode": newest.mode if newest else "",
        "amount": forms.wan(newest.amount_fen) if newest else "",
        "pay_method": newest.pay_method if newest else PayMethod.LUMP.value,
        "entry": forms.wan(newest.entry_fen) if newest else "",
        "royalty_base": newest.royalty_base if newest else None,
        "royalty_rate": offers.percent(newest.royalty_rate).removesuffix("%")
        if newest and newest.royalty_rate
        else None,
        "royalty_trend": newest.royalty_trend if newest else None,
        "term_months": newest.term_months if newest else None,
        "territory": newest.territory if newest else "",
        "text": newest.text if newest else "",
    }
    return {
        "terms_form": forms.blank(offer_forms.TermsForm, terms),
        "lose_form": forms.blank(papers.LoseForm),
        "note_form": forms.blank(papers.NoteForm, {"audience": "all"}),
        "dealt_form": forms.blank(papers.DealtForm),
        "sign_form": forms.blank(papers.SignForm),
        "stop_form": forms.blank(papers.StopForm),
        "party_form": forms.blank(offer_forms.PartyForm),
        "listing_form": forms.blank(offer_forms.ListingForm),
        "file_form": forms.blank(offer_forms.FileForm, {"audience": "own"}),
        "plan_form": forms.blank(offer_forms.PlanForm),
        "handling_form": forms.blank(offer_forms.HandlingForm, {"decision": "cleared"}),
    }


@router.get("/deals/{deal_id}")
def show(deal_id: PathId, page: Annotated[Page, opens_page(Action.DEAL_VIEW)]) -> Response:
    return page.render(TEMPLATE, context(page, deal_id))


def step(
    page: Page,
    deal_id: str,
    model: type[M],
    name: str,
    run: Callable[[M], str],
) -> Response:
    """Run one form of the deal's page: `run` does the step and returns the notice's code.

    Wrong input shows the form again; a state that has moved on shows the deal as it is now, with
    what was typed.
    """
    form = forms.parse(model, page.sent)
    if form.data is not None:
        try:
            return page.redirect(f"/deals/{deal_id}", done=run(form.data))
        except Invalid as error:
            form.reject(error)
        except Conflict as error:
            page.work.abandon()
            if name == "terms_form":
                view = views.deal_view(page.work, PublicId(deal_id))
                form.overtaken(_blanks(view)[name], by=["seen"])
            shown = context(page, deal_id, problem=error.message, **{name: form})
            return page.render(TEMPLATE, shown, status=error.status)
    page.work.abandon()
    shown = context(page, deal_id, **{name: form})
    if name not in FORMS:  # a button: nothing to correct beside it
        shown["problem"] = form.summary[0][1]
    return page.again(TEMPLATE, shown)


@router.post("/deals/{deal_id}/terms")
def propose(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.DEAL_TERMS, write=True)]
) -> Response:
    def run(form: offer_forms.TermsForm) -> str:
        parsed = forms.Form(offer_forms.TermsForm, {})
        parts = offer_forms.read_instalments(offer_forms.typed_instalments(page.sent), parsed)
        if parsed.errors:
            raise Invalid(fields=parsed.errors)
        try:
            service.propose(page.work, PublicId(deal_id), offer_forms.terms_in(form, parts))
        except Invalid as error:
            renamed = {RENAMED.get(name, name): text for name, text in error.fields.items()}
            raise Invalid(error.message, renamed) from error
        return PROPOSED

    return step(page, deal_id, offer_forms.TermsForm, "terms_form", run)


@router.post("/deals/{deal_id}/confirm")
def confirm(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.DEAL_CONFIRM, write=True)]
) -> Response:
    def run(form: papers.ConfirmForm) -> str:
        service.confirm(page.work, PublicId(deal_id), ConfirmIn(version=form.version))
        return CONFIRMED

    return step(page, deal_id, papers.ConfirmForm, "confirm_form", run)


@router.post("/deals/{deal_id}/lose")
def lose(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.DEAL_LOSE, write=True)]
) -> Response:
    def run(form: papers.LoseForm) -> str:
        service.lose(page.work, PublicId(deal_id), LoseIn(**form.model_dump()))
        return LOST

    return step(page, deal_id, papers.LoseForm, "lose_form", run)


@router.post("/deals/{deal_id}/notes")
def note(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.DEAL_NOTE, write=True)]
) -> Response:
    def run(form: papers.NoteForm) -> str:
        service.note(page.work, PublicId(deal_id), NoteIn(**form.model_dump()))
        return NOTED

    return step(page, deal_id, papers.NoteForm, "note_form", run)


@router.post("/deals/{deal_id}/publicity/stop")
def stop(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.PRICING_SET, write=True)]
) -> Response:
    def run(form: papers.StopForm) -> str:
        pricing.stop(page.work, PublicId(deal_id), StopIn(**form.model_dump()))
        return STOPPED

    return step(page, deal_id, papers.StopForm, "stop_form", run)


@router.post("/deals/{deal_id}/pricing/dealt")
def dealt(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.PRICING_SET, write=True)]
) -> Response:
    def run(form: papers.DealtForm) -> str:
        body = DealtIn(
            dealt_on=form.dealt_on,
            price_fen=form.price,
            dealt_number=form.dealt_number,
            bidders=form.bidders,
        )
        pricing.dealt(page.work, PublicId(deal_id), body)
        return DEALT

    return step(page, deal_id, papers.DealtForm, "dealt_form", run)


@router.post("/deals/{deal_id}/contract/confirm")
def sign(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.CONTRACT_SIGN, write=True)]
) -> Response:
    def run(form: papers.SignForm) -> str:
        row = contracts.sign(page.work, PublicId(deal_id), SignIn(**form.model_dump()))
        return SIGNED if row.signed_on is not None else SIGN_ONE

    return step(page, deal_id, papers.SignForm, "sign_form", run)


@router.post("/deals/{deal_id}/disclosure")
def disclose(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.CONTRACT_DISCLOSE, write=True)]
) -> Response:
    def run(form: papers.DisclosureForm) -> str:
        body = DisclosureIn(agrees=form.agrees == "yes")
        contracts.disclose(page.work, PublicId(deal_id), body)
        return DISCLOSED

    return step(page, deal_id, papers.DisclosureForm, "disclosure_form", run)
