"""What the index owes, and how what was set aside is tried again."""

import click

from infra.commands.common import as_json_option, open_parts, show, told
from infra.settings import load


@click.command()
@click.option(
    "--retry", type=click.IntRange(1), multiple=True, help="重新投递搁置的这一条，可多次给"
)
@click.option("--retry-all", is_flag=True, help="重新投递所有搁置的")
@as_json_option
@told
def index(retry: tuple[int, ...], retry_all: bool, as_json: bool) -> None:
    """报告索引和匹配还欠多少、最早的等了多久、最近的变更多久之后能搜到，以及搁置的和原因。

    \b
    例：zhihe index
        zhihe index --json
        zhihe index --retry-all
    """
    from infra.backlog import backlog, lines
    from infra.users import COMMAND_LINE
    from market.accounts.work import writing
    from market.kit import upkeep

    settings = load()
    with open_parts(settings) as parts:
        if retry or retry_all:
            with writing(parts, COMMAND_LINE, "operations.retry") as work:
                work.touched("delivery", "all" if retry_all else ",".join(map(str, retry)))
                if retry_all:
                    count = upkeep.retry_deliveries(work.session, at=work.now)
                else:
                    for one in retry:
                        upkeep.retry_delivery(work.session, one, at=work.now)
                    count = len(retry)
            click.echo(f"重新投递{count}条", err=True)
        found = backlog(settings, parts)
    show(as_json, found, lines(found))
