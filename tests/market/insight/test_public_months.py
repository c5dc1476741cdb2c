"""The public's sums tell of closed months, so that watching them singles no contract out."""

from datetime import date

import pytest

from market.accounts.policy import Role
from market.accounts.work import ANONYMOUS, Actor, Parts
from market.deals.vocabulary import ContractType
from market.insight import service
from market.insight.views import Board
from market.ledger.tasks import close
from market.registry import service as registry
from market.registry.schemas import ChangeIn, UndoIn
from market.rules import service as rules
from market.rules.schemas import PlanIn
from tests import factories
from tests.support import papers
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")
WAN = papers.WAN


@pytest.fixture
def pair(parts: Parts, clock: FakeClock) -> papers.Sides:
    clock.set_local("2026-03-10 09:00")
    with work_for(parts, factories.actor(parts, Role.OFFICER)) as work:
        rules.put_plan(
            work,
            PlanIn(
                name="示范区2026–2030",
                region="500106",
                from_on=date(2026, 1, 1),
                to_on=date(2030, 12, 31),
                baseline_fen=WAN,
                baseline_year=2020,
                target_fen=40_000 * WAN,
            ),
        )
    return papers.sides(parts)


def shown(parts: Parts, actor: Actor = ANONYMOUS) -> Board:
    with read_for(parts, actor) as work:
        found = service.board(work)
    assert found is not None
    return found


def told(parts: Parts) -> tuple[date, int | None, int | None]:
    """Return the day the public's board is of, with its contracts and their sum."""
    board = shown(parts)
    assert board.points == () or board.points[-1][0] == board.as_of
    return board.as_of, board.outgoing.count, board.outgoing.technical_fen


def registered(parts: Parts, pair: papers.Sides, number: int, on: date, **contract: object) -> list:
    return [papers.registered(parts, pair, on=on, **contract) for _ in range(number)]


def close_month(parts: Parts, pair: papers.Sides, month: str) -> None:
    with parts.database.write() as session:
        close(session, month, by=pair.officer.person, at=parts.clock.now())


def test_until_a_month_is_closed_the_public_sees_today(parts: Parts, pair: papers.Sides) -> None:
    registered(parts, pair, 6, date(2026, 3, 5))
    assert told(parts) == (date(2026, 3, 10), 6, 600 * WAN)


def test_one_contract_does_not_move_the_publics_total(
    parts: Parts, pair: papers.Sides, clock: FakeClock
) -> None:
    registered(parts, pair, 6, date(2026, 3, 5))
    clock.set_local("2026-04-08 09:00")
    close_month(parts, pair, "2026-03")
    of_march = (date(2026, 3, 31), 6, 600 * WAN)
    assert told(parts) == of_march
    registered(parts, pair, 1, date(2026, 4, 7), technical=77 * WAN)
    assert told(parts) == of_march
    assert shown(parts, pair.officer).outgoing.technical_fen == 677 * WAN
    # Nor does the close of its month, as long as it is one of fewer than five.
    clock.set_local("2026-05-08 09:00")
    close_month(parts, pair, "2026-04")
    assert told(parts) == of_march
    registered(parts, pair, 4, date(2026, 5, 7))
    clock.set_local("2026-06-08 09:00")
    close_month(parts, pair, "2026-05")
    assert told(parts) == (date(2026, 5, 31), 11, 1077 * WAN)
    # A month in which nothing moved but what is public is told of at once.
    registered(parts, pair, 1, date(2026, 6, 7), public=True)
    clock.set_local("2026-07-08 09:00")
    close_month(parts, pair, "2026-06")
    assert told(parts) == (date(2026, 6, 30), 12, 1177 * WAN)


def test_a_change_and_an_undone_one_do_not_move_the_publics_total(
    parts: Parts, pair: papers.Sides, clock: FakeClock
) -> None:
    first, second, *_ = registered(parts, pair, 7, date(2026, 3, 5))
    clock.set_local("2026-04-08 09:00")
    close_month(parts, pair, "2026-03")
    with work_for(parts, pair.officer) as work:
        form = ChangeIn(total_fen=60 * WAN, technical_fen=50 * WAN, reason="调减")
        registry.change(work, first.row.public_id, form)
        registry.undo(work, second.row.public_id, UndoIn(reason="抄错了"))
    assert told(parts) == (date(2026, 3, 31), 7, 700 * WAN)
    clock.set_local("2026-05-08 09:00")
    close_month(parts, pair, "2026-04")
    assert told(parts) == (date(2026, 3, 31), 7, 700 * WAN)
    registered(parts, pair, 5, date(2026, 5, 7))
    clock.set_local("2026-06-08 09:00")
    close_month(parts, pair, "2026-05")
    assert told(parts) == (date(2026, 5, 31), 11, 1050 * WAN)


def test_one_licence_among_many_developments_does_not_move_its_own_figure(
    parts: Parts, pair: papers.Sides, clock: FakeClock
) -> None:
    licence = {"kind": ContractType.LIC, "sub_type": "技术秘密使用许可"}
    registered(parts, pair, 6, date(2026, 3, 5))
    registered(parts, pair, 6, date(2026, 3, 5), **licence)
    clock.set_local("2026-04-08 09:00")
    close_month(parts, pair, "2026-03")
    registered(parts, pair, 5, date(2026, 4, 7))
    registered(parts, pair, 1, date(2026, 4, 7), technical=77 * WAN, **licence)
    clock.set_local("2026-05-08 09:00")
    close_month(parts, pair, "2026-04")
    board = shown(parts)
    assert told(parts) == (date(2026, 4, 30), 18, 1777 * WAN)
    # The developments stay too: the total without them would tell the licence, registered as
    # an assignment under the rules of its day.
    assert {one.key: (one.count, one.technical_fen, one.as_of) for one in board.types} == {
        "DEV": (6, 600 * WAN, date(2026, 3, 31)),
        "TRF": (6, 600 * WAN, date(2026, 3, 31)),
    }
    registered(parts, pair, 4, date(2026, 5, 7), **licence)
    registered(parts, pair, 1, date(2026, 5, 7))
    clock.set_local("2026-06-08 09:00")
    close_month(parts, pair, "2026-05")
    assert {one.key: (one.count, one.as_of) for one in shown(parts).types} == {
        "DEV": (12, None),
        "TRF": (11, None),
    }


def test_the_home_page_tells_of_the_same_day(
    parts: Parts, pair: papers.Sides, clock: FakeClock
) -> None:
    registered(parts, pair, 6, date(2026, 3, 5))
    clock.set_local("2026-04-08 09:00")
    close_month(parts, pair, "2026-03")
    registered(parts, pair, 1, date(2026, 4, 7))
    with read_for(parts, ANONYMOUS) as work:
        found = service.home_figures(work)
    assert found.outgoing is not None
    assert (found.outgoing.count, found.as_of) == (6, date(2026, 3, 31))
