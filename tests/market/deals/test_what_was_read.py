"""Nobody is bound by what it did not read: who and what a deal is about, beside its draft and its
publicised price.
"""

from collections.abc import Callable

import pytest

from market.accounts.policy import OrganisationKind
from market.accounts.work import Parts, Work
from market.catalog.schemas import AchievementIn, DemandIn
from market.deals import contracts, negotiation, pricing
from market.deals import repository_contracts as papers
from market.deals.models import Contract, Deal
from market.deals.schemas import DealtIn, PartyIn, PricingIn, SignIn, StopIn
from market.deals.vocabulary import ContractState, PricingPathKind, StopReason
from market.kit.errors import Conflict
from tests import factories
from tests.support.market import read_for, work_for
from tests.support.trade import WAN, Trade, agreed, drafted, publicised, published, trade

LISTING = PricingIn(path=PricingPathKind.LISTING, exchange="示范技术交易所")
FURTHER = AchievementIn(title="轨道几何尺寸的车载检测")


def contract_of(world: Trade, deal: Deal) -> Contract:
    with read_for(world.parts, world.seller) as work:
        return papers.live_contracts(work.session, [deal.id])[deal.id]


@pytest.mark.parametrize("what", ["add party", "remove party", "add listing", "remove listing"])
@pytest.mark.parametrize("by", ["seller", "buyer"])
def test_what_changes_beside_a_draft_is_confirmed_anew(parts: Parts, what: str, by: str) -> None:
    world = trade(parts, state_founded=False)
    deal = agreed(world)
    mine, other = (world.seller, world.buyer)[:: 1 if by == "seller" else -1]
    company = factories.organisation(parts, OrganisationKind.COMPANY)
    form = FURTHER if by == "seller" else DemandIn(title="轨道几何尺寸怎样在车上测")
    listing = published(parts, mine, form)
    party = PartyIn(organisation=company.public_id, share=None)
    steps: dict[str, Callable[[Work], object]] = {
        "add party": lambda work: negotiation.add_party(work, deal.public_id, party),
        "remove party": lambda work: negotiation.remove_party(
            work, deal.public_id, company.public_id
        ),
        "add listing": lambda work: negotiation.add_listing(
            work, deal.public_id, listing.public_id
        ),
        "remove listing": lambda work: negotiation.remove_listing(
            work, deal.public_id, listing.public_id
        ),
    }
    if what.startswith("remove"):
        with work_for(parts, mine) as work:
            steps[what.replace("remove", "add")](work)
    drafted(world, deal)
    sign = SignIn(contract=contract_of(world, deal).public_id, differences_known=True)
    with work_for(parts, other) as work:
        contracts.sign(work, deal.public_id, sign)
    with work_for(parts, mine) as work:
        steps[what](work)
    with work_for(parts, mine) as work:
        assert contracts.sign(work, deal.public_id, sign).state == ContractState.DRAFTED
    with work_for(parts, other) as work:
        assert contracts.sign(work, deal.public_id, sign).state == ContractState.SIGNED


def test_what_was_not_publicised_is_not_added(parts: Parts) -> None:
    world = trade(parts)
    deal = agreed(world)
    named, more = (
        published(parts, world.seller, FURTHER),
        published(parts, world.seller, AchievementIn(title="钢轨内部伤损的相控阵超声检测")),
    )
    company = factories.organisation(parts, OrganisationKind.COMPANY)
    party = PartyIn(organisation=company.public_id, share=3000)
    with work_for(parts, world.seller) as work:
        negotiation.add_listing(work, deal.public_id, named.public_id)
    publicised(world, deal)
    with read_for(parts, world.seller) as work:
        path = papers.live_pricing(work.session, deal.id)
        assert path is not None
        assert path.name == "轨道扣件螺栓松动声学检测、轨道几何尺寸的车载检测"
    refused: tuple[Callable[[Work], object], ...] = (
        lambda work: negotiation.add_listing(work, deal.public_id, more.public_id),
        lambda work: negotiation.add_party(work, deal.public_id, party),
    )
    for step in refused:
        with pytest.raises(Conflict, match="请先终止"), work_for(parts, world.seller) as work:
            step(work)
    with work_for(parts, world.buyer) as work:  # the buyer's side is not what is priced
        negotiation.add_party(work, deal.public_id, party)
    with work_for(parts, world.seller) as work:
        pricing.stop(work, deal.public_id, StopIn(reason=StopReason.PRICE))
    with work_for(parts, world.seller) as work:
        negotiation.add_listing(work, deal.public_id, more.public_id)


def test_what_was_not_on_the_exchange_is_not_added(parts: Parts) -> None:
    world = trade(parts)
    deal = agreed(world)
    more = published(parts, world.seller, FURTHER)
    with work_for(parts, world.seller) as work:
        pricing.choose(work, deal.public_id, LISTING)
    with work_for(parts, world.seller) as work:
        outcome = DealtIn(dealt_on=work.today, price_fen=160 * WAN)
        pricing.dealt(work, deal.public_id, outcome)
    with pytest.raises(Conflict, match="另开一项洽谈"), work_for(parts, world.seller) as work:
        negotiation.add_listing(work, deal.public_id, more.public_id)
