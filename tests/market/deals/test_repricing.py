"""A price that was stopped is found anew: the terms are negotiated again, by both sides."""

import pytest
from sqlmodel import select

from market.accounts.work import Parts
from market.deals import contracts, pricing, repository, service, views, waiting
from market.deals import repository_contracts as papers
from market.deals.models import Deal
from market.deals.schemas import ConfirmIn, SignIn, StopIn
from market.deals.views import Stage
from market.deals.vocabulary import StopReason
from market.kit.errors import Conflict
from market.kit.notify import Notice, differences
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.trade import PUBLICITY, WAN, Trade, agreed, drafted, publicised, terms, trade


def stop(world: Trade, deal: Deal) -> None:
    with work_for(world.parts, world.seller) as work:
        pricing.stop(work, deal.public_id, StopIn(reason=StopReason.PRICE))


def asked(world: Trade) -> set[int | None]:
    """Return whose answer to the terms waits; and see that the tasks are what the rows say."""
    with world.parts.database.read() as session:
        assert not list(differences(session, waiting.KINDS, waiting.tasks(session)))
        rows = session.exec(
            select(Notice).where(Notice.kind == waiting.TERMS, Notice.settled_at.is_(None))  # type: ignore[union-attr]
        )
        return {row.organisation_id for row in rows}


def test_a_new_price_is_agreed_and_publicised_after_a_stop(
    parts: Parts, clock: FakeClock, both_databases: str
) -> None:
    clock.set_local("2026-11-05 09:00")
    world = trade(parts)
    deal = agreed(world)
    publicised(world, deal)
    contract = drafted(world, deal)
    stop(world, deal)
    with read_for(parts, world.buyer) as work:
        view = views.deal_view(work, deal.public_id)
    assert view.row.stage is Stage.NEGOTIATION
    assert view.timeline[0].text == "回到商定条件：双方重新确认，或提出新的条件"
    assert asked(world) == {world.university.id, world.company.id}
    sign = SignIn(contract=contract.public_id, differences_known=True)
    with pytest.raises(Conflict, match="重新达成一致"), work_for(parts, world.buyer) as work:
        contracts.sign(work, deal.public_id, sign)
    with pytest.raises(Conflict, match="达成一致"), work_for(parts, world.seller) as work:
        pricing.choose(work, deal.public_id, PUBLICITY)
    with work_for(parts, world.seller) as work:
        assert service.running_fen(work) == 150 * WAN
        service.propose(work, deal.public_id, terms(seen=1, amount=100 * WAN))
    assert asked(world) == {world.company.id}
    with work_for(parts, world.buyer) as work:
        service.confirm(work, deal.public_id, ConfirmIn(version=2))
    with work_for(parts, world.seller) as work:
        again = pricing.choose(work, deal.public_id, PUBLICITY)
    assert again.price_fen == 100 * WAN
    with read_for(parts, world.seller) as work:
        standing = papers.live_contracts(work.session, [deal.id])[deal.id]
        stages = [one.stage for one in repository.stages_of(work.session, [deal.id])]
    assert standing.id == contract.id, "what was typed of it goes on to the next draft"
    assert stages[-3:] == ["bargaining", "agreed", "pricing"]


def test_the_same_terms_are_agreed_again_by_both(parts: Parts) -> None:
    world = trade(parts)
    deal = agreed(world)
    publicised(world, deal)
    stop(world, deal)
    for who, left in ((world.seller, {world.company.id}), (world.buyer, set())):
        with work_for(parts, who) as work:
            deal = service.confirm(work, deal.public_id, ConfirmIn(version=1))
        assert asked(world) == left
    assert deal.state == "agreed"
    publicised(world, deal)


def test_running_publicities_come_first_and_none_is_left_out(
    parts: Parts, clock: FakeClock
) -> None:
    clock.set_local("2026-11-05 09:00")
    old, cleared = trade(parts), trade(parts)
    deals = {name: agreed(one) for name, one in (("old", old), ("cleared", cleared))}
    publicised(old, deals["old"])
    clock.set_local("2026-11-06 09:00")
    publicised(cleared, deals["cleared"])
    contract = drafted(cleared, deals["cleared"])
    clock.set_local("2026-11-30 09:00")
    sign = SignIn(contract=contract.public_id, differences_known=True)
    with work_for(parts, cleared.seller) as work:
        contracts.sign(work, deals["cleared"].public_id, sign)
    new = trade(parts)
    publicised(new, agreed(new))
    with read_for(parts, new.buyer) as work:
        pages = [pricing.publicities(work, page, 1) for page in (1, 2, 3)]
    assert {total for total, _ in pages} == {3}
    sellers = [one.seller.id for _, found in pages for one in found]
    assert sellers == [one.university.id for one in (new, old, cleared)]
