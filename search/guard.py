"""An engine over a network, kept from making people wait: a deadline for every call, and a breaker.

While the engine answers, a call is passed on and given up after so many seconds, whatever the
client is waiting for (a name, a connection, the rest of an answer). The first that fails opens the
breaker: from then on calls raise SearchUnavailable at once, and a thread in the background asks the
engine now and then, until it answers. No visitor tries for the others.
"""

import logging
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Final, TypeVar

from search.document import Deletion, Document
from search.errors import DocumentRejected, QueryRejected, SearchUnavailable
from search.port import Capabilities, SearchEngine
from search.query import SearchRequest
from search.result import SearchResult
from search.schema import Schema

PAUSE: Final = 0.5
"""Seconds between two probes."""
_LONGEST_PAUSE: Final = 4.0
_STEADY: Final = 30.0
"""Seconds for which an engine that came back has to answer to count as well again: one that fails
sooner is left alone for longer each time, so that not every other request finds out anew."""

T = TypeVar("T")
log = logging.getLogger("zhihe.search")


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether calls are refused, why, and how often that has begun."""

    open: bool
    reason: str
    trips: int


class Breaker:
    """Whether the engine is asked at all. Thread-safe; one for a process.

    `probe` asks the engine something small and raises where it does not answer. It runs in a thread
    that lives as long as the breaker is open.
    """

    def __init__(self, probe: Callable[[], object], pause: float = PAUSE) -> None:
        self._probe = probe
        self._pause = pause
        self._lock = Lock()
        self._open = False
        self._reason = ""
        self._trips = 0
        self._hasty = 0  # times in a row that it failed soon after it had come back
        self._closed_at = float("-inf")
        self._ended = Event()

    @property
    def standing(self) -> Standing:
        with self._lock:
            return Standing(self._open, self._reason, self._trips)

    def check(self) -> None:
        """Raise SearchUnavailable while the engine is away."""
        if self._open:
            raise SearchUnavailable(f"the engine is away: {self._reason}")

    def trip(self, reason: str) -> None:
        """Refuse calls from now on, until a probe is answered."""
        with self._lock:
            if self._open or self._ended.is_set():
                return
            self._open, self._reason = True, reason
            self._trips += 1
            steady = time.monotonic() - self._closed_at > _STEADY
            self._hasty = 0 if steady else self._hasty + 1
            # One slow query says little: of an engine that was well, it is asked again at once.
            pause = min(self._pause * 2**self._hasty, _LONGEST_PAUSE) if self._hasty else 0.0
        log.warning("the engine does not answer, the database does instead: %s", reason)
        Thread(target=self._ask_until_answered, args=(pause,), daemon=True).start()

    def close(self) -> None:
        """End the probing, for good."""
        self._ended.set()

    def _ask_until_answered(self, pause: float) -> None:
        while not self._ended.wait(pause):
            pause = self._pause
            try:
                self._probe()
            except Exception as error:  # noqa: BLE001 - whatever it is, the engine is not well
                self._reason = _told(error)
                continue
            with self._lock:
                self._open, self._closed_at = False, time.monotonic()
            log.warning("the engine answers again")
            return


class Guarded:
    """SearchEngine that asks another one through a breaker and gives every call a deadline.

    `patience`: seconds for one call, or for all calls of one request (`for_one_request`). For
    readers; `write` and `scan` take as long as they do.
    """

    def __init__(
        self,
        engine: SearchEngine,
        patience: float,
        *,
        pause: float = PAUSE,
        until: float | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self._engine = engine
        self._patience = patience
        self._until = until
        self._breaker = breaker or Breaker(
            lambda: _in_time(lambda: engine.search(SearchRequest(limit=1)), patience), pause
        )

    def for_one_request(self) -> "Guarded":
        """Return the same engine, whose calls have the patience of one call together."""
        until = time.monotonic() + self._patience
        return Guarded(self._engine, self._patience, until=until, breaker=self._breaker)

    @property
    def standing(self) -> Standing:
        return self._breaker.standing

    @property
    def schema(self) -> Schema:
        return self._engine.schema

    @property
    def capabilities(self) -> Capabilities:
        return self._engine.capabilities

    def search(self, request: SearchRequest) -> SearchResult:
        return self._ask(lambda: self._engine.search(request))

    def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None:
        self._engine.write(upserts, deletions)

    def versions(self, ids: Collection[int]) -> dict[int, int]:
        return self._ask(lambda: self._engine.versions(ids))

    def numbers(self, field: str, ids: Collection[int]) -> dict[int, int]:
        return self._ask(lambda: self._engine.numbers(field, ids))

    def count(self) -> int:
        return self._ask(self._engine.count)

    def scan(self) -> Iterator[tuple[int, int]]:
        return self._engine.scan()

    def frequencies(self, field: str, terms: Collection[str]) -> Mapping[str, int]:
        return self._ask(lambda: self._engine.frequencies(field, terms))

    def close(self) -> None:
        self._breaker.close()
        self._engine.close()

    def _ask(self, call: Callable[[], T]) -> T:
        self._breaker.check()
        given = self._patience
        if self._until is not None:
            given = min(given, self._until - time.monotonic())
            if given <= 0:
                raise SearchUnavailable("the engine took the time there was")
        try:
            return _in_time(call, given)
        except (QueryRejected, DocumentRejected):
            raise
        except Exception as error:
            # A call that was given little because others took long says nothing of the engine.
            if not isinstance(error, TimeoutError) or given > self._patience / 2:
                self._breaker.trip(_told(error))
            raise SearchUnavailable(_told(error)) from error


def _in_time(call: Callable[[], T], seconds: float) -> T:
    """Return what the call returns. Raises what it raises, TimeoutError where it takes longer.

    In a thread of its own, which goes on until the client gives up: a client's time limits are for
    a step each, a name that does not resolve has none, and they add up.
    """
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is awaited
            answer.set_exception(error)

    Thread(target=run, daemon=True).start()
    return answer.result(seconds)


def _told(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error).partition("\n")[0] or type(error).__name__
