"""Commissions and flags of 跳单 in the market: from a signature to who is told, pays and decides."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlmodel import select

from market import jobs
from market.access import mandates
from market.access.fees import FeeKind, Payer
from market.access.schemas import MandateDecisionIn, MandateIn
from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.brokerage import clauses, service, tasks, working
from market.brokerage.models import (
    Bypass,
    BypassState,
    Commission,
    CommissionPart,
    CommissionState,
)
from market.brokerage.rule import Ground
from market.brokerage.schemas import (
    BrokerWeight,
    BypassDecisionIn,
    ClauseIn,
    ContestIn,
    SettleIn,
    SharesIn,
)
from market.deals import contracts, introductions, negotiation
from market.deals import repository_contracts as papers
from market.deals import service as deals
from market.deals.models import Contract, Deal, Introduction
from market.deals.schemas import (
    ConfirmIn,
    IntroductionDecisionIn,
    IntroductionIn,
    LoseIn,
    PartyIn,
    SignIn,
)
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import MandateId, new_public_id
from market.kit.jobs import Runner
from tests import factories
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.trade import WAN, Trade, agreed, drafted, negotiated, terms, trade

pytestmark = pytest.mark.usefixtures("both_databases")


def granted(world: Trade, broker: Actor | None = None, **fee: object) -> None:
    """Let the seller give a mandate to the world's broker, or to another."""
    today = world.parts.clock.now().date()
    agency = world.agency if broker is None else organisation(world.parts, broker)
    form = MandateIn(
        agency=agency.public_id,
        as_seller=True,
        valid_from=today,
        valid_until=today + timedelta(days=365),
        **({"fee_kind": FeeKind.RATE, "fee_rate_bp": 300} | fee),
    )
    with work_for(world.parts, world.seller) as work:
        row = mandates.grant(work, form)
    with work_for(world.parts, broker or world.broker) as work:
        mandates.decide(work, row.public_id, MandateDecisionIn(decision="accept"))


def organisation(parts: Parts, actor: Actor) -> Organisation:
    with parts.database.read() as session:
        return accounts.organisation(session, actor.organisation)


def introduced(
    world: Trade, *deciding: tuple[Actor, str], broker: Actor | None = None
) -> Introduction:
    form = IntroductionIn(
        achievement=world.achievement.public_id,
        demand=world.demand.public_id,
        message="工况相合。",
    )
    with work_for(world.parts, broker or world.broker) as work:
        row = introductions.propose(work, form)
    for actor, decision in deciding:
        with work_for(world.parts, actor) as work:
            form = IntroductionDecisionIn(decision=decision)
            row = introductions.decide(work, row.public_id, form)
    return row


def draft_of(world: Trade) -> Deal:
    """Return a deal with a draft of its contract, begun by the buyer's own inquiry."""
    deal = agreed(world)
    drafted(world, deal)
    return deal


def signed(world: Trade, deal: Deal | None = None) -> Contract:
    """Return the contract that both sides signed."""
    deal = deal or draft_of(world)
    for actor in (world.seller, world.buyer):
        with work_for(world.parts, actor) as work:
            row = papers.live_contracts(work.session, [deal.id])[deal.id]
            contracts.sign(
                work, deal.public_id, SignIn(contract=row.public_id, differences_known=True)
            )
    return row


def settled(parts: Parts) -> list[Commission]:
    """Run all jobs; return what is owed in the order in which it was worked out."""
    runner = Runner(parts.database, parts.clock, jobs.handlers(parts))
    while runner.run_one():
        pass
    with parts.database.read() as session:
        rows = list(session.exec(select(Commission).order_by(Commission.id)))
        session.expunge_all()
    return rows


@pytest.fixture
def world(parts: Parts) -> Trade:
    return trade(parts, state_founded=False)


def test_consent_of_each_side_has_its_time(world: Trade, clock: FakeClock) -> None:
    granted(world)
    begun = clock.now()
    row = introduced(world, (world.seller, "accept"))
    assert (row.seller_accepted_at, row.buyer_accepted_at) == (begun, None)
    clock.advance(days=2)
    with work_for(world.parts, world.buyer) as work:
        row = introductions.decide(work, row.public_id, IntroductionDecisionIn(decision="accept"))
    assert row.buyer_accepted_at == begun + timedelta(days=2)
    assert row.seller_accepted_by == world.seller.person_id
    assert row.buyer_accepted_by == world.buyer.person_id


def test_a_contract_after_an_accepted_introduction_owes_the_fee(world: Trade) -> None:
    granted(world)
    introduced(world, (world.seller, "accept"), (world.buyer, "accept"))
    contract = signed(world)
    (row,) = settled(world.parts)
    assert (row.ground, row.amount_fen) == (Ground.SUCCESS, contract.total_fen * 3 // 100)
    assert settled(world.parts)[0].id == row.id  # worked out once
    with read_for(world.parts, world.broker) as work:
        view = service.commission(work, row.public_id)
        assert [one.organisation.id for one in view.payers] == [world.university.id]
        assert service.bypasses(work)[0] == 0
    with read_for(world.parts, world.buyer) as work, pytest.raises(NotFound):
        service.commission(work, row.public_id)


def bypassed(world: Trade, **fee: object) -> Commission:
    granted(world, **fee)
    introduced(world, (world.buyer, "decline"))
    signed(world)
    (row,) = settled(world.parts)
    return row


def test_a_contract_around_an_introduction_is_flagged_with_its_evidence(world: Trade) -> None:
    row = bypassed(world)
    assert row.ground == Ground.BYPASS
    stranger = factories.actor(
        world.parts, Role.MANAGER, factories.organisation(world.parts, OrganisationKind.AGENCY)
    )
    officer = factories.actor(world.parts, Role.OFFICER)
    for actor in (world.broker, world.seller, world.buyer, officer):
        with read_for(world.parts, actor) as work:
            total, (view,) = service.bypasses(work)
            assert total == 1
            told = view.evidence
            assert told["broker"] == world.agency.name
            assert told["introduction_state"] == "declined"
            assert told["days_between"] >= 0
            assert told["total_fen"] == 186 * WAN
    with read_for(world.parts, stranger) as work:
        assert service.bypasses(work) == (0, [])
        with pytest.raises(NotFound):
            service.bypass(work, view.row.public_id)


@pytest.mark.parametrize(
    ("decision", "state", "owed"),
    [
        ("uphold", BypassState.UPHELD, CommissionState.DUE),
        ("dismiss", BypassState.DISMISSED, CommissionState.VOID),
    ],
)
def test_a_flag_is_contested_by_a_side_and_decided_by_the_bureau(
    world: Trade, decision: str, state: BypassState, owed: CommissionState
) -> None:
    bypassed(world)
    officer = factories.actor(world.parts, Role.OFFICER)
    with read_for(world.parts, world.buyer) as work:
        public_id = service.bypasses(work)[1][0].row.public_id
    with work_for(world.parts, world.broker) as work, pytest.raises(Forbidden):
        service.contest(work, public_id, ContestIn(reason="不"))
    decided = BypassDecisionIn(decision=decision, note="核对了往来记录。")
    with work_for(world.parts, officer) as work, pytest.raises(Conflict):
        service.decide(work, public_id, decided)
    with work_for(world.parts, world.buyer) as work:
        service.contest(work, public_id, ContestIn(reason="引荐之前已经在谈。"))
    with work_for(world.parts, world.seller) as work, pytest.raises(Conflict):
        service.contest(work, public_id, ContestIn(reason="我们也是。"))
    with work_for(world.parts, officer) as work:
        view = service.decide(work, public_id, decided)
        assert view.row.state == state
    assert settled(world.parts)[0].state == owed
    with world.parts.database.read() as session:
        assert [one for audit in jobs.AUDITS.values() for one in audit(session)] == []


def test_a_hundred_yuan_in_three_by_the_contracts_clause(world: Trade) -> None:
    agencies = [factories.organisation(world.parts, OrganisationKind.AGENCY) for _ in range(3)]
    deal = draft_of(world)
    form = ClauseIn(
        fee_kind=FeeKind.FIXED,
        fee_fixed_fen=100_00,
        brokers=[BrokerWeight(organisation=one.public_id) for one in agencies],
        seen=0,
    )
    with work_for(world.parts, world.seller) as work:
        clauses.write(work, deal.public_id, form)
        with pytest.raises(Conflict):
            clauses.write(work, deal.public_id, form)
    with work_for(world.parts, world.buyer) as work:
        clauses.agree(work, deal.public_id, 1)
    signed(world, deal)
    (row,) = settled(world.parts)
    with read_for(world.parts, world.buyer) as work:
        view = service.commission(work, row.public_id)
    assert [one.amount_fen for one in view.brokers] == [33_34, 33_33, 33_33]
    assert [one.amount_fen for one in view.payers] == [50_00, 50_00]


def test_a_clause_that_one_side_has_not_agreed_to_owes_nothing(world: Trade) -> None:
    deal = draft_of(world)
    form = ClauseIn(
        fee_kind=FeeKind.FIXED,
        fee_fixed_fen=100_00,
        brokers=[BrokerWeight(organisation=world.agency.public_id)],
        seen=0,
    )
    with work_for(world.parts, world.seller) as work:
        clauses.write(work, deal.public_id, form)
    signed(world, deal)
    assert settled(world.parts) == []


def test_the_leading_broker_divides_and_settles(world: Trade) -> None:
    row = bypassed(world, fee_kind=FeeKind.FIXED, fee_rate_bp=None, fee_fixed_fen=100_00)
    others = [factories.organisation(world.parts, OrganisationKind.AGENCY) for _ in range(2)]
    chosen = [BrokerWeight(organisation=one.public_id) for one in (world.agency, *others)]
    with work_for(world.parts, world.broker) as work:
        view = service.share(work, row.public_id, SharesIn(brokers=chosen))
        assert [one.amount_fen for one in view.brokers] == [33_34, 33_33, 33_33]
        with pytest.raises(Invalid):
            service.settle(work, row.public_id, SettleIn(amount_fen=5))
    with work_for(world.parts, world.broker) as work:
        assert service.settle(work, row.public_id, SettleIn()).row.state == "paid"
    with work_for(world.parts, world.broker) as work, pytest.raises(Conflict):
        service.share(work, row.public_id, SharesIn(brokers=chosen[:1]))


def test_a_fee_without_a_figure_is_settled_at_what_was_agreed(world: Trade) -> None:
    row = bypassed(world, fee_kind=FeeKind.NONE, fee_rate_bp=None, fee_payer=Payer.BOTH)
    assert row.amount_fen is None
    with work_for(world.parts, world.broker) as work:
        view = service.settle(work, row.public_id, SettleIn(amount_fen=100_01))
    assert [one.amount_fen for one in view.payers] == [50_01, 50_00]
    assert [one.amount_fen for one in view.brokers] == [100_01]


def test_a_mandate_over_without_success_owes_its_cost_once(world: Trade, clock: FakeClock) -> None:
    granted(world, cost_fen=8_000_00)
    negotiated(world)
    clock.advance(days=400)
    for _ in range(2):
        with world.parts.database.write() as session:
            tasks.nightly(session, at=clock.now())
        (row,) = settled(world.parts)
        assert (row.ground, row.amount_fen) == (Ground.COST, 8_000_00)
        clock.advance(days=1)


def test_a_fee_says_what_its_kind_needs(world: Trade) -> None:
    for fee in (
        {"fee_kind": FeeKind.RATE, "fee_rate_bp": None},
        {"fee_kind": FeeKind.FIXED, "fee_rate_bp": None},
        {"fee_kind": FeeKind.NONE, "fee_rate_bp": 300},
    ):
        with pytest.raises(Invalid):
            granted(world, **fee)


def nightly(world: Trade, clock: FakeClock) -> list[tuple[str, str]]:
    """Run the night's job; return (ground, state) of all that was worked out."""
    with world.parts.database.write() as session:
        tasks.nightly(session, at=clock.now())
    return [(row.ground, row.state) for row in settled(world.parts)]


def test_a_cost_waits_while_what_was_introduced_is_negotiated(
    world: Trade, clock: FakeClock
) -> None:
    """What the mandate's own introduction led to may still be signed after its term."""
    granted(world, cost_fen=8_000_00)
    introduced(world, (world.seller, "accept"), (world.buyer, "accept"))
    deal = draft_of(world)
    clock.advance(days=400)
    assert nightly(world, clock) == []
    signed(world, deal)
    assert nightly(world, clock) == [("success", "due")]
    clock.advance(days=1)
    assert nightly(world, clock) == [("success", "due")]


def test_a_cost_is_owed_once_what_was_introduced_is_lost(world: Trade, clock: FakeClock) -> None:
    granted(world, cost_fen=8_000_00)
    introduced(world, (world.seller, "accept"), (world.buyer, "accept"))
    deal = draft_of(world)
    clock.advance(days=400)
    assert nightly(world, clock) == []
    with work_for(world.parts, world.seller) as work:
        deals.lose(work, deal.public_id, LoseIn(reason="price"))
    clock.advance(days=1)
    assert nightly(world, clock) == [("cost", "due")]


def late_success(world: Trade, clock: FakeClock, *, paid: bool) -> Commission:
    """Return the fee of a contract signed around an introduction after the mandate was over and
    its cost was due; `paid` before the signature.
    """
    granted(world, cost_fen=8_000_00)
    introduced(world, (world.buyer, "decline"))
    with work_for(world.parts, world.seller) as work:
        _, (mandate,) = mandates.mandates_of_actor(work)
        mandates.end(work, mandate.public_id)
    clock.advance(days=20)
    assert nightly(world, clock) == [("cost", "due")]
    if paid:
        (cost,) = settled(world.parts)
        with work_for(world.parts, world.broker) as work:
            service.settle(work, cost.public_id, SettleIn())
    signed(world)
    return settled(world.parts)[1]


def test_a_cost_not_paid_is_void_once_the_fee_is_earned(world: Trade, clock: FakeClock) -> None:
    late_success(world, clock, paid=False)
    assert nightly(world, clock) == [("cost", "void"), ("bypass", "due")]


def test_a_cost_paid_before_counts_towards_the_fee(world: Trade, clock: FakeClock) -> None:
    """费用已付后促成."""
    fee = late_success(world, clock, paid=True)
    assert nightly(world, clock) == [("cost", "paid"), ("bypass", "due")]
    with read_for(world.parts, world.broker) as work:
        assert service.commission(work, fee.public_id).credited_fen == 8_000_00


@pytest.mark.parametrize("paid", [True, False])
def test_a_fee_dismissed_leaves_the_cost_as_it_was(
    world: Trade, clock: FakeClock, *, paid: bool
) -> None:
    late_success(world, clock, paid=paid)
    with work_for(world.parts, world.buyer) as work:
        public_id = service.bypasses(work)[1][0].row.public_id
        service.contest(work, public_id, ContestIn(reason="引荐之前已经在谈。"))
    with work_for(world.parts, factories.actor(world.parts, Role.OFFICER)) as work:
        service.decide(work, public_id, BypassDecisionIn(decision="dismiss", note="核对过。"))
    clock.advance(days=1)
    state = "paid" if paid else "due"
    assert nightly(world, clock) == [("cost", state), ("bypass", "void")]
    assert settled(world.parts)[0].credited_to_id is None


def by_clause(world: Trade, *weights: int) -> Deal:
    """Return a deal whose draft has an agreed clause without a figure, the world's agency first."""
    further = [factories.organisation(world.parts, OrganisationKind.AGENCY) for _ in weights[1:]]
    named = zip((world.agency, *further), weights, strict=True)
    form = ClauseIn(
        fee_kind=FeeKind.NONE,
        brokers=[BrokerWeight(organisation=one.public_id, weight=weight) for one, weight in named],
        seen=0,
    )
    deal = draft_of(world)
    with work_for(world.parts, world.seller) as work:
        clauses.write(work, deal.public_id, form)
    with work_for(world.parts, world.buyer) as work:
        clauses.agree(work, deal.public_id, 1)
    return deal


def test_a_clause_without_a_figure_divides_by_its_weights(world: Trade) -> None:
    signed(world, by_clause(world, 7, 3))
    (row,) = settled(world.parts)
    with work_for(world.parts, world.broker) as work:
        view = service.settle(work, row.public_id, SettleIn(amount_fen=100_00))
    assert [one.amount_fen for one in view.brokers] == [70_00, 30_00]


def test_a_redraft_keeps_the_clause_and_both_agree_to_it_again(world: Trade) -> None:
    deal = by_clause(world, 7, 3)
    drafted(world, deal)
    with read_for(world.parts, world.seller) as work:
        row = clauses.clause(work, deal.public_id)
        assert row is not None
        assert [one["weight"] for one in row.brokers] == [7, 3]
        assert (row.version, row.seller_agreed, row.buyer_agreed) == (1, 0, 0)
    for actor in (world.seller, world.buyer):
        with work_for(world.parts, actor) as work:
            row = clauses.agree(work, deal.public_id, 1)
    assert row.seller_agreed == row.buyer_agreed == 1
    signed(world, deal)
    (found,) = settled(world.parts)
    assert found.ground == Ground.CLAUSE


def test_a_clause_not_agreed_to_again_owes_nothing_of_a_redraft(world: Trade) -> None:
    deal = by_clause(world, 1)
    drafted(world, deal)
    signed(world, deal)
    assert settled(world.parts) == []


def test_a_fee_by_clause_leaves_no_cost(world: Trade, clock: FakeClock) -> None:
    """Each mandate of the broker that the clause names has had its success."""
    granted(world, cost_fen=8_000_00)
    introduced(world, (world.seller, "accept"), (world.buyer, "accept"))
    deal = by_clause(world, 1)
    clock.advance(days=400)
    signed(world, deal)
    assert nightly(world, clock) == [("clause", "due")]


def test_a_division_saved_meanwhile_counts_when_the_sum_comes(world: Trade) -> None:
    """The sum is divided by what stands once its row is held, not by what was read before."""
    row = bypassed(world, fee_kind=FeeKind.NONE, fee_rate_bp=None)
    other = factories.organisation(world.parts, OrganisationKind.AGENCY)
    shares = SharesIn(
        brokers=[
            BrokerWeight(organisation=world.agency.public_id, weight=7),
            BrokerWeight(organisation=other.public_id, weight=3),
        ]
    )

    def settle() -> None:
        with work_for(world.parts, world.broker) as work:
            service.settle(work, row.public_id, SettleIn(amount_fen=100_00))

    with ThreadPoolExecutor(1) as pool:
        with work_for(world.parts, world.broker) as work:
            service.share(work, row.public_id, shares)
            settling = pool.submit(settle)
            with pytest.raises(TimeoutError):
                settling.result(timeout=1)
        settling.result(timeout=30)
    with read_for(world.parts, world.broker) as work:
        view = service.commission(work, row.public_id)
    assert [one.amount_fen for one in view.brokers] == [70_00, 30_00]


def another_broker(world: Trade) -> Actor:
    agency = factories.organisation(world.parts, OrganisationKind.AGENCY)
    return factories.actor(world.parts, Role.MANAGER, agency)


def drafted_after_terms(world: Trade, deal: Deal) -> None:
    with work_for(world.parts, world.seller) as work:
        deals.propose(work, deal.public_id, terms())
    with work_for(world.parts, world.buyer) as work:
        deals.confirm(work, deal.public_id, ConfirmIn(version=1))
    drafted(world, deal)


def dismissed(world: Trade) -> None:
    """Let the buyer contest the newest flag and the bureau dismiss it."""
    with work_for(world.parts, world.buyer) as work:
        public_id = service.bypasses(work)[1][0].row.public_id
        service.contest(work, public_id, ContestIn(reason="由另一家机构促成。"))
    with work_for(world.parts, factories.actor(world.parts, Role.OFFICER)) as work:
        service.decide(work, public_id, BypassDecisionIn(decision="dismiss", note="核对过。"))


def clean(world: Trade) -> None:
    with world.parts.database.read() as session:
        assert [one for audit in jobs.AUDITS.values() for one in audit(session)] == []


def test_who_led_to_the_contract_goes_before_who_was_declined(
    world: Trade, clock: FakeClock
) -> None:
    second = another_broker(world)
    granted(world)
    granted(world, second)
    introduced(world, (world.buyer, "decline"))
    clock.advance(days=3)
    both = ((world.seller, "accept"), (world.buyer, "accept"))
    row = introduced(world, *both, broker=second)
    with read_for(world.parts, world.seller) as work:
        deal = deals.deal_of(work, row.deal_id)
    drafted_after_terms(world, deal)
    signed(world, deal)
    found = settled(world.parts)
    assert [(one.ground, one.amount_fen, one.state) for one in found] == [
        ("success", 5_580_000, "due"),
        ("overtaken", 0, "void"),
    ]
    with read_for(world.parts, second) as work:
        assert service.commissions(work)[0] == 1
        assert service.bypasses(work)[0] == 0


def test_who_came_after_a_dismissed_flag_is_judged_again(world: Trade, clock: FakeClock) -> None:
    """Once: the flag of the second can be dismissed in its turn, and then nobody is owed."""
    second = another_broker(world)
    granted(world)
    granted(world, second, cost_fen=8_000_00)
    introduced(world, (world.buyer, "decline"))
    clock.advance(days=1)
    introduced(world, (world.buyer, "decline"), broker=second)
    signed(world)
    assert [one.ground for one in settled(world.parts)] == ["bypass", "overtaken"]
    dismissed(world)
    found = settled(world.parts)
    assert [(one.ground, one.amount_fen, one.state) for one in found] == [
        ("bypass", 5_580_000, "void"),
        ("bypass", 5_580_000, "due"),
    ]
    with read_for(world.parts, second) as work:
        (view,) = service.commissions(work)[1]
        assert view.bypass is not None
        assert [one.organisation.id for one in view.payers] == [world.university.id]
    with world.parts.database.write() as session:  # the signature's job, once more
        working.contract_signed(session, found[0].contract_id, clock.now())
    clean(world)
    dismissed(world)
    assert [one.state for one in settled(world.parts)] == ["void", "void"]
    clean(world)


def test_what_was_paid_before_its_flag_was_dismissed_stays(world: Trade, clock: FakeClock) -> None:
    second = another_broker(world)
    granted(world)
    granted(world, second)
    introduced(world, (world.buyer, "decline"))
    clock.advance(days=1)
    introduced(world, (world.buyer, "decline"), broker=second)
    signed(world)
    with work_for(world.parts, world.broker) as work:
        service.settle(work, settled(world.parts)[0].public_id, SettleIn())
    dismissed(world)
    assert [one.state for one in settled(world.parts)] == ["paid", "void"]


@pytest.mark.parametrize("joined", [True, False])
def test_a_buyer_that_joins_anothers_contract_is_flagged(world: Trade, *, joined: bool) -> None:
    """The two that were introduced are accused, whoever leads the side."""
    granted(world, fee_payer=Payer.BOTH)
    introduced(world, (world.buyer, "decline"))
    company = factories.organisation(world.parts, OrganisationKind.COMPANY)
    leading = factories.actor(world.parts, Role.MANAGER, company)
    other = replace(world, buyer=leading, demand=None)
    deal = negotiated(other)
    if joined:
        named = organisation(world.parts, world.buyer).public_id
        with work_for(world.parts, leading) as work:
            negotiation.add_party(work, deal.public_id, PartyIn(organisation=named, share=None))
    drafted_after_terms(other, deal)
    signed(other, deal)
    found = settled(world.parts)
    assert [one.ground for one in found] == (["bypass"] if joined else [])
    with read_for(world.parts, leading) as work:
        assert service.bypasses(work)[0] == 0
    with read_for(world.parts, world.buyer) as work:
        total, views = service.bypasses(work)
        assert total == len(found)
        if joined:
            assert views[0].row.buyer_id == world.buyer.organisation_id
            assert service.commissions(work)[0] == 1
    clean(world)


def test_a_mandate_that_is_settled_is_looked_at_no_more(world: Trade, clock: FakeClock) -> None:
    def overdue() -> int:
        with world.parts.database.read() as session:
            return len(working.overdue_mandates(session, MandateId(0), clock.now(), 100))

    second = another_broker(world)
    granted(world, cost_fen=8_000_00)
    granted(world, second, cost_fen=7_000_00)
    introduced(world, (world.seller, "accept"), (world.buyer, "accept"))
    signed(world)
    assert [one.ground for one in settled(world.parts)] == ["success"]
    assert overdue() == 0  # none is over
    clock.advance(days=400)
    assert overdue() == 1  # the first has earned its fee
    assert nightly(world, clock) == [("success", "due"), ("cost", "due")]
    assert overdue() == 0


def test_lists_ask_no_more_for_more_rows(world: Trade) -> None:
    """The statements of a list do not grow with its rows."""
    bypassed(world)

    def asked() -> list[int]:
        found = []
        for call in (service.bypasses, service.commissions):
            with read_for(world.parts, world.broker) as work, counted(world.parts) as statements:
                assert call(work)[0]
            found.append(len(statements))
        return found

    one = asked()
    copied(world.parts, 5)
    assert asked() == one
    with read_for(world.parts, world.broker) as work:
        assert (service.bypasses(work)[0], service.commissions(work)[0]) == (6, 6)


@contextmanager
def counted(parts: Parts) -> Iterator[list[str]]:
    """Collect the statements that are sent meanwhile."""
    found: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        found.append(statement)

    engines = {parts.database.reader, parts.database.writer}
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield found
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def copied(parts: Parts, times: int) -> None:
    """Copy the first commission with its parts and its flag."""
    with parts.database.write() as session:
        fee, flag = session.exec(select(Commission)).one(), session.exec(select(Bypass)).one()
        shares = session.exec(select(CommissionPart)).all()
        for n in range(times):
            new = {"id", "public_id", "commission_id"}
            row = Commission(
                **fee.model_dump(exclude=new | {"key"}), public_id=new_public_id(), key=str(n)
            )
            session.add(row)
            session.flush()
            given = {"commission_id": row.id}
            session.add_all(
                CommissionPart(**one.model_dump(exclude=new), **given) for one in shares
            )
            session.add(Bypass(**flag.model_dump(exclude=new), **given, public_id=new_public_id()))
