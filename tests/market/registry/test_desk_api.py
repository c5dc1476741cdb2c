"""Registration, board, plan and calendar through the API."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from market.accounts.policy import Role
from market.accounts.work import Actor, Parts
from market.api import build_api
from tests import factories
from tests.support import papers
from tests.support.applying import handed_in

PLAN = {
    "name": "示范区2026–2030",
    "from_on": "2026-01-01",
    "to_on": "2030-12-31",
    "baseline_fen": 20_000_000_000,
    "baseline_year": 2020,
    "target_fen": 400_000_000_000,
}


@pytest.fixture
def api(parts: Parts) -> Iterator[TestClient]:
    with TestClient(build_api(parts)) as client:
        yield client


@pytest.fixture
def pair(parts: Parts) -> papers.Sides:
    return papers.sides(parts)


def bearer(parts: Parts, who: Actor) -> dict[str, str]:
    return {"Authorization": f"Bearer {factories.token(parts, who)}"}


def test_from_the_signed_contract_to_the_board_and_back(
    api: TestClient, parts: Parts, pair: papers.Sides
) -> None:
    seller, officer = bearer(parts, pair.seller_actor), bearer(parts, pair.officer)
    assert api.get("/board").json() == {"board": None}
    assert api.put("/plans", json=PLAN, headers=officer).status_code == 200
    contract = papers.signed_contract(parts, pair)
    one = f"/registrations/{handed_in(api, contract.public_id, headers=seller)}"
    assert api.get("/registrations?state=submitted", headers=officer).json()["total"] == 1
    form = {
        "decision": "registered",
        "number": papers.number(),
        "decided_on": "2026-11-02",
        "total_fen": 120_000_000,
        "technical_fen": 96_000_000,
    }
    refused = api.post(f"{one}/decision", json=form, headers=officer)
    assert refused.status_code == 422
    assert [row["field"] for row in refused.json()["error"]["fields"]] == ["difference_reason"]
    form["difference_reason"] = "设备款不计"
    done = api.post(f"{one}/decision", json=form, headers=officer)
    assert done.json()["state"] == "registered", done.text
    board = api.get("/board", headers=officer).json()["board"]
    assert board["outgoing"]["technical_fen"] == 96_000_000
    assert board["sellers"][0]["id"] == pair.seller.public_id
    assert api.get("/board").json()["board"]["outgoing"]["technical_fen"] is None
    lines = api.get("/board/contracts?side=out&type=DEV&year=2026&month=11", headers=officer).json()
    assert (lines["sum"]["technical_fen"], lines["total"]) == (96_000_000, 1)
    assert lines["items"][0]["number"] == form["number"]
    assert api.get("/board/contracts", headers=seller).json()["total"] == 1
    undone = api.post(f"{one}/undo", json={"reason": "金额抄错"}, headers=officer)
    assert undone.json()["state"] == "withdrawn", undone.text
    assert api.get("/board", headers=officer).json()["board"]["outgoing"]["technical_fen"] == 0
    path = f"/registrations/{handed_in(api, contract.public_id, headers=seller)}/decision"
    assert api.post(path, json=form, headers=officer).status_code == 422
    form["supersedes"] = undone.json()["id"]
    final = api.post(path, json=form, headers=officer)
    assert final.json()["supersedes"] == undone.json()["id"], final.text
    assert api.get("/board", headers=officer).json()["board"]["outgoing"]["count"] == 1


def test_what_is_not_for_one_is_not_there(
    api: TestClient, parts: Parts, pair: papers.Sides
) -> None:
    filed = papers.submitted(parts, pair)
    one = f"/registrations/{filed.row.public_id}"
    stranger = bearer(parts, factories.actor(parts, Role.MANAGER))
    buyer = bearer(parts, pair.buyer_actor)
    assert api.get(one, headers=stranger).status_code == 404
    assert api.get(one, headers=buyer).json()["id"] == filed.row.public_id
    assert api.get(one).status_code == 401
    assert api.post(f"{one}/withdraw", headers=buyer).status_code == 403
    assert api.post(f"{one}/undo", json={"reason": "x"}, headers=buyer).status_code == 403
    assert api.get("/board/contracts").status_code == 401
    assert api.put("/plans", json=PLAN, headers=buyer).status_code == 403
    withdrawn = api.post(f"{one}/withdraw", headers=bearer(parts, pair.seller_actor))
    assert withdrawn.json()["state"] == "withdrawn"


def test_the_public_list_names_nobody_who_did_not_agree(
    api: TestClient, parts: Parts, pair: papers.Sides
) -> None:
    papers.registered(parts, pair, project="秘而不宣的项目")
    answer = api.get("/board/registered")
    assert answer.json()["total"] == 1
    assert "秘而不宣" not in answer.text
    assert pair.seller.name not in answer.text
    assert answer.json()["items"][0]["month"] == "2026-11"


def test_the_calendar_says_where_it_is_provisional(api: TestClient) -> None:
    known, unknown = api.get("/calendar/2026").json(), api.get("/calendar/2027").json()
    assert (known["provisional"], unknown["provisional"]) == (False, True)
    assert {"on": "2026-10-10", "kind": "work"}.items() <= known["items"][-1].items()
    assert (unknown["items"], unknown["rest_days"]) == ([], 104)


def test_plans_are_listed_for_anyone(api: TestClient, parts: Parts, pair: papers.Sides) -> None:
    officer = bearer(parts, pair.officer)
    first = api.put("/plans", json=PLAN, headers=officer).json()
    changed = PLAN | {"name": "第二版", "replaces": first["id"]}
    assert api.put("/plans", json=changed, headers=officer).status_code == 200
    assert api.put("/plans", json=changed, headers=officer).status_code == 409
    states = [(row["name"], row["state"]) for row in api.get("/plans").json()["items"]]
    assert states == [("第二版", "current"), ("示范区2026–2030", "archived")]
