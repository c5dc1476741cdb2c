"""python -m infra.cluster"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from infra import logs
from infra.cluster.elastic import ElasticMissingError
from infra.cluster.market import FAILED, Cluster, Shape
from infra.cluster.servers import ServerMissingError
from infra.commands.common import HELP, told
from infra.demo.load import banner_lines, load_demo
from infra.migrate import migrate
from infra.settings import Settings, load
from infra.wiring import build_parts, close_parts
from market import chaining, waiting


@click.command(context_settings=HELP)
@click.option(
    "--folder", type=click.Path(path_type=Path), default=Path("data/cluster"), show_default=True
)
@click.option("--webs", type=click.IntRange(1, 16), default=2, help="网页进程")
@click.option("--workers", type=click.IntRange(1, 16), default=2, help="任务进程")
@click.option("--indexers", type=click.IntRange(1, 4), default=2, help="索引进程，一个在用其余后备")
@click.option("--nodes", type=click.IntRange(1, 5), default=3, help="Elasticsearch 的节点")
@click.option("--memory", default="512m", help="每个节点的堆")
@told
def main(folder: Path, webs: int, workers: int, indexers: int, nodes: int, memory: str) -> None:
    r"""在一台机器上试运行多进程的智核：负载均衡、网页、任务、索引和后备，各有自己的数据目录。

    \b
    没有给出 ZHIHE_DATABASE_URL 就启动 PostgreSQL，没有给出 ZHIHE_SEARCH_URL 就启动 Elasticsearch。
    例：python -m infra.cluster --folder data/cluster
    """
    settings = replace(load(), data_dir=folder)
    logs.configure("cluster", settings)
    shape = Shape(webs=webs, workers=workers, indexers=indexers, nodes=nodes, memory=memory)
    try:
        sys.exit(Cluster(settings, shape, folder.resolve()).run(_prepare))
    except (ServerMissingError, ElasticMissingError) as error:
        click.echo(str(error), err=True)
        sys.exit(FAILED)


def _prepare(settings: Settings) -> Sequence[str]:
    """Bring the database up, and in demo mode load the demonstration; the indexer finds it."""
    migrate(settings.database)
    parts = build_parts(settings)
    try:
        chaining.begin(parts)
        lines: Sequence[str] = []
        if settings.demo:
            load_demo(parts, progress=click.echo)
            lines = banner_lines(parts)
        with parts.database.write() as session:
            waiting.put_right(session, parts.clock.now())
    finally:
        close_parts(parts)
    return lines


if __name__ == "__main__":
    main(prog_name="python -m infra.cluster")
