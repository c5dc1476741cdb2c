"""One request answered from one searcher: page, total and facet counts of the same state of the
index.

tantivy breaks ties by where a document happens to lie. Ours stand by id, so that pages neither
repeat nor skip a document when segments merge between two calls.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from tantivy import DocAddress, Order, Searcher
from tantivy import Query as Compiled

from search.analysis import well_formed
from search.engines.tantivy_query import ID, VERSION, Compiler, total
from search.query import SearchRequest, scores
from search.result import FacetCount, Hit, SearchResult

_SLACK = 32  # hits read past the page to see where the last one's ties end
_MOST_VALUES = 1_000_000
"""Above the number of values of any facet: with fewer kept in each segment, counts go wrong
silently.
"""


_ALL = "all documents"  # no field's name
Counts = dict[str, tuple[FacetCount, ...]]


class _Found(NamedTuple):
    address: DocAddress
    id: int
    score: float


class Page:
    def __init__(self, searcher: Searcher, compiler: Compiler, request: SearchRequest) -> None:
        self._searcher = searcher
        self._compiler = compiler
        self._request = request
        self._query = compiler.compile(request.query, request.filters)
        self._end = request.offset + request.limit

    def result(self) -> SearchResult:
        request = self._request
        page: list[_Found]
        if request.limit == 0:
            # tantivy panics at limit 0. Counting by an aggregation scores nothing.
            return SearchResult(*self._counted())
        if request.sort.field is not None:
            count, page = self._by_number(request.sort.field, descending=request.sort.descending)
        elif scores(request.query):
            count, page = self._by_score()
        else:
            count, page = self._by_id()
        return SearchResult(count, self._hits(page), self._facets())

    def _hits(self, page: list[_Found]) -> tuple[Hit, ...]:
        addresses = [found.address for found in page]
        names = self._request.numbers
        columns = [self._searcher.fast_field_values(name, addresses) for name in (VERSION, *names)]
        return tuple(
            Hit(
                found.id,
                int(version or 0),
                found.score,
                {
                    name: int(value)
                    for name, value in zip(names, numbers, strict=True)
                    if value is not None
                },
            )
            for found, version, *numbers in zip(page, *columns, strict=True)
        )

    def _by_id(self) -> tuple[int, list[_Found]]:
        result = self._searcher.search(
            self._query,
            limit=self._request.limit,
            offset=self._request.offset,
            order_by_field=ID,
            order=Order.Asc,
        )
        return total(result), [_Found(address, key, 0.0) for key, address in result.hits]

    def _by_score(self) -> tuple[int, list[_Found]]:
        """Reads on until the page's last hit is followed by a lower score."""
        size = self._end + _SLACK
        result = self._searcher.search(self._query, limit=size)
        hits = result.hits
        while len(hits) == size and hits[-1][0] == hits[self._end - 1][0]:
            size *= 4
            hits = self._searcher.search(self._query, limit=size, count=False).hits
        if len(hits) > self._end:
            last = hits[self._end - 1][0]
            hits = [hit for hit in hits if hit[0] >= last]
        found = self._with_ids([(score, address) for score, address in hits])
        found.sort(key=lambda one: (-one.score, one.id))
        return total(result), found[self._request.offset : self._end]

    def _by_number(self, field: str, *, descending: bool) -> tuple[int, list[_Found]]:
        """Documents of the page's last value are read again by id, as there may be any number."""
        order = Order.Desc if descending else Order.Asc
        result = self._searcher.search(
            self._query, limit=self._end, order_by_field=field, order=order
        )
        hits: list[tuple[int | None, DocAddress]] = result.hits
        tied: list[_Found] = []
        if total(result) > len(hits):
            last = hits[-1][0]
            rest = self._compiler.with_value(self._query, field, last)
            hits = [hit for hit in hits if hit[0] != last]
            ties = self._searcher.search(
                rest, limit=self._end - len(hits), count=False, order_by_field=ID, order=Order.Asc
            )
            tied = [_Found(address, key, 0.0) for key, address in ties.hits]
        sign = -1 if descending else 1
        found = self._with_ids([(0.0, address) for _, address in hits])
        ranks = [(value is None, sign * (value or 0)) for value, _ in hits]
        before = [one for _, one in sorted(zip(ranks, found, strict=True), key=_rank_and_id)]
        return total(result), (before + tied)[self._request.offset :]

    def _with_ids(self, hits: list[tuple[float, DocAddress]]) -> list[_Found]:
        ids = self._searcher.fast_field_values(ID, [address for _, address in hits])
        return [
            _Found(address, int(key or 0), score)
            for (score, address), key in zip(hits, ids, strict=True)
        ]

    def _facets(self) -> Counts:
        """One pass counts every facet without a filter of its own, one more each of the others."""
        free = self._free()
        return self._ordered(self._count(self._query, dict.fromkeys(free, ())) if free else {})

    def _counted(self) -> tuple[int, tuple[Hit, ...], Counts]:
        """The same with the total, and no hits."""
        every = {_ALL: {"value_count": {"field": ID}}}
        free = dict.fromkeys(self._free(), ())
        answer = self._searcher.aggregate(self._query, {**every, **self._wanted(free)})
        return round(answer[_ALL]["value"]), (), self._ordered(self._read(answer, free))

    def _free(self) -> list[str]:
        return [name for name in self._request.facets if not self._request.filters.get(name)]

    def _ordered(self, counts: Counts) -> Counts:
        """The counts given, and those of the other facets, in the order they were asked for."""
        filters = self._request.filters
        for name in self._request.facets:
            if name not in counts:
                others = {field: values for field, values in filters.items() if field != name}
                query = self._compiler.compile(self._request.query, others)
                counts |= self._count(query, {name: tuple(filter(well_formed, filters[name]))})
        return {name: counts[name] for name in self._request.facets}

    def _count(self, query: Compiled, fields: Mapping[str, tuple[str, ...]]) -> Counts:
        """Per field its most frequent values and the ones named, with counts."""
        return self._read(self._searcher.aggregate(query, self._wanted(fields)), fields)

    def _wanted(self, fields: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        for name, values in fields.items():
            terms = {"field": name, "size": self._request.facet_size, "segment_size": _MOST_VALUES}
            wanted[name] = {"terms": terms}
            if values:
                wanted[_chosen(name)] = {"terms": {**terms, "size": len(values), "include": values}}
        return wanted

    @staticmethod
    def _read(answer: Mapping[str, Any], fields: Mapping[str, tuple[str, ...]]) -> Counts:
        counts = {}
        for name in fields:
            rows = answer[name]["buckets"] + answer.get(_chosen(name), {}).get("buckets", [])
            number = {row["key"]: row["doc_count"] for row in rows}
            counts[name] = tuple(
                FacetCount(value, count)
                for value, count in sorted(number.items(), key=lambda item: (-item[1], item[0]))
            )
        return counts


def _chosen(name: str) -> str:
    return f"{name} chosen"


def _rank_and_id(item: tuple[tuple[bool, int], _Found]) -> tuple[tuple[bool, int], int]:
    return item[0], item[1].id
