"""As-you-type suggestions: documents and values whose title or name has what was typed so far.

One typed ideograph is enough, at the beginning of a title or anywhere in it; an unfinished word of
letters or digits counts as the beginning of one. Letters are also taken for the beginning of a
spelling in pinyin.
"""

from collections.abc import Mapping

from search.analysis import START, grams_of, is_run, pair, symbols
from search.evaluate import NO_FILTERS
from search.port import SearchEngine
from search.query import And, Or, Phrase, Prefix, Query, SearchRequest, Words
from search.spelling import LONGEST, LONGEST_INITIALS, letters

MOST = 8
"""Suggestions never exceed this; a person reads no more while typing."""

SPELLED = 50
"""Candidates of a spelling."""


def suggest(
    engine: SearchEngine,
    typed: str,
    field: str,
    *,
    filters: Mapping[str, frozenset[str]] = NO_FILTERS,
    limit: int = MOST,
) -> list[int]:
    """Ids of up to `limit` documents whose text field (with grams) has the typed sequence: those
    that begin with it first, each group by relevance. Empty where nothing searchable was typed.
    """
    limit = min(limit, MOST)
    ids: dict[int, None] = {}
    for at_start in (True, False):
        query = _typed(engine, typed, field, at_start=at_start)
        if query is not None and len(ids) < limit:
            page = engine.search(SearchRequest(query, filters, limit=limit + len(ids)))
            ids |= dict.fromkeys(hit.id for hit in page.hits)
    return list(ids)[:limit]


def suggest_spelled(
    engine: SearchEngine,
    typed: str,
    field: str,
    *,
    filters: Mapping[str, frozenset[str]] = NO_FILTERS,
) -> list[int]:
    """Ids of up to SPELLED documents whose text field (with spellings) may be spelled as typed, in
    pinyin or its initials. Where more was typed than is indexed, `spelling.is_spelling` decides.
    """
    query = _spelled(engine, typed, field)
    if query is None:
        return []
    return [hit.id for hit in engine.search(SearchRequest(query, filters, limit=SPELLED)).hits]


def suggest_values(
    engine: SearchEngine,
    typed: str,
    field: str,
    facet: str,
    *,
    filters: Mapping[str, frozenset[str]] = NO_FILTERS,
    limit: int = MOST,
) -> list[str]:
    """Up to `limit` values of `facet` among documents whose text field has the typed sequence (by
    its grams) or may be spelled so (by its spellings); most frequent first: for names that many
    documents share.
    """
    text = engine.schema.text(field)
    queries = (
        _typed(engine, typed, field, at_start=False) if text.grams else None,
        _spelled(engine, typed, field) if text.spelled else None,
    )
    asked = tuple(query for query in queries if query is not None)
    if not asked:
        return []
    size = min(limit, MOST)
    request = SearchRequest(Or(asked), filters, facets=(facet,), facet_size=size, limit=0)
    return [found.value for found in engine.search(request).facets[facet][:size]]


def _spelled(engine: SearchEngine, typed: str, field: str) -> Query | None:
    """Texts whose spelling has the beginning of the typed letters; None where there are none."""
    wanted, name = letters(typed), engine.schema.text(field).spelled_field
    if wanted is None:
        return None
    syllables = Prefix(wanted[:LONGEST], name)
    if len(wanted) <= LONGEST_INITIALS:
        return syllables
    return Or((syllables, Words((wanted[:LONGEST_INITIALS],), (name,), 1)))


def _typed(engine: SearchEngine, typed: str, field: str, *, at_start: bool) -> Query | None:
    """Texts with the typed symbols in sequence; None where there are none."""
    tokens = symbols(typed)
    if not tokens:
        return None
    grams_field = engine.schema.text(field).grams_field
    sequence = [token.text for token in tokens]
    unfinished = sequence.pop() if is_run(sequence[-1]) and tokens[-1].end == len(typed) else None
    grams = list(grams_of(sequence))
    if at_start and grams:
        grams.insert(0, START + grams[0])
    parts: list[Query] = [Phrase(tuple(grams), grams_field)] if grams else []
    if unfinished is not None:
        before = START if at_start else ""
        last = pair(sequence[-1], unfinished) if sequence else before + unfinished
        parts.append(Prefix(last, grams_field))
    return parts[0] if len(parts) == 1 else And(tuple(parts))
