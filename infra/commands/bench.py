"""Measuring, and the page that is written from what was measured."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from infra.commands.common import HELP, told

if TYPE_CHECKING:
    from infra.bench.figures import Figure
    from infra.bench.market import Progress

Command = Callable[..., Any]
Measure = Callable[[Path, int, int, "Progress"], "list[Figure]"]


@click.group(context_settings=HELP)
def bench() -> None:
    """测量：与做同样事情的同类在一次运行里并排，写成 JSON。"""


def _measured(run: Measure, size: int, out: Path, seed: int, folder: Path | None) -> None:
    """Measure in an empty folder, a temporary one where none is given, and write the figures."""
    from infra.bench.figures import save

    with TemporaryDirectory(prefix="zhihe-bench-") as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        if any(place.iterdir()):
            raise click.UsageError(f"--folder 应为空文件夹，{place} 里已有文件")
        save(out, run(place, size, seed, click.echo))
    click.echo(f"已写入 {out}")


def _options(command: Command) -> Command:
    """Add what every measurement is given."""
    for option in reversed(
        (
            click.option(
                "--size",
                type=click.IntRange(100, 2_000_000),
                required=True,
                help="成果和需求的条数；board 是合同的份数",
            ),
            click.option(
                "--json",
                "out",
                type=click.Path(dir_okay=False, path_type=Path),
                required=True,
                help="写到哪里",
            ),
            click.option(
                "--seed", type=int, default=20261122, show_default=True, help="数据的随机种子"
            ),
            click.option(
                "--folder",
                type=click.Path(file_okay=False, path_type=Path),
                help="留下数据的空文件夹；不给时用临时的，做完删掉",
            ),
        )
    ):
        command = option(command)
    return command


@bench.command()
@_options
@told
def site(size: int, out: Path, seed: int, folder: Path | None) -> None:
    """整个网站：造出这么多条，量导入、网页、内存和核对，旁边是单独的引擎。

    \b
    例：zhihe bench site --size 1000 --json site-1000.json
    """
    from infra.bench.site import run

    _measured(run, size, out, seed, folder)


@bench.command()
@_options
@click.option(
    "--search-url",
    default="",
    metavar="地址",
    help="一个Elasticsearch，用来量适配层；不给时这一行不量",
)
@told
def search(size: int, out: Path, seed: int, folder: Path | None, search_url: str) -> None:
    """结果页和搜索服务，旁边是单独的tantivy、同一网页后面的SQLite FTS5和Elasticsearch的客户端。

    \b
    例：zhihe bench search --size 10000 --json search-10000.json
    """
    from functools import partial

    from infra.bench.search import run

    _measured(partial(run, search_url=search_url), size, out, seed, folder)


@bench.command()
@_options
@told
def match(size: int, out: Path, seed: int, folder: Path | None) -> None:
    """比较这么多条成果和五十分之一的需求，旁边是单独的tantivy和scipy的稀疏矩阵乘法。

    \b
    例：zhihe bench match --size 10000 --json match-10000.json
    """
    from infra.bench.match import run

    _measured(run, size, out, seed, folder)


@bench.command("import")
@_options
@told
def import_(size: int, out: Path, seed: int, folder: Path | None) -> None:
    """导入这么多条，直到能搜到，旁边是单独的tantivy写入同样的文档。

    \b
    例：zhihe bench import --size 10000 --json import-10000.json
    """
    from infra.bench.importing import run

    _measured(run, size, out, seed, folder)


@bench.command()
@_options
@told
def freshness(size: int, out: Path, seed: int, folder: Path | None) -> None:
    """在这么大的市场里每秒发布50条，量每条多久能搜到、多久比较完。

    \b
    例：zhihe bench freshness --size 10000 --json freshness-10000.json
    """
    from infra.bench.freshness import run

    _measured(run, size, out, seed, folder)


@bench.command()
@_options
@told
def board(size: int, out: Path, seed: int, folder: Path | None) -> None:
    """这么多份合同、十倍的分录：看板和核对，旁边是十分之一时的。

    \b
    例：zhihe bench board --size 2000 --json board-2000.json
    """
    from infra.bench.board import run

    _measured(run, size, out, seed, folder)


@bench.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("docs/benchmarks.md"),
    show_default=True,
)
@told
def report(files: tuple[Path, ...], out: Path) -> None:
    """由测量文件写出 docs/benchmarks.md。

    \b
    例：zhihe bench report docs/benchmarks/*.json
    """
    from infra.bench.report import page

    out.write_text(page(files), encoding="utf-8")
    click.echo(f"已写入 {out}")
