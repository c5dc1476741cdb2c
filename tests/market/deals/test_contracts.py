"""Pricing and signing: the 15 days of the 公示, and who signs what when."""

from datetime import date

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col

from market.accounts.policy import Role
from market.accounts.work import Parts
from market.catalog.vocabulary import Mode
from market.deals import contracts, negotiation, pricing, service, views
from market.deals.models import Contract, Deal, PricingPath
from market.deals.schemas import (
    ConfirmIn,
    ContractIn,
    DealtIn,
    DisclosureIn,
    LoseIn,
    PartyIn,
    PricingIn,
    ShareIn,
    SignIn,
    StopIn,
)
from market.deals.views import Stage
from market.deals.vocabulary import (
    ContractState,
    ContractType,
    DealState,
    LostReason,
    PricingPathKind,
    PricingState,
    StopReason,
)
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound, Overtaken
from market.kit.ids import PublicId
from market.rules import transfer
from market.rules.schemas_transfer import TransferRuleIn
from tests import factories
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.trade import (
    PUBLICITY,
    WAN,
    Trade,
    agreed,
    at_once,
    contract_form,
    drafted,
    negotiated,
    publicised,
    trade,
)

AGREEMENT = PUBLICITY
LISTING = PricingIn(path=PricingPathKind.LISTING, exchange="示范技术交易所")

LOSE = LoseIn(reason=LostReason.PRICE)


@pytest.fixture
def world(parts: Parts) -> Trade:
    return trade(parts)


def sign(world: Trade, deal: Deal, contract: Contract) -> Contract:
    """Let both sides confirm; return the contract as it is after the second."""
    form = SignIn(contract=contract.public_id, differences_known=True)
    with work_for(world.parts, world.seller) as work:
        contracts.sign(work, deal.public_id, form)
    with work_for(world.parts, world.buyer) as work:
        return contracts.sign(work, deal.public_id, form)


def confirmed(world: Trade, deal: Deal, version: int) -> None:
    """Let both sides agree to a version of the terms."""
    for who in (world.seller, world.buyer):
        with work_for(world.parts, who) as work:
            service.confirm(work, deal.public_id, ConfirmIn(version=version))


def row(world: Trade, deal: Deal) -> views.DealRow:
    with read_for(world.parts, world.seller) as work:
        return views.deal_view(work, deal.public_id).row


def test_publicity_of_thursday_12_november(world: Trade, clock: FakeClock) -> None:
    clock.set_local("2026-11-12 09:00")
    deal = agreed(world)
    assert row(world, deal).stage is Stage.PRICING
    publicised(world, deal)
    contract = drafted(world, deal)
    path = row(world, deal)
    assert path.term is not None
    assert (path.term.ends_on, path.term.earliest_signing) == (
        date(2026, 11, 27),
        date(2026, 11, 28),
    )
    assert not path.term.provisional
    clock.set_local("2026-11-27 23:59")
    for actor in (world.seller, world.buyer):
        with pytest.raises(Conflict) as error, work_for(world.parts, actor) as work:
            contracts.sign(
                work, deal.public_id, SignIn(contract=contract.public_id, differences_known=True)
            )
        assert "2026-11-28" in error.value.message
    clock.set_local("2026-11-28 00:00")
    signed = sign(world, deal, contract)
    assert (signed.state, signed.signed_on) == (ContractState.SIGNED, date(2026, 11, 28))
    assert row(world, deal).stage is Stage.SIGNED


def test_a_contract_is_not_signed_below_its_publicised_price(
    world: Trade, clock: FakeClock
) -> None:
    deal = agreed(world)
    publicised(world, deal)
    low = contract_form()
    line = low.lines[0].model_copy(update={"amount_fen": 100 * WAN})
    low = low.model_copy(update={"total_fen": 100 * WAN, "lines": [line]})
    clock.advance(days=40)
    with work_for(world.parts, world.seller) as work:
        contract = contracts.draft(work, deal.public_id, low).public_id
    with (
        work_for(world.parts, world.seller) as work,
        pytest.raises(Conflict, match="100万元，低于定价150万元"),
    ):
        contracts.sign(work, deal.public_id, SignIn(contract=contract, differences_known=True))


def test_publicity_rolls_over_a_holiday_and_a_year_without_notice(
    world: Trade, clock: FakeClock
) -> None:
    clock.set_local("2026-09-16 09:00")  # the 15th day is 1 October: National Day to 7 October
    deal = agreed(world)
    publicised(world, deal)
    term = row(world, deal).term
    assert term is not None
    assert term.ends_on == date(2026, 10, 8)
    with work_for(world.parts, world.seller) as work:
        pricing.stop(work, deal.public_id, StopIn(reason=StopReason.PRICE))
    clock.set_local("2026-12-20 09:00")
    confirmed(world, deal, 1)
    publicised(world, deal)
    term = row(world, deal).term
    assert term is not None
    assert (term.ends_on, term.provisional) == (date(2027, 1, 4), True)


def test_publicity_page_is_public_and_says_when_it_was_stopped(world: Trade) -> None:
    deal = agreed(world)
    with work_for(world.parts, world.seller) as work:
        path = pricing.choose(work, deal.public_id, AGREEMENT)
    with read_for(world.parts, factories.actor(world.parts, Role.ANONYMOUS)) as work:
        page = pricing.publicity(work, path.public_id)
        total, listed = pricing.publicities(work)
    assert (page.seller.name, page.pricing.price_fen) == (world.university.name, 150 * WAN)
    assert (total, [one.pricing.public_id for one in listed]) == (1, [path.public_id])
    with pytest.raises(Invalid), work_for(world.parts, world.seller) as work:
        pricing.stop(work, deal.public_id, StopIn(reason=StopReason.OTHER))
    with work_for(world.parts, world.seller) as work:
        pricing.stop(work, deal.public_id, StopIn(reason=StopReason.OBJECTION, note="待核实"))
    with read_for(world.parts, factories.actor(world.parts, Role.ANONYMOUS)) as work:
        page = pricing.publicity(work, path.public_id)
        assert page.pricing.state == PricingState.STOPPED
        assert pricing.publicities(work) == (0, [])
        with pytest.raises(NotFound):
            pricing.publicity(work, PublicId("2" * 14))
    confirmed(world, deal, 1)
    contract = drafted(world, deal)
    with pytest.raises(Conflict, match="定价方式"), work_for(world.parts, world.buyer) as work:
        contracts.sign(
            work, deal.public_id, SignIn(contract=contract.public_id, differences_known=True)
        )


def test_an_exchange_needs_its_outcome(world: Trade) -> None:
    deal = agreed(world)
    with pytest.raises(Invalid) as error, work_for(world.parts, world.seller) as work:
        pricing.choose(work, deal.public_id, PricingIn(path=PricingPathKind.AUCTION))
    assert "exchange" in error.value.fields
    with work_for(world.parts, world.seller) as work:
        pricing.choose(work, deal.public_id, LISTING)
    with pytest.raises(Conflict, match="已经选定"), work_for(world.parts, world.seller) as work:
        pricing.choose(work, deal.public_id, AGREEMENT)
    contract = drafted(world, deal)
    with pytest.raises(Conflict, match="还没有成交"), work_for(world.parts, world.buyer) as work:
        contracts.sign(
            work, deal.public_id, SignIn(contract=contract.public_id, differences_known=True)
        )
    dealt = DealtIn(dealt_on=date(2026, 11, 2), price_fen=160 * WAN)
    with pytest.raises(Forbidden), work_for(world.parts, world.buyer) as work:
        pricing.dealt(work, deal.public_id, dealt)
    late = DealtIn(dealt_on=date(2026, 11, 3), price_fen=160 * WAN)
    with pytest.raises(Invalid), work_for(world.parts, world.seller) as work:
        pricing.dealt(work, deal.public_id, late)
    with work_for(world.parts, world.seller) as work:
        pricing.dealt(work, deal.public_id, dealt)
    assert sign(world, deal, contract).state == ContractState.SIGNED


def rule_of(parts: Parts, days: int, since: date) -> None:
    """Let the bureau say how many days a 公示 has since a day."""
    form = TransferRuleIn(
        effective_from=since,
        transfer_bp=5000,
        equity_bp=5000,
        own_bp=500,
        own_years_least=3,
        own_years_most=5,
        bypass_days=365,
        publicity_days=days,
    )
    with work_for(parts, factories.actor(parts, Role.OFFICER)) as work:
        transfer.put(work, form)


def test_the_days_of_a_publicity_are_those_of_the_rule_in_force(
    world: Trade, clock: FakeClock
) -> None:
    clock.set_local("2026-11-12 09:00")
    rule_of(world.parts, 20, date(2026, 11, 1))
    deal = agreed(world)
    publicised(world, deal)
    contract = drafted(world, deal)
    found = row(world, deal).term
    assert found is not None
    assert found.ends_on == date(2026, 12, 2)
    clock.set_local("2026-12-02 09:00")
    with pytest.raises(Conflict, match="2026-12-03"), work_for(world.parts, world.seller) as work:
        contracts.sign(
            work, deal.public_id, SignIn(contract=contract.public_id, differences_known=True)
        )
    rule_of(world.parts, 40, date(2026, 11, 2))  # changed later: what runs is not lengthened
    clock.set_local("2026-12-03 09:00")
    assert sign(world, deal, contract).state == ContractState.SIGNED


def test_the_database_clears_no_publicity_shorter_than_the_rule(
    world: Trade, clock: FakeClock
) -> None:
    clock.set_local("2026-11-12 09:00")
    rule_of(world.parts, 20, date(2026, 11, 1))
    deal = agreed(world)
    publicised(world, deal)
    path = update(PricingPath).where(col(PricingPath.deal_id) == deal.id)
    values = {"days": 15, "state": PricingState.CLEARED, "cleared_on": date(2026, 12, 20)}
    with (
        pytest.raises(DBAPIError, match="has not run out"),
        world.parts.database.write() as session,
    ):
        session.execute(path.values(**values))
    with world.parts.database.write() as session:
        session.execute(path.values(**values | {"days": 20}))


def test_who_needs_no_pricing(parts: Parts) -> None:
    """Companies never; a state university not for development, consulting, service."""
    company = trade(parts, state_founded=False)
    deal = agreed(company)
    with pytest.raises(Conflict, match="不需要"), work_for(parts, company.seller) as work:
        pricing.choose(work, deal.public_id, AGREEMENT)
    assert sign(company, deal, drafted(company, deal)).state == ContractState.SIGNED

    university = trade(parts)
    deal = agreed(university, Mode.JOINT)
    developed = drafted(university, deal, ContractType.DEV)
    assert row(university, deal).stage is Stage.SIGNING
    assert sign(university, deal, developed).state == ContractState.SIGNED


def no_path(world: Trade, deal: Deal, contract: Contract) -> None:
    """Show that a contract is refused for want of a path: by the service and by the database."""
    assert row(world, deal).pricing_applies
    with (
        pytest.raises(Conflict, match="先选定定价方式"),
        work_for(world.parts, world.seller) as work,
    ):
        contracts.sign(
            work, deal.public_id, SignIn(contract=contract.public_id, differences_known=True)
        )
    signs = update(Contract).where(col(Contract.id) == contract.id)
    values = {"state": ContractState.SIGNED, "signed_on": date(2026, 11, 2)}
    with pytest.raises(DBAPIError, match="no price"), world.parts.database.write() as session:
        session.execute(signs.values(**values))


def test_a_licence_drafted_as_a_development_needs_its_path(world: Trade) -> None:
    deal = agreed(world, Mode.PLAIN)
    no_path(world, deal, drafted(world, deal, ContractType.DEV))


def test_a_state_founded_joint_seller_needs_a_path(parts: Parts) -> None:
    """Who leads the side does not say whose achievement it is."""
    world = trade(parts, state_founded=False)
    state = factories.organisation(parts, state_founded=True)
    deal = agreed(world)
    with work_for(parts, world.seller) as work:
        form = PartyIn(organisation=state.public_id, share=9_000)
        negotiation.add_party(work, deal.public_id, form)
    with work_for(parts, factories.actor(parts, Role.MANAGER, state)) as work:
        negotiation.confirm_share(work, deal.public_id, ShareIn(version=1))
    contract = drafted(world, deal)
    no_path(world, deal, contract)
    with work_for(parts, world.seller) as work:
        pricing.choose(work, deal.public_id, AGREEMENT)
    assert row(world, deal).stage is Stage.PRICING


def test_a_state_founded_joint_buyer_needs_none(parts: Parts) -> None:
    world = trade(parts, state_founded=False)
    state = factories.organisation(parts, state_founded=True)
    deal = agreed(world)
    with work_for(parts, world.buyer) as work:
        negotiation.add_party(work, deal.public_id, PartyIn(organisation=state.public_id))
    assert not row(world, deal).pricing_applies


def test_pricing_waits_for_agreed_terms(world: Trade) -> None:
    deal = negotiated(world)
    for refused in (
        lambda work: pricing.choose(work, deal.public_id, AGREEMENT),
        lambda work: contracts.draft(work, deal.public_id, contract_form()),
    ):
        with pytest.raises(Conflict, match="达成一致"), work_for(world.parts, world.seller) as work:
            refused(work)
    deal = agreed_again(world, deal)
    with pytest.raises(Forbidden), work_for(world.parts, world.buyer) as work:
        pricing.choose(work, deal.public_id, AGREEMENT)
    with pytest.raises(Forbidden), work_for(world.parts, world.buyer) as work:
        contracts.draft(work, deal.public_id, contract_form())


def agreed_again(world: Trade, deal: Deal) -> Deal:
    with work_for(world.parts, world.seller) as work:
        service.lose(work, deal.public_id, LoseIn(reason=LostReason.CONDITIONS))
    return agreed(world)


def broken(**changes: object) -> ContractIn:
    return contract_form().model_copy(update=changes)


def test_amounts_and_kinds_must_add_up(world: Trade) -> None:
    deal = agreed(world)
    lines = contract_form().lines
    wrong = {
        "lines": [
            broken(total_fen=187 * WAN),
            broken(lines=lines[2:], total_fen=30 * WAN),  # nothing technical
            broken(lines=[lines[0].model_copy(update={"reasonable_quantity": True}), *lines[1:]]),
        ],
        "sub_type": [broken(sub_type="委托开发")],
        "ends_on": [broken(ends_on=date(2026, 11, 27))],
    }
    for field, forms in wrong.items():
        for form in forms:
            with pytest.raises(Invalid) as error, work_for(world.parts, world.seller) as work:
                contracts.draft(work, deal.public_id, form)
            assert list(error.value.fields) == [field]
    first = drafted(world, deal)
    assert first.technical_fen == 156 * WAN
    within = lines[2].model_copy(update={"reasonable_quantity": True})
    with work_for(world.parts, world.seller) as work:
        form = broken(lines=[*lines[:2], within], replaces=first.public_id)
        assert contracts.draft(work, deal.public_id, form).technical_fen == 186 * WAN


def test_a_draft_over_one_that_was_not_read_is_told_of_it(parts: Parts) -> None:
    world = trade(parts, state_founded=False)
    deal = agreed(world)
    first = drafted(world, deal)
    with pytest.raises(Overtaken) as refused, work_for(parts, world.seller) as work:
        contracts.draft(work, deal.public_id, contract_form())
    assert refused.value.current["replaces"] == first.public_id
    assert refused.value.current["total_fen"] == first.total_fen
    assert drafted(world, deal).id != first.id  # over the one that was read


def test_a_new_draft_drops_what_was_confirmed(parts: Parts) -> None:
    world = trade(parts, state_founded=False)
    deal = agreed(world)
    first = drafted(world, deal)
    with work_for(parts, world.buyer) as work:
        contracts.sign(
            work, deal.public_id, SignIn(contract=first.public_id, differences_known=True)
        )
    second = drafted(world, deal)
    with pytest.raises(Conflict, match="刚改过"), work_for(parts, world.seller) as work:
        contracts.sign(
            work, deal.public_id, SignIn(contract=first.public_id, differences_known=True)
        )
    with work_for(parts, world.seller) as work:
        contracts.sign(
            work, deal.public_id, SignIn(contract=second.public_id, differences_known=True)
        )
    found = row(world, deal).contract
    assert found is not None
    assert (found.id, found.state) == (second.id, ContractState.DRAFTED)
    assert sign(world, deal, second).state == ContractState.SIGNED
    with pytest.raises(Conflict, match="已经签订"), work_for(parts, world.seller) as work:
        contracts.draft(work, deal.public_id, contract_form())
    with pytest.raises(Conflict, match="已经签订"), work_for(parts, world.seller) as work:
        service.lose(work, deal.public_id, LoseIn(reason=LostReason.PRICE))
    assert negotiated(world).id != deal.id  # the next matter of the same pair


def test_one_party_signing_twice_signs_nothing(parts: Parts) -> None:
    world = trade(parts, state_founded=False)
    deal = agreed(world)
    form = SignIn(contract=drafted(world, deal).public_id, differences_known=True)
    for _ in range(2):
        with work_for(parts, world.buyer) as work:
            assert contracts.sign(work, deal.public_id, form).state == ContractState.DRAFTED


def test_a_lost_deal_drops_its_draft_and_stops_its_publicity(world: Trade) -> None:
    deal = agreed(world)
    publicised(world, deal)
    contract = drafted(world, deal)
    with work_for(world.parts, world.buyer) as work:
        service.lose(work, deal.public_id, LoseIn(reason=LostReason.FUNDS))
    found = row(world, deal)
    assert (found.stage, found.contract, found.pricing) == (Stage.LOST, None, None)
    with read_for(world.parts, world.seller) as work:
        told = [one.text for one in views.deal_view(work, deal.public_id).timeline]
    assert told[0].startswith("买方终止洽谈")
    assert told[1] == "公示终止，一方退出"
    with pytest.raises(Conflict, match="终止"), work_for(world.parts, world.seller) as work:
        contracts.sign(
            work, deal.public_id, SignIn(contract=contract.public_id, differences_known=True)
        )


def test_disclosure_is_each_sides_own_and_its_managers(parts: Parts) -> None:
    world = trade(parts, state_founded=False)
    deal = agreed(world)
    contract = drafted(world, deal)
    editor = factories.actor(parts, Role.EDITOR, world.company)
    with pytest.raises(Forbidden), work_for(parts, editor) as work:
        contracts.disclose(work, deal.public_id, DisclosureIn(agrees=True))
    sign(world, deal, contract)
    with work_for(parts, world.buyer) as work:
        told = contracts.disclose(work, deal.public_id, DisclosureIn(agrees=True))
    assert (told.seller_agrees_public, told.buyer_agrees_public) == (False, True)


def test_both_sign_at_once(parts: Parts, both_databases: str) -> None:
    world = trade(parts, state_founded=False)
    for _ in range(5):
        deal = agreed(world)
        form = SignIn(contract=drafted(world, deal).public_id, differences_known=True)
        steps = [
            (actor, lambda w, d=deal, f=form: contracts.sign(w, d.public_id, f))
            for actor in (world.seller, world.buyer) * 2
        ]
        assert at_once(parts, steps) == [None] * 4
        found = row(world, deal)
        assert found.contract is not None
        assert found.contract.state == ContractState.SIGNED
        with read_for(parts, world.seller) as work:
            timeline = views.deal_view(work, deal.public_id).timeline
        assert sum("签订" in one.text for one in timeline) == 1


def test_signed_or_lost_never_both(parts: Parts, both_databases: str) -> None:
    world = trade(parts, state_founded=False)
    outcomes = set()
    for _ in range(8):
        deal = agreed(world)
        form = SignIn(contract=drafted(world, deal).public_id, differences_known=True)
        with work_for(parts, world.seller) as work:
            contracts.sign(work, deal.public_id, form)
        signed, lost = at_once(
            parts,
            [
                (world.buyer, lambda w, d=deal, f=form: contracts.sign(w, d.public_id, f)),
                (world.seller, lambda w, d=deal: service.lose(w, d.public_id, LOSE)),
            ],
        )
        found = row(world, deal)
        assert (signed is None) != (lost is None)
        if signed is None:
            assert found.stage is Stage.SIGNED
        else:
            assert found.deal.state == DealState.LOST
            assert found.contract is None
        outcomes.add(found.stage)
    assert outcomes <= {Stage.SIGNED, Stage.LOST}


def test_redrafted_and_signed_at_once(parts: Parts, both_databases: str) -> None:
    """A side signs what it read, or is told that there is a newer draft."""
    world = trade(parts, state_founded=False)
    for _ in range(5):
        deal = agreed(world)
        first = drafted(world, deal)
        form = SignIn(contract=first.public_id, differences_known=True)
        with work_for(parts, world.seller) as work:
            contracts.sign(work, deal.public_id, form)
        signed, redrafted = at_once(
            parts,
            [
                (world.buyer, lambda w, d=deal, f=form: contracts.sign(w, d.public_id, f)),
                (
                    world.seller,
                    lambda w, d=deal: contracts.draft(w, d.public_id, contract_form()),
                ),
            ],
        )
        found = row(world, deal)
        assert found.contract is not None
        assert (signed is None) != (redrafted is None)
        assert (found.contract.id == first.id) == (signed is None)
        if redrafted is None:
            with work_for(parts, world.buyer) as work:
                service.lose(work, deal.public_id, LoseIn(reason=LostReason.PRICE))


def test_publicised_twice_at_once_is_one(parts: Parts, both_databases: str) -> None:
    world = trade(parts)
    deal = agreed(world)
    steps = [(world.seller, lambda w: pricing.choose(w, deal.public_id, AGREEMENT))] * 4
    refused = at_once(parts, steps)
    assert sum(one is None for one in refused) == 1
    assert all(isinstance(one, Conflict) for one in refused if one is not None)
