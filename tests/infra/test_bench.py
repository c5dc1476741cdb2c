"""The site's measurement runs whole, and what it leaves is what the page of figures is made of."""

import json
from pathlib import Path

import pytest

from infra.bench import figures, report, site
from market.kit.errors import Invalid

KEYS = ["work", "unit", "ours", "peer", "ratio", "limit", "ok"]


def test_a_small_site_is_measured_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "ASKED", 8)
    monkeypatch.setattr(site, "FILE_ROWS", 40)  # so that a kind comes in several files
    folder = tmp_path / "data"
    folder.mkdir()
    told: list[str] = []
    path = tmp_path / "site-100.json"
    figures.save(path, site.run(folder, 100, 1, told.append))
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


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text('[{"work": "?"}]', encoding="utf-8")
    with pytest.raises(Invalid) as refused:
        report.page([path])
    assert "other.json" in refused.value.fields
