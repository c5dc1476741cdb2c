"""Terms: proposed, confirmed by both, or lost; whoever comes first at once."""

from dataclasses import replace

import pytest
from sqlalchemy import event

from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Parts
from market.deals import repository, service, views
from market.deals.models import Deal
from market.deals.schemas import ConfirmIn, LoseIn, NoteIn
from market.deals.vocabulary import Audience, DealState, LostReason
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from tests import factories
from tests.support.market import read_for, work_for
from tests.support.trade import Trade, agreed, at_once, mandate, negotiated, terms, trade

FIRST = ConfirmIn(version=1)


@pytest.fixture
def world(parts: Parts) -> Trade:
    return trade(parts)


def state(world: Trade, deal: Deal) -> Deal:
    with read_for(world.parts, world.seller) as work:
        return service.find(work, deal.public_id)


def test_a_proposal_is_confirmed_by_the_other_side(world: Trade) -> None:
    deal = negotiated(world)
    assert deal.number.startswith("N-2026-")
    with work_for(world.parts, world.seller) as work:
        service.propose(work, deal.public_id, terms())
    with work_for(world.parts, world.seller) as work:  # one's own word counts once
        service.confirm(work, deal.public_id, ConfirmIn(version=1))
    assert state(world, deal).state == DealState.NEGOTIATION
    with work_for(world.parts, world.buyer) as work:
        service.confirm(work, deal.public_id, ConfirmIn(version=1))
    assert state(world, deal).state == DealState.AGREED


def test_a_new_proposal_takes_confirmations_back(world: Trade) -> None:
    deal = negotiated(world)
    with work_for(world.parts, world.seller) as work:
        service.propose(work, deal.public_id, terms())
    with work_for(world.parts, world.buyer) as work:
        service.propose(work, deal.public_id, terms(seen=1, amount=100))
    with pytest.raises(Conflict, match="新的条件"), work_for(world.parts, world.buyer) as work:
        service.confirm(work, deal.public_id, ConfirmIn(version=1))
    row = state(world, deal)
    assert (row.terms_version, row.seller_confirmed, row.buyer_confirmed) == (2, 0, 2)
    with work_for(world.parts, world.seller) as work:
        service.confirm(work, deal.public_id, ConfirmIn(version=2))
    assert state(world, deal).state == DealState.AGREED


def test_a_proposal_over_an_unread_one_is_refused(world: Trade) -> None:
    deal = negotiated(world)
    with work_for(world.parts, world.seller) as work:
        service.propose(work, deal.public_id, terms())
    with pytest.raises(Conflict, match="先看过"), work_for(world.parts, world.buyer) as work:
        service.propose(work, deal.public_id, terms())


def test_agreed_terms_stand(world: Trade) -> None:
    deal = agreed(world)
    with pytest.raises(Conflict, match="达成一致"), work_for(world.parts, world.buyer) as work:
        service.propose(work, deal.public_id, terms(seen=1))


def test_losing_needs_a_reason_that_says_something(world: Trade) -> None:
    deal = negotiated(world)
    with pytest.raises(Invalid) as error, work_for(world.parts, world.buyer) as work:
        service.lose(work, deal.public_id, LoseIn(reason=LostReason.OTHER))
    assert "note" in error.value.fields
    with work_for(world.parts, world.buyer) as work:
        service.lose(work, deal.public_id, LoseIn(reason=LostReason.PRICE))
    row = state(world, deal)
    assert (row.state, row.lost_by, row.lost_reason) == (DealState.LOST, "buyer", "price")
    with pytest.raises(Conflict, match="终止"), work_for(world.parts, world.seller) as work:
        service.propose(work, deal.public_id, terms())
    assert negotiated(world).id != deal.id  # the pair may try again


def test_outsiders_do_not_see_a_deal_and_brokers_move_nothing(world: Trade) -> None:
    deal = negotiated(world)
    stranger = factories.actor(world.parts, Role.MANAGER, kind=OrganisationKind.COMPANY)
    for nobody in (stranger, world.broker, factories.actor(world.parts, Role.OFFICER)):
        with pytest.raises(NotFound), read_for(world.parts, nobody) as work:
            service.find(work, deal.public_id)
    mandate(world, world.buyer, as_seller=True)  # not the side the buyer is on here
    with pytest.raises(NotFound), read_for(world.parts, world.broker) as work:
        service.find(work, deal.public_id)
    mandate(world, world.seller, as_seller=True)
    with read_for(world.parts, world.broker) as work:
        assert [row.deal.id for row in views.deals_of_actor(work)] == [deal.id]
        assert views.deal_view(work, deal.public_id).brokers[0].agency.id == world.agency.id
    with pytest.raises(Forbidden), work_for(world.parts, world.broker) as work:
        service.propose(work, deal.public_id, terms())
    viewer = factories.actor(world.parts, Role.VIEWER, world.company)
    with pytest.raises(Forbidden), work_for(world.parts, viewer) as work:
        service.propose(work, deal.public_id, terms())


def test_a_note_is_read_by_its_audience(world: Trade) -> None:
    deal = negotiated(world)
    mandate(world, world.seller, as_seller=True)
    for actor, audience, text in (
        (world.seller, Audience.OWN, "底价120万元"),
        (world.broker, Audience.OWN, "先约校方"),
        (world.broker, Audience.ALL, "周二到校看样机"),
    ):
        with work_for(world.parts, actor) as work:
            service.note(work, deal.public_id, NoteIn(audience=audience, text=text))

    def read(actor: object) -> list[str]:
        with read_for(world.parts, actor) as work:  # type: ignore[arg-type]
            timeline = views.deal_view(work, deal.public_id).timeline
        return [one.text for one in timeline if one.audience is not None]

    assert sorted(read(world.seller)) == ["周二到校看样机", "底价120万元"]
    assert sorted(read(world.broker)) == ["先约校方", "周二到校看样机"]
    assert read(world.buyer) == ["周二到校看样机"]


def test_both_confirm_at_once(parts: Parts, both_databases: str) -> None:
    """Neither side's confirmation is lost, and the agreement is written once."""
    world = trade(parts)
    for _ in range(5):
        deal = negotiated(world)
        with work_for(parts, world.seller) as work:
            service.propose(work, deal.public_id, terms())
        steps = [
            (actor, lambda w, d=deal: service.confirm(w, d.public_id, FIRST))
            for actor in (world.seller, world.buyer, world.buyer, world.buyer)
        ]
        assert at_once(parts, steps) == [None] * 4
        with read_for(parts, world.seller) as work:
            events = repository.events_of(work.session, deal.id)
            assert service.find(work, deal.public_id).state == DealState.AGREED
        assert [one.kind for one in events].count("agreed") == 1
        with work_for(parts, world.seller) as work:
            service.lose(work, deal.public_id, LoseIn(reason=LostReason.FUNDS))


def test_proposals_at_once_leave_one(parts: Parts, both_databases: str) -> None:
    world = trade(parts)
    deal = negotiated(world)
    steps = [
        (actor, lambda work: service.propose(work, deal.public_id, terms()))
        for actor in (world.seller, world.buyer) * 3
    ]
    refused = [one for one in at_once(parts, steps) if one is not None]
    assert len(refused) == 5
    assert all(isinstance(one, Conflict) for one in refused)
    assert state(world, deal).terms_version == 1


def test_a_brokers_list_asks_as_much_for_four_deals_as_for_one(world: Trade) -> None:
    asked: list[str] = []

    @event.listens_for(world.parts.database.reader, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    def listed() -> tuple[int, int]:
        asked.clear()
        with read_for(world.parts, world.broker) as work:
            rows = views.deals_of_actor(work)
        return len(rows), len(asked)

    mandate(world, world.seller, as_seller=True)
    negotiated(world)
    one, few = listed()
    for _ in range(3):
        buyer = trade(world.parts)
        negotiated(replace(world, buyer=buyer.buyer, company=buyer.company, demand=buyer.demand))
    many, still_few = listed()
    assert (one, many) == (1, 4)
    assert still_few == few
