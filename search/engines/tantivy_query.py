"""Schema and query tree in tantivy's terms.

Learned the hard way about tantivy-py 0.27, and held by the contract suite: ids must be *integer*
fields (deleting by an unsigned one deletes nothing and says nothing); a purely negative query finds
nothing; a phrase of one term panics; nothing a person typed may reach `parse_query`, which raises
on it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tantivy import (
    FieldType,
    Occur,
    SchemaBuilder,
    TextAnalyzer,
    TextAnalyzerBuilder,
    Tokenizer,
)
from tantivy import Query as Compiled
from tantivy import Schema as TantivySchema

from search.analysis import well_formed
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
from search.schema import LARGEST, Schema

ID = "id"
VERSION = "version"
GONE = "gone"
"""Set on tombstones, which have an id, a version and nothing else."""

TOKENIZER = "tokens"
_NOT_PLAIN = re.compile(r"([^\w])")


def tokens_analyzer() -> TextAnalyzer:
    """Splits what `analysis` joined; to be registered as TOKENIZER on every opening of an index."""
    return TextAnalyzerBuilder(Tokenizer.whitespace()).build()


def tantivy_schema(schema: Schema) -> TantivySchema:
    builder = SchemaBuilder()
    for name in (ID, VERSION, GONE, *schema.numbers):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in schema.token_fields:
        builder.add_text_field(name, tokenizer_name=TOKENIZER, index_option="position")
    for name in schema.facets:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    return builder.build()


def total(result: Any) -> int:
    """How many documents match in all: an attribute that tantivy's stubs leave out."""
    count: int = result.count
    return count


class Compiler:
    """Query trees for one index; their fields have been checked against its schema."""

    def __init__(self, schema: Schema, native: TantivySchema) -> None:
        self._schema = schema
        self._native = native

    def compile(self, query: Query, filters: Mapping[str, frozenset[str]]) -> Compiled:
        """The query within its filters. Tombstones match nothing."""
        parts = [self._any_of(field, values) for field, values in filters.items() if values]
        if not parts:
            return self._compile(query)
        return Compiled.boolean_query(
            [(Occur.Must, self._compile(query)), *((Occur.Must, part) for part in parts)]
        )

    def with_value(self, query: Compiled, field: str, value: int | None) -> Compiled:
        """Those of the query's documents whose number is `value`, None being no number."""
        if value is None:
            part = (Occur.MustNot, Compiled.exists_query(field))
        else:
            part = (Occur.Must, self._range(Range(field, value, value)))
        return Compiled.boolean_query([(Occur.Must, query), part])

    def stored(self, ids: Iterable[int]) -> Compiled:
        """Documents and tombstones with these ids."""
        return Compiled.term_set_query(self._native, ID, list(ids))

    def after(self, last: int) -> Compiled:
        """Documents with a larger id."""
        above = Compiled.range_query(self._native, ID, FieldType.Integer, last, include_lower=False)
        return Compiled.boolean_query(
            [(Occur.Must, above), (Occur.MustNot, Compiled.term_query(self._native, GONE, 1))]
        )

    def _compile(self, query: Query) -> Compiled:  # noqa: C901, PLR0911, PLR0912 - a branch a node
        match query:
            case All():
                return self._except([])
            case Words():
                return self._words(query)
            case Weighted():
                return self._weighted(query)
            case Phrase():
                return self._phrase(query)
            case Prefix():
                return self._prefix(query)
            case AnyOf():
                return self._any_of(query.field, query.values)
            case Range():
                return self._range(query)
            case Ids():
                return self._ids(query)
            case And():
                return self._and(query)
            case Or():
                return _any([self._compile(part) for part in query.parts])
            case AtLeast():
                return Compiled.boolean_query(
                    [(Occur.Should, self._compile(part)) for part in query.parts],
                    minimum_number_should_match=query.number,
                )
            case Scaled():
                return Compiled.boost_query(self._compile(query.part), query.factor)
            case Not():
                return self._except([query.part])

    def _except(self, parts: list[Query]) -> Compiled:
        tombstones = Compiled.term_query(self._native, GONE, 1)
        return Compiled.boolean_query(
            [
                (Occur.Must, Compiled.const_score_query(Compiled.all_query(), 0.0)),
                (Occur.MustNot, tombstones),
                *((Occur.MustNot, self._compile(part)) for part in parts),
            ]
        )

    def _and(self, query: And) -> Compiled:
        negative = [part.part for part in query.parts if isinstance(part, Not)]
        positive = [part for part in query.parts if not isinstance(part, Not | All)]
        if not positive:
            return self._except(negative)
        return Compiled.boolean_query(
            [(Occur.Must, self._compile(part)) for part in positive]
            + [(Occur.MustNot, self._compile(part)) for part in negative]
        )

    def _words(self, query: Words) -> Compiled:
        parts = [self._in_fields(term, query.fields, 1.0) for term in query.terms]
        if query.at_least == len(parts):
            return Compiled.boolean_query([(Occur.Must, part) for part in parts])
        return Compiled.boolean_query(
            [(Occur.Should, part) for part in parts],
            minimum_number_should_match=query.at_least,
        )

    def _weighted(self, query: Weighted) -> Compiled:
        return _any([self._in_fields(term, query.fields, weight) for term, weight in query.terms])

    def _in_fields(self, term: str, fields: tuple[str, ...], weight: float) -> Compiled:
        return _any([self._boosted(self._term(field, term), field, weight) for field in fields])

    def _term(self, field: str, term: str) -> Compiled:
        return Compiled.term_query(self._native, field, term, index_option="freq")

    def _boosted(self, query: Compiled, field: str, weight: float = 1.0) -> Compiled:
        boost = self._schema.boost(field) * weight
        return query if boost == 1.0 else Compiled.boost_query(query, boost)

    def _phrase(self, query: Phrase) -> Compiled:
        if not query.terms:
            return Compiled.empty_query()
        if len(query.terms) == 1:
            return self._boosted(self._term(query.field, query.terms[0]), query.field)
        phrase = Compiled.phrase_query(self._native, query.field, list(query.terms))
        return self._boosted(phrase, query.field)

    def _prefix(self, query: Prefix) -> Compiled:
        pattern = _NOT_PLAIN.sub(r"\\\1", query.prefix) + ".*"
        return _unscored(Compiled.regex_query(self._native, query.field, pattern))

    def _any_of(self, field: str, values: frozenset[str]) -> Compiled:
        known = [value for value in sorted(values) if well_formed(value)]
        if len(known) == 1:
            return _unscored(Compiled.term_query(self._native, field, known[0], "basic"))
        return _unscored(Compiled.term_set_query(self._native, field, known))

    def _range(self, query: Range) -> Compiled:
        low = None if query.low is None else max(query.low, -LARGEST)
        high = None if query.high is None else min(query.high, LARGEST)
        if low is None and high is None:
            return _unscored(Compiled.exists_query(query.field))
        if (low is not None and low > LARGEST) or (high is not None and high < -LARGEST):
            return Compiled.empty_query()
        return _unscored(
            Compiled.range_query(self._native, query.field, FieldType.Integer, low, high)
        )

    def _ids(self, query: Ids) -> Compiled:
        ids = [value for value in query.values if 0 < value <= LARGEST]
        return Compiled.boolean_query(
            [
                (Occur.Must, _unscored(self.stored(ids))),
                (Occur.MustNot, Compiled.term_query(self._native, GONE, 1)),
            ]
        )


def _any(parts: list[Compiled]) -> Compiled:
    if len(parts) == 1:
        return parts[0]
    return Compiled.boolean_query([(Occur.Should, part) for part in parts])


def _unscored(query: Compiled) -> Compiled:
    return Compiled.const_score_query(query, 0.0)
