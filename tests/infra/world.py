"""One object of everything, and what each organisation is to it: the ground of the access test.

`OBJECTS` maps a path parameter to how the six organisations relate to the object that stands for
it. A new path parameter needs a line there and an object in `build`.
"""

from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from market.accounts import organisations, repository
from market.accounts.models import MembershipState
from market.accounts.policy import OrganisationKind, Relation, Role
from market.accounts.work import Actor, Parts, Work
from market.brokerage import working
from market.brokerage.models import Bypass, Commission
from market.deals import objections
from market.deals import repository_contracts as papers
from market.deals import service as deals
from market.deals.models import Introduction
from market.deals.schemas import ObjectionHandlingIn
from market.discovery.drain import drain_index, drain_matches
from market.discovery.matching import Matcher
from market.jobs import handlers
from market.kit.ids import PublicId, new_public_id
from market.kit.jobs import Runner
from search.port import SearchEngine
from tests import factories
from tests.e2e.test_story_api import ACHIEVEMENT, DEMAND, good
from tests.infra import world_payments
from tests.support import history
from tests.support.applying import handed_in
from tests.support.clock import FakeClock
from tests.support.market import work_for

API = "http://127.0.0.1/api/v1"
SELLER, BUYER, BROKER = "seller", "buyer", "broker"
STRANGERS = ("other university", "other company", "other agency")

SIDES = {SELLER: Relation.OWN, BUYER: Relation.COUNTERPART, BROKER: Relation.MANDATED}
OBJECTS: dict[str, dict[str, Relation]] = {
    "listing_id": {SELLER: Relation.OWN, BROKER: Relation.MANDATED},
    "file_id": {SELLER: Relation.OWN},
    # Put to the deal by the seller for all to read; what becomes of it is the seller's alone.
    "deal_file": {SELLER: Relation.OWN},
    "objection_id": SIDES,
    "import_id": {SELLER: Relation.OWN},
    "membership_id": {SELLER: Relation.OWN},
    "match_id": {BUYER: Relation.OWN},
    "mandate_id": {SELLER: Relation.OWN, BROKER: Relation.COUNTERPART},
    "inquiry_id": {SELLER: Relation.OWN, BUYER: Relation.COUNTERPART},
    "introduction_id": SIDES,
    "deal_id": SIDES,
    "receipt_id": SIDES,
    "registration_id": SIDES,
    # What one side was told: nobody else reads it.
    "notice_id": {SELLER: Relation.OWN},
    "commission_id": {SELLER: Relation.OWN, BROKER: Relation.MANDATED},
    "bypass_id": SIDES,
    "reward_id": {SELLER: Relation.OWN},
    "payment_id": {SELLER: Relation.OWN},
    "slip_id": {SELLER: Relation.OWN},
    "credit_id": {},
    "refund_id": {},
    "transfer_id": {},
    "invoice_number": {},
    "fee_id": {},
    "limit_day": {},
    "past_id": {SELLER: Relation.OWN, BUYER: Relation.COUNTERPART},
    "publicity_id": {},
    "synonyms_id": {},
    "word_id": {},
    "organisation_id": {},
    "year": {},
    "secret": {},
    # Of a person, not of an organisation: nobody else's are to be had.
    "token_id": {},
    "sign_in_id": {},
}
# What a page's form would send, where an empty one is answered before its object is looked up.
FORMS: dict[str, dict[str, str]] = {
    "/deals/{deal_id}/contract": {
        "type": "LIC",
        "sub_type": "专利实施许可",
        "project_name": "焊缝检测许可",
        "field": "3",
        "total": "150",
        "line_name": "许可费",
        "line_kind": "technical",
        "line_amount": "150",
        "pay_method": "lump",
        "begins_on": "2026-12-01",
        "ends_on": "2031-11-30",
    },
    "/past-registrations/{past_id}/take-out": {"cause": "mistake", "reason": "抄录有误"},
    "/credits/{credit_id}/decision": {"decision": "reject"},
    "/refunds/{refund_id}/decision": {"decision": "reject"},
    "/treasury/fees/{fee_id}/end": {"ends_on": "2029-01-01"},
    "/transfers/{transfer_id}/decision": {"decision": "reject"},
    "/commissions/{commission_id}/shares": {"brokers": "", "weights": "1"},
    "/bypasses/{bypass_id}/contest": {"reason": "引荐之前已经在谈。"},
    "/bypasses/{bypass_id}/decision": {"decision": "uphold", "note": "引荐在先。"},
    "/deals/{deal_id}/broker-clause/agreement": {"version": "1"},
    "/deals/{deal_id}/pricing": {
        "path": "agreement",
        "summary": "焊缝检测",
        "interested": "no",
        "checked": "1",
    },
    "/deals/{deal_id}/pricing/dealt": {"dealt_on": "2026-11-20", "price": "150"},
    "/deals/{deal_id}/publicity/stop": {"reason": "objection"},
    "/deals/{deal_id}/objections/{objection_id}": {"decision": "cleared", "handling": "不成立。"},
    "/deals/{deal_id}/files/{file_id}/audience": {"seen": "all", "audience": "all"},
    "/inquiries/{inquiry_id}/answer": {"answer": "可以。"},
    "/introductions/{introduction_id}/decision": {"decision": "accept"},
    "/mandates/{mandate_id}/decision": {"decision": "accept"},
    "/members/{membership_id}": {"decision": "accept", "role": "viewer"},
    "/listings/{listing_id}/inquiries": {"message": "请问节拍？"},
    "/desk/synonyms/{synonyms_id}/remove": {"edits": "0"},
}


PLAN = {
    "name": "示范区2026–2030",
    "from_on": "2026-01-01",
    "to_on": "2030-12-31",
    "baseline_fen": 20_000_000_000,
    "baseline_year": 2020,
    "target_fen": 400_000_000_000,
}
EVIDENCE: dict[str, Any] = {
    "broker": "示范机构",
    "seller": "示范大学",
    "buyer": "示范企业",
    "achievement": "焊缝检测",
    "demand": "焊缝在线检测",
    "proposed_at": "2026-11-02 09:00",
    "seller_accepted_at": None,
    "buyer_accepted_at": None,
    "mandate_from": "2026-11-02",
    "mandate_until": "2027-11-01",
    "project_name": "焊缝检测许可",
    "signed_on": "2026-11-23",
    "total_fen": 150_000_000,
    "technical_fen": 150_000_000,
    "days_between": 21,
    "last_day": "2027-11-02",
}


@dataclass
class World:
    """The application, its people, and the ids of its objects by path parameter."""

    app: FastAPI
    parts: Parts
    actors: dict[str, Actor] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    def api(self, who: str) -> TestClient:
        token = factories.token(self.parts, self.actors[f"{who} manager"])
        return TestClient(
            self.app,
            base_url=API,
            headers={"Authorization": f"Bearer {token}"},
        )


def people(parts: Parts) -> dict[str, Actor]:
    """Return every kind of actor: three roles in six organisations, and the special ones."""
    kinds = {
        SELLER: OrganisationKind.UNIVERSITY,
        BUYER: OrganisationKind.COMPANY,
        BROKER: OrganisationKind.AGENCY,
        STRANGERS[0]: OrganisationKind.UNIVERSITY,
        STRANGERS[1]: OrganisationKind.COMPANY,
        STRANGERS[2]: OrganisationKind.AGENCY,
    }
    actors = {"anonymous": Actor(), "person": factories.actor(parts, Role.PERSON)}
    for name, kind in kinds.items():
        place = factories.organisation(parts, kind, state_founded=name == SELLER)
        for role in (Role.VIEWER, Role.EDITOR, Role.MANAGER):
            actors[f"{name} {role}"] = factories.actor(parts, role, place)
    bureau = factories.organisation(parts, OrganisationKind.BUREAU)
    actors["officer manager"] = actors["officer"] = factories.actor(parts, Role.OFFICER, bureau)
    for role in (Role.OPERATOR, Role.AUDITOR):
        actors[str(role)] = factories.actor(parts, role)
    return actors


def build(app: FastAPI, parts: Parts, clock: FakeClock, engine: SearchEngine) -> World:
    """Make one object of everything, through the API, at a stage where most steps are open."""
    world = World(app, parts, people(parts))
    seller, buyer, broker = (world.api(who) for who in (SELLER, BUYER, BROKER))
    officer = world.api("officer")
    ids = world.ids
    clock.set_local("2026-11-02 09:00")
    ids["listing_id"] = _published(seller, officer, "achievements", ACHIEVEMENT)
    ids["demand"] = _published(buyer, officer, "demands", DEMAND)
    proof = {"file": ("proof.pdf", b"%PDF-1.7 proof", "application/pdf")}
    path = f"/my/listings/{ids['listing_id']}"
    ids["file_id"] = good(seller.post(f"{path}/proofs", files=proof), 201)["proofs"][0]["id"]
    # A further edit, so that there is something to review.
    edit = {**ACHIEVEMENT, "based_on": 1, "summary": "边焊边报，漏检率0.4%"}
    good(seller.put(f"/my/achievements/{ids['listing_id']}", json=edit))
    good(seller.post(f"{path}/submission"))
    table = {"file": ("a.csv", f"成果名称\n示范成果\n{'题' * 201}\n".encode(), "text/csv")}
    started = seller.post("/my/imports", files=table, data={"kind": "achievement"})
    ids["import_id"] = good(started, 202)["id"]
    _settle(parts, clock, engine)
    ids["match_id"] = good(buyer.get(f"/listings/{ids['demand']}/matches"))["items"][0]["id"]
    _deal(world, clock, seller, buyer, broker)
    newcomer = factories.person(parts)
    with parts.database.write() as session:
        work = Work(session, parts, Actor(), clock.now())
        place = repository.organisation(session, world.actors[f"{SELLER} manager"].organisation)
        row = organisations.add_member(
            work, newcomer.id, place, Role.VIEWER, MembershipState.REQUESTED
        )
        ids["membership_id"] = row.public_id
        ids["organisation_id"] = place.public_id
    good(officer.put("/plans", json=PLAN))
    group = {"terms": ["IGBT", "绝缘栅双极型晶体管"]}
    words = {"words": ["超临界水氧化"]}
    ids["word_id"] = good(officer.post("/dictionary", json=words), 201)["items"][0]["id"]
    ids["synonyms_id"] = good(officer.post("/synonyms", json=group), 201)["id"]
    sides = [world.actors[f"{side} manager"].organisation_name for side in (SELLER, BUYER)]
    payer, agency = (world.actors[f"{side} manager"] for side in (SELLER, BROKER))
    world_payments.owe(parts, payer, agency, world.ids)
    ids["past_id"] = history.one(parts, world.actors["officer"], *sides)
    ids |= {"year": "2026", "secret": "x" * 20, "token_id": "2" * 14, "sign_in_id": "2" * 14}
    return world


def _published(owner: TestClient, officer: TestClient, kind: str, text: dict[str, Any]) -> str:
    listing = good(owner.post(f"/my/{kind}", json=text), 201)
    good(owner.post(f"/my/listings/{listing['id']}/submission"))
    decision = {"revision": listing["revision"], "decision": "approve"}
    good(officer.post(f"/reviews/{listing['id']}/decision", json=decision), 204)
    listing_id: str = listing["id"]
    return listing_id


def _owed(world: World, seller: TestClient, contract: str) -> None:
    """Work out what the broker is owed, flag it as gone around, and state a reward."""
    ids, parts = world.ids, world.parts
    with parts.database.write() as session:
        row = papers.contract_by_public_id(session, PublicId(contract))
        assert row is not None
        working.contract_signed(session, row.id, parts.clock.now())
        (owed,) = session.exec(select(Commission)).all()
        (introduction,) = session.exec(select(Introduction)).all()
        flag = Bypass(
            public_id=new_public_id(),
            commission_id=owed.id,
            contract_id=row.id,
            introduction_id=introduction.id,
            broker_id=introduction.broker_id,
            seller_id=introduction.seller_id,
            buyer_id=introduction.buyer_id,
            evidence=EVIDENCE,
            created_at=parts.clock.now(),
        )
        session.add(flag)
        session.flush()
        ids["commission_id"], ids["bypass_id"] = owed.public_id, flag.public_id
    reward = {
        "title": "焊缝检测",
        "way": "transfer",
        "income": 150_000_000,
        "decided_on": "2026-11-20",
        "completers": [{"name": "示范甲"}],
    }
    ids["reward_id"] = good(seller.post("/rewards", json=reward), 201)["id"]


def _settle(parts: Parts, clock: FakeClock, engine: SearchEngine) -> None:
    runner, matcher = Runner(parts.database, clock, handlers(parts)), Matcher(0.05)
    while runner.run_one() or drain_index(parts, engine) or drain_matches(parts, engine, matcher):
        pass


def _objected(world: World, publicity: str, deal: str) -> str:
    """Return an objection that was cleared, with its evidence."""
    form = {"name": "示范李乙", "contact": "13800000009", "text": "共有人没有同意。"}
    good(
        TestClient(world.app, base_url=API).post(f"/publicity/{publicity}/objections", json=form),
        201,
    )
    with work_for(world.parts, world.actors[f"{SELLER} manager"]) as work:
        (row,) = objections.of_deal(work, deals.find(work, PublicId(deal)))
        handled = ObjectionHandlingIn(decision="cleared", handling="共有人书面同意在案。")
        evidence = ("proof.pdf", BytesIO(b"%PDF-1.7 consent"))
        objections.handle(work, PublicId(deal), row.public_id, handled, evidence)
        return row.public_id


def _deal(
    world: World, clock: FakeClock, seller: TestClient, buyer: TestClient, broker: TestClient
) -> None:
    ids = world.ids
    inquiry = {"listing": ids["listing_id"], "own_listing": ids["demand"], "message": "请问节拍？"}
    ids["inquiry_id"] = good(buyer.post("/inquiries", json=inquiry), 201)["id"]
    good(seller.post(f"/inquiries/{ids['inquiry_id']}/answer", json={"answer": "可以。"}))
    mandate = {
        "agency": world.actors[f"{BROKER} manager"].organisation_public_id,
        "as_seller": True,
        "as_buyer": False,
        "scope": "检测类成果",
        "fee": "3%",
        "exclusive": False,
        "valid_from": "2026-11-02",
        "valid_until": "2027-11-01",
    }
    ids["mandate_id"] = good(seller.post("/mandates", json=mandate), 201)["id"]
    good(broker.post(f"/mandates/{ids['mandate_id']}/decision", json={"decision": "accept"}))
    paper = {"file": ("mandate.pdf", b"%PDF-1.7 signed", "application/pdf")}
    good(seller.put(f"/mandates/{ids['mandate_id']}/evidence", files=paper))
    pair = {"achievement": ids["listing_id"], "demand": ids["demand"], "message": "工况相合。"}
    ids["introduction_id"] = good(broker.post("/introductions", json=pair), 201)["id"]
    path = f"/introductions/{ids['introduction_id']}/decision"
    good(seller.post(path, json={"decision": "accept"}))
    good(buyer.post(path, json={"decision": "accept"}))
    ids["deal_id"] = good(seller.get("/deals"))["items"][0]["id"]
    deal = f"/deals/{ids['deal_id']}"
    terms = {"seen": 0, "mode": "排他许可", "amount_fen": 150_000_000}
    good(seller.post(f"{deal}/terms", json=terms))
    good(seller.post(f"{deal}/confirm", json={"version": 1}))
    good(buyer.post(f"{deal}/confirm", json={"version": 1}))
    pricing = {"path": "agreement", "summary": "焊缝检测", "interested": False}
    ids["publicity_id"] = good(seller.post(f"{deal}/pricing", json=pricing))["pricing"]["id"]
    contract = {
        "type": "LIC",
        "sub_type": "专利实施许可",
        "project_name": "焊缝检测许可",
        "field": 3,
        "total_fen": 150_000_000,
        "lines": [{"name": "许可费", "kind": "technical", "amount_fen": 150_000_000}],
        "pay_method": "lump",
        "begins_on": "2026-12-01",
        "ends_on": "2031-11-30",
    }
    drafted = good(seller.post(f"{deal}/contract", json=contract))["contract"]["id"]
    file = {"file": ("sample.pdf", b"%PDF-1.7 sample", "application/pdf")}
    put = good(seller.post(f"{deal}/files", files=file, data={"audience": "all"}), 201)
    ids["deal_file"] = put["files"][0]["id"]
    ids["objection_id"] = _objected(world, ids["publicity_id"], ids["deal_id"])
    clock.set_local("2026-11-23 09:00")
    good(seller.post(f"{deal}/contract/confirm", json={"contract": drafted}))
    good(buyer.post(f"{deal}/contract/confirm", json={"contract": drafted}))
    receipt = {"received_on": "2026-11-23", "amount_fen": 10_000_000}
    kept = good(seller.post(f"{deal}/contract/receipts", json=receipt), 201)
    ids["receipt_id"] = kept["receipts"][0]["id"]
    slip = {"file": ("slip.pdf", b"%PDF-1.7 slip", "application/pdf")}
    good(seller.post(f"{deal}/contract/receipts/{ids['receipt_id']}/slip", files=slip), 201)
    ids["registration_id"] = handed_in(seller, drafted)
    _owed(world, seller, drafted)
    told = good(seller.get("/messages"))["items"]
    ids["notice_id"] = next(one["id"] for one in told if one["kind"] == "introduction.decided")
