"""Schema and query tree in Elasticsearch's terms.

Nothing here needs more than the server itself: no plugin, no script, no analyzer of one's own. The
built-in whitespace analyzer splits what `analysis` joined, and cuts a token of more than
LONGEST_TOKEN characters in two: such tokens are shortened here, in documents and queries alike. So
a prefix of more than _KEPT characters goes by its beginning.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from search.document import Deletion, Document
from search.query import (
    DEEPEST,
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
    scores,
)
from search.schema import LARGEST, Schema, is_facet_value

Json = dict[str, Any]

ID = "id"
"""The document's id as a number, to sort by: Elasticsearch keeps its own `_id` as a text and does
not sort by it. The document's version is Elasticsearch's own `_version`.
"""
GONE = "gone"
"""True on tombstones, which have an id, a version and nothing else."""

LONGEST_TOKEN = 255
_KEPT = 100  # characters of a longer token that stay, before a digest of all

NOTHING: Json = {"match_none": {}}
_TOMBSTONE: Json = {"term": {GONE: True}}


def index_body(schema: Schema, shards: int, replicas: int | None) -> Json:
    """Settings and mapping of a new index; without a number of replicas, one where there is a
    second node.

    A field that is not in the mapping is refused, not guessed. Nothing is shown but by an explicit
    refresh, so that readers see a write only when all of it is there.
    """
    copies = {"number_of_replicas": replicas}
    token = {"type": "text", "analyzer": "whitespace"}
    fields: Json = {ID: {"type": "long"}, GONE: {"type": "boolean"}}
    fields |= {name: dict(token) for name in schema.token_fields}
    fields |= {name: {"type": "keyword"} for name in schema.facets}
    fields |= {name: {"type": "long"} for name in schema.numbers}
    return {
        "settings": {
            "number_of_shards": shards,
            **({"auto_expand_replicas": "0-1"} if replicas is None else copies),
            "refresh_interval": "-1",
            "max_result_window": DEEPEST,
            "similarity": {"default": {"type": "BM25", "k1": 1.2, "b": 0.75}},
        },
        "mappings": {"dynamic": "strict", "_source": {"enabled": False}, "properties": fields},
    }


def fields_of(change: Document | Deletion, schema: Schema) -> Json:
    """A document as it is indexed. A deletion leaves a tombstone."""
    if isinstance(change, Deletion):
        return {ID: change.id, GONE: True}
    fields = schema.indexed(change)
    for name in schema.token_fields:
        if len(fields[name]) > LONGEST_TOKEN // 2:  # else no token is too long
            fields[name] = " ".join(map(fitting, fields[name].split(" ")))
    return {ID: change.id, **fields}


def fitting(token: str) -> str:
    """The token, or where it is too long for the whitespace analyzer one that stands for it."""
    if len(token) <= LONGEST_TOKEN // 2 or len(token.encode("utf-16-le")) <= 2 * LONGEST_TOKEN:
        return token
    digest = hashlib.blake2b(token.encode(), digest_size=16).hexdigest()
    return f"{token[:_KEPT]}~{digest}"


class Compiler:
    """Query trees for one index; their fields have been checked against its schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def compile(self, query: Query, filters: Mapping[str, frozenset[str]]) -> Json:
        """The query within its filters. Tombstones match nothing."""
        within = list(self.filters(filters))
        compiled = self._compile(query)
        return {"bool": {"must": [compiled], "filter": within}} if within else compiled

    def filters(self, filters: Mapping[str, frozenset[str]]) -> Iterator[Json]:
        """One part each; an empty set restricts nothing."""
        for field, values in filters.items():
            if values:
                yield self._any_of(field, values)

    def term(self, field: str, term: str) -> Json:
        return {"term": {field: {"value": fitting(term)}}}

    def _compile(self, query: Query) -> Json:  # noqa: C901, PLR0911, PLR0912 - a branch a node
        match query:
            case All():
                return _except([])
            case Words():
                return self._words(query)
            case Weighted():
                return _any(self._in_fields(term, query.fields, by) for term, by in query.terms)
            case Phrase():
                return self._phrase(query)
            case Prefix():
                return _unscored({"prefix": {query.field: {"value": query.prefix[:_KEPT]}}})
            case AnyOf():
                return _unscored(self._any_of(query.field, query.values))
            case Range():
                return _unscored(_range(query))
            case Ids():
                return _ids(query)
            case And():
                return self._and(query)
            case Or():
                return _any(self._compile(part) for part in query.parts)
            case AtLeast():
                return _at_least(query.number, [self._compile(part) for part in query.parts])
            case Scaled():
                return {"bool": {"must": [self._compile(query.part)], "boost": query.factor}}
            case Not():
                return _except([self._compile(query.part)])

    def _and(self, query: And) -> Json:
        negative = [self._compile(part.part) for part in query.parts if isinstance(part, Not)]
        positive = [part for part in query.parts if not isinstance(part, Not | All)]
        if not positive:
            return _except(negative)
        return _bool(
            must=[self._compile(part) for part in positive if scores(part)],
            filter=[self._compile(part) for part in positive if not scores(part)],
            must_not=negative,
        )

    def _words(self, query: Words) -> Json:
        parts = [self._in_fields(term, query.fields, 1.0) for term in query.terms]
        return _at_least(query.at_least, parts)

    def _in_fields(self, term: str, fields: tuple[str, ...], weight: float) -> Json:
        return _any(self._scored(field, term, weight) for field in fields)

    def _scored(self, field: str, term: str, weight: float = 1.0) -> Json:
        boost = self._schema.boost(field) * weight
        return {"term": {field: {"value": fitting(term), "boost": boost}}}

    def _phrase(self, query: Phrase) -> Json:
        if not query.terms:
            return NOTHING
        if len(query.terms) == 1:
            return self._scored(query.field, query.terms[0])
        text, boost = " ".join(map(fitting, query.terms)), self._schema.boost(query.field)
        return {
            "bool": {
                "must": [{"match_phrase": {query.field: {"query": text, "boost": boost}}}],
                "should": [_counted(query.field)],
            }
        }

    @staticmethod
    def _any_of(field: str, values: frozenset[str]) -> Json:
        known = sorted(filter(is_facet_value, values))
        return {"terms": {field: known}} if known else NOTHING


def _counted(field: str) -> Json:
    """Match nothing, and have every shard report how many documents have the field.

    A shard that knows none of a phrase's terms is otherwise left out of the count by which the
    phrase is scored, and the same listing scores differently with another number of shards.
    """
    return {"term": {field: ""}}


def _range(query: Range) -> Json:
    """Bounds beyond 64 bits are those that no number reaches."""
    if query.low is None and query.high is None:
        return {"exists": {"field": query.field}}
    bounds = {}
    if query.low is not None:
        bounds["gte"] = min(max(query.low, -LARGEST), LARGEST)
    if query.high is not None:
        bounds["lte"] = min(max(query.high, -LARGEST), LARGEST)
    return {"range": {query.field: bounds}}


def _ids(query: Ids) -> Json:
    known = sorted(value for value in query.values if 0 < value <= LARGEST)
    if not known:
        return NOTHING
    return _bool(filter=[{"ids": {"values": list(map(str, known))}}], must_not=[_TOMBSTONE])


def _except(parts: list[Json]) -> Json:
    return _bool(filter=[{"match_all": {}}], must_not=[_TOMBSTONE, *parts])


def _at_least(number: int, parts: list[Json]) -> Json:
    if number > len(parts):
        return NOTHING
    if number == len(parts):
        return _bool(must=parts)
    return _bool(should=parts, minimum_should_match=number)


def _any(parts: Iterable[Json]) -> Json:
    alternatives = list(parts)
    if len(alternatives) < 2:
        return alternatives[0] if alternatives else NOTHING
    return _bool(should=alternatives, minimum_should_match=1)


def _bool(**clauses: Any) -> Json:
    return {"bool": {name: clause for name, clause in clauses.items() if clause}}


def _unscored(query: Json) -> Json:
    return {"constant_score": {"filter": query, "boost": 0}}
