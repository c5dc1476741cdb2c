"""Commands that keep what there is: backup, restore, audit."""

import sys
from collections.abc import Callable
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from infra.commands.common import FAILED, as_json_option, show, told
from infra.commands.usage import File
from infra.settings import load
from market.kit.clock import SHANGHAI

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.archive import Manifest

FILE = File()


@contextmanager
def _progress(*, quiet: bool) -> "Iterator[Callable[[str, int, int], None]]":
    """Yield what to call with a step, what of it is done and how much there is."""
    newest = ""

    def heard(step: str, done: int, total: int) -> None:
        nonlocal newest
        told = f"{step} {done * 100 // total if total else 100}%"
        if told != newest and (sys.stderr.isatty() or done == total):
            end = not sys.stderr.isatty() or done == total
            click.echo(f"\r{told}", err=True, nl=end)
        newest = told

    yield (lambda *_: None) if quiet else heard


def _told_of(path: Path, manifest: "Manifest") -> dict[str, Any]:
    return {
        "file": str(path),
        "bytes": path.stat().st_size,
        "rows": sum(manifest.rows.values()),
        "files": sum(one["name"].startswith("files/") for one in manifest.members),
        "missing": list(manifest.missing),
        "database": manifest.database,
        "revision": manifest.revision,
        "product": manifest.product,
        "begun": manifest.begun,
        "ended": manifest.ended,
    }


def _local(moment: str) -> str:
    """Return a manifest's time (UTC, ISO 8601) as people in China read it, to the second."""
    return f"{datetime.fromisoformat(moment).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def _lines_of(told: dict[str, Any]) -> list[str]:
    size, moment = (
        f"{told['bytes'] / 1e6:.1f}MB",
        f"{_local(told['begun'])}至{_local(told['ended'])}",
    )
    lines = [
        f"{told['file']}：{size}，数据{told['rows']}行，文件{told['files']}个，北京时间{moment}"
    ]
    if told["missing"]:
        lines.append(
            f"有{len(told['missing'])}个文件的内容在备份之前已经缺失或损坏，其余都已备份；"
            "请运行 zhihe audit 查看是哪些"
        )
    return lines


@click.command()
@click.argument("where", type=click.Path(path_type=Path), required=False)
@click.option("--verify", "checked", type=FILE, help="不做备份，只核对一份备份是否完整")
@as_json_option
@told
def backup(where: Path | None, checked: Path | None, as_json: bool) -> None:
    """把数据库、文件和密钥备份为一个文件；系统照常运行。索引不在其中，恢复时重建。

    WHERE 是一个已有的文件夹，或以 .zip 结尾的新文件的名称。

    备份含有密钥和全部资料，请像密码一样保管。

    \b
    例：zhihe backup /mnt/backup
        zhihe backup --verify /mnt/backup/zhihe-20261122-020000.zip
    """
    from infra import backup as backups
    from infra.marking import mark, record
    from market.operations import marks

    if (where is None) == (checked is None):
        raise click.UsageError("请给出备份放在哪里，或用 --verify 给出要核对的备份")
    with _progress(quiet=as_json) as heard:
        if checked is not None:
            path, manifest = checked, backups.verify(checked, heard)
        else:
            assert where is not None
            settings = load()
            path, manifest = backups.save(settings, where, heard)
            size = f"{path.name}，{path.stat().st_size / 1e6:.1f} MB"
            mark(settings, marks.BACKUP, good=not manifest.missing, detail=size)
            gone = f"，{len(manifest.missing)}个文件缺失或损坏" if manifest.missing else ""
            record(settings, "backup", good=not manifest.missing, detail=f"{size}{gone}")
    result = _told_of(path, manifest)
    lines = _lines_of(result)
    lines.append("备份完整" if checked else "备份含有密钥和全部资料，请像密码一样保管")
    show(as_json, result, lines)
    if manifest.missing and not checked:
        sys.exit(FAILED)


@click.command()
@click.argument("file", type=FILE)
@as_json_option
@told
def restore(file: Path, as_json: bool) -> None:
    """从备份恢复到空的数据目录和空的数据库，重建索引，并核对。

    SQLite 的备份可以恢复到 PostgreSQL，反过来也可以。

    \b
    例：ZHIHE_DATA_DIR=/srv/zhihe zhihe restore zhihe-20261122-020000.zip
    """
    from infra import audit as audits
    from infra.marking import record
    from infra.restore import restore as run

    settings = load()
    with _progress(quiet=as_json) as heard:
        manifest = run(settings, file, heard)
        record(
            settings,
            "restore",
            good=True,
            detail=f"{file.name}，备份于北京时间{_local(manifest.begun)}",
        )
        report = audits.audit(settings, heard)
    result = {"backup": _told_of(file, manifest), "audit": report.as_json()}
    show(as_json, result, [*_lines_of(result["backup"]), *report.lines()])
    if report.findings:
        sys.exit(FAILED)


@click.command()
@click.option("--sweep", is_flag=True, help="删去没有任何记录引用、且已存放一天以上的文件内容")
@click.option("--repair", is_flag=True, help="先按各处的状态重写待办，再核对")
@as_json_option
@told
def audit(sweep: bool, repair: bool, as_json: bool) -> None:
    """核对账、变更、任务、文件和索引；全部一致时退出码为0。系统照常运行。

    \b
    例：zhihe audit
        zhihe audit --json
        zhihe audit --repair
    """
    from infra import audit as audits
    from infra.marking import mark
    from market.operations import marks

    settings = load()
    if repair:
        click.echo(f"已改正{audits.repaired(settings)}项待办", err=True)
    with _progress(quiet=as_json) as heard:
        report = audits.audit(settings, heard)
        if sweep:
            report = audits.swept(settings, report)
    count = len(report.findings)
    detail = f"{count}处不一致" if count else "全部一致"
    mark(settings, marks.AUDIT, good=not count, detail=detail)
    show(as_json, report.as_json(), report.lines())
    if report.findings:
        sys.exit(FAILED)
