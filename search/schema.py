"""Which fields documents have: data, from which each engine makes its own mapping."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from search.analysis import ANALYSIS_VERSION, START, grams, well_formed, word_texts
from search.document import Deletion, Document
from search.errors import DocumentRejected, QueryRejected
from search.query import (
    DEEPEST,
    AnyOf,
    Phrase,
    Prefix,
    Range,
    SearchRequest,
    Weighted,
    Words,
    nodes,
)
from search.spelling import spelled

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
_GRAMS = "_grams"
_SPELLED = "_spelled"
_RESERVED = frozenset({"id", "version", "live"})
_LONGEST_FACET = 1_000

LARGEST = 2**63 - 1
"""No id or version is larger. Numbers lie between it and its negative, so that where a number is
missing there is a value left to sort by.
"""

BLANK = "∅"
"""Indexed where a field has no tokens; no query has it. Lucene counts a field's documents and their
average length over those that have tokens there, tantivy over all: so they are the same.
"""


@dataclass(frozen=True, slots=True)
class TextField:
    """A text field. Its words are indexed with positions.

    `boost` multiplies its part of a score. With `grams`, the folded characters and their pairs are
    indexed as well, in the field `grams_field`, so that exact sequences can be found whatever the
    segmentation; meant for titles and names, because it triples the work of indexing a text.
    With `spelled`, so are the beginnings of its spelling in pinyin, in the field `spelled_field`.
    `called`: what a person may write before a colon to search this field alone.
    """

    name: str
    boost: float = 1.0
    grams: bool = False
    spelled: bool = False
    called: tuple[str, ...] = ()

    @property
    def grams_field(self) -> str:
        return self.name + _GRAMS

    @property
    def spelled_field(self) -> str:
        return self.name + _SPELLED


@dataclass(frozen=True, slots=True)
class Schema:
    """All fields of an index. Raises ValueError for a bad or doubled name."""

    texts: tuple[TextField, ...]
    facets: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [*self.token_fields, *self.facets, *self.numbers]
        for name in names:
            if not _NAME.fullmatch(name) or name in _RESERVED:
                raise ValueError(f"bad field name: {name!r}")
        if len(set(names)) != len(names):
            raise ValueError(f"a field name stands twice: {sorted(names)}")

    @property
    def words_fields(self) -> tuple[str, ...]:
        """Fields that hold words: every text field."""
        return tuple(text.name for text in self.texts)

    @property
    def grams_fields(self) -> tuple[str, ...]:
        """Fields that hold character grams, for the texts that keep them."""
        return tuple(text.grams_field for text in self.texts if text.grams)

    def text(self, name: str) -> TextField:
        """The text field of this name; KeyError for any other."""
        for text in self.texts:
            if text.name == name:
                return text
        raise KeyError(name)

    @property
    def token_fields(self) -> tuple[str, ...]:
        spelled = tuple(text.spelled_field for text in self.texts if text.spelled)
        return self.words_fields + self.grams_fields + spelled

    def boost(self, field: str) -> float:
        """Boost of a token field; KeyError for any other. Spellings have that of their text."""
        for text in self.texts:
            if field in (text.name, text.grams_field, text.spelled_field):
                return text.boost
        raise KeyError(field)

    @property
    def fingerprint(self) -> str:
        """Changes with the fields and the analysis: when an index built before is of no use."""
        fields = (
            [(text.name, text.grams, text.spelled) for text in self.texts],
            self.facets,
            self.numbers,
            ANALYSIS_VERSION,
        )
        return hashlib.sha256(repr(fields).encode()).hexdigest()[:12]

    def tokens(self, document: Document) -> dict[str, list[str]]:
        """Token field → the document's tokens in order: what engines index and `evaluate` reads."""
        tokens: dict[str, list[str]] = {}
        for text in self.texts:
            value = document.texts.get(text.name, "")
            tokens[text.name] = word_texts(value)
            if text.grams:
                found = grams(value)
                tokens[text.grams_field] = [START + found[0], *found] if found else []
            if text.spelled:
                tokens[text.spelled_field] = [*spelled(value)]
        return tokens

    def indexed(self, document: Document) -> dict[str, Any]:
        """Field → value as both engines index it: tokens joined by spaces, BLANK for none; facet
        values once each; numbers.
        """
        tokens = self.tokens(document).items()
        return {
            **{name: " ".join(found) or BLANK for name, found in tokens},
            **{name: list(dict.fromkeys(values)) for name, values in document.facets.items()},
            **document.numbers,
        }

    def check(self, change: Document | Deletion) -> None:
        """Raise DocumentRejected unless the change can be indexed whole."""
        for problem in self._problems(change):
            raise DocumentRejected(change.id, problem)

    def check_request(self, request: SearchRequest) -> None:
        """Raise QueryRejected for an unknown field or a page that cannot be reached."""
        if request.offset < 0 or request.limit < 0:
            raise QueryRejected("a page begins at 0 or later and has no negative length")
        if request.offset + request.limit > DEEPEST:
            raise QueryRejected(f"results are reachable up to the {DEEPEST}th")
        if request.facet_size < 1:
            raise QueryRejected("facets show at least one value")
        for name in (*request.filters, *request.facets):
            self._known(name, self.facets)
        sorted_by = () if request.sort.field is None else (request.sort.field,)
        for name in (*request.numbers, *sorted_by):
            self._known(name, self.numbers)
        for node in nodes(request.query):
            match node:
                case Words() | Weighted():
                    for name in node.fields:
                        self.check_token_field(name)
                case Phrase() | Prefix():
                    self.check_token_field(node.field)
                case AnyOf():
                    self._known(node.field, self.facets)
                case Range():
                    self._known(node.field, self.numbers)
                case _:
                    pass

    def check_token_field(self, name: str) -> None:
        """Raise QueryRejected unless this is a words or grams field."""
        self._known(name, self.token_fields)

    def check_number(self, name: str) -> None:
        """Raise QueryRejected unless this is a number field."""
        self._known(name, self.numbers)

    @staticmethod
    def _known(name: str, names: tuple[str, ...]) -> None:
        if name not in names:
            raise QueryRejected(f"no such field here: {name!r}")

    def _problems(self, change: Document | Deletion) -> Iterator[str]:
        for name, number in (("id", change.id), ("version", change.version)):
            if type(number) is not int or not 0 < number <= LARGEST:
                yield f"{name} is {number!r}, not a positive 64-bit integer"
        if isinstance(change, Document):
            yield from self._field_problems(change)

    def _field_problems(self, document: Document) -> Iterator[str]:
        for kind, given, known in (
            ("text", document.texts, self.words_fields),
            ("facet", document.facets, self.facets),
            ("number", document.numbers, self.numbers),
        ):
            for name in given:
                if name not in known:
                    yield f"{kind} field {name!r} is not in the schema"
        texts: Mapping[str, object] = document.texts
        for name, text in texts.items():
            if not isinstance(text, str):
                yield f"text field {name!r} holds {type(text).__name__}"
        for name, values in document.facets.items():
            if not isinstance(values, tuple) or not all(map(is_facet_value, values)):
                yield f"facet field {name!r} is not a tuple of texts of 1 to {_LONGEST_FACET}"
        for name, number in document.numbers.items():
            if type(number) is not int or not -LARGEST < number < LARGEST:
                yield f"number field {name!r} holds {number!r}, not a 64-bit integer"


def is_facet_value(value: object) -> bool:
    """Whether a facet can hold this value at all; a filter may name any."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_FACET and well_formed(value)
