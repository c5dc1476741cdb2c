"""The registration desk: one row for each time a contract is handed in; and, apart from them, the
contracts that a registry registered before or beside this market.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlmodel import Field

from market.kit.columns import (
    BIG,
    Table,
    big,
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
from market.kit.ids import (
    ContractId,
    OrganisationId,
    PastRegistrationId,
    PersonId,
    PublicId,
    RegistrationId,
    TransactionId,
)
from market.registry.states import COUNTING, HANDED_IN, LIVE, Step, among
from market.registry.states import RegistrationState as RegistrationState  # noqa: PLC0414  callers of before


class PastState(StrEnum):
    COUNTED = "counted"
    TAKEN_OUT = "taken_out"


class Cause(StrEnum):
    """Why a past registration was taken out; it decides the day on which that takes effect."""

    MISTAKE = "mistake"  # brought in wrongly: out on the day it was counted, as if it never was
    CANCELLED = "cancelled"  # 注销 or 撤销 by the registry: out on the day of the undo


_COUNTED = text("state = 'counted'")
_REGISTERED = text(f"state IN ({among(COUNTING)})")
_HANDED_IN = text(f"state IN ({among(HANDED_IN)})")
_LIVE = text(f"state IN ({among(LIVE)})")


class Registration(Table, table=True):
    """One application and its decision.

    Number, amounts and `decided_on` are copied from the registry's certificate, never made here;
    the amounts are those in force, after changes. `fingerprint` is that of parties, project, date
    and amount, `file_sha256` that of the contract's file: a contract is registered once.
    `items` are the national form's that the contract does not tell. `handed_in_on` is the day of
    the latest file, `accepted_on` the day from which the decision's deadline runs.
    `registered_type` is the type under the rules of the signing date. `transaction_id` is what the
    ledger counted first, `reversal_id` what took it out again, for the reason in `end_cause` and
    `withdraw_reason`. `in_force` is what changes have moved of type, field and parties against what
    was registered. `supersedes_id` is the withdrawn registration whose number this decision
    takes up again.
    """

    __tablename__ = "registration"
    __table_args__ = (
        one_of("state", RegistrationState),
        check(
            "registered_is_whole",
            f"state NOT IN ({among(COUNTING)}) OR (number IS NOT NULL AND total_fen IS NOT NULL"
            " AND technical_fen IS NOT NULL AND decided_on IS NOT NULL"
            " AND transaction_id IS NOT NULL)",
        ),
        check("amounts", "total_fen IS NULL OR (technical_fen > 0 AND technical_fen <= total_fen)"),
        check(
            "reversed_is_withdrawn",
            "reversal_id IS NULL OR state IN ('withdrawn', 'cancelled', 'revoked')",
        ),
        check("file_is_whole", "(file_id IS NULL) = (file_sha256 IS NULL)"),
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
            sqlite_where=_HANDED_IN,
            postgresql_where=_HANDED_IN,
        ),
        Index(
            "uq_registration_file",
            "file_sha256",
            unique=True,
            sqlite_where=_HANDED_IN,
            postgresql_where=_HANDED_IN,
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
    submitted_by: PersonId = fk("person.id")
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
    decided_by: PersonId | None = fk("person.id", nullable=True)
    decided_at: datetime | None = moment(nullable=True)
    reversal_id: TransactionId | None = fk(
        "ledger_transaction.id", nullable=True, unique=True, index=False
    )
    withdraw_reason: str = words(300, default="")
    withdrawn_by: PersonId | None = fk("person.id", nullable=True, index=False)
    withdrawn_at: datetime | None = moment(nullable=True)
    end_cause: str = words(20, default="")
    file_id: int | None = fk("stored_file.id", nullable=True)
    file_sha256: str | None = words(64, nullable=True)
    items: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    handed_in_on: date | None = day(nullable=True)
    corrections: int = Field(default=0)
    accepted_on: date | None = day(nullable=True)
    disputed: bool = Field(default=False)
    registered_type: str = words(8, default="")
    changes: int = Field(default=0)
    in_force: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class RegistrationEvent(Table, table=True):
    """One step of a registration as it was taken; never rewritten.

    `note` is what was said (what to correct, why it was changed or objected to), `due_on` until
    when it is to be answered. Amounts and `in_force` are those after the step, `transaction_id`
    what the ledger wrote for it, `digest` that of the document it wrote it for; of a return,
    that of what had been handed in.
    """

    __tablename__ = "registration_event"
    __table_args__ = (
        one_of("step", Step),
        one_of("from_state", RegistrationState),
        one_of("to_state", RegistrationState),
        UniqueConstraint("registration_id", "place"),
    )

    id: int = pk()
    registration_id: RegistrationId = fk("registration.id", index=False)
    place: int
    step: str = choice()
    from_state: str = choice()
    to_state: str = choice()
    at: datetime = moment()
    person_id: PersonId | None = fk("person.id", nullable=True, index=False)
    note: str = words(500, default="")
    cause: str = words(20, default="")
    due_on: date | None = day(nullable=True)
    effective_on: date | None = day(nullable=True)
    total_fen: int | None = fen(nullable=True)
    technical_fen: int | None = fen(nullable=True)
    digest: str = words(64, default="")
    transaction_id: TransactionId | None = fk(
        "ledger_transaction.id", nullable=True, unique=True, index=False
    )
    file_id: int | None = fk("stored_file.id", nullable=True)
    in_force: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class PastRegistration(Table, table=True):
    """A contract that was registered elsewhere and brought in with its number (历史登记).

    `items` holds the national form's items as they were read, in the words of an export; the other
    columns are what is searched and counted by, and the regions as settled. `registry_label` is
    what the file calls the registry; the number alone is the key, its digits name the registry. A
    party is an organisation of the market (`seller_id`) where it was known as such on the day of
    the import. `transaction_id` is what the ledger counted, `reversal_id` what took it out again.
    """

    __tablename__ = "past_registration"
    __table_args__ = (
        one_of("state", PastState),
        one_of("cause", Cause, nullable=True),
        check("amounts", "technical_fen > 0 AND technical_fen <= total_fen"),
        check("field_known", "field BETWEEN 1 AND 11"),
        check("days_ordered", "signed_on <= registered_on"),
        check(
            "taken_out_is_whole",
            "(state = 'taken_out') = (reversal_id IS NOT NULL)"
            " AND (state = 'taken_out') = (cause IS NOT NULL)",
        ),
        Index(
            "uq_past_registration_number",
            "registry_name",
            "number",
            unique=True,
            sqlite_where=_COUNTED,
            postgresql_where=_COUNTED,
        ),
        Index(
            "uq_past_registration_fingerprint",
            "fingerprint",
            unique=True,
            sqlite_where=_COUNTED,
            postgresql_where=_COUNTED,
        ),
        Index("ix_past_registration_day", "registered_on", "id"),
    )

    id: PastRegistrationId = pk()
    public_id: PublicId = public_id()
    state: str = choice(default=PastState.COUNTED)
    registry_name: str = words(40)
    number: str = words(16)
    registry_label: str = words(80, default="")
    registered_on: date = day()
    signed_on: date = day()
    project_name: str = words(200)
    contract_type: str = words(8)
    sub_type: str = words(40, default="")
    field: int
    seller_name: str = words(120)
    buyer_name: str = words(120)
    seller_id: OrganisationId | None = fk("organisation.id", nullable=True)
    buyer_id: OrganisationId | None = fk("organisation.id", nullable=True)
    seller_region: str = words(6)
    buyer_region: str = words(6, default="")
    total_fen: int = fen()
    technical_fen: int = fen()
    public: bool = Field(default=False)
    items: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    fingerprint: str = words(64)
    digest: str = words(64)
    organisation_id: OrganisationId = fk("organisation.id")
    run_id: int = big()
    created_by: PersonId | None = fk("person.id", nullable=True, index=False)
    created_at: datetime = moment()
    transaction_id: TransactionId = fk("ledger_transaction.id", unique=True, index=False)
    reversal_id: TransactionId | None = fk(
        "ledger_transaction.id", nullable=True, unique=True, index=False
    )
    cause: str | None = choice(nullable=True)
    reason: str = words(300, default="")
    taken_out_by: PersonId | None = fk("person.id", nullable=True, index=False)
    taken_out_at: datetime | None = moment(nullable=True)
