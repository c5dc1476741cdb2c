"""The board with history: years before the plan, suppression, and figures kept for a state."""

import threading
from datetime import date

import pytest

from market.accounts.policy import Role
from market.accounts.work import ANONYMOUS, Actor, Parts, Work
from market.deals.vocabulary import ContractType
from market.insight import repository, service
from market.insight.service import Chosen
from market.insight.views import Board
from market.kit.ids import PublicId
from market.registry import past
from market.registry.schemas import TakeOutIn
from market.rules import service as rules
from market.rules.schemas import PlanIn
from tests import factories
from tests.support import history, papers
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")
WAN, YI = papers.WAN, 10_000 * papers.WAN


@pytest.fixture
def officer(parts: Parts) -> Actor:
    return factories.actor(parts, Role.OFFICER)


@pytest.fixture(autouse=True)
def plan(parts: Parts, officer: Actor) -> str:
    with work_for(parts, officer) as work:
        return rules.put_plan(
            work,
            PlanIn(
                name="示范区2026–2030",
                region="500106",
                from_on=date(2026, 3, 1),
                to_on=date(2030, 12, 31),
                baseline_fen=2 * YI,
                baseline_year=2020,
                target_fen=40 * YI,
            ),
        ).public_id


def shown(parts: Parts, actor: Actor = ANONYMOUS) -> Board:
    with read_for(parts, actor) as work:
        found = service.board(work)
    assert found is not None
    return found


def some(parts: Parts, officer: Actor, number: int, day: str, **more: object) -> list:
    rows = [history.row(registered_on=day, signed_on=day, **more) for _ in range(number)]
    return history.bring_in(parts, officer, rows)


def test_years_before_the_plan_stand_apart(parts: Parts, officer: Actor) -> None:
    some(parts, officer, 5, "2020-07-01")
    some(parts, officer, 6, "2026-02-28")
    some(parts, officer, 7, "2026-03-01")
    some(parts, officer, 5, "2020-07-01", seller_region="500112")  # sold elsewhere
    for board in (shown(parts, officer), shown(parts)):
        assert [(one.key, one.count, one.technical_fen) for one in board.earlier] == [
            ("2020", 5, 500 * WAN),
            ("2026", 6, 600 * WAN),
        ]
        assert (board.outgoing.count, board.outgoing.technical_fen) == (7, 700 * WAN)
        assert [one.technical_fen for one in board.years] == [700 * WAN]
        assert board.points[-1][1] == 700 * WAN
    with read_for(parts, officer) as work:
        for year, figure in (("2020", 500 * WAN), ("2026", 600 * WAN)):
            lines = service.contracts(work, Chosen("earlier", year=int(year)))
            assert lines.sum.technical_fen == figure


def test_history_is_confidential_until_a_row_says_otherwise(parts: Parts, officer: Actor) -> None:
    history.bring_in(parts, officer, [history.row(), history.row(public="是", seller="示范大学")])
    with read_for(parts, ANONYMOUS) as work:
        rows, total = service.registered_contracts(work)
    assert total == 2
    agreed, closed = rows
    assert (agreed.seller_name, agreed.technical_fen) == ("示范大学", 100 * WAN)
    assert (closed.month, closed.contract_type, closed.field) == ("2023-06", ContractType.DEV, 3)
    assert {closed.project_name, closed.seller_name, closed.buyer_name, closed.total_fen} == {None}


def test_few_contracts_of_history_are_left_out_for_the_public(parts: Parts, officer: Actor) -> None:
    some(parts, officer, 4, "2019-05-01")
    some(parts, officer, 5, "2020-05-01", public="是")
    board = shown(parts)
    assert [(one.key, one.technical_fen) for one in board.earlier] == [
        ("2019", None),
        ("2020", 500 * WAN),
    ]
    assert not board.outgoing.count
    pair = papers.sides(parts)
    for _ in range(3):
        papers.registered(parts, pair)
    some(parts, officer, 1, "2026-10-10")
    assert not shown(parts).outgoing.shown  # four, whichever way they came in
    some(parts, officer, 1, "2026-10-10")
    assert shown(parts).outgoing.technical_fen == 500 * WAN


def test_what_is_taken_out_is_no_longer_among_the_publics(parts: Parts, officer: Actor) -> None:
    outcomes = some(parts, officer, 5, "2026-10-10")
    assert shown(parts).outgoing.count == 5
    with work_for(parts, officer) as work:
        form = TakeOutIn(cause="cancelled", reason="登记机构注销")
        past.take_out(work, PublicId(history.public_id(parts, outcomes[0])), form)
    assert not shown(parts).outgoing.shown
    assert shown(parts, officer).outgoing.technical_fen == 400 * WAN


def test_kept_figures_follow_every_change_at_once(
    parts: Parts, officer: Actor, plan: str, clock: FakeClock
) -> None:
    some(parts, officer, 6, "2026-10-10")
    first = shown(parts)
    assert shown(parts).outgoing == first.outgoing
    pair = papers.sides(parts)
    filed = papers.registered(parts, pair, technical=7 * WAN, total=7 * WAN)
    assert shown(parts).outgoing.technical_fen == 607 * WAN
    with parts.database.read() as session:
        before = repository.disclosures(session)
    assert not before
    clock.set_local("2027-01-05 09:00")
    assert shown(parts).as_of == date(2027, 1, 5)
    with work_for(parts, officer) as work:
        rules.put_plan(
            work,
            PlanIn(
                name="新的计划",
                region="500106",
                from_on=date(2026, 11, 1),
                to_on=date(2030, 12, 31),
                baseline_fen=2 * YI,
                baseline_year=2020,
                target_fen=80 * YI,
                replaces=plan,
            ),
        )
    board = shown(parts)
    assert board.plan.name == "新的计划"
    assert not board.outgoing.shown  # one contract since November
    assert filed.row.number


def test_readers_at_once_see_the_state_they_read(parts: Parts, officer: Actor) -> None:
    """Writers post one after another; every figure is one that the book has had, never older than
    what had been committed when the reader began.
    """
    some(parts, officer, 5, "2026-10-10")
    committed = [5]
    wrong: list[tuple[int, int, int]] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            least = committed[0]
            count = shown(parts).outgoing.count or 0
            if not least <= count <= committed[0] + 1:
                wrong.append((least, count, committed[0]))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for thread in readers:
        thread.start()
    for n in range(6, 26):
        some(parts, officer, 1, "2026-10-10")
        committed[0] = n
    stop.set()
    for thread in readers:
        thread.join()
    assert wrong == []
    assert shown(parts).outgoing.count == 25


def test_a_writing_transaction_keeps_nothing(parts: Parts, officer: Actor) -> None:
    some(parts, officer, 5, "2026-10-10")
    with parts.database.write() as session:
        rows = history.given([history.row(registered_on="2026-10-11")])
        history.TARGET.bring_in(session, history.context(parts, officer, 3), rows)
        found = service.board(Work(session, parts, ANONYMOUS, parts.clock.now()))
        assert found is not None
        assert found.outgoing.count == 6
        session.rollback()
    assert shown(parts).outgoing.count == 5
