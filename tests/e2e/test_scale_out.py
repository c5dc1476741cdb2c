"""A market of many processes, started by the script in infra, whose parts are killed under load.

The run in CI has one search node, which lives; the full run has three of them with a replica, loses
each kind in turn, again and again (ROUNDS), and takes some minutes.
"""

import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader
from market.accounts.work import Parts
from market.discovery.documents import SCHEMA
from market.discovery.drain import left_to_do
from search.parse import parse
from search.query import SearchRequest
from tests.e2e.test_crash import agrees, column
from tests.e2e.trading import Trading
from tests.search.elastics import prefix_of
from tests.support.elastic import Elastic
from tests.support.machine import free_port, until
from tests.support.processes import PRODUCTION, ROOT, SECRET

TAKES_OVER = 5.0
"""Seconds until a standby indexer has written, at most, as promised; beside other tests asserted at
three times that."""
ANSWERS = 2.0
"""Seconds until a search is answered, at most, as promised; asserted at three times that."""
ACTIVE = """
SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND a.datname = current_database()
AND a.application_name LIKE 'zhihe indexer %'
"""


@dataclass
class Cluster:
    """The running script: its folder has the processes' numbers, its address is the balancer's."""

    settings: Settings
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.settings.port}"

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8", errors="replace")

    def number(self, name: str) -> int:
        return int((self.settings.data_dir / f"{name}.pid").read_text())

    def kill(self, name: str) -> None:
        """kill -9; the script starts it again."""
        os.kill(self.number(name), signal.SIGKILL)

    def back(self, name: str, before: int) -> None:
        until(lambda: self.number(name) != before, 60, f"{name} started again")


@contextmanager
def running(settings: Settings, tmp_path: Path, **more: str) -> Iterator[Cluster]:
    output = tmp_path / "cluster.log"
    given = {
        **PRODUCTION,
        "ZHIHE_DATABASE_URL": settings.database_url,
        "ZHIHE_PORT": str(settings.port),
        "ZHIHE_LOG_LEVEL": "warning",
        "ZHIHE_LOG_FORMAT": "text",
        **more,
    }
    with output.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.cluster", "--folder", str(settings.data_dir)],
            cwd=ROOT,
            env={**os.environ, **given},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    cluster = Cluster(settings, process, output)
    try:
        until(lambda: "智核已就绪" in cluster.said() or process.poll() is not None, 240, "start")
        assert process.poll() is None, cluster.said()
        yield cluster
    except BaseException:
        print(cluster.said()[-6000:])
        raise
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def settings(database_url: Callable[..., str], tmp_path: Path) -> Settings:
    folder = tmp_path / "cluster"
    return Settings(data_dir=folder, database_url=database_url(), port=free_port(), secret=SECRET)


class Readers:
    """Search without a pause. What breaks before its answer, or is answered with 503, is asked
    again, as a proxy does, which hands it to the other web process.
    """

    def __init__(self, url: str, count: int) -> None:
        self.took: list[float] = []
        self.refused: list[str] = []
        self.again = 0
        self.without_index = 0
        self._url = url
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(count)]
        for one in self._threads:
            one.start()

    def _read(self) -> None:
        while not self._stop.is_set():
            begun = time.monotonic()
            answer = self._ask()
            took = time.monotonic() - begun
            self.took.append(took)
            if answer is not None and answer.status_code == httpx.codes.OK:
                self.without_index += answer.json()["degraded"]
            else:
                told = "no answer" if answer is None else str(answer.status_code)
                self.refused.append(f"{told} after {took:.2f} s")
            self._stop.wait(0.05)

    def _ask(self) -> httpx.Response | None:
        for _ in range(3):
            answer = None
            with suppress(httpx.TransportError):
                query = {"q": "轨道扣件"}
                answer = httpx.get(f"{self._url}/api/v1/search", params=query, timeout=3 * ANSWERS)
                if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return answer
            self.again += 1
        return answer

    def end(self) -> None:
        self._stop.set()
        for one in self._threads:
            one.join()


@dataclass
class Seen:
    takeovers: list[float] = field(default_factory=list)
    kills: int = 0
    listings: int = 0
    deals: int = 0
    imports: int = 0
    searches: int = 0
    asked_again: int = 0
    without_index: int = 0
    median: float = 0.0
    slowest: float = 0.0
    sent_again: int = 0


def active(parts: Parts, cluster: Cluster) -> str:
    """Return the name of the indexer that has the lock, once one has it."""
    found: list[str] = []

    def known() -> bool:
        numbers = [int(str(one).rsplit(" ", 1)[1]) for one in column(parts, ACTIVE)]
        names = [one for one in ("indexer-1", "indexer-2") if cluster.number(one) in numbers]
        found[:] = names
        assert len(names) <= 1, "two at a time"
        return bool(names)

    until(known, 30, "an active indexer")
    return found[0]


def taken_over(parts: Parts, cluster: Cluster) -> float:
    """Kill the active indexer under load; return the seconds until another one has written."""
    before = active(parts, cluster)
    number = cluster.number(before)
    begun, at = time.monotonic(), datetime.now(UTC)
    cluster.kill(before)

    def written() -> bool:
        with parts.database.read() as session:
            query = "SELECT max(done_at) FROM delivery WHERE consumer = 'index'"
            newest = session.execute(text(query)).scalar_one()
            return newest is not None and newest > at

    until(written, 60, "the standby has written")
    took = time.monotonic() - begun
    cluster.back(before, number)
    return took


def lose(cluster: Cluster, name: str) -> None:
    before = cluster.number(name)
    cluster.kill(name)
    cluster.back(name, before)


def nodes_are_back(cluster: Cluster) -> None:
    def whole() -> bool:
        with suppress(httpx.TransportError):
            for host in cluster.settings.search_hosts:
                found = httpx.get(f"{host}/_cluster/health", timeout=5).json()
                if (found.get("status"), found.get("number_of_nodes")) != ("green", 3):
                    return False
            return True
        return False

    until(whole, 240, "the search cluster is whole")


def settled(parts: Parts) -> None:
    """Wait until nothing is owed; tell what still is where that takes too long."""
    deadline = time.monotonic() + 240
    while (left := left_to_do(parts)).total:
        if time.monotonic() > deadline:
            open_ones = "SELECT kind || state || attempts || coalesce(error, '') FROM job"
            raise AssertionError((left, column(parts, f"{open_ones} WHERE state <> 'done'")))
        time.sleep(0.1)


def searchable(settings: Settings, parts: Parts) -> int:
    """Hold that each published listing is found by its own title; return how many there are."""
    titles = column(
        parts,
        "SELECT r.title FROM listing l JOIN listing_revision r ON r.id = l.public_revision_id "
        "WHERE r.title LIKE '第%'",
    )
    with closing(open_reader(settings)) as engine:
        for title in titles:
            assert engine.search(SearchRequest(parse(f'"{title}"', SCHEMA).query)).total == 1, title
    return len(titles)


def run(cluster: Cluster, settings: Settings, *, rounds: int, nodes: int, seed: int) -> Seen:
    parts = build_parts(settings)
    chance, seen = random.Random(seed), Seen()
    trading = Trading(parts, cluster.url, region="1100")
    readers: Readers | None = None
    try:
        until(lambda: len(trading.done.signed) > 2 or bool(trading.failed), 120, "trade has begun")
        assert not trading.failed, trading.failed
        readers = Readers(cluster.url, 2)
        for _ in range(rounds):
            if nodes > 1:
                lose(cluster, f"search-{chance.randint(1, nodes)}")
                time.sleep(chance.uniform(1, 3))
                nodes_are_back(cluster)
            for kind in ("worker", "web"):
                lose(cluster, f"{kind}-{chance.randint(1, 2)}")
                time.sleep(chance.uniform(1, 3))
            seen.takeovers.append(taken_over(parts, cluster))
            seen.kills += 3 + (nodes > 1)
            assert not trading.failed, trading.failed
            if rounds > 1:
                with trading.gate.closed():
                    settled(parts)
                    agrees(settings, parts, trading.done, f"seed {seed}")
        trading.end()
        settled(parts)
        agrees(settings, parts, trading.done, f"seed {seed}, at the end")
        seen.listings = searchable(settings, parts)
    finally:
        if readers is not None:
            readers.end()
        close_parts(parts)
    assert not readers.refused, readers.refused
    assert max(readers.took) <= 3 * ANSWERS, sorted(readers.took)[-5:]
    seen.searches, seen.slowest = len(readers.took), max(readers.took)
    seen.asked_again, seen.without_index = readers.again, readers.without_index
    seen.median = statistics.median(readers.took)
    seen.deals, seen.imports = len(trading.done.signed), len(trading.done.imports)
    seen.sent_again = sum(one.again for one in trading.clients)
    assert seen.listings >= len(trading.done.asked) > 0
    return seen


def told(seen: Seen) -> str:
    overs = "、".join(f"{one:.2f}" for one in seen.takeovers)
    return (
        f"{seen.searches}次搜索全部有答复（{seen.asked_again}次问了另一个网页进程，"
        f"{seen.without_index}次由数据库答复），中位{seen.median:.2f}秒，最慢{seen.slowest:.2f}秒；"
        f"索引进程的后备在{overs}秒内接手；"
        f"{seen.listings}条成果都搜得到；zhihe audit 每次一致"
    )


def test_a_worker_a_web_process_and_the_indexer_are_lost(
    settings: Settings, elastic: Elastic, tmp_path: Path
) -> None:
    seed = int(os.environ.get("SEED", "0")) or random.SystemRandom().randrange(10**6)
    prefix = prefix_of(tmp_path)
    settings = replace(settings, search_url=elastic.url, search_prefix=prefix)
    more = {"ZHIHE_SEARCH_URL": elastic.url, "ZHIHE_SEARCH_PREFIX": prefix}
    try:
        with running(settings, tmp_path, **more) as cluster:
            seen = run(cluster, settings, rounds=1, nodes=1, seed=seed)
    finally:
        elastic.drop(prefix)
    print(f"seed {seed}: {seen}\n{told(seen)}")
    assert max(seen.takeovers) <= 3 * TAKES_OVER


@pytest.mark.full
def test_every_part_is_lost_in_turn(
    settings: Settings, tmp_path: Path, verified: Callable[..., None]
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    rounds = int(os.environ.get("ROUNDS", "3"))
    with running(settings, tmp_path) as cluster:
        ports = [
            next(
                part.removeprefix("http.port=")
                for part in Path(f"/proc/{cluster.number(f'search-{n}')}/cmdline")
                .read_text()
                .split("\0")
                if part.startswith("http.port=")
            )
            for n in (1, 2, 3)
        ]
        cluster.settings = replace(
            settings, search_url=",".join(f"http://127.0.0.1:{port}" for port in ports)
        )
        seen = run(cluster, cluster.settings, rounds=rounds, nodes=3, seed=seed)
    print(f"seed {seed}: {seen}")
    verified(
        "PostgreSQL、三个 Elasticsearch 节点（一份副本）、两个网页、两个任务、索引和后备，逐个 kill -9",
        how_many=f"{seen.kills}次；其间{seen.listings}条成果、{seen.deals}份合同、"
        f"{seen.imports}次导入，{seen.sent_again}个请求没有得到回答而重发",
        result=f"已答复的没有丢失，任务没有丢失或重复；{told(seen)}",
        seed=seed,
    )
    assert max(seen.takeovers) <= TAKES_OVER
