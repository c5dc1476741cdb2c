"""Accounts and organisations on the site, over HTTP as a browser would."""

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from infra import users
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader
from market.accounts.policy import Role
from market.accounts.work import Parts
from market.kit.audit import AuditRow
from tests import factories

HOST = "http://127.0.0.1"
PASSWORD = "correct horse battery"


@pytest.fixture
def site(parts: Parts, settings: Settings) -> Iterator[TestClient]:
    app = create_app(parts, open_reader(settings), settings)
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        client.headers["origin"] = HOST
        yield client


def csrf(site: TestClient, path: str = "/account") -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', site.get(path).text)
    assert found, "no form with a token"
    return found[1]


def sign_up(site: TestClient, email: str = "a@example.com") -> None:
    form = {"name": "示范张甲", "email": email, "password": PASSWORD, "agreed": "1"}
    answer = site.post("/signup", data=form)
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"] == "/work"


def test_all_that_is_wrong_with_a_sign_up_is_told_at_once(site: TestClient) -> None:
    form = {"name": "", "email": "nowhere", "password": "short"}
    page = site.post("/signup", data=form).text
    assert "还有4处要改" in page
    assert "请先阅读并同意" in page


def test_name_and_telephone_are_one_s_own_to_change(site: TestClient, parts: Parts) -> None:
    sign_up(site)
    form = {"csrf": csrf(site), "name": "示范张乙", "phone": "13800000009"}
    seen = {"seen_name": "示范张甲", "seen_phone": ""}
    assert site.post("/account/person", data={**form, "seen_name": "别人"}).status_code == 422
    assert "示范张乙" not in site.get("/account").text
    saved = site.post("/account/person", data={**form, **seen})
    assert saved.headers["location"] == "/account?done=profile-saved"
    page = site.get("/account").text
    assert "示范张乙" in page
    assert "13800000009" in page
    wrong = site.post("/account/person", data={**form, **seen, "name": ""})
    assert (wrong.status_code, "姓名必须填写" in wrong.text) == (422, True)
    overtaken = site.post("/account/person", data={**form, **seen, "name": "示范张丙"})
    assert "刚在别处改过" in overtaken.text
    with parts.database.read() as session:
        told = session.exec(select(AuditRow.action)).all()
    assert told.count("account.use") == 1


def test_from_sign_up_to_an_organisation(site: TestClient) -> None:
    sign_up(site)
    token = csrf(site, "/organisations")
    form = {
        "kind": "university",
        "name": "示范大学九",
        "credit_code": "12345",
        "region": "500106",
        "csrf": token,
    }
    wrong = site.post("/organisations", data=form)
    assert wrong.status_code == 422
    assert "18位，现在是5位" in wrong.text
    assert "示范大学九" in wrong.text, "what was typed is kept"
    right = site.post("/organisations", data={**form, "credit_code": factories.credit_code()})
    assert right.status_code == 303
    page = site.get(right.headers["location"])
    assert "示范大学九" in page.text
    assert "待核验" in page.text


def test_another_site_cannot_act_in_a_visitors_name(site: TestClient) -> None:
    sign_up(site)
    token = csrf(site)
    foreign = site.post(
        "/account/tokens",
        data={"name": "x", "csrf": token},
        headers={"origin": "http://evil.example"},
    )
    assert foreign.status_code == 403
    no_token = site.post("/account/tokens", data={"name": "x"})
    assert no_token.status_code == 403
    assert site.post("/account/tokens", data={"name": "x", "csrf": token}).status_code == 200


def test_a_session_is_new_at_each_login_and_ends_everywhere(site: TestClient) -> None:
    sign_up(site)
    first = site.cookies["zhihe_session"]
    token = csrf(site)
    assert site.post("/logout", data={"csrf": token}).status_code == 303
    site.cookies.clear()
    again = site.post("/login", data={"email": "a@example.com", "password": PASSWORD})
    assert again.status_code == 303
    assert site.cookies["zhihe_session"] != first
    site.cookies.clear()
    site.cookies.set("zhihe_session", first)
    assert site.get("/account").status_code == 303, "a revoked session is nobody's"


def test_wrong_password_keeps_the_address_and_not_the_password(site: TestClient) -> None:
    answer = site.post("/login", data={"email": "a@example.com", "password": "hunter2-hunter2"})
    assert answer.status_code == 422
    assert "a@example.com" in answer.text
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("to", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_login_leads_nowhere_else(site: TestClient, to: str) -> None:
    sign_up(site)
    site.cookies.clear()
    form = {"email": "a@example.com", "password": PASSWORD, "next": to}
    assert site.post("/login", data=form).headers["location"] == "/"


def test_changed_password_ends_sessions_and_tokens(site: TestClient) -> None:
    sign_up(site)
    token = csrf(site)
    shown = site.post("/account/tokens", data={"name": "同步", "csrf": token})
    secret = re.search(r"<code>(zh_[^<]+)</code>", shown.text)
    assert secret
    headers = {"Authorization": f"Bearer {secret[1]}"}
    assert site.get("/api/v1/me", headers=headers).status_code == 200
    form = {"old": PASSWORD, "password": "another long passphrase", "csrf": token}
    assert site.post("/account/password", data=form).status_code == 303
    assert site.get("/api/v1/me", headers=headers).status_code == 401
    assert site.get("/account").status_code == 303


def test_one_time_link_works_once(site: TestClient, parts: Parts) -> None:
    link = users.create(
        parts,
        email="officer@example.com",
        name="示范李乙",
        role="officer",
        code=factories.credit_code(),
        org_name="示范区科技局",
        org_kind="bureau",
    )
    assert site.get(link).status_code == 200
    assert site.post(link, data={"password": "short"}).status_code == 422
    not_agreed = site.post(link, data={"password": PASSWORD})
    assert not_agreed.status_code == 422
    assert "请先阅读并同意" in not_agreed.text
    assert site.post(link, data={"password": PASSWORD, "agreed": "1"}).status_code == 303
    assert site.get(link).status_code == 404
    assert site.post(link, data={"password": PASSWORD}).status_code == 404
    answer = site.post("/login", data={"email": "officer@example.com", "password": PASSWORD})
    assert answer.headers["location"] == "/work"


def test_bureau_verifies_and_the_reason_of_a_refusal_is_asked(
    site: TestClient, parts: Parts
) -> None:
    founder = factories.actor(parts, Role.MANAGER)
    officer = factories.actor(parts, Role.OFFICER)
    cookie, token = factories.cookie(parts, officer)
    site.cookies.set("zhihe_session", cookie)
    path = f"/desk/organisations/{founder.organisation_public_id}"
    refused = site.post(path, data={"decision": "refused", "name": "示范", "csrf": token})
    assert refused.status_code == 422
    assert "写明原因" in refused.text
    form = {"decision": "verified", "name": "更正后的名称", "self_publish": "1", "csrf": token}
    assert site.post(path, data=form).status_code == 303
    assert "更正后的名称" in site.get(path).text


def test_a_verified_name_is_the_bureaus_to_change(site: TestClient, parts: Parts) -> None:
    manager = factories.actor(parts, Role.MANAGER)
    cookie, token = factories.cookie(parts, manager)
    site.cookies.set("zhihe_session", cookie)
    form = {"name": "冒用的名称", "address": "示范路1号", "csrf": token}
    refused = site.post("/organisation", data=form)
    assert refused.status_code == 422
    assert "已经科技局核验" in refused.text
    form["name"] = manager.organisation_name
    assert site.post("/organisation", data=form).status_code == 303


def test_a_refusal_keeps_the_frame_of_who_is_signed_in(site: TestClient, parts: Parts) -> None:
    viewer = factories.actor(parts, Role.VIEWER)
    site.cookies.set("zhihe_session", factories.cookie(parts, viewer)[0])
    refused = site.get("/desk/reviews")
    assert refused.status_code == 403
    assert viewer.person_name in refused.text
    assert "/my/listings" in refused.text


def test_unknown_pages_and_hosts(site: TestClient) -> None:
    assert site.get("/nothing-here").status_code == 404
    assert site.get("/login", headers={"host": "evil.example"}).status_code == 400


@pytest.mark.usefixtures("both_databases")
def test_a_character_that_no_database_keeps_is_refused(site: TestClient) -> None:
    for path in ("/search?q=%00", "/organisations?q=%00", "/api/v1/organisations?q=a%00", "/%00"):
        answer = site.get(path)
        assert answer.status_code == 400, path
        assert "不能识别的字符" in answer.text
    sign_up(site)
    switched = site.post("/account/switch", data={"membership": "\x00", "csrf": csrf(site)})
    assert switched.status_code == 404


def test_a_body_over_the_limit_is_refused_unread(site: TestClient) -> None:
    answer = site.post(
        "/api/v1/people", content=b"x" * 1_100_000, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413
