"""The two papers of a deal that need a page of their own: pricing path and contract draft."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages import deal_forms as papers
from market.accounts.policy import Action
from market.catalog import views as listings
from market.catalog.vocabulary import Mode
from market.deals import clearance, contracts, departures, negotiation, pricing, service, views
from market.deals.models import Deal
from market.deals.views import DealView
from market.deals.vocabulary import PATHS, PricingPathKind
from market.kit.errors import Conflict, Invalid, Overtaken
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.rules import service as rules
from market.rules import transfer

router = APIRouter()

PUBLICISED = notices.done("publicised", "公示已开始", "公示页任何人可见；期满次日起可以签约。")
LISTED = notices.done("pricing-listed", "定价方式已选定", "成交后在这里登记结果。")
SUMMARY = 1000
DRAFTED = notices.done("contract-drafted", "合同草稿已保存", "双方确认后签订。")


def _pricing(page: Page, deal_id: str, form: forms.Form[papers.PricingForm]) -> dict[str, object]:
    """Return the page's context; the dates are those of a 公示 begun today."""
    view = views.deal_view(page.work, PublicId(deal_id))
    today, calendar = page.work.today, rules.calendar(page.work.session)
    days = transfer.at(page.work.session, today).publicity_days
    last = clearance.last_day(today, days, calendar)
    return {
        "view": view,
        "deal": view.row.deal,
        "terms": view.row.terms,
        "form": form,
        "today": today,
        "days": days,
        "last": last,
        "first": last + timedelta(days=1),
        "provisional": calendar.provisional(last),
        "path_name": PATHS[PricingPathKind(view.row.pricing.path)] if view.row.pricing else "",
    }


def _summaries(page: Page, deal: Deal) -> str:
    """Return what the deal's published achievements say of themselves, to start from."""
    session = page.work.session
    further = [one.listing_id for one in negotiation.further_listings(page.work, deal)]
    ids = [one for one in (deal.achievement_id, *further) if one is not None]
    found = listings.document_source(session, ids)
    told = [found[one].text.summary for one in ids if one in found]
    return "\n".join(one for one in told if one)[:SUMMARY]


@router.get("/deals/{deal_id}/pricing")
def pricing_form(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.PRICING_SET)]
) -> Response:
    deal = service.find(page.work, PublicId(deal_id))
    page.work.require(Action.PRICING_SET, service.relation(page.work, deal))
    form = forms.blank(papers.PricingForm, {"summary": _summaries(page, deal)})
    return page.render("deals/pricing.html", _pricing(page, deal_id, form))


@router.post("/deals/{deal_id}/pricing")
def choose(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.PRICING_SET, write=True)]
) -> Response:
    form = forms.parse(papers.PricingForm, page.sent)
    wrong = papers.pricing_problems(form.data) if form.data is not None else {}
    for name, message in wrong.items():
        form.fail(name, message)
    if form.data is not None:
        try:
            body = papers.pricing_in(form.data)
            pricing.choose(page.work, PublicId(deal_id), body)
        except Invalid as error:
            form.reject(error)
        except Conflict as error:
            form.fail("", error.message)
        else:
            agreement = body.path is PricingPathKind.AGREEMENT
            return page.redirect(f"/deals/{deal_id}", done=PUBLICISED if agreement else LISTED)
    page.work.abandon()
    return page.again("deals/pricing.html", _pricing(page, deal_id, form))


def _contract(
    view: DealView, form: forms.Form[papers.ContractForm], rows: list[papers.LineRow]
) -> dict[str, object]:
    return {
        "view": view,
        "deal": view.row.deal,
        "form": form,
        "rows": rows,
        "kinds": papers.KINDS,
        "fields": papers.FIELD_CHOICES,
        "pays": papers.PAYS,
        "line_kinds": papers.LINE_KINDS,
    }


@router.get("/deals/{deal_id}/contract")
def contract_form(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.CONTRACT_DRAFT)]
) -> Response:
    view = _drafted_by_actor(page, deal_id)
    contract, price = view.row.contract, _price(view)
    values = papers.contract_values(contract) if contract else _first_draft(page, view, price)
    form = forms.blank(papers.ContractForm, values)
    rows = papers.contract_rows(view.lines, price)
    return page.render("deals/contract.html", _contract(view, form, rows))


def _price(view: DealView) -> int | None:
    """Return the price, in fen, that a first draft starts from: the one reached on an exchange,
    else the agreed one.
    """
    path, terms = view.row.pricing, view.row.terms
    if path is not None and path.dealt_fen is not None:
        return path.dealt_fen
    return terms.amount_fen if terms else None


def _first_draft(page: Page, view: DealView, price: int | None) -> dict[str, object]:
    """Return what is known of a contract before it is drafted: nothing is typed twice."""
    deal, terms = view.row.deal, view.row.terms
    begins = view.row.term.earliest_signing if view.row.term else page.work.today
    named = [one for one in (deal.achievement_id, deal.demand_id) if one is not None]
    found = listings.document_source(page.work.session, named)
    fields = [found[one].text.field for one in named if one in found]
    values: dict[str, object] = {
        "project_name": deal.title,
        "field": next((one for one in fields if one is not None), None),
        "total": forms.wan(price),
        "begins_on": begins,
    }
    if terms is None:
        return values
    kinds = departures.KINDS.get(Mode(terms.mode))
    if kinds:
        values["kind"] = ":".join(kinds[0])
    if terms.term_months is not None:
        values["ends_on"] = departures.ends_on(begins, terms.term_months)
    return values | {"pay_method": terms.pay_method}


@router.post("/deals/{deal_id}/contract")
def draft(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.CONTRACT_DRAFT, write=True)]
) -> Response:
    more = bool(page.sent.first("more"))
    form = forms.parse(papers.ContractForm, page.sent)
    rows = papers.typed_rows(page.sent, more=more)
    if more:  # only asks for room; nothing is judged yet
        form.errors.clear()
        page.work.abandon()
        view = _drafted_by_actor(page, deal_id)
        return page.render("deals/contract.html", _contract(view, form, rows))
    lines = papers.read_lines(rows, form)
    if form.data is not None:
        try:
            body = papers.contract_in(form.data, lines)
            contracts.draft(page.work, PublicId(deal_id), body)
            return page.redirect(f"/deals/{deal_id}", done=DRAFTED)
        except Invalid as error:
            form.reject(Invalid(error.message, _renamed(error)))
        except Overtaken as error:
            return _overtaken(page, deal_id, form, rows, error.message)
        except Conflict as error:
            form.fail("", error.message)
    page.work.abandon()
    view = _drafted_by_actor(page, deal_id)
    return page.again("deals/contract.html", _contract(view, form, rows))


def _overtaken(
    page: Page,
    deal_id: str,
    form: forms.Form[papers.ContractForm],
    rows: list[papers.LineRow],
    message: str,
) -> Response:
    """Show what was typed beside the draft that somebody saved meanwhile."""
    page.work.abandon()
    form.fail(forms.WHOLE, message)
    view = _drafted_by_actor(page, deal_id)
    if view.row.contract is not None:
        newest = forms.blank(papers.ContractForm, papers.contract_values(view.row.contract))
        form.overtaken(newest, by=["replaces"])
    theirs = [row for row in papers.contract_rows(view.lines, None) if not row.blank]
    if theirs != [row.trimmed() for row in rows if not row.blank]:
        form.fail("lines", f"现在保存的明细：{papers.in_words(theirs)}")
    context = _contract(view, form, rows)
    return page.render("deals/contract.html", context, status=Overtaken.status)


def _drafted_by_actor(page: Page, deal_id: str) -> views.DealView:
    """Return a deal whose contract the actor drafts. Raises NotFound, Forbidden."""
    view = views.deal_view(page.work, PublicId(deal_id))
    page.work.require(Action.CONTRACT_DRAFT, view.row.relation)
    return view


def _renamed(error: Invalid) -> dict[str, str]:
    names = {"sub_type": "kind", "type": "kind", "total_fen": "total"}
    return {names.get(name, name): text for name, text in error.fields.items()}
