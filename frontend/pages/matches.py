"""Matches: to a demand's owner with reasons and decisions, to an achievement's holder with how
many are interested.
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from markupsafe import Markup
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages import discovery_rows as rows
from frontend.render import wants_fragment
from market.access import service as access
from market.access.service import Seen
from market.accounts.policy import Action, OrganisationKind, Relation
from market.catalog import views
from market.catalog.schemas import DemandText
from market.catalog.vocabulary import FIELDS, KIND_NAMES, ListingKind, region_name
from market.discovery import bands, matches
from market.discovery.matches import Matched, Matches
from market.discovery.models import MatchChoice, UnsuitableReason
from market.discovery.reasons import SHARED_WORDS, Reason, Reasons
from market.discovery.schemas import DecisionIn
from market.kit.errors import Invalid
from market.kit.ids import PublicId
from market.kit.wire import Optional300, PathId

router = APIRouter()

TEMPLATE = "discovery/matches.html"
DONE = {
    "suitable": notices.done(
        "match-suitable", "已标为合适", "排在最前；持有单位会看到有一家单位感兴趣，不会看到是谁。"
    ),
    "unsuitable": notices.done("match-unsuitable", "已移出匹配", "可以在“不合适”里找回。"),
    "undecided": notices.done("match-undecided", "已放回待看"),
}
SAID = {"suitable": "已标为合适", "unsuitable": "已移出匹配", "undecided": "已放回待看"}
TABS = {
    MatchChoice.NEW: "待您看",
    MatchChoice.SUITABLE: "合适",
    MatchChoice.ASKED: "已询问",
    MatchChoice.UNSUITABLE: "不合适",
}
REASONS = {
    UnsuitableReason.ROUTE: "技术路线不对",
    UnsuitableReason.IMMATURE: "还不够成熟",
    UnsuitableReason.PRICE: "价格超出",
    UnsuitableReason.SOLVED: "已有办法",
    UnsuitableReason.OTHER: "其他",
}


class DecisionForm(BaseModel):
    decision: Literal["suitable", "unsuitable", "undecided"] = Field(title="决定")
    reason: UnsuitableReason | None = Field(None, title="原因")
    note: Optional300 = Field("", title="补充说明")


def _why(reasons: Reasons) -> list[tuple[str, str, str, str | Markup]]:
    """Return the reasons for the list of them, shared words marked."""
    return [(one.subject, one.verdict, one.text, _evidence(one, reasons)) for one in reasons.why]


def _evidence(one: Reason, reasons: Reasons) -> str | Markup:
    if one.subject != SHARED_WORDS or not reasons.shared:
        return one.evidence
    words = Markup("、").join(Markup("<mark>{}</mark>").format(word) for word in reasons.shared)
    _, mark, rest = one.evidence.partition("；")
    return words + mark + rest


def _item(matched: Matched, introduce: str) -> dict[str, Any]:
    """Return what a match's panel shows; `introduce` is the broker's address, "" for others."""
    match, number = matched.match, matched.other.shown.number
    return {
        "introduce": f"{introduce}{number}" if introduce else "",
        "row": rows.row(matched.other),
        "title": rows.marked(matched.title),
        "text": rows.marked(matched.text),
        "band": bands.NAMES.get(matched.band, ""),
        "own": matched.other.own,
        "why": _why(matched.reasons),
        "against": matched.reasons.against,
        "id": match.public_id if match else "",
        "state": match.state if match else "",
        "reason": REASONS[UnsuitableReason(match.reason)] if match and match.reason else "",
        "note": match.note if match else "",
    }


def _context(page: Page, found: Matches, **more: object) -> dict[str, Any]:
    listing = found.listing
    heading = views.headings(page.work.session, [listing.id])[listing.id]
    given = page.request.query_params.get("state", "")
    state = MatchChoice(given) if given in list(MatchChoice) else MatchChoice.NEW
    of_state = [row for row in found.rows if row.match and row.match.state == state]
    seen = access.public_listings(page.work, [listing.id])
    return {
        "found": found,
        "heading": heading,
        "wanted": _wanted(seen[0]) if seen else [],
        "kind_name": KIND_NAMES[found.kind],
        "own": found.relation is Relation.OWN,
        "path": f"/listings/{listing.public_id}/matches",
        "state": state,
        "tabs": [
            (
                label,
                "" if one is MatchChoice.NEW else str(one),
                sum(row.match is not None and row.match.state == one for row in found.rows),
                one is state,
            )
            for one, label in TABS.items()
        ],
        "items": [
            _item(row, _introduce(page, found, heading.number or ""))
            for row in (of_state if _of_demand(found) else found.rows)
        ],
        "page": 1,
        "pages": 1,
        "nearest": [(rows.row(one.other), one.missing) for one in found.nearest],
        "may_decide": page.work.may(Action.MATCH_DECIDE, found.relation),
        "may_grant": page.work.may(Action.MANDATE_GRANT),
        "choices": tuple((str(value), label) for value, label in REASONS.items()),
        "form": forms.blank(DecisionForm),
        "wrong": "",
        **more,
    }


def _introduce(page: Page, found: Matches, number: str) -> str:
    """Return where a broker introduces this listing to one whose number follows."""
    if found.relation is not Relation.MANDATED or not page.work.may(
        Action.INTRODUCTION_PROPOSE, Relation.MANDATED
    ):
        return ""
    one, other = ("demand", "achievement") if _of_demand(found) else ("achievement", "demand")
    return f"/introductions/new?{one}={number}&{other}="


def _wanted(seen: Seen) -> list[tuple[str, str]]:
    """Return (label, words) of what the listing states, to be held against the other side."""
    text = seen.shown.text
    demand = isinstance(text, DemandText)
    level = text.need_maturity if isinstance(text, DemandText) else text.maturity_level
    stated = [
        ("技术领域", FIELDS.get(text.field or 0, "")),
        ("成熟度要求" if demand else "成熟度", rows.maturity(level)),
        ("预算" if demand else "价格", rows.price(text.price)),
        ("合作方式", "、".join(text.modes)),
        ("地区", region_name(seen.shown.region) if seen.shown.region else ""),
        ("截止日期", str(text.deadline or "") if isinstance(text, DemandText) else ""),
    ]
    return [(label, words) for label, words in stated if words]


def _of_demand(found: Matches) -> bool:
    return found.kind is ListingKind.DEMAND


PAGE = 20


@router.get("/matches")
def overview(
    page: Annotated[Page, opens_page(Action.MATCH_VIEW)],
    side: ListingKind = ListingKind.DEMAND,
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    """List one's own listings, a broker's principals', by their newest undecided match."""
    total, found = matches.overview(page.work, side, page=number, size=PAGE)
    return page.render(
        "discovery/matched.html",
        {
            "found": found,
            "side": side,
            "counts": {one: matches.waiting_count(page.work, one) for one in ListingKind},
            "total": total,
            "page": number,
            "pages": views.pages(total, PAGE),
            "broker": page.work.actor.kind is OrganisationKind.AGENCY,
        },
    )


@router.get("/listings/{listing_id}/matches")
def matches_of(
    listing_id: PathId,
    page: Annotated[Page, opens_page(Action.MATCH_VIEW)],
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    found = matches.matches_of(page.work, PublicId(listing_id), number)
    pages = 1 if _of_demand(found) else views.pages(found.total, matches.PAGE)
    context = {**_context(page, found), "page": number, "pages": pages}
    if context["state"] is MatchChoice.NEW:
        matches.note_shown(page.work, found)
    return page.render(TEMPLATE, context, block="found")


@router.post("/matches/{match_id}/decision")
def decide(
    match_id: PathId, page: Annotated[Page, opens_page(Action.MATCH_DECIDE, write=True)]
) -> Response:
    form = forms.parse(DecisionForm, page.sent)
    if form.data is not None:
        try:
            matches.decide(page.work, PublicId(match_id), DecisionIn(**form.data.model_dump()))
        except Invalid as error:
            form.reject(error)
    demand = matches.demand_of(page.work, PublicId(match_id))
    if form.data is None:
        found = matches.matches_of(page.work, demand)
        return page.again(TEMPLATE, _context(page, found, form=form, wrong=match_id), block="found")
    decision = form.data.decision
    if wants_fragment(page.request):
        found = matches.matches_of(page.work, demand)
        answer = page.render(TEMPLATE, _context(page, found), block="found")
        page.renderer.toast(answer, SAID[decision])
        return answer
    state = page.request.query_params.get("state", "")
    tab = f"?state={state}" if state in list(MatchChoice) else ""
    return page.redirect(f"/listings/{demand}/matches{tab}", done=DONE[decision])
