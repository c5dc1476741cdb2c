"""Rewards to completers: the law's floors, exact shares, the paper."""

from datetime import date
from functools import partial

import pytest

from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from market.deals import keeping
from market.deals import service as deals
from market.deals.schemas_keeping import ReceiptIn
from market.kit.errors import Conflict, Invalid, NotFound
from market.rewards import service, statement
from market.rewards.models import Way
from market.rewards.schemas import CompleterIn, RewardIn
from market.rewards.service import RewardView
from market.rules import transfer
from market.rules.schemas_transfer import TransferRuleIn
from tests import factories
from tests.support import papers, printed
from tests.support.market import read_for, work_for
from tests.support.trade import at_once

pytestmark = pytest.mark.usefixtures("both_databases")
DAY = date(2026, 11, 1)


def holder(parts: Parts, *, state: bool) -> tuple[Organisation, Actor]:
    kind = OrganisationKind.UNIVERSITY if state else OrganisationKind.COMPANY
    place = factories.organisation(parts, kind, state_founded=state)
    return place, factories.actor(parts, Role.MANAGER, place)


def form(**changes: object) -> RewardIn:
    plain: dict[str, object] = {
        "title": "检测方法",
        "way": Way.TRANSFER,
        "income": 100_00,
        "decided_on": DAY,
        "completers": [CompleterIn(name=name) for name in "甲乙丙"],
    }
    return RewardIn(**(plain | changes))


def stated(parts: Parts, actor: Actor, **changes: object) -> RewardView:
    with work_for(parts, actor) as work:
        return service.reward(work, service.state(work, form(**changes)).public_id)


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({"income": 200_00}, 100_00),
        ({"income": 200_01}, 100_01),  # half a fen is rounded up: never below the floor
        ({"income": 200_00, "cost": 50_00}, 75_00),
        ({"way": Way.EQUITY, "income": 1_000_001}, 500_001),
        ({"way": Way.OWN, "income": 1_000_00, "profit_year": 2025}, 50_00),
    ],
    ids=["转让净收入一半", "分以下进位", "扣除成本", "作价投资一半股份", "自行实施利润百分之五"],
)
def test_the_floor_of_the_law(parts: Parts, changes: dict[str, object], amount: int) -> None:
    _, actor = holder(parts, state=True)
    view = stated(parts, actor, **changes)
    assert view.row.amount == amount
    assert view.row.floor_binding
    assert sum(one.amount for one in view.shares) == amount


def test_a_hundred_yuan_in_three(parts: Parts) -> None:
    _, actor = holder(parts, state=True)
    view = stated(parts, actor, income=200_00)
    assert [one.amount for one in view.shares] == [33_34, 33_33, 33_33]


def test_a_state_unit_may_give_more_and_never_less(parts: Parts) -> None:
    _, actor = holder(parts, state=True)
    assert stated(parts, actor, rate_bp=7000).row.amount == 70_00
    with work_for(parts, actor) as work, pytest.raises(Invalid) as refused:
        service.state(work, form(rate_bp=4999))
    assert refused.value.fields["rate_bp"] == "国家设立的单位不低于50%，现在是49.99%"


def test_a_company_may_agree_on_less_and_has_the_floor_by_default(parts: Parts) -> None:
    _, actor = holder(parts, state=False)
    assert stated(parts, actor, rate_bp=1000).row.amount == 10_00
    view = stated(parts, actor)
    assert (view.row.amount, view.row.floor_binding) == (50_00, False)


def test_the_rule_of_the_day_of_the_decision_holds(parts: Parts) -> None:
    _, actor = holder(parts, state=True)
    with work_for(parts, factories.actor(parts, Role.OFFICER)) as work:
        transfer.put(
            work,
            TransferRuleIn(
                effective_from=date(2026, 6, 1),
                transfer_bp=7000,
                equity_bp=5000,
                own_bp=500,
                own_years_least=3,
                own_years_most=5,
                bypass_days=365,
            ),
        )
    assert stated(parts, actor, decided_on=date(2026, 5, 31)).row.amount == 50_00
    assert stated(parts, actor, decided_on=date(2026, 6, 1)).row.amount == 70_00


def test_the_year_of_a_use_is_stated_once(parts: Parts) -> None:
    pair = papers.sides(parts)
    contract = papers.signed_contract(parts, pair)
    own = {"way": Way.OWN, "profit_year": 2025, "contract": contract.public_id}
    first, second = (stated(parts, pair.seller_actor, **own) for _ in range(2))
    with work_for(parts, pair.seller_actor) as work:
        service.confirm(work, first.row.public_id)
    with pytest.raises(Conflict), work_for(parts, pair.seller_actor) as work:
        service.confirm(work, second.row.public_id)
    with pytest.raises(Invalid) as refused, work_for(parts, pair.seller_actor) as work:
        service.state(work, form(**own))
    assert refused.value.fields == {"profit_year": "这份合同2025年的奖励已经确认过"}
    stated(parts, pair.seller_actor, **own | {"profit_year": 2024})
    with work_for(parts, pair.buyer_actor) as work, pytest.raises(Invalid):
        service.state(work, form(contract=contract.public_id))


def confirmed(parts: Parts, actor: Actor, view: RewardView) -> None:
    with work_for(parts, actor) as work:
        service.confirm(work, view.row.public_id)


def test_the_income_of_a_contract_is_rewarded_once(parts: Parts) -> None:
    """Drafts do not stand in each other's way; what is confirmed comes to the contract at most."""
    pair = papers.sides(parts)
    contract = papers.signed_contract(parts, pair, total=120 * papers.WAN)
    actor, of = pair.seller_actor, {"contract": contract.public_id}
    whole = [stated(parts, actor, **of, income=120 * papers.WAN) for _ in range(2)]
    part = stated(parts, actor, **of, income=20 * papers.WAN)
    confirmed(parts, actor, part)
    for view in whole:
        with pytest.raises(Conflict, match=r"至多1,200,000.00元，已确认的说明用了200,000.00元"):
            confirmed(parts, actor, view)
    with work_for(parts, actor) as work, pytest.raises(Invalid) as refused:
        service.state(work, form(**of, income=100 * papers.WAN + 1))
    assert set(refused.value.fields) == {"income"}
    confirmed(parts, actor, stated(parts, actor, **of, income=100 * papers.WAN))


def test_two_confirmations_at_once_take_one_income(parts: Parts) -> None:
    pair = papers.sides(parts)
    contract = papers.signed_contract(parts, pair, total=120 * papers.WAN)
    views = [
        stated(parts, pair.seller_actor, contract=contract.public_id, income=120 * papers.WAN)
        for _ in range(2)
    ]
    steps = [
        (pair.seller_actor, partial(service.confirm, public_id=view.row.public_id))
        for view in views
    ]
    assert sorted(one is None for one in at_once(parts, steps)) == [False, True]


def test_royalties_beyond_the_contracts_sum_may_be_rewarded(parts: Parts) -> None:
    pair = papers.sides(parts)
    contract = papers.signed_contract(parts, pair, total=120 * papers.WAN)
    more = {"contract": contract.public_id, "income": 150 * papers.WAN}
    with work_for(parts, pair.seller_actor) as work, pytest.raises(Invalid):
        service.state(work, form(**more))
    with work_for(parts, pair.seller_actor) as work:
        deal = deals.deal_of(work, contract.deal_id)
        receipt = ReceiptIn(
            received_on=date(2026, 1, 5), amount_fen=150 * papers.WAN, note="提成超出约定的总额"
        )
        keeping.receive(work, deal.public_id, receipt)
    confirmed(parts, pair.seller_actor, stated(parts, pair.seller_actor, **more))


def test_shares_of_a_contract_are_rewarded_once(parts: Parts) -> None:
    pair = papers.sides(parts)
    contract = papers.signed_contract(parts, pair)
    shares = {"way": Way.EQUITY, "contract": contract.public_id, "income": 1_000}
    one, other = (stated(parts, pair.seller_actor, **shares) for _ in range(2))
    confirmed(parts, pair.seller_actor, one)
    with pytest.raises(Conflict):
        confirmed(parts, pair.seller_actor, other)


def test_a_year_of_own_use_without_a_contract_is_rewarded_once(parts: Parts) -> None:
    _, actor = holder(parts, state=True)
    own = {"way": Way.OWN, "profit_year": 2025}
    one, other = (stated(parts, actor, **own) for _ in range(2))
    confirmed(parts, actor, one)
    with pytest.raises(Conflict, match="2025年的奖励已经确认过"):
        confirmed(parts, actor, other)
    confirmed(parts, actor, stated(parts, actor, **(own | {"profit_year": 2024})))


def test_a_confirmed_statement_is_confirmed_once_and_nobody_elses(parts: Parts) -> None:
    _, actor = holder(parts, state=True)
    _, stranger = holder(parts, state=True)
    view = stated(parts, actor)
    with read_for(parts, stranger) as work, pytest.raises(NotFound):
        service.reward(work, view.row.public_id)
    with work_for(parts, actor) as work:
        service.confirm(work, view.row.public_id)
    with work_for(parts, actor) as work, pytest.raises(Conflict):
        service.confirm(work, view.row.public_id)


def test_the_paper_says_it_all(parts: Parts) -> None:
    place, actor = holder(parts, state=True)
    view = stated(parts, actor, income=200_01)
    with read_for(parts, actor) as work:
        made = statement.paper(view, place, transfer.get(work.session, view.row.rule_id))
    told = printed.text(made).replace("\n", "").replace(" ", "")
    for words in ("科技成果转化奖励和报酬说明", place.name, "100.01元", "33.34元", "50%", "草稿"):
        assert words in told, words
    assert all(name.startswith("NotoSansSC") for name in printed.fonts(made))


def test_a_draft_that_was_mistyped_is_dropped_and_written_again(parts: Parts) -> None:
    pair = papers.sides(parts)
    contract = papers.signed_contract(parts, pair)
    own = {"way": Way.OWN, "profit_year": 2025, "contract": contract.public_id}
    wrong = stated(parts, pair.seller_actor, **own, income=1)
    with work_for(parts, pair.buyer_actor) as work, pytest.raises(NotFound):
        service.drop(work, wrong.row.public_id)
    with work_for(parts, pair.seller_actor) as work:
        service.drop(work, wrong.row.public_id)
    right = stated(parts, pair.seller_actor, **own)
    with work_for(parts, pair.seller_actor) as work:
        service.confirm(work, right.row.public_id)
    with pytest.raises(Conflict), work_for(parts, pair.seller_actor) as work:
        service.drop(work, right.row.public_id)
    with read_for(parts, pair.seller_actor) as work:
        assert [one.row.id for one in service.rewards(work)[1]] == [right.row.id]
        assert len(service.reward(work, right.row.public_id).shares) == 3
