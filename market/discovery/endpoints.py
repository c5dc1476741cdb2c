"""The JSON edge of discovery: search, public listings, matches."""

from typing import Annotated

from fastapi import Depends, Query, Request

from market.access import service as access
from market.access.service import Seen
from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.catalog.schemas import AchievementText, DemandText
from market.catalog.views import PublicListing
from market.catalog.vocabulary import ListingKind
from market.discovery import labels, matches, neighbours, service
from market.discovery import suggestions as suggesting
from market.discovery.results import Found, ResultPage, SearchParams
from market.discovery.schemas import (
    CardOut,
    DecisionIn,
    DecisionOut,
    FacetOut,
    HitOut,
    HolderOut,
    InterestOut,
    ListingOut,
    MatchesOut,
    MatchOut,
    NearOut,
    OptionOut,
    ReasonOut,
    SearchIn,
    SearchOut,
    SegmentOut,
    SimilarListings,
    SimilarOut,
    SuggestionOut,
    Suggestions,
    Typed,
)
from market.kit.ids import PublicId
from market.kit.wire import PathId
from search.guard import Guarded
from search.port import SearchEngine

router = api_router("discovery")


def engine_of(request: Request) -> SearchEngine:
    """Return the engine that wiring put on the application, with the time one request has for it;
    pages use this as well.
    """
    engine: SearchEngine = request.app.state.engine
    return engine.for_one_request() if isinstance(engine, Guarded) else engine


Engine = Annotated[SearchEngine, Depends(engine_of)]
Browsing = Annotated[Work, opens(Action.BROWSE)]


@router.get("/search")
def search(query: Annotated[SearchIn, Query()], work: Browsing, engine: Engine) -> SearchOut:
    """Search public listings of one kind, with facet counts that ignore their own filter."""
    chosen = {name: tuple(getattr(query, name)) for name in labels.NAMES[query.kind]}
    params = SearchParams(
        kind=query.kind, q=query.q, chosen=chosen, sort=query.sort, page=query.page
    )
    return _search_out(service.search(work, engine, params))


@router.get("/suggestions")
def suggestions(
    work: Browsing,
    engine: Engine,
    q: Typed = "",
    kind: ListingKind = ListingKind.ACHIEVEMENT,
) -> Suggestions:
    """Past queries, titles and organisations that have what was typed so far, or its pinyin."""
    found = suggesting.suggestions(work, engine, q, kind)
    return Suggestions(
        items=[SuggestionOut(kind=one.kind, id=one.public_id, text=one.text) for one in found]
    )


@router.get("/listings/{listing_id}")
def show(listing_id: PathId, work: Browsing) -> ListingOut:
    """A public listing as the caller may read it."""
    seen = access.listing_page(work, PublicId(listing_id))
    shown = seen.shown
    return ListingOut(
        id=shown.public_id,
        number=shown.number,
        kind=shown.kind,
        holder=_holder(shown),
        masked=seen.masked,
        own=seen.own,
        region=shown.region,
        text=shown.text,
        published_at=shown.published_at,
        updated_at=shown.updated_at,
    )


@router.get("/listings/{listing_id}/similar")
def similar(listing_id: PathId, work: Browsing, engine: Engine) -> SimilarListings:
    """Public listings of the same kind that say the most alike."""
    seen = access.listing_page(work, PublicId(listing_id))
    found = neighbours.similar_listings(work, engine, seen)
    return SimilarListings(
        items=[SimilarOut(listing=_card(one.seen), shared=list(one.shared)) for one in found]
    )


@router.get("/listings/{listing_id}/matches")
def matches_of(
    listing_id: PathId,
    work: Annotated[Work, opens(Action.MATCH_VIEW)],
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> MatchesOut:
    """The matches of one's own listing, or of a principal's, in order and with reasons."""
    found = matches.matches_of(work, PublicId(listing_id), number)
    matches.note_shown(work, found)
    return MatchesOut(
        items=[_match_out(row) for row in found.rows],
        total=found.total,
        nearest=[
            NearOut(listing=_card(one.other), missing=list(one.missing)) for one in found.nearest
        ],
        compared=found.compared,
        compared_at=found.compared_at,
        interested=found.interested,
    )


@router.post("/matches/{match_id}/decision")
def decide(
    match_id: PathId,
    form: DecisionIn,
    work: Annotated[Work, opens(Action.MATCH_DECIDE, write=True)],
) -> DecisionOut:
    """Keep a match on top (suitable), put it away with a reason, or take either back."""
    match = matches.decide(work, PublicId(match_id), form)
    return DecisionOut(id=match.public_id, state=match.state, reason=match.reason, note=match.note)


@router.get("/listings/{listing_id}/interest")
def interest(listing_id: PathId, work: Annotated[Work, opens(Action.MATCH_VIEW)]) -> InterestOut:
    """How many organisations marked one's achievement suitable; never which."""
    return InterestOut(suitable=matches.interest(work, PublicId(listing_id)))


def _search_out(found: ResultPage) -> SearchOut:
    return SearchOut(
        items=[_hit(row) for row in found.rows],
        total=found.total,
        page=found.params.page,
        pages=found.pages,
        sort=found.sort,
        kinds=dict(found.kinds),
        facets=[
            FacetOut(
                name=facet.name,
                label=facet.label,
                options=[OptionOut.model_validate(option) for option in facet.options],
            )
            for facet in found.facets
        ],
        left_out=list(found.left_out),
        shortened=found.shortened,
        degraded=found.degraded,
        incomplete=found.incomplete,
    )


def _hit(found: Found) -> HitOut:
    return HitOut(
        **dict(_card(found.seen)),
        title_parts=[SegmentOut.model_validate(part) for part in found.title],
        text_parts=[SegmentOut.model_validate(part) for part in found.text],
    )


def _holder(shown: PublicListing) -> HolderOut:
    return HolderOut(id=shown.organisation_public_id, name=shown.organisation_name)


def _card(seen: Seen) -> CardOut:
    shown, text = seen.shown, seen.shown.text
    return CardOut(
        id=shown.public_id,
        number=shown.number,
        kind=shown.kind,
        title=text.title,
        summary=text.summary,
        holder=_holder(shown),
        masked=seen.masked,
        field=text.field,
        region=shown.region,
        modes=list(text.modes),
        price=text.price,
        maturity_level=text.maturity_level if isinstance(text, AchievementText) else None,
        deadline=text.deadline if isinstance(text, DemandText) else None,
        published_at=shown.published_at,
    )


def _match_out(row: matches.Matched) -> MatchOut:
    return MatchOut(
        id=row.match.public_id if row.match else None,
        listing=_card(row.other),
        band=row.band,
        title_parts=[SegmentOut.model_validate(part) for part in row.title],
        text_parts=[SegmentOut.model_validate(part) for part in row.text],
        state=row.match.state if row.match else None,
        reason=row.match.reason if row.match else None,
        note=row.match.note if row.match else "",
        reasons=[ReasonOut.model_validate(reason) for reason in row.reasons.why],
        against=list(row.reasons.against),
    )
