"""The whole main job by the JSON API: from a posted achievement to the figure on the board."""

from typing import Any

import httpx
import pytest

from market.accounts.policy import OrganisationKind, Role
from tests.support.applying import handed_in
from tests.support.running import Running

ACHIEVEMENT = {
    "title": "焊缝内部气孔在线视觉检测装置",
    "summary": "边焊边报，缺陷处自动标记",
    "body": "双波段相机与弧光抑制，实时识别焊缝气孔与未熔合，漏检率0.4%。",
    "keywords": ["焊缝", "气孔", "视觉检测"],
    "field": 3,
    "region": "500106",
    "modes": ["普通许可", "排他许可"],
    "price": {"form": "from", "basis": "total", "low_fen": 80_000_000, "high_fen": None},
    "maturity_level": 7,
}
DEMAND = {
    "title": "车架焊缝气孔在线检测，漏检率低于0.5%",
    "body": "车架焊缝靠人工抽检，气孔漏检多，想在焊接时在线检测气孔并标记位置。",
    "keywords": ["焊缝", "在线检测"],
    "field": 3,
    "region": "500106",
    "modes": ["普通许可"],
    "price": {
        "form": "range",
        "basis": "total",
        "low_fen": 100_000_000,
        "high_fen": 180_000_000,
    },
    "problem": "人工抽检漏检多",
    "expected_goal": "漏检率低于0.5%",
    "need_maturity": 6,
}
AMOUNT = 156_000_000
PLAN = {
    "name": "累计40亿元",
    "region": "500106",
    "from_on": "2024-01-01",
    "to_on": "2028-12-31",
    "baseline_fen": 20_000_000_000,
    "baseline_year": 2020,
    "target_fen": 400_000_000_000,
}


def good(answer: httpx.Response, status: int = 200) -> Any:
    assert answer.status_code == status, f"{answer.request.url}: {answer.text}"
    return answer.json() if answer.content else None


def refused(answer: httpx.Response, status: int, words: str) -> None:
    assert answer.status_code == status, answer.text
    assert words in answer.text


@pytest.mark.usefixtures("both_databases")
def test_story(running: Running) -> None:
    running.clock.set_local("2026-11-02 09:00")
    officer = running.api(running.actor(Role.OFFICER, OrganisationKind.BUREAU))
    good(officer.put("/plans", json=PLAN))
    seller = running.api(running.actor(Role.MANAGER, name="示范大学一", state_founded=True))
    buyer = running.api(running.actor(Role.MANAGER, OrganisationKind.COMPANY, name="示例机电"))
    broker = running.api(running.actor(Role.MANAGER, OrganisationKind.AGENCY, name="示例转移"))
    public = running.api()

    # Post, review, publish, find.
    achievement = post_and_publish(seller, officer, "achievements", ACHIEVEMENT)
    assert good(public.get("/search", params={"q": "焊缝气孔"}))["total"] == 0
    running.settle()
    found = good(public.get("/search", params={"q": "气孔在线视觉", "kind": "achievement"}))
    assert [item["id"] for item in found["items"]] == [achievement]

    # Match with a reason.
    demand = post_and_publish(buyer, officer, "demands", DEMAND)
    running.settle()
    matches = good(buyer.get(f"/listings/{demand}/matches"))["items"]
    assert [m["listing"]["id"] for m in matches] == [achievement]
    assert any("焊缝" in str(reason) for reason in matches[0]["reasons"])
    match = matches[0]["id"]
    good(buyer.post(f"/matches/{match}/decision", json={"decision": "suitable"}))
    assert good(seller.get(f"/listings/{achievement}/interest"))["suitable"] == 1

    deal = meet(running, seller, buyer, broker, achievement, demand)
    contract = agree_and_sign(running, seller, buyer, deal)
    register(running, seller, officer, public, contract)


def post_and_publish(
    owner: httpx.Client, officer: httpx.Client, kind: str, text: dict[str, Any]
) -> str:
    listing = good(owner.post(f"/my/{kind}", json=text), 201)
    assert listing["state"] == "private"
    path = f"/my/listings/{listing['id']}"
    good(owner.post(f"{path}/submission"))
    waiting = good(officer.get("/reviews"))["items"]
    assert listing["id"] in str(waiting)
    decision = {"revision": listing["revision"], "decision": "approve"}
    good(officer.post(f"/reviews/{listing['id']}/decision", json=decision), 204)
    published = good(owner.get(path))
    assert published["state"] == "published"
    assert published["number"].endswith("-2026-00001")
    listing_id: str = listing["id"]
    return listing_id


def meet(
    running: Running,
    seller: httpx.Client,
    buyer: httpx.Client,
    broker: httpx.Client,
    achievement: str,
    demand: str,
) -> str:
    """Inquiry and introduction of one pair lead to one deal; contacts show once answered."""
    asked = good(
        buyer.post(
            "/inquiries",
            json={"listing": achievement, "own_listing": demand, "message": "节拍能到多少？"},
        ),
        201,
    )
    inquiry = f"/inquiries/{asked['id']}"
    waiting = good(buyer.get(inquiry)), good(seller.get(inquiry))
    assert [one["state"] for one in waiting] == ["open", "open"]
    assert (waiting[0]["owner_contact"], waiting[1]["asker_contact"]) == (None, None)
    assert broker.get(inquiry).status_code in (403, 404)
    good(seller.post(f"{inquiry}/answer", json={"answer": "1.2米每分钟，可以来试。"}))
    answered = good(buyer.get(inquiry))
    assert answered["state"] == "answered"
    assert answered["owner_contact"]["email"] == good(seller.get("/me"))["email"]

    agency = good(broker.get("/me"))["organisation"]["id"]
    mandate = good(
        seller.post(
            "/mandates",
            json={
                "agency": agency,
                "as_seller": True,
                "as_buyer": False,
                "scope": "焊接检测类成果",
                "fee": "成交额的3%，由委托方支付",
                "exclusive": False,
                "valid_from": "2026-11-02",
                "valid_until": "2027-11-01",
            },
        ),
        201,
    )
    good(broker.post(f"/mandates/{mandate['id']}/decision", json={"decision": "accept"}))
    introduction = good(
        broker.post(
            "/introductions",
            json={"achievement": achievement, "demand": demand, "message": "工况相合。"},
        ),
        201,
    )
    path = f"/introductions/{introduction['id']}/decision"
    good(seller.post(path, json={"decision": "accept"}))
    good(buyer.post(path, json={"decision": "accept"}))
    deals = good(seller.get("/deals"))["items"]
    assert len(deals) == 1, "inquiry and introduction of one pair lead to the same deal"
    deal: str = deals[0]["id"]
    assert good(broker.get(f"/deals/{deal}"))["id"] == deal
    return deal


def agree_and_sign(running: Running, seller: httpx.Client, buyer: httpx.Client, deal: str) -> str:
    path = f"/deals/{deal}"
    terms = {"seen": 0, "mode": "排他许可", "amount_fen": 186_000_000, "text": "5年"}
    good(seller.post(f"{path}/terms", json=terms))
    good(seller.post(f"{path}/confirm", json={"version": 1}))
    good(buyer.post(f"{path}/confirm", json={"version": 1}))
    assert good(buyer.get(path))["state"] == "agreed"

    running.clock.set_local("2026-11-12 09:00")
    pricing = {"path": "agreement", "summary": "焊缝气孔在线检测", "interested": False}
    assert buyer.post(f"{path}/pricing", json=pricing).status_code == 403
    running_until = good(seller.post(f"{path}/pricing", json=pricing))["pricing"]
    assert (running_until["ends_on"], running_until["earliest_signing"]) == (
        "2026-11-27",
        "2026-11-28",
    )
    contract = {
        "type": "LIC",
        "sub_type": "专利实施许可",
        "project_name": "焊缝内部气孔在线视觉检测装置专利许可",
        "field": 3,
        "total_fen": 186_000_000,
        "lines": [
            {"name": "专利许可费", "kind": "technical", "amount_fen": AMOUNT},
            {"name": "检测设备", "kind": "non_technical", "amount_fen": 30_000_000},
        ],
        "pay_method": "lump",
        "begins_on": "2026-12-01",
        "ends_on": "2031-11-30",
    }
    drafted = good(seller.post(f"{path}/contract", json=contract))["contract"]
    assert drafted["technical_fen"] == AMOUNT, "derived from the lines, never typed"
    sign = {"contract": drafted["id"]}
    running.clock.set_local("2026-11-27 10:00")
    refused(seller.post(f"{path}/contract/confirm", json=sign), 409, "11-28")
    running.clock.set_local("2026-11-28 10:00")
    good(seller.post(f"{path}/contract/confirm", json=sign))
    signed = good(buyer.post(f"{path}/contract/confirm", json=sign))["contract"]
    assert signed["state"] == "signed"
    contract_id: str = drafted["id"]
    return contract_id


def register(
    running: Running,
    seller: httpx.Client,
    officer: httpx.Client,
    public: httpx.Client,
    contract: str,
) -> None:
    before = counted(officer)
    registration = handed_in(seller, contract)
    path = f"/registrations/{registration}"
    running.clock.set_local("2026-11-30 10:00")
    decision = {
        "decision": "registered",
        "number": "0000202600000901",
        "decided_on": "2026-11-30",
        "total_fen": 186_000_000,
        "technical_fen": AMOUNT,
    }
    assert seller.post(f"{path}/decision", json=decision).status_code == 403
    assert good(officer.post(f"{path}/accept"))["accepted_on"] == "2026-11-30"
    good(officer.post(f"{path}/decision", json=decision))
    assert counted(officer) - before == AMOUNT
    listed = good(officer.get("/board/contracts"))["items"]
    assert [row["number"] for row in listed] == ["0000202600000901"]
    assert "0000202600000901" not in public.get("/board").text

    good(officer.post(f"{path}/undo", json={"reason": "金额抄录有误"}))
    assert counted(officer) == before


def counted(officer: httpx.Client) -> int:
    """Return what stands on the board, in fen."""
    fen: int = good(officer.get("/board"))["board"]["outgoing"]["technical_fen"]
    return fen
