"""What is past its time goes at night, a chunk at a time; what is not, stays; on both databases."""

import io
import os
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DatabaseError
from sqlmodel import Session, select

from infra.backup import files_lock
from infra.settings import Settings
from infra.wiring import open_writer
from infra.worker import working
from market import retention
from market.accounts import throttle
from market.accounts.models import SignInFailure
from market.accounts.work import Parts
from market.catalog import proofs
from market.imports import waiting
from market.imports.audit import audit as imports_audit
from market.imports.models import ImportRun, Kind, RunProblem, RunState
from market.jobs import handlers
from market.kit import audit, files, jobs, notify
from market.kit.files import LocalFiles, StoredFile
from market.kit.files_shared import StoredBytes
from market.kit.jobs import Job, JobState, Runner
from market.operations import marks
from tests import factories
from tests.market.imports import bringing
from tests.support.clock import FakeClock
from tests.support.market import work_for
from tests.support.trade import asked, trade

pytestmark = pytest.mark.usefixtures("both_databases")

NIGHT = "2026-11-20 03:05"


def count(session: Session, table: str) -> int:
    found: int = session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
    return found


def night(parts: Parts, clock: FakeClock, at: str = NIGHT) -> None:
    clock.set_local(at)
    retention.Nightly(parts).owe()
    runner = Runner(parts.database, clock, handlers(parts))
    while runner.run_one():
        pass


def write_audit(session: Session, at: datetime, action: str) -> None:
    audit.write(
        session,
        at=at,
        person_id=None,
        organisation_id=None,
        role="anonymous",
        action=action,
        subject=None,
        outcome=audit.Outcome.DONE,
    )


def actions(parts: Parts) -> set[str]:
    with parts.database.read() as session:
        return set(session.exec(select(audit.AuditRow.action)))


def test_one_night_a_day(parts: Parts, clock: FakeClock) -> None:
    nightly = retention.Nightly(parts)
    clock.set_local("2026-11-20 02:59")
    nightly.owe()
    with parts.database.read() as session:
        assert count(session, "job") == 0
    for at in ("2026-11-20 03:00", "2026-11-20 23:59", "2026-11-21 02:00", "2026-11-21 03:00"):
        clock.set_local(at)
        nightly.owe()
        retention.Nightly(parts).owe()  # a worker that was started again
    with parts.database.read() as session:
        keys = list(session.exec(select(Job.key).where(Job.kind == retention.KIND)))
    assert keys == ["retention:2026-11-20", "retention:2026-11-21"]


def test_open_tasks_say_in_the_morning_what_is_so(parts: Parts, clock: FakeClock) -> None:
    clock.set_local("2026-11-19 09:00")
    asked(trade(parts))
    with parts.database.write() as session:
        before = session.execute(text("SELECT title FROM notice")).scalar_one()
        session.execute(text("UPDATE notice SET title = '更名之前的样子'"))
    night(parts, clock)
    with parts.database.read() as session:
        assert session.execute(text("SELECT title FROM notice")).scalar_one() == before
        assert "1条待办改成现在的样子" in marks.newest(session)[marks.RETENTION].detail


def test_ways_in_go_a_month_after_their_end(parts: Parts, clock: FakeClock) -> None:
    who = factories.actor(parts)
    factories.cookie(parts, who)
    factories.token(parts, who)
    keys = throttle.guess_keys(parts, "a@example.com", "192.0.2.1")
    with parts.database.write() as session:
        throttle.count_guess(session, keys, clock.now())
        session.execute(text("UPDATE sign_in SET revoked_at = created_at"))
        session.execute(text("UPDATE api_token SET expires_at = created_at"))
    night(parts, clock, "2026-11-05 03:05")
    with parts.database.read() as session:
        assert count(session, "sign_in") == count(session, "api_token") == 1
        assert not session.exec(select(SignInFailure)).all()
    night(parts, clock, "2026-12-03 03:05")
    with parts.database.read() as session:
        assert count(session, "sign_in") == count(session, "api_token") == 0
        assert count(session, "person") == 1


def test_the_audit_stays_as_long_as_the_setting_says(parts: Parts, clock: FakeClock) -> None:
    real = datetime.now(UTC)
    with parts.database.write() as session:
        for days in (400, 366, 364, 10):
            write_audit(session, real - timedelta(days=days), f"{days} days")
    clock.set(real.replace(hour=20))
    before = clock.now() - timedelta(days=parts.audit_days)
    retention.Nightly(parts).owe()
    while Runner(parts.database, clock, handlers(parts)).run_one():
        pass
    left = actions(parts)
    assert {"364 days", "10 days"} <= left
    assert "400 days" not in left
    assert ("366 days" in left) == (real - timedelta(days=366) >= before)


def test_younger_rows_are_kept_by_the_database_itself(parts: Parts) -> None:
    real = datetime.now(UTC)
    with parts.database.write() as session:
        write_audit(session, real - timedelta(days=audit.LEAST_DAYS + 1), "old")
        write_audit(session, real - timedelta(days=audit.LEAST_DAYS - 1), "young")
    with pytest.raises(DatabaseError, match="append-only"), parts.database.write() as session:
        audit.expire(session, real, 10, keep=timedelta(days=1))
    assert actions(parts) == {"old", "young"}
    with parts.database.write() as session:
        assert audit.expire(session, real, 10, keep=timedelta(days=audit.LEAST_DAYS)) == 1
    assert actions(parts) == {"young"}
    with pytest.raises(DatabaseError, match="append-only"), parts.database.write() as session:
        session.execute(text("UPDATE audit SET action = 'x'"))


def test_a_removed_proof_goes_with_its_bytes_after_a_week(
    parts: Parts, clock: FakeClock, settings: Settings
) -> None:
    world = trade(parts)
    names = {"kept": b"%PDF-1.7 kept", "gone": b"%PDF-1.7 gone"}
    attached = {}
    for name, content in names.items():
        with work_for(parts, world.seller) as work:
            row = proofs.attach(
                work, world.achievement.public_id, f"{name}.pdf", io.BytesIO(content)
            )
            attached[name] = row
    with work_for(parts, world.seller) as work:
        proofs.remove(work, world.achievement.public_id, attached["gone"].public_id)
    saved_long_ago(parts, settings)
    night(parts, clock, "2026-11-20 03:05")
    with parts.database.read() as session:
        rows = {row.name: row for row in session.exec(select(StoredFile))}
    assert rows["gone.pdf"].dropped_at is not None
    assert rows["kept.pdf"].dropped_at is None
    night(parts, clock, "2026-11-28 03:05")
    with parts.database.read() as session:
        assert [row.name for row in session.exec(select(StoredFile))] == ["kept.pdf"]
    with parts.files.open(attached["kept"].sha256) as stream:
        assert stream.read() == names["kept"]
    assert set(parts.files.stored()) == {attached["kept"].sha256}


def test_jobs_and_deliveries_go_when_they_are_done(parts: Parts, clock: FakeClock) -> None:
    world = trade(parts)
    with parts.database.write() as session:
        jobs.enqueue(session, "nothing runs this", "waits", {}, at=clock.now())
        session.execute(
            text(
                "UPDATE delivery SET state = 'done', done_at = available_at WHERE change_id = "
                "(SELECT min(id) FROM change)"
            )
        )
        session.execute(
            text(
                "UPDATE delivery SET state = 'done', done_at = available_at WHERE consumer = "
                "'index'"
            )
        )
    night(parts, clock)
    with parts.database.read() as session:
        assert count(session, "delivery") == 4
    night(parts, clock, "2027-01-10 03:05")
    with parts.database.read() as session:
        # Of the second change the matcher has not heard yet; the first is done with.
        assert count(session, "delivery") == 2
        assert count(session, "change") == 2
        left = set(session.exec(select(Job.key).where(Job.state != JobState.DONE)))
        assert left == {"waits"}
        assert "retention:2026-11-20" not in set(session.exec(select(Job.key)))
        mark = marks.newest(session)[marks.RETENTION]
    assert mark.good
    assert world.achievement.id


def test_an_import_goes_a_year_after_its_end_with_its_file(parts: Parts, clock: FakeClock) -> None:
    place = factories.organisation(parts)
    with parts.database.write() as session:
        file = files.keep(
            session,
            stored=("0" * 64, 1),
            name="成果.xlsx",
            media_type="text/csv",
            organisation_id=place.id,
            person_id=None,
            at=clock.now(),
        )
        for public_id, state in (("done", RunState.DONE), ("runs", RunState.RUNNING)):
            run = ImportRun(
                public_id=public_id,
                organisation_id=place.id,
                kind=Kind.ACHIEVEMENT,
                file_id=file.id,
                state=state,
                created_at=clock.now(),
            )
            session.add(run)
            session.flush()
            session.add(RunProblem(run_id=run.id, row=2, column="名称", reason="名称：必填"))
    night(parts, clock)
    with parts.database.read() as session:
        assert count(session, "intake_run") == count(session, "intake_problem") == 2
    night(parts, clock, "2027-11-20 03:05")
    with parts.database.read() as session:
        assert [run.public_id for run in session.exec(select(ImportRun))] == ["runs"]
        assert count(session, "intake_problem") == 1
        assert count(session, "stored_file") == 1, "another run still names it"


def test_an_import_left_lying_takes_its_task_along(parts: Parts, clock: FakeClock) -> None:
    at = bringing.Bringing(parts, factories.organisation(parts))
    ready = at.ask(bringing.table("编号,成果名称", "1,甲"))
    at.ask(bringing.table("编号,一列,另一列", "2,乙,丙"), "b.csv")
    with parts.database.read() as session:
        assert {kind for kind in waiting.KINDS if notify.open_tasks(session, kind)}
        assert ready.run.public_id in notify.open_tasks(session, waiting.CONFIRM)
    night(parts, clock, "2027-11-20 03:05")
    with parts.database.read() as session:
        assert not session.exec(select(ImportRun)).all()
        assert not [kind for kind in waiting.KINDS if notify.open_tasks(session, kind)]
        assert not list(imports_audit(session))


def test_no_bytes_go_beside_a_backup(parts: Parts, clock: FakeClock, settings: Settings) -> None:
    sha256, _ = parts.files.save(io.BytesIO(b"nobody names this"), limit=100)
    saved_long_ago(parts, settings)
    backing_up = files_lock(settings)
    assert backing_up.take()
    by_worker(parts, settings, clock, "2026-11-20 03:05")
    with parts.files.open(sha256) as stream:
        assert stream.read() == b"nobody names this"
    with parts.database.read() as session:
        assert "备份正在进行" in marks.newest(session)[marks.RETENTION].detail
    backing_up.release()
    by_worker(parts, settings, clock, "2026-11-21 03:05")
    assert sha256 not in set(parts.files.stored())
    assert backing_up.take(), "the removal let the lock go"
    backing_up.release()


def saved_long_ago(parts: Parts, settings: Settings) -> None:
    """By the clock of either store."""
    for path in settings.files_dir.rglob("*"):
        os.utime(path, (0, 0))
    with parts.database.write() as session:
        session.execute(update(StoredBytes).values(saved_at=datetime.fromtimestamp(0, UTC)))


def by_worker(parts: Parts, settings: Settings, clock: FakeClock, at: str) -> None:
    clock.set_local(at)
    open_writer(settings).close()
    process = working(settings, parts)
    while process.step():
        pass
    process.close()


def test_bytes_put_aside_are_still_found(parts: Parts, settings: Settings) -> None:
    """As a removal leaves them that is under way, or was killed."""
    sha256, _ = LocalFiles(settings.files_dir).save(io.BytesIO(b"saved anew"), limit=100)
    settings.files_dir.joinpath(sha256[:2], sha256[2:]).rename(
        settings.files_dir / f"aside-{sha256}"
    )
    with parts.files.open(sha256) as stream:
        assert stream.read() == b"saved anew"


def test_more_than_a_chunk_goes_in_one_night(parts: Parts, clock: FakeClock) -> None:
    at = clock.now()
    many = 2 * retention.CHUNK + 7
    with parts.database.write() as session:
        session.add_all([SignInFailure(key="0" * 64, at=at) for _ in range(many)])
    night(parts, clock)
    with parts.database.read() as session:
        assert count(session, "sign_in_failure") == 0
        assert marks.newest(session)[marks.RETENTION].detail == f"删除{many}行"


def test_everything_that_goes_is_told(parts: Parts) -> None:
    told = [(one.what, one.how_long) for one in retention.keeps(parts.audit_days)]
    assert len(set(told)) == len(told)
    assert ("操作记录（谁在什么时候做了什么）", "365天") in told
