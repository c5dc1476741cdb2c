"""A peer: SQLite's full-text search, as far as pages of results ask.

It answers the requests that those make of a typed text, from the same tokens, with the same weights
of fields, filters, count, facets and order. Where ours wants most of many words, it takes any of
them: its language has no other way.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from infra.bench.market import BATCH, Plan
from market.discovery.documents import SCHEMA, document
from market.discovery.relevance import COMPLETE, PUBLISHED
from search.document import Document
from search.errors import QueryRejected
from search.query import Or, Query, SearchRequest, Words
from search.result import FacetCount, Hit, SearchResult
from search.schema import BLANK, Schema

_NUMBERS = (PUBLISHED, COMPLETE)
_FIELDS = tuple(one for one in SCHEMA.token_fields if not one.endswith("_spelled"))
_WEIGHTS = ", ".join(str(SCHEMA.boost(one)) for one in _FIELDS)
_COLUMNS = (*SCHEMA.facets, *_NUMBERS)


def build(path: Path, plan: Plan) -> None:
    """Index the plan's listings in a new file."""
    marks = ", ".join("?" * (1 + len(_COLUMNS)))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute(
            f"CREATE VIRTUAL TABLE docs USING fts5({', '.join(_FIELDS)}, content='', "
            "tokenize=\"unicode61 remove_diacritics 0 tokenchars '_.^'\")"
        )
        connection.execute(f"CREATE TABLE meta(id INTEGER PRIMARY KEY, {', '.join(_COLUMNS)})")
        sources = plan.sources()
        while some := [document(one, 1) for one in islice(sources, BATCH)]:
            connection.executemany(
                f"INSERT INTO docs(rowid, {', '.join(_FIELDS)}) "  # noqa: S608  our own names
                f"VALUES (?, {', '.join('?' * len(_FIELDS))})",
                map(_tokens, some),
            )
            connection.executemany(f"INSERT INTO meta VALUES ({marks})", map(_meta, some))  # noqa: S608
        connection.execute("INSERT INTO docs(docs) VALUES ('optimize')")
        connection.commit()


def _tokens(one: Document) -> tuple[Any, ...]:
    indexed = SCHEMA.indexed(one)
    return (one.id, *("" if indexed[name] == BLANK else indexed[name] for name in _FIELDS))


def _meta(one: Document) -> tuple[Any, ...]:
    """Return one value a facet: listings made up for measurements have no more."""
    values = [one.facets.get(name, ()) for name in SCHEMA.facets]
    assert all(len(some) < 2 for some in values)
    return (
        one.id,
        *(some[0] if some else None for some in values),
        *(one.numbers[name] for name in _NUMBERS),
    )


class Fts5Engine:
    """The part of a SearchEngine that pages of results ask. A connection a thread."""

    schema: Schema = SCHEMA

    def __init__(self, path: Path) -> None:
        self._path = path
        self._threads = threading.local()

    def search(self, request: SearchRequest) -> SearchResult:
        connection = self._connection()
        wanted = _match(request.query)
        connection.execute("DELETE FROM found")
        score = f"bm25(docs, {_WEIGHTS})" if request.limit else "0"
        of_kind = _within({"kind": request.filters.get("kind", frozenset())})
        connection.execute(
            f"INSERT INTO found SELECT meta.*, {score} FROM docs "  # noqa: S608  our own names
            f"JOIN meta ON meta.id = docs.rowid WHERE docs MATCH ?{of_kind}",
            (wanted,),
        )
        inside = f"FROM found WHERE 1 {_within(request.filters)}"
        (total,) = connection.execute(f"SELECT count(*) {inside}").fetchone()
        page = connection.execute(
            f"SELECT id, score, {', '.join(_NUMBERS)} {inside} ORDER BY score, id LIMIT ? OFFSET ?",
            (request.limit, request.offset),
        )
        hits = [Hit(row[0], 1, -row[1], dict(zip(_NUMBERS, row[2:], strict=True))) for row in page]
        facets = {name: tuple(_facet(connection, request, name)) for name in request.facets}
        return SearchResult(total, tuple(hits), facets)

    def close(self) -> None:
        """The threads' connections end with their threads."""

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._threads, "connection", None)
        if found is None:
            found = sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, isolation_level=None)
            found.execute("PRAGMA temp_store=MEMORY")
            found.execute("PRAGMA mmap_size=8589934592")
            columns = ", ".join(_COLUMNS)
            found.execute(f"CREATE TEMP TABLE found(id INTEGER PRIMARY KEY, {columns}, score)")
            self._threads.connection = found
        return found


def _facet(
    connection: sqlite3.Connection, request: SearchRequest, name: str
) -> Iterator[FacetCount]:
    others = {field: some for field, some in request.filters.items() if field != name}
    rows = connection.execute(
        f"SELECT {name}, count(*) AS many FROM found "  # noqa: S608  our own names and values
        f"WHERE {name} IS NOT NULL {_within(others)} GROUP BY 1 ORDER BY many DESC, 1 LIMIT ?",
        (request.facet_size,),
    )
    return (FacetCount(*row) for row in rows)


def _within(filters: Any) -> str:
    """Return the conditions of the filters; their values are made up by measurements."""
    conditions = ""
    for name, values in filters.items():
        if values:
            listed = ", ".join("'" + value.replace("'", "''") + "'" for value in sorted(values))
            conditions += f" AND {name} IN ({listed})"
    return conditions


def _match(query: Query) -> str:
    match query:
        case Words():
            joined = " AND " if query.at_least == len(query.terms) else " OR "
            fields = " ".join(query.fields)
            quoted = ('"' + term.replace('"', '""') + '"' for term in query.terms)
            return joined.join(f"{{{fields}}} : {term}" for term in quoted)
        case Or():
            return " OR ".join(f"({_match(part)})" for part in query.parts)
        case _:
            raise QueryRejected(f"not measured with this peer: {type(query).__name__}")
