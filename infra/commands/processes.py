"""Starting, and what a start needs."""

import sys

import click

from infra.commands.common import FAILED, as_json_option, open_parts, show, told
from infra.processes import leave_on_sigterm
from infra.settings import SettingError, Settings, load


@click.command()
@told
def up() -> None:
    """准备数据库，首次启动装入示范数据，然后启动网页、任务和索引三个进程。

    \b
    例：zhihe up
        ZHIHE_PORT=8080 zhihe up
    """
    from infra import launcher, logs

    settings = load()
    logs.configure("up", settings)

    def prepare() -> list[str]:
        from infra.migrate import migrate

        migrate(settings.database)
        _begin_chain(settings)
        if settings.demo:
            return _demonstration(settings)
        _put_tasks_right(settings)  # in the parent: what opening the parts refuses ends the start
        return []

    config = launcher.LauncherConfig(
        host=settings.host, port=settings.port, prepare=prepare, probe="/login"
    )
    sys.exit(launcher.run(config))


def _begin_chain(settings: Settings) -> int:
    """Link what was posted before there was a chain; return how many transactions."""
    from market import chaining

    with open_parts(settings) as parts:
        return chaining.begin(parts) or 0


def _put_tasks_right(settings: Settings) -> int:
    """Let the open tasks follow what waits: a database from before has none. Return how many."""
    from market import waiting

    with open_parts(settings) as parts, parts.database.write() as session:
        return waiting.put_right(session, parts.clock.now())


def _demonstration(settings: Settings) -> list[str]:
    """Load the demonstration market, to be found at once; return its accounts for people."""
    from infra.demo.load import banner_lines, load_demo
    from infra.waiting import work_until_done

    with open_parts(settings) as parts:
        if load_demo(parts, progress=click.echo):
            work_until_done(settings, parts)
        lines = banner_lines(parts)
    _put_tasks_right(settings)
    return lines


@click.command()
@told
def serve() -> None:
    """只启动网页进程。

    \b
    例：ZHIHE_PORT=8080 zhihe serve
    """
    leave_on_sigterm()
    from infra import launcher

    settings = load()
    if problem := launcher.address_problem(settings.host, settings.port):
        click.echo(problem, err=True)
        sys.exit(launcher.ADDRESS_TAKEN)
    from infra.web import serve as run

    run(settings)


@click.command()
@told
def worker() -> None:
    """只启动任务进程：导入、匹配。

    \b
    例：zhihe worker
    """
    leave_on_sigterm()
    from infra.worker import run

    run(load())


@click.command()
@told
def indexer() -> None:
    """只启动索引进程；已有一个在运行时，作为后备等待。

    \b
    例：zhihe indexer
    """
    leave_on_sigterm()
    from infra.indexer import run

    run(load())


@click.command()
@click.argument("kind", type=click.Choice(["web", "worker", "indexer"]))
@told
def alive(kind: str) -> None:
    """检查本机的一个进程是否在运行，退出码0是、1不是；给容器和监控用。

    \b
    例：zhihe alive worker
    """
    from infra.alive import problem

    if found := problem(load(), kind):
        click.echo(found, err=True)
        sys.exit(FAILED)
    click.echo("在运行")


@click.command()
@told
def migrate() -> None:
    """建立或升级数据库结构，并按各处的状态补齐待办。

    \b
    例：ZHIHE_DATABASE_URL=postgresql+psycopg://… zhihe migrate
    """
    from infra.migrate import migrate as run

    settings = load()
    run(settings.database)
    click.echo("数据库结构已是最新")
    if count := _begin_chain(settings):
        click.echo(f"{count}笔旧账接上了密钥链。请用 zhihe ledger key 另存密钥")
    if count := _put_tasks_right(settings):
        click.echo(f"补齐或结束了{count}件待办")


@click.command()
@as_json_option
@told
def demo(as_json: bool) -> None:
    """装入示范数据并列出示范账号和机构代码；可重复运行。

    \b
    例：zhihe demo
        zhihe demo --json
    """
    from infra.demo.load import account_lines, accounts, load_demo
    from infra.migrate import migrate as run_migrations

    settings = load()
    if not settings.demo:
        raise SettingError("示范数据只在 ZHIHE_MODE=demo 时可用")
    run_migrations(settings.database)
    _begin_chain(settings)
    with open_parts(settings) as parts:
        load_demo(parts, progress=lambda text: click.echo(text, err=True))
        show(as_json, accounts(parts), account_lines(parts))
