"""Bringing in files, taking a whole import back, and moving what the store of files holds."""

import sys
from pathlib import Path

import click

from infra.commands.common import FAILED, HELP, as_json_option, open_parts, show, told
from infra.commands.usage import Commands, File
from infra.settings import load

TITLES = {
    "achievements": "成果",
    "demands": "需求",
    "organisations": "机构",
    "contracts": "已登记的合同",
}


EXIT_CODE = "有的行没有导入时退出码仍是0，程序请看 --json 里的 refused。"


@click.group("import", cls=Commands, context_settings=HELP)
def import_files() -> None:
    """从表格导入：成果、需求、机构、已登记的合同；整次撤销。

    \b
    文件可以是 xlsx、xls、ods、csv 或 jsonl；同一文件再导入不会重复。
    例：zhihe import achievements 成果.xlsx --org 代码
        zhihe import demands 需求.jsonl --org 代码 --publish --wait --json
        zhihe import undo 编号 --wait
    """


def _command(kind: str, title: str) -> click.Command:
    listing = kind in ("achievements", "demands")

    @click.argument("file", type=File(), metavar="文件")
    @click.option("--org", "code", required=listing, help="机构的统一社会信用代码")
    @click.option("--publish", is_flag=True, hidden=not listing, help="直接发布，不经审核")
    @click.option("--dry-run", "dry", is_flag=True, help="试导入：报告会发生什么，不写入")
    @click.option("--wait", is_flag=True, help="等到导入完，可以搜索并匹配完毕")
    @as_json_option
    @told
    def run(
        file: Path, code: str | None, publish: bool, dry: bool, wait: bool, as_json: bool
    ) -> None:
        from infra import imports

        settings = load()
        with open_parts(settings) as parts, file.open("rb") as stream:
            result = imports.run(
                settings,
                parts,
                kind=kind,
                code=code or "",
                name=file.name,
                stream=stream,
                publish=publish,
                dry=dry,
                wait=wait,
                quiet=as_json,
            )
        show(as_json, result, imports.lines(result))

    example = f"例：zhihe import {kind} {title}.xlsx{' --org 代码' if listing else ''} --wait"
    run.__doc__ = f"从表格导入{title}。{EXIT_CODE}\n\n\b\n{example}\n"
    return click.command(kind)(run)


for _kind, _title in TITLES.items():
    import_files.add_command(_command(_kind, _title))


@import_files.command("undo")
@click.argument("run_id", metavar="编号")
@click.option("--wait", is_flag=True, help="等到撤销完")
@as_json_option
@told
def undo(run_id: str, wait: bool, as_json: bool) -> None:
    """撤销一次导入：新建的删去，更新的改回；有人用到或改过的保留并列出。

    \b
    例：zhihe import undo 编号 --wait
    """
    from infra import imports

    settings = load()
    with open_parts(settings) as parts:
        result = imports.undo(settings, parts, run_id, wait=wait, quiet=as_json)
    show(as_json, result, imports.lines(result))


@click.group("files", cls=Commands, context_settings=HELP)
def stored_files() -> None:
    """附件和导入的表格存放的地方。"""


@stored_files.command("move")
@as_json_option
@told
def move(as_json: bool) -> None:
    """把另一处存放的文件搬到 ZHIHE_FILES 指的地方；系统照常运行，中断了再运行一次。

    \b
    例：ZHIHE_FILES=database zhihe files move
    """
    from infra import moving

    settings = load()
    moved = moving.move_files(settings)
    lines = [f"搬了{moved.count}份文件内容"]
    if moved.damaged:
        lines.append(
            f"{len(moved.damaged)}份与原来的摘要不符，留在原处：{'、'.join(moved.damaged)}"
        )
    show(as_json, {"moved": moved.count, "damaged": list(moved.damaged)}, lines)
    if moved.damaged:
        sys.exit(FAILED)
