"""`zhihe bench site`: the whole site with N listings, beside the engine alone, in one run.

Everything is made in an empty folder: the database, the index, the files. The listings come in by
the import that people use. Pages are asked over HTTP of a web process like any other; the engine
alone (infra.bench.bare) is then asked just what those pages asked of it, on the same index.
"""

import json
import pickle
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, cast
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

from infra import imports, migrate
from infra.bench import listings
from infra.bench.bare import Asked
from infra.bench.figures import Figure, percentile, rounded
from infra.bench.measure import Peak, anonymous_mb, watched
from infra.settings import Settings, child_environment
from infra.users import create
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
from market.jobs import handlers
from market.kit.ids import ListingId
from market.kit.jobs import Runner
from search.engines.tantivy import TantivyEngine
from search.port import SearchEngine
from search.query import SearchRequest
from search.result import SearchResult

DEMANDS_IN = 50  # one listing in so many is a demand, as on boards elsewhere
CODE = "X1990000000000018A"
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
    settings = Settings(data_dir=folder, port=_free_port())
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


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _imported(
    settings: Settings, parts: Parts, size: int, seed: int, progress: Progress
) -> Iterator[Figure]:
    create(
        parts,
        email="bench@bench.example",
        name="测量",
        role="manager",
        code=CODE,
        org_name="测量用大学",
        org_kind="university",
    )
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
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    runner = Runner(parts.database, parts.clock, handlers(parts))
    with path.open("rb") as stream, watched(spent.rows):
        imports.run(
            settings,
            parts,
            kind=kind,
            code=CODE,
            name=path.name,
            stream=stream,
            publish=True,
            wait=False,
            quiet=True,
        )
        while runner.run_one():
            pass
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
    paths = {kind: [_path(one) for one in pages] for kind, pages in plan.items()}
    with _served(settings) as pid:
        base = f"http://127.0.0.1:{settings.port}"
        others = {"首页": ["/"] * ASKED, "成果页": _listing_paths(parts)}
        taken = {kind: _time(base, some) for kind, some in (paths | others).items()}
        with ThreadPoolExecutor(CLIENTS) as pool:
            begun = time.perf_counter()
            list(pool.map(lambda path: _get(base + path), paths["搜索"]))
            rate = ASKED / (time.perf_counter() - begun)
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


def _path(params: SearchParams) -> str:
    query: list[tuple[str, str]] = [("q", params.q), ("kind", params.kind)]
    query += [(name, one) for name, some in params.chosen.items() for one in some]
    query += [("sort", params.sort), ("page", str(params.page))]
    return f"/search?{urlencode(query)}"


def _listing_paths(parts: Parts) -> list[str]:
    with parts.database.read() as session:
        ids = views.public_ids(session, after_id=ListingId(0), limit=ASKED)
        return [
            f"/listings/{one.public_id}" for one in views.document_source(session, ids).values()
        ]


def _get(url: str) -> float:
    begun = time.perf_counter()
    with urlopen(url, timeout=30) as answer:  # noqa: S310  our own server
        answer.read()
    return (time.perf_counter() - begun) * 1000


def _time(base: str, paths: Sequence[str]) -> list[float]:
    for path in paths[: ASKED // 4]:
        _get(base + path)
    return [_get(base + path) for path in paths]


@contextmanager
def _served(settings: Settings) -> Iterator[int]:
    """Run a web process of the site; yield its id when it answers."""
    with subprocess.Popen(
        [sys.executable, "-m", "infra.cli", "serve"], env=_environment(settings)
    ) as web:
        try:
            _wait(f"http://127.0.0.1:{settings.port}/", web)
            yield web.pid
        finally:
            web.send_signal(signal.SIGTERM)
            web.wait(timeout=30)


def _wait(url: str, web: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            _get(url)
        except URLError:
            if web.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def _environment(settings: Settings) -> dict[str, str]:
    return child_environment(data_dir=str(settings.data_dir), port=str(settings.port))


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
        env=_environment(settings),
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
