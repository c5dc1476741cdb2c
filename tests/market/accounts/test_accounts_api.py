"""Accounts through the API: sign up, found, verify, join, tokens, throttling."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Parts
from market.api import build_api
from tests import factories


@pytest.fixture
def api(parts: Parts) -> Iterator[TestClient]:
    with TestClient(build_api(parts)) as client:
        yield client


def bearer(parts: Parts, role: Role, **at: object) -> dict[str, str]:
    who = factories.actor(parts, role, **at)  # type: ignore[arg-type]
    return {"Authorization": f"Bearer {factories.token(parts, who)}"}


def sign_up(api: TestClient, email: str = "a@example.com") -> dict[str, str]:
    form = {
        "email": email,
        "name": "示范张甲",
        "password": "correct horse battery",
        "agreed": True,
    }
    assert api.post("/people", json=form).status_code == 201
    answer = api.post("/tokens", json={"email": email, "password": form["password"]})
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def test_found_verify_and_join(api: TestClient, parts: Parts) -> None:
    zhang = sign_up(api)
    assert api.get("/me", headers=zhang).json()["role"] == "person"
    form = {
        "kind": "university",
        "name": "示范大学九",
        "credit_code": factories.credit_code(),
        "state_founded": True,
    }
    founded = api.post("/organisations", json=form, headers=zhang)
    assert founded.status_code == 201, founded.text
    organisation = founded.json()["id"]
    assert founded.json()["verification"] == "pending"
    assert api.get(f"/organisations/{organisation}").status_code == 404

    officer = bearer(parts, Role.OFFICER)
    verdict = {"decision": "verified"}
    path = f"/organisations/{organisation}/verification"
    assert api.post(path, json=verdict, headers=zhang).status_code == 403
    assert api.post(path, json=verdict).status_code == 401
    assert api.post(path, json=verdict, headers=officer).status_code == 204
    assert api.get(f"/organisations/{organisation}").json()["name"] == "示范大学九"

    li = sign_up(api, "b@example.com")
    asked = api.post(
        f"/organisations/{organisation}/memberships", json={"role": "editor"}, headers=li
    )
    assert asked.json()["state"] == "requested"
    # Zhang's old token was made before he belonged anywhere; a new one acts for the university.
    answer = api.post(
        "/tokens", json={"email": "a@example.com", "password": "correct horse battery"}
    )
    zhang = {"Authorization": f"Bearer {answer.json()['token']}"}
    members = api.get("/members", headers=zhang).json()["items"]
    assert [m["state"] for m in members] == ["requested", "active"]
    decision = f"/members/{members[0]['id']}/decision"
    assert api.post(decision, json={"decision": "accept"}, headers=zhang).status_code == 204
    # The only manager cannot leave the organisation without one.
    own = f"/members/{members[1]['id']}/decision"
    assert api.post(own, json={"decision": "remove"}, headers=zhang).status_code == 409


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("91350100M000100Y4", "18位，现在是17位"),
        ("91350100M000100Y44", "校验位"),
        ("91350100I000100Y43", "“I”"),
    ],
)
def test_wrong_credit_code_is_named_at_its_field(api: TestClient, code: str, words: str) -> None:
    form = {"kind": "company", "name": "示例公司", "credit_code": code}
    answer = api.post("/organisations", json=form, headers=sign_up(api))
    assert answer.status_code == 422
    (field,) = answer.json()["error"]["fields"]
    assert field["field"] == "credit_code"
    assert words in field["message"]


def test_published_example_of_the_standard_passes(api: TestClient) -> None:
    """GB 32100-2015 prints 91350100M000100Y43 as its example."""
    form = {"kind": "company", "name": "示例公司", "credit_code": "91350100m000100y43 "}
    assert api.post("/organisations", json=form, headers=sign_up(api)).status_code == 201


def test_validation_never_echoes_a_password(api: TestClient) -> None:
    answer = api.post("/people", json={"email": "x", "name": "a", "password": "hunter2"})
    assert answer.status_code == 422
    assert "hunter2" not in answer.text
    assert {f["field"] for f in answer.json()["error"]["fields"]} == {"email", "password"}


@pytest.mark.parametrize("body", ['{"email": NaN}', '{"email": "\\ud800@a.cn"}', "[" * 100_000])
def test_broken_bodies_are_the_senders_fault(api: TestClient, body: str) -> None:
    answer = api.post("/people", content=body, headers={"content-type": "application/json"})
    assert 400 <= answer.status_code < 500, answer.text
    assert set(answer.json()["error"]) == {"code", "message", "fields"}


def test_guessing_is_throttled_and_forgotten(api: TestClient, parts: Parts, clock: object) -> None:
    sign_up(api)
    wrong = {"email": "a@example.com", "password": "wrong"}
    codes = [api.post("/tokens", json=wrong).status_code for _ in range(9)]
    assert codes == [422] * 8 + [429]
    right = {"email": "a@example.com", "password": "correct horse battery"}
    assert api.post("/tokens", json=right).status_code == 429
    parts.clock.advance(minutes=16)  # type: ignore[attr-defined]
    assert api.post("/tokens", json=right).status_code == 201


def test_members_of_others_are_not_there(api: TestClient, parts: Parts) -> None:
    stranger = factories.actor(parts, Role.MANAGER, kind=OrganisationKind.COMPANY)
    own = bearer(parts, Role.MANAGER)
    other = {"Authorization": f"Bearer {factories.token(parts, stranger)}"}
    theirs = api.get("/members", headers=other).json()["items"][0]["id"]
    answer = api.post(f"/members/{theirs}/decision", json={"decision": "remove"}, headers=own)
    assert answer.status_code == 404


def test_refusals_survive_the_rollback(api: TestClient, parts: Parts) -> None:
    viewer = bearer(parts, Role.VIEWER)
    auditor = bearer(parts, Role.AUDITOR)
    assert api.get("/audit", headers=viewer).status_code == 403
    rows = api.get("/audit", headers=auditor).json()["items"]
    assert any(r["action"] == "audit.view" and r["outcome"] == "refused" for r in rows)
