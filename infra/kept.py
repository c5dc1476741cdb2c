"""Writes what is kept for how long into docs/operations.md, from the list that the worker runs.

python -m infra.kept
"""

import re
import sys
from pathlib import Path

from infra.settings import PREFIX, Settings
from market.personal import KEPT
from market.retention import BEGINS, keeps, logs

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "operations.md"
HEADING = "## 保留期限"
_SECTION = re.compile(rf"^{HEADING}$.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def section() -> str:
    """Return the section as it stands in the manual."""
    lines = [
        HEADING,
        "",
        "由 `python -m infra.kept` 从任务进程执行的同一张表写入这里，`/privacy` 印的也是它。",
        f"任务进程每天{BEGINS}点（北京时间）以后删除到期的，分小块进行；上次的时间和结果在“运行”页面。",
        "",
        "| 记录 | 保存期限 |",
        "|---|---|",
        *(f"| {one.what} | {one.how_long} |" for one in keeps(Settings().audit_days)),
        "| {} | {} |".format(*logs(Settings().log_days)),
        "",
        f"操作记录的天数由 `{PREFIX}AUDIT_DAYS` 决定，不满183天的由数据库的触发器拒绝删除。",
        "磁盘上的日志文件见“日志”一节。备份里的旧数据随备份一起过期。",
        "",
        "注销账号时删除姓名、邮箱、电话、密码、会话、令牌和登录失败记录；仍然保留的：",
        "",
        *(f"- {sentence}" for sentence in KEPT),
        "",
    ]
    return "\n".join(lines) + "\n"


def written(manual: str) -> str:
    """Return the manual with the section as it should be."""
    return _SECTION.sub(lambda _: section(), manual).rstrip() + "\n"


if __name__ == "__main__":
    before = DOCUMENT.read_text(encoding="utf-8")
    after = written(before)
    DOCUMENT.write_text(after, encoding="utf-8")
    done = "没有变化" if after == before else "已重写"
    sys.stdout.write(f"docs/operations.md 的“{HEADING.removeprefix('## ')}”一节{done}\n")
