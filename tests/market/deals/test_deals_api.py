"""Deals through the API: the way from a question to a signed contract, and refused input."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.api import build_api
from tests import factories
from tests.support.clock import FakeClock
from tests.support.trade import WAN, Trade, trade

CONTRACT = {
    "type": "LIC",
    "sub_type": "专利实施许可",
    "project_name": "轨道扣件螺栓松动声学检测",
    "field": 10,
    "total_fen": 186 * WAN,
    "lines": [
        {"name": "入门费", "kind": "technical", "amount_fen": 156 * WAN},
        {"name": "检测设备", "kind": "non_technical", "amount_fen": 30 * WAN},
    ],
    "pay_method": "lump",
    "begins_on": "2026-11-28",
    "ends_on": "2031-11-27",
}


class Client:
    """The API as one actor calls it; an answer of another status than expected is a failure."""

    def __init__(self, api: TestClient, parts: Parts, actor: Actor) -> None:
        self.api = api
        self.headers = {}
        if actor.person_id is not None:
            self.headers["Authorization"] = f"Bearer {factories.token(parts, actor)}"

    def post(self, path: str, body: dict[str, Any], status: int = 200) -> Any:
        return self._answer(self.api.post(path, json=body, headers=self.headers), status)

    def get(self, path: str, status: int = 200) -> Any:
        return self._answer(self.api.get(path, headers=self.headers), status)

    def _answer(self, answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def api(parts: Parts) -> Iterator[TestClient]:
    with TestClient(build_api(parts)) as client:
        yield client


@pytest.fixture
def world(parts: Parts) -> Trade:
    return trade(parts, masked=True)


@pytest.fixture
def as_(api: TestClient, parts: Parts) -> Callable[[Actor], Client]:
    return lambda actor: Client(api, parts, actor)


def test_from_a_mandate_to_the_signed_contract(
    world: Trade, as_: Callable[[Actor], Client], clock: FakeClock
) -> None:
    clock.set_local("2026-11-12 09:00")
    seller, buyer, broker = as_(world.seller), as_(world.buyer), as_(world.broker)
    offer = {
        "agency": world.agency.public_id,
        "as_buyer": True,
        "valid_from": "2026-11-12",
        "valid_until": "2027-11-11",
    }
    mandate = buyer.post("/mandates", offer, 201)
    assert (mandate["state"], mandate["in_force"]) == ("offered", False)
    accept = {"decision": "accept"}
    assert broker.post(f"/mandates/{mandate['id']}/decision", accept)["in_force"]

    question = {
        "listing": world.achievement.public_id,
        "own_listing": world.demand.public_id,
        "message": "想了解节拍",
        "show_name": False,
    }
    inquiry = buyer.post("/inquiries", question, 201)
    assert inquiry["owner_contact"] is None
    received = seller.get("/inquiries")["items"]
    assert [(one["id"], one["asker"], one["asker_contact"]) for one in received] == [
        (inquiry["id"], None, None)
    ]
    answered = seller.post(f"/inquiries/{inquiry['id']}/answer", {"answer": "可以支持"})
    assert answered["asker"]["name"] == world.company.name
    deal = f"/deals/{answered['deal']}"

    pair = {
        "achievement": world.achievement.public_id,
        "demand": world.demand.public_id,
        "message": "建议面谈",
    }
    introduction = broker.post("/introductions", pair, 201)
    path = f"/introductions/{introduction['id']}/decision"
    assert seller.post(path, accept)["state"] == "accepted_seller"
    assert f"/deals/{buyer.post(path, accept)['deal']}" == deal

    proposal = {"seen": 0, "mode": "排他许可", "amount_fen": 150 * WAN}
    assert seller.post(f"{deal}/terms", proposal)["seller_confirmed"] == 1
    assert buyer.post(f"{deal}/confirm", {"version": 1})["state"] == "agreed"
    lacking = seller.post(f"{deal}/pricing", {"path": "agreement"}, 422)["error"]["fields"]
    assert {one["field"] for one in lacking} == {"summary", "interested"}
    publicity = {"path": "agreement", "summary": "声学检测方法", "interested": False}
    running = seller.post(f"{deal}/pricing", publicity)
    assert running["pricing"]["ends_on"] == "2026-11-27"
    public = as_(factories.actor(world.parts, Role.ANONYMOUS)).get(
        f"/publicity/{running['pricing']['id']}"
    )
    assert public["price_fen"] == 150 * WAN
    assert world.company.name not in str(public)

    drafted = seller.post(f"{deal}/contract", CONTRACT)["contract"]
    assert (drafted["technical_fen"], drafted["buyer_name"]) == (156 * WAN, world.company.name)
    clock.set_local("2026-11-27 18:00")
    read = {"contract": drafted["id"], "differences_known": True}
    refused = buyer.post(f"{deal}/contract/confirm", read, 409)
    assert "2026-11-28" in refused["error"]["message"]
    clock.set_local("2026-11-28 08:00")
    unknowing = buyer.post(f"{deal}/contract/confirm", {"contract": drafted["id"]}, 422)
    (refused,) = unknowing["error"]["fields"]
    assert refused["field"] == "differences_known"
    assert "186万元" in refused["message"]
    buyer.post(f"{deal}/contract/confirm", read)
    signed = seller.post(f"{deal}/contract/confirm", read)
    assert (signed["stage"], signed["contract"]["signed_on"]) == ("signed", "2026-11-28")
    assert buyer.post(f"{deal}/disclosure", {"agrees": True})["contract"]["buyer_agrees_public"]
    broker.post(f"{deal}/notes", {"audience": "all", "text": "已签约"}, 201)
    assert [one["stage"] for one in broker.get("/deals")["items"]] == ["signed"]
    broker.post(f"{deal}/lose", {"reason": "price"}, 403)
    as_(factories.actor(world.parts)).get(deal, 404)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"total_fen": 187 * WAN}, "lines"),
        ({"total_fen": "186"}, "total_fen"),
        ({"total_fen": 2**63}, "total_fen"),
        ({"technical_fen": 1}, "technical_fen"),
        ({"field": 12}, "field"),
        ({"type": "XXX"}, "type"),
        ({"sub_type": "委托开发"}, "sub_type"),
        ({"begins_on": 20261128}, "begins_on"),
        ({"lines": []}, "lines"),
        ({"project_name": "\x00"}, "project_name"),
    ],
)
def test_a_contract_that_is_wrong_is_told_where(
    world: Trade, as_: Callable[[Actor], Client], change: dict[str, Any], field: str
) -> None:
    seller, buyer = as_(world.seller), as_(world.buyer)
    inquiry = buyer.post(
        "/inquiries", {"listing": world.achievement.public_id, "message": "想了解节拍"}, 201
    )
    deal = seller.post(f"/inquiries/{inquiry['id']}/answer", {"answer": "可以"})["deal"]
    seller.post(f"/deals/{deal}/terms", {"seen": 0, "mode": "普通许可", "amount_fen": WAN})
    buyer.post(f"/deals/{deal}/confirm", {"version": 1})
    answer = seller.post(f"/deals/{deal}/contract", {**CONTRACT, **change}, 422)
    assert [one["field"] for one in answer["error"]["fields"]] == [field]
    assert answer["error"]["fields"][0]["message"]


def test_who_is_turned_away(world: Trade, as_: Callable[[Actor], Client]) -> None:
    nobody = as_(factories.actor(world.parts, Role.ANONYMOUS))
    question = {"listing": world.achievement.public_id, "message": "想了解节拍"}
    nobody.post("/inquiries", question, 401)
    as_(factories.actor(world.parts, Role.PERSON)).post("/inquiries", question, 403)
    as_(world.broker).post("/inquiries", question, 403)
    unverified = factories.organisation(world.parts, OrganisationKind.COMPANY, verified=False)
    newcomer = as_(factories.actor(world.parts, Role.EDITOR, unverified))
    answer = newcomer.post("/inquiries", question, 403)
    assert "核验" in answer["error"]["message"]
    nobody.get("/publicity/22222222222222", 404)
    nobody.get("/deals", 401)
