"""The SQL of what is kept of a contract beside its text."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from market.deals.models import Contract, Deal
from market.deals.models_keeping import (
    ContractInstalment,
    ContractPatent,
    ContractReceipt,
    LicenceFiling,
)
from market.deals.vocabulary import ContractState
from market.kit.db import changed, must_change
from market.kit.files import StoredFile
from market.kit.ids import ContractId, PublicId


def patents(session: Session, contract_id: ContractId) -> Sequence[ContractPatent]:
    return session.scalars(
        select(ContractPatent)
        .where(col(ContractPatent.contract_id) == contract_id)
        .order_by(col(ContractPatent.position))
    ).all()


def instalments(session: Session, contract_id: ContractId) -> Sequence[ContractInstalment]:
    return session.scalars(
        select(ContractInstalment)
        .where(col(ContractInstalment.contract_id) == contract_id)
        .order_by(col(ContractInstalment.position))
    ).all()


def receipts(session: Session, contract_id: ContractId) -> Sequence[ContractReceipt]:
    return session.scalars(
        select(ContractReceipt)
        .where(col(ContractReceipt.contract_id) == contract_id)
        .order_by(col(ContractReceipt.received_on), col(ContractReceipt.id))
    ).all()


def slip(session: Session, contract_id: ContractId, receipt: PublicId) -> StoredFile | None:
    """Return the bank's slip of a receipt."""
    return session.scalars(
        select(StoredFile)
        .join(ContractReceipt, col(ContractReceipt.file_id) == col(StoredFile.id))
        .where(
            col(ContractReceipt.contract_id) == contract_id,
            col(ContractReceipt.public_id) == receipt,
        )
    ).first()


def put_slip(session: Session, contract_id: ContractId, receipt: PublicId, file_id: int) -> None:
    """Raises Conflict where there is one already, or it is no receipt of the contract."""
    must_change(
        session,
        update(ContractReceipt)
        .where(
            col(ContractReceipt.public_id) == receipt,
            col(ContractReceipt.contract_id) == contract_id,
            col(ContractReceipt.voided_at).is_(None),
            col(ContractReceipt.file_id).is_(None),
        )
        .values(file_id=file_id),
        "这笔收款已经有回单或已作废，或不是这份合同的",
    )


def filing(session: Session, contract_id: ContractId) -> LicenceFiling | None:
    return session.get(LicenceFiling, contract_id)


def replace(
    session: Session,
    table: type[ContractPatent] | type[ContractInstalment],
    contract_id: ContractId,
    rows: Collection[dict[str, Any]],
) -> None:
    """Write these rows in place of those there were, in their order."""
    changed(session, delete(table).where(col(table.contract_id) == contract_id))
    session.add_all(
        table(contract_id=contract_id, position=position, **row)
        for position, row in enumerate(rows, 1)
    )
    session.flush()


def void(session: Session, contract_id: ContractId, receipt: PublicId, at: datetime) -> None:
    """Raises Conflict where it is void already, or no receipt of the contract."""
    must_change(
        session,
        update(ContractReceipt)
        .where(
            col(ContractReceipt.public_id) == receipt,
            col(ContractReceipt.contract_id) == contract_id,
            col(ContractReceipt.voided_at).is_(None),
        )
        .values(voided_at=at),
        "这笔收款已经作废，或不是这份合同的",
    )


def unfiled(session: Session, sub_type: str) -> list[tuple[Contract, Deal]]:
    """Return signed patent licences that nobody said were filed, with their deals."""
    rows = session.execute(
        select(Contract, Deal)
        .join(Deal, col(Deal.id) == col(Contract.deal_id))
        .outerjoin(LicenceFiling, col(LicenceFiling.contract_id) == col(Contract.id))
        .where(
            col(Contract.state) == ContractState.SIGNED,
            col(Contract.sub_type) == sub_type,
            col(LicenceFiling.contract_id).is_(None),
        )
    )
    return [(row[0], row[1]) for row in rows]
