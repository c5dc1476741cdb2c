"""The days of a 公示 around a holiday, its objections, and the guard that stands in the database."""

from datetime import date

import pytest

from market.accounts.work import ANONYMOUS, Parts
from market.deals import contracts, objections, pricing, service
from market.deals import repository_contracts as papers
from market.deals.models import Deal
from market.deals.schemas import (
    DealtIn,
    ObjectionHandlingIn,
    ObjectionIn,
    PricingIn,
    SignIn,
)
from market.deals.vocabulary import ContractState, PricingPathKind, PricingState
from market.kit.errors import Conflict, Forbidden, MarketError, NotFound
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for
from tests.support.trade import WAN, Trade, agreed, drafted, publicised, trade

WRONG = ObjectionIn(name="示范李乙", contact="13800000009", text="共有人没有同意转让。")


def published(parts: Parts, clock: FakeClock, on: str) -> tuple[Trade, Deal]:
    """Return a drafted deal whose 公示 began on a day."""
    clock.set_local(f"{on} 09:00")
    world = trade(parts)
    deal = agreed(world)
    publicised(world, deal)
    drafted(world, deal)
    return world, deal


def signed(world: Trade, deal: Deal) -> MarketError | None:
    """Let both sides confirm; return what the first was refused with."""
    with read_for(world.parts, world.seller) as work:
        contract = papers.live_contracts(work.session, [deal.id])[deal.id]
    try:
        for actor in (world.seller, world.buyer):
            with work_for(world.parts, actor) as work:
                contracts.sign(
                    work,
                    deal.public_id,
                    SignIn(contract=contract.public_id, differences_known=True),
                )
    except MarketError as error:
        return error
    return None


def state_of(world: Trade, deal: Deal) -> str:
    with read_for(world.parts, world.seller) as work:
        path = papers.live_pricing(work.session, deal.id)
        return path.state if path is not None else "none"


@pytest.mark.parametrize(
    ("began", "refused", "allowed"),
    [
        # Ordinary days: D+15 is a Friday.
        ("2026-11-05", "2026-11-20", "2026-11-21"),
        # D+15 is a Saturday that is no make-up workday: Monday is the last day.
        ("2026-11-06", "2026-11-23", "2026-11-24"),
        # D+15 is the first day of the National Day holiday (1 to 7 October): 8 October is the last.
        ("2026-09-16", "2026-10-08", "2026-10-09"),
        # D+15 is Sunday 20 September, on which the National Day holiday is made up for.
        ("2026-09-05", "2026-09-20", "2026-09-21"),
        # D+15 is Saturday 10 October, a make-up workday as well.
        ("2026-09-25", "2026-10-10", "2026-10-11"),
    ],
)
def test_the_15th_and_the_16th_day_of_publicity_around_a_holiday(
    parts: Parts, clock: FakeClock, began: str, refused: str, allowed: str
) -> None:
    world, deal = published(parts, clock, began)
    clock.set_local(f"{refused} 23:59")
    error = signed(world, deal)
    assert isinstance(error, Conflict)
    assert f"公示到{refused}结束，最早{allowed}可以签约" in error.message
    clock.set_local(f"{allowed} 00:01")
    assert signed(world, deal) is None
    assert state_of(world, deal) == PricingState.CLEARED


def forced(parts: Parts, deal: Deal, *statements: str) -> str:
    """Write to the tables beside the services; return what the database said, "" for nothing."""
    try:
        with parts.database.writer.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement.format(deal=deal.id))
    except Exception as error:  # noqa: BLE001  each driver has its own
        return str(error)
    return ""


SIGN = (
    "UPDATE contract SET state = 'signed', signed_on = '{on}', seller_confirmed_at = created_at,"
    " buyer_confirmed_at = created_at WHERE deal_id = {{deal}} AND state = 'drafted'"
)
CLEAR = "UPDATE pricing_path SET state = 'cleared', cleared_on = '{on}' WHERE deal_id = {{deal}}"


def test_the_database_refuses_what_the_path_does_not_allow(
    parts: Parts, clock: FakeClock, both_databases: str
) -> None:
    """The last day is Thursday 8 October, after the National Day holiday."""
    world, deal = published(parts, clock, "2026-09-16")
    sign = SIGN.format(on="2026-10-09")
    assert "no price was found by law" in forced(parts, deal, sign)
    for on in ("2026-10-01", "2026-10-02", "2026-10-08"):
        assert "has not run out" in forced(parts, deal, CLEAR.format(on=on)), on
    with work_for(parts, ANONYMOUS) as work:
        path = papers.live_pricing(work.session, deal.id)
        assert path is not None
        objections.send(work, path.public_id, WRONG)
    assert "has not run out" in forced(parts, deal, CLEAR.format(on="2026-10-09"))
    with work_for(parts, world.seller) as work:
        (objection,) = objections.of_deal(work, service.find(work, deal.public_id))
        handled = ObjectionHandlingIn(decision="cleared", handling="共有人书面同意在案。")
        objections.handle(work, deal.public_id, objection.public_id, handled)
    early = SIGN.format(on="2026-10-08")
    assert "no price" in forced(parts, deal, CLEAR.format(on="2026-10-09"), early)
    cheap = "UPDATE contract SET total_fen = 1, technical_fen = 1 WHERE deal_id = {deal}"
    assert "no price" in forced(parts, deal, CLEAR.format(on="2026-10-09"), cheap, sign)
    assert forced(parts, deal, CLEAR.format(on="2026-10-09"), sign) == ""
    with read_for(parts, world.seller) as work:
        contract = papers.live_contracts(work.session, [deal.id])[deal.id]
    assert contract.state == ContractState.SIGNED


def test_an_open_objection_stops_the_signature_until_it_is_handled(
    parts: Parts, clock: FakeClock
) -> None:
    world, deal = published(parts, clock, "2026-11-05")
    with read_for(parts, world.seller) as work:
        path = papers.live_pricing(work.session, deal.id)
        assert path is not None
    clock.set_local("2026-11-20 18:00")
    for _ in range(2):
        with work_for(parts, ANONYMOUS) as work:
            objections.send(work, path.public_id, WRONG)
    clock.set_local("2026-11-21 09:00")
    with pytest.raises(Conflict, match="公示已经结束"), work_for(parts, ANONYMOUS) as work:
        objections.send(work, path.public_id, WRONG)
    error = signed(world, deal)
    assert error is not None
    assert "2件异议还没有处理" in error.message
    with read_for(parts, world.buyer) as work:
        assert objections.of_deal(work, service.find(work, deal.public_id)) == ()
        shown = pricing.publicity(work, path.public_id)
        assert (shown.objections, shown.open_objections) == (2, 2)
    with read_for(parts, world.seller) as work:
        first, second = objections.of_deal(work, service.find(work, deal.public_id))
    cleared = ObjectionHandlingIn(decision="cleared", handling="共有人书面同意在案。")
    with pytest.raises(Forbidden), work_for(parts, world.buyer) as work:
        objections.handle(work, deal.public_id, first.public_id, cleared)
    with work_for(parts, world.seller) as work:
        objections.handle(work, deal.public_id, first.public_id, cleared)
    with pytest.raises(Conflict, match="已经处理过"), work_for(parts, world.seller) as work:
        objections.handle(work, deal.public_id, first.public_id, cleared)
    upheld = ObjectionHandlingIn(decision="upheld", handling="共有人确未同意。")
    with work_for(parts, world.seller) as work:
        objections.handle(work, deal.public_id, second.public_id, upheld)
        stopped = pricing.publicity(work, path.public_id)
    assert (stopped.pricing.state, stopped.pricing.stop_reason) == ("stopped", "objection")
    error = signed(world, deal)
    assert error is not None
    assert "没有重新达成一致" in error.message


def test_an_objection_of_another_deal_is_not_there(parts: Parts, clock: FakeClock) -> None:
    world, deal = published(parts, clock, "2026-11-05")
    _, theirs = published(parts, clock, "2026-11-05")
    with work_for(parts, ANONYMOUS) as work:
        path = papers.live_pricing(work.session, theirs.id)
        assert path is not None
        row = objections.send(work, path.public_id, WRONG)
    handled = ObjectionHandlingIn(decision="cleared", handling="不成立。")
    with pytest.raises(NotFound), work_for(parts, world.seller) as work:
        objections.handle(work, deal.public_id, row.public_id, handled)


@pytest.mark.parametrize("path", [PricingPathKind.LISTING, PricingPathKind.AUCTION])
def test_an_exchange_clears_by_its_outcome(
    parts: Parts, clock: FakeClock, path: PricingPathKind
) -> None:
    clock.set_local("2026-11-05 09:00")
    world = trade(parts)
    deal = agreed(world)
    listed = PricingIn.model_validate(
        {
            "path": path,
            "exchange": "示范技术交易市场",
            "exchange_number": "G2026-017",
            "listed_on": "2026-11-05",
            "listed_until": "2026-11-20",
        }
    )
    with work_for(parts, world.seller) as work:
        pricing.choose(work, deal.public_id, listed)
    drafted(world, deal)
    error = signed(world, deal)
    assert error is not None
    assert "还没有成交" in error.message
    clock.set_local("2026-11-21 09:00")
    with work_for(parts, world.seller) as work:
        form = DealtIn(
            dealt_on=date(2026, 11, 20), price_fen=160 * WAN, dealt_number="C-9", bidders=3
        )
        row = pricing.dealt(work, deal.public_id, form)
    assert (row.exchange_number, row.dealt_number, row.bidders) == ("G2026-017", "C-9", 3)
    assert signed(world, deal) is None
