"""The engine for many machines: an index of an Elasticsearch cluster, read and written by the
official client.

Writes are bulk requests with the document's own version (`external_gte`): an older one is refused
with 409, which is what it should be, so that they may be repeated and come in any order. Rankings
differ from a freshly built index by the statistics of documents replaced since, until Elasticsearch
merges them away; matches, counts and facets never do.
"""

import contextlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from elasticsearch import (
    ApiError,
    BadRequestError,
    Elasticsearch,
    NotFoundError,
    TransportError,
)

from search.document import Deletion, Document, newest
from search.engines.elastic_page import Page
from search.engines.elastic_query import ID, Compiler, Json, fields_of, index_body
from search.errors import DocumentRejected, QueryRejected, SearchError, SearchUnavailable
from search.port import Capabilities
from search.query import All, Ids, Query, SearchRequest
from search.result import SearchResult
from search.schema import Schema

_AT_ONCE = 10_000  # documents read in one request: no more are answered
_TERMS_AT_ONCE = 1_000
_BYTES_AT_ONCE = 5 * 2**20  # of one bulk request
_STATE_KEPT = "2m"  # between two pages of a scan

_CONFLICT, _BAD_REQUEST = 409, 400
_OTHER_FIELDS = "strict_dynamic_mapping_exception"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds until a call gives up: `ask` for what a person waits for, `read` for a large page of
    versions, `write` for a bulk request and its refresh.
    """

    ask: float = 1.0
    read: float = 10.0
    write: float = 15.0


PATIENCE = Patience()


class ElasticEngine:
    """SearchEngine over a cluster.

    An index belongs to one schema and one analysis. It stands behind the alias `prefix-fingerprint`
    and is itself called `prefix-fingerprint-1`, `-2`, … : after a change of the schema an empty one
    begins beside the old, to be filled anew. Tombstones stay as long as the index does.
    """

    def __init__(
        self,
        client: Elasticsearch,
        schema: Schema,
        *,
        prefix: str,
        read_only: bool,
        alias: str | None = None,
        shards: int = 1,
        replicas: int | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        """The client belongs to the engine, which closes it. Opening for writing makes the index
        where there is none. A reader may open before there is an index: until there is one, its
        calls raise SearchUnavailable. `alias`: of an index that is not the live one.
        """
        self._client = client
        self._asking = client.options(request_timeout=patience.ask)
        self._reading = client.options(request_timeout=patience.read)
        self._writing = client.options(request_timeout=patience.write)
        self._ask_limit = f"{round(patience.ask * 1000)}ms"
        self._schema = schema
        self._compiler = Compiler(schema)
        self._name = live_alias(prefix, schema)
        self._alias = alias or self._name
        self._read_only = read_only
        self._closed = False
        if not read_only:
            with self._calling():
                self._make(shards, replicas)

    @property
    def schema(self) -> Schema:
        return self._schema

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(atomic_writes=False, single_writer=False)

    def search(self, request: SearchRequest) -> SearchResult:
        self._schema.check_request(request)
        try:
            return self._page(request)
        except QueryRejected:
            # The request is at fault only where the index takes another one.
            self._page(self._plainest(), SearchUnavailable)
            raise

    def _plainest(self) -> SearchRequest:
        """Ask for all that an index of this schema has, of any one document."""
        return SearchRequest(facets=self._schema.facets, numbers=self._schema.numbers, limit=1)

    def _page(
        self, request: SearchRequest, refused: type[SearchError] = QueryRejected
    ) -> SearchResult:
        page = Page(self._compiler, request)
        with self._calling(refused):
            answer = self._asking.search(
                index=self._alias,
                body={**page.body, "_source": False, "timeout": self._ask_limit},
                search_type="dfs_query_then_fetch",
                preference=page.preference(),
                allow_partial_search_results=False,
            ).body
            if answer["timed_out"]:
                raise SearchUnavailable("Elasticsearch did not answer in time")
            return page.result(answer)

    def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None:
        changes: list[Document | Deletion] = [*upserts, *deletions]
        for change in changes:
            self._schema.check(change)
        with self._calling():
            if self._read_only:
                raise SearchUnavailable("this index is not open for writing")
            # All is analysed before anything is sent.
            actions = [self._action(change) for change in newest(changes).values()]
            if actions:
                self._ask_whether_there()
            for some in _requests(actions):
                self._send(some)
            if actions:
                _whole(self._writing.indices.refresh(index=self._alias).body)

    def versions(self, ids: Collection[int]) -> dict[int, int]:
        with self._calling():
            return {int(hit["_id"]): hit["_version"] for hit in self._stored(ids, version=True)}

    def numbers(self, field: str, ids: Collection[int]) -> dict[int, int]:
        self._schema.check_number(field)
        with self._calling():
            return {
                int(hit["_id"]): hit["fields"][field][0]
                for hit in self._stored(ids, docvalue_fields=[field])
                if "fields" in hit
            }

    def count(self) -> int:
        with self._calling():
            query = self._compiler.compile(All(), {})
            answer = _whole(self._asking.count(index=self._alias, query=query).body)
            return int(answer["count"])

    def scan(self) -> Iterator[tuple[int, int]]:
        with self._calling():
            state = self._reading.open_point_in_time(index=self._alias, keep_alive=_STATE_KEPT)
            pit = state["id"]
        try:
            last: list[Any] | None = None
            while True:
                with self._calling():
                    answer = _whole(self._reading.search(body=self._scan_body(pit, last)).body)
                pit, hits = answer["pit_id"], answer["hits"]["hits"]
                for hit in hits:
                    yield int(hit["_id"]), hit["_version"]
                if len(hits) < _AT_ONCE:
                    return
                last = hits[-1]["sort"]
        finally:
            with contextlib.suppress(ApiError, TransportError):  # it ends by itself as well
                self._reading.close_point_in_time(id=pit)

    def frequencies(self, field: str, terms: Collection[str]) -> Mapping[str, int]:
        self._schema.check_token_field(field)
        found: dict[str, int] = {}
        with self._calling():
            for some in _batches(terms, _TERMS_AT_ONCE):
                filters = [self._compiler.term(field, term) for term in some]
                body = {
                    "size": 0,
                    "track_total_hits": False,
                    "aggs": {"terms": {"filters": {"filters": filters}}},
                }
                answer = self._search(self._asking, body)
                counts = answer["aggregations"]["terms"]["buckets"]
                found.update(zip(some, (one["doc_count"] for one in counts), strict=True))
        return found

    def close(self) -> None:
        self._closed = True
        self._client.close()

    def _make(self, shards: int, replicas: int | None) -> None:
        """Make an empty index behind the alias unless there is one. Of two processes that find none
        both choose the same name, and one is refused it.
        """
        indices = self._writing.indices
        # The names first: an index made after they were read has the name chosen here, and one made
        # before stands behind the alias by now.
        number = 1 + max(numbered(self._asking, self._name).values(), default=0)
        if self._asking.indices.exists_alias(name=self._alias):
            return
        body = index_body(self._schema, shards, replicas)
        try:
            indices.create(index=f"{self._name}-{number}", aliases={self._alias: {}}, **body)
        except BadRequestError:
            if not indices.exists_alias(name=self._alias):
                raise

    def _action(self, change: Document | Deletion) -> bytes:
        """The two lines of a bulk request for a change."""
        head = {"_id": str(change.id), "version": change.version, "version_type": "external_gte"}
        lines = ({"index": head}, fields_of(change, self._schema))
        return "\n".join(json.dumps(one, ensure_ascii=False) for one in lines).encode()

    def _ask_whether_there(self) -> None:
        """A server that is silent, or whose answers do not end, would hold a large request and with
        it the writer for a long time, also when it is long back: of a small one that is known soon.
        """
        self._search(self._asking, {"size": 0, "track_total_hits": False})

    def _send(self, actions: list[Any]) -> None:
        """Send one bulk request, given as lines. What has a newer version is left alone; of the
        rest all is written, or this raises.
        """
        answer = self._writing.bulk(index=self._alias, operations=actions, require_alias=True).body
        if not answer["errors"]:
            return
        failed = [item["index"] for item in answer["items"] if "error" in item["index"]]
        failed = [one for one in failed if one["status"] != _CONFLICT]
        for one in failed:
            if one["status"] != _BAD_REQUEST or self._at_fault(one):
                kind = one["error"].get("type")
                raise SearchUnavailable(f"document {one['_id']} not written: {kind}")
        for one in failed:
            raise DocumentRejected(int(one["_id"]), str(one["error"].get("reason")))

    def _at_fault(self, failed: Json) -> bool:
        """Whether the index, and not the document, is why it was not written: the alias led to no
        one index, or the one that is there has other fields than the schema.
        """
        no_index = failed.get("_index") == self._alias
        return no_index or failed["error"].get("type") == _OTHER_FIELDS

    def _stored(self, ids: Collection[int], **wanted: Any) -> Iterator[Json]:
        """Hits of those of the ids that are documents, with what is wanted of them."""
        for some in _batches(ids, _AT_ONCE):
            query: Query = Ids(frozenset(some))
            body = {
                "query": self._compiler.compile(query, {}),
                "size": len(some),
                "sort": "_doc",
                "track_total_hits": False,
                "_source": False,
                **wanted,
            }
            yield from self._search(self._reading, body)["hits"]["hits"]

    def _scan_body(self, pit: str, last: list[Any] | None) -> Json:
        body = {
            "pit": {"id": pit, "keep_alive": _STATE_KEPT},
            "query": self._compiler.compile(All(), {}),
            "size": _AT_ONCE,
            "sort": [{ID: "asc"}],
            "track_total_hits": False,
            "_source": False,
            "version": True,
        }
        return body if last is None else {**body, "search_after": last}

    def _search(self, client: Elasticsearch, body: Json) -> Json:
        answer: Json = client.search(
            index=self._alias, body=body, allow_partial_search_results=False
        ).body
        return answer

    @contextlib.contextmanager
    def _calling(self, refused: type[SearchError] = SearchUnavailable) -> Iterator[None]:
        if self._closed:
            raise SearchUnavailable("this index is closed")
        with translated(refused):
            yield


def live_alias(prefix: str, schema: Schema) -> str:
    """The alias of a schema's live index, and how the names of its indexes begin."""
    return f"{prefix}-{schema.fingerprint}"


def numbered(client: Elasticsearch, alias: str) -> dict[str, int]:
    """Number of each index whose name begins with the alias, by name."""
    names = {name: name.rpartition("-")[2] for name in client.indices.get(index=f"{alias}-*")}
    return {name: int(number) for name, number in names.items() if number.isdecimal()}


@contextlib.contextmanager
def translated(refused: type[SearchError] = SearchUnavailable) -> Iterator[None]:
    """Raise this package's errors for the client's; `refused` for a request that the server finds
    wrong.
    """
    try:
        yield
    except NotFoundError as error:
        lacking = error.message == "index_not_found_exception"
        raise SearchUnavailable("there is no index yet" if lacking else str(error)) from error
    except BadRequestError as error:
        # A server of another major version does not even read the request.
        another = error.message == "media_type_header_exception"
        raise (SearchUnavailable if another else refused)(str(error)) from error
    except TransportError as error:
        # Its own text leaves out what happened when nothing was tried before.
        raise SearchUnavailable(f"{type(error).__name__}: {error.message}") from error
    except (ApiError, ValueError) as error:
        raise SearchUnavailable(str(error)) from error
    except (LookupError, TypeError, AttributeError) as error:
        # It was no document's fault: nothing may be set aside for it.
        raise SearchUnavailable(f"not an answer of Elasticsearch: {error!r}") from error


def _requests(actions: Sequence[bytes]) -> Iterator[list[bytes]]:
    """The actions in order, as many in one request as are sensible."""
    some: list[bytes] = []
    size = 0
    for lines in actions:
        if some and size + len(lines) > _BYTES_AT_ONCE:
            yield some
            some, size = [], 0
        some.append(lines)
        size += len(lines)
    if some:
        yield some


def _batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


def _whole(answer: Json) -> Json:
    """The answer, if all shards gave theirs."""
    if answer["_shards"]["failed"]:
        raise SearchUnavailable("a part of the index did not answer")
    return answer
