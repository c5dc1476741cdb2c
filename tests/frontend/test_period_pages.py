"""The bureau closes a month on its page, and over the API; who may see it."""

from datetime import date

import pytest
from fastapi.testclient import TestClient

from market.accounts.policy import Role
from market.accounts.work import Parts
from tests import factories
from tests.frontend.test_board_pages import Visitor
from tests.frontend.test_past_pages import settle, site  # noqa: F401  the fixture
from tests.market.ledger.test_ledger import register
from tests.support.clock import FakeClock


@pytest.fixture
def posted(parts: Parts) -> Parts:
    with parts.database.write() as session:
        register(session, parts, 1, on=date(2026, 9, 9))
        register(session, parts, 2, on=date(2026, 10, 9))
        register(session, parts, 3, on=date(2026, 11, 1))
    return parts


def test_a_month_is_closed_and_shown_with_its_head(
    posted: Parts,
    site: TestClient,  # noqa: F811
    clock: FakeClock,
) -> None:
    officer = Visitor(site, posted, factories.actor(posted, Role.OFFICER))
    page = officer.get("/desk/periods")
    assert "关账到2026-10" in page
    assert "可以关账的有2个月" in page
    assert "正在关账" in officer.post("/desk/periods", {"month": "2026-10"})
    settle(posted, clock)
    closed = officer.get("/desk/periods")
    assert closed.count("已关账") == 2
    assert "账头文件第1号" in closed
    assert "关账到" not in closed
    assert "已经关账" in officer.post("/desk/periods", {"month": "2026-10"}, 422)
    assert "还没有结束" in officer.post("/desk/periods", {"month": "2026-11"}, 422)


def test_the_month_just_over_is_listed_and_closed_before_anything_is_written_in_the_next(
    posted: Parts,
    site: TestClient,  # noqa: F811
    clock: FakeClock,
) -> None:
    clock.set_local("2027-01-01 00:05")
    officer = Visitor(site, posted, factories.actor(posted, Role.OFFICER))
    page = officer.get("/desk/periods")
    assert "可以关账的有4个月，到2026-12为止" in page
    assert "正在关账" in officer.post("/desk/periods", {"month": "2026-12"})
    settle(posted, clock)
    assert officer.get("/desk/periods").count("已关账") == 4


def test_over_the_api(posted: Parts, site: TestClient, clock: FakeClock) -> None:  # noqa: F811
    def headers(role: Role) -> dict[str, str]:
        token = factories.token(posted, factories.actor(posted, role))
        return {"Authorization": f"Bearer {token}"}

    officer, auditor, editor = (headers(one) for one in (Role.OFFICER, Role.AUDITOR, Role.EDITOR))
    close = "/api/v1/periods/close"
    assert site.post(close, json={"month": "2026-09"}, headers=auditor).status_code == 403
    assert site.get("/api/v1/periods", headers=editor).status_code == 403
    assert site.post(close, json={"month": "2026-13"}, headers=officer).status_code == 422
    assert site.post(close, json={"month": "2026-09"}, headers=officer).status_code == 200
    settle(posted, clock)
    shown = site.get("/api/v1/periods", headers=auditor).json()["items"]
    assert [(one["month"], one["state"]) for one in shown] == [
        ("2026-11", "open"),
        ("2026-10", "open"),
        ("2026-09", "closed"),
    ]
    assert (shown[-1]["count"], shown[-1]["technical_fen"]) == (1, 100_000_000)
    assert shown[-1]["seal"] == 1
    assert len(shown[-1]["head_hash"]) == 64
