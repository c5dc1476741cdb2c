"""The peer of every search: tantivy alone, in process.

The same query, filters, count, facets (one ignores its own filter) and ids as ours, compiled before
the clock starts, and nothing else: no translation, no order of ties, no relevance, no row.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tantivy import Index, Searcher
from tantivy import Query as Compiled

from market.discovery.documents import SCHEMA
from search.engines.tantivy_indexes import Place
from search.engines.tantivy_query import ID, TOKENIZER, Compiler, tantivy_schema, tokens_analyzer
from search.query import SearchRequest

PAGE = 20
_VALUES = 1_000_000  # of a facet that a segment keeps: with fewer, counts are wrong

Ask = Callable[[], list[int]]


class Native:
    """The live index of a folder as tantivy's own bindings see it. For one thread."""

    def __init__(self, folder: Path) -> None:
        schema = tantivy_schema(SCHEMA)
        self._compiler = Compiler(SCHEMA, schema)
        index = Index(schema, str(Place(folder, SCHEMA.fingerprint).live()))
        index.register_tokenizer(TOKENIZER, tokens_analyzer())
        index.reload()
        self._searcher: Searcher = index.searcher()

    def page(self, request: SearchRequest) -> Ask:
        """Return what brings the ids of a page of PAGE, having counted all that was asked for."""
        query = self._compiler.compile(request.query, request.filters)
        free = [name for name in request.facets if not request.filters.get(name)]
        counts = [(query, _terms(free))] if free else []
        for name in request.facets:
            if name not in free:
                rest = {field: some for field, some in request.filters.items() if field != name}
                counts.append((self._compiler.compile(request.query, rest), _terms([name])))
        return lambda: self._page(query, counts)

    def _page(self, query: Compiled, counts: list[tuple[Compiled, dict[str, Any]]]) -> list[int]:
        found = self._searcher.search(query, limit=PAGE)
        for of, terms in counts:
            self._searcher.aggregate(of, terms)
        return self._ids(found.hits)

    def best(self, request: SearchRequest) -> Ask:
        """Return what brings the ids of the best `request.limit`, nothing counted."""
        query = self._compiler.compile(request.query, request.filters)
        return lambda: self._ids(
            self._searcher.search(query, limit=request.limit, count=False).hits
        )

    def _ids(self, hits: list[tuple[Any, Any]]) -> list[int]:
        ids = self._searcher.fast_field_values(ID, [address for _, address in hits])
        return [int(one or 0) for one in ids]


def _terms(names: list[str]) -> dict[str, Any]:
    return {
        name: {"terms": {"field": name, "size": 100, "segment_size": _VALUES}} for name in names
    }
