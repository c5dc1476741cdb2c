"""Listings that say much the same as another."""

from collections.abc import Sequence
from typing import Final

from market.access import service as access
from market.access.service import Seen
from market.accounts.work import Work
from market.discovery import filling, plain
from market.discovery.documents import body, ranked_text
from market.discovery.results import Similar, telling
from market.kit.ids import ListingId
from search.errors import SearchUnavailable
from search.highlight import spans
from search.port import SearchEngine
from search.query import And, Ids, Not, SearchRequest
from search.similar import similar

SIMILAR: Final = 5
SHARED_SHOWN: Final = 4
COMMON: Final = 5
"""Listings that a telling word may stand in, however small the market."""


def similar_listings(
    work: Work, engine: SearchEngine, seen: Seen, limit: int = SIMILAR
) -> list[Similar]:
    """Return public listings of the same kind that say the most alike, if they share a telling
    word with the other's title and keywords, or several with its text. Where the index does not
    answer, those whose titles have most of the words of its own.
    """
    until = plain.deadline()
    try:
        filling.check(work.session)
        words = _telling_words(engine, seen)
        ids = _like(engine, seen, 3 * limit)
    except SearchUnavailable:
        words = _said(seen)
        ids = plain.like(work, seen, words, 3 * limit, until)
    others = access.public_listings(work, ids)
    found = [Similar(other, _shared(words, other)) for other in others]
    return [one for one in found if one.shared][:limit]


def _like(engine: SearchEngine, seen: Seen, limit: int) -> list[ListingId]:
    shown = seen.shown
    like = similar(engine, ranked_text(shown.text))
    query = And((like, Not(Ids(frozenset({shown.listing_id})))))
    filters = {"kind": frozenset({str(shown.kind)})}
    page = engine.search(SearchRequest(query, filters, limit=limit))
    return [ListingId(hit.id) for hit in page.hits]


def _said(seen: Seen) -> list[str]:
    """Return the words of title and keywords, each once."""
    text = seen.shown.text
    return list(dict.fromkeys(telling(" ".join([text.title, *text.keywords]))))


def _telling_words(engine: SearchEngine, seen: Seen) -> list[str]:
    """Return the words of title and keywords that do not stand in every tenth listing."""
    told = _said(seen)
    common = max(COMMON, engine.count() // 10)
    in_bodies = engine.frequencies("body", told)
    return [word for word in told if in_bodies[word] <= common]


def _shared(words: Sequence[str], other: Seen) -> tuple[str, ...]:
    text = other.shown.text
    named = [word for word in words if spans(" ".join([text.title, *text.keywords]), [word])]
    there = [word for word in words if word in named or spans(body(text), [word])]
    return tuple(there[:SHARED_SHOWN]) if named or len(there) > 1 else ()
