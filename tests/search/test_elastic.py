"""The contract on a real Elasticsearch, and what only a server has: other writers, writes that
succeed in part, names and aliases."""

import json
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from elastic_transport import Urllib3HttpNode
from elasticsearch import Elasticsearch

from search.analysis import LONGEST_RUN
from search.document import Deletion, Document
from search.engines.elastic import ElasticEngine
from search.engines.elastic_query import LONGEST_TOKEN
from search.errors import DocumentRejected, QueryRejected, SearchUnavailable
from search.query import All, And, Phrase, Prefix, SearchRequest, Weighted, Words
from search.schema import Schema, TextField
from tests.search.agreement import complaint
from tests.search.contract import EngineContract
from tests.search.elastics import PATIENT, opened, prefix_of
from tests.search.generate import SCHEMA, Queries, listings
from tests.search.killed import KilledWriters
from tests.search.reference import Reference, ids, live, pages
from tests.support.elastic import Elastic

OPENING = """
from tests.search.elastics import opened

engine = opened({url!r}, {prefix!r})
"""


class TestElastic(EngineContract, KilledWriters):
    node: ClassVar[Elastic]
    kills = 4
    longest = 2.0

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def started(cls, elastic: Elastic) -> None:
        cls.node = elastic

    @pytest.fixture(autouse=True)
    def dropped(self, tmp_path: Path) -> Iterator[None]:
        yield
        self.node.drop(prefix_of(tmp_path))

    @classmethod
    def open(cls, folder: Path, *, read_only: bool = False) -> ElasticEngine:
        return opened(cls.node.url, prefix_of(folder), read_only=read_only)

    @classmethod
    def opening(cls, folder: Path) -> str:
        return OPENING.format(url=cls.node.url, prefix=prefix_of(folder))


@pytest.fixture
def prefix(elastic: Elastic, tmp_path: Path) -> Iterator[str]:
    name = prefix_of(tmp_path)
    yield name
    elastic.drop(name)


@pytest.fixture
def engine(elastic: Elastic, prefix: str) -> Iterator[ElasticEngine]:
    engine = opened(elastic.url, prefix)
    yield engine
    engine.close()


def names(elastic: Elastic, prefix: str) -> dict[str, list[str]]:
    """Index → its aliases."""
    with elastic.client() as client:
        found = client.indices.get(index=f"{prefix}-*")
        return {name: list(index["aliases"]) for name, index in found.items()}


def test_an_index_has_a_numbered_name_behind_an_alias(
    elastic: Elastic, prefix: str, engine: ElasticEngine
) -> None:
    alias = f"{prefix}-{SCHEMA.fingerprint}"
    assert names(elastic, prefix) == {f"{alias}-1": [alias]}
    opened(elastic.url, prefix).close()
    assert names(elastic, prefix) == {f"{alias}-1": [alias]}
    with elastic.client() as client:  # what an interrupted rebuild leaves is not taken up
        client.indices.create(index=f"{alias}-4")
        client.indices.delete(index=f"{alias}-1")
    opened(elastic.url, prefix).close()
    assert names(elastic, prefix) == {f"{alias}-4": [], f"{alias}-5": [alias]}


def test_writers_that_open_at_once_make_one_index(elastic: Elastic, prefix: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        engines = list(pool.map(lambda _: opened(elastic.url, prefix), range(6)))
    assert len(names(elastic, prefix)) == 1
    for number, engine in enumerate(engines, start=1):
        engine.write([Document(7, number)])
    engines[0].write([Document(7, 3)])
    for engine in engines:
        assert engine.versions([7]) == {7: 6}
        engine.close()


class Overtaken(Urllib3HttpNode):
    """Tells that there is no index, and before that is heard, another makes one."""

    others: ClassVar[list[Callable[[], ElasticEngine]]] = []

    def perform_request(self, method: str, *rest: Any, **more: Any):  # type: ignore[no-untyped-def]
        got = super().perform_request(method, *rest, **more)
        while method == "HEAD" and self.others:
            self.others.pop()().close()
        return got


def test_one_that_opens_while_another_makes_the_index_makes_none(
    elastic: Elastic, prefix: str
) -> None:
    """An alias of two indexes takes no document any more."""
    Overtaken.others.append(lambda: opened(elastic.url, prefix))
    client = Elasticsearch(elastic.url, node_class=Overtaken, max_retries=0)
    engine = ElasticEngine(client, SCHEMA, prefix=prefix, read_only=False, patience=PATIENT)
    assert Overtaken.others == []
    assert len(names(elastic, prefix)) == 1
    engine.write([Document(7, 1)])
    assert engine.versions([7]) == {7: 1}
    engine.close()


def test_a_reader_may_come_before_the_index(elastic: Elastic, prefix: str) -> None:
    reader = opened(elastic.url, prefix, read_only=True)
    for call in (
        lambda: reader.search(SearchRequest()),
        reader.count,
        lambda: list(reader.scan()),
        lambda: reader.versions([1]),
        lambda: reader.frequencies("title", ["电池"]),
    ):
        with pytest.raises(SearchUnavailable, match="no index"):
            call()
    writer = opened(elastic.url, prefix)
    assert reader.count() == 0
    writer.write([Document(1, 1)])
    assert reader.count() == 1
    writer.close()
    reader.close()


def test_another_schema_begins_an_index_of_its_own(
    elastic: Elastic, prefix: str, engine: ElasticEngine
) -> None:
    engine.write([Document(1, 1)])
    other = opened(elastic.url, prefix, schema=Schema(texts=(TextField("title"),)))
    assert (engine.count(), other.count()) == (1, 0)
    other.close()


def test_a_lost_index_is_not_made_again_by_a_write(
    elastic: Elastic, prefix: str, engine: ElasticEngine
) -> None:
    """Elasticsearch would guess a mapping."""
    elastic.drop(prefix)
    with pytest.raises(SearchUnavailable):
        engine.write([Document(1, 1, {"title": "电池"})])
    assert names(elastic, prefix) == {}


def test_an_index_closed_to_writing_refuses_and_the_same_write_succeeds_later(
    elastic: Elastic, prefix: str, engine: ElasticEngine
) -> None:
    engine.write([Document(1, 1)])
    block = {"index.blocks.write": True}
    with elastic.client() as client:
        client.indices.put_settings(index=f"{prefix}-*", settings=block)
        with pytest.raises(SearchUnavailable):
            engine.write([Document(1, 2), Document(2, 1)])
        assert dict(engine.scan()) == {1: 1}
        client.indices.put_settings(index=f"{prefix}-*", settings={"index.blocks.write": False})
    engine.write([Document(1, 2), Document(2, 1)])
    assert dict(engine.scan()) == {1: 2, 2: 1}


@pytest.mark.parametrize("harm", ["closed", "without fields", "guessed fields", "two"])
def test_an_index_that_others_spoilt_is_away_and_no_document_is_to_blame(
    elastic: Elastic, prefix: str, engine: ElasticEngine, harm: str
) -> None:
    alias = f"{prefix}-{SCHEMA.fingerprint}"
    mine = {"index": f"{alias}-2", "aliases": {alias: {}}}
    with elastic.client() as client:
        if harm == "closed":
            client.indices.close(index=f"{alias}-1")
        elif harm == "two":
            client.indices.create(**mine)
        else:
            client.indices.delete(index=f"{alias}-1")
            strict = {"dynamic": "strict", "properties": {"id": {"type": "long"}}}
            client.indices.create(**mine, mappings=strict if harm == "without fields" else None)
    if harm != "guessed fields":
        with pytest.raises(SearchUnavailable):
            engine.write([Document(1, 1, {"title": "电池"}), Document(2, 1, {"title": "隔膜"})])
    if harm in ("closed", "guessed fields"):
        with pytest.raises(SearchUnavailable):
            engine.search(SearchRequest(Words(("电池",), ("title",), 1)))


class Meddling(Urllib3HttpNode):
    """Does not send some documents of a bulk request, and answers for them as a server would that
    is too busy or finds them wrong."""

    refusals: ClassVar[dict[str, tuple[int, str]]] = {}

    def perform_request(self, method: str, target: str, body: Any = None, *rest: Any, **more: Any):  # type: ignore[no-untyped-def]
        if "/_bulk" not in target or not self.refusals:
            return super().perform_request(method, target, body, *rest, **more)
        lines = body.splitlines()
        sent, refused = [], []
        for head, fields in zip(lines[::2], lines[1::2], strict=True):
            key = json.loads(head)["index"]["_id"]
            if key in self.refusals:
                status, kind = self.refusals[key]
                error = {"type": kind, "reason": "meddled with"}
                refused.append({"index": {"_id": key, "status": status, "error": error}})
            else:
                sent += [head, fields]
        got = super().perform_request(method, target, b"\n".join(sent) + b"\n", *rest, **more)
        answer = json.loads(got.body)
        answer["items"] += refused
        answer["errors"] = answer["errors"] or bool(refused)
        return got._replace(body=json.dumps(answer).encode())


@pytest.fixture
def meddled(
    elastic: Elastic, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[dict[str, tuple[int, str]]], ElasticEngine]]:
    client = Elasticsearch(elastic.url, node_class=Meddling, max_retries=0)
    engine = ElasticEngine(client, SCHEMA, prefix=prefix, read_only=False, patience=PATIENT)

    def refusing(refusals: dict[str, tuple[int, str]]) -> ElasticEngine:
        monkeypatch.setattr(Meddling, "refusals", refusals)
        return engine

    yield refusing
    engine.close()


def test_what_succeeds_in_part_is_an_error_and_complete_when_repeated(
    meddled: Callable[..., ElasticEngine],
) -> None:
    engine = meddled({"2": (429, "es_rejected_execution_exception")})
    changes = [Document(key, 3, {"title": "电池"}) for key in (1, 2, 3)]
    with pytest.raises(SearchUnavailable, match="document 2"):
        engine.write(changes, [Deletion(4, 1)])
    engine = meddled({})
    assert list(engine.scan()) == [], "shown only with a write that succeeds"
    engine.write([Document(3, 2)])
    assert dict(engine.scan()) == {1: 3, 3: 3}, "each document by itself"
    engine.write(changes, [Deletion(4, 1)])
    assert dict(engine.scan()) == {1: 3, 2: 3, 3: 3}


def test_a_document_that_only_the_server_refuses_is_named(
    meddled: Callable[..., ElasticEngine],
) -> None:
    engine = meddled({"2": (400, "document_parsing_exception")})
    with pytest.raises(DocumentRejected) as rejected:
        engine.write([Document(1, 1), Document(2, 1), Document(3, 1)])
    assert rejected.value.id == 2
    engine.write([Document(1, 1), Document(3, 1)])
    assert dict(engine.scan()) == {1: 1, 3: 1}
    engine = meddled({"1": (400, "document_parsing_exception"), "3": (503, "unavailable")})
    with pytest.raises(SearchUnavailable):  # the whole is tried again before one is blamed
        engine.write([Document(1, 2), Document(3, 2), Document(4, 1)])


def test_a_large_write_goes_in_several_requests(
    engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.engines.elastic._BYTES_AT_ONCE", 2_000)
    corpus = listings(random.Random(5), 60)
    engine.write(corpus)
    assert dict(engine.scan()) == {one.id: 1 for one in corpus}


def test_scanning_reads_one_state_in_pages(
    engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.engines.elastic._AT_ONCE", 10)
    engine.write([Document(key, 1) for key in range(1, 101)])
    scan = iter(engine.scan())
    first = next(scan)
    engine.write([Document(key, 2) for key in range(50, 150)])
    assert [first, *scan] == [(key, 1) for key in range(1, 101)]
    assert len(list(engine.scan())) == 149
    assert len(engine.versions(range(1, 150))) == 149


def test_very_long_tokens_are_found_like_others(engine: ElasticEngine) -> None:
    """The whitespace analyzer cuts what is longer than LONGEST_TOKEN."""
    part = "9" * LONGEST_RUN
    long = ".".join((part,) * 5)
    assert len(long) > LONGEST_TOKEN
    rare = "\U00010428" * LONGEST_RUN  # two UTF-16 units each
    corpus = [
        Document(1, 1, {"title": f"型号 {long}", "body": f"隔膜 {long} 电池"}),
        Document(2, 1, {"title": f"型号 {long[:-1]}8", "body": rare}),
        Document(3, 1, {"title": part, "body": f"{rare}.{rare}"}),
    ]
    engine.write(corpus)
    reference = Reference(corpus)
    for query in (
        Words((long,), ("title", "body"), 1),
        Words((f"{long[:-1]}8",), ("title",), 1),
        Words((rare,), ("body",), 1),
        Phrase(("隔膜", long, "电池"), "body"),
        Phrase(("号", f"号{long}", long), "title_grams"),
        Prefix(part, "title"),
        Prefix("号999", "title_grams"),
        Weighted(((long, 1.0), (part, 2.0)), ("title",)),
    ):
        assert set(ids(engine, query)) == reference.ids(SearchRequest(query)), query


def test_several_shards_are_as_exact_as_one(elastic: Elastic, prefix: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    corpus = listings(random.Random(seed), 300)
    three = opened(elastic.url, f"{prefix}-three", shards=3)
    one = opened(elastic.url, f"{prefix}-one")
    live(three, corpus)
    assert dict(three.scan()) == {document.id: 5 for document in corpus}
    elastic.drop(f"{prefix}-three")
    three = opened(elastic.url, f"{prefix}-three", shards=3)
    for engine in (one, three):
        engine.write(corpus)
    queries = Queries(random.Random(seed + 1), corpus)
    reference = Reference(corpus)
    for number in range(60):
        request = replace(queries.request(number), facet_size=random.Random(number).randint(1, 9))
        expected, got = one.search(request), three.search(request)
        assert got.total == len(reference.ids(request)), request
        assert got.facets == expected.facets, request
        assert not (wrong := complaint(got.hits, expected.hits)), (wrong, request)
        assert {hit.id for page in pages(three, request) for hit in page.hits} == reference.ids(
            request
        )
    terms = ["电池", "隔膜", "没有这个词"]
    assert three.frequencies("title", terms) == one.frequencies("title", terms)
    one.close()
    three.close()


def test_a_tree_too_deep_is_refused_and_not_called_an_outage(engine: ElasticEngine) -> None:
    query: Any = Words(("电池",), ("title",), 1)
    for _ in range(200):
        query = And((query, All(), Prefix("电", "title")))
    with pytest.raises(QueryRejected):
        engine.search(SearchRequest(query))
