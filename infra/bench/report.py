"""docs/benchmarks.md, from the files that measurements left."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from market.kit.errors import Invalid

_INTRO = Path(__file__).with_suffix(".md").read_text(encoding="utf-8")
_KEYS = {"work", "unit", "ours", "peer", "ratio", "limit", "ok"}


def page(files: Sequence[Path]) -> str:
    """Return the page. Raises Invalid for a file that is no list of figures."""
    return "\n".join([_INTRO, *(_section(path) for path in sorted(files))])


def _section(path: Path) -> str:
    lines = [f"## {path.name}", "", "| 做什么 | 我们 | 同类 | 比 | 限 | 合格 |"]
    lines.append("|---|---:|---:|---:|---:|---|")
    lines += [_line(row) for row in _rows(path)]
    return "\n".join([*lines, ""])


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        rows = None
    if not isinstance(rows, list) or not all(
        isinstance(row, dict) and row.keys() == _KEYS for row in rows
    ):
        raise Invalid(fields={path.name: "应为 zhihe bench 写出的文件，现在不是"})
    return rows


def _line(row: dict[str, Any]) -> str:
    unit = row["unit"]
    kept = {None: "", True: "是", False: "否"}[row["ok"]]
    ratio = "" if row["ratio"] is None else f"{row['ratio']:g}"
    cells = (row["work"], _cell(row["ours"], unit), _cell(row["peer"], unit), ratio)
    return "| " + " | ".join((*cells, _cell(row["limit"], unit), kept)) + " |"


def _cell(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,g} {unit}"
