"""Searching without the index: what the database finds in the time that is left.

It reads the public listings from the newest id down, a stretch at a time, each by a statement that
is ended when its time is over. What was found until then is shown, and said to be a part.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import Final

from market.access import service as access
from market.access.service import Seen
from market.accounts.work import Work
from market.discovery import labels
from market.discovery import repository_plain as repository
from market.discovery.documents import BODY, SCHEMA, TITLE
from market.discovery.repository_plain import Row, Wanted
from market.discovery.results import (
    NEAREST,
    PAGE,
    Facet,
    Found,
    Option,
    ResultPage,
    SearchParams,
    found_of,
    sort_of,
    telling,
)
from market.discovery.schemas import Sort
from market.discovery.words import synonyms
from market.kit.db import OutOfTime, limited
from market.kit.ids import ListingId
from search.parse import Parsed, parse
from search.query import DEEPEST, And, Ids, Not, Query, Words

ANSWER: Final = 1.8
"""Seconds from the request to the last row: within 2 it is a page."""
STATEMENTS: Final = 1.5
"""Seconds that the statements of an answer may take."""
_LEAST: Final = 0.05
_AT_ONCE: Final = 4
_FIRST, _STRETCH = 10_000, 50_000
_MOST_TERMS: Final = 4
_LIKE_TERMS: Final = 6
_ALL: Final = 2**63

_scans = BoundedSemaphore(_AT_ONCE)
"""Readings at a time of a process: more would only take the database from those who write."""


@dataclass(slots=True)
class _Scanned:
    """The best of what was found, in order, how many there are, and whether all was looked at."""

    ids: list[ListingId]
    total: int
    whole: bool


def deadline() -> float:
    """Return until when an answer that is begun now has to be there."""
    return time.monotonic() + ANSWER


def search(work: Work, params: SearchParams, until: float) -> ResultPage:
    """Return a page of what the database finds."""
    until = min(until, time.monotonic() + STATEMENTS)
    page = min(max(params.page, 1), DEEPEST // PAGE)
    parsed = parse(params.q, SCHEMA, synonyms(work))
    sort = sort_of(params, parsed.query)
    wanted = Wanted(params.kind, parsed.query, params.filters, sort, _terms(parsed))
    found = _scan(work, wanted, page * PAGE, until)
    pages = max(1, min(-(-found.total // PAGE), DEEPEST // PAGE))
    page = min(page, pages)
    shown = found.ids[(page - 1) * PAGE : page * PAGE]
    seen = access.public_listings(work, shown)
    return ResultPage(
        params=replace(params, page=page),
        sort=sort,
        total=found.total,
        pages=pages,
        rows=tuple(found_of(one, parsed.terms_in(TITLE), parsed.terms_in(BODY)) for one in seen),
        facets=_facets(work, params),
        kinds={},
        relaxed=(),
        asked=tuple(unit.typed for unit in parsed.units),
        kept=tuple(unit.typed for unit in parsed.units),
        left_out=(),
        nearest=() if found.total else _nearest(work, wanted, parsed, until),
        shortened=parsed.shortened,
        degraded=True,
        incomplete=not found.whole,
    )


def like(work: Work, seen: Seen, words: Sequence[str], limit: int, until: float) -> list[ListingId]:
    """Return listings of the kind of another with most of the first of the words."""
    until = min(until, time.monotonic() + STATEMENTS)
    shown, some = seen.shown, tuple(words[:_LIKE_TERMS])
    others = Not(Ids(frozenset({shown.listing_id})))
    query = And((Words(some, SCHEMA.words_fields, 1), others))
    return _scan(work, Wanted(shown.kind, query, {}, Sort.RELEVANCE, some), limit, until).ids


def _terms(parsed: Parsed) -> list[str]:
    """Return what the order goes by: the longest of what was typed."""
    typed = dict.fromkeys(word for unit in parsed.units for word in unit.words)
    return sorted(typed or parsed.terms_in(TITLE), key=len, reverse=True)[:_MOST_TERMS]


def _nearest(work: Work, wanted: Wanted, parsed: Parsed, until: float) -> tuple[Found, ...]:
    """Return some of the newest listings that have a word of what was typed, those with most
    first, and nothing that was excluded.

    All were read once already, and nothing was found: this looks no further than it has to.
    """
    told = sorted(dict.fromkeys(telling(parsed.wanted)), key=len, reverse=True)
    some = tuple(told[:_MOST_TERMS])
    if not some:
        return ()
    query: Query = And((Words(some, SCHEMA.words_fields, 1), *parsed.without))
    asked = wanted._replace(query=query, sort=Sort.RELEVANCE, terms=some)
    seen = access.public_listings(work, _scan(work, asked, NEAREST, until, enough=NEAREST).ids)
    return tuple(found_of(one, told, told) for one in seen)


def _scan(work: Work, wanted: Wanted, limit: int, until: float, enough: int = _ALL) -> _Scanned:
    """Return the first `limit` of all listings that fit, or of those looked at in the time or until
    `enough` were found.
    """
    rows: list[Row] = []
    total = 0
    with _turn(until) as mine:
        high = repository.newest_id(work.session) if mine else 0
        size = _FIRST
        while high > 0 and total < enough:
            left = until - time.monotonic()
            if left < _LEAST:
                return _Scanned(_ids(rows), total, whole=False)
            try:
                with limited(work.session, left):
                    some = repository.among(work.session, wanted, high - size + 1, high, limit)
            except OutOfTime:
                return _Scanned(_ids(rows), total, whole=False)
            total += some[0].total if some else 0
            rows = _first(rows + some, wanted.sort, limit)
            high, size = high - size, _STRETCH
    return _Scanned(_ids(rows), total, whole=mine)


@contextmanager
def _turn(until: float) -> Iterator[bool]:
    """Wait for one's turn to read; say whether it came in time."""
    mine = _scans.acquire(timeout=max(0.0, until - time.monotonic()))
    try:
        yield mine
    finally:
        if mine:
            _scans.release()


def _first(rows: list[Row], sort: Sort, limit: int) -> list[Row]:
    """Return the first rows of several stretches, in the order of one."""
    rows.sort(key=lambda row: row.listing_id)
    for place, falling in reversed([*enumerate(repository.falling(sort))]):
        known = [row for row in rows if row.keys[place] is not None]
        known.sort(key=lambda row, place=place: row.keys[place], reverse=falling)  # type: ignore[misc]
        rows = known + [row for row in rows if row.keys[place] is None]
    return rows[:limit]


def _ids(rows: Sequence[Row]) -> list[ListingId]:
    return [row.listing_id for row in rows]


def _facets(work: Work, params: SearchParams) -> tuple[Facet, ...]:
    """Return what may be chosen, without counts: values that are known, and those chosen."""
    facets = []
    for name, label in labels.NAMES[params.kind].items():
        chosen = params.chosen.get(name, ())
        values = list(dict.fromkeys([*labels.known(name), *chosen]))
        named = labels.labels(work.session, name, values)
        options = (Option(one, named[one], None, one in chosen) for one in values)
        facets.append(Facet(name, label, tuple(options)))
    return tuple(facets)
