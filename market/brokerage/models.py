"""What brokers are owed, by whom, and where one was gone around."""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field

from market.access.fees import FeeBase, FeeKind, Payer
from market.access.models import FEE_HAS_FIGURE
from market.brokerage.rule import Ground
from market.kit.columns import (
    Table,
    big,
    check,
    choice,
    fen,
    fk,
    json_list,
    moment,
    one_of,
    pk,
    prose,
    public_id,
    words,
)
from market.kit.ids import (
    CommissionId,
    ContractId,
    IntroductionId,
    MandateId,
    OrganisationId,
    PersonId,
    PublicId,
)


class CommissionState(StrEnum):
    DUE = "due"
    PAID = "paid"
    VOID = "void"


class PartRole(StrEnum):
    PAYER = "payer"
    BROKER = "broker"


class BypassState(StrEnum):
    FLAGGED = "flagged"
    CONTESTED = "contested"
    UPHELD = "upheld"
    DISMISSED = "dismissed"


CREDITED: Final = "credited_to_id IS NULL OR (ground = 'cost' AND state = 'paid')"


class Commission(Table, table=True):
    """What one introduction, the clause of one contract, or one mandate without success comes to.
    报酬

    `key` names its cause, so that it is worked out once. `amount_fen` is None where no figure was
    agreed, 0 where nothing is owed; of what is paid, what was. `credited_to_id` is the fee that a
    paid cost counts towards: who succeeds bears the cost (民法典 963).
    """

    __tablename__ = "commission"
    __table_args__ = (
        one_of("ground", Ground),
        one_of("state", CommissionState),
        check("amount_not_negative", "amount_fen IS NULL OR amount_fen >= 0"),
        check("paid_has_day", "(state = 'paid') = (settled_at IS NOT NULL)"),
        check("cost_credited", CREDITED),
    )

    id: CommissionId = pk()
    public_id: PublicId = public_id()
    key: str = Field(max_length=80, unique=True)
    ground: str = choice()
    contract_id: ContractId | None = fk("contract.id", nullable=True)
    introduction_id: IntroductionId | None = fk("introduction.id", nullable=True)
    mandate_id: MandateId | None = fk("mandate.id", nullable=True)
    amount_fen: int | None = fen(nullable=True)
    state: str = choice(default=CommissionState.DUE)
    settled_at: datetime | None = moment(nullable=True)
    settled_by: PersonId | None = fk("person.id", nullable=True)
    created_at: datetime = moment()
    credited_to_id: CommissionId | None = fk("commission.id", nullable=True)


class CommissionPart(Table, table=True):
    """One side of a commission: what one payer pays, or one broker gets. Either side's parts add up
    to the amount.
    """

    __tablename__ = "commission_part"
    __table_args__ = (
        one_of("role", PartRole),
        check("amount_not_negative", "amount_fen >= 0"),
        check("weight_positive", "weight > 0"),
        UniqueConstraint("commission_id", "role", "organisation_id"),
    )

    id: int = pk()
    commission_id: CommissionId = fk("commission.id", index=False)
    role: str = choice()
    organisation_id: OrganisationId = fk("organisation.id")
    weight: int = Field(default=1)
    amount_fen: int = big()


class Bypass(Table, table=True):
    """That a deal was closed around a recorded introduction, with its evidence. 跳单

    `evidence` is what was known when it was flagged: who was introduced, when and by whom, and what
    was signed. Seen by the broker concerned, the sides it accuses, and the bureau.
    """

    __tablename__ = "bypass"
    __table_args__ = (
        one_of("state", BypassState),
        check(
            "decided_has_moment",
            "(state IN ('upheld', 'dismissed')) = (decided_at IS NOT NULL)",
        ),
    )

    id: int = pk()
    public_id: PublicId = public_id()
    commission_id: CommissionId = fk("commission.id", unique=True, index=False)
    contract_id: ContractId = fk("contract.id")
    introduction_id: IntroductionId = fk("introduction.id")
    broker_id: OrganisationId = fk("organisation.id")
    seller_id: OrganisationId = fk("organisation.id")
    buyer_id: OrganisationId = fk("organisation.id")
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    state: str = choice(default=BypassState.FLAGGED)
    contest_reason: str = prose(default="")
    contested_by_id: OrganisationId | None = fk("organisation.id", nullable=True, index=False)
    contested_at: datetime | None = moment(nullable=True)
    decision_note: str = words(500, default="")
    decided_by: PersonId | None = fk("person.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    created_at: datetime = moment()


class BrokerClause(Table, table=True):
    """The broker clause of one draft of a contract: counts once both sides have agreed to it.

    `brokers` are {organisation, weight}. Nothing said of who pays: both sides half.
    """

    __tablename__ = "broker_clause"
    __table_args__ = (
        one_of("fee_kind", FeeKind),
        one_of("fee_base", FeeBase),
        one_of("fee_payer", Payer),
        check("fee_has_figure", FEE_HAS_FIGURE),
    )

    id: int = pk()
    contract_id: ContractId = fk("contract.id", unique=True, index=False)
    brokers: list[dict[str, int]] = json_list()
    fee_kind: str = choice(default=FeeKind.NONE)
    fee_rate_bp: int | None = Field(default=None)
    fee_fixed_fen: int | None = fen(nullable=True)
    fee_base: str = choice(default=FeeBase.TOTAL)
    fee_payer: str = choice(default=Payer.UNSAID)
    version: int = Field(default=1)
    seller_agreed: int = Field(default=0)
    buyer_agreed: int = Field(default=0)
    written_by: PersonId = fk("person.id")
    written_at: datetime = moment()
