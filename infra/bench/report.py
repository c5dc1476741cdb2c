"""docs/benchmarks.md, from the files that measurements left."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from market.kit.errors import Invalid

_INTRO = """# 测量

由 `zhihe bench report docs/benchmarks/*.json` 从下列文件写成，每个文件由一条命令在一台机器上一次跑出：

| 命令 | 量什么 | 同类 |
|---|---|---|
| `zhihe bench site` | 整个网站：导入、索引、网页、内存、核对 | 单独的引擎 |
| `zhihe bench search` | 结果页（HTTP）、搜索服务、由十分之一到全部的增长、内存、Elasticsearch适配层 | 单独的tantivy；同一网页后面的SQLite FTS5；Elasticsearch的客户端 |
| `zhihe bench match` | 每条需求对全部成果：提出候选，重评、说明、存下 | 单独的tantivy；scipy的稀疏矩阵乘法 |
| `zhihe bench import` | 由文件到能搜到（任务进程导入，索引进程同时写索引） | 单独的引擎写入同样的文档 |
| `zhihe bench freshness` | 每秒发布50条时，每条多久能搜到、比较完 | |

数据由种子造出，同类在同一次运行里做同样的事；“比”是我们的除以同类的。机器忙闲不同，绝对的数会变，看比。

- “单独的tantivy”：同样的查询、筛选、计数、分面（选了值的分面不受自己的筛选）和20个编号，查询事先编译好，在它自己的进程里直接调用。
- SQLite FTS5用同样的词、同样的字段权重，放在同一个网页后面；长查询要求“多数词”，它的语言说不出，取“任一个词”。
- 一条长查询是一条成果自己的60个双字词（一条不到60个时有多少用多少）。
- Elasticsearch适配层要用 `--search-url` 给出一个服务器，不给就不量；scipy由 `uv pip install --group bench` 装上，没有就不量。
"""
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
