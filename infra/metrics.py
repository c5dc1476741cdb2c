"""Figures for Prometheus: what this process counts itself, and what the database knows of all.

Worker and indexer have no port of their own: what they owe stands in the database, and their
memory in their signs of life. Labels have a bounded set of values and name nobody.
"""

import logging
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool
from sqlmodel import Session

from infra.pulse import VERSION, memory_bytes
from market.accounts.policy import Action
from market.accounts.work import Parts
from market.kit import audit, upkeep
from market.kit.audit import Outcome
from market.kit.changes import Consumer
from market.kit.jobs import JobState
from market.ledger import repository as ledger
from market.ledger.models import Book, Chain
from market.operations import marks, repository
from search.errors import SearchError
from search.guard import Guarded
from search.port import SearchEngine

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LATELY = timedelta(minutes=15)
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

log = logging.getLogger("zhihe.metrics")
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """The registry of one web process; `text` is what Prometheus reads."""

    def __init__(self, parts: Parts, engine: SearchEngine, data_dir: Path) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "zhihe_requests",
            "Requests answered",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "zhihe_request_seconds",
            "Seconds to the end of the answer",
            ("route", "method"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._running = Gauge(
            "zhihe_requests_running", "Requests being answered", registry=self._registry
        )
        ProcessCollector(registry=self._registry)
        self._registry.register(_Standing(parts, engine, data_dir))

    @contextmanager
    def running(self) -> Iterator[None]:
        with self._running.track_inprogress():
            yield

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        self._requests.labels(route, method, str(status)).inc()
        self._seconds.labels(route, method).observe(seconds)

    def text(self) -> bytes:
        return generate_latest(self._registry)


class _Standing(Collector):
    """What is read anew at each scrape."""

    def __init__(self, parts: Parts, engine: SearchEngine, data_dir: Path) -> None:
        self._parts = parts
        self._engine = engine
        self._data_dir = data_dir

    def describe(self) -> Iterable[Metric]:
        return ()  # registering reads nothing

    def collect(self) -> Iterator[Metric]:
        version = GaugeMetricFamily("zhihe_info", "The version that runs", labels=("version",))
        version.add_metric((VERSION,), 1)
        yield version
        yield _gauge("zhihe_memory_bytes", "Memory of this web process", memory_bytes())
        yield from self._connections()
        yield from self._disk()
        yield from self._index()
        try:
            with self._parts.database.read() as session:
                found = list(_of_database(session, self._parts.clock.now()))
        except SQLAlchemyError:
            log.exception("the database does not answer for the metrics")
            found = []
        yield _gauge("zhihe_database_up", "Whether the database answers", bool(found))
        yield from found

    def _connections(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "zhihe_database_connections", "Connections of this process", labels=("state",)
        )
        pools = {self._parts.database.reader.pool, self._parts.database.writer.pool}
        queues = [pool for pool in pools if isinstance(pool, QueuePool)]
        family.add_metric(("used",), sum(pool.checkedout() for pool in queues))
        family.add_metric(("idle",), sum(pool.checkedin() for pool in queues))
        yield family

    def _disk(self) -> Iterator[Metric]:
        usage = shutil.disk_usage(self._data_dir)
        yield _gauge("zhihe_data_free_bytes", "Space left for the data folder", usage.free)
        yield _gauge("zhihe_data_total_bytes", "Space of the data folder's disk", usage.total)

    def _index(self) -> Iterator[Metric]:
        try:
            count: int | None = self._engine.count()
        except SearchError:
            count = None
        yield _gauge("zhihe_index_up", "Whether the index answers", count is not None)
        yield _gauge("zhihe_index_documents", "Documents in the index", count or 0)
        told = "Whether the database answers searches of this process, as the index does not"
        yield _gauge("zhihe_search_degraded", told, count is None)
        trips = self._engine.standing.trips if isinstance(self._engine, Guarded) else 0
        yield CounterMetricFamily(
            "zhihe_search_trips", "Times that Elasticsearch ceased to answer this process", trips
        )


def _of_database(session: Session, now: datetime) -> Iterator[Metric]:
    yield from _jobs(session, now)
    yield from _deliveries(session, now)
    yield from _processes(session)
    head = GaugeMetricFamily("zhihe_ledger_head", "Last number of a book", labels=("book",))
    for book in Book:
        head.add_metric((book,), ledger.head(session, Chain(book)).seq)
    yield head
    failures = audit.count_since(session, Action.SIGN_IN, Outcome.FAILED, now - LATELY)
    yield _gauge("zhihe_sign_in_failures", "Wrong passwords of the last 15 minutes", failures)
    ended = GaugeMetricFamily(
        "zhihe_routine_timestamp_seconds", "When a routine work last ended", labels=("name",)
    )
    good = GaugeMetricFamily("zhihe_routine_good", "Whether it ended well", labels=("name",))
    done = marks.newest(session)
    for name in (marks.BACKUP, marks.AUDIT, marks.RETENTION):
        mark = done.get(name)
        ended.add_metric((name,), mark.at.timestamp() if mark else 0)
        good.add_metric((name,), bool(mark and mark.good))
    yield from (ended, good)


def _jobs(session: Session, now: datetime) -> Iterator[Metric]:
    count = GaugeMetricFamily("zhihe_jobs", "Jobs not done", labels=("kind", "state"))
    oldest = GaugeMetricFamily(
        "zhihe_job_oldest_seconds", "Age of the oldest job that waits or runs", labels=("kind",)
    )
    ages: dict[str, float] = {}
    imports = failed = 0
    for load in upkeep.job_loads(session):
        count.add_metric((load.kind, load.state), load.count)
        if load.state == JobState.FAILED:
            failed += load.count
            continue
        age = (now - load.oldest).total_seconds()
        ages[load.kind] = max(age, ages.get(load.kind, 0.0))
        imports += load.count if "import" in load.kind else 0
    for kind, age in ages.items():
        oldest.add_metric((kind,), age)
    yield from (count, oldest)
    yield _gauge("zhihe_jobs_failed", "Jobs given up", failed)
    yield _gauge("zhihe_imports_running", "Imports that wait or run", imports)


def _deliveries(session: Session, now: datetime) -> Iterator[Metric]:
    count = GaugeMetricFamily(
        "zhihe_deliveries", "Changes not yet delivered", labels=("consumer", "state")
    )
    oldest = GaugeMetricFamily(
        "zhihe_delivery_oldest_seconds",
        "Age of the oldest change not yet delivered: the lag of index and matches",
        labels=("consumer",),
    )
    ages = dict.fromkeys(Consumer, 0.0)
    aside = dict.fromkeys(Consumer, 0)
    for load in upkeep.delivery_loads(session):
        consumer = Consumer(load.kind)
        count.add_metric((consumer, load.state), load.count)
        if load.state == "aside":
            aside[consumer] = load.count
        else:
            ages[consumer] = max(ages[consumer], (now - load.oldest).total_seconds())
    put_aside = GaugeMetricFamily(
        "zhihe_deliveries_aside", "Changes set aside after many tries", labels=("consumer",)
    )
    for consumer in Consumer:
        oldest.add_metric((consumer,), ages[consumer])
        put_aside.add_metric((consumer,), aside[consumer])
    yield from (count, oldest, put_aside)


def _processes(session: Session) -> Iterator[Metric]:
    family = partial(GaugeMetricFamily, labels=("kind",))
    seen = family("zhihe_process_seen_timestamp_seconds", "Last sign of life, newest of a kind")
    memory = family("zhihe_process_memory_bytes", "Anonymous memory of the newest of a kind")
    known: set[str] = set()
    for one in repository.seen(session):
        if one.kind not in known:
            known.add(one.kind)
            seen.add_metric((one.kind,), one.seen_at.timestamp())
            memory.add_metric((one.kind,), one.memory_bytes)
    yield from (seen, memory)


def _gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(name, what, value=value)
