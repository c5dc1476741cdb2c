"""The guard: nobody waits for an engine that does not answer, and it is asked again soon."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from search.document import Document
from search.engines.tantivy import TantivyEngine
from search.errors import QueryRejected, SearchUnavailable
from search.guard import Guarded
from search.query import AnyOf, SearchRequest
from search.result import SearchResult
from tests.search.generate import SCHEMA

PATIENCE = 0.3


class Failing(TantivyEngine):
    """A real engine that fails or dawdles as it is told; `asked` counts searches and counts."""

    fault: Exception | None = None
    seconds = 0.0
    asked = 0

    def count(self) -> int:
        self._fail()
        return super().count()

    def search(self, request: SearchRequest) -> SearchResult:
        self._fail()
        return super().search(request)

    def _fail(self) -> None:
        self.asked += 1
        time.sleep(self.seconds)
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def engine(tmp_path: Path) -> Failing:
    made = Failing(tmp_path, SCHEMA, read_only=False)
    made.write([Document(1, 1, {"title": "电池"})])
    return made


@pytest.fixture
def guarded(engine: Failing) -> Iterator[Guarded]:
    guard = Guarded(engine, PATIENCE, pause=0.05)
    yield guard
    guard.close()


def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds
        time.sleep(0.01)


def refused(guarded: Guarded) -> float:
    begun = time.monotonic()
    with pytest.raises(SearchUnavailable):
        guarded.count()
    return time.monotonic() - begun


def test_it_passes_on_what_the_engine_says(guarded: Guarded) -> None:
    assert guarded.count() == 1
    assert guarded.search(SearchRequest()).total == 1
    assert guarded.versions([1]) == {1: 1}
    assert guarded.frequencies("title", ["电池"]) == {"电池": 1}
    assert dict(guarded.scan()) == {1: 1}
    with pytest.raises(QueryRejected):
        guarded.search(SearchRequest(AnyOf("nonsense", frozenset({"1"}))))
    assert not guarded.standing.open, "a wrong request is not the engine's fault"


@pytest.mark.parametrize("fault", [SearchUnavailable("down"), KeyError("hits"), OSError("gone")])
def test_after_the_first_failure_nobody_asks_but_the_probe(
    engine: Failing, guarded: Guarded, fault: Exception
) -> None:
    engine.fault = fault
    refused(guarded)
    standing = guarded.standing
    assert (standing.open, standing.trips) == (True, 1)
    until(lambda: engine.asked > 3)  # the probe goes on
    engine.fault = None
    until(lambda: not guarded.standing.open)
    assert guarded.count() == 1


def test_a_slow_engine_costs_one_patience_and_then_nothing(
    engine: Failing, guarded: Guarded
) -> None:
    engine.seconds = 2.0
    assert PATIENCE <= refused(guarded) < 3 * PATIENCE
    assert max(refused(guarded) for _ in range(100)) < 0.1
    engine.seconds = 0.0
    until(lambda: not guarded.standing.open)


def test_the_calls_of_one_request_have_one_patience(engine: Failing, guarded: Guarded) -> None:
    engine.seconds = PATIENCE / 3
    one = guarded.for_one_request()
    begun = time.monotonic()
    with pytest.raises(SearchUnavailable):
        _ = [one.count() for _ in range(20)]
    assert time.monotonic() - begun < 3 * PATIENCE
    assert not guarded.standing.open, "each call was answered in time"
    assert guarded.for_one_request().count() == 1


def test_an_engine_that_fails_again_at_once_is_left_alone_for_longer(
    engine: Failing, guarded: Guarded
) -> None:
    taken = []
    for _ in range(4):
        engine.fault = SearchUnavailable("down")
        refused(guarded)
        begun = time.monotonic()
        engine.fault = None
        until(lambda: not guarded.standing.open)
        taken.append(time.monotonic() - begun)
    assert guarded.standing.trips == 4
    assert taken[0] < taken[3]
    assert taken[3] > 0.3


def test_many_at_once_open_it_once(engine: Failing, guarded: Guarded) -> None:
    engine.fault = SearchUnavailable("down")
    threads = [threading.Thread(target=refused, args=(guarded,)) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert guarded.standing.trips == 1


def test_closed_it_asks_no_more(engine: Failing, guarded: Guarded) -> None:
    engine.fault = SearchUnavailable("down")
    refused(guarded)
    guarded.close()
    time.sleep(0.1)
    asked = engine.asked
    time.sleep(0.2)
    assert engine.asked == asked
