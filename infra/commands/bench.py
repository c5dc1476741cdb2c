"""Measuring, and the page that is written from what was measured."""

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from infra.commands.common import HELP, told


@click.group(context_settings=HELP)
def bench() -> None:
    """测量：整个网站与单独的引擎并排，写成 JSON。"""


@bench.command()
@click.option("--size", type=click.IntRange(100, 2_000_000), required=True, help="成果和需求的条数")
@click.option(
    "--json", "out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="写到哪里"
)
@click.option("--seed", type=int, default=20261122, show_default=True, help="数据的随机种子")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="留下数据的空文件夹；不给时用临时的，做完删掉",
)
@told
def site(size: int, out: Path, seed: int, folder: Path | None) -> None:
    """造出这么多条，量导入、网页、内存和核对，旁边是单独的引擎。

    \b
    例：zhihe bench site --size 1000 --json site-1000.json
    """
    from infra.bench.figures import save
    from infra.bench.site import run

    with TemporaryDirectory(prefix="zhihe-bench-") as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        if any(place.iterdir()):
            raise click.UsageError(f"--folder 应为空文件夹，{place} 里已有文件")
        save(out, run(place, size, seed, progress=click.echo))
    click.echo(f"已写入 {out}")


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
