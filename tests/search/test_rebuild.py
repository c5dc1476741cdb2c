"""An index built anew beside the live one, on both engines: put in place at once and whole, or not
at all."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import pytest
from elasticsearch import Elasticsearch

from search.document import Deletion, Document
from search.engines.elastic_indexes import ElasticIndexes
from search.engines.tantivy import TantivyEngine, TantivyIndexes
from search.errors import DocumentRejected, RebuildRefused, SearchUnavailable
from search.port import SearchEngine
from search.query import SearchRequest, Words
from search.rebuild import Indexes, Rebuild, Standing
from tests.search.elastics import PATIENT, opened, prefix_of
from tests.search.generate import SCHEMA, listing, listings
from tests.support.elastic import Elastic


@dataclass
class Store:
    """A Source: documents in memory."""

    documents: dict[int, Document]
    owed: set[int] = field(default_factory=set)
    gone: dict[int, int] = field(default_factory=dict)

    def ids(self) -> Sequence[int]:
        return sorted(self.documents.keys() | self.gone.keys())

    def read(self, ids: Sequence[int]) -> tuple[list[Document], list[Deletion]]:
        there = [self.documents[one] for one in ids if one in self.documents]
        return there, [Deletion(one, self.gone[one]) for one in ids if one in self.gone]

    def standing(self) -> Standing:
        return Standing({key: one.version for key, one in self.documents.items()}, self.owed)


class Place(Protocol):
    """Where an engine keeps the indexes of a test."""

    indexes: Indexes

    def open(self, *, read_only: bool = False) -> SearchEngine: ...
    def there(self) -> list[str]: ...


class OnTantivy:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.indexes: Indexes = TantivyIndexes(folder, SCHEMA)

    def open(self, *, read_only: bool = False) -> SearchEngine:
        return TantivyEngine(self._folder, SCHEMA, read_only=read_only)

    def there(self) -> list[str]:
        return sorted(path.name for path in self._folder.glob("tantivy-*/"))


class OnElastic:
    def __init__(self, elastic: Elastic, prefix: str) -> None:
        self._elastic = elastic
        self._prefix = prefix
        connect = lambda: Elasticsearch(elastic.url, max_retries=0)  # noqa: E731
        self.indexes: Indexes = ElasticIndexes(connect, SCHEMA, prefix=prefix, patience=PATIENT)

    def open(self, *, read_only: bool = False) -> SearchEngine:
        return opened(self._elastic.url, self._prefix, read_only=read_only)

    def there(self) -> list[str]:
        with self._elastic.client() as client:
            return sorted(client.indices.get(index=f"{self._prefix}-*"))


@pytest.fixture(params=["tantivy", pytest.param("elastic", marks=pytest.mark.elastic)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "tantivy":
        yield OnTantivy(tmp_path)
        return
    elastic = request.getfixturevalue("elastic")
    yield OnElastic(elastic, prefix_of(tmp_path))
    elastic.drop(prefix_of(tmp_path))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.rebuild.CHUNK", 20)
    monkeypatch.setattr("search.rebuild.SAMPLE", 50)


def stored(count: int = 50) -> Store:
    return Store({one.id: one for one in listings(random.Random(count), count)})


def stale(store: Store) -> list[Document]:
    """The same documents as an index may have them that went wrong: later versions, other words."""
    return [replace(one, version=9, texts={"title": "旧的"}) for one in store.documents.values()]


def versions(store: Store) -> dict[int, int]:
    return {key: one.version for key, one in store.documents.items()}


def run(live: SearchEngine, place: Place, store: Store) -> None:
    rebuild = Rebuild(live, place.indexes, store)
    try:
        while rebuild.step():
            pass
        rebuild.finish()
    except BaseException:
        rebuild.abandon()
        raise


def test_readers_go_over_at_once_and_the_last_good_one_is_kept(place: Place) -> None:
    store = stored()
    live, reader = place.open(), place.open(read_only=True)
    live.write(stale(store))
    old = SearchRequest(Words(("旧",), ("title",), 1))
    assert reader.search(old).total == 50
    first = place.there()
    run(live, place, store)
    assert dict(reader.scan()) == versions(store), "even what had a later version"
    assert reader.search(old).total == 0
    assert len(place.there()) == 2
    assert first[0] in place.there()
    live.close()
    live = place.open()
    assert dict(live.scan()) == versions(store)
    live.write([Document(10**9, 1, {"title": "新的"})])
    assert reader.count() == 51
    store.documents[10**9] = Document(10**9, 1, {"title": "新的"})
    run(live, place, store)
    assert len(place.there()) == 2, "only the one before is kept"
    assert first[0] not in place.there()
    assert dict(reader.scan()) == versions(store)
    live.close()
    reader.close()


def test_changes_meanwhile_go_to_both(place: Place) -> None:
    store = stored()
    live, reader = place.open(), place.open(read_only=True)
    live.write(list(store.documents.values()))
    rebuild = Rebuild(live, place.indexes, store)
    rng = random.Random(1)
    keys = store.ids()
    for number, _ in enumerate(iter(rebuild.step, False)):
        new = listing(rng, 10**8 + number)
        changed = replace(store.documents[keys[number]], version=2, texts={"title": "改过"})
        gone = store.documents.pop(keys[-1 - number])
        store.documents |= {new.id: new, changed.id: changed}
        rebuild.writer.write([new, changed], [Deletion(gone.id, 2)])
        assert dict(reader.scan()) == versions(store), "the live one is never behind"
    rebuild.finish()
    assert dict(reader.scan()) == versions(store)
    live.close()
    reader.close()


def test_what_is_gone_in_a_later_version_is_not_brought_back(place: Place) -> None:
    """Another writer told the live index alone, and a write from before comes late."""
    store = stored()
    live = place.open()
    live.write(list(store.documents.values()))
    late = store.documents.pop(store.ids()[0])
    store.gone[late.id] = late.version
    rebuild = Rebuild(live, place.indexes, store)
    while rebuild.step():
        pass
    store.gone[late.id] = late.version + 1
    live.write([], [Deletion(late.id, late.version + 1)])
    rebuild.finish()
    live.close()
    live = place.open()
    live.write([late])
    assert dict(live.scan()) == versions(store)
    live.close()


@pytest.mark.parametrize("harm", ["missing", "too many", "old", "other words", "other number"])
def test_what_does_not_hold_what_it_should_is_not_put_in_place(place: Place, harm: str) -> None:
    store = stored()
    live, reader = place.open(), place.open(read_only=True)
    live.write(stale(store))
    rebuild = Rebuild(live, place.indexes, store)
    while rebuild.step():
        pass
    some = store.documents[store.ids()[7]]
    if harm == "missing":
        rebuild._fresh.write([], [Deletion(some.id, 1)])
    elif harm == "too many":
        rebuild._fresh.write([Document(10**9, 1)])
    elif harm == "old":
        store.documents[some.id] = replace(some, version=2)
    elif harm == "other words":
        rebuild._fresh.write([replace(some, texts={"title": "别的"})])
    else:
        rebuild._fresh.write([replace(some, numbers={**some.numbers, "published": 77})])
    with pytest.raises(RebuildRefused):
        rebuild.finish()
    rebuild.abandon()
    assert set(dict(reader.scan()).values()) == {9}
    assert len(place.there()) == 1
    if harm == "old":  # what is owed may be behind
        store.owed = {some.id}
        rebuild = Rebuild(live, place.indexes, Store({**store.documents, some.id: some}))
        while rebuild.step():
            pass
        rebuild.source = store
        rebuild.finish()
        assert reader.versions([some.id]) == {some.id: 1}
    live.close()
    reader.close()


def test_a_document_that_cannot_be_indexed_does_not_hold_back_the_rest(place: Place) -> None:
    store = stored()
    bad, unmade = store.ids()[3], store.ids()[9]
    store.documents[bad] = replace(store.documents[bad], texts={"nope": "x"})
    read = store.read
    store.read = lambda ids: read([one for one in ids if one != unmade])  # type: ignore[method-assign]
    live = place.open()
    rebuild = Rebuild(live, place.indexes, store)
    while rebuild.step():
        pass
    rebuild.finish()
    assert rebuild.left_out == {bad, unmade}
    live.close()
    live = place.open()
    assert dict(live.scan()).keys() == store.documents.keys() - {bad, unmade}
    live.close()


def test_what_fails_in_the_new_one_alone_fails_no_write(place: Place) -> None:
    store = stored()
    live = place.open()
    rebuild = Rebuild(live, place.indexes, store)
    rebuild._fresh.close()
    rebuild.writer.write([Document(5, 1)])
    assert live.versions([5]) == {5: 1}
    with pytest.raises(SearchUnavailable):
        rebuild.step()
    with pytest.raises(RebuildRefused):
        rebuild.finish()
    rebuild.abandon()
    with pytest.raises(DocumentRejected):
        rebuild.writer.write([Document(0, 1)])
    live.close()


@pytest.mark.elastic
def test_of_two_that_build_at_once_none_puts_the_others_in_place(
    elastic: Elastic, tmp_path: Path
) -> None:
    """Where several may write, one that was taken for dead may go on."""
    first, second = (OnElastic(elastic, prefix_of(tmp_path)) for _ in range(2))
    store = stored()
    live, reader = first.open(), first.open(read_only=True)
    live.write(list(store.documents.values()))
    begun = Rebuild(live, first.indexes, store)
    while begun.step():
        pass
    other = Rebuild(live, second.indexes, store)  # still empty
    begun._fresh.close()
    with pytest.raises(SearchUnavailable):
        first.indexes.swap()
    begun.abandon()
    assert dict(reader.scan()) == versions(store)
    while other.step():
        pass
    other.finish()
    assert dict(reader.scan()) == versions(store)
    live.close()
    reader.close()
    elastic.drop(prefix_of(tmp_path))


class Fails:
    """Lets through `left` calls of an object, and of the engine that it begins, and fails then."""

    def __init__(self, inner: Any, left: list[int]) -> None:
        self._inner, self._left = inner, left

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found) or name in ("close", "abandon"):
            return found

        def called(*given: Any, **more: Any) -> Any:
            if self._left[0] <= 0:
                raise KeyboardInterrupt
            self._left[0] -= 1
            answer = found(*given, **more)
            return Fails(answer, self._left) if name == "begin" else answer

        return called


@pytest.mark.parametrize("tidy", [True, False])
def test_interrupted_at_any_call_it_leaves_the_live_one_alone(
    place: Place, tidy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By an error (`tidy`), or by the end of the process, which cleans nothing up."""
    monkeypatch.setattr("search.rebuild.SAMPLE", 2)
    store = stored(45)
    live, reader = place.open(), place.open(read_only=True)
    live.write(list(store.documents.values()))
    calls = 0
    while interrupted(live, Fails(place.indexes, [calls]), store, tidy=tidy):
        assert dict(reader.scan()) == versions(store)
        assert len(place.there()) <= 2
        calls += 1
    assert calls > 9, "begin, 3 writes, scan, count, a sample, swap"
    assert dict(reader.scan()) == versions(store)
    assert len(place.there()) == 2
    live.close()
    reader.close()


def interrupted(live: SearchEngine, indexes: Any, store: Store, *, tidy: bool) -> bool:
    rebuild = None
    try:
        rebuild = Rebuild(live, indexes, store)
        while rebuild.step():
            pass
        rebuild.finish()
    except KeyboardInterrupt:
        if rebuild is not None:
            rebuild._fresh.close()
            if tidy:
                rebuild.abandon()
        return True
    return False


def test_a_swap_that_fails_in_clearing_away_has_taken_place(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = stored()
    live, reader = place.open(), place.open(read_only=True)
    live.write(stale(store))

    def fail(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patch:
        patch.setattr("search.engines.tantivy_indexes.Place.drop_before", fail)
        patch.setattr("search.engines.elastic_indexes.ElasticIndexes._drop_before", fail)
        with pytest.raises((OSError, SearchUnavailable)):
            run(live, place, store)  # abandons
    assert dict(reader.scan()) == versions(store)
    live.close()
    live = place.open()
    run(live, place, store)
    assert len(place.there()) == 2
    live.close()
    reader.close()
