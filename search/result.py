"""What an engine answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FacetCount:
    value: str
    count: int


@dataclass(frozen=True, slots=True)
class Hit:
    """One document found. `version` is the one indexed; `score` is 0 where nothing in the query
    scores or the order is by a number. `numbers`: those asked for that the document has.
    """

    id: int
    version: int
    score: float
    numbers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One page, all of it from one state of the index.

    `total` counts all matches exactly. `facets` has an entry for every field asked for: its most
    frequent values and those filtered by, count ≥ 1, most frequent first, equal counts by value.
    """

    total: int
    hits: tuple[Hit, ...]
    facets: dict[str, tuple[FacetCount, ...]] = field(default_factory=dict)
