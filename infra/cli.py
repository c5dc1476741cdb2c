"""The command line `zhihe`.

Exit codes: 0 done, 1 failed, 2 wrong usage or setting, 3 the address is not to be had.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar

import click

from infra.settings import SettingError, Settings, load
from market.kit.errors import Invalid, MarketError

P = ParamSpec("P")
R = TypeVar("R")

FAILED, WRONG_SETTING = 1, 2
HELP = {"help_option_names": ["-h", "--help"]}


def _told(run: Callable[P, R]) -> Callable[P, R]:
    """Print what is refused, or fails outside, as a sentence and exit with a code."""

    @wraps(run)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return run(*args, **kwargs)
        except SettingError as error:
            click.echo(str(error), err=True)
            sys.exit(WRONG_SETTING)
        except Invalid as error:
            click.echo(error.message, err=True)
            for name, text in error.fields.items():
                click.echo(f"  {name}：{text}", err=True)
            sys.exit(FAILED)
        except MarketError as error:
            click.echo(error.message, err=True)
            sys.exit(FAILED)
        except Exception as error:
            from infra import failures

            if (sentence := failures.sentence(error)) is None:
                raise
            click.echo(sentence, err=True)
            sys.exit(FAILED)

    return told


@contextmanager
def _parts(settings: Settings) -> Iterator[Any]:
    from infra.wiring import build_parts, close_parts

    parts = build_parts(settings)
    try:
        yield parts
    finally:
        close_parts(parts)


def _print(as_json: bool, result: dict[str, Any], lines: list[str]) -> None:
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, indent=2))
    else:
        click.echo("\n".join(lines))


as_json_option = click.option("--json", "as_json", is_flag=True, help="以 JSON 输出，供程序读取")


@click.group(context_settings=HELP)
def main() -> None:
    """智核：技术转移市场。

    \b
    例：zhihe up                     准备数据库并启动全部进程
        zhihe import demands 需求.jsonl --org 代码 --wait
    设置用环境变量 ZHIHE_*，见 docs/settings.md。
    """


@main.command()
@_told
def up() -> None:
    """准备数据库，首次启动装入示范数据，然后启动网页、任务和索引三个进程。

    \b
    例：zhihe up
        ZHIHE_PORT=8080 zhihe up
    """
    from infra import launcher

    settings = load()

    def prepare() -> list[str]:
        from infra.migrate import migrate

        migrate(settings.database)
        if settings.demo:
            return _demonstration(settings)
        with _parts(settings):  # here rather than in each child: what it refuses ends the start
            return []

    config = launcher.LauncherConfig(
        host=settings.host, port=settings.port, prepare=prepare, probe="/login"
    )
    sys.exit(launcher.run(config))


def _demonstration(settings: Settings) -> list[str]:
    """Load the demonstration market, to be found at once; return its accounts for people."""
    from infra.demo.load import banner_lines, load_demo
    from infra.waiting import work_until_done

    with _parts(settings) as parts:
        if load_demo(parts, progress=click.echo):
            work_until_done(settings, parts)
        return banner_lines(parts)


@main.command()
@_told
def serve() -> None:
    """只启动网页进程。

    \b
    例：ZHIHE_PORT=8080 zhihe serve
    """
    from infra import launcher

    settings = load()
    if problem := launcher.address_problem(settings.host, settings.port):
        click.echo(problem, err=True)
        sys.exit(launcher.ADDRESS_TAKEN)
    from infra.web import serve as run

    run(settings)


@main.command()
@_told
def worker() -> None:
    """只启动任务进程：导入、匹配。

    \b
    例：zhihe worker
    """
    from infra.worker import run

    run(load())


@main.command()
@_told
def indexer() -> None:
    """只启动索引进程；已有一个在运行时，作为后备等待。

    \b
    例：zhihe indexer
    """
    from infra.indexer import run

    run(load())


@main.command()
@_told
def migrate() -> None:
    """建立或升级数据库结构。

    \b
    例：ZHIHE_DATABASE_URL=postgresql+psycopg://… zhihe migrate
    """
    from infra.migrate import migrate as run

    run(load().database)
    click.echo("数据库结构已是最新")


@main.command()
@as_json_option
@_told
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
    with _parts(settings) as parts:
        load_demo(parts, progress=lambda text: click.echo(text, err=True))
        _print(as_json, accounts(parts), account_lines(parts))


@main.group(context_settings=HELP)
def user() -> None:
    """账号：建立、重设密码、停用。"""


@user.command("create")
@click.argument("email")
@click.option("--name", required=True, help="姓名")
@click.option(
    "--role",
    required=True,
    type=click.Choice(["viewer", "editor", "manager", "officer", "operator", "auditor"]),
    help="角色",
)
@click.option("--org", "code", required=True, help="机构的统一社会信用代码")
@click.option("--org-name", default="", help="机构还没有时，按这个名称建立")
@click.option(
    "--org-kind",
    default="bureau",
    show_default=True,
    type=click.Choice(["university", "company", "agency", "bureau", "platform"]),
    help="新机构的类型",
)
@as_json_option
@_told
def user_create(as_json: bool, **given: str) -> None:
    """建立账号并给出一次性链接，对方用它设置密码。

    \b
    例：zhihe user create officer@example.com --name 示范李乙 --role officer \\
          --org 代码 --org-name 示范区科技局
    """
    from infra import users

    settings = load()
    with _parts(settings) as parts:
        link = users.create(parts, **given)
    _print(as_json, {"link": link}, [f"三天内有效，只能用一次：{_address(settings)}{link}"])


@user.command("reset")
@click.argument("email")
@as_json_option
@_told
def user_reset(email: str, as_json: bool) -> None:
    """给出重设密码的一次性链接。

    \b
    例：zhihe user reset officer@example.com
    """
    from infra import users

    settings = load()
    with _parts(settings) as parts:
        link = users.reset(parts, email)
    _print(as_json, {"link": link}, [f"三天内有效，只能用一次：{_address(settings)}{link}"])


@user.command("disable")
@click.argument("email")
@_told
def user_disable(email: str) -> None:
    """停用账号，并让它的所有设备和令牌失效。

    \b
    例：zhihe user disable officer@example.com
    """
    from infra import users

    with _parts(load()) as parts:
        users.disable(parts, email)
    click.echo(f"{email} 已停用")


def _address(settings: Settings) -> str:
    """Return where people reach the site: its public name, or this machine's port."""
    if settings.hosts:
        return f"{'https' if settings.secure_cookies else 'http'}://{settings.hosts[0]}"
    return f"http://{settings.host}:{settings.port}"


@main.command("import")
@click.argument("kind", type=click.Choice(["achievements", "demands"]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--org", "code", required=True, help="机构的统一社会信用代码")
@click.option("--publish", is_flag=True, help="直接发布，不经审核")
@click.option("--wait", is_flag=True, help="等到可以搜索并匹配完毕")
@as_json_option
@_told
def import_listings(
    kind: str, file: Path, code: str, publish: bool, wait: bool, as_json: bool
) -> None:
    """从 JSONL 或 CSV 文件导入成果或需求；同一文件再导入不会重复。

    \b
    例：zhihe import achievements 成果.csv --org 代码
        zhihe import demands 需求.jsonl --org 代码 --publish --wait --json
    """
    from infra import imports

    settings = load()
    with _parts(settings) as parts, file.open("rb") as stream:
        result = imports.run(
            settings,
            parts,
            kind=kind,
            code=code,
            name=file.name,
            stream=stream,
            publish=publish,
            wait=wait,
            quiet=as_json,
        )
    _print(as_json, result, imports.lines(result))


@main.command()
@click.option("--status", is_flag=True, help="只报告状态，不做匹配")
@as_json_option
@_told
def match(status: bool, as_json: bool) -> None:
    """完成等待中的匹配，并报告多少需求有合适的成果。

    \b
    例：zhihe match
        zhihe match --status --json
    """
    from infra import imports

    settings = load()
    with _parts(settings) as parts:
        if not status:
            imports.wait_until_done(settings, parts, quiet=as_json)
        result = imports.match_status(parts)
    labels = {
        "demands": "已发布需求",
        "with_matches": "有合适成果",
        "no_good_match": "还没有合适的成果",
        "waiting": "等待匹配",
    }
    _print(as_json, result, [f"{labels[key]}：{count}" for key, count in result.items()])


@main.command()
@click.option(
    "--demands", required=True, type=click.File("rb"), help="需求，JSONL：id、title、content"
)
@click.option("--achievements", required=True, type=click.File("rb"), help="成果，JSONL：id、title")
@click.option("--pairs", required=True, type=click.File("rb"), help="要评分的对，JSONL")
@_told
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


@main.command()
@_told
def reindex() -> None:
    """按数据库重建搜索索引；正在运行的进程照常工作。

    \b
    例：zhihe reindex
    """
    from infra import imports

    settings = load()
    with _parts(settings) as parts:
        count = imports.reindex(settings, parts)
    click.echo(f"已重建索引，共{count}条")


if __name__ == "__main__":
    main(prog_name="zhihe")
