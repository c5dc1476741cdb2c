"""The registration desk: one row for each time a contract is handed in."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, text
from sqlmodel import Field

from market.kit.columns import (
    BIG,
    Table,
    check,
    choice,
    day,
    fen,
    fk,
    moment,
    one_of,
    pk,
    public_id,
    words,
)
from market.kit.ids import ContractId, PersonId, PublicId, RegistrationId, TransactionId


class RegistrationState(StrEnum):
    SUBMITTED = "submitted"
    REGISTERED = "registered"
    NOT_REGISTERED = "not_registered"
    WITHDRAWN = "withdrawn"


S = RegistrationState
EDGES: dict[RegistrationState, frozenset[RegistrationState]] = {
    S.SUBMITTED: frozenset({S.REGISTERED, S.NOT_REGISTERED, S.WITHDRAWN}),
    S.REGISTERED: frozenset({S.WITHDRAWN}),
    S.NOT_REGISTERED: frozenset(),
    S.WITHDRAWN: frozenset(),
}

_REGISTERED = text("state = 'registered'")
_LIVE = text("state IN ('submitted', 'registered')")


class Registration(Table, table=True):
    """One application and its decision.

    Number, amounts and `decided_on` are copied from the registry's certificate, never made here.
    `fingerprint` is that of parties, project, date and amount: a contract is registered once.
    `transaction_id` is what the ledger counted, `reversal_id` what took it out again.
    `supersedes_id` is the withdrawn registration whose number this decision takes up again.
    """

    __tablename__ = "registration"
    __table_args__ = (
        one_of("state", RegistrationState),
        check(
            "registered_is_whole",
            "state <> 'registered' OR (number IS NOT NULL AND total_fen IS NOT NULL"
            " AND technical_fen IS NOT NULL AND decided_on IS NOT NULL"
            " AND transaction_id IS NOT NULL)",
        ),
        check("amounts", "total_fen IS NULL OR (technical_fen > 0 AND technical_fen <= total_fen)"),
        check("reversed_is_withdrawn", "reversal_id IS NULL OR state = 'withdrawn'"),
        Index(
            "uq_registration_number",
            "registry_name",
            "number",
            unique=True,
            sqlite_where=_REGISTERED,
            postgresql_where=_REGISTERED,
        ),
        Index(
            "uq_registration_contract",
            "contract_id",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index(
            "uq_registration_fingerprint",
            "fingerprint",
            unique=True,
            sqlite_where=_LIVE,
            postgresql_where=_LIVE,
        ),
        Index("ix_registration_queue", "state", "submitted_at"),
        Index("ix_registration_contract_all", "contract_id"),
    )

    id: RegistrationId = pk()
    public_id: PublicId = public_id()
    contract_id: ContractId = fk("contract.id", index=False)
    state: str = choice(default=RegistrationState.SUBMITTED)
    registry_name: str = words(40)
    fingerprint: str = words(64)
    submitted_by: PersonId = fk("person.id", index=False)
    submitted_at: datetime = moment()
    number: str | None = words(16, nullable=True)
    total_fen: int | None = fen(nullable=True)
    technical_fen: int | None = fen(nullable=True)
    difference_reason: str = words(300, default="")
    decided_on: date | None = day(nullable=True)
    digest: str = words(64, default="")
    supersedes_id: RegistrationId | None = Field(
        default=None,
        sa_type=BIG,
        sa_column_args=(ForeignKey("registration.id"),),
        nullable=True,
        unique=True,
    )
    transaction_id: TransactionId | None = fk(
        "ledger_transaction.id", nullable=True, unique=True, index=False
    )
    refusal_reason: str = words(40, default="")
    note: str = words(500, default="")
    decided_by: PersonId | None = fk("person.id", nullable=True, index=False)
    decided_at: datetime | None = moment(nullable=True)
    reversal_id: TransactionId | None = fk(
        "ledger_transaction.id", nullable=True, unique=True, index=False
    )
    withdraw_reason: str = words(300, default="")
    withdrawn_by: PersonId | None = fk("person.id", nullable=True, index=False)
    withdrawn_at: datetime | None = moment(nullable=True)
