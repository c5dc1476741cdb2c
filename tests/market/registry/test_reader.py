"""Who reads a registration once a change has moved its parties, and what of it."""

import pytest

from market import chaining
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.deals import repository as deals
from market.deals.models_negotiation import DealParty
from market.deals.vocabulary import Side
from market.insight import service as insight
from market.insight.service import Chosen
from market.kit.errors import Forbidden, NotFound
from market.registry import service
from market.registry.schemas import ChangeIn, ObjectIn, SubmitIn
from tests import factories
from tests.support import papers
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")
WAN = papers.WAN


@pytest.fixture
def pair(parts: Parts) -> papers.Sides:
    chaining.begin(parts)
    return papers.sides(parts)


def newcomer(parts: Parts) -> tuple[str, Actor]:
    company = factories.organisation(parts, OrganisationKind.COMPANY)
    return company.name, factories.actor(parts, Role.MANAGER, company)


def change(parts: Parts, pair: papers.Sides, filed: service.Filed, wan: int, **what: str) -> None:
    form = ChangeIn(total_fen=wan * WAN, technical_fen=wan * WAN, reason="买方变更", **what)
    with work_for(parts, pair.officer) as work:
        service.change(work, filed.row.public_id, form)


def read(parts: Parts, actor: Actor, filed: service.Filed) -> tuple[service.Filed, list[str]]:
    with read_for(parts, actor) as work:
        found = service.get(work, filed.row.public_id)
        listed, total = service.registrations(work)
        assert total == len(listed) == 1
        assert listed[0].row.technical_fen == found.row.technical_fen
        shown = service.newest_of(work, [filed.contract.id])[filed.contract.id]
        assert shown.technical_fen == found.row.technical_fen
        return found, [row.note for row in service.events(work, found)]


def told(parts: Parts, actor: Actor, filed: service.Filed) -> list[tuple[str, int]]:
    """Return (buyer, fen moved) of the lines of the ledger, each of which leads to what is read."""
    with read_for(parts, actor) as work:
        found = insight.contracts(work, Chosen())
        assert {line.origin.id for line in found.rows} == {filed.row.public_id}
        return [(line.said.buyer_name, line.moved.technical_fen) for line in found.rows]


def test_the_new_buyer_reads_and_the_old_one_keeps_what_was_its_own(
    parts: Parts, pair: papers.Sides
) -> None:
    filed = papers.registered(parts, pair)
    name, second = newcomer(parts)
    change(parts, pair, filed, 91, buyer=name)
    change(parts, pair, filed, 92)
    now, _ = read(parts, second, filed)
    assert (now.row.technical_fen, now.row.changes) == (92 * WAN, 2)
    assert told(parts, second, filed) == [(name, 1 * WAN), (name, 91 * WAN)]
    left, steps = read(parts, pair.buyer_actor, filed)
    assert (left.row.state, left.row.technical_fen, left.row.in_force) == (
        "registered",
        100 * WAN,
        {},
    )
    assert steps == ["", "", ""]
    old = pair.buyer.name
    assert told(parts, pair.buyer_actor, filed) == [(old, -100 * WAN), (old, 100 * WAN)]
    with read_for(parts, pair.seller_actor) as work:
        assert service.get(work, filed.row.public_id).row.technical_fen == 92 * WAN
    with pytest.raises(Forbidden), work_for(parts, pair.buyer_actor) as work:
        service.object_to(work, filed.row.public_id, ObjectIn(reason="金额有误"))
    with work_for(parts, second) as work:
        service.object_to(work, filed.row.public_id, ObjectIn(reason="金额有误"))
    with read_for(parts, pair.buyer_actor) as work:
        seen, related = service.seen(work, filed.row.public_id)
        assert service.steps_of(work, seen, related) == []
        timeline = [row.text for row in deals.events_of(work.session, filed.deal.id)]
    assert timeline[-3:] == ["登记变更", "登记变更", "对登记结果提出异议"]
    assert not [line for line in timeline if "91" in line or "92" in line]
    with read_for(parts, factories.actor(parts, Role.MANAGER)) as work, pytest.raises(NotFound):
        service.get(work, filed.row.public_id)


def test_one_that_came_and_went_reads_its_own_time(parts: Parts, pair: papers.Sides) -> None:
    filed = papers.registered(parts, pair)
    name, second = newcomer(parts)
    third_name, third = newcomer(parts)
    change(parts, pair, filed, 91, buyer=name)
    change(parts, pair, filed, 80, buyer=third_name)
    between, _ = read(parts, second, filed)
    assert (between.row.technical_fen, between.row.in_force["buyer_name"]) == (91 * WAN, name)
    assert told(parts, second, filed) == [(name, -91 * WAN), (name, 91 * WAN)]
    assert read(parts, third, filed)[0].row.technical_fen == 80 * WAN


def test_a_further_party_reads_as_the_counterpart_and_takes_no_step(
    parts: Parts, pair: papers.Sides
) -> None:
    contract = papers.signed_contract(parts, pair)
    joint = factories.organisation(parts)
    someone = factories.actor(parts, Role.MANAGER, joint)
    with parts.database.write() as session:
        session.add(
            DealParty(
                deal_id=contract.deal_id,
                organisation_id=joint.id,
                side=Side.SELLER,
                share=3_000,
                added_by=pair.seller_actor.person,
                created_at=parts.clock.now(),
            )
        )
    with work_for(parts, pair.seller_actor) as work:
        draft = service.prepare(work, SubmitIn(contract=contract.public_id))
    with read_for(parts, someone) as work:
        assert service.registrations(work) == ([], 0)  # not handed in: the leading seller's
        with pytest.raises(NotFound):
            service.get(work, draft.row.public_id)
    filed = papers.decided(parts, pair, papers.submitted(parts, pair, contract))
    found, steps = read(parts, someone, filed)
    assert (found.row.technical_fen, len(steps)) == (100 * WAN, 3)
    with read_for(parts, someone) as work:
        assert insight.contracts(work, Chosen()).number == 0  # the money is the leading seller's
        stored, stream = service.open_file(work, filed.row.public_id)
        stream.close()
        assert stored.name == "合同.pdf"
        seen, related = service.seen(work, filed.row.public_id)
        assert service.steps_of(work, seen, related) == []
    with pytest.raises(Forbidden), work_for(parts, someone) as work:
        service.object_to(work, filed.row.public_id, ObjectIn(reason="金额有误"))
