"""Backup and restore: between databases, of older revisions, of what is damaged, into what is not
empty.
"""

import dataclasses
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command

from infra import audit, backup, restore
from infra.archive import Archive
from infra.migrate import configuration, migrate
from infra.settings import Settings
from infra.waiting import work_until_done
from infra.wiring import build_parts, close_parts
from market.accounts import signin
from market.accounts.policy import Role
from market.accounts.work import Parts
from market.catalog import drafts, proofs
from market.catalog.schemas import AchievementIn
from market.kit import files
from market.kit.db import Database
from market.kit.dump import revision, snapshot
from market.kit.errors import Conflict, Invalid, MarketError, NotFound
from tests import factories
from tests.support.market import work_for
from tests.support.trade import trade

ROOT = Path(__file__).resolve().parents[2]
PDF = b"%PDF-1.4 test report"


def quiet(_step: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return dataclasses.replace(settings, data_dir=tmp_path / "data")


@pytest.fixture
def filled(parts: Parts, settings: Settings) -> Settings:
    """A market with a trade in it, a file and a listing whose text no format likes."""
    world = trade(parts)
    with work_for(parts, world.seller) as work:
        odd = AchievementIn(title='引号"逗号,反斜杠\\制表\t', body="第一行\n第二行\\n\u2028😀'")
        listing = drafts.create(work, odd)
        proofs.attach(work, listing.public_id, "检测报告.pdf", io.BytesIO(PDF))
    work_until_done(settings, parts)
    return settings


def digests(path: Path) -> dict[str, str]:
    with Archive(path) as archive:
        return {one["name"]: one["sha256"] for one in archive.manifest.members}


@pytest.mark.usefixtures("both_databases")
def test_comes_back_whole_on_either_database(
    filled: Settings, tmp_path: Path, database_url: Callable[..., str]
) -> None:
    first, _ = backup.save(filled, tmp_path / "first.zip", quiet)
    assert first.stat().st_mode & 0o077 == 0
    targets = [
        Settings(data_dir=tmp_path / "there", database_url=database_url()),
        Settings(data_dir=tmp_path / "here"),
    ]
    for number, target in enumerate(targets):
        bring_key(filled, target)
        restore.restore(target, first, quiet)
        assert audit.audit(target, quiet).findings == ()
        again, _ = backup.save(target, tmp_path / f"again{number}.zip", quiet)
        assert digests(again) == digests(first)
        goes_on(target)


def bring_key(old: Settings, new: Settings) -> None:
    """Put the ledger's key where it is wanted: no backup holds it."""
    new.data_dir.mkdir(exist_ok=True)
    shutil.copyfile(old.data_dir / "ledger.key", new.data_dir / "ledger.key")


def goes_on(settings: Settings) -> None:
    """Keys that the database gives do not collide, and the append-only tables are guarded."""
    parts = build_parts(settings)
    world = trade(parts)
    with work_for(parts, world.seller) as work:
        drafts.create(work, AchievementIn(title="恢复之后的新成果"))
    work_until_done(settings, parts)
    close_parts(parts)
    assert audit.audit(settings, quiet).findings == ()


def test_an_older_revision_is_brought_up(tmp_path: Path, filled: Settings) -> None:
    old = Settings(data_dir=tmp_path / "old")
    old.data_dir.mkdir()
    database = Database(old.database)
    with database.writer.begin() as connection:
        command.upgrade(configuration(connection), "0001")
        connection.exec_driver_sql(
            "INSERT INTO person (public_id, email, name, phone, state, created_at) VALUES "
            "('p1', 'old@example.com', '示范旧人', '', 'active', '2026-01-01 00:00:00.000000')"
        )
    database.close()
    path, manifest = backup.save(old, tmp_path / "old.zip", quiet)
    assert manifest.revision == "0001"
    new = Settings(data_dir=tmp_path / "new")
    restore.restore(new, path, quiet)
    database = Database(new.database)
    with snapshot(database) as connection:
        assert revision(connection) != "0001"
        rows = connection.exec_driver_sql("SELECT name FROM person").scalars().all()
    database.close()
    assert rows == ["示范旧人"]
    assert audit.audit(new, quiet).findings == ()


def test_waits_for_the_removal_of_files_to_end(filled: Settings, tmp_path: Path) -> None:
    with backup.removing(filled) as allowed:
        assert allowed
        other = threading.Thread(target=backup.save, args=(filled, tmp_path / "a.zip", quiet))
        other.start()
        other.join(timeout=0.5)
        assert other.is_alive()
    other.join(timeout=30)
    assert backup.verify(tmp_path / "a.zip", quiet).rows


def test_only_into_an_empty_place(filled: Settings, tmp_path: Path) -> None:
    path, _ = backup.save(filled, tmp_path / "a.zip", quiet)
    before = digests(path)
    with pytest.raises(Conflict, match="已有数据"):
        restore.restore(filled, path, quiet)
    other = Settings(data_dir=tmp_path / "other")
    (other.files_dir / "ab").mkdir(parents=True)
    with pytest.raises(Conflict, match="已有内容"):
        restore.restore(other, path, quiet)
    assert digests(backup.save(filled, tmp_path / "b.zip", quiet)[0]) == before


def test_a_damaged_backup_touches_nothing(filled: Settings, tmp_path: Path) -> None:
    path, _ = backup.save(filled, tmp_path / "a.zip", quiet)
    whole = path.read_bytes()
    target = Settings(data_dir=tmp_path / "new")
    with zipfile.ZipFile(path) as archive:
        largest = sorted(archive.infolist(), key=lambda one: -one.compress_size)[:3]
    for at in (one.header_offset + one.compress_size // 2 for one in largest):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with pytest.raises(MarketError):
            restore.restore(target, path, quiet)
        assert not target.data_dir.exists()
    for cut in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(Invalid, match="不是完整的备份"):
            restore.restore(target, path, quiet)
    path.write_bytes(whole)
    backup.verify(path, quiet)


def test_another_secret_is_refused_with_what_to_do(filled: Settings, tmp_path: Path) -> None:
    path, _ = backup.save(filled, tmp_path / "a.zip", quiet)
    target = Settings(data_dir=tmp_path / "new", secret="x" * 40)
    with pytest.raises(Invalid, match="ZHIHE_SECRET"):
        restore.restore(target, path, quiet)
    restore.restore(Settings(data_dir=tmp_path / "new"), path, quiet)
    kept = (filled.data_dir / "secret").read_bytes()
    assert (tmp_path / "new" / "secret").read_bytes() == kept


def test_what_was_missing_is_named_and_the_rest_saved(filled: Settings, tmp_path: Path) -> None:
    (one,) = filled.files_dir.glob("??/*")
    one.write_bytes(b"other bytes")
    path, manifest = backup.save(filled, tmp_path / "a.zip", quiet)
    assert len(manifest.missing) == 1
    target = Settings(data_dir=tmp_path / "new")
    bring_key(filled, target)
    restore.restore(target, path, quiet)
    (finding,) = audit.audit(target, quiet).findings
    assert "不在存储里" in finding.what


def test_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        backup.save(Settings(data_dir=tmp_path / "none"), tmp_path / "a.zip", quiet)
    assert not list(tmp_path.iterdir())


def test_cut_short_it_leaves_nothing_that_looks_whole(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    migrate(settings.database)
    parts = build_parts(settings)
    with parts.database.write() as session:
        stored = parts.files.save(io.BytesIO(os.urandom(8 << 20)), limit=9 << 20)
        files.keep(
            session,
            stored=stored,
            name="a.pdf",
            media_type="application/pdf",
            organisation_id=1,
            person_id=None,
            at=parts.clock.now(),
        )
    close_parts(parts)
    where = tmp_path / "backups"
    where.mkdir()
    begun = time.monotonic()
    program = [sys.executable, "-m", "infra.cli", "backup", str(where / "a.zip")]
    environment = {**os.environ, "ZHIHE_DATA_DIR": str(settings.data_dir)}
    with subprocess.Popen(program, cwd=ROOT, env=environment) as process:
        while not list(where.glob("*.part")):
            assert time.monotonic() - begun < 60
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert not list(where.glob("*.zip"))
    backup.save(settings, where / "a.zip", quiet)
    assert [one.name for one in where.iterdir()] == ["a.zip"]
    backup.verify(where / "a.zip", quiet)


def test_the_names_in_it_are_plain(filled: Settings, tmp_path: Path) -> None:
    path, _ = backup.save(filled, tmp_path, quiet)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert names[-1] == "manifest.json"
    assert all(not name.startswith("/") and ".." not in name for name in names)
    assert not any("index" in name for name in names)


def test_actors_of_a_restored_market_stay_signed_in(filled: Settings, tmp_path: Path) -> None:
    """The key comes along: what was signed with it holds."""
    parts = build_parts(filled)
    token = factories.token(parts, factories.actor(parts, Role.MANAGER))
    secret = parts.secret
    close_parts(parts)
    path, _ = backup.save(filled, tmp_path / "a.zip", quiet)
    target = Settings(data_dir=tmp_path / "new")
    restore.restore(target, path, quiet)
    parts = build_parts(target)
    assert parts.secret == secret
    with parts.database.read() as session:
        assert signin.by_token(session, token, parts.clock.now()) is not None
    close_parts(parts)
