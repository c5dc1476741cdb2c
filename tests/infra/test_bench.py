"""Every measurement runs whole, and what it leaves is what the page of figures is made of."""

import importlib.util
import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.bench import (
    adapter,
    asking,
    board,
    freshness,
    importing,
    market,
    match,
    report,
    repository_fts5,
    search,
    site,
)
from infra.bench import figures as figures_
from infra.bench.native import Native
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader
from market.discovery.audit import audit_index
from market.kit.errors import Invalid
from tests.support.elastic import Elastic

KEYS = ["work", "unit", "ours", "peer", "ratio", "limit", "ok"]


def test_a_small_site_is_measured_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "ASKED", 8)
    monkeypatch.setattr(site, "FILE_ROWS", 40)  # so that a kind comes in several files
    folder = tmp_path / "data"
    folder.mkdir()
    told: list[str] = []
    path = tmp_path / "site-100.json"
    figures_.save(path, site.run(folder, 100, 1, told.append))
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert [list(row) for row in rows] == [KEYS] * len(rows)
    by_work = {row["work"]: row for row in rows}
    assert len(by_work) == len(rows) >= 15
    assert all(row["ours"] > 0 for row in rows)
    (search,) = (row for work, row in by_work.items() if work.startswith("搜索，p99"))
    assert search["ratio"] == pytest.approx(search["ours"] / search["peer"], abs=0.01)
    assert search["ok"] is (search["ours"] <= site.DEADLINE_MS)
    (memory,) = (row for work, row in by_work.items() if work.startswith("网页进程"))
    assert memory["limit"] == site.MEMORY_MB
    page = report.page([path])
    assert all(f"| {work} |" in page for work in by_work)
    assert "导入98条（achievements）" in told


def rows(figures: list[figures_.Figure]) -> dict[str, dict[str, Any]]:
    """What was measured, by what it says; nothing twice, and all of it more than nothing."""
    by_work = {one.work: one.row() for one in figures}
    assert len(by_work) == len(figures)
    assert all(row["ours"] > 0 for row in by_work.values())
    return by_work


def one(found: dict[str, dict[str, Any]], *words: str) -> dict[str, Any]:
    (row,) = (row for work, row in found.items() if all(word in work for word in words))
    return row


def test_a_small_board_is_measured_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "ASKED", 4)
    monkeypatch.setattr(board, "AGAIN", 2)
    found = rows(board.run(tmp_path, 100, 1, print))
    audit = one(found, "核对账和密钥链", "100份合同、1,000条分录")
    assert audit["ratio"] == pytest.approx(audit["ours"] / audit["peer"], abs=0.01)
    page = one(found, "看板页，p99")
    assert page["ok"] is (page["ours"] <= board.DEADLINE_MS)


def test_a_market_filled_at_once_is_as_if_published(tmp_path: Path) -> None:
    """The audit finds nothing, and the next listing gets the next number."""
    settings = Settings(data_dir=tmp_path / "data")
    market.fill(settings, market.of_size(300, 7, datetime.now(UTC)), print)
    parts = build_parts(settings)
    try:
        with closing(open_reader(settings)) as engine:
            assert engine.count() == 300
            assert list(audit_index(parts, engine)) == []
    finally:
        close_parts(parts)


def test_searching_is_measured_beside_its_peers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "ASKED", 6)
    monkeypatch.setattr(search, "SECONDS", 0.2)
    told: list[str] = []
    found = rows(search.run(tmp_path, 300, 1, told.append))
    assert any("--search-url" in line for line in told)
    for kind in search.BESIDE:
        row = one(found, "300条", kind, "p50", "tantivy")
        assert row["limit"] == pytest.approx(2 * row["peer"] + 5, rel=0.01)
        beside = one(found, "300条", kind, "FTS5")
        assert beside["ok"] is (beside["ours"] <= beside["limit"] < beside["peer"])
    growth = one(found, search.TERM, "到300条")
    assert growth["limit"] == pytest.approx(6 * growth["peer"], rel=0.01)
    calls = one(found, "搜索服务")
    assert calls["ok"] is (calls["ours"] >= calls["limit"])
    assert one(found, "内存")["limit"] == search.MEMORY_MB


def test_all_who_are_asked_find_the_same(tmp_path: Path) -> None:
    """A peer that did less than ours would say nothing: totals and facets of a term are equal."""
    settings = Settings(data_dir=tmp_path / "data")
    plan = market.of_size(300, 3, datetime.now(UTC))
    market.fill(settings, plan, print)
    repository_fts5.build(tmp_path / "fts5.db", plan)
    peer = repository_fts5.Fts5Engine(tmp_path / "fts5.db")
    native = Native(settings.index_dir)
    pages = asking.typed(plan, 40)
    assert len(pages[asking.LONG]) == 40
    with closing(open_reader(settings)) as engine:
        for params in pages[asking.TERM]:
            request = asking.request_of(params)
            ours, theirs = engine.search(request), peer.search(request)
            assert (ours.total, ours.facets) == (theirs.total, theirs.facets)
            assert len(native.page(request)()) == len(ours.hits)
        assert (
            sum(engine.search(asking.request_of(one)).total > 0 for one in pages[asking.LONG]) == 40
        )
        assert any(engine.search(asking.request_of(one)).total > 3 for one in pages[asking.TERM])


@pytest.mark.elastic
def test_the_adapter_is_measured_beside_the_raw_client(
    elastic: Elastic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adapter, "ASKED", 4)
    plan = market.of_size(300, 1, datetime.now(UTC))
    found = rows(list(adapter.figures(plan, elastic.url)))
    assert len(found) == 2
    assert all(
        row["limit"] == pytest.approx(1.15 * row["peer"], rel=0.01) for row in found.values()
    )
    with elastic.client() as client:
        assert not list(client.indices.get(index="bench-*"))


def test_matching_is_measured_beside_its_peers(tmp_path: Path) -> None:
    told: list[str] = []
    found = rows(match.run(tmp_path, 300, 1, told.append))
    stage = one(found, "提出候选", "300×6", "tantivy")
    assert stage["limit"] == pytest.approx(0.7 * stage["peer"], rel=0.01)
    assert one(found, "全部重新比较，")["limit"] == pytest.approx(60 * 6 / 2000)
    if importlib.util.find_spec("scipy") is None:
        assert match.WITHOUT_SCIPY in told
    else:
        assert one(found, "scipy")["peer"] > 0


def test_an_import_is_measured_until_it_can_be_searched(tmp_path: Path) -> None:
    found = rows(importing.run(tmp_path, 300, 1, print))
    rate = one(found, "导入300条")
    assert (rate["limit"], rate["ok"]) == (5000, rate["ours"] >= 5000)
    memory = one(found, "内存")
    assert memory["limit"] == pytest.approx(1.2 * memory["peer"], rel=0.01)


def test_what_is_published_is_measured_until_it_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(freshness, "SECONDS", 1.2)  # 60 listings, a demand among them
    found = rows(freshness.run(tmp_path, 300, 1, print))
    searched, compared = one(found, "能搜到，p99"), one(found, "并已比较，p99")
    assert searched["limit"] == compared["limit"] == 2000
    assert searched["ours"] <= compared["ours"]


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('[{"work": "?"}]', encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        report.page([path])
    assert "other.json" in refused.value.fields


def test_the_page_of_figures_is_what_the_files_say() -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    files = sorted((docs / "benchmarks").glob("*.json"))
    assert files
    page = (docs / "benchmarks.md").read_text(encoding="utf-8")
    assert page == report.page(files), "run zhihe bench report docs/benchmarks/*.json"
