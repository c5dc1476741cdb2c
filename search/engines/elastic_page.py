"""One request as one search of Elasticsearch: page, total and facet counts of one state of each
shard.
"""

import json
import zlib
from typing import Any

from search.engines.elastic_query import ID, Compiler, Json
from search.query import SearchRequest, scores
from search.result import FacetCount, Hit, SearchResult
from search.schema import is_facet_value

_MOST_VALUES = 65_536
"""Above the number of values of any facet: each shard tells all of its own, so that their sums are
exact.
"""


class Page:
    """What is asked of Elasticsearch for a request, and its answer as a result."""

    def __init__(self, compiler: Compiler, request: SearchRequest) -> None:
        self._compiler = compiler
        self._request = request
        chosen = {name: values for name, values in request.filters.items() if values}
        # Filters on facets that are counted come after: those facets' own counts ignore them.
        self._later = {name: chosen[name] for name in request.facets if name in chosen}
        self._now = {name: values for name, values in chosen.items() if name not in self._later}
        self.body = self._body()

    def _body(self) -> Json:
        request = self._request
        body: Json = {
            "query": self._compiler.compile(request.query, self._now),
            "from": request.offset,
            "size": request.limit,
            "sort": self._sort(),
            "track_total_hits": True,
            "version": True,
        }
        if request.numbers:
            body["docvalue_fields"] = [{"field": name} for name in request.numbers]
        if self._later:
            body["post_filter"] = self._within(self._later)
        if request.facets:
            body["aggs"] = self._aggregations()
        return body

    def preference(self) -> str:
        """The same for all pages of a search: they are read from the same copies of the shards,
        whose statistics may differ, so that pages neither repeat nor skip a document.
        """
        told = json.dumps([self.body["query"], self.body.get("post_filter")])
        return f"page{zlib.crc32(told.encode())}"

    def result(self, answer: Json) -> SearchResult:
        found = answer["hits"]
        hits = tuple(
            Hit(int(hit["_id"]), hit["_version"], hit.get("_score") or 0.0, _numbers(hit))
            for hit in found["hits"]
        )
        return SearchResult(found["total"]["value"], hits, self._facets(answer))

    def _sort(self) -> list[Json]:
        field, by_id = self._request.sort.field, {ID: "asc"}
        if field is not None:
            order = "desc" if self._request.sort.descending else "asc"
            return [{field: {"order": order, "missing": "_last"}}, by_id]
        return [{"_score": "desc"}, by_id] if scores(self._request.query) else [by_id]

    def _within(self, filters: dict[str, frozenset[str]]) -> Json:
        return {"bool": {"filter": list(self._compiler.filters(filters))}}

    def _aggregations(self) -> Json:
        """A group of counts for each set of filters: one for the facets without a filter of their
        own, one each for the others.
        """
        groups: Json = {}
        for name in self._request.facets:
            others = {field: values for field, values in self._later.items() if field != name}
            within = self._within(others) if others else {"match_all": {}}
            group = groups.setdefault(self._group(name), {"filter": within, "aggs": {}})
            group["aggs"] |= self._counts(name)
        return groups

    def _group(self, name: str) -> str:
        return f"but {name}" if name in self._later else "all"

    def _counts(self, name: str) -> Json:
        size = self._request.facet_size
        counts: Json = {name: {"terms": _terms(name, size)}}
        if known := sorted(filter(is_facet_value, self._later.get(name, ()))):
            counts[_chosen(name)] = {"terms": {**_terms(name, len(known)), "include": known}}
        return counts

    def _facets(self, answer: Json) -> dict[str, tuple[FacetCount, ...]]:
        facets = {}
        for name in self._request.facets:
            group = answer["aggregations"][self._group(name)]
            rows: list[Any] = [*group[name]["buckets"]]
            rows += group.get(_chosen(name), {}).get("buckets", [])
            number = {row["key"]: row["doc_count"] for row in rows}
            facets[name] = tuple(
                FacetCount(value, count)
                for value, count in sorted(number.items(), key=lambda item: (-item[1], item[0]))
            )
        return facets


def _numbers(hit: Json) -> dict[str, int]:
    return {name: values[0] for name, values in hit.get("fields", {}).items()}


def _terms(name: str, size: int) -> Json:
    return {"field": name, "size": size, "shard_size": max(size, _MOST_VALUES)}


def _chosen(name: str) -> str:
    return f"{name} chosen"
