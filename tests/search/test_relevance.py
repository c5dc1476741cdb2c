"""The production scorer against what people judged (see `bench/relevance/README.md` of the shared files)."""

import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from search.document import Document
from search.engines.tantivy import TantivyEngine
from search.metrics import mean_ndcg
from search.query import SearchRequest
from search.rankfile import rank_pairs, read_rows
from search.ranking import Ranker, TermStatistics, Text
from search.schema import Schema, TextField
from search.similar import similar

SHARED = Path(os.environ.get("ZHIHE_SHARED") or Path(__file__).parents[3] / "shared")
FOLDER = SHARED / "bench" / "relevance"

pytestmark = pytest.mark.skipif(
    not FOLDER.exists() and not os.environ.get("CI"), reason=f"no judged pairs in {FOLDER}"
)


def rows(name: str, *keys: str) -> list[dict[str, Any]]:
    with (FOLDER / f"{name}.jsonl").open(encoding="utf-8") as lines:
        return list(read_rows(lines, keys))


def test_ndcg_of_the_production_scorer() -> None:
    pairs = rows("pairs", "demand_id", "achievement_id")
    demands, achievements = rows("demands", "id"), rows("achievements", "id")
    started = time.perf_counter()
    lists = defaultdict(list)
    ranked = rank_pairs(
        demands, achievements, pairs, wanted_key="demand_id", offered_key="achievement_id"
    )
    for pair, scored in zip(pairs, ranked, strict=True):
        lists[pair["demand_id"]].append((float(scored["score"]), pair["level"]))
    value = mean_ndcg(lists.values())
    print(f"NDCG@10 {value:.4f} on {len(pairs)} pairs, {time.perf_counter() - started:.1f} s")
    assert value >= 0.70


def test_scoring_prepared_pairs_is_cheap() -> None:
    demands, achievements = rows("demands", "id"), rows("achievements", "id")
    wanted = [Text(row["title"], row["content"]) for row in demands]
    offered = [Text(row["title"]) for row in achievements]
    ranker = Ranker(TermStatistics.of([*wanted, *offered]))
    left = [ranker.prepare(one) for one in wanted[:10]]
    right = [ranker.prepare(one) for one in offered]
    started = time.perf_counter()
    total = sum(ranker.score(one, other) for one in left for other in right)
    each = (time.perf_counter() - started) / (len(left) * len(right)) * 1e6
    print(f"{each:.1f} µs a pair")
    assert total > 0
    assert each < 60, "20 µs on an idle machine"


def test_candidates_hold_what_the_scorer_puts_first(tmp_path: Path) -> None:
    """Of the ten best by scoring everything, how many are among 200 candidates of the index."""
    schema = Schema(texts=(TextField("title", 3.0, grams=True), TextField("body")))
    demands, achievements = rows("demands", "id"), rows("achievements", "id")
    offered = [Text(row["title"]) for row in achievements]
    ranker = Ranker(
        TermStatistics.of([*offered, *(Text(row["title"], row["content"]) for row in demands)])
    )
    prepared = [ranker.prepare(one) for one in offered]
    engine = TantivyEngine(tmp_path, schema, read_only=False)
    engine.write([Document(n, 1, {"title": one.title}) for n, one in enumerate(offered, start=1)])
    kept = wanted = 0
    for row in demands[::8]:
        text = ranker.prepare(Text(row["title"], row["content"]))
        scores = [ranker.score(text, one) for one in prepared]
        best = sorted(range(len(scores)), key=lambda n: -scores[n])[:10]
        request = SearchRequest(similar(engine, text.text), limit=200)
        found = {hit.id - 1 for hit in engine.search(request).hits}
        kept += len(found & set(best))
        wanted += len(best)
    engine.close()
    print(f"{kept / wanted:.3f} of the ten best are among 200 candidates")
    assert kept / wanted >= 0.97
