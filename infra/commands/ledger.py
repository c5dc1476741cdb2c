"""The ledger's key and the heads that stand outside the database."""

from pathlib import Path

import click

from infra.commands.common import as_json_option, open_parts, show, told
from infra.settings import load


@click.group("ledger")
def ledger() -> None:
    """账本：另存密钥，写出账头，恢复旧备份以后接着记。"""


@ledger.command("key")
@click.argument("where", type=click.Path(path_type=Path))
@told
def key(where: Path) -> None:
    """把账本的密钥另存一份；备份里没有它，要和备份分开存放。

    \b
    例：zhihe ledger key /media/usb/ledger.key
    """
    from infra.ledger import save_key

    click.echo(f"密钥（{save_key(load(), where)}）已存到 {where}，请与备份分开存放")


@ledger.command("heads")
@as_json_option
@told
def heads(as_json: bool) -> None:
    """现在就签下账头并写到数据库以外；平时每夜和每次关账自动做。

    \b
    例：zhihe ledger heads
    """
    from market import chaining

    with open_parts(load()) as parts:
        said = chaining.sign_now(parts)
    show(as_json, dict(said), [f"账头第{said['number']}号已写出"])


@ledger.command("restored")
@click.option("--reason", required=True, help="为什么恢复了旧备份，写进账头文件")
@as_json_option
@told
def restored(reason: str, as_json: bool) -> None:
    """恢复了较早的备份以后，写明从那里接着记；之前签下而现在没有的账不再算作不一致。

    \b
    例：zhihe ledger restored --reason 磁盘损坏，恢复11月20日的备份
    """
    from market import chaining

    with open_parts(load()) as parts:
        said = chaining.go_on(parts, reason)
    line = f"账头第{said['number']}号写明：接着第{said['resumes']}号，之后签下的不再有效"
    show(as_json, dict(said), [line])
