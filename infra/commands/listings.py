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
@told
def rank(demands: BinaryIO, achievements: BinaryIO, pairs: BinaryIO) -> None:
    """按正式的匹配方法给出每一对的分数，每行一个 JSON；不碰数据库。

    \b
    例：zhihe rank --demands D.jsonl --achievements A.jsonl --pairs P.jsonl
    """
    from search.rankfile import BadLine, rank_pairs, read_rows

    try:
        for row in rank_pairs(
            read_rows(demands, ["id"]),
            read_rows(achievements, ["id"]),
            read_rows(pairs, ["demand_id", "achievement_id"]),
            wanted_key="demand_id",
            offered_key="achievement_id",
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
