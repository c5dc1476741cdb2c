"""Accounts from the command line."""

import click

from infra.commands.common import HELP, as_json_option, open_parts, show, told
from infra.settings import Settings, load


@click.group(context_settings=HELP)
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
@told
def user_create(as_json: bool, **given: str) -> None:
    """建立账号并给出一次性链接，对方用它设置密码。

    \b
    例：zhihe user create officer@example.com --name 示范李乙 --role officer \\
          --org 代码 --org-name 示范区科技局
    """
    from infra import users

    settings = load()
    with open_parts(settings) as parts:
        link = users.create(parts, **given)
    show(as_json, {"link": link}, [f"三天内有效，只能用一次：{_address(settings)}{link}"])


@user.command("reset")
@click.argument("email")
@as_json_option
@told
def user_reset(email: str, as_json: bool) -> None:
    """给出重设密码的一次性链接。

    \b
    例：zhihe user reset officer@example.com
    """
    from infra import users

    settings = load()
    with open_parts(settings) as parts:
        link = users.reset(parts, email)
    show(as_json, {"link": link}, [f"三天内有效，只能用一次：{_address(settings)}{link}"])


@user.command("disable")
@click.argument("email")
@told
def user_disable(email: str) -> None:
    """停用账号，并让它的所有设备和令牌失效。

    \b
    例：zhihe user disable officer@example.com
    """
    from infra import users

    with open_parts(load()) as parts:
        users.disable(parts, email)
    click.echo(f"{email} 已停用")


@user.command("enable")
@click.argument("email")
@told
def user_enable(email: str) -> None:
    """恢复停用的账号；原来的密码仍然有效，设备要重新登录。

    \b
    例：zhihe user enable officer@example.com
    """
    from infra import users

    with open_parts(load()) as parts:
        users.enable(parts, email)
    click.echo(f"{email} 已恢复")


def _address(settings: Settings) -> str:
    """Return where people reach the site: its public name, or this machine's port."""
    if settings.hosts:
        return f"{'https' if settings.secure_cookies else 'http'}://{settings.hosts[0]}"
    return f"http://{settings.host}:{settings.port}"
