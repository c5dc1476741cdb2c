"""Where a draft leaves what was agreed or publicised: said at the signature, and known."""

from datetime import date
from typing import Any

import pytest

from market.accounts.work import Parts
from market.catalog.vocabulary import Mode
from market.deals import contracts, pricing, service, views
from market.deals.models import Contract, Deal
from market.deals.schemas import ConfirmIn, ContractIn, ContractLineIn, DealtIn, PricingIn, SignIn
from market.deals.vocabulary import (
    ContractState,
    ContractType,
    LineKind,
    PayMethod,
    PricingPathKind,
)
from market.kit.errors import Invalid
from tests.support.market import read_for, work_for
from tests.support.trade import WAN, Trade, negotiated, terms, trade


def agreed(world: Trade) -> Deal:
    """Return a deal agreed on an exclusive licence of five years for 150万元, paid at once."""
    deal = negotiated(world)
    with work_for(world.parts, world.seller) as work:
        service.propose(work, deal.public_id, terms().model_copy(update={"term_months": 60}))
    with work_for(world.parts, world.buyer) as work:
        return service.confirm(work, deal.public_id, ConfirmIn(version=1))


def drafted(world: Trade, deal: Deal, amount: int = 150 * WAN, **changes: Any) -> Contract:
    form = ContractIn(
        type=ContractType.LIC,
        sub_type="专利实施许可",
        project_name="轨道扣件螺栓松动声学检测",
        field=10,
        total_fen=amount,
        lines=[ContractLineIn(name="许可费", kind=LineKind.TECHNICAL, amount_fen=amount)],
        pay_method=PayMethod.LUMP,
        begins_on=date(2026, 11, 28),
        ends_on=date(2031, 11, 27),
    )
    with work_for(world.parts, world.seller) as work:
        return contracts.draft(work, deal.public_id, form.model_copy(update=changes))


def told(world: Trade, deal: Deal) -> list[tuple[str, str, str]]:
    with read_for(world.parts, world.buyer) as work:
        found = views.deal_view(work, deal.public_id).differences
    return [(one.label, one.before, one.after) for one in found]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"ends_on": date(2031, 11, 28)}, []),  # the same day five years on, as some write it
        ({"amount": 160 * WAN}, [("价款", "150万元", "160万元")]),
        (
            {"pay_method": PayMethod.INSTALMENTS},
            [("付款方式", "一次总算一次总付", "一次总算分期支付")],
        ),
        (
            {"type": ContractType.TRF, "sub_type": "专利权"},
            [("许可方式", "排他许可", "技术转让，专利权")],
        ),
        ({"ends_on": date(2029, 11, 27)}, [("期限", "5年", "2026-11-28至2029-11-27")]),
    ],
)
def test_a_draft_is_signed_by_who_knows_what_it_leaves(
    parts: Parts, changes: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    world = trade(parts, state_founded=False)
    deal = agreed(world)
    contract = drafted(world, deal, **changes)
    assert told(world, deal) == expected
    unknowing = SignIn(contract=contract.public_id)
    if expected:
        with pytest.raises(Invalid) as refused, work_for(parts, world.buyer) as work:
            contracts.sign(work, deal.public_id, unknowing)
        assert expected[0][2] in refused.value.fields["differences_known"]
    form = unknowing.model_copy(update={"differences_known": bool(expected)})
    for who in (world.buyer, world.seller):
        with work_for(parts, who) as work:
            row = contracts.sign(work, deal.public_id, form)
    assert row.state == ContractState.SIGNED
    assert told(world, deal) == []
    with read_for(parts, world.buyer) as work:
        view = views.deal_view(work, deal.public_id)
    assert view.beside.offers[0].terms.amount_fen == 150 * WAN, "the agreed terms stay to be read"
    said = " ".join(one.text for one in view.timeline)
    assert ("已知与约定不同" in said) == bool(expected)


def test_above_the_price_that_was_reached_is_allowed_and_said(parts: Parts) -> None:
    world = trade(parts)
    deal = agreed(world)
    listing = PricingIn(path=PricingPathKind.LISTING, exchange="示范技术交易所")
    with work_for(parts, world.seller) as work:
        pricing.choose(work, deal.public_id, listing)
    with work_for(parts, world.seller) as work:
        pricing.dealt(work, deal.public_id, DealtIn(dealt_on=work.today, price_fen=155 * WAN))
    contract = drafted(world, deal, 160 * WAN)
    assert told(world, deal)[-1] == ("挂牌或拍卖的成交价", "155万元", "160万元")
    form = SignIn(contract=contract.public_id, differences_known=True)
    for who in (world.buyer, world.seller):
        with work_for(parts, who) as work:
            row = contracts.sign(work, deal.public_id, form)
    assert row.state == ContractState.SIGNED


def test_a_mode_of_any_contract_has_none_to_leave(parts: Parts) -> None:
    world = trade(parts, state_founded=False)
    deal = negotiated(world)
    with work_for(parts, world.seller) as work:
        service.propose(work, deal.public_id, terms(mode=Mode.OTHER))
    with work_for(parts, world.buyer) as work:
        service.confirm(work, deal.public_id, ConfirmIn(version=1))
    drafted(world, deal, type=ContractType.SRV, sub_type="技术培训")
    assert told(world, deal) == []
