"""`zhihe bench site`: the whole site with N listings, beside the engine alone, in one run.

Everything is made in an empty folder: the database, the index, the files. The listings come in by
the import that people use. Pages are asked over HTTP of a web process like any other; the engine
alone (infra.bench.bare) is then asked just what those pages asked of it, on the same index.
"""

import json
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, cast

from infra import migrate
from infra.bench import bringing, http, listings
from infra.bench.bare import Asked
from infra.bench.figures import Figure, percentile, rounded
from infra.bench.market import DEMANDS_IN
from infra.bench.measure import Peak, anonymous_mb, watched
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader, open_writer
from market.accounts.work import ANONYMOUS, Parts, Work
from market.catalog import views
from market.catalog.vocabulary import ListingKind
from market.discovery import service as discovery
from market.discovery.documents import SCHEMA, document
from market.discovery.drain import drain_index, drain_matches
from market.discovery.matching import Matcher
from market.discovery.results import SearchParams
from market.discovery.schemas import Sort
from market.kit.ids import ListingId
from search.engines.tantivy import TantivyEngine
from search.port import SearchEngine
from search.query import SearchRequest
from search.result import SearchResult

MEMORY_MB = 200  # promised for a web process
DEADLINE_MS = 2000  # promised to a person for a page
ASKED = 200
CLIENTS = 8
BATCH = 500
FILE_ROWS = 25_000  # of one imported file: well below the 50 MB that a file may have

Progress = Callable[[str], None]


def run(folder: Path, size: int, seed: int, progress: Progress) -> list[Figure]:
    """Measure a site of `size` listings in an empty folder. Takes about 10 minutes for 100,000.

    Raises MarketError where the folder holds a market already.
    """
    settings = Settings(data_dir=folder)
    migrate.migrate(settings.database)
    parts = build_parts(settings)
    try:
        found = list(_imported(settings, parts, size, seed, progress))
        progress("问网页")
        found += _pages(settings, parts, seed)
        progress("核对")
        found += _audited(settings, size)
    finally:
        close_parts(parts)
    return found


def _imported(
    settings: Settings, parts: Parts, size: int, seed: int, progress: Progress
) -> Iterator[Figure]:
    bringing.add_owner(parts)
    demands = size // DEMANDS_IN
    spent = _Spent()
    with closing(open_writer(settings)) as engine:
        for kind, number in (("achievements", size - demands), ("demands", demands)):
            progress(f"导入{number:,}条（{kind}）")
            _bring_in(settings, parts, engine, kind, number, seed, spent)
    progress("引擎单独建索引")
    bare = _bare_index(settings, parts)
    yield Figure(f"导入{size:,}行", "行/秒", rounded(size / spent.rows.seconds))
    yield Figure(
        f"索引{size:,}条（引擎单独：写入同样的文档）",
        "条/秒",
        rounded(size / spent.index.seconds),
        rounded(bare),
    )
    yield Figure(
        f"比较{size:,}条（每条需求对全部成果）", "条/秒", rounded(size / spent.match.seconds)
    )
    peak = max(spent.rows.mb, spent.index.mb, spent.match.mb)
    yield Figure(f"导入、索引、比较{size:,}条时一个进程的匿名内存峰值", "MB", rounded(peak))


@dataclass(slots=True)
class _Spent:
    """Seconds and memory of the three steps from a file to a listing that is found and matched."""

    rows: Peak = field(default_factory=Peak)
    index: Peak = field(default_factory=Peak)
    match: Peak = field(default_factory=Peak)


def _bring_in(
    settings: Settings,
    parts: Parts,
    engine: SearchEngine,
    kind: str,
    number: int,
    seed: int,
    spent: _Spent,
) -> None:
    """Import listings of one kind, step by step, as the processes would side by side."""
    rows = listings.listings(number, seed, demands=kind == "demands")
    for _ in range(0, number, FILE_ROWS):
        _bring_in_file(settings, parts, kind, islice(rows, FILE_ROWS), spent)
    matcher = Matcher(settings.match_floor)
    with watched(spent.index):
        while drain_index(parts, engine):
            pass
    with watched(spent.match):
        while drain_matches(parts, engine, matcher):
            pass


def _bring_in_file(
    settings: Settings, parts: Parts, kind: str, rows: Iterator[dict[str, Any]], spent: _Spent
) -> None:
    path = settings.data_dir / f"{kind}.jsonl"
    bringing.write_rows(path, rows)
    with watched(spent.rows):
        bringing.import_file(settings, parts, kind, path)
    path.unlink()


def _bare_index(settings: Settings, parts: Parts) -> float:
    """Return how many of the site's documents a second the engine alone takes in."""
    taken, count, after = 0.0, 0, ListingId(0)
    with (
        closing(TantivyEngine(settings.data_dir / "bare", SCHEMA, read_only=False)) as engine,
        parts.database.read() as session,
    ):
        while ids := views.public_ids(session, after_id=after, limit=BATCH):
            found = views.document_source(session, ids)
            documents = [document(one, 1) for one in found.values()]
            begun = time.perf_counter()
            engine.write(documents)
            taken += time.perf_counter() - begun
            after, count = ids[-1], count + len(documents)
    return count / taken


class _Recorder:
    """An engine that notes what is asked of it."""

    def __init__(self, engine: SearchEngine) -> None:
        self._engine = engine
        self.asked: list[SearchRequest] = []

    def search(self, request: SearchRequest) -> SearchResult:
        self.asked.append(request)
        return self._engine.search(request)

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)


def _plan(seed: int) -> dict[str, list[SearchParams]]:
    """Return what is asked, by kind of page."""
    typed = [SearchParams(q=q) for q in listings.queries(seed, ASKED)]
    return {
        "搜索": typed,
        "搜索，选了领域、按价格": [
            replace(one, chosen={"field": (str(n % 11 + 1),)}, sort=Sort.PRICE)
            for n, one in enumerate(typed)
        ],
        "搜索，第5页": [replace(one, page=5) for one in typed],
        "需求搜索": [replace(one, kind=ListingKind.DEMAND) for one in typed],
    }


def _asked(parts: Parts, engine: SearchEngine, plan: dict[str, list[SearchParams]]) -> Asked:
    """Return what each page asks of the engine, by running the search behind it."""
    asked: Asked = {}
    with parts.database.read() as session:
        work = Work(session, parts, ANONYMOUS, parts.clock.now())
        for kind, pages in plan.items():
            asked[kind] = []
            for params in pages:
                recorder = _Recorder(engine)
                discovery.search(work, cast(SearchEngine, recorder), params)
                asked[kind].append(recorder.asked)
    return asked


def _pages(settings: Settings, parts: Parts, seed: int) -> Iterator[Figure]:
    plan = _plan(seed)
    with closing(open_reader(settings)) as engine:
        requests = settings.data_dir / "requests.pickle"
        requests.write_bytes(pickle.dumps(_asked(parts, engine, plan)))
    paths = {kind: [http.path_of(one) for one in pages] for kind, pages in plan.items()}
    with http.served(settings) as (web, pid):
        others = {"首页": ["/"] * ASKED, "成果页": _listing_paths(parts)}
        taken = {kind: http.warmed(web, some) for kind, some in (paths | others).items()}
        rate = http.pages_a_second([web], paths["搜索"], CLIENTS)
        memory = anonymous_mb(pid)
    bare = _bare(settings, requests)
    requests.unlink()
    for kind, ms in taken.items():
        alone: list[float] = bare["ms"].get(kind, [])
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            peer = rounded(percentile(alone, share)) if alone else None
            limit = DEADLINE_MS if share > 0.5 else None
            yield Figure(
                f"{kind}，{name}，{ASKED}次（HTTP；引擎单独：同样的查询）",
                "毫秒",
                rounded(percentile(ms, share)),
                peer,
                limit,
            )
    yield Figure(f"{CLIENTS}人同时搜索", "页/秒", rounded(rate))
    yield Figure(
        "网页进程的匿名内存（引擎单独：同样的查询）",
        "MB",
        rounded(memory),
        rounded(bare["anonymous_mb"]),
        MEMORY_MB,
    )


def _listing_paths(parts: Parts) -> list[str]:
    with parts.database.read() as session:
        ids = views.public_ids(session, after_id=ListingId(0), limit=ASKED)
        return [
            f"/listings/{one.public_id}" for one in views.document_source(session, ids).values()
        ]


def _bare(settings: Settings, requests: Path) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-m", "infra.bench.bare", str(settings.index_dir), str(requests)],
        check=True,
        stdout=subprocess.PIPE,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _audited(settings: Settings, size: int) -> Iterator[Figure]:
    begun = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "infra.cli", "audit"],
        check=True,
        env=http.environment(settings),
        stdout=subprocess.DEVNULL,
    )
    taken = time.perf_counter() - begun
    begun = time.perf_counter()
    with closing(open_reader(settings)) as engine:
        for _ in engine.scan():
            pass
    scanned = time.perf_counter() - begun
    yield Figure(
        f"核对{size:,}条（引擎单独：列出全部文档的版本）", "秒", rounded(taken), rounded(scanned)
    )
