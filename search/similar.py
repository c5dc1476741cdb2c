"""A text as a query: what in it tells it from others, for similar documents and match candidates.

Candidates only: `ranking` orders them. Measured on the public judged pairs, the title's terms and
the twenty most telling of the body reach nearly the recall of the whole text at a third of its
cost.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable

from search.analysis import PARTICLES, pairs, plain_words
from search.port import SearchEngine
from search.query import Or, Query, Weighted
from search.ranking import BODY_WEIGHT, PAIR_WEIGHT, Text

MOST_TERMS = 60
_TITLE_WORDS = 15
_TITLE_PAIRS = 25
"""The rest of MOST_TERMS goes to words of the body."""


def similar(engine: SearchEngine, text: Text) -> Query:
    """Any of the text's at most MOST_TERMS most telling terms, each weighted by what it tells.

    Rarity is the index's own; terms that stand nowhere in it are left out.
    """
    schema = engine.schema
    in_title = Counter(word.text for word in plain_words(text.title) if word.text not in PARTICLES)
    in_body = Counter(word.text for word in plain_words(text.body) if word.text not in PARTICLES)
    rarity = _rarity(engine, schema.words_fields, in_title.keys() | in_body.keys())
    weights = {term: float(in_title[term]) for term in _telling(in_title, rarity, _TITLE_WORDS)}
    two = Counter(pairs(text.title)) if schema.grams_fields else Counter[str]()
    chosen_pairs = _telling(two, _rarity(engine, schema.grams_fields, two), _TITLE_PAIRS)
    room = MOST_TERMS - len(weights) - len(chosen_pairs)
    for term in _telling(in_body, rarity, room):
        weights[term] = weights.get(term, 0.0) + BODY_WEIGHT * (1 + math.log(in_body[term]))
    return Or(
        (
            Weighted(tuple(weights.items()), schema.words_fields),
            Weighted(tuple((term, PAIR_WEIGHT) for term in chosen_pairs), schema.grams_fields),
        )
    )


def _telling(counts: Counter[str], rarity: dict[str, float], most: int) -> list[str]:
    """The terms of largest tf-idf among those that the index has."""
    known = [term for term in counts if term in rarity]
    known.sort(key=lambda term: (-counts[term] * rarity[term], term))
    return known[: max(0, most)]


def _rarity(
    engine: SearchEngine, fields: Iterable[str], terms: Collection[str]
) -> dict[str, float]:
    """Inverse document frequency of each term that the index has in one of the fields."""
    most: Counter[str] = Counter()
    for field in fields:
        most |= Counter(engine.frequencies(field, terms))
    documents = engine.count()
    return {
        term: math.log(1 + documents / frequency) for term, frequency in most.items() if frequency
    }
