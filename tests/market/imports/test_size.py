"""Files of the largest size: memory stays flat, each transaction short, and every row is there."""

import os
import random
import time
import tracemalloc
from pathlib import Path

import psutil
import pytest

from market.accounts.work import Parts
from market.catalog.models import Listing
from market.imports import flow, service, tasks
from market.kit.jobs import Runner, Steps
from tests import factories
from tests.market.imports.bringing import A, Bringing, counted
from tests.support.market import work_for

WORDS = ("焊缝", "电池", "轨道", "检测", "回收", "监测", "材料", "算法", "催化", "涂层")


def write_file(path: Path, rows: int, seed: int) -> None:
    """Write a table of `rows` rows, one in a thousand of them without a name."""
    chosen = random.Random(seed)
    with path.open("w", encoding="utf-8") as out:
        out.write("编号,项目名称,技术介绍,成熟度,价格（万元）\n")
        for n in range(rows):
            title = "" if n % 1000 == 500 else "".join(chosen.choices(WORDS, k=4)) + str(n)
            body = "".join(chosen.choices(WORDS, k=28))  # 200,000 rows stay below 50 MB
            level = chosen.choice(["小试", "中试", "量产"])
            out.write(f"N-{n},{title},{body},{level},{n % 90 + 1}-{n % 90 + 30}\n")


class _Timed:
    """Runs jobs; keeps how long transactions took and how much memory the process had."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.longest = 0.0
        self.memory: list[int] = []
        self.process = psutil.Process(os.getpid())

    def run(self) -> None:
        steps = dict(tasks.handlers(self.parts))
        bring = steps[flow.BRING]
        assert isinstance(bring, Steps)

        def commit(session, job, prepared):
            began = time.perf_counter()
            chunk = bring.commit(session, job, prepared)
            self.longest = max(self.longest, time.perf_counter() - began)
            self.memory.append(self.process.memory_info().rss)
            return chunk

        timed = Steps(bring.prepare, commit, bring.given_up, bring.lease)
        runner = Runner(self.parts.database, self.parts.clock, steps | {flow.BRING: timed})
        while runner.run_one():
            pass


def bring_in(parts: Parts, path: Path, rows: int, seed: int) -> tuple[_Timed, float, float]:
    """Bring a written file in by dry run and import; return (timings, seconds of each)."""
    write_file(path, rows, seed)
    at = Bringing(parts, factories.organisation(parts))
    with path.open("rb") as stream:
        received = service.receive(parts.files, path.name, stream)
    with work_for(parts, at.editor) as work:
        run = service.start(work, at.home.id, A, received, ask=True)
    timed = _Timed(parts)
    began = time.perf_counter()
    timed.run()
    tried = time.perf_counter() - began
    with work_for(parts, at.editor) as work:
        service.confirm(work, run.public_id)
    began = time.perf_counter()
    timed.run()
    brought = time.perf_counter() - began
    bad = rows // 1000
    assert counted(at.view(run)) == (rows - bad, 0, 0, bad)
    assert at.count(Listing) == rows - bad
    return timed, tried, brought


def test_memory_does_not_grow_with_the_file(parts: Parts, tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        bring_in(parts, tmp_path / "成果.csv", 3000, seed=random.randrange(2**32))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 40_000_000


@pytest.mark.full
def test_two_hundred_thousand_rows(parts: Parts, tmp_path: Path, verified) -> None:
    """Takes about ten minutes."""
    rows = int(os.environ.get("ZHIHE_TEST_ROWS", "200000"))
    seed = 20261122
    timed, tried, brought = bring_in(parts, tmp_path / "成果.csv", rows, seed)
    early = max(timed.memory[: len(timed.memory) // 10])
    late = max(timed.memory)
    verified(
        "大文件导入：试导入、导入、内存",
        how_many=f"{rows:,}行CSV",
        result=(
            f"试导入{tried:.0f}秒、导入{brought:.0f}秒（{rows / brought:.0f}行/秒），"
            f"最长的一个事务{timed.longest:.2f}秒，"
            f"内存从{early / 2**20:.0f} MB到{late / 2**20:.0f} MB"
        ),
        seed=seed,
    )
    assert late < early + 60 * 2**20
    assert timed.longest < 5
