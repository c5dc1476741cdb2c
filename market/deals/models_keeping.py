"""What is kept of a contract beside its text: patents, payments as agreed and as they came in, and
the filing of a patent licence.
"""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from market.kit.columns import (
    BIG,
    Table,
    check,
    day,
    fen,
    fk,
    moment,
    pk,
    public_id,
    words,
)
from market.kit.ids import ContractId, PersonId, PublicId


class ContractPatent(Table, table=True):
    """A patent or application that a contract is about (民法典 845)."""

    __tablename__ = "contract_patent"
    __table_args__ = (UniqueConstraint("contract_id", "position"),)

    id: int = pk()
    contract_id: ContractId = fk("contract.id", index=False)
    position: int
    name: str = words(200)
    owner: str = words(120)
    filed_on: date = day()
    application_number: str = words(40)
    patent_number: str = words(40, default="")
    expires_on: date | None = day(nullable=True)


class ContractInstalment(Table, table=True):
    """A payment as agreed. `condition` says what it follows, where no day is agreed."""

    __tablename__ = "contract_instalment"
    __table_args__ = (
        check("amount_positive", "amount_fen > 0"),
        UniqueConstraint("contract_id", "position"),
    )

    id: int = pk()
    contract_id: ContractId = fk("contract.id", index=False)
    position: int
    due_on: date | None = day(nullable=True)
    condition: str = words(120, default="")
    amount_fen: int = fen()


class ContractReceipt(Table, table=True):
    """Money that came in, with the bank's slip (回单). What was written wrongly is voided, never
    rewritten.
    """

    __tablename__ = "contract_receipt"
    __table_args__ = (
        check("amount_positive", "amount_fen > 0"),
        Index("ix_contract_receipt_contract", "contract_id", "received_on"),
    )

    id: int = pk()
    public_id: PublicId = public_id()
    contract_id: ContractId = fk("contract.id", index=False)
    received_on: date = day()
    amount_fen: int = fen()
    note: str = words(200, default="")
    file_id: int | None = fk("stored_file.id", nullable=True, index=False)
    person_id: PersonId = fk("person.id", index=False)
    created_at: datetime = moment()
    voided_at: datetime | None = moment(nullable=True)


class LicenceFiling(Table, table=True):
    """That a patent licence was filed (备案), which is due within months of its taking effect."""

    __tablename__ = "licence_filing"

    contract_id: ContractId = Field(primary_key=True, sa_type=BIG, foreign_key="contract.id")
    filed_on: date = day()
    number: str = words(60, default="")
    person_id: PersonId = fk("person.id", index=False)
    created_at: datetime = moment()
