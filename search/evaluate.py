"""One document against a query tree, without an engine: for saved searches, and to check the
engines.
"""

from collections.abc import Mapping
from types import MappingProxyType

from search.document import Document
from search.query import (
    All,
    And,
    AnyOf,
    AtLeast,
    Ids,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Range,
    Scaled,
    Weighted,
    Words,
)
from search.schema import Schema

NO_FILTERS: Mapping[str, frozenset[str]] = MappingProxyType({})


class Reading:
    """A document, analysed once and held against any number of queries."""

    def __init__(self, document: Document, schema: Schema) -> None:
        self._document = document
        self._tokens = schema.tokens(document)
        self._sets = {field: frozenset(tokens) for field, tokens in self._tokens.items()}

    def matches(self, query: Query, filters: Mapping[str, frozenset[str]] = NO_FILTERS) -> bool:
        """Whether an engine would find the document by this query within these filters."""
        return self._matches(query) and all(
            self._any_of(field, values) for field, values in filters.items() if values
        )

    def _matches(self, query: Query) -> bool:  # noqa: C901, PLR0911, PLR0912 - a branch a node
        match query:
            case All():
                return True
            case Words():
                return sum(self._in_any(term, query.fields) for term in query.terms) >= (
                    query.at_least
                )
            case Weighted():
                return any(self._in_any(term, query.fields) for term, _ in query.terms)
            case Phrase():
                return self._phrase(query)
            case Prefix():
                return any(term.startswith(query.prefix) for term in self._sets[query.field])
            case AnyOf():
                return self._any_of(query.field, query.values)
            case Range():
                return self._range(query)
            case Ids():
                return self._document.id in query.values
            case And():
                return all(map(self._matches, query.parts))
            case Or():
                return any(map(self._matches, query.parts))
            case AtLeast():
                return sum(map(self._matches, query.parts)) >= query.number
            case Scaled():
                return self._matches(query.part)
            case Not():
                return not self._matches(query.part)

    def _in_any(self, term: str, fields: tuple[str, ...]) -> bool:
        return any(term in self._sets[field] for field in fields)

    def _any_of(self, field: str, values: frozenset[str]) -> bool:
        return not values.isdisjoint(self._document.facets.get(field, ()))

    def _phrase(self, query: Phrase) -> bool:
        tokens, size = self._tokens[query.field], len(query.terms)
        return size > 0 and any(
            tuple(tokens[start : start + size]) == query.terms
            for start in range(len(tokens) - size + 1)
        )

    def _range(self, query: Range) -> bool:
        number = self._document.numbers.get(query.field)
        return (
            number is not None
            and (query.low is None or number >= query.low)
            and (query.high is None or number <= query.high)
        )
