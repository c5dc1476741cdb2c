"""The reward to those who made an achievement (完成人), as the holder decided it."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from market.kit.columns import (
    Table,
    big,
    check,
    choice,
    day,
    fk,
    moment,
    one_of,
    pk,
    public_id,
    unique_where,
    words,
)
from market.kit.ids import ContractId, OrganisationId, PersonId, PublicId, RewardId


class Way(StrEnum):
    """How the achievement was put to use (促进科技成果转化法 45)."""

    TRANSFER = "transfer"  # 转让、许可: of the net income, fen
    EQUITY = "equity"  # 作价投资: of the shares, number
    OWN = "own"  # 自行或合作实施: of one year's operating profit, fen


class RewardState(StrEnum):
    DRAFTED = "drafted"
    CONFIRMED = "confirmed"


class Reward(Table, table=True):
    """One statement of a reward. 奖励和报酬

    `base` is net income or operating profit in fen, or a number of shares; `amount` is in the same
    unit. Shares of it in ten-thousandths; `floor_binding` where the law's floor is one, by the rule
    `rule_id`: for state units. `profit_year` is the year of an own use.
    """

    __tablename__ = "reward"
    __table_args__ = (
        one_of("way", Way),
        one_of("state", RewardState),
        check("base_positive", "base > 0"),
        check("net_of_cost", "income >= 0 AND cost >= 0 AND base = income - cost"),
        check("amount_within", "amount >= 0 AND amount <= base"),
        check("share_possible", "rate_bp BETWEEN 0 AND 10000 AND floor_bp BETWEEN 0 AND 10000"),
        check("floor_held", "NOT floor_binding OR rate_bp >= floor_bp"),
        check("year_of_own_use", "(way = 'own') = (profit_year IS NOT NULL)"),
        check("confirmed_has_moment", "(state = 'confirmed') = (confirmed_at IS NOT NULL)"),
        unique_where(
            "uq_reward_confirmed",
            *("contract_id", "way", "profit_year"),
            where="state = 'confirmed'",
        ),
    )

    id: RewardId = pk()
    public_id: PublicId = public_id()
    organisation_id: OrganisationId = fk("organisation.id")
    contract_id: ContractId | None = fk("contract.id", nullable=True)
    title: str = words(200)
    way: str = choice()
    profit_year: int | None = Field(default=None)
    income: int = big()
    cost: int = big()
    base: int = big()
    rate_bp: int
    amount: int = big()
    floor_bp: int
    floor_binding: bool
    rule_id: int = fk("transfer_rule.id", index=False)
    decided_on: date = day()
    state: str = choice(default=RewardState.DRAFTED)
    created_by: PersonId = fk("person.id")
    created_at: datetime = moment()
    confirmed_at: datetime | None = moment(nullable=True)


class RewardShare(Table, table=True):
    """What one completer gets; the shares of one reward add up to it."""

    __tablename__ = "reward_share"
    __table_args__ = (
        check("weight_positive", "weight > 0"),
        check("amount_not_negative", "amount >= 0"),
        UniqueConstraint("reward_id", "position"),
    )

    id: int = pk()
    reward_id: RewardId = fk("reward.id", index=False)
    position: int
    name: str = words(60)
    part: str = words(200, default="")
    weight: int
    amount: int = big()
