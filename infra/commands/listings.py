"""Matching, rating, indexing."""

import json
import sys
from typing import BinaryIO

import click

from infra.commands.common import FAILED, as_json_option, open_parts, show, told
from infra.settings import load


@click.command()
@click.option("--status", is_flag=True, help="只报告状态，不做匹配")
@as_json_option
@told
def match(status: bool, as_json: bool) -> None:
    """完成等待中的匹配，并报告多少需求有合适的成果。

    \b
    例：zhihe match
        zhihe match --status --json
    """
    from infra import imports

    settings = load()
    with open_parts(settings) as parts:
        if not status:
            imports.wait_until_done(settings, parts, "匹配", quiet=as_json)
        result = imports.match_status(parts)
    labels = {
        "demands": "已发布需求",
        "with_matches": "有合适成果",
        "no_good_match": "还没有合适的成果",
        "waiting": "等待匹配",
    }
    show(as_json, result, [f"{labels[key]}：{count}" for key, count in result.items()])


@click.command()
@click.option(
    "--demands", required=True, type=click.File("rb"), help="需求，JSONL：id、title、content"
)
@click.option("--achievements", required=True, type=click.File("rb"), help="成果，JSONL：id、title")
@click.option("--pairs", required=True, type=click.File("rb"), help="要评分的对，JSONL")
@click.option(
    "--feedback",
    type=click.File("rb"),
    help="已有的判断，JSONL：demand_id、achievement_id、level（1不相关至4很合适）",
)
@told
def rank(
    demands: BinaryIO, achievements: BinaryIO, pairs: BinaryIO, feedback: BinaryIO | None
) -> None:
    """按正式的匹配方法给出每一对的分数，每行一个 JSON；不碰数据库。

    给出已有的判断时，同一需求和几乎相同的需求的其余成果随之调整；一对自己的判断不改变它自己的分数。

    \b
    例：zhihe rank --demands D.jsonl --achievements A.jsonl --pairs P.jsonl
        zhihe rank --demands D.jsonl --achievements A.jsonl --pairs P.jsonl --feedback F.jsonl
    """
    from search.rankfile import BadLine, rank_pairs, read_rows

    try:
        for row in rank_pairs(
            read_rows(demands, ["id"]),
            read_rows(achievements, ["id"]),
            read_rows(pairs, ["demand_id", "achievement_id"]),
            wanted_key="demand_id",
            offered_key="achievement_id",
            feedback=read_rows(feedback or (), ["demand_id", "achievement_id", "level"]),
        ):
            click.echo(json.dumps(row, ensure_ascii=False))
    except BadLine as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)


@click.command()
@told
def reindex() -> None:
    """按数据库重建搜索索引；正在运行的进程照常工作。

    \b
    例：zhihe reindex
    """
    from infra import imports

    settings = load()
    with open_parts(settings) as parts:
        count = imports.reindex(settings, parts)
    click.echo(f"已重建索引，共{count}条")


@click.command()
@told
def rebuild() -> None:
    """在旁边另建一个索引，核对后换上；搜索和写入照常，中断了现有的索引不变。

    \b
    例：zhihe rebuild
    """
    import time

    from infra.indexer import build_anew
    from infra.loops import IDLE
    from infra.marking import record

    settings = load()
    with open_parts(settings) as parts:
        good, detail = build_anew(settings, parts, lambda: time.sleep(IDLE))
    record(settings, "rebuild", good=good, detail=detail)
    if not good:
        click.echo(f"新建的索引没有换上，现有的照常使用：{detail}", err=True)
        sys.exit(FAILED)
    click.echo(f"已换上新建的索引，{detail}")
