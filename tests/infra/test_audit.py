"""Each thing that may go wrong is put wrong here, and found, and nothing else is."""

import dataclasses
import io
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.audit import Report, look, swept
from infra.settings import Settings
from infra.waiting import work_until_done
from infra.wiring import open_writer
from market.accounts.work import Parts
from market.catalog import drafts, proofs, views
from market.catalog.schemas import AchievementIn
from market.discovery.documents import document
from market.kit import changes, jobs
from market.kit.changes import SubjectKind
from market.kit.clock import SystemClock
from market.ledger import service as ledger
from market.ledger.schemas import Subject
from search.document import Deletion
from tests.support.clock import FakeClock
from tests.support.market import work_for
from tests.support.trade import Trade, trade

both = pytest.mark.usefixtures("both_databases")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return dataclasses.replace(settings, data_dir=tmp_path / "data")


@pytest.fixture
def world(parts: Parts, settings: Settings) -> Trade:
    made = trade(parts)
    work_until_done(settings, parts)
    return made


def found(settings: Settings, parts: Parts) -> Report:
    return look(settings, parts, lambda *_: None)


def only(settings: Settings, parts: Parts, words: str) -> None:
    findings = found(settings, parts).findings
    assert findings, words
    assert all(words in one.what for one in findings), findings
    assert all(one.remedy for one in findings)


def sql(parts: Parts, *statements: str) -> None:
    with parts.database.writer.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@both
def test_a_sound_market(settings: Settings, parts: Parts, world: Trade) -> None:
    report = found(settings, parts)
    assert report.findings == ()
    assert report.as_json()["ok"] is True
    assert "全部一致" in report.lines()[-1]


@both
def test_what_is_under_way_is_no_finding(settings: Settings, parts: Parts, world: Trade) -> None:
    with work_for(parts, world.seller) as work:
        drafts.create(work, AchievementIn(title="还在路上的成果"))
    with parts.database.write() as session:
        changes.record(
            session,
            SubjectKind.LISTING,
            world.achievement.id,
            "test",
            at=parts.clock.now(),
            actor_id=None,
        )
        jobs.enqueue(session, "none", "k", {}, at=parts.clock.now())
    assert found(settings, parts).findings == ()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE change SET seq = seq + 100 WHERE seq = 2", "连续无缺"),
        ("UPDATE subject_version SET version = 9 WHERE subject_kind = 'organisation'", "版本"),
        ("DELETE FROM delivery WHERE consumer = 'match'", "没有通知到每一处"),
        (
            "UPDATE delivery SET state = 'claimed', available_at = '2020-01-01 00:00:00'",
            "没有进展",
        ),
        ("UPDATE delivery SET state = 'aside' WHERE consumer = 'match'", "搁置"),
    ],
)
def test_the_change_log(
    settings: Settings, parts: Parts, world: Trade, statement: str, words: str
) -> None:
    with parts.database.write() as session:
        at = parts.clock.now()
        changes.record(
            session, SubjectKind.ORGANISATION, world.university.id, "t", at=at, actor_id=None
        )
    work_until_done(settings, parts)
    sql(parts, statement)
    only(settings, parts, words)


@pytest.mark.parametrize("state", ["failed", "running"])
def test_jobs(settings: Settings, parts: Parts, world: Trade, state: str) -> None:
    with parts.database.write() as session:
        jobs.enqueue(session, "catalog.import", "k", {}, at=parts.clock.now())
    old = "2020-01-01 00:00:00"
    sql(parts, f"UPDATE job SET state = '{state}', available_at = '{old}' WHERE key = 'k'")
    only(settings, parts, "失败" if state == "failed" else "没有进展")


@both
def test_a_trigger_that_went(settings: Settings, parts: Parts, world: Trade) -> None:
    on = "" if parts.database.sqlite else " ON audit"
    sql(parts, f"DROP TRIGGER append_only_audit_delete{on}")
    only(settings, parts, "append_only_audit_delete")


def test_an_older_schema(settings: Settings, parts: Parts, world: Trade) -> None:
    sql(parts, "UPDATE alembic_version SET version_num = '0001'")
    only(settings, parts, "数据结构是0001")


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"x" * 20)])
def test_files(
    settings: Settings, parts: Parts, world: Trade, damage: Callable[[Path], object]
) -> None:
    with work_for(parts, world.seller) as work:
        listing = drafts.create(work, AchievementIn(title="有附件的成果"))
        proofs.attach(work, listing.public_id, "报告.pdf", io.BytesIO(b"%PDF-1.4 1234567890!"))
    assert found(settings, parts).findings == ()
    (kept,) = settings.files_dir.glob("??/*")
    damage(kept)
    only(settings, parts, "内容")


@pytest.mark.on_postgres
def test_files_in_the_database(settings: Settings, parts: Parts, world: Trade) -> None:
    with work_for(parts, world.seller) as work:
        listing = drafts.create(work, AchievementIn(title="有附件的成果"))
        proofs.attach(work, listing.public_id, "报告.pdf", io.BytesIO(b"%PDF-1.4 1234567890!"))
    assert found(settings, parts).findings == ()
    assert not list(settings.files_dir.glob("??/*"))
    sql(parts, "SELECT lo_put(large_object::oid, 9, 'damage') FROM stored_bytes")
    only(settings, parts, "内容已被改动")
    sql(parts, "SELECT lo_unlink(large_object::oid) FROM stored_bytes")
    only(settings, parts, "内容不在存储里")


def test_bytes_without_a_row_are_noted_and_swept_when_old(
    settings: Settings, parts: Parts, world: Trade, clock: FakeClock
) -> None:
    clock.set(SystemClock().now())
    young, _ = parts.files.save(io.BytesIO(b"young"), limit=99)
    old, _ = parts.files.save(io.BytesIO(b"old"), limit=99)
    path = settings.files_dir / old[:2] / old[2:]
    (settings.files_dir / "tmpabc").touch()
    for one in (path, settings.files_dir / "tmpabc"):
        os.utime(one, (time.time() - 2 * 86400,) * 2)
    report = found(settings, parts)
    assert report.findings == ()
    assert "2份" in report.notes[0]
    assert "删去2份" in swept(settings, report).notes[0].replace("已", "")
    assert set(parts.files.stored()) == {young}
    assert not (settings.files_dir / "tmpabc").exists()


def test_the_index(settings: Settings, parts: Parts, world: Trade) -> None:
    listing = world.achievement.id
    with parts.database.read() as session:
        source = views.document_source(session, [listing])[listing]
        version = changes.versions(session, SubjectKind.LISTING, [listing])[listing]
    right = document(source, version)
    other = dataclasses.replace(right, numbers={**right.numbers, "content": 5})
    engine = open_writer(settings)
    engine.write([other])
    only(settings, parts, "内容与数据库里的不同")
    engine.write([dataclasses.replace(right, version=version + 1)])
    only(settings, parts, f"索引里是第{version + 1}版")
    engine.write([], [Deletion(listing, version + 2)])
    only(settings, parts, "索引里没有")
    engine.write([dataclasses.replace(right, id=10**6)])
    findings = found(settings, parts).findings
    assert {one.what for one in findings} == {"索引里有，而它没有公开", "已公开，索引里没有"}
    engine.close()
    shutil.rmtree(settings.index_dir)
    only(settings, parts, "没有可用的索引")


@both
def test_the_books(settings: Settings, parts: Parts, world: Trade) -> None:
    """What was counted for no registration, and a book whose head does not stand at its last."""
    subject = Subject(
        key="示范:0000202600000001",
        digest="d" * 64,
        contract_type="LIC",
        sub_type="",
        field=3,
        project_name="项目",
        seller_id=world.university.id,
        buyer_id=world.company.id,
        seller_name="甲",
        buyer_name="乙",
        seller_region="500106",
        buyer_region="500106",
        total_fen=5,
        technical_fen=5,
    )
    now = parts.clock.now()
    with parts.database.write() as session:
        ledger.post_register(session, subject, key="k", effective_on=now.date(), at=now)
    only(settings, parts, "没有任何登记对应它")
    sql(parts, "UPDATE ledger_head SET seq = 7")
    assert any("账头为7" in one.what for one in found(settings, parts).findings)
