"""The command line `zhihe`: its commands, which stand in infra/commands."""

import os

import click

from infra.commands import (
    bench,
    files,
    indexing,
    keeping,
    ledger,
    listings,
    matching,
    people,
    processes,
)
from infra.commands.common import HELP
from infra.commands.usage import Commands


@click.group(cls=Commands, context_settings=HELP)
def main() -> None:
    """智核：技术转移市场。

    \b
    例：zhihe up                     准备数据库并启动全部进程
        zhihe import demands 需求.jsonl --org 代码 --wait
    设置用环境变量 ZHIHE_*，见 docs/settings.md。
    """
    os.umask(0o077)  # whatever any command writes is its owner's alone


for one in (
    processes.up,
    processes.serve,
    processes.worker,
    processes.indexer,
    processes.alive,
    processes.migrate,
    processes.demo,
    people.user,
    files.import_files,
    files.stored_files,
    listings.match,
    listings.rank,
    indexing.index,
    listings.reindex,
    listings.rebuild,
    matching.calibrate,
    matching.rematch,
    matching.quality,
    keeping.backup,
    keeping.restore,
    keeping.audit,
    ledger.ledger,
    bench.bench,
):
    main.add_command(one)


if __name__ == "__main__":
    main(prog_name="zhihe")
