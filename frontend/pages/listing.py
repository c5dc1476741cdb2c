"""One public listing: can it be trusted, on what terms, and how to ask."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from frontend.edge import Page, opens_page
from frontend.pages import discovery_rows as rows
from frontend.pages.inquiries import asking
from market.access import service as access
from market.access.service import Seen
from market.accounts.policy import Action, Relation
from market.accounts.work import why_not
from market.catalog.schemas import AchievementText, DemandText
from market.catalog.vocabulary import FIELDS, KIND_NAMES, MATURITY, ListingKind, region_name
from market.discovery import matches
from market.discovery.endpoints import engine_of
from market.discovery.neighbours import similar_listings
from market.kit.ids import PublicId
from market.kit.wire import PathId
from search.port import SearchEngine

router = APIRouter()


@router.get("/listings/{listing_id}")
def listing(
    listing_id: PathId,
    page: Annotated[Page, opens_page(Action.BROWSE)],
    engine: Annotated[SearchEngine, Depends(engine_of)],
) -> Response:
    work = page.work
    seen = access.listing_page(work, PublicId(listing_id))
    shown = seen.shown
    form = asking(work, seen)
    context = {
        "seen": seen,
        "shown": shown,
        "text": shown.text,
        "section": str(shown.kind),
        "kind_name": KIND_NAMES[shown.kind],
        "field": FIELDS.get(shown.text.field or 0, ""),
        "region": region_name(shown.region) if shown.region else "",
        "price": rows.price(shown.text.price),
        "maturity_words": MATURITY,
        "sections": _sections(seen),
        "asking": form,
        "why_not": "" if form is not None or seen.own else _why_not(page),
        "may_match": work.may(Action.MATCH_VIEW, _relation(page, shown.public_id)),
        "may_compare": work.may(
            Action.COMPARABLE_VIEW, Relation.OWN if seen.own else Relation.OTHER
        ),
        "similar": _similar(page, engine, seen),
        "is_demand": shown.kind is ListingKind.DEMAND,
    }
    return page.render("discovery/listing.html", context)


def _relation(page: Page, public_id: PublicId) -> Relation:
    return matches.relation(page.work, access.visible_listing(page.work, public_id))


def _why_not(page: Page) -> str:
    """Return why a signed-in person cannot ask, "" for a visitor, who is shown the way in."""
    actor = page.work.actor
    return "" if actor.person_id is None else why_not(actor, Action.INQUIRY_SEND)


def _sections(seen: Seen) -> list[tuple[str, str]]:
    """Return (title, text) of what the listing says at length, in the order of its form."""
    text = seen.shown.text
    if isinstance(text, DemandText):
        found = [
            ("需求说明", text.body),
            ("主要问题", text.problem),
            ("技术关键", text.key_technology),
            ("预期目标", text.expected_goal),
        ]
    else:
        assert isinstance(text, AchievementText)
        found = [
            ("详细说明", text.body),
            ("应用场景", text.application),
            ("比现有技术好在哪里", text.advantage),
        ]
    return [(title, words) for title, words in found if words]


def _similar(page: Page, engine: SearchEngine, seen: Seen) -> list[Any]:
    return [
        rows.row(one.seen, note=(f"共同词：{'、'.join(one.shared)}",) if one.shared else ())
        for one in similar_listings(page.work, engine, seen)
    ]
