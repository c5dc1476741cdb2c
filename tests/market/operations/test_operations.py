"""What operators see and set going again, over HTTP on both databases."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from market.accounts.policy import Role
from market.kit import changes, jobs, notify
from market.kit.changes import Consumer, SubjectKind
from market.kit.jobs import Chunk, Job, Runner
from market.operations import marks
from tests.support.clock import FakeClock
from tests.support.running import Running

pytestmark = pytest.mark.usefixtures("both_databases")
SECRET = "zhang.san@example.com"


def fails(_session: Session, _job: Job) -> Chunk:
    raise ValueError(SECRET)


def give_up(running: Running, clock: FakeClock, key: str, organisation_id: int | None) -> None:
    with running.parts.database.write() as session:
        jobs.enqueue(session, "retention", key, {}, at=clock.now(), organisation_id=organisation_id)
    runner = Runner(running.parts.database, clock, {"retention": fails})
    while runner.run_one():
        clock.advance(seconds=700)


def open_tasks(running: Running, kind: str) -> set[str]:
    with running.parts.database.read() as session:
        return notify.open_tasks(session, kind)


def test_a_job_given_up_is_seen_and_set_going_again(running: Running, clock: FakeClock) -> None:
    seller = running.actor(Role.MANAGER)
    give_up(running, clock, "one", seller.organisation_id)
    operator = running.api(running.actor(Role.OPERATOR))
    seen = operator.get("/operations")
    assert seen.status_code == 200, seen.text
    (job,) = seen.json()["jobs_failed"]
    assert job["attempts"] == jobs.MAX_ATTEMPTS
    assert job["organisation"] == seller.organisation_name
    assert job["error"].startswith("ValueError（")
    assert SECRET not in seen.text
    assert open_tasks(running, jobs.FAILED) == {str(job["id"])}

    again = operator.post("/operations/jobs/retry", json={"id": job["id"]})
    assert again.json() == {"count": 1}
    assert open_tasks(running, jobs.FAILED), "the task waits until the job gets through"
    twice = operator.post("/operations/jobs/retry", json={"id": job["id"]})
    assert twice.status_code == 409, "a job that waits is not set going a second time"

    done = Runner(running.parts.database, clock, {"retention": lambda _s, _j: Chunk(None)})
    assert done.run_one()
    assert not open_tasks(running, jobs.FAILED)
    assert operator.get("/operations").json()["jobs_failed"] == []


def test_all_jobs_given_up_are_set_going_at_once(running: Running, clock: FakeClock) -> None:
    for key in ("one", "two"):
        give_up(running, clock, key, None)
    operator = running.api(running.actor(Role.OPERATOR))
    assert operator.post("/operations/jobs/retry", json={}).json() == {"count": 2}
    rows = running.api(running.actor(Role.AUDITOR)).get("/audit").json()["items"]
    assert any(r["action"] == "operations.retry" and r["subject"] == "job:all" for r in rows)


def set_aside(running: Running, clock: FakeClock, subject_id: int) -> None:
    """A change of a listing that cannot be brought in, tried as often as it is."""
    with running.parts.database.write() as session:
        changes.record(
            session, SubjectKind.LISTING, subject_id, "edited", at=clock.now(), actor_id=None
        )
    for _ in range(changes.MAX_ATTEMPTS):
        clock.advance(seconds=400)
        with running.parts.database.write() as session:
            now = clock.now()
            claimed = changes.claim(session, Consumer.INDEX, now=now, limit=9)
            for one in claimed:
                changes.failed(session, one, "ValueError（market/x.py:1 y）", now=now)


def test_a_change_set_aside_is_seen_and_delivered_again(running: Running, clock: FakeClock) -> None:
    for subject_id in (901, 902):
        set_aside(running, clock, subject_id)
    assert open_tasks(running, changes.ASIDE) == {"index"}, "one task, however many"
    operator = running.api(running.actor(Role.OPERATOR))
    first, second = operator.get("/operations").json()["deliveries_aside"]
    assert first["consumer"] == "index"
    assert first["error"].startswith("ValueError")
    assert operator.post("/operations/deliveries/retry", json={"id": first["id"]}).is_success
    assert open_tasks(running, changes.ASIDE), "another is still set aside"
    assert operator.post("/operations/deliveries/retry", json={}).json() == {"count": 1}
    assert not open_tasks(running, changes.ASIDE)
    gone = operator.post("/operations/deliveries/retry", json={"id": second["id"]})
    assert gone.status_code == 409
    running.settle()
    left = operator.get("/operations").json()
    assert left["deliveries_aside"] == []
    assert left["deliveries"] == []


def test_only_operators(running: Running) -> None:
    for role in (Role.MANAGER, Role.OFFICER, Role.AUDITOR):
        client = running.api(running.actor(role))
        assert client.get("/operations").status_code == 403
        assert client.post("/operations/jobs/retry", json={}).status_code == 403
    assert running.api().get("/operations").status_code == 401


def test_marks_of_routine_work(running: Running, clock: FakeClock) -> None:
    operator = running.api(running.actor(Role.OPERATOR))
    never = {one["name"]: one["at"] for one in operator.get("/operations").json()["routine"]}
    assert never == {"backup": None, "audit": None, "retention": None}
    for detail in ("first", "second"):
        clock.advance(seconds=60)
        with running.parts.database.write() as session:
            marks.put(session, marks.BACKUP, at=clock.now(), good=True, detail=detail)
    routine = operator.get("/operations").json()["routine"]
    (backup,) = [one for one in routine if one["name"] == "backup"]
    assert backup["good"]
    assert backup["detail"] == "second"


def test_audit_rows_by_action_organisation_and_day(running: Running, clock: FakeClock) -> None:
    seller, other = running.actor(Role.MANAGER), running.actor(Role.MANAGER)
    clock.set_local("2026-11-20 00:10")
    for who in (seller, other):
        assert running.api(who).get("/operations").status_code == 403
    clock.advance(seconds=timedelta(days=1).total_seconds())
    running.api(seller).get("/audit")
    auditor = running.api(running.actor(Role.AUDITOR))

    def rows(**asked: str) -> list[tuple[str, str]]:
        answer = auditor.get("/audit", params=asked)
        assert answer.status_code == 200, answer.text
        return [(row["action"], row["organisation"]) for row in answer.json()["items"]]

    mine, its = seller.organisation_name, other.organisation_name
    assert rows(action="operations.view") == [("operations.view", its), ("operations.view", mine)]
    assert rows(organisation=mine, outcome="refused") == [
        ("audit.view", mine),
        ("operations.view", mine),
    ]
    assert rows(day="2026-11-20", organisation=mine) == [("operations.view", mine)]
    assert rows(organisation="没有这个机构") == []
    assert auditor.get("/audit", params={"action": "nonsense"}).status_code == 422
