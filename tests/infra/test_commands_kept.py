"""Where a backup is put, what of commands stands in the records, and an undo that only begins."""

import dataclasses
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from frontend.pages.audit_words import ACTIONS
from infra.cli import main
from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.accounts.work import Parts
from market.kit import audit
from tests import factories


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return dataclasses.replace(settings, data_dir=tmp_path / "data")


def run(settings: Settings, *arguments: str) -> Result:
    own = {"ZHIHE_DATA_DIR": str(settings.data_dir), "ZHIHE_DATABASE_URL": settings.database}
    return CliRunner().invoke(main, arguments, env=own)


def newest(settings: Settings) -> audit.AuditRow:
    parts = build_parts(settings)
    with parts.database.read() as session:
        (row,) = audit.newest(session, limit=1)
        session.expunge(row)
    close_parts(parts)
    return row


def test_a_folder_that_is_not_there_becomes_no_file(
    settings: Settings, parts: Parts, tmp_path: Path
) -> None:
    told = run(settings, "backup", str(tmp_path / "bk"))
    assert told.exit_code == 1
    assert "不是已有的文件夹" in told.stderr
    assert ".zip" in told.stderr
    assert not (tmp_path / "bk").exists()
    (tmp_path / "bk").mkdir()
    assert run(settings, "backup", str(tmp_path / "bk")).exit_code == 0
    assert [one.suffix for one in (tmp_path / "bk").iterdir()] == [".zip"]


def test_backup_and_restore_stand_in_the_records(
    settings: Settings, parts: Parts, tmp_path: Path
) -> None:
    made = run(settings, "backup", str(tmp_path / "a.zip"))
    assert made.exit_code == 0, made.output
    row = newest(settings)
    assert (row.action, row.outcome, row.role) == ("backup", "done", "operator")
    assert row.detail is not None
    assert row.detail.startswith("a.zip，")
    there = Settings(data_dir=tmp_path / "there")
    back = run(there, "restore", str(tmp_path / "a.zip"))
    assert back.exit_code == 0, back.output
    row = newest(there)
    assert (row.action, row.outcome) == ("restore", "done")
    assert row.detail is not None
    assert row.detail.startswith("a.zip，")
    assert {"backup", "restore"} <= ACTIONS.keys()


def test_an_undo_that_is_not_waited_for_says_so(
    settings: Settings, parts: Parts, tmp_path: Path
) -> None:
    holder = factories.organisation(parts)
    file = tmp_path / "成果.csv"
    file.write_text("项目名称\n甲\n", "utf-8")
    code = holder.credit_code or ""
    done = run(settings, "import", "achievements", str(file), "--org", code, "--wait")
    assert done.exit_code == 0, done.output
    told = run(settings, "import", "undo", done.output.split()[-1])
    assert told.exit_code == 0, told.output
    assert told.stdout.strip() == "已开始撤销，由任务进程处理，加 --wait 可以等到完成"


def test_the_key_is_saved_apart_and_the_heads_are_written(
    settings: Settings, parts: Parts, tmp_path: Path
) -> None:
    copy = tmp_path / "apart.key"
    told = run(settings, "ledger", "key", str(copy))
    assert told.exit_code == 0, told.output
    assert copy.read_bytes() == (settings.data_dir / "ledger.key").read_bytes()
    assert copy.stat().st_mode & 0o077 == 0
    again = run(settings, "ledger", "key", str(copy))
    assert (again.exit_code, "不会覆盖" in again.stderr) == (1, True)
    assert "账头第1号已写出" in run(settings, "ledger", "heads").output
    restored = run(settings, "ledger", "restored", "--reason", "换了磁盘")
    assert "接着第1号" in restored.output
    heads = settings.data_dir / "heads"
    assert sorted(one.name for one in heads.iterdir()) == ["00000001.json", "00000002.json"]
    assert parts.database.sqlite
