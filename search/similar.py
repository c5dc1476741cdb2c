"""A text as a query: what in it tells it from others, for similar documents and match candidates.

Candidates only: `ranking` orders them. The scorer goes by characters, so titles are sought by their
grams, single symbols included: of its ten best, 200 candidates then hold 99%, against 88% by words
and pairs alone. Words reach bodies, of which an index has no grams.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable

from search.analysis import PARTICLES, grams, is_pair, plain_words
from search.port import SearchEngine
from search.query import Or, Query, Weighted
from search.ranking import BODY_WEIGHT, PAIR_WEIGHT, Text

_TITLE_GRAMS = 25
_TITLE_WORDS = 5
_BODY_WORDS = 15
MOST_TERMS = _TITLE_GRAMS + _TITLE_WORDS + _BODY_WORDS
"""More terms hold no more of the best, and cost time in proportion."""

_WORD_WEIGHT = 0.5  # words repeat what the grams of a title have said


def similar(engine: SearchEngine, text: Text) -> Query:
    """Any of the text's at most MOST_TERMS most telling terms, each weighted by what it tells.

    Rarity is the index's own; terms that stand nowhere in it are left out.
    """
    schema = engine.schema
    in_title, in_body = _words(text.title), _words(text.body)
    documents = engine.count()
    rarity = _rarity(engine, documents, schema.words_fields, in_title.keys() | in_body.keys())
    words = {
        term: _WORD_WEIGHT * in_title[term] for term in _telling(in_title, rarity, _TITLE_WORDS)
    }
    in_grams = Counter(grams(text.title)) if schema.grams_fields else Counter[str]()
    gram_rarity = _rarity(engine, documents, schema.grams_fields, in_grams)
    chosen = {
        gram: in_grams[gram] * (PAIR_WEIGHT if is_pair(gram) else 1.0)
        for gram in _telling(in_grams, gram_rarity, _TITLE_GRAMS)
    }
    for term in _telling(in_body, rarity, _BODY_WORDS):
        weight = _WORD_WEIGHT * BODY_WEIGHT * (1 + math.log(in_body[term]))
        words[term] = words.get(term, 0.0) + weight
    return Or(
        (
            Weighted(tuple(words.items()), schema.words_fields),
            Weighted(tuple(chosen.items()), schema.grams_fields),
        )
    )


def _words(text: str) -> Counter[str]:
    return Counter(word.text for word in plain_words(text) if word.text not in PARTICLES)


def _telling(counts: Counter[str], rarity: dict[str, float], most: int) -> list[str]:
    """The terms of largest tf-idf among those that the index has."""
    known = [term for term in counts if term in rarity]
    known.sort(key=lambda term: (-counts[term] * rarity[term], term))
    return known[:most]


def _rarity(
    engine: SearchEngine, documents: int, fields: Iterable[str], terms: Collection[str]
) -> dict[str, float]:
    """Inverse document frequency of each term that the index has in one of the fields, of so many
    documents.
    """
    most: Counter[str] = Counter()
    for field in fields:
        most |= Counter(engine.frequencies(field, terms))
    return {
        term: math.log(1 + documents / frequency) for term, frequency in most.items() if frequency
    }
