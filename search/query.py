"""The query tree that every engine compiles and `evaluate.py` understands, and the request around
it.

Terms stand in the tree as `analysis` makes them; nothing in it is parsed or analysed again.

Scores. Words, Weighted and Phrase score by BM25 (k1 1.2, b 0.75), times the field's boost, summed
over terms and fields; And, Or and AtLeast sum their matching parts; Scaled multiplies its part's;
every other node only says yes or no and scores 0.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class All:
    """Every document."""


@dataclass(frozen=True, slots=True)
class Words:
    """At least `at_least` of the terms, each in any of the fields (words or grams fields).

    No terms: no document. `at_least` is positive.
    """

    terms: tuple[str, ...]
    fields: tuple[str, ...]
    at_least: int

    def __post_init__(self) -> None:
        if self.at_least < 1:
            raise ValueError(f"at least {self.at_least} of the terms")


@dataclass(frozen=True, slots=True)
class Weighted:
    """Any of the terms, each in any of the fields; a term's score is multiplied by its weight (>
    0).
    """

    terms: tuple[tuple[str, float], ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Phrase:
    """The terms next to one another, in this order, in one words or grams field."""

    terms: tuple[str, ...]
    field: str


@dataclass(frozen=True, slots=True)
class Prefix:
    """A term of a words or grams field that starts with `prefix` (not empty)."""

    prefix: str
    field: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of the values in a facet field. No values: no document."""

    field: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Range:
    """A number field between `low` and `high`, both included, None being open.

    A document without the number does not match, whatever the bounds.
    """

    field: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Ids:
    """Documents with one of these ids."""

    values: frozenset[int]


@dataclass(frozen=True, slots=True)
class And:
    """All parts. No parts: every document."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one part. No parts: no document."""

    parts: tuple["Query", ...]


@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least `number` (positive) of the parts; with fewer parts, no document."""

    parts: tuple["Query", ...]
    number: int

    def __post_init__(self) -> None:
        if self.number < 1:
            raise ValueError(f"at least {self.number} of the parts")


@dataclass(frozen=True, slots=True)
class Scaled:
    """What `part` matches, its score multiplied by `factor` (> 0)."""

    part: "Query"
    factor: float


@dataclass(frozen=True, slots=True)
class Not:
    """Every document that `part` does not match."""

    part: "Query"


Query = (
    All
    | Words
    | Weighted
    | Phrase
    | Prefix
    | AnyOf
    | Range
    | Ids
    | And
    | Or
    | AtLeast
    | Scaled
    | Not
)


@dataclass(frozen=True, slots=True)
class Sort:
    """By relevance (`field` None), best first, or by a number field.

    Documents without the number come last in both directions. Ties stand by ascending id.
    """

    field: str | None = None
    descending: bool = True


RELEVANCE = Sort()

DEEPEST = 10_000
"""`offset + limit` reaches no further; people narrow their search long before."""


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """One page of results and the facet counts beside it.

    `filters`: facet field → values, of which a hit has at least one; fields restrict one another;
    an empty set restricts nothing. `facets`: facet fields to count, the `facet_size` most frequent
    values of each and those filtered by. `numbers`: number fields to be given with each hit.
    `limit` 0 asks for counts alone.
    """

    query: Query = field(default_factory=All)
    filters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    facets: tuple[str, ...] = ()
    facet_size: int = 100
    numbers: tuple[str, ...] = ()
    sort: Sort = RELEVANCE
    offset: int = 0
    limit: int = 20


def scores(query: Query) -> bool:
    """Whether documents can differ in score for this query."""
    return any(isinstance(node, Words | Weighted | Phrase) for node in nodes(query))


def nodes(query: Query) -> Iterator[Query]:
    """The query and everything below it."""
    yield query
    if isinstance(query, And | Or | AtLeast):
        for part in query.parts:
            yield from nodes(part)
    elif isinstance(query, Scaled | Not):
        yield from nodes(query.part)
