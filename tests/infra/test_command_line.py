"""The command line told wrong, or run where something outside is missing: a sentence and a code."""

import dataclasses
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from infra.cli import main
from infra.commands.common import WRONG_SETTING
from infra.launcher import ADDRESS_TAKEN
from infra.pulse import Pulse
from infra.settings import Settings
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Parts
from market.catalog import drafts, publishing
from market.catalog.schemas import DemandIn
from market.kit import db
from market.kit.clock import SystemClock
from market.operations.models import ProcessSeen
from market.operations.repository_alive import ALIVE
from tests import factories
from tests.support.market import work_for

ROOT = Path(__file__).resolve().parents[2]
Command = Callable[..., Result]


@pytest.fixture
def command(settings: Settings) -> Command:
    """Run `zhihe` on the test's own data; further settings by name."""
    own = {"ZHIHE_DATA_DIR": str(settings.data_dir), "ZHIHE_DATABASE_URL": settings.database}

    def run(*arguments: str, **more: str) -> Result:
        return CliRunner().invoke(main, [*arguments], env={**own, **more})

    return run


def refused(result: Result, code: int, words: str) -> None:
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code
    assert words in result.stderr
    assert "Traceback" not in result.output


def test_an_address_that_is_taken_is_named(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(command("serve", ZHIHE_PORT=port), ADDRESS_TAKEN, "另一个程序正占用这个端口")
    refused(command("serve", ZHIHE_HOST="nowhere.invalid"), ADDRESS_TAKEN, "找不到地址")


def test_half_the_keys_of_stripe_end_a_start_at_once(command: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    half = {"ZHIHE_PORT": port, "ZHIHE_STRIPE_KEY": "sk_test_example"}
    for name in ("up", "serve", "worker"):
        refused(command(name, **half), WRONG_SETTING, "ZHIHE_STRIPE_WEBHOOK_SECRET要一起给出")


def test_a_database_without_tables_asks_for_migrate(command: Command, tmp_path: Path) -> None:
    empty = {"ZHIHE_DATABASE_URL": f"sqlite:///{tmp_path / 'empty.db'}"}
    for arguments in (("match", "--status"), ("user", "disable", "a@example.com")):
        refused(command(*arguments, **empty), 1, "zhihe migrate")


def test_a_busy_database_is_to_be_waited_for(
    command: Command, parts: Parts, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = factories.person(parts)
    monkeypatch.setattr(db, "BUSY_SECONDS", 0.1)
    with parts.database.write() as session:
        session.connection()
        refused(command("user", "disable", person.email), 1, "数据库正忙，请稍后再试")


@pytest.mark.usefixtures("both_databases")
def test_a_health_check_reads_the_sign_of_life(command: Command, parts: Parts) -> None:
    refused(command("alive", "worker"), 1, "本机没有 worker 进程的动静")
    pulse = Pulse(dataclasses.replace(parts, clock=SystemClock()), "worker")
    pulse.beat()
    assert command("alive", "worker").exit_code == 0
    refused(command("alive", "indexer"), 1, "本机没有 indexer 进程的动静")
    with parts.database.write() as session:
        session.execute(update(ProcessSeen).values(seen_at=datetime.now(UTC) - 2 * ALIVE))
    refused(command("alive", "worker"), 1, "没有动静")


def test_a_health_check_of_what_is_not_there(command: Command, tmp_path: Path) -> None:
    gone = {"ZHIHE_DATABASE_URL": f"sqlite:///{tmp_path / 'gone.db'}"}
    refused(command("alive", "worker", **gone), 1, "数据库不能读")
    assert not (tmp_path / "gone.db").exists()
    nobody = "postgresql+psycopg://zhihe:geheim@127.0.0.1:1/zhihe"
    away = command("alive", "worker", ZHIHE_DATABASE_URL=nobody)
    refused(away, 1, "数据库不能读")
    assert "geheim" not in away.output


@pytest.mark.parametrize("kind", ["web", "worker", "indexer"])
def test_a_health_check_loads_little(tmp_path: Path, kind: str) -> None:
    """It runs every few seconds for as long as a container does; loading all took 2 seconds."""
    code = "import sys; from infra.cli import main; main([sys.argv[1], sys.argv[2]], standalone_mode=False)"
    watched = f"import atexit, sys; atexit.register(lambda: print(*sys.modules)); {code}"
    done = subprocess.run(
        [sys.executable, "-c", watched, "alive", kind],
        cwd=ROOT,
        env={**os.environ, "ZHIHE_DATA_DIR": str(tmp_path), "ZHIHE_PORT": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "click" in loaded, done.stderr
    assert not loaded & {"sqlalchemy", "sqlmodel", "pydantic", "fastapi", "jinja2", "alembic"}


def test_what_cannot_be_reached_is_named(command: Command, tmp_path: Path) -> None:
    nobody = "postgresql+psycopg://zhihe:geheim@127.0.0.1:1/zhihe"
    away = command("match", "--status", ZHIHE_DATABASE_URL=nobody)
    refused(away, 1, "数据库不能用")
    assert "geheim" not in away.output
    (tmp_path / "file").touch()
    blocked = command("match", "--status", ZHIHE_DATA_DIR=str(tmp_path / "file"))
    refused(blocked, 1, str(tmp_path / "file"))


def test_imports_need_a_holder(command: Command, parts: Parts, tmp_path: Path) -> None:
    (tmp_path / "成果.csv").write_text("名称\n焊缝检测\n", encoding="utf-8")
    file = str(tmp_path / "成果.csv")
    refused(command("import", "achievements", file, "--org", "NOPE"), 1, "没有代码为NOPE的机构")
    agency = factories.organisation(parts, OrganisationKind.AGENCY)
    refused(command("import", "achievements", file, "--org", agency.credit_code), 1, "高校或企业")


def test_an_account_needs_an_address(command: Command, parts: Parts) -> None:
    university = factories.organisation(parts)
    wrong = command(
        "user",
        "create",
        "not an address",
        "--name",
        "示范张甲",
        "--role",
        str(Role.EDITOR),
        "--org",
        university.credit_code,
    )
    refused(wrong, 1, "应为邮箱地址")


def test_a_file_is_tried_brought_in_and_taken_back(
    command: Command, parts: Parts, tmp_path: Path
) -> None:
    holder = factories.organisation(parts)
    file = tmp_path / "成果.csv"
    file.write_text("项目名称,编号,内部备注\n甲,1,x\n,2,y\n", "utf-8")
    given = ("achievements", str(file), "--org", holder.credit_code)

    def asked(*arguments: str) -> dict[str, Any]:
        done = command("import", *arguments, "--json")
        assert done.exit_code == 0, done.output
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    tried = asked(*given, "--dry-run")
    assert (tried["state"], tried["created"], tried["refused"]) == ("checked", 1, 1)
    assert tried["ignored_columns"] == ["内部备注"]
    told = command("import", *given, "--dry-run", "--wait")
    assert ("试导入" in told.output, "undo" in told.output) == (True, False)
    shown = command("import", *given, "--publish", "--wait")
    assert shown.exit_code == 0, shown.output
    assert "新建1条，更新0条，没有变化0条，未导入1条" in shown.output
    assert "第3行 项目名称：不能是空的" in shown.output
    assert "zhihe import undo" in shown.output
    same = asked(*given, "--dry-run")
    assert (same["state"], same["unchanged"]) == ("checked", 1)
    again = asked(*given, "--publish", "--wait")
    assert (again["created"], again["unchanged"]) == (0, 1)
    assert again["same_as"] is not None
    undone = asked("undo", again["same_as"], "--wait")
    assert (undone["state"], undone["undone"], undone["kept"]) == ("undone", 1, [])
    refused(command("import", "undo", again["same_as"]), 1, "只有已完成")
    refused(command("import", "undo", "2" * 14), 1, "没有找到")
    broken = tmp_path / "坏.csv"
    broken.write_text("单位\n甲\n", "utf-8")
    bad = ("achievements", str(broken), "--org", holder.credit_code, "--wait")
    refused(command("import", *bad), 1, "要有“成果名称”一列")


def test_wrong_usage_is_told_in_chinese(command: Command, tmp_path: Path) -> None:
    gone = str(tmp_path / "没有.csv")
    for arguments, words in (
        (("import", "contracts", gone), f"没有“{gone}”这个文件"),
        (("import", "contracts", str(tmp_path)), "应为一个文件"),
        (("import", "contracts"), "缺少参数 文件"),
        (("import", "achievements", str(Path(__file__))), "缺少选项 --org"),
        (("import", "contract", gone), "没有 contract 这个命令"),
        (("restore", gone), f"没有“{gone}”这个文件"),
        (("match", "--statu"), "没有 --statu 这个选项"),
        (("matsch",), "没有 matsch 这个命令"),
    ):
        wrong = command(*arguments)
        refused(wrong, 2, words)
        assert not re.search("Usage|Error|Try", wrong.stderr), wrong.stderr
    assert "例：" in command("import", "-h").output
    assert "退出码仍是0" in re.sub(r"\s", "", command("import", "demands", "-h").output)


def test_records_of_the_bureau_are_its_own_by_default(
    command: Command, parts: Parts, tmp_path: Path
) -> None:
    file = tmp_path / "机构.csv"
    code = factories.credit_code(77)
    file.write_text(f"机构名称,统一社会信用代码,机构类型\n示例研究院,{code},高校\n", "utf-8")
    refused(command("import", "organisations", str(file)), 1, "还没有科技局")
    factories.organisation(parts, OrganisationKind.BUREAU)
    done = command("import", "organisations", str(file), "--wait", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["created"] == 1, done.output


def modes(folder: Path) -> dict[str, str]:
    """Return what of a folder others than its owner may touch, and how."""
    places = [folder, *folder.rglob("*")]
    found = {str(one.relative_to(folder.parent)): one.stat().st_mode & 0o777 for one in places}
    assert any(name.endswith("zhihe.db") for name in found)
    return {name: oct(mode) for name, mode in found.items() if mode & 0o077}


@pytest.mark.skipif(os.name != "posix", reason="Windows has lists in the place of modes")
def test_the_whole_market_is_matched_anew_and_its_quality_told(
    command: Command, parts: Parts, both_databases: str
) -> None:
    company = factories.organisation(parts, OrganisationKind.COMPANY, self_publish=True)
    owner = factories.actor(parts, Role.MANAGER, company)
    with work_for(parts, owner) as work:
        publishing.submit(work, drafts.create(work, DemandIn(title="焊缝检测")).public_id)
    assert command("match", "--json").exit_code == 0
    later = command("rematch", "--no-wait", "--json")
    assert later.exit_code == 0, later.stderr
    again = command("rematch", "--json")
    assert "已有一次在进行" in again.stderr
    assert json.loads(again.stdout) == {
        "demands": 1,
        "with_matches": 0,
        "no_good_match": 1,
        "waiting": 0,
    }
    told = command("quality", "--json")
    assert json.loads(told.stdout)["whole"] == {
        "label": "全部",
        "shown": 0,
        "accepted": 0,
        "declined": 0,
    }
    assert "全部：0、0、0、—" in command("quality").stdout


def test_what_a_command_writes_is_its_owners_alone(tmp_path: Path) -> None:
    def zhihe(folder: Path, *arguments: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "infra.cli", *arguments],
            cwd=ROOT,
            env={**os.environ, "ZHIHE_DATA_DIR": str(folder)},
            umask=0o022,
            capture_output=True,
            check=True,
            timeout=120,
        )

    one, other, backups = tmp_path / "one", tmp_path / "other", tmp_path / "backups"
    zhihe(one, "migrate")
    assert modes(one) == {}
    (one / "zhihe.db").chmod(0o644)  # as an earlier version made them
    (one / "files").mkdir()
    (one / "files").chmod(0o755)
    zhihe(one, "migrate")
    assert modes(one) == {}
    backups.mkdir()
    zhihe(one, "backup", str(backups))
    (backup,) = backups.iterdir()
    assert backup.stat().st_mode & 0o077 == 0
    zhihe(other, "restore", str(backup))
    assert modes(other) == {}
