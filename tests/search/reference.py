"""What an engine must answer: the same documents, searched by reading them all."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from search.document import Deletion, Document
from search.evaluate import Reading
from search.port import SearchEngine
from search.query import Query, SearchRequest
from search.result import FacetCount, SearchResult
from tests.search.generate import SCHEMA


class Reference:
    """The documents of an index, searched by reading them all."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = {document.id: document for document in documents}
        self._readings = {key: Reading(one, SCHEMA) for key, one in self.documents.items()}

    def ids(self, request: SearchRequest, *, but: str | None = None) -> set[int]:
        filters = {name: values for name, values in request.filters.items() if name != but}
        return {
            key
            for key, reading in self._readings.items()
            if reading.matches(request.query, filters)
        }

    def facet(self, request: SearchRequest, field: str) -> tuple[FacetCount, ...]:
        counts = Counter(
            value
            for key in self.ids(request, but=field)
            for value in dict.fromkeys(self.documents[key].facets.get(field, ()))
        )
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return tuple(FacetCount(value, count) for value, count in ordered)

    def sorted_ids(self, request: SearchRequest) -> list[int]:
        """By number; only for such an order."""
        field, sign = request.sort.field, -1 if request.sort.descending else 1
        assert field is not None

        def rank(key: int) -> tuple[bool, int, int]:
            number = self.documents[key].numbers.get(field)
            return number is None, sign * (number or 0), key

        return sorted(self.ids(request), key=rank)


def pages(engine: SearchEngine, request: SearchRequest) -> list[SearchResult]:
    """All pages of a request, one after the other."""
    found: list[SearchResult] = []
    while not found or request.offset + len(found) * request.limit < found[0].total:
        offset = len(found) * request.limit
        found.append(engine.search(replace(request, offset=offset)))
    return found


def ids(engine: SearchEngine, query: Query) -> list[int]:
    return [hit.id for hit in engine.search(SearchRequest(query, limit=1000)).hits]


def live(engine: SearchEngine, corpus: list[Document]) -> None:
    """Write the corpus as version 5, with the life an index leads: several commits, replacements,
    deletions.
    """
    stale = [replace(one, version=1, texts={"title": "旧的标题 石墨烯"}) for one in corpus[:150]]
    engine.write(stale)
    engine.write(
        [
            Document(10**9 + k, 1, {"title": "将被删除的电池"}, {"kind": ("成果",)})
            for k in range(30)
        ]
    )
    for start in range(0, len(corpus), 90):
        engine.write([replace(one, version=5) for one in corpus[start : start + 90]])
    engine.write([], [Deletion(10**9 + k, 2) for k in range(30)])
