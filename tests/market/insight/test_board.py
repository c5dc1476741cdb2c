"""The board: the ledger's sums, to the fen for the bureau, guarded for the public."""

from datetime import date

import pytest

from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import ANONYMOUS, Parts
from market.deals.vocabulary import ContractType
from market.insight import service
from market.insight.service import Chosen
from market.insight.views import Board
from market.kit.errors import NotFound
from market.kit.ids import PublicId
from market.registry import service as registry
from market.registry.schemas import UndoIn
from market.rules import service as rules
from market.rules.schemas import PlanIn
from tests import factories
from tests.support import papers
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")
WAN, YI = papers.WAN, 100 * 100 * papers.WAN
HERE, THERE = "500106", "500103"


@pytest.fixture
def pair(parts: Parts) -> papers.Sides:
    return papers.sides(parts)


@pytest.fixture(autouse=True)
def plan(parts: Parts) -> None:
    with work_for(parts, factories.actor(parts, Role.OFFICER)) as work:
        rules.put_plan(
            work,
            PlanIn(
                name="示范区2026–2030",
                region=HERE,
                from_on=date(2026, 1, 1),
                to_on=date(2030, 12, 31),
                baseline_fen=2 * YI,
                baseline_year=2020,
                target_fen=40 * YI,
            ),
        )


def shown(parts: Parts, actor=ANONYMOUS) -> Board:
    with read_for(parts, actor) as work:
        found = service.board(work)
    assert found is not None
    return found


def some(parts: Parts, pair: papers.Sides, number: int, **contract: object) -> None:
    for _ in range(number):
        papers.registered(parts, pair, **contract)


def undo(parts: Parts, pair: papers.Sides, filed) -> None:
    with work_for(parts, pair.officer) as work:
        registry.undo(work, filed.row.public_id, UndoIn(reason="金额抄错"))


def test_the_board_rises_by_exactly_the_technical_amount(parts: Parts, pair: papers.Sides) -> None:
    papers.registered(parts, pair)
    before = shown(parts, pair.officer)
    papers.registered(parts, pair, technical=12_345_678_99, total=12_345_679_00)
    after = shown(parts, pair.officer)
    assert after.outgoing.technical_fen - before.outgoing.technical_fen == 12_345_678_99
    assert after.outgoing.total_fen - before.outgoing.total_fen == 12_345_679_00
    assert after.outgoing.count == 2
    assert after.exact


def test_every_table_adds_up_to_the_total(
    parts: Parts, pair: papers.Sides, clock: FakeClock
) -> None:
    clock.set_local("2027-03-10 09:00")
    other = papers.sides(parts)
    papers.registered(parts, pair, on=date(2026, 3, 1))
    papers.registered(parts, pair, on=date(2026, 11, 2), kind=ContractType.LIC, field=5)
    gone = papers.registered(parts, other, on=date(2026, 12, 31), technical=7 * WAN)
    papers.registered(parts, other, on=date(2027, 1, 1), field=11, technical=33 * WAN)
    undo(parts, other, gone)
    papers.registered(parts, pair, on=date(2025, 12, 31))  # before the plan
    board = shown(parts, pair.officer)
    assert (board.outgoing.count, board.outgoing.technical_fen) == (3, 233 * WAN)
    for rows in (board.years, board.months, board.types, board.fields):
        assert sum(row.technical_fen or 0 for row in rows) == 233 * WAN
        assert sum(row.count or 0 for row in rows) == 3
    assert sum(row.figure.technical_fen or 0 for row in board.sellers) == 233 * WAN
    assert [(row.key, row.technical_fen) for row in board.months] == [
        ("2026-03", 100 * WAN),
        ("2026-11", 100 * WAN),
        ("2026-12", 7 * WAN),
        ("2027-01", 33 * WAN),
        ("2027-03", -7 * WAN),  # taken out on the day of the undo
    ]
    assert board.points[-1] == (date(2027, 3, 10), 233 * WAN)


def test_a_figure_is_the_sum_of_the_lines_it_leads_to(parts: Parts, pair: papers.Sides) -> None:
    other = papers.sides(parts)
    some(parts, pair, 2, field=5)
    some(parts, other, 1, kind=ContractType.SRV, on=date(2026, 5, 4))
    undo(parts, pair, papers.registered(parts, pair))
    board = shown(parts, pair.officer)
    seller = board.sellers[0]
    ways = [
        (Chosen("out"), board.outgoing),
        (Chosen("in"), board.incoming),
        (Chosen("out", contract_type="SRV"), board.types[-1]),
        (Chosen("out", field=5), board.fields[0]),
        (Chosen("out", year=2026), board.years[0]),
        (Chosen("out", year=2026, month=5), board.months[0]),
        (Chosen("out", seller=seller.id), seller.figure),
    ]
    with read_for(parts, pair.officer) as work:
        for chosen, figure in ways:
            lines = service.contracts(work, chosen)
            assert lines.sum.technical_fen == figure.technical_fen, chosen
            assert sum(row.moved.technical_fen for row in lines.rows) == figure.technical_fen
        with pytest.raises(NotFound):
            service.contracts(work, Chosen(seller=PublicId("2" * 14)))


def test_outgoing_and_incoming_stand_beside_each_other(parts: Parts) -> None:
    papers.registered(parts, papers.sides(parts, buyer_region=THERE), technical=10 * WAN)
    papers.registered(parts, papers.sides(parts, seller_region=THERE), technical=20 * WAN)
    both = papers.sides(parts)
    papers.registered(parts, both, technical=40 * WAN)
    board = shown(parts, both.officer)
    assert board.outgoing.technical_fen == 50 * WAN
    assert board.incoming.technical_fen == 60 * WAN
    assert board.both.technical_fen == 40 * WAN


def test_a_party_sees_the_lines_of_its_own_contracts(parts: Parts, pair: papers.Sides) -> None:
    papers.registered(parts, pair)
    papers.registered(parts, papers.sides(parts))
    for actor in (pair.seller_actor, pair.buyer_actor):
        with read_for(parts, actor) as work:
            lines = service.contracts(work, Chosen())
        assert [row.transaction.seller_id for row in lines.rows] == [pair.seller.id]
        assert lines.sum.technical_fen == 100 * WAN
    stranger = factories.actor(parts, Role.VIEWER, kind=OrganisationKind.COMPANY)
    with read_for(parts, stranger) as work:
        assert service.contracts(work, Chosen()).number == 0


def test_the_public_sees_no_sum_of_four(parts: Parts, pair: papers.Sides) -> None:
    some(parts, pair, 4)
    board = shown(parts)
    assert (board.exact, board.outgoing.shown, board.pace) == (False, False, None)
    assert board.points == ()
    some(parts, pair, 1)
    board = shown(parts, pair.seller_actor)
    assert (board.outgoing.count, board.outgoing.technical_fen) == (5, 500 * WAN)
    assert board.sellers == ()


def test_the_public_curve_has_no_step_that_the_tables_hide(
    parts: Parts, pair: papers.Sides
) -> None:
    some(parts, pair, 5, on=date(2026, 1, 20))
    some(parts, pair, 2, on=date(2026, 3, 20))
    some(parts, pair, 6, on=date(2026, 5, 20))
    some(parts, pair, 7, on=date(2026, 7, 20))
    board = shown(parts)
    hidden = {row.key for row in board.months if not row.shown}
    assert hidden == {"2026-01", "2026-03"}
    assert board.points == ((date(2026, 11, 2), 2000 * WAN),)


def test_an_undone_contract_is_no_longer_among_the_publics(
    parts: Parts, pair: papers.Sides
) -> None:
    """Three that count and two undone are five registrations, and a sum of three contracts."""
    some(parts, pair, 3, on=date(2026, 10, 9))
    for _ in range(2):
        undo(parts, pair, papers.registered(parts, pair, on=date(2026, 10, 9)))
    assert not shown(parts).outgoing.shown
    with read_for(parts, ANONYMOUS) as work:
        assert len(service.recent_contracts(work, 9)) == 3


def test_names_and_sums_only_where_both_sides_agreed(parts: Parts, pair: papers.Sides) -> None:
    papers.registered(parts, pair, project="不公开的项目")
    papers.registered(parts, pair, project="公开的项目", public=True)
    with read_for(parts, ANONYMOUS) as work:
        rows, total = service.registered_contracts(work)
    assert total == 2
    agreed, closed = rows
    assert (agreed.project_name, agreed.technical_fen) == ("公开的项目", 100 * WAN)
    assert agreed.seller_name == pair.seller.name
    assert (closed.month, closed.contract_type, closed.field) == ("2026-11", "DEV", 3)
    assert {
        closed.project_name,
        closed.seller_name,
        closed.buyer_name,
        closed.technical_fen,
        closed.total_fen,
    } == {None}


def test_the_home_page_tells_the_public_figures(parts: Parts, pair: papers.Sides) -> None:
    some(parts, pair, 5, on=date(2026, 2, 3))
    some(parts, pair, 1)
    with read_for(parts, pair.officer) as work:
        found = service.home_figures(work)
    assert (found.recent_count, found.registered) == (1, 6)
    assert found.outgoing is not None
    assert found.outgoing.technical_fen == 600 * WAN
    assert found.pace is not None
    assert found.pace.share == 600 * WAN / (40 * YI)
