"""What stands beside the exact board: what agencies brought about, and the deals as they went."""

from dataclasses import dataclass, replace
from datetime import date

import pytest

from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Parts
from market.brokerage.models import Commission, CommissionPart, PartRole
from market.brokerage.rule import Ground
from market.catalog.schemas import AchievementIn
from market.deals import contracts, service
from market.deals import repository_contracts as drafts
from market.deals.models import Deal
from market.deals.schemas import LoseIn, NoteIn, SignIn, TermsIn
from market.deals.vocabulary import Audience, ContractType, LostReason
from market.insight import bureau
from market.insight import service as insight
from market.insight.annual import annual_report
from market.insight.forecast import Course
from market.insight.pipeline import courses
from market.insight.reports import agencies, breakdowns
from market.insight.service import Chosen
from market.kit.errors import NotFound
from market.kit.ids import new_public_id
from market.ledger.schemas import Slice
from market.registry import service as registry
from market.registry.repository import Filed
from market.registry.schemas import CancelIn, ChangeIn, DecideIn, UndoIn
from market.rules import service as rules
from market.rules.models import Plan
from market.rules.schemas import PlanIn
from tests import factories
from tests.market.brokerage.test_brokerage import counted
from tests.support import papers
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.trade import WAN, Trade, agreed, drafted, negotiated, published, terms, trade

pytestmark = pytest.mark.usefixtures("both_databases")
HERE = "500106"
DRAFTED = 156 * WAN
"""技术交易额 of the contract that `drafted` writes."""


def brought(parts: Parts, agency: Organisation, filed: Filed) -> None:
    """Record that an agency brought a contract about."""
    with parts.database.write() as session:
        owed = Commission(
            public_id=new_public_id(),
            key=f"contract:{filed.contract.id}",
            ground=Ground.SUCCESS,
            contract_id=filed.contract.id,
            amount_fen=100,
            created_at=parts.clock.now(),
        )
        session.add(owed)
        session.flush()
        session.add(
            CommissionPart(
                commission_id=owed.id,
                role=PartRole.BROKER,
                organisation_id=agency.id,
                amount_fen=100,
            )
        )


def agency_rows(parts: Parts, pair: papers.Sides) -> list[tuple[str, int, int]]:
    with read_for(parts, pair.officer) as work:
        tables = {one.key: one.rows for one in breakdowns(work, Slice(seller_region=HERE))}
    return [(row.label, row.count or 0, row.technical_fen or 0) for row in tables["agency"]]


def test_an_agency_keeps_to_its_contract_when_another_takes_up_the_number(parts: Parts) -> None:
    pair = papers.sides(parts)
    agency = factories.organisation(parts, OrganisationKind.AGENCY)
    first = papers.registered(parts, pair)
    brought(parts, agency, first)
    assert agency_rows(parts, pair) == [(agency.name, 1, 100 * WAN)]
    with work_for(parts, pair.officer) as work:
        registry.undo(work, first.row.public_id, UndoIn(reason="抄错了"))
    second = papers.submitted(parts, pair)
    papers.decided(parts, pair, second, number=first.row.number, supersedes=first.row.public_id)
    assert agency_rows(parts, pair) == []
    with read_for(parts, pair.officer) as work:
        behind = insight.contracts(work, Chosen(agency=agency.public_id))
    assert [row.origin.id for row in behind.rows] == [first.row.public_id] * 2
    assert (behind.sum.count, behind.sum.technical_fen) == (0, 0)


def test_a_party_is_not_told_who_brought_its_own_contract_about(parts: Parts) -> None:
    pair = papers.sides(parts)
    agency, other = (factories.organisation(parts, OrganisationKind.AGENCY) for _ in range(2))
    brought(parts, agency, papers.registered(parts, pair))
    for one in (agency, other):
        with read_for(parts, pair.buyer_actor) as work, pytest.raises(NotFound):
            insight.contracts(work, Chosen(agency=one.public_id))


def test_an_agency_follows_the_changes_of_its_contract(parts: Parts) -> None:
    pair = papers.sides(parts)
    agency = factories.organisation(parts, OrganisationKind.AGENCY)
    filed = papers.registered(parts, pair)
    brought(parts, agency, filed)
    with work_for(parts, pair.officer) as work:
        form = ChangeIn(total_fen=60 * WAN, technical_fen=50 * WAN, reason="调减")
        registry.change(work, filed.row.public_id, form)
    assert agency_rows(parts, pair) == [(agency.name, 1, 50 * WAN)]


def lose(world: Trade, deal: Deal) -> None:
    with work_for(world.parts, world.seller) as work:
        service.lose(work, deal.public_id, LoseIn(reason=LostReason.PRICE))


def test_a_lost_deal_stays_in_the_year_in_which_it_was_lost(parts: Parts, clock: FakeClock) -> None:
    world = trade(parts, state_founded=False)
    clock.set_local("2026-11-20 09:00")
    deal = negotiated(world)
    lose(world, deal)
    clock.set_local("2027-01-10 09:00")
    with work_for(parts, world.buyer) as work:
        service.note(work, deal.public_id, NoteIn(text="备注", audience=Audience.ALL))
    with read_for(parts, world.seller) as work:
        counts = [annual_report(work, year).fact("lost.count").value for year in (2026, 2027)]
    assert counts == [1, 0]


@dataclass(frozen=True)
class Region:
    """A plan's region with one trading pair in it."""

    world: Trade
    pair: papers.Sides
    plan: Plan


@pytest.fixture
def region(parts: Parts, clock: FakeClock) -> Region:
    clock.set_local("2026-11-02 09:00")
    world = trade(parts, state_founded=False)
    officer = factories.actor(parts, Role.OFFICER)
    pair = papers.Sides(world.university, world.company, world.seller, world.buyer, officer)
    form = PlanIn(
        name="示范区2026–2030",
        region=world.university.region,
        from_on=date(2026, 1, 1),
        to_on=date(2030, 12, 31),
        baseline_fen=WAN,
        baseline_year=2020,
        target_fen=1000 * WAN,
    )
    with work_for(parts, officer) as work:
        rules.put_plan(work, form)
    with read_for(parts, officer) as work:
        plan = rules.current_plan(work.session)
    assert plan is not None
    return Region(world, pair, plan)


def known(region: Region) -> list[Course]:
    with read_for(region.world.parts, region.pair.officer) as work:
        return courses(work, region.plan.region)


def sign(world: Trade, deal: Deal) -> None:
    with work_for(world.parts, world.seller) as work:
        paper = drafts.live_contracts(work.session, [deal.id])[deal.id]
        contracts.sign(
            work, deal.public_id, SignIn(contract=paper.public_id, differences_known=True)
        )
    with work_for(world.parts, world.buyer) as work:
        contracts.sign(
            work, deal.public_id, SignIn(contract=paper.public_id, differences_known=True)
        )


def register(region: Region, clock: FakeClock, technical: int = DRAFTED) -> Filed:
    """Let a deal go all the way: agreed on the 2nd, signed on the 5th, registered on the 9th."""
    world, parts = region.world, region.world.parts
    deal = agreed(world)
    clock.set_local("2026-11-05 09:00")
    drafted(world, deal, ContractType.DEV)
    sign(world, deal)
    clock.set_local("2026-11-09 09:00")
    with read_for(parts, world.seller) as work:
        paper = drafts.live_contracts(work.session, [deal.id])[deal.id]
    return papers.decided(
        parts,
        region.pair,
        papers.submitted(parts, region.pair, paper),
        decided_on=date(2026, 11, 9),
        technical_fen=technical,
        **({} if technical == DRAFTED else {"difference_reason": "核减"}),
    )


def test_an_open_deal_is_worth_what_was_named_last(region: Region, clock: FakeClock) -> None:
    world = region.world
    deal = negotiated(world)
    (course,) = known(region)
    assert [(step.stage, step.on) for step in course.steps] == [("contact", date(2026, 11, 2))]
    assert (course.ended_on, course.won, course.amount_fen) == (None, False, None)
    clock.set_local("2026-11-05 09:00")
    with work_for(world.parts, world.seller) as work:
        service.propose(work, deal.public_id, terms(amount=90 * WAN))
        second: TermsIn = terms(seen=1, amount=70 * WAN)
        service.propose(work, deal.public_id, second)
    (course,) = known(region)
    assert (course.ended_on, course.won, course.amount_fen) == (None, False, 70 * WAN)


def test_a_draft_is_worth_its_technical_part(region: Region) -> None:
    deal = agreed(region.world)
    drafted(region.world, deal, ContractType.DEV)
    assert [one.amount_fen for one in known(region)] == [DRAFTED]


def test_a_lost_deal_ended_on_the_day_it_was_lost(region: Region, clock: FakeClock) -> None:
    deal = agreed(region.world)
    clock.set_local("2026-11-20 00:30")  # still the 19th in UTC
    lose(region.world, deal)
    (course,) = known(region)
    assert (course.ended_on, course.won) == (date(2026, 11, 20), False)
    assert course.amount_fen == 150 * WAN
    assert [step.stage for step in course.steps][-1] == "agreed"


def test_won_is_what_was_registered_at_what_it_came_to(region: Region, clock: FakeClock) -> None:
    filed = register(region, clock, technical=100 * WAN)
    (course,) = known(region)
    assert [(step.stage, step.on.day) for step in course.steps][-1] == ("signed", 5)
    assert (course.won, course.ended_on) == (True, date(2026, 11, 9))
    assert (course.amount_fen, course.final_fen) == (DRAFTED, 100 * WAN)
    with work_for(region.world.parts, region.pair.officer) as work:
        form = CancelIn(cause="rescinded", reason="双方解除")
        registry.cancel(work, filed.row.public_id, form)
    assert known(region) == [course]  # it was won, whatever became of it


def test_an_undone_registration_is_won_no_more(region: Region, clock: FakeClock) -> None:
    filed = register(region, clock)
    with work_for(region.world.parts, region.pair.officer) as work:
        registry.undo(work, filed.row.public_id, UndoIn(reason="抄错了"))
    (course,) = known(region)
    assert (course.won, course.ended_on, course.final_fen) == (False, None, None)


def test_a_refused_contract_is_given_up_after_some_time(region: Region, clock: FakeClock) -> None:
    world = region.world
    deal = agreed(world)
    drafted(world, deal, ContractType.DEV)
    sign(world, deal)
    with read_for(world.parts, world.seller) as work:
        paper = drafts.live_contracts(work.session, [deal.id])[deal.id]
    filed = papers.submitted(world.parts, region.pair, paper)
    form = DecideIn(decision="not_registered", refusal_reason="subject", note="标的不明确")
    with work_for(world.parts, region.pair.officer) as work:
        registry.decide(work, filed.row.public_id, form)
    clock.advance(days=89)
    assert [one.ended_on for one in known(region)] == [None]
    clock.advance(days=1)
    (course,) = known(region)
    assert (course.won, course.ended_on) == (False, date(2026, 11, 2))


def test_deals_of_another_region_are_not_known(region: Region) -> None:
    negotiated(region.world)
    with read_for(region.world.parts, region.pair.officer) as work:
        assert courses(work, "110000") == []


def test_what_stands_beside_the_board_follows_offers_and_drafts(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The forecast is made anew once a price is named, terms follow or a draft takes them up."""
    world, made = region.world, list[int]()
    forecast_of = bureau.forecast_of

    def counted(*args):
        made.append(1)
        return forecast_of(*args)

    monkeypatch.setattr(bureau, "forecast_of", counted)

    def beside() -> int:
        with read_for(world.parts, region.pair.officer) as work:
            bureau.beside(work, region.plan)
        return len(made)

    deal = agreed(world)
    assert beside() == 1
    assert beside() == 1
    drafted(world, deal, ContractType.DEV)
    assert beside() == 2
    drafted(world, deal, ContractType.DEV)
    assert beside() == 3
    other = negotiated(trade_of(world))
    assert beside() == 4
    with work_for(world.parts, world.seller) as work:
        service.propose(work, other.public_id, terms(amount=90 * WAN))
    assert beside() == 5
    assert beside() == 5


def trade_of(world: Trade) -> Trade:
    """Return the same pair with another achievement to talk of."""
    listing = published(world.parts, world.seller, AchievementIn(title="隧道衬砌空洞雷达识别"))
    return replace(world, achievement=listing)


def test_agencies_are_summed_by_one_statement_however_many(parts: Parts) -> None:
    pair = papers.sides(parts)

    def asked(number: int) -> int:
        for _ in range(number):
            agency = factories.organisation(parts, OrganisationKind.AGENCY)
            brought(parts, agency, papers.registered(parts, pair))
        with parts.database.read() as session, counted(parts) as statements:
            found.append(len(list(agencies(session, Slice()))))
        return len(statements)

    found: list[int] = []
    assert asked(1) == asked(3)
    assert found == [1, 4]
