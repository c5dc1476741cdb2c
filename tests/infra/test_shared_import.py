"""The command line on real input: 312 demands and 5,576 achievements that people judged.

The whole files in the full run, their first parts otherwise. The data lie beside the project.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from search.metrics import mean_ndcg

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "bench" / "relevance"
CODE = "X1990000000001011U"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="评测数据：../shared/bench/relevance 不在项目旁边"
)


@pytest.fixture
def zhihe(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run a command on a market of its own and return what it prints as JSON."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ZHIHE_")}
    environment |= {"ZHIHE_DATA_DIR": str(tmp_path / "data")}

    def run(*arguments: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "infra.cli", *arguments, "--json"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    return run


def part(tmp_path: Path, name: str, lines: int | None) -> Path:
    path = tmp_path / name
    with (DATA / name).open(encoding="utf-8") as source:
        path.write_text("".join(islice(source, lines)), encoding="utf-8")
    return path


def bring_in(zhihe: Callable[..., dict[str, Any]], kind: str, path: Path) -> dict[str, Any]:
    return zhihe("import", kind, str(path), "--org", CODE, "--publish", "--wait")


def story(
    zhihe: Callable[..., dict[str, Any]], tmp_path: Path, demands: int | None, rows: int | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    zhihe("demo")
    before = zhihe("match", "--status")["demands"]
    d, a = part(tmp_path, "demands.jsonl", demands), part(tmp_path, "achievements.jsonl", rows)
    first_d, first_a = bring_in(zhihe, "demands", d), bring_in(zhihe, "achievements", a)
    again_d, again_a = bring_in(zhihe, "demands", d), bring_in(zhihe, "achievements", a)
    for first, again in ((first_d, again_d), (first_a, again_a)):
        assert (again["created"], again["updated"]) == (0, 0)
        assert again["unchanged"] == first["created"]
        assert again["errors"] == first["errors"], "the same rows are named"
    status = zhihe("match", "--status")
    assert status["waiting"] == 0
    assert status["with_matches"] + status["no_good_match"] == status["demands"]
    assert status["demands"] - before == first_d["created"]
    return first_d, first_a


def test_first_part_of_the_real_input(zhihe: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    demands, achievements = story(zhihe, tmp_path, 32, 560)
    assert demands["created"] == 32
    assert achievements["created"] + achievements["refused"] == 560
    assert {row["column"] for row in achievements["errors"]} <= {"title"}


@pytest.mark.full
def test_all_of_the_real_input(
    zhihe: Callable[..., dict[str, Any]], tmp_path: Path, verified: Callable[..., None]
) -> None:
    demands, achievements = story(zhihe, tmp_path, None, None)
    assert (demands["created"], demands["refused"]) == (312, 0)
    assert (achievements["created"], achievements["refused"]) == (5564, 12)
    assert len(achievements["errors"]) == 12
    verified(
        "真实输入导入、索引、匹配，重复导入不变",
        how_many="需求312条、成果5,576行",
        result=f"新建{demands['created']}＋{achievements['created']}条，12行没有名称被指出",
    )


def test_rank_command_reaches_the_promised_quality(verified: Callable[..., None]) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "infra.cli",
            "rank",
            "--demands",
            str(DATA / "demands.jsonl"),
            "--achievements",
            str(DATA / "achievements.jsonl"),
            "--pairs",
            str(DATA / "pairs.jsonl"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    levels = {
        (pair["demand_id"], pair["achievement_id"]): pair["level"]
        for pair in map(json.loads, (DATA / "pairs.jsonl").read_text("utf-8").splitlines())
    }
    lists: dict[str, list[tuple[float, int]]] = {}
    for row in map(json.loads, done.stdout.splitlines()):
        level = levels[row["demand_id"], row["achievement_id"]]
        lists.setdefault(row["demand_id"], []).append((row["score"], level))
    figure = mean_ndcg(lists.values())
    verified(
        "匹配质量 NDCG@10", how_many=f"{len(levels)}对、{len(lists)}条需求", result=f"{figure:.4f}"
    )
    assert figure >= 0.73
