"""The production scorer against what people judged (see `bench/relevance/README.md` of the shared files)."""

import os
import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from search import ranking
from search.calibration import FOLDS, fold_of
from search.document import Document
from search.engines.tantivy import TantivyEngine
from search.metrics import ndcg
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


def of_demands(pairs: list[dict[str, Any]]) -> dict[str, float | None]:
    """NDCG@10 of each demand by the scorer as it stands."""
    demands, achievements = rows("demands", "id"), rows("achievements", "id")
    lists = defaultdict(list)
    ranked = rank_pairs(
        demands, achievements, pairs, wanted_key="demand_id", offered_key="achievement_id"
    )
    for pair, scored in zip(pairs, ranked, strict=True):
        lists[pair["demand_id"]].append((float(scored["score"]), pair["level"]))
    return {demand: ndcg(scored) for demand, scored in lists.items()}


def mean(values: Iterable[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known)


def test_ndcg_of_the_production_scorer() -> None:
    pairs = rows("pairs", "demand_id", "achievement_id")
    titles = {row["id"]: row["title"] for row in rows("demands", "id")}
    started = time.perf_counter()
    found = of_demands(pairs)
    taken = time.perf_counter() - started
    value = mean(found.values())
    folds = [
        mean(one for demand, one in found.items() if fold_of(titles[demand]) == fold)
        for fold in range(FOLDS)
    ]
    each = " ".join(f"{one:.4f}" for one in folds)
    print(f"NDCG@10 {value:.4f} on {len(pairs)} pairs, {taken:.1f} s; by folds {each}")
    assert value >= 0.73


def test_its_weights_hold_for_demands_that_did_not_choose_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The weights of body and sentence chosen on four folds, measured on the fifth."""
    pairs = rows("pairs", "demand_id", "achievement_id")
    titles = {row["id"]: row["title"] for row in rows("demands", "id")}
    tried: dict[tuple[float, float], dict[str, float | None]] = {}
    for body, sentence in product((0.3, 0.5, 0.7), (0.0, 0.2, 0.4)):
        monkeypatch.setattr(ranking, "BODY_WEIGHT", body)
        monkeypatch.setattr(ranking, "SENTENCE_WEIGHT", sentence)
        tried[body, sentence] = of_demands(pairs)
    left_out: list[float | None] = []
    for fold in range(FOLDS):
        there = {demand for demand in tried[0.5, 0.2] if fold_of(titles[demand]) == fold}
        best = max(
            tried,
            key=lambda weights: mean(v for d, v in tried[weights].items() if d not in there),
        )
        print(f"fold {fold}: body {best[0]}, sentence {best[1]} chosen on the others")
        left_out += [value for demand, value in tried[best].items() if demand in there]
    print(f"NDCG@10 {mean(left_out):.4f} on folds left out")
    assert mean(left_out) >= 0.73


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
