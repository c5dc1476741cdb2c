"""docs/verification.md: what full runs have shown, a row for each thing, with its day and commit.

A full run may go in parts: a part replaces the rows of the tests that it ran and leaves the others
as they stand. A test that failed loses its rows; a whole run drops the rows of tests that are gone.
"""

import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "verification.md"
_HEAD = """# 核验记录

由 `python3 run.py test --full` 写成，可以分几次跑（后面加测试的路径）：跑过的测试换掉自己的行，没通过的去掉，
没跑的留着。每行写着那一次的日期和提交。
"""
_WHOLE = "最近一次不分次的完整运行："
_COLUMNS = ("核验什么", "数量", "结果", "随机种子", "日期", "提交", "测试")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `test` is the test's node id."""

    what: str
    how_many: str
    result: str
    seed: str
    day: str
    commit: str
    test: str

    def line(self) -> str:
        cells = (self.what, self.how_many, self.result, self.seed, self.day, self.commit)
        return f"| {' | '.join(cells)} | `{self.test}` |"


def row(test: str, noted: dict[str, str | int | None]) -> Row:
    """Return what a test noted just now as a row."""
    seed = "无" if noted["seed"] is None else str(noted["seed"])
    said = (str(noted[name]) for name in ("what", "how_many", "result"))
    return Row(*said, seed, f"{datetime.now(UTC):%Y-%m-%d}", commit(), test)


def write(rows: Sequence[Row], ran: Collection[str], whole: str, page: Path = PAGE) -> None:
    """Bring the page up to date with a run; `whole` is its outcome if it was not a part, or ""."""
    before, last = _read(page)
    kept = [] if whole else [one for one in before if one.test not in ran]
    table = sorted([*kept, *rows], key=lambda one: (one.test, one.what))
    outcome = f"{_WHOLE}{datetime.now(UTC):%Y-%m-%d}，提交 {commit()}，{whole}。" if whole else last
    lines = [_HEAD, *([outcome, ""] if outcome else [])]
    lines += [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    page.parent.mkdir(exist_ok=True)
    page.write_text("\n".join([*lines, *(one.line() for one in table)]) + "\n", encoding="utf-8")


def _read(page: Path) -> tuple[list[Row], str]:
    if not page.exists():
        return [], ""
    rows, whole = [], ""
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) == len(_COLUMNS) and cells[-1].startswith("`"):
            rows.append(Row(*cells[:-1], cells[-1].strip("`")))
        elif line.startswith(_WHOLE):
            whole = line
    return rows, whole


def commit() -> str:
    """Return the present commit, and whether there are changes beside it."""
    others = ("--untracked-files=no", "--", ".", ":!docs/verification.md")
    changed = "（另有未提交的改动）" if _git("status", "--porcelain", *others) else ""
    return f"{_git('rev-parse', '--short=12', 'HEAD') or '未知'}{changed}"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
