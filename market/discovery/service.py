"""Searching: what was typed and chosen → a page of results with counts, and what is like it.

Hits come from the index, everything shown from the database as the actor may read it: a hit that
is no longer public is left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from sqlmodel import Session

from market.access import service as access
from market.access.service import Seen
from market.accounts.models import Organisation
from market.accounts.work import Work
from market.catalog.vocabulary import ListingKind
from market.discovery import labels, queries, relevance, repository
from market.discovery.documents import SCHEMA, body, ranked_text
from market.discovery.relevance import PUBLISHED
from market.discovery.schemas import Sort
from market.discovery.words import synonyms
from market.kit import deliveries
from market.kit.changes import Consumer, SubjectKind
from market.kit.errors import Unavailable
from market.kit.ids import ListingId
from search.analysis import PARTICLES, plain_words
from search.errors import SearchUnavailable
from search.highlight import Segment, highlight, snippet, spans
from search.parse import LONGEST_QUERY, Parsed, Unit, parse
from search.port import SearchEngine
from search.query import DEEPEST, RELEVANCE, All, And, Ids, Not, Query, SearchRequest
from search.query import Sort as EngineSort
from search.ranking import Text
from search.relax import relaxations
from search.result import SearchResult
from search.similar import similar

PAGE: Final = 20
SIMILAR: Final = 5
NEAREST: Final = 6
SHARED_SHOWN: Final = 4
COMMON: Final = 5
"""Listings that a telling word may stand in, however small the market."""
ORGANISATIONS: Final = 100
DOWN: Final = "搜索暂时不可用，正在恢复，请过几分钟再试；其他页面不受影响"


SORTS: Final[Mapping[ListingKind, Mapping[Sort, str]]] = {
    ListingKind.ACHIEVEMENT: {
        Sort.RELEVANCE: "相关程度",
        Sort.NEWEST: "最近发布",
        Sort.PRICE: "价格由低到高",
        Sort.MATURITY: "成熟度由高到低",
    },
    ListingKind.DEMAND: {
        Sort.RELEVANCE: "相关程度",
        Sort.NEWEST: "最近发布",
        Sort.PRICE: "预算由低到高",
        Sort.DEADLINE: "截止日期由近到远",
    },
}
_ORDERS: Final = {
    Sort.NEWEST: EngineSort(PUBLISHED),
    Sort.PRICE: EngineSort("price_low", descending=False),
    Sort.MATURITY: EngineSort("maturity_level"),
    Sort.DEADLINE: EngineSort("deadline", descending=False),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchParams:
    """What somebody asks for. `chosen`: facet → values, of which a result has at least one.

    Facets that the kind does not have, and a sort it does not know, are left aside.
    """

    kind: ListingKind = ListingKind.ACHIEVEMENT
    q: str = ""
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: Sort = Sort.RELEVANCE
    page: int = 1

    @property
    def filters(self) -> dict[str, frozenset[str]]:
        known = labels.NAMES[self.kind]
        return {
            name: frozenset(some) for name, some in self.chosen.items() if name in known and some
        }


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Facet:
    name: str
    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One result; pieces of its title and text, those that were searched for marked."""

    seen: Seen
    title: tuple[Segment, ...]
    text: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Relaxed:
    """One chosen value, and how many results there would be without it."""

    facet: str
    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page. `kinds` counts each kind by the typed words alone; `sort` is the one that was used,
    `shortened` whether the end of what was typed was left out.

    Where nothing was found: `relaxed` says what would be found without one of the chosen values.
    Where that is nothing either, the page shows what has only some of the words: `kept` without
    `left_out`, as they were typed. Where nothing has enough of them, `nearest` comes closest.
    """

    params: SearchParams
    sort: Sort
    total: int
    pages: int
    rows: tuple[Found, ...]
    facets: tuple[Facet, ...]
    kinds: Mapping[ListingKind, int]
    relaxed: tuple[Relaxed, ...]
    kept: tuple[str, ...]
    left_out: tuple[str, ...]
    nearest: tuple[Found, ...]
    shortened: bool


@dataclass(frozen=True, slots=True)
class Similar:
    """A listing like another, and words that both have."""

    seen: Seen
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was asked for in the end, what came of it, and what was left out for it."""

    parsed: Parsed
    query: Query
    request: SearchRequest
    result: SearchResult
    left_out: tuple[str, ...] = ()


def search(work: Work, engine: SearchEngine, params: SearchParams) -> ResultPage:
    """Return a page of results; past the last page, the last. Raises Unavailable."""
    page = min(max(params.page, 1), DEEPEST // PAGE)
    answer = _ask_for(work, engine, replace(params, page=page))
    relaxed: tuple[Relaxed, ...] = ()
    if not answer.result.total:
        relaxed = _relaxed(work.session, engine, answer.query, params)
        if not relaxed:
            answer = _with_fewer_words(work, engine, replace(params, page=page), answer)
    parsed, result = answer.parsed, answer.result
    pages = max(1, min(-(-result.total // PAGE), DEEPEST // PAGE))
    if page > pages:
        return search(work, engine, replace(params, page=pages))
    if result.total and not answer.left_out:
        queries.note(work, params.q, parsed)
    kinds = _ask(engine, SearchRequest(answer.query, facets=("kind",), limit=0))
    counted = {one.value: one.count for one in kinds.facets["kind"]}
    seen = access.public_listings(work, [ListingId(hit.id) for hit in result.hits])
    return ResultPage(
        params=replace(params, page=page),
        sort=_sort(params, parsed.query),
        total=result.total,
        pages=pages,
        rows=tuple(_found(one, parsed.terms) for one in seen),
        facets=_facets(work.session, params, result),
        kinds={kind: counted.get(kind, 0) for kind in ListingKind},
        relaxed=relaxed,
        kept=tuple(unit.typed for unit in parsed.units),
        left_out=answer.left_out,
        nearest=() if result.total else _nearest(work, engine, answer.request, params.q),
        shortened=parsed.shortened,
    )


def _ask_for(
    work: Work, engine: SearchEngine, params: SearchParams, left_out: Sequence[Unit] = ()
) -> _Answer:
    parsed = parse(params.q, SCHEMA, synonyms(work), {unit.words for unit in left_out})
    query = _but_hidden(work.session, parsed.query)
    request = SearchRequest(
        query=query,
        filters={**params.filters, "kind": frozenset({str(params.kind)})},
        facets=tuple(labels.NAMES[params.kind]),
        sort=_ORDERS.get(_sort(params, parsed.query), RELEVANCE),
        offset=(params.page - 1) * PAGE,
        limit=PAGE,
    )
    typed = tuple(unit.typed for unit in left_out)
    return _Answer(parsed, query, request, _page_of(work, engine, request), typed)


def _page_of(work: Work, engine: SearchEngine, request: SearchRequest) -> SearchResult:
    """Return one page; by relevance, in the order of `relevance` as deep as that reaches."""
    end = request.offset + request.limit
    if request.sort != RELEVANCE or end > relevance.DEPTH:
        return _ask(engine, request)
    result = _ask(
        engine,
        replace(request, offset=0, limit=relevance.DEPTH, numbers=relevance.NUMBERS),
    )
    hits = relevance.in_order(result.hits, work.today)[request.offset : end]
    return replace(result, hits=tuple(hits))


def _with_fewer_words(
    work: Work, engine: SearchEngine, params: SearchParams, answer: _Answer
) -> _Answer:
    """Leave out the least telling words until something is found; else return the answer as it
    was.
    """
    with told_when_down():
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


def _sort(params: SearchParams, query: Query) -> Sort:
    if params.sort not in SORTS[params.kind] or params.sort is Sort.RELEVANCE:
        # Where nothing was typed, nothing is more relevant than another.
        return Sort.NEWEST if isinstance(query, All) else Sort.RELEVANCE
    return params.sort


@contextmanager
def told_when_down() -> Iterator[None]:
    """Let people hear of an engine that does not answer. Raises Unavailable."""
    try:
        yield
    except SearchUnavailable as error:
        raise Unavailable(DOWN) from error


def _ask(engine: SearchEngine, request: SearchRequest) -> SearchResult:
    with told_when_down():
        return engine.search(request)


def _plain(text: str) -> list[str]:
    """Return the words of a text that say something by themselves."""
    words = (word.text for word in plain_words(text))
    return [word for word in words if len(word) > 1 and word not in PARTICLES]


def _found(seen: Seen, terms: Sequence[str]) -> Found:
    text = seen.shown.text
    shown, places = text.summary, spans(text.summary, terms)
    if not shown or (terms and not places):
        shown = body(text)
        places = spans(shown, terms)
    title = tuple(highlight(text.title, terms))
    return Found(seen, title, tuple(snippet(shown, terms, found=places)))


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
            count = _ask(engine, SearchRequest(query, filters, limit=0)).total
            if count:
                found.append(Relaxed(name, value, known[value], count))
    return tuple(sorted(found, key=lambda one: -one.count))


def _nearest(
    work: Work, engine: SearchEngine, request: SearchRequest, typed: str
) -> tuple[Found, ...]:
    """Return listings that share at least a word with what was typed, closest first.

    A person describes a problem in words of their own; most of them stand in no listing.
    """
    told = _plain(typed[:LONGEST_QUERY])
    if not told:
        return ()
    with told_when_down():
        query = _but_hidden(work.session, similar(engine, Text(" ".join(told))))
    page = _ask(engine, SearchRequest(query, request.filters, limit=2 * NEAREST))
    seen = access.public_listings(work, [ListingId(hit.id) for hit in page.hits])
    found = [_found(one, told) for one in seen]
    return tuple(one for one in found if _marked(one))[:NEAREST]


def _marked(found: Found) -> bool:
    return any(segment.marked for segment in (*found.title, *found.text))


def similar_listings(
    work: Work, engine: SearchEngine, seen: Seen, limit: int = SIMILAR
) -> list[Similar]:
    """Return public listings of the same kind that say the most alike, if they share a telling
    word with the other's title and keywords, or several with its text. Raises Unavailable.
    """
    shown = seen.shown
    with told_when_down():
        like = similar(engine, ranked_text(shown.text))
        words = _telling_words(engine, seen)
    query = And((like, Not(Ids(frozenset({shown.listing_id})))))
    filters = {"kind": frozenset({str(shown.kind)})}
    page = _ask(engine, SearchRequest(query, filters, limit=3 * limit))
    others = access.public_listings(work, [ListingId(hit.id) for hit in page.hits])
    found = [Similar(other, _shared(words, other)) for other in others]
    return [one for one in found if one.shared][:limit]


def _telling_words(engine: SearchEngine, seen: Seen) -> list[str]:
    """Return the words of title and keywords that do not stand in every tenth listing."""
    said = " ".join([seen.shown.text.title, *seen.shown.text.keywords])
    told = list(dict.fromkeys(_plain(said)))
    common = max(COMMON, engine.count() // 10)
    in_bodies = engine.frequencies("body", told)
    return [word for word in told if in_bodies[word] <= common]


def _shared(words: Sequence[str], other: Seen) -> tuple[str, ...]:
    text = other.shown.text
    named = [word for word in words if spans(" ".join([text.title, *text.keywords]), [word])]
    there = [word for word in words if word in named or spans(body(text), [word])]
    return tuple(there[:SHARED_SHOWN]) if named or len(there) > 1 else ()


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
