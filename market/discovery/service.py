"""Searching: what was typed and chosen → a page of results with counts.

Hits come from the index, everything shown from the database as the actor may read it: a hit that
is no longer public is left out. Where the index does not answer, the database does (`plain`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlmodel import Session

from market.access import service as access
from market.accounts.models import Organisation
from market.accounts.work import Work
from market.catalog.vocabulary import ListingKind
from market.discovery import filling, labels, plain, queries, relevance, repository
from market.discovery.documents import BODY, SCHEMA, TITLE
from market.discovery.relevance import PUBLISHED
from market.discovery.results import (
    NEAREST,
    PAGE,
    Facet,
    Found,
    Option,
    Relaxed,
    ResultPage,
    SearchParams,
    found_of,
    sort_of,
    telling,
)
from market.discovery.schemas import Sort
from market.discovery.words import dictionary, synonyms
from market.kit import deliveries
from market.kit.changes import Consumer, SubjectKind
from market.kit.ids import ListingId
from search.dictionary import using
from search.errors import SearchUnavailable
from search.parse import LONGEST_QUERY, Parsed, Unit, parse
from search.port import SearchEngine
from search.query import DEEPEST, RELEVANCE, And, Ids, Not, Query, SearchRequest
from search.query import Sort as EngineSort
from search.ranking import Text
from search.relax import relaxations
from search.result import SearchResult
from search.similar import similar

ORGANISATIONS: Final = 100

_ORDERS: Final = {
    Sort.NEWEST: EngineSort(PUBLISHED),
    Sort.PRICE: EngineSort("price_low", descending=False),
    Sort.MATURITY: EngineSort("maturity_level"),
    Sort.DEADLINE: EngineSort("deadline", descending=False),
}


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was asked for in the end, what came of it, and what was left out for it."""

    parsed: Parsed
    query: Query
    request: SearchRequest
    result: SearchResult
    left_out: tuple[str, ...] = ()


def search(work: Work, engine: SearchEngine, params: SearchParams) -> ResultPage:
    """Return a page of results; past the last page, the last."""
    until = plain.deadline()
    try:
        return _by_engine(work, engine, params)
    except SearchUnavailable:
        return plain.search(work, params, until)


def kinds(work: Work, engine: SearchEngine, typed: str) -> Mapping[ListingKind, int]:
    """Return how many of each kind a search would find, nothing where the index does not answer."""
    try:
        return _by_engine(work, engine, SearchParams(q=typed)).kinds
    except SearchUnavailable:
        return {}


def _by_engine(work: Work, engine: SearchEngine, params: SearchParams) -> ResultPage:
    filling.check(work.session)
    page = min(max(params.page, 1), DEEPEST // PAGE)
    answer = _ask_for(work, engine, replace(params, page=page))
    asked = answer.parsed
    relaxed: tuple[Relaxed, ...] = ()
    if not answer.result.total:
        relaxed = _relaxed(work.session, engine, answer.query, params)
        if not relaxed:
            answer = _with_fewer_words(work, engine, replace(params, page=page), answer)
    parsed, result = answer.parsed, answer.result
    pages = max(1, min(-(-result.total // PAGE), DEEPEST // PAGE))
    if page > pages:
        return _by_engine(work, engine, replace(params, page=pages))
    if result.total and not answer.left_out:
        queries.note(work, params.q, parsed)
    by_kind = engine.search(SearchRequest(answer.query, facets=("kind",), limit=0))
    counted = {one.value: one.count for one in by_kind.facets["kind"]}
    seen = access.public_listings(work, [ListingId(hit.id) for hit in result.hits])
    return ResultPage(
        params=replace(params, page=page),
        sort=sort_of(params, parsed.query),
        total=result.total,
        pages=pages,
        rows=tuple(found_of(one, parsed.terms_in(TITLE), parsed.terms_in(BODY)) for one in seen),
        facets=_facets(work.session, params, result),
        kinds={kind: counted.get(kind, 0) for kind in ListingKind},
        relaxed=relaxed,
        asked=tuple(unit.typed for unit in asked.units),
        kept=tuple(unit.typed for unit in parsed.units),
        left_out=answer.left_out,
        nearest=_nearest(work, engine, answer, asked) if _few(answer) else (),
        shortened=parsed.shortened,
    )


def _ask_for(
    work: Work, engine: SearchEngine, params: SearchParams, left_out: Sequence[Unit] = ()
) -> _Answer:
    with using(dictionary(work)):
        parsed = parse(params.q, SCHEMA, synonyms(work), {unit.words for unit in left_out})
    query = _but_hidden(work.session, parsed.query)
    request = SearchRequest(
        query=query,
        filters={**params.filters, "kind": frozenset({str(params.kind)})},
        facets=tuple(labels.NAMES[params.kind]),
        sort=_ORDERS.get(sort_of(params, parsed.query), RELEVANCE),
        offset=(params.page - 1) * PAGE,
        limit=PAGE,
    )
    typed = tuple(unit.typed for unit in left_out)
    return _Answer(parsed, query, request, _page_of(work, engine, request), typed)


def _page_of(work: Work, engine: SearchEngine, request: SearchRequest) -> SearchResult:
    """Return one page; by relevance, in the order of `relevance` as deep as that reaches."""
    end = request.offset + request.limit
    if request.sort != RELEVANCE or end > relevance.DEPTH:
        return engine.search(request)
    result = engine.search(
        replace(request, offset=0, limit=relevance.DEPTH, numbers=relevance.NUMBERS)
    )
    hits = relevance.in_order(result.hits, work.today)[request.offset : end]
    return replace(result, hits=tuple(hits))


def _with_fewer_words(
    work: Work, engine: SearchEngine, params: SearchParams, answer: _Answer
) -> _Answer:
    """Leave out the least telling words until something is found; else return the answer as it
    was.
    """
    for left_out in relaxations(engine, answer.parsed.units):
        fewer = _ask_for(work, engine, params, left_out)
        if fewer.result.total:
            return fewer
    return answer


def _but_hidden(session: Session, query: Query) -> Query:
    """Return the query without what was masked or withdrawn since the index last heard of it.

    What the index still holds of those would tell by words, facets and counts whose they are.
    """
    hidden = deliveries.hidden(session, SubjectKind.LISTING, Consumer.INDEX)
    return And((query, Not(Ids(frozenset(hidden))))) if hidden else query


def _facets(session: Session, params: SearchParams, result: SearchResult) -> tuple[Facet, ...]:
    facets = []
    for name, label in labels.NAMES[params.kind].items():
        chosen = params.chosen.get(name, ())
        counts = {one.value: one.count for one in result.facets[name]}
        counts |= {value: 0 for value in chosen if value not in counts}
        known = labels.labels(session, name, list(counts))
        options = [
            Option(value, known[value], count, value in chosen) for value, count in counts.items()
        ]
        if name in labels.BY_SIZE:
            options.sort(key=lambda option, name=name: labels.rank(name, option.value))  # type: ignore[misc]
        facets.append(Facet(name, label, tuple(options)))
    return tuple(facets)


def _relaxed(
    session: Session, engine: SearchEngine, query: Query, params: SearchParams
) -> tuple[Relaxed, ...]:
    found = []
    for name, values in params.filters.items():
        known = labels.labels(session, name, list(values))
        for value in sorted(values):
            filters = {**params.filters, "kind": frozenset({str(params.kind)})}
            filters[name] = values - {value}
            count = engine.search(SearchRequest(query, filters, limit=0)).total
            if count:
                found.append(Relaxed(name, value, known[value], count))
    return tuple(sorted(found, key=lambda one: -one.count))


def _few(answer: _Answer) -> bool:
    """Return whether what was found may well be beside the point: nothing, or little, and that
    without some of the words.
    """
    total = answer.result.total
    return not total or (bool(answer.left_out) and total < NEAREST)


def _nearest(work: Work, engine: SearchEngine, answer: _Answer, asked: Parsed) -> tuple[Found, ...]:
    """Return listings that share at least a word with what was typed and were not
    found, closest first; nothing that was excluded.

    A person describes a problem in words of their own; most of them stand in no listing.
    """
    told = telling(asked.wanted)
    if not told:
        return ()
    near = And((similar(engine, Text(" ".join(told))), *asked.without))
    query = _but_hidden(work.session, near)
    page = engine.search(SearchRequest(query, answer.request.filters, limit=2 * NEAREST))
    there = {hit.id for hit in answer.result.hits}
    others = [ListingId(hit.id) for hit in page.hits if hit.id not in there]
    seen = access.public_listings(work, others)
    found = [found_of(one, told, told) for one in seen]
    return tuple(one for one in found if one.marked)[:NEAREST]


def answers(engine: SearchEngine) -> bool:
    """Return whether the index answers."""
    try:
        engine.count()
    except SearchUnavailable:
        return False
    return True


def organisations(work: Work, typed: str) -> list[Organisation]:
    """Return up to ORGANISATIONS verified organisations whose name has every word typed."""
    return repository.organisations(work.session, typed[:LONGEST_QUERY].split(), ORGANISATIONS)


def match_status(session: Session) -> dict[str, int]:
    """Return {"demands", "with_matches", "no_good_match", "waiting"}: the visible demands, those
    compared with and without a result, and how many changes still wait to be compared.
    """
    demands, compared, with_matches = repository.counts(session)
    waiting = repository.owed(
        session, Consumer.MATCH, up_to_change=repository.newest_change(session)
    )
    return {
        "demands": demands,
        "with_matches": with_matches,
        "no_good_match": compared - with_matches,
        "waiting": waiting,
    }
