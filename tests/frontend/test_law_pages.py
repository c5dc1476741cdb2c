"""Privacy, terms, consent, my data, sessions and leaving on the site, over HTTP as a browser would."""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from frontend.edge import COOKIE
from infra import users
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts import passwords
from market.accounts.models import Person
from market.accounts.policy import Role
from market.accounts.throttle import ADDRESS_SIGN_UPS
from market.accounts.work import Actor, Parts
from market.kit.errors import Conflict
from tests import factories
from tests.frontend.test_account_pages import HOST, PASSWORD, csrf
from tests.support.trade import asked, trade

SITE = {
    "operator": "示范区技术转移中心",
    "contact_email": "geren@example.com",
    "contact_phone": "023-00000000",
    "icp": "示范ICP备00000000号",
    "police": "示范公网安备 50010602000000号",
}


@pytest.fixture
def site(parts: Parts, settings: Settings) -> Iterator[TestClient]:
    app = create_app(parts, open_reader(settings), replace(settings, **SITE))
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        client.headers["origin"] = HOST
        yield client


def sign_up(site: TestClient) -> None:
    form = {"name": "示范张甲", "email": "a@example.com", "password": PASSWORD, "agreed": "1"}
    assert site.post("/signup", data=form).status_code == 303


def signed_in(site: TestClient, parts: Parts, who: Actor) -> str:
    """Sign the actor in, with a password, and return the session's token for forms."""
    with parts.database.write() as session:
        session.get_one(Person, who.person).password_hash = passwords.hashed(PASSWORD)
    cookie, token = factories.cookie(parts, who)
    site.cookies.set(COOKIE, cookie)
    return token


def newer_edition(parts: Parts) -> None:
    """Make what everybody agreed to an older edition; consents themselves cannot be changed."""
    with parts.database.write() as session:
        triggers = session.execute(
            text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'consent'")
        ).scalars()
        kept = list(triggers)
        for operation in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER append_only_consent_{operation}"))
        session.execute(text("UPDATE consent SET version = '0'"))
        for sql in kept:
            session.connection().exec_driver_sql(sql)


def test_the_notice_says_who_what_how_long_and_what_stays(site: TestClient) -> None:
    page = site.get("/privacy")
    assert page.status_code == 200
    for words in (
        SITE["operator"],
        SITE["contact_email"],
        SITE["contact_phone"],
        "操作记录（谁在什么时候做了什么）",
        "365天",
        "运行日志文件",
        "190天",
        "退出或过期后30天",
        "技术合同的登记",
        "第1版",
        "2026-11-01",
    ):
        assert words in page.text, words
    assert SITE["operator"] in site.get("/terms").text
    assert site.get("/privacy?version=1").status_code == 200
    assert site.get("/privacy?version=99").status_code == 404


def test_the_foot_of_every_page_names_operator_and_filings(site: TestClient) -> None:
    home = site.get("/login").text
    foot = home[home.index("<footer") :]
    assert SITE["icp"] in foot
    assert "beian.mps.gov.cn/#/query/webSearch?code=50010602000000" in foot
    assert SITE["operator"] in foot
    assert 'href="/privacy"' in foot


def test_nobody_signs_up_without_the_box(site: TestClient) -> None:
    page = site.get("/signup").text
    box = re.search(r"<input[^>]*name=\"agreed\"[^>]*>", page)
    assert box
    assert "checked" not in box[0]
    form = {"name": "示范张甲", "email": "a@example.com", "password": PASSWORD}
    refused = site.post("/signup", data=form)
    assert refused.status_code == 422
    assert "请先阅读并同意隐私政策和服务条款" in refused.text
    assert 'value="示范张甲"' in refused.text
    assert site.post("/api/v1/people", json=form).status_code == 422


def test_a_newer_edition_is_asked_about_on_the_way(site: TestClient, parts: Parts) -> None:
    sign_up(site)
    with_older = site.cookies[COOKIE]
    newer_edition(parts)
    assert site.get("/account").status_code == 200, "what is being done is not interrupted"
    site.cookies.clear()
    form = {"email": "a@example.com", "password": PASSWORD, "next": "/account?a=b"}
    answer = site.post("/login", data=form)
    assert answer.headers["location"] == "/consent?next=%2Faccount%3Fa%3Db"
    assert site.get("/account").headers["location"] == "/consent?next=/account"
    asked = site.get(answer.headers["location"])
    assert "隐私政策" in asked.text
    token = csrf(site, answer.headers["location"])
    # Reading, taking one's data along and leaving need no consent.
    for path in ("/", "/privacy", "/account/data", "/account/data/copy"):
        assert site.get(path).status_code == 200, path
    empty = site.post("/consent", data={"csrf": token, "next": "/account?a=b"})
    assert empty.status_code == 422
    assert 'value="/account?a=b"' in empty.text
    agreed = {"csrf": token, "next": "/account?a=b", "agreed": "1"}
    assert site.post("/consent", data=agreed).headers["location"] == "/account?a=b"
    assert site.get("/account").status_code == 200
    assert site.get("/consent").headers["location"] != "/consent"
    site.cookies.set(COOKIE, with_older)
    assert site.get("/account").status_code == 200


def test_no_token_before_newer_terms_are_agreed_to(site: TestClient, parts: Parts) -> None:
    sign_up(site)
    newer_edition(parts)
    asked = {"email": "a@example.com", "password": PASSWORD}
    refused = site.post("/api/v1/tokens", json=asked)
    assert refused.status_code == 403
    assert "登录一次" in refused.json()["error"]["message"]


def test_where_consent_leads_stays_here(site: TestClient, parts: Parts) -> None:
    token = signed_in(site, parts, factories.actor(parts))
    form = {"csrf": token, "agreed": "1", "next": "//evil.example"}
    assert site.post("/consent", data=form).headers["location"] in ("/work", "/my/listings")


def test_sessions_are_listed_and_ended(site: TestClient, parts: Parts) -> None:
    who = factories.actor(parts)
    token = signed_in(site, parts, who)
    others = [factories.cookie(parts, who)[0] for _ in range(2)]
    page = site.get("/account").text
    assert page.count("让它退出") == 2
    assert "（本机）" in page
    assert site.post("/account/sessions/end-others", data={"csrf": token}).status_code == 303
    assert site.get("/account").status_code == 200
    for cookie in others:
        site.cookies.set(COOKIE, cookie)
        assert site.get("/account").status_code == 303


def test_wrong_old_passwords_are_counted(site: TestClient, parts: Parts) -> None:
    token = signed_in(site, parts, factories.actor(parts))
    form = {"old": "guess", "password": "another long passphrase", "csrf": token}
    for _ in range(8):
        answer = site.post("/account/password", data=form)
        assert answer.status_code == 422
        assert "密码不对" in answer.text
    right = site.post("/account/password", data={**form, "old": PASSWORD})
    assert right.status_code == 422
    assert "15分钟后再试" in right.text
    assert site.get("/account").status_code == 200


def test_accounts_from_one_address_are_limited(site: TestClient, parts: Parts) -> None:
    taken = {"name": "示范张甲", "email": "a@example.com", "password": PASSWORD, "agreed": "1"}
    sign_up(site)
    site.cookies.clear()
    for _ in range(ADDRESS_SIGN_UPS - 1):
        assert site.post("/signup", data=taken).status_code == 422
    limited = site.post("/signup", data={**taken, "email": "b@example.com"})
    assert limited.status_code == 429
    assert "一小时后再试" in limited.text
    assert 'value="b@example.com"' in limited.text
    parts.clock.advance(minutes=61)  # type: ignore[attr-defined]
    assert site.post("/signup", data={**taken, "email": "b@example.com"}).status_code == 303


def test_my_data_can_be_taken_along(site: TestClient, parts: Parts) -> None:
    world = trade(parts)
    signed_in(site, parts, world.seller)
    page = site.get("/account/data")
    assert "操作记录" in page.text
    assert "仍然保留的记录" in page.text
    packed = site.get("/account/data/copy")
    assert packed.headers["content-type"] == "application/zip"
    assert packed.headers["content-disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as files:
        mine = json.loads(files.read("我的数据.json"))
    assert mine["账号"][0]["姓名"] == world.seller.person_name


def test_an_account_is_deleted_with_password_and_words(site: TestClient, parts: Parts) -> None:
    sign_up(site)
    token = csrf(site)
    form = {"confirm": "注销账号", "password": PASSWORD, "csrf": token}
    wrong = site.post("/account/data/delete", data={**form, "confirm": "好"})
    assert wrong.status_code == 422
    assert "现在是“好”" in wrong.text
    done = site.post("/account/data/delete", data=form)
    assert done.status_code == 303
    assert done.headers["location"].startswith("/?done=account-deleted")
    again = site.post("/account/data/delete", data=form)
    assert again.status_code in (303, 403), "nobody is signed in any more"
    site.cookies.clear()
    assert (
        site.post("/login", data={"email": "a@example.com", "password": PASSWORD}).status_code
        == 422
    )
    sign_up(site)


def test_the_only_manager_is_shown_the_way_out(site: TestClient, parts: Parts) -> None:
    world = trade(parts)
    token = signed_in(site, parts, world.seller)
    page = site.get("/account/data").text
    assert "现在还不能注销" in page
    assert world.university.name in page
    form = {"confirm": "注销账号", "password": PASSWORD, "csrf": token}
    assert site.post("/account/data/delete", data=form).status_code == 409
    leaving = {"csrf": token, "organisation": world.university.public_id}
    left = site.post("/organisation/leave", data=leaving)
    assert left.status_code == 409
    assert "现在还不能离开" in left.text
    factories.actor(parts, Role.MANAGER, world.university)
    assert site.get("/organisation/leave").status_code == 200
    for _ in range(2):  # the second click is told the same
        assert site.post("/organisation/leave", data=leaving).headers["location"] == (
            "/organisations?done=organisation-left"
        )
    assert site.get("/organisation/leave").headers["location"] == "/organisations"
    assert "现在还不能注销" not in site.get("/account/data").text
    assert site.post("/account/data/delete", data=form).status_code == 303


def test_who_leaves_sees_what_is_to_be_handed_over(site: TestClient, parts: Parts) -> None:
    world = trade(parts)
    inquiry = asked(world)
    signed_in(site, parts, world.buyer)
    page = site.get("/organisation/leave").text
    assert "请先交接" in page
    assert f"/inquiries/{inquiry.public_id}" in page
    signed_in(site, parts, world.seller)
    assert "请先交接" not in site.get("/organisation/leave").text


def test_the_sole_manager_is_told_before_trying_to_leave(site: TestClient, parts: Parts) -> None:
    manager = factories.actor(parts, Role.MANAGER)
    cookie, _ = factories.cookie(parts, manager)
    site.cookies.set(COOKIE, cookie)
    page = site.get("/organisation/leave").text
    assert "现在还不能离开" in page
    assert 'action="/organisation/leave"' not in page


def test_the_api_copies_leaves_and_deletes_too(site: TestClient, parts: Parts) -> None:
    who = factories.actor(parts, Role.EDITOR)
    signed_in(site, parts, who)
    site.cookies.clear()
    headers = {"Authorization": f"Bearer {factories.token(parts, who)}"}
    mine = site.get("/api/v1/me/data", headers=headers).json()
    assert mine["items"][0]["rows"][0]["姓名"] == who.person_name
    assert site.delete("/api/v1/membership", headers=headers).status_code == 204
    assert site.get("/api/v1/me", headers=headers).status_code == 401, "the token ended with it"
    alone = replace(who, membership_id=None)
    headers = {"Authorization": f"Bearer {factories.token(parts, alone)}"}
    body = {"password": PASSWORD, "confirm": "注销账号"}
    assert site.post("/api/v1/me/deletion", json=body, headers=headers).status_code == 204
    assert site.get("/api/v1/me", headers=headers).status_code == 401


def test_a_disabled_account_is_told_and_let_in_again(site: TestClient, parts: Parts) -> None:
    sign_up(site)
    site.cookies.clear()
    users.disable(parts, "a@example.com")
    with pytest.raises(Conflict, match="user enable"):
        users.reset(parts, "a@example.com")
    form = {"email": "a@example.com", "password": PASSWORD}
    assert site.post("/login", data=form).status_code == 422
    users.enable(parts, "a@example.com")
    with pytest.raises(Conflict):
        users.enable(parts, "a@example.com")
    assert site.post("/login", data=form).status_code == 303
