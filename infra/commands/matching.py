"""How matches are measured, made anew and taken."""

import json
import sys
from pathlib import Path
from typing import BinaryIO

import click

from infra.commands.common import FAILED, as_json_option, open_parts, show, told
from infra.settings import load


@click.command()
@click.option("--demands", required=True, type=click.File("rb"), help="需求，JSONL")
@click.option("--achievements", required=True, type=click.File("rb"), help="成果，JSONL")
@click.option(
    "--pairs", required=True, type=click.File("rb"), help="判断过的对，JSONL，有 level（1至4）"
)
@click.option("--source", required=True, help="判断从哪里来，印在“匹配是怎样得出的”页上")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="写到哪里；不给时写进程序里，随代码提交",
)
@told
def calibrate(
    demands: BinaryIO, achievements: BinaryIO, pairs: BinaryIO, source: str, out: Path | None
) -> None:
    """在人判断过的对上量：分数从多少起，有多大比例是合适的；写成匹配的各档。

    各档的比例按需求分折，在没有参与定界的折上量。

    \b
    例：zhihe calibrate --demands D.jsonl --achievements A.jsonl --pairs P.jsonl --source 来源
    """
    from market.discovery import bands
    from market.kit.clock import SystemClock, local_date
    from search.calibration import calibrate as measure
    from search.calibration import judged
    from search.rankfile import BadLine, read_rows

    try:
        found, ndcg = judged(
            list(read_rows(demands, ["id"])),
            list(read_rows(achievements, ["id"])),
            list(read_rows(pairs, ["demand_id", "achievement_id", "level"])),
            wanted_key="demand_id",
            offered_key="achievement_id",
            relevant_from=bands.RELEVANT,
        )
    except BadLine as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)
    today = local_date(SystemClock().now())
    measured = bands.Measured(today, source, ndcg, measure(found, bands.ASKED))
    text = json.dumps(measured.to_json(), ensure_ascii=False, indent=2)
    (out or bands.STORED).write_text(text + "\n", encoding="utf-8")
    click.echo(f"NDCG@10 {ndcg:.4f}，{len(found)}对")
    for one in (*measured.calibration.bands, measured.calibration.below):
        name = bands.NAMES.get(one.name, "其余")
        there = "" if one.least is not None else "，没有达到要求，不设这一档"
        click.echo(
            f"{name}：{one.pairs}对里{one.relevant}对合适，{one.rate:.1%}"
            f"（95%在{one.low:.1%}～{one.high:.1%}）{there}"
        )


@click.command()
@click.option("--wait/--no-wait", default=True, help="等到全部比对完；不等时由任务进程做")
@as_json_option
@told
def rematch(wait: bool, as_json: bool) -> None:
    """全部需求重新比对，理由重写；人已作的决定不受影响。中断后再运行，从停下的地方接着做。

    \b
    例：zhihe rematch
        zhihe rematch --no-wait
    """
    from infra import imports
    from infra.users import COMMAND_LINE
    from market.accounts.work import writing
    from market.discovery import tasks

    settings = load()
    with open_parts(settings) as parts:
        with writing(parts, COMMAND_LINE, "rematch") as work:
            fresh = tasks.rematch(work.session, at=work.now)
        if not fresh:
            click.echo("已有一次在进行，接着做完", err=True)
        if wait:
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
@as_json_option
@told
def quality(as_json: bool) -> None:
    """显示过的匹配里，人接受了多少：按名次，按档。

    \b
    例：zhihe quality
        zhihe quality --json
    """
    from dataclasses import asdict

    from market.discovery import quality as measured

    with open_parts(load()) as parts, parts.database.read() as session:
        found = measured.quality(session)
    lines = ["名次或档：显示、作了决定、接受、接受的比例"]
    for row in (*found.ranks, *found.bands, found.whole):
        rate = "—" if row.rate is None else f"{row.rate:.0%}"
        lines.append(f"{row.label}：{row.shown}、{row.decided}、{row.accepted}、{rate}")
    show(as_json, asdict(found), lines)
