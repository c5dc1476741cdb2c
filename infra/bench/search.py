"""`zhihe bench search`: pages of results of N listings beside bare tantivy, and beside SQLite's
full-text search behind the same page.

Two markets are filled, one with a tenth of the listings, so that growth is measured in the same
run. Ours is asked over HTTP of a web process like any other; the peers are asked the same.
"""

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from infra.bench import adapter, asking, http, market, repository_fts5
from infra.bench.asking import LONG, TERM
from infra.bench.figures import Figure, percentile, rounded
from infra.bench.market import Plan, Progress
from infra.bench.measure import anonymous_mb
from infra.settings import Settings
from market.discovery.results import SearchParams

ASKED = 200
SECONDS = 10.0  # of every measurement of calls a second
PROCESSES = 2
CLIENTS = 4
MEMORY_MB = 200
GROWTH = 6.0
CALLS = 0.5
FTS5 = "fts5.db"
LEAST = 100  # listings of the smaller market
BESIDE = {TERM: 5.0, LONG: 10.0}
"""So many times faster than SQLite's full-text search."""
SLACK_MS = {"p50": 5.0, "p99": 15.0}
_SHARES = {"p50": 0.5, "p99": 0.99}

Taken = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class _Market:
    settings: Settings
    plan: Plan
    pages: dict[str, list[SearchParams]]

    @property
    def paths(self) -> dict[str, list[str]]:
        return {kind: [http.path_of(one) for one in some] for kind, some in self.pages.items()}


@dataclass(slots=True)
class _Asked:
    """Milliseconds by kind of page, of each who was asked, and the web process's memory in MB."""

    ours: Taken
    bare: Taken
    memory: float = 0.0


def run(
    folder: Path, size: int, seed: int, progress: Progress, *, search_url: str = ""
) -> list[Figure]:
    """Measure in an empty folder: about 15 minutes and 6 GB for 1,000,000 listings.

    `search_url`: an Elasticsearch by which the adapter is measured.
    """
    at = datetime.now(UTC)
    small = _filled(folder / "tenth", market.of_size(max(LEAST, size // 10), seed, at), progress)
    whole = _filled(folder / "whole", market.of_size(size, seed, at), progress, peer=True)
    progress("问网页和单独的引擎")
    before, now = _asked(small), _asked(whole)
    found = list(_against_bare(whole.plan, now))
    found += _growth(small.plan, whole.plan, before, now)
    progress("问同一网页后面的SQLite FTS5")
    found += _against_fts5(whole, now)
    progress("数每秒次数")
    found += _calls(whole)
    if search_url:
        progress("问Elasticsearch")
        found += adapter.figures(whole.plan, search_url)
    else:
        progress("没有给出 --search-url，不量 Elasticsearch 适配层")
    return found


def _filled(folder: Path, plan: Plan, progress: Progress, *, peer: bool = False) -> _Market:
    settings = Settings(data_dir=folder)
    folder.mkdir()
    other = get_context("spawn").Process(target=repository_fts5.build, args=(folder / FTS5, plan))
    if peer:
        other.start()
    market.fill(settings, plan, progress)
    if peer:
        other.join()
        if other.exitcode:
            raise RuntimeError("building the peer's index failed")
    return _Market(settings, plan, asking.typed(plan, ASKED))


def _asked(one: _Market) -> _Asked:
    with http.served(one.settings) as (web, pid):
        ours = {kind: http.warmed(web, paths) for kind, paths in one.paths.items()}
        memory = anonymous_mb(pid)
    return _Asked(ours, _bare(one, "one"), memory)


def _bare(one: _Market, *how: str) -> Any:
    return json.loads(subprocess.check_output(_bare_command(one, *how)))  # noqa: S603  our own


def _bare_command(one: _Market, *how: str) -> list[str]:
    requests = {
        kind: [asking.request_of(params) for params in some] for kind, some in one.pages.items()
    }
    path = one.settings.data_dir / "requests.pickle"
    path.write_bytes(pickle.dumps(requests))
    return [
        sys.executable,
        "-m",
        "infra.bench.asking",
        *map(str, (one.settings.index_dir, path)),
        *how,
    ]


def _against_bare(plan: Plan, asked: _Asked) -> Iterator[Figure]:
    for kind, ours in asked.ours.items():
        for name, share in _SHARES.items():
            bare = percentile(asked.bare[kind], share)
            yield Figure(
                f"结果页，{plan.total:,}条，{kind}，{name}（HTTP；单独的tantivy：同样的查询和分面）",
                "毫秒",
                rounded(percentile(ours, share)),
                rounded(bare),
                rounded(2 * bare + SLACK_MS[name]),
            )


def _growth(small: Plan, whole: Plan, before: _Asked, now: _Asked) -> Iterator[Figure]:
    for kind, ours in now.ours.items():
        first = percentile(before.ours[kind], 0.5)
        yield Figure(
            f"结果页，{kind}，p50，由{small.total:,}条（同类）到{whole.total:,}条",
            "毫秒",
            rounded(percentile(ours, 0.5)),
            rounded(first),
            rounded(GROWTH * first),
        )
    yield Figure(
        f"网页进程的匿名内存，{whole.total:,}条", "MB", rounded(now.memory), limit=MEMORY_MB
    )


def _against_fts5(one: _Market, asked: _Asked) -> Iterator[Figure]:
    """How many times as fast as the peer: its milliseconds by ours."""
    with http.served(one.settings, "infra.bench.fts5", str(one.settings.data_dir / FTS5)) as (
        web,
        _,
    ):
        for kind, paths in one.paths.items():
            some = paths[: max(1, len(paths) // 20)]  # it takes many seconds for a long query
            theirs = percentile(http.warmed(web, some), 0.5)
            ours = percentile(asked.ours[kind], 0.5)
            yield Figure(
                f"结果页，{one.plan.total:,}条，{kind}，p50（SQLite FTS5：同一网页）",
                "毫秒",
                rounded(ours),
                rounded(theirs),
                rounded(theirs / BESIDE[kind]),
            )


def _calls(one: _Market) -> Iterator[Figure]:
    path = one.settings.data_dir / "typed.pickle"
    path.write_bytes(pickle.dumps(one.pages[TERM]))
    service = _together(one, ["-m", "infra.bench.calling", str(path), str(SECONDS)])
    only = _Market(one.settings, one.plan, {TERM: one.pages[TERM]})
    bare = _together(one, _bare_command(only, "for", str(SECONDS))[1:])
    yield Figure(
        f"搜索服务，{PROCESSES}个进程，{TERM}（解析、编译、搜索、计数、分面；单独的tantivy：同样的查询）",
        "次/秒",
        rounded(service),
        rounded(bare),
        rounded(CALLS * bare),
        at_least=True,
    )
    with ExitStack() as stack:
        webs = [stack.enter_context(http.served(one.settings))[0] for _ in range(PROCESSES)]
        for web in webs:
            http.timed(web, one.paths[TERM][: max(1, ASKED // 4)])
        pages = http.pages_a_second(webs, one.paths[TERM], CLIENTS)
    yield Figure(
        f"结果页，{PROCESSES}个网页进程，{CLIENTS}人同时问，{TERM}", "页/秒", rounded(pages)
    )


def _together(one: _Market, arguments: list[str]) -> float:
    """Run the same program PROCESSES times at once; return the sum of what they print."""
    several = [
        subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, *arguments],
            env=http.environment(one.settings),
            stdout=subprocess.PIPE,
        )
        for _ in range(PROCESSES)
    ]
    told = [process.communicate()[0] for process in several]
    return float(sum(json.loads(one) for one in told))
