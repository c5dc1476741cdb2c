"""Which achievements fit a demand, in both directions.

The index proposes candidates, the ranker and the stated facts order them. A changed demand is
compared with everything, and so is one that a changed achievement may leave; one that it may enter
is compared with it and with what stands in its list. So every list stands as one ranker orders it,
whatever came first.

Nothing is lost between two that are published at the same moment: a change is matched only after
its document can be found, so whichever of the two is indexed second finds the first.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import Session

from market.catalog import views
from market.catalog.views import Source
from market.catalog.vocabulary import ListingKind
from market.discovery import bands, judging, repository, repository_judged
from market.discovery.comparison import Comparison, DemandMatches
from market.discovery.documents import ranked_text
from market.discovery.judging import Compared
from market.discovery.memory import Memory, Sample
from market.discovery.models import Match, MatchChoice, MatchDue
from market.discovery.reasons import factor, missing_words, reasons
from market.kit import changes
from market.kit.changes import SubjectKind
from market.kit.ids import ListingId, new_public_id
from search.explain import explain
from search.feedback import Feedback
from search.port import SearchEngine
from search.query import SearchRequest
from search.ranking import Ranker, TermStatistics
from search.similar import similar

CANDIDATES: Final = 200
MOST: Final = 20
"""Undecided matches kept for one demand: more than a person looks through."""
NEAREST: Final = 3
SAMPLE: Final = 4_000
"""Listings that the term statistics are counted from; drawn at random they rank as well as all."""
GROWTH: Final = 0.05
REFRESH: Final = timedelta(minutes=10)
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class _Scored:
    """A candidate: by what it is ordered, and how alike it is, contradictions counted, without what
    decisions told.
    """

    order: float
    alike: float
    other: Compared


@dataclass(frozen=True, slots=True)
class _Round:
    """One comparison: how many achievements there are, when it is, whether there are decisions to
    learn from, the demands whose matches are explained anew, and those of which nothing is known
    but that some achievements may enter their list.
    """

    there: int
    at: datetime
    learns: bool
    retold: frozenset[ListingId]
    entering: Mapping[ListingId, Collection[ListingId]]


class Matcher:
    """Compares listings; keeps statistics and vectors between calls. For one thread."""

    def __init__(self, floor: float, *, feedback: bool = True) -> None:
        """`floor`: the score from which a pair is worth showing (see the decision record).

        `feedback`: whether what people decided about some matches moves the others.
        """
        self._floor = floor
        self._feedback = feedback
        self._memory: Memory | None = None
        self._counted = 0
        self._refreshed: datetime | None = None

    def compare(
        self,
        session: Session,
        engine: SearchEngine,
        changed: Collection[ListingId],
        now: datetime,
        due: Sequence[MatchDue] = (),
    ) -> Comparison:
        """Compare listings that changed, or went, and demands that are due, with the rest of the
        market. Reads only.

        Raises SearchUnavailable.
        """
        counts = views.counts(session)
        self._refresh(session, sum(counts.values()), now)
        present = self._load(session, changed)
        achievements = [one for one in present.values() if _is(one, ListingKind.ACHIEVEMENT)]
        again = {one.source.listing_id for one in present.values() if _is(one, ListingKind.DEMAND)}
        again |= repository.demands_matched_with(session, changed)
        again |= {one.demand_id for one in due}
        if self._feedback:
            for learnt in self._load(
                session, [one.demand_id for one in due if one.judged]
            ).values():
                again |= self._like(engine, learnt)
        entering = self._may_enter(session, engine, achievements)
        demands = self._load(session, again | entering.keys())
        there = counts[ListingKind.ACHIEVEMENT]
        return Comparison(
            gone=frozenset(changed) - present.keys(),
            demands=self._anew(
                session,
                engine,
                list(demands.values()),
                _Round(
                    there=there,
                    at=now,
                    learns=self._feedback and repository_judged.any_decided(session),
                    retold=frozenset(one.demand_id for one in due if not one.judged),
                    entering={key: new for key, new in entering.items() if key not in again},
                ),
            ),
            achievements=there,
            at=now,
            due=tuple(due),
        )

    def _like(self, engine: SearchEngine, demand: Compared) -> set[ListingId]:
        """Return other demands that may ask for nearly the same."""
        found = candidates(engine, demand.source, ListingKind.DEMAND, judging.LIKE)
        return set(found) - {demand.source.listing_id}

    def _refresh(self, session: Session, listings: int, now: datetime) -> None:
        """Count terms anew once the market has grown or shrunk, or some time has passed."""
        grown = abs(listings - self._counted) > GROWTH * self._counted
        late = self._refreshed is None or now - self._refreshed > REFRESH
        if self._memory is not None and not grown and not (late and listings != self._counted):
            return
        statistics = TermStatistics()
        ids = repository.sample_ids(session, SAMPLE)
        for some in _slices(ids):
            for source in views.document_source(session, some).values():
                statistics.add(ranked_text(source.text))
        self._memory = Memory(Ranker(Sample(statistics)))
        self._counted, self._refreshed = listings, now

    @property
    def _now(self) -> Memory:
        assert self._memory is not None
        return self._memory

    def _load(self, session: Session, ids: Iterable[ListingId]) -> dict[ListingId, Compared]:
        """Return those of the listings that are visible, as they are now."""
        memory, wanted = self._now, list(ids)
        found: dict[ListingId, Compared] = {}
        for some in _slices(wanted):
            versions = changes.versions(session, SubjectKind.LISTING, some)
            unknown = []
            for one in some:
                known = memory.known.get(one)
                if known is not None and known.version == versions.get(one):
                    found[one] = known
                else:
                    memory.forget(one)
                    unknown.append(one)
            for one, source in views.document_source(session, unknown).items():
                prepared = memory.ranker.prepare(ranked_text(source.text))
                found[one] = Compared(source, versions[one], prepared)
                memory.add(found[one])
        return found

    def _may_enter(
        self, session: Session, engine: SearchEngine, achievements: Sequence[Compared]
    ) -> dict[ListingId, list[ListingId]]:
        """Return the demands whose list some of the achievements may enter, and which."""
        proposed: dict[ListingId, list[Compared]] = {}
        for achievement in achievements:
            for demand_id in candidates(engine, achievement.source, ListingKind.DEMAND):
                proposed.setdefault(demand_id, []).append(achievement)
        entering: dict[ListingId, list[ListingId]] = {}
        for some in _slices(list(proposed)):
            demands, bars = self._load(session, some), repository.bars(session, some)
            for one, demand in demands.items():
                bar = bars.get(one, 0.0)
                new = [
                    other.source.listing_id
                    for other in proposed[one]
                    if self._exceeds(bar, demand, other)
                ]
                if new:
                    entering[one] = new
        return entering

    def _exceeds(self, bar: float, demand: Compared, achievement: Compared) -> bool:
        alike = self._now.ranker.score(demand.prepared, achievement.prepared)
        return alike > bar and alike * factor(demand.source, achievement.source) > bar

    def _score(self, demand: Compared, achievement: Compared, told: Feedback | None) -> _Scored:
        alike = self._now.ranker.score(demand.prepared, achievement.prepared)
        if alike < self._floor:  # facts only lower it
            return _Scored(alike, alike, achievement)
        facts = factor(demand.source, achievement.source)
        if told is None:
            return _Scored(alike * facts, alike * facts, achievement)
        moved = alike + told.change(achievement.source.listing_id, achievement.prepared)
        return _Scored(max(0.0, moved) * facts, alike * facts, achievement)

    def _told(
        self,
        session: Session,
        engine: SearchEngine,
        demand: Compared,
        stored: Sequence[Match],
    ) -> Feedback | None:
        """Return what decisions on this demand's matches, and of nearly equal ones, say."""
        own = [row for row in stored if row.state != MatchChoice.NEW]
        like = self._like(engine, demand)
        rows = repository_judged.decided(session, like)
        by_demand = judging.newest([*own, *rows])
        if not by_demand:
            return None
        ids = {row.achievement_id for some in by_demand.values() for row in some}
        loaded = self._load(session, [*by_demand, *ids])
        told = judging.feedback(self._now.ranker, demand, by_demand, loaded)
        return told or None

    def _anew(
        self,
        session: Session,
        engine: SearchEngine,
        demands: Sequence[Compared],
        turn: _Round,
    ) -> tuple[DemandMatches, ...]:
        stored: dict[ListingId, list[Match]] = {one.source.listing_id: [] for one in demands}
        for some in _slices(list(stored)):
            for row in repository.matches_of_demands(session, some):
                stored[row.demand_id].append(row)
        return tuple(
            self._one(session, engine, demand, stored[demand.source.listing_id], turn)
            for demand in demands
        )

    def _one(
        self,
        session: Session,
        engine: SearchEngine,
        demand: Compared,
        stored: Sequence[Match],
        turn: _Round,
    ) -> DemandMatches:
        """Compare one demand with its candidates, or with those that may enter its list, and with
        all that stand in it.
        """
        decided = {row.achievement_id for row in stored if row.state != MatchChoice.NEW}
        told = self._told(session, engine, demand, stored) if turn.learns else None
        listed = {row.achievement_id for row in stored}
        scored: list[_Scored] = []
        new = turn.entering.get(demand.source.listing_id)
        # Where decisions move the order, or nothing was good enough, any candidate may be next.
        if new is not None and told is None and listed > decided:
            scored = self._ordered(session, demand, {*new, *listed}, None)
        if not any(self._good(one, decided) for one in scored):
            ids = {*candidates(engine, demand.source, ListingKind.ACHIEVEMENT), *decided}
            scored = self._ordered(session, demand, ids, told)
        free = [one for one in scored if one.other.source.listing_id not in decided]
        good = [one for one in free if self._good(one, decided)][:MOST]
        kept = good + [one for one in scored if one.other.source.listing_id in decided]
        near = [] if good else free[:NEAREST]
        known = {row.achievement_id: row for row in stored}
        as_told = {} if demand.source.listing_id in turn.retold else known
        return DemandMatches(
            demand_id=demand.source.listing_id,
            rows=tuple(
                self._row(demand, one, as_told.get(one.other.source.listing_id), turn.at)
                for one in kept
            ),
            state={
                "demand_id": demand.source.listing_id,
                "version": demand.version,
                "compared": turn.there,
                "bar": self._bar(good, near, moved=told is not None),
                "nearest": [self._near(demand, one.other) for one in near],
                "matched_at": turn.at,
            },
            demand=demand.source,
            fresh=tuple(
                one.other.source
                for one in good
                if one.other.source.listing_id not in known
                and one.other.source.organisation_id != demand.source.organisation_id
            ),
        )

    def _bar(self, good: Sequence[_Scored], near: Sequence[_Scored], *, moved: bool) -> float:
        """Return above which score another achievement would change what is shown."""
        if good:
            # Where decisions move the order, a newcomer may enter from the floor on.
            return good[-1].order if len(good) == MOST and not moved else self._floor
        return near[-1].order if len(near) == NEAREST else 0.0

    def _ordered(
        self, session: Session, demand: Compared, ids: Collection[ListingId], told: Feedback | None
    ) -> list[_Scored]:
        """Return those of the listings that are visible, best first."""
        scored = (self._score(demand, one, told) for one in self._load(session, ids).values())
        return sorted(scored, key=lambda one: (-one.order, one.other.source.listing_id))

    def _good(self, scored: _Scored, decided: Collection[ListingId]) -> bool:
        """Return whether it is to be proposed."""
        return scored.alike >= self._floor and scored.other.source.listing_id not in decided

    def _row(
        self, demand: Compared, scored: _Scored, old: Match | None, now: datetime
    ) -> dict[str, Any]:
        other = scored.other
        versions = (demand.version, other.version)
        if old is not None and (old.demand_version, old.achievement_version) == versions:
            explanation = old.explanation
        else:
            words = explain(self._now.ranker, demand.prepared, other.prepared)
            explanation = reasons(demand.source, other.source, words).to_json()
        return {
            "public_id": new_public_id(),
            "demand_id": demand.source.listing_id,
            "achievement_id": other.source.listing_id,
            "score": scored.order,
            "band": bands.band(scored.alike),
            "explanation": explanation,
            "demand_version": demand.version,
            "achievement_version": other.version,
            "state": MatchChoice.NEW,
            "note": "",
            "found_at": now,
        }

    def _near(self, demand: Compared, other: Compared) -> dict[str, Any]:
        words = explain(self._now.ranker, demand.prepared, other.prepared)
        return {
            "achievement_id": other.source.listing_id,
            "missing": list(missing_words(demand.source, words)),
        }


def _is(listing: Compared, kind: ListingKind) -> bool:
    return listing.source.kind is kind


def candidates(
    engine: SearchEngine, listing: Source, kind: ListingKind, limit: int = CANDIDATES
) -> list[ListingId]:
    """Return the listings of a kind that the index finds most like this one, best first."""
    query = similar(engine, ranked_text(listing.text))
    filters = {"kind": frozenset({str(kind)})}
    page = engine.search(SearchRequest(query, filters, limit=limit))
    return [ListingId(hit.id) for hit in page.hits]


def _slices(ids: Sequence[ListingId]) -> Iterable[list[ListingId]]:
    """The ids in lists short enough for one statement."""
    return (list(ids[start : start + _AT_ONCE]) for start in range(0, len(ids), _AT_ONCE))
