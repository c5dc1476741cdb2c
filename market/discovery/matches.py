"""Matches as people see them: the demand's owner (and its broker) with reasons, the achievement's
holder with how many are interested, never who.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from market.access import mandates
from market.access import service as access
from market.access.service import Seen
from market.accounts.policy import Action, OrganisationKind, Relation
from market.accounts.work import Work
from market.catalog import views as catalog
from market.catalog.models import Listing
from market.catalog.views import Heading
from market.catalog.vocabulary import ListingKind
from market.discovery import repository, repository_judged, repository_overview
from market.discovery.documents import body
from market.discovery.models import Match, MatchChoice, MatchState
from market.discovery.reasons import Reasons
from market.discovery.schemas import DecisionIn
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import ListingId, OrganisationId, PublicId
from market.operations import marks
from search.highlight import Segment, highlight, snippet

PAGE = 20
NO_REASON = "请选一个原因，现在没有选"


@dataclass(frozen=True, slots=True)
class Matched:
    """One pair from one side: `other` is the listing of the other side, `title` and `text` pieces
    of it, those that both share marked; `band` how often such pairs were relevant ("" unknown).

    `match` is None for the achievement's holder, who is not told what was decided.
    """

    other: Seen
    reasons: Reasons
    match: Match | None
    band: str
    title: tuple[Segment, ...]
    text: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Near:
    """An achievement that came near and was not good enough, and what it does not name."""

    other: Seen
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matches:
    """The matches of a listing, in order: all of a demand, which keeps few; of an achievement,
    which may fit any number of demands, a page of PAGE. `total` counts all.

    `compared` and `compared_at` are None where the demand was not compared yet; `nearest` is for
    demands without a match; `interested` (organisations that marked it 合适) for achievements.
    """

    listing: Listing
    kind: ListingKind
    relation: Relation
    rows: tuple[Matched, ...]
    total: int
    nearest: tuple[Near, ...] = ()
    compared: int | None = None
    compared_at: datetime | None = None
    interested: int = 0


def relation(work: Work, listing: Listing) -> Relation:
    """Return what the actor is to a listing: its owner, a broker with a live mandate of its side,
    or none of these.
    """
    if listing.organisation_id == work.actor.organisation_id:
        return Relation.OWN
    served = mandates.served(work)
    side = served.buyers if listing.kind == ListingKind.DEMAND else served.sellers
    return Relation.MANDATED if listing.organisation_id in side else Relation.OTHER


def matches_of(work: Work, public_id: PublicId, page: int = 1) -> Matches:
    """Return the matches of a listing for its owner or the owner's broker.

    Raises NotFound, Forbidden, NotSignedIn.
    """
    listing = access.visible_listing(work, public_id)
    related = relation(work, listing)
    work.require(Action.MATCH_VIEW, related)
    if listing.kind == ListingKind.DEMAND:
        return _of_demand(work, listing, related)
    total, rows = repository.matches_of_achievement(
        work.session, listing.id, offset=(page - 1) * PAGE, limit=PAGE
    )
    others = _seen(work, [row.demand_id for row in rows])
    return Matches(
        listing=listing,
        kind=ListingKind.ACHIEVEMENT,
        relation=related,
        rows=tuple(
            _matched(others[row.demand_id], row, told=False)
            for row in rows
            if row.demand_id in others
        ),
        total=total,
        interested=repository.suitable_count(work.session, listing.id),
    )


def _of_demand(work: Work, listing: Listing, related: Relation) -> Matches:
    rows = repository.matches_of_demand(work.session, listing.id)
    state = repository.match_state(work.session, listing.id)
    near = state.nearest if state is not None else []
    compared, compared_at = compared_with(work.session, state)
    others = _seen(
        work,
        [row.achievement_id for row in rows] + [ListingId(one["achievement_id"]) for one in near],
    )
    return Matches(
        listing=listing,
        kind=ListingKind.DEMAND,
        relation=related,
        rows=tuple(
            _matched(others[row.achievement_id], row, told=True)
            for row in rows
            if row.achievement_id in others
        ),
        nearest=tuple(
            Near(others[ListingId(one["achievement_id"])], tuple(one["missing"]))
            for one in near
            if one["achievement_id"] in others
        ),
        total=len(rows),
        compared=compared,
        compared_at=compared_at,
    )


def compared_with(
    session: Session, state: MatchState | None
) -> tuple[int, datetime] | tuple[None, None]:
    """Return with how many achievements a demand stands compared, and when that was true last: a
    later comparison found nothing that enters its list.
    """
    if state is None:
        return None, None
    mark = marks.get(session, marks.COMPARED)
    if mark is None or mark.at < state.matched_at:
        return state.compared, state.matched_at
    return int(mark.detail), mark.at


def _matched(other: Seen, row: Match, *, told: bool) -> Matched:
    """Return a pair as one side sees it; `told`: what was decided as well."""
    reasons, text = Reasons.from_json(row.explanation), other.shown.text
    return Matched(
        other=other,
        reasons=reasons,
        match=row if told else None,
        band=row.band,
        title=tuple(highlight(text.title, reasons.shared)),
        text=tuple(snippet(body(text).replace("\n", " "), reasons.shared)),
    )


def _seen(work: Work, ids: list[ListingId]) -> dict[ListingId, Seen]:
    return {one.shown.listing_id: one for one in access.public_listings(work, ids)}


def interest(work: Work, public_id: PublicId) -> int:
    """Return how many organisations marked one's achievement 合适. Raises NotFound, Forbidden."""
    listing = access.visible_listing(work, public_id)
    work.require(Action.MATCH_VIEW, relation(work, listing))
    if listing.kind != ListingKind.ACHIEVEMENT:
        raise NotFound
    return repository.suitable_count(work.session, listing.id)


def decide(work: Work, public_id: PublicId, form: DecisionIn) -> Match:
    """Note what the demand's owner makes of a match; the same again changes nothing.

    Raises NotFound, Forbidden, Conflict, Invalid at `reason`.
    """
    match, demand = _find(work, public_id)
    work.touched("match", match.public_id)
    work.require(Action.MATCH_DECIDE, relation(work, demand))
    to = MatchChoice.NEW if form.decision == "undecided" else MatchChoice(form.decision)
    reason = form.reason if to is MatchChoice.UNSUITABLE else None
    note = form.note if to is MatchChoice.UNSUITABLE else ""
    if to is MatchChoice.UNSUITABLE and reason is None:
        raise Invalid(fields={"reason": NO_REASON})
    if (to, reason, note) == (match.state, match.reason, match.note):
        return match
    if match.state == MatchChoice.ASKED and to is MatchChoice.NEW:
        raise Conflict("已经询问过，不能放回待看")
    repository.move_match(
        work.session,
        match,
        to,
        reason=reason,
        note=note,
        decided_by=work.actor.person,
        decided_at=work.now,
    )
    repository_judged.owe(work.session, [match.demand_id], judged=True, since=work.now)
    return match


def _owners(work: Work, kind: ListingKind) -> set[OrganisationId]:
    """Return whose listings' matches the actor looks through: its own, a broker's principals'."""
    if work.actor.kind is OrganisationKind.AGENCY:
        served = mandates.served(work)
        return {*(served.buyers if kind is ListingKind.DEMAND else served.sellers)}
    return {work.actor.organisation}


def waiting_count(work: Work, kind: ListingKind) -> int:
    """Return how many listings of the actor have matches that nobody has decided about."""
    return repository_overview.matched_count(work.session, _owners(work, kind), kind)


@dataclass(frozen=True, slots=True)
class MatchedListing:
    """One listing with how many of its matches wait, and when the newest was found."""

    heading: Heading
    count: int
    newest: datetime


def overview(
    work: Work, kind: ListingKind, *, page: int, size: int
) -> tuple[int, list[MatchedListing]]:
    """Return (how many, a page of) the actor's listings with undecided matches, newest first."""
    related = Relation.MANDATED if work.actor.kind is OrganisationKind.AGENCY else Relation.OWN
    work.require(Action.MATCH_VIEW, related)
    owners = _owners(work, kind)
    total = repository_overview.matched_count(work.session, owners, kind)
    rows = repository_overview.matched(
        work.session, owners, kind, offset=(page - 1) * size, limit=size
    )
    headings = catalog.headings(work.session, [one for one, _, _ in rows])
    return total, [MatchedListing(headings[one], count, at) for one, count, at in rows]


def demand_of(work: Work, public_id: PublicId) -> PublicId:
    """Return the demand that a match belongs to. Raises NotFound for who may not see the match."""
    return _find(work, public_id)[1].public_id


def _find(work: Work, public_id: PublicId) -> tuple[Match, Listing]:
    match = repository.match_by_public_id(work.session, public_id)
    if match is None:
        raise NotFound
    demand = catalog.listing_by_id(work.session, match.demand_id)
    if relation(work, demand) is Relation.OTHER:
        raise NotFound
    return match, demand


def note_asked(work: Work, achievement_id: ListingId, asker_id: OrganisationId) -> None:
    """Note that an organisation wrote to the holder of an achievement that fits its demands.

    For the noun that keeps inquiries. Safe to repeat.
    """
    repository.mark_asked(
        work.session,
        achievement_id,
        asker_id,
        decided_by=work.actor.person,
        decided_at=work.now,
    )
    demands = repository_judged.demands_asked(work.session, achievement_id, asker_id)
    repository_judged.owe(work.session, demands, judged=True, since=work.now)


def note_dealt(
    work: Work,
    achievement_id: ListingId | None,
    demand_id: ListingId | None,
    buyer_id: OrganisationId,
) -> None:
    """Note that a contract was signed about an achievement and a demand; where it names no demand,
    any of the buyer's that the achievement fits.

    For the noun that keeps deals. Safe to repeat.
    """
    if achievement_id is None:
        return
    if demand_id is None:
        demands = repository_judged.demands_asked(work.session, achievement_id, buyer_id)
    else:
        demands = [demand_id]
    repository_judged.mark_dealt(work.session, achievement_id, demands, work.now)
    repository_judged.owe(work.session, demands, judged=True, since=work.now)


def note_shown(work: Work, found: Matches) -> None:
    """Note at which rank the undecided matches of a demand stood, after the answer; not who looked.

    What the platform's own people look at is no showing.
    """
    if found.kind is not ListingKind.DEMAND or found.relation is Relation.OTHER:
        return
    waiting = [row.match for row in found.rows if row.match and row.match.state == MatchChoice.NEW]
    rows = [
        {
            "demand_id": match.demand_id,
            "achievement_id": match.achievement_id,
            "rank": rank,
            "band": match.band,
            "shown_at": work.now,
        }
        for rank, match in enumerate(waiting, start=1)
    ]
    if rows:
        work.parts.journal.add(
            f"shown:{found.listing.id}",
            lambda session: repository_judged.put_shown(session, rows),
        )
