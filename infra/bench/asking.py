"""What measurements of searching ask, and the peer that is asked the same in a process of its own.

    python -m infra.bench.asking INDEX REQUESTS one|for SECONDS

`REQUESTS` is a pickle of lists of search requests, one list for each kind of page (our own file,
written a moment before). With `one`, every request is made once; prints JSON: the milliseconds of
each, by kind. With `for`, they are made in turn until the seconds are over; prints how many a
second.
"""

import json
import pickle
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from infra.bench import listings
from infra.bench.market import Plan
from infra.bench.native import Native
from market.catalog.vocabulary import FIELDS
from market.discovery import labels, relevance
from market.discovery.documents import SCHEMA, body
from market.discovery.results import SearchParams
from search.analysis import PARTICLES, plain_words
from search.parse import parse
from search.query import SearchRequest

TERM = "一个常用词"
LONG = "相近成果，60个词"
WORDS = 60
_LOOKED_AT = 20  # listings for each long query: the ones with most words are taken

Requests = dict[str, list[SearchRequest]]


def typed(plan: Plan, asked: int) -> dict[str, list[SearchParams]]:
    """Return, by kind of page, what is typed and which field is chosen."""
    return {
        TERM: [_params(term, field) for term, field in _terms(asked)],
        LONG: [_params(text, field) for text, field in _texts(plan, asked)],
    }


def _params(text: str, field: int) -> SearchParams:
    return SearchParams(q=text, chosen={"field": (str(field),)})


def _terms(asked: int) -> Iterator[tuple[str, int]]:
    """The most common words of the listings, each with every field."""
    pairs = [(term, field) for field in FIELDS for term in listings.common()]
    return islice(cycle(pairs), asked)


def _texts(plan: Plan, asked: int) -> Iterator[tuple[str, int]]:
    """WORDS words of two characters that one listing says, with its own field.

    Where one says fewer, its text is asked for with what it has: hardly any listing made up has
    much less.
    """
    found: list[tuple[int, str, int]] = []
    for source in islice(plan.sources(), min(plan.achievements, asked * _LOOKED_AT)):
        words = dict.fromkeys(
            word.text
            for word in plain_words(f"{source.text.title}\n{body(source.text)}")
            if len(word.text) == 2 and not word.text.isascii() and word.text not in PARTICLES
        )
        some = list(words)[:WORDS]
        found.append((len(some), " ".join(some), source.text.field or min(FIELDS)))
    found.sort(key=lambda one: -one[0])
    best = found[:asked]
    random.Random(plan.seed).shuffle(best)  # noqa: S311  measurements, not secrets
    return ((text, field) for _, text, field in best)


def request_of(params: SearchParams) -> SearchRequest:
    """Return what a page of results asks of the engine for what was typed: parsed, all facets."""
    return SearchRequest(
        query=parse(params.q, SCHEMA).query,
        filters={**params.filters, "kind": frozenset({str(params.kind)})},
        facets=tuple(labels.NAMES[params.kind]),
    )


def service_call(params: SearchParams) -> SearchRequest:
    """Return the same as deep as a page reads it, to put it in the order of relevance."""
    return replace(request_of(params), limit=relevance.DEPTH, numbers=relevance.NUMBERS)


def each(asks: Iterable[Callable[[], object]]) -> list[float]:
    """Return the milliseconds of each call."""
    taken = []
    for ask in asks:
        begun = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken


def a_second(asks: Sequence[Callable[[], object]], seconds: float) -> float:
    """Return how many calls a second are made, in turn, until the seconds are over."""
    begun = time.perf_counter()
    for done, ask in enumerate(cycle(asks), start=1):
        ask()
        if (taken := time.perf_counter() - begun) >= seconds:
            return done / taken
    return 0.0


def main(index: str, requests: str, how: str, seconds: str = "0") -> None:
    asked: Requests = pickle.loads(Path(requests).read_bytes())  # noqa: S301  our own parent's
    native = Native(Path(index))
    asks = {kind: [native.page(one) for one in some] for kind, some in asked.items()}
    if how == "for":
        every = [ask for some in asks.values() for ask in some]
        print(json.dumps(a_second(every, float(seconds))))
        return
    taken = {}
    for kind, some in asks.items():
        each(some[: -(-len(some) // 4)])  # warmed up as the pages were
        taken[kind] = each(some)
    print(json.dumps(taken))


if __name__ == "__main__":
    main(*sys.argv[1:])
