"""`zhihe bench import`: listings from files until they can be searched for.

The import runs here as the worker runs it, the indexer beside it in a process of its own: every row
is validated, written durably, published and indexed. Comparing is measured by `zhihe bench match`.
"""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from infra import migrate
from infra.bench import bringing, http, listings
from infra.bench.figures import Figure, rounded
from infra.bench.market import Plan, Progress
from infra.bench.measure import anonymous_mb
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader
from market.accounts.work import Parts
from market.discovery.documents import SCHEMA, document
from market.discovery.drain import left_to_do
from search.engines.tantivy import TantivyEngine
from search.errors import SearchUnavailable

RATE = 5_000.0
FLAT = 1.2
"""Of the most memory in the first third of the files, the most in the last."""
FILE_ROWS = 25_000  # of one imported file: well below the 50 MB that a file may have
FILES = 6  # at least, so that memory has thirds
BARE_BATCH = 1_000  # documents of one commit, as the indexer writes them
LOOK = 0.05  # seconds between two looks at what is left to index


def run(folder: Path, size: int, seed: int, progress: Progress) -> list[Figure]:
    """Measure in an empty folder: about 10 minutes for 1,000,000 listings."""
    settings = Settings(data_dir=folder / "data")
    files = list(_files(folder, size, seed))
    migrate.migrate(settings.database)
    parts = build_parts(settings)
    try:
        bringing.add_owner(parts)
        found = list(_brought_in(settings, parts, files, size, progress))
    finally:
        close_parts(parts)
    progress("tantivy单独建索引")
    bare = _bare(folder / "bare", Plan(size, 0, seed, datetime.now(UTC)))
    return [_rate(size, found[0], bare), _memory(found[1:])]


def _files(folder: Path, size: int, seed: int) -> Iterator[Path]:
    rows = listings.listings(size, seed)
    rows_each = min(FILE_ROWS, -(-size // FILES))
    for number in range(-(-size // rows_each)):
        path = folder / f"{number}.jsonl"
        bringing.write_rows(path, islice(rows, rows_each))
        yield path


def _brought_in(
    settings: Settings, parts: Parts, files: list[Path], size: int, progress: Progress
) -> Iterator[float]:
    """Yield the seconds, then the memory of both processes in MB after each file."""
    with http.running(settings, "infra.cli", "indexer") as indexer:
        _until_indexing(settings, indexer)
        memory = []
        begun = time.perf_counter()
        for path in files:
            bringing.import_file(settings, parts, "achievements", path)
            path.unlink()
            memory.append(anonymous_mb() + anonymous_mb(indexer.pid))
            progress(f"导入{len(memory)}/{len(files)}个文件")
        while left_to_do(parts).index:
            time.sleep(LOOK)
        yield time.perf_counter() - begun
    with closing(open_reader(settings)) as engine:
        if engine.count() != size:
            raise MissingError(f"{engine.count()} of {size} can be searched for")
    yield from memory


class MissingError(Exception):
    """Listings were left behind: how fast the rest came says nothing."""


def _until_indexing(settings: Settings, process: subprocess.Popen[bytes]) -> None:
    """Wait until the indexer has made the index."""
    with closing(open_reader(settings)) as engine:
        while process.poll() is None:
            try:
                engine.count()
            except SearchUnavailable:
                time.sleep(LOOK)
            else:
                return
    raise MissingError("the indexer ended")


def _bare(folder: Path, plan: Plan) -> float:
    """Return how many finished documents a second tantivy alone takes in."""
    taken = 0.0
    with closing(TantivyEngine(folder, SCHEMA, read_only=False)) as engine:
        sources = plan.sources()
        while some := [document(one, 1) for one in islice(sources, BARE_BATCH)]:
            begun = time.perf_counter()
            engine.write(some)
            taken += time.perf_counter() - begun
    return plan.total / taken


def _rate(size: int, seconds: float, bare: float) -> Figure:
    return Figure(
        f"导入{size:,}条，逐条核对、写入、发布，直到能搜到（引擎单独：写入同样的文档）",
        "条/秒",
        rounded(size / seconds),
        rounded(bare),
        RATE,
        at_least=True,
    )


def _memory(memory: Sequence[float]) -> Figure:
    third = max(1, len(memory) // 3)
    first, last = max(memory[:third]), max(memory[-third:])
    return Figure(
        "导入后三分之一文件时两个进程的匿名内存（同类：前三分之一时）",
        "MB",
        rounded(last),
        rounded(first),
        rounded(FLAT * first),
    )
