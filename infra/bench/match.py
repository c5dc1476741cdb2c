"""`zhihe bench match`: every demand of a market compared anew, beside bare tantivy and a product of
sparse matrices.

A pair is one demand with one achievement: finding the best candidates of a demand looks at all.
"""

import importlib.util
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from infra.bench import asking, market
from infra.bench.figures import Figure, rounded
from infra.bench.market import DEMANDS_IN, Plan, Progress
from infra.bench.measure import Peak, watched
from infra.bench.native import Native
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader
from market.accounts.work import Parts
from market.catalog import views
from market.catalog.views import Source
from market.catalog.vocabulary import ListingKind
from market.discovery import tasks
from market.discovery.documents import ranked_text
from market.discovery.drain import drain_matches, left_to_do
from market.discovery.matching import CANDIDATES, Matcher, candidates
from market.jobs import handlers
from market.kit.ids import ListingId
from market.kit.jobs import Runner
from search.port import SearchEngine
from search.query import SearchRequest
from search.similar import similar

SHARE = 0.7
"""Of bare tantivy's pairs a second."""
SECONDS, OF_DEMANDS = 60.0, 2_000
WITHOUT_SCIPY = "没有安装 scipy（uv pip install --group bench），不量稀疏矩阵乘法"
_AT_ONCE = 500


def run(folder: Path, size: int, seed: int, progress: Progress) -> list[Figure]:
    """Measure `size` achievements with a fiftieth as many demands in an empty folder.

    About 3 minutes for 100,000.
    """
    settings = Settings(data_dir=folder)
    plan = Plan(size, size // DEMANDS_IN, seed, datetime.now(UTC).replace(microsecond=0))
    market.fill(settings, plan, progress)
    parts = build_parts(settings)
    try:
        with closing(open_reader(settings)) as engine:
            found = list(_candidate_stage(settings, parts, engine, plan, progress))
            found += _whole(settings, parts, engine, plan, progress)
    finally:
        close_parts(parts)
    return found


def _candidate_stage(
    settings: Settings, parts: Parts, engine: SearchEngine, plan: Plan, progress: Progress
) -> Iterator[Figure]:
    progress("提出候选")
    demands = sources(parts, ListingKind.DEMAND)
    kind, filters = ListingKind.ACHIEVEMENT, {"kind": frozenset({str(ListingKind.ACHIEVEMENT)})}
    native = Native(settings.index_dir)
    asks = [
        native.best(
            SearchRequest(similar(engine, ranked_text(one.text)), filters, limit=CANDIDATES)
        )
        for one in demands
    ]
    ours = bare = 0.0
    for demand, ask in zip(demands, asks, strict=True):  # in turn: both meet the same machine
        for once in (False, True):
            mine = asking.each([lambda demand=demand: candidates(engine, demand, kind)])[0]  # type: ignore[misc]
            theirs = asking.each([ask])[0]
            ours, bare = ours + once * mine, bare + once * theirs
    pairs = plan.achievements * plan.demands * 1000
    limit = SHARE * pairs / bare
    yield Figure(
        f"提出候选，{plan.achievements:,}×{plan.demands:,}，每条{CANDIDATES}个（单独的tantivy：同样的查询）",
        "对/秒",
        rounded(pairs / ours),
        rounded(pairs / bare),
        rounded(limit),
        at_least=True,
    )
    if importlib.util.find_spec("scipy") is None:
        progress(WITHOUT_SCIPY)
        return
    from infra.bench import sparse  # noqa: PLC0415 - there only where somebody measures

    progress("稀疏矩阵乘法")
    offered = sources(parts, ListingKind.ACHIEVEMENT)
    yield Figure(
        f"提出候选，{plan.achievements:,}×{plan.demands:,}，每条{CANDIDATES}个（scipy：稀疏矩阵乘法）",
        "对/秒",
        rounded(pairs / ours),
        rounded(pairs / 1000 / sparse.seconds(demands, offered, CANDIDATES)),
    )


def sources(parts: Parts, kind: ListingKind) -> list[Source]:
    """Return all listings of a kind that everybody sees."""
    found: list[Source] = []
    with parts.database.read() as session:
        after: Sequence[ListingId] = [ListingId(0)]
        while after:
            after = views.public_ids(session, kind, after_id=after[-1], limit=_AT_ONCE)
            found += views.document_source(session, after).values()
    return found


def _whole(
    settings: Settings, parts: Parts, engine: SearchEngine, plan: Plan, progress: Progress
) -> Iterator[Figure]:
    peak = Peak()
    with watched(peak):
        rematched(settings, parts, engine, progress)
    yield Figure(
        f"全部重新比较，{plan.achievements:,}×{plan.demands:,}，每条重评{CANDIDATES}个、说明并存下20个",
        "秒",
        rounded(peak.seconds),
        limit=rounded(SECONDS * plan.demands / OF_DEMANDS),
    )
    yield Figure("全部重新比较时一个进程的匿名内存峰值", "MB", rounded(peak.mb))


def rematched(settings: Settings, parts: Parts, engine: SearchEngine, progress: Progress) -> None:
    """Compare all demands anew, as the worker does when it is asked to."""
    with parts.database.write() as session:
        tasks.rematch(session, at=parts.clock.now())
    runner = Runner(parts.database, parts.clock, handlers(parts))
    while runner.run_one():
        pass
    matcher = Matcher(settings.match_floor, feedback=settings.match_feedback)
    told = time.monotonic()
    while drain_matches(parts, engine, matcher):
        if time.monotonic() - told > 10:
            progress(f"比较，还剩{left_to_do(parts).match:,}条")
            told = time.monotonic()
