"""The pages of operators and auditors, as a browser would ask for them."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session

from frontend.edge import COOKIE
from frontend.pages.audit_words import ACTIONS, SUBJECTS
from frontend.pages.operations import KINDS
from infra.pulse import Pulse
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts.policy import Action, Role
from market.accounts.work import Actor, Parts
from market.jobs import handlers
from market.kit import jobs
from market.kit.jobs import Chunk, Job, Runner
from market.payments.stripe import Cards
from tests import factories
from tests.support.clock import FakeClock

HOST = "http://127.0.0.1"


@pytest.fixture
def site(parts: Parts, settings: Settings) -> Iterator[TestClient]:
    reader = open_reader(settings)
    with TestClient(
        create_app(parts, reader, settings), base_url=HOST, follow_redirects=False
    ) as client:
        client.headers["origin"] = HOST
        yield client
    reader.close()


def sign_in(site: TestClient, parts: Parts, who: Actor) -> str:
    """Return the token that the forms of this person carry."""
    cookie, csrf = factories.cookie(parts, who)
    site.cookies.set(COOKIE, cookie)
    return csrf


def give_up(parts: Parts, clock: FakeClock) -> None:
    def fails(_session: Session, _job: Job) -> Chunk:
        raise OSError(28, "No space left on device")

    with parts.database.write() as session:
        jobs.enqueue(session, "retention", "one", {}, at=clock.now())
    runner = Runner(parts.database, clock, {"retention": fails})
    while runner.run_one():
        clock.advance(seconds=700)


def test_the_whole_market_is_matched_anew_at_a_word(
    site: TestClient, parts: Parts, clock: FakeClock
) -> None:
    csrf = sign_in(site, parts, factories.actor(parts, Role.OPERATOR))
    for _ in range(2):
        answer = site.post("/operations/rematch", data={"csrf": csrf})
        assert answer.headers["location"].startswith("/operations")
    page = site.get("/operations").text
    assert page.count("全部重新匹配 ") == 1, "asked twice, owed once"
    runner = Runner(parts.database, clock, handlers(parts))
    while runner.run_one():
        pass
    assert "全部重新匹配 " not in site.get("/operations").text


def test_a_failed_job_in_words_and_set_going_again(
    site: TestClient, parts: Parts, clock: FakeClock
) -> None:
    give_up(parts, clock)
    csrf = sign_in(site, parts, factories.actor(parts, Role.OPERATOR))
    page = site.get("/operations")
    assert page.status_code == 200
    assert "清理到期的数据" in page.text
    assert "磁盘已满" in page.text
    assert "没有动静" in page.text, "no process has shown itself"
    job = re.search(r'name="id" value="(\d+)"', page.text)
    assert job
    again = site.post("/operations/jobs/retry", data={"csrf": csrf, "id": job[1]})
    assert again.status_code == 303
    after = site.get(again.headers["location"])
    assert "任务已重新排队" in after.text
    assert "没有失败或搁置的事" in after.text
    stale = site.post("/operations/jobs/retry", data={"csrf": csrf, "id": job[1]})
    assert stale.status_code in (303, 409)
    assert site.post("/operations/jobs/retry", data={"csrf": csrf, "id": "x"}).status_code == 404


def test_what_keeps_failing_and_is_tried_again_is_told_in_the_head(
    site: TestClient, parts: Parts, clock: FakeClock
) -> None:
    def fails(_session: Session, _job: Job) -> Chunk:
        raise OSError(28, "No space left on device")

    sign_in(site, parts, factories.actor(parts, Role.OPERATOR))
    with parts.database.write() as session:
        jobs.enqueue(session, "retention", "one", {}, at=clock.now())
    assert "没有失败或搁置的事" in site.get("/operations").text
    Runner(parts.database, clock, {"retention": fails}).run_one()
    page = site.get("/operations").text
    assert ("1项在重试" in page, "没有失败或搁置的事" in page) == (True, False)


def test_a_process_that_falls_silent_is_told(
    site: TestClient, parts: Parts, clock: FakeClock
) -> None:
    sign_in(site, parts, factories.actor(parts, Role.OPERATOR))
    pulses = [Pulse(parts, kind) for kind in ("web", "worker", "indexer")]
    for pulse in pulses:
        pulse.busy = "resting"
        pulse.beat()
    page = site.get("/operations").text
    assert page.count("在运行") == 3
    assert "没有动静" not in page
    clock.advance(seconds=60)
    pulses[0].beat()
    assert site.get("/operations").text.count("没有动静") == 2
    pulses[0].end()
    assert site.get("/operations").text.count("没有动静") == 3


def test_others_are_refused_with_one_sentence(site: TestClient, parts: Parts) -> None:
    sign_in(site, parts, factories.actor(parts, Role.MANAGER))
    refused = site.get("/operations")
    assert refused.status_code == 403
    assert refused.text.count("您现在的身份不能做这件事") == 2, "in the title and in the heading"
    assert "换到有权的那一个" in refused.text


def test_an_unknown_address_keeps_the_frame(site: TestClient, parts: Parts) -> None:
    who = factories.actor(parts, Role.MANAGER)
    assert who.person_name not in site.get("/no-such-page").text
    sign_in(site, parts, who)
    for path in ("/no-such-page", "/static/nothing.css", "/listings/not-an-id"):
        lost = site.get(path)
        assert lost.status_code == 404
        assert who.person_name in lost.text, path


def test_head_is_answered_like_get(site: TestClient) -> None:
    for path in ("/", "/login", "/api/v1/plans"):
        got, asked = site.get(path), site.head(path)
        assert asked.status_code == got.status_code
        assert asked.content == b""
        assert asked.headers["content-type"] == got.headers["content-type"]
    assert site.head("/logout").status_code == 405


def test_the_audit_page_speaks_chinese_and_narrows(
    site: TestClient, parts: Parts, clock: FakeClock
) -> None:
    manager = factories.actor(parts, Role.MANAGER)
    sign_in(site, parts, manager)
    for _ in range(105):
        site.get("/operations")
    clock.advance(hours=20)
    sign_in(site, parts, manager)  # the first session has been idle for too long
    refused = site.get("/audit")
    assert refused.status_code == 403, refused.headers
    sign_in(site, parts, factories.actor(parts, Role.AUDITOR))
    page = site.get("/audit").text
    assert "查看运行状况" in page
    assert "operations.view</td>" not in page
    older = re.search(r'href="(/audit\?before=\d+)"', page)
    assert older
    assert "最新的记录" in site.get(older[1]).text

    def rows(**asked: str) -> int:
        return site.get("/audit", params=asked).text.count('scope="row"')

    assert rows(action="audit.view", organisation=manager.organisation_name) == 1
    assert rows(action="audit.view", day="2026-11-02") == 0
    assert rows(outcome="refused") == 100
    assert rows(outcome="done") == 0
    wrong = site.get("/audit", params={"day": "昨天"})
    assert wrong.status_code == 422
    assert "昨天" in wrong.text


def test_every_action_and_every_kind_of_job_has_a_name(parts: Parts) -> None:
    assert {str(action) for action in Action} <= ACTIONS.keys()
    every = handlers(parts, cards=Cards("sk_test_name", "whsec_name"))
    assert every.keys() <= KINDS.keys()
    assert "listing" in SUBJECTS
