"""Rewards to those who made an achievement (促进科技成果转化法 45): at least the floor of the rule
in force on the day of the decision for state units, by default the same for companies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from market.accounts import repository as accounts
from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals import keeping
from market.deals import repository_contracts as papers
from market.deals.models import Contract
from market.deals.vocabulary import ContractState
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import PublicId, new_public_id
from market.kit.money import yuan_in_words
from market.kit.shares import share_up, split
from market.rewards import repository
from market.rewards.models import Reward, RewardShare, RewardState, Way
from market.rewards.schemas import RewardIn
from market.rules import transfer
from market.rules.models_transfer import TransferRule

PAGE: Final = 50
WAYS: Final = {
    Way.TRANSFER: "转让、许可",
    Way.EQUITY: "作价投资",
    Way.OWN: "自行或合作实施",
}
BASES: Final = {Way.TRANSFER: "净收入", Way.EQUITY: "股份", Way.OWN: "营业利润"}


@dataclass(frozen=True, slots=True)
class RewardView:
    row: Reward
    shares: tuple[RewardShare, ...]
    contract: Contract | None


def floor_of(rule: TransferRule, way: Way) -> int:
    """Return the least share in ten-thousandths by a rule."""
    return {
        Way.TRANSFER: rule.transfer_bp,
        Way.EQUITY: rule.equity_bp,
        Way.OWN: rule.own_bp,
    }[way]


def state(work: Work, form: RewardIn) -> Reward:
    """State a reward of the acting organisation; its shares add up to it exactly.

    Raises Invalid at `cost`, `rate_bp`, `profit_year`, `contract`, `decided_on`, and at `income`,
    `contract` or `profit_year` where it was rewarded already.
    """
    work.require(Action.REWARD_EDIT)
    holder = accounts.organisation(work.session, work.actor.organisation)
    rule = transfer.at(work.session, form.decided_on)
    floor = floor_of(rule, form.way)
    contract = _check(work, form, floor, binding=holder.state_founded)
    if field_said := _repeated(work, contract, form):
        raise Invalid(fields=dict([field_said]))
    base = form.income - form.cost
    rate = floor if form.rate_bp is None else form.rate_bp
    row = Reward(
        public_id=new_public_id(),
        organisation_id=holder.id,
        contract_id=contract.id if contract else None,
        title=form.title,
        way=form.way,
        profit_year=form.profit_year,
        income=form.income,
        cost=form.cost,
        base=base,
        rate_bp=rate,
        # Rounded up: a floor is not gone below by a fraction of a fen.
        amount=share_up(base, rate),
        floor_bp=floor,
        floor_binding=holder.state_founded,
        rule_id=rule.id,
        decided_on=form.decided_on,
        created_by=work.actor.person,
        created_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    parts = split(row.amount, [one.weight for one in form.completers])
    work.session.add_all(
        RewardShare(reward_id=row.id, position=place, amount=part, **one.model_dump())
        for place, (one, part) in enumerate(zip(form.completers, parts, strict=True), 1)
    )
    work.session.flush()
    work.touched("reward", row.public_id)
    return row


def _check(work: Work, form: RewardIn, floor: int, *, binding: bool) -> Contract | None:
    wrong: dict[str, str] = {}
    if form.cost >= form.income:
        wrong["cost"] = "成本应少于收入，净额大于0才有奖励"
    if form.way is Way.EQUITY and form.cost:
        wrong["cost"] = "作价投资按股份分，不扣成本，这里应为0"
    if binding and form.rate_bp is not None and form.rate_bp < floor:
        wrong["rate_bp"] = f"国家设立的单位不低于{floor / 100:g}%，现在是{form.rate_bp / 100:g}%"
    if (form.way is Way.OWN) != (form.profit_year is not None):
        wrong["profit_year"] = (
            "自行或合作实施的，请填利润所属的年份"
            if form.way is Way.OWN
            else "不是自行或合作实施的，这里请留空"
        )
    if form.decided_on > work.today:
        wrong["decided_on"] = f"不能晚于今天{work.today}，现在是{form.decided_on}"
    contract = None
    if form.contract is not None:
        contract = papers.contract_by_public_id(work.session, PublicId(form.contract))
        if (
            contract is None
            or contract.seller_id != work.actor.organisation
            or contract.state != ContractState.SIGNED
        ):
            wrong["contract"] = "请从本单位作为卖方、已签订的合同里选"
    if wrong:
        raise Invalid(fields=wrong)
    return contract


def _repeated(
    work: Work, contract: Contract | None, stated: RewardIn | Reward
) -> tuple[str, str] | None:
    """Return the (field, sentence) of what was rewarded already by confirmed statements, or None.

    Of a contract the incomes come to no more than its 成交额, or what came in where that is more
    (royalties); its shares are rewarded once. Of an own use each year is once, by the contract or,
    without one, by the title.
    """
    way = Way(stated.way)
    before = repository.confirmed_for(
        work.session, work.actor.organisation, contract.id if contract else None, way
    )
    if way is Way.OWN:
        same = [one for one in before if contract or one.title == stated.title]
        if any(one.profit_year == stated.profit_year for one in same):
            what = "这份合同" if contract else f"“{stated.title}”"
            return "profit_year", f"{what}{stated.profit_year}年的奖励已经确认过"
        return None
    if contract is None:
        return None
    if way is Way.EQUITY:
        return ("contract", "这份合同的股份奖励已经确认过") if before else None
    received = keeping.of(work.session, contract.id).received_fen
    most, spent = max(contract.total_fen, received), sum(one.income for one in before)
    if spent + stated.income <= most:
        return None
    said = (
        f"这份合同的收入至多{yuan_in_words(most)}，已确认的说明用了{yuan_in_words(spent)}，"
        f"现在是{yuan_in_words(stated.income)}"
    )
    return "income", said


def rewards(work: Work, page: int = 1) -> tuple[int, list[RewardView]]:
    """Return (how many, a page of PAGE) of the acting organisation's rewards, newest first."""
    work.require(Action.REWARD_VIEW)
    total, rows = repository.rewards_of(
        work.session, work.actor.organisation, offset=(page - 1) * PAGE, limit=PAGE
    )
    return total, views(work, rows)


def views(work: Work, rows: Sequence[Reward]) -> list[RewardView]:
    shares = repository.shares(work.session, [row.id for row in rows])
    contracts = repository.contracts(
        work.session, [row.contract_id for row in rows if row.contract_id]
    )
    return [
        RewardView(
            row,
            tuple(shares.get(row.id, ())),
            contracts[row.contract_id] if row.contract_id else None,
        )
        for row in rows
    ]


def reward(work: Work, public_id: PublicId) -> RewardView:
    """Return one reward to the organisation that gives it. Raises NotFound."""
    row = repository.reward(work.session, public_id)
    if row is None or row.organisation_id != work.actor.organisation_id:
        raise NotFound
    work.require(Action.REWARD_VIEW)
    work.touched("reward", row.public_id)
    return views(work, [row])[0]


def confirm(work: Work, public_id: PublicId) -> RewardView:
    """Confirm a statement, which does not change from then on.

    Raises NotFound; Conflict where it was confirmed, or another rewards the same income.
    """
    view = reward(work, public_id)
    work.require(Action.REWARD_CONFIRM)
    if view.contract is not None:
        repository.lock_contract(work.session, view.contract.id)
    else:
        accounts.lock_organisation(work.session, view.row.organisation_id)
    if view.row.state == RewardState.DRAFTED and (
        field_said := _repeated(work, view.contract, view.row)
    ):
        raise Conflict(field_said[1])
    repository.confirm(work.session, view.row.id, work.now)
    work.session.refresh(view.row)
    return view


def drop(work: Work, public_id: PublicId) -> None:
    """Delete a draft that was mistyped; a confirmed statement stays. Raises NotFound, Conflict."""
    view = reward(work, public_id)
    work.require(Action.REWARD_EDIT)
    repository.drop(work.session, view.row.id)


def sellable(work: Work) -> Sequence[Contract]:
    """Return the contracts that a reward of the acting organisation may be for."""
    work.require(Action.REWARD_VIEW)
    return repository.signed_contracts(work.session, work.actor.organisation)
