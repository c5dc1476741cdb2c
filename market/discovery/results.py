"""What a search is asked for and what it shows, whoever answers it: the engine or the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from market.access.service import Seen
from market.catalog.vocabulary import ListingKind
from market.discovery import labels
from market.discovery.documents import body
from market.discovery.schemas import Sort
from search.analysis import PARTICLES, plain_words
from search.highlight import Segment, highlight, snippet, spans
from search.query import All, Query

PAGE: Final = 20
NEAREST: Final = 6

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
    """`count` is None where nobody counted."""

    value: str
    label: str
    count: int | None
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

    @property
    def marked(self) -> bool:
        return any(segment.marked for segment in (*self.title, *self.text))


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
    Where that is nothing either, the page shows what has only some of the words: of those `asked`
    for it has `kept`, without `left_out`, as they were typed. Where that is little, or nothing has
    enough of them, `nearest` comes closest.

    `degraded`: the database answered, from titles, keywords and names of organisations. There are
    no counts then but `total`, and with `incomplete` that counts only what was seen in the time.
    """

    params: SearchParams
    sort: Sort
    total: int
    pages: int
    rows: tuple[Found, ...]
    facets: tuple[Facet, ...]
    kinds: Mapping[ListingKind, int]
    relaxed: tuple[Relaxed, ...]
    asked: tuple[str, ...]
    kept: tuple[str, ...]
    left_out: tuple[str, ...]
    nearest: tuple[Found, ...]
    shortened: bool
    degraded: bool = False
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Similar:
    """A listing like another, and words that both have."""

    seen: Seen
    shared: tuple[str, ...]


def sort_of(params: SearchParams, query: Query) -> Sort:
    if params.sort not in SORTS[params.kind] or params.sort is Sort.RELEVANCE:
        # Where nothing was typed, nothing is more relevant than another.
        return Sort.NEWEST if isinstance(query, All) else Sort.RELEVANCE
    return params.sort


def telling(text: str) -> list[str]:
    """Return the words of a text that say something by themselves."""
    words = (word.text for word in plain_words(text))
    return [word for word in words if len(word) > 1 and word not in PARTICLES]


def found_of(seen: Seen, in_title: Sequence[str], in_body: Sequence[str]) -> Found:
    """Return a result with its title and a piece of its text, the terms of each marked."""
    text = seen.shown.text
    shown, places = text.summary, spans(text.summary, in_body)
    if not shown or (in_body and not places):
        shown = body(text)
        places = spans(shown, in_body)
    title = tuple(highlight(text.title, in_title))
    return Found(seen, title, tuple(snippet(shown, in_body, found=places)))
