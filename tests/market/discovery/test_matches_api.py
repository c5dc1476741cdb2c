"""Matches through the API: who sees them, what is decided, how many are interested."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from market.access import mandates
from market.access.schemas import MandateDecisionIn, MandateIn
from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind, Role
from market.api import build_api
from market.catalog.models import Listing
from market.discovery import service
from market.discovery.matches import note_asked
from tests import factories
from tests.market.discovery.conftest import Market
from tests.support.market import work_for

SEAM = "车架焊缝内部气孔在线检测"
Headers = dict[str, str]


class Pair:
    """A demand and two achievements that fit it."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.firm = market.organisation(OrganisationKind.COMPANY, name="示例机电")
        self.school = market.organisation(name="示范大学一")
        self.demand = market.demand(self.firm, SEAM, body="漏检率低于0.5%")
        self.best = market.achievement(self.school, f"{SEAM}装置")
        self.other = market.achievement(self.school, "焊缝气孔检测相机")
        market.settle()

    def headers(self, at: Organisation, role: Role = Role.MANAGER) -> Headers:
        who = (
            self.market.person_of(at)
            if role is Role.MANAGER
            else factories.actor(self.market.parts, role, at)
        )
        return {"Authorization": f"Bearer {factories.token(self.market.parts, who)}"}


@pytest.fixture
def api(market: Market) -> Iterator[TestClient]:
    app = build_api(market.parts)
    app.state.engine = market.engine
    with TestClient(app) as client:
        yield client


@pytest.fixture
def pair(market: Market) -> Pair:
    return Pair(market)


def matches(api: TestClient, listing: Listing, headers: Headers) -> dict[str, Any]:
    answer = api.get(f"/listings/{listing.public_id}/matches", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def decide(api: TestClient, match: str, headers: Headers, **body: Any) -> int:
    status: int = api.post(f"/matches/{match}/decision", json=body, headers=headers).status_code
    return status


def states(found: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item["listing"]["title"], item["state"]) for item in found["items"]]


def test_the_owner_reads_matches_in_order_with_reasons(
    api: TestClient, pair: Pair, both_databases: str
) -> None:
    found = matches(api, pair.demand, pair.headers(pair.firm))
    assert states(found) == [(f"{SEAM}装置", "new"), ("焊缝气孔检测相机", "new")]
    first = found["items"][0]["reasons"][0]
    assert first["subject"] == "共同词"
    assert "气孔" in first["evidence"]
    assert found["compared"] == 2
    assert found["nearest"] == []
    assert "score" not in str(found)


def test_suitable_stays_on_top_and_the_holder_hears_how_many(api: TestClient, pair: Pair) -> None:
    firm, school = pair.headers(pair.firm), pair.headers(pair.school)
    second = matches(api, pair.demand, firm)["items"][1]["id"]
    assert decide(api, second, firm, decision="suitable") == 200
    assert states(matches(api, pair.demand, firm))[0] == ("焊缝气孔检测相机", "suitable")
    path = f"/listings/{pair.other.public_id}/interest"
    assert api.get(path, headers=school).json() == {"suitable": 1}
    told = matches(api, pair.other, school)
    assert told["interested"] == 1
    assert [(item["id"], item["state"]) for item in told["items"]] == [(None, None)]
    assert decide(api, second, firm, decision="undecided") == 200
    assert api.get(path, headers=school).json() == {"suitable": 0}


def test_unsuitable_needs_a_reason(api: TestClient, pair: Pair) -> None:
    firm = pair.headers(pair.firm)
    first = matches(api, pair.demand, firm)["items"][0]["id"]
    answer = api.post(f"/matches/{first}/decision", json={"decision": "unsuitable"}, headers=firm)
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"] == [
        {"field": "reason", "message": "请选一个原因，现在没有选"}
    ]
    assert decide(api, first, firm, decision="unsuitable", reason="route", note="看表面") == 200
    assert decide(api, first, firm, decision="unsuitable", reason="price") == 200
    assert decide(api, first, firm, decision="unsuitable", reason="price") == 200  # again: nothing
    item = matches(api, pair.demand, firm)["items"][0]
    assert (item["state"], item["reason"], item["note"]) == ("unsuitable", "price", "")
    assert decide(api, first, firm, decision="suitable") == 200
    item = matches(api, pair.demand, firm)["items"][0]
    assert (item["state"], item["reason"]) == ("suitable", None)


def test_who_may_not_see_and_who_may_not_decide(api: TestClient, pair: Pair) -> None:
    firm = pair.headers(pair.firm)
    path = f"/listings/{pair.demand.public_id}/matches"
    match = matches(api, pair.demand, firm)["items"][0]["id"]
    stranger = pair.headers(pair.market.organisation(OrganisationKind.COMPANY))
    school = pair.headers(pair.school)
    viewer = pair.headers(pair.firm, Role.VIEWER)
    assert api.get(path).status_code == 401
    assert api.get(path, headers=stranger).status_code == 403
    assert api.get(path, headers=school).status_code == 403
    assert api.get(path, headers=viewer).status_code == 200
    assert decide(api, match, viewer, decision="suitable") == 403
    assert decide(api, match, school, decision="suitable") == 404
    assert decide(api, match, stranger, decision="suitable") == 404
    interest = f"/listings/{pair.best.public_id}/interest"
    assert api.get(interest, headers=firm).status_code == 403
    unseen = f"/listings/{pair.demand.public_id}/interest"
    assert api.get(unseen, headers=firm).status_code == 404


def test_a_broker_sees_the_side_that_gave_the_mandate(api: TestClient, pair: Pair) -> None:
    market = pair.market
    agency = market.organisation(OrganisationKind.AGENCY, name="示例转移")
    broker = pair.headers(agency)
    paths = [f"/listings/{one.public_id}/matches" for one in (pair.demand, pair.best)]
    assert [api.get(path, headers=broker).status_code for path in paths] == [403, 403]
    with work_for(market.parts, market.person_of(pair.firm)) as work:
        mandate = mandates.grant(
            work,
            MandateIn(
                agency=agency.public_id,
                as_buyer=True,
                valid_from="2026-11-02",
                valid_until="2027-11-01",
            ),
        )
    with work_for(market.parts, market.person_of(agency)) as work:
        mandates.decide(work, mandate.public_id, MandateDecisionIn(decision="accept"))
    assert [api.get(path, headers=broker).status_code for path in paths] == [200, 403]
    match = api.get(paths[0], headers=broker).json()["items"][0]["id"]
    assert decide(api, match, broker, decision="suitable") == 403


def test_asking_the_holder_marks_the_match(api: TestClient, pair: Pair) -> None:
    firm = pair.headers(pair.firm)
    for _ in range(2):
        with work_for(pair.market.parts, pair.market.person_of(pair.firm)) as work:
            note_asked(work, pair.best.id, pair.firm.id)
    found = matches(api, pair.demand, firm)["items"][0]
    assert found["state"] == "asked"
    assert decide(api, found["id"], firm, decision="undecided") == 409
    assert decide(api, found["id"], firm, decision="unsuitable", reason="other") == 200


def test_withdrawn_achievements_vanish_from_view(api: TestClient, pair: Pair) -> None:
    firm = pair.headers(pair.firm)
    match = matches(api, pair.demand, firm)["items"][0]["id"]
    assert decide(api, match, firm, decision="suitable") == 200
    pair.market.withdraw(pair.school, pair.best)
    assert states(matches(api, pair.demand, firm)) == [("焊缝气孔检测相机", "new")]


def test_where_nothing_fits_it_says_with_how_many_it_was_compared(
    api: TestClient, pair: Pair
) -> None:
    demand = pair.market.demand(pair.firm, "柑橘采后霉变早期识别")
    firm = pair.headers(pair.firm)
    before = matches(api, demand, firm)
    assert (before["items"], before["compared"]) == ([], None)
    pair.market.settle()
    after = matches(api, demand, firm)
    assert (after["items"], after["compared"]) == ([], 2)
    assert all("霉变" in "".join(one["missing"]) for one in after["nearest"])
    # A newcomer that does not fit either counts as compared.
    pair.market.achievement(pair.school, "低温甲醇重整制氢催化剂")
    pair.market.settle()
    assert matches(api, demand, firm)["compared"] == 3


def test_status_adds_up(api: TestClient, pair: Pair) -> None:
    pair.market.demand(pair.firm, "柑橘采后霉变早期识别")
    with pair.market.parts.database.read() as session:
        waiting = service.match_status(session)
    assert waiting == {"demands": 2, "with_matches": 1, "no_good_match": 0, "waiting": 1}
    pair.market.settle()
    with pair.market.parts.database.read() as session:
        done = service.match_status(session)
    assert done == {"demands": 2, "with_matches": 1, "no_good_match": 1, "waiting": 0}
