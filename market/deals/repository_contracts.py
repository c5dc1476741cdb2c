"""The SQL of pricing paths and contracts."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, case, func, update
from sqlmodel import Session, col, select

from market.deals.models import Contract, ContractLine, Deal, PricingPath
from market.deals.vocabulary import ContractState, PricingPathKind, PricingState, Side
from market.kit.db import changed, must_change
from market.kit.ids import ContractId, DealId, PublicId

P, C = PricingState, ContractState
PRICING_EDGES: dict[PricingState, frozenset[PricingState]] = {
    P.PUBLICISED: frozenset({P.CLEARED, P.STOPPED}),
    P.CLEARED: frozenset({P.STOPPED}),
    P.LISTED: frozenset({P.DEALT, P.STOPPED}),
    P.DEALT: frozenset(),
    P.STOPPED: frozenset(),
}
CONTRACT_EDGES: dict[ContractState, frozenset[ContractState]] = {
    C.DRAFTED: frozenset({C.SIGNED, C.DROPPED}),
    C.SIGNED: frozenset(),
    C.DROPPED: frozenset(),
}


def _before(to: ContractState) -> list[ContractState]:
    """Return the states from which a contract may move to another."""
    return [state for state, following in CONTRACT_EDGES.items() if to in following]


def pricing_paths_of(session: Session, deal_ids: Collection[DealId]) -> Sequence[PricingPath]:
    """Return the pricing paths of these deals, stopped ones too, newest first."""
    return session.exec(
        select(PricingPath)
        .where(col(PricingPath.deal_id).in_(deal_ids))
        .order_by(col(PricingPath.id).desc())
    ).all()


def live_pricing(session: Session, deal_id: DealId) -> PricingPath | None:
    return session.exec(
        select(PricingPath).where(
            col(PricingPath.deal_id) == deal_id, col(PricingPath.state) != P.STOPPED
        )
    ).first()


def pricing_by_public_id(session: Session, public_id: PublicId) -> PricingPath | None:
    return session.exec(select(PricingPath).where(col(PricingPath.public_id) == public_id)).first()


def _shown() -> tuple[ColumnElement[bool], ...]:
    """Return the WHERE clauses of 公示 that were not stopped."""
    return (
        col(PricingPath.path) == PricingPathKind.AGREEMENT,
        col(PricingPath.state) != P.STOPPED,
    )


def publicised(session: Session, limit: int, offset: int) -> Sequence[tuple[PricingPath, Deal]]:
    """Return 公示 that were not stopped, with their deals: those not yet cleared first, of each
    the newest first, so that those that run stand before all others.
    """
    cleared = case((col(PricingPath.state) == P.PUBLICISED, 0), else_=1)
    return session.exec(
        select(PricingPath, Deal)
        .join(Deal, col(Deal.id) == col(PricingPath.deal_id))
        .where(*_shown())
        .order_by(cleared, col(PricingPath.published_on).desc(), col(PricingPath.id).desc())
        .limit(limit)
        .offset(offset)
    ).all()


def publicised_count(session: Session) -> int:
    query = select(func.count()).select_from(PricingPath).where(*_shown())
    return session.exec(query).one()


def move_pricing(
    session: Session, row: PricingPath, expected: PricingState, to: PricingState, **values: Any
) -> None:
    """Move a pricing path along one of its edges. Raises Conflict where it stands elsewhere."""
    assert to in PRICING_EDGES[expected]
    must_change(
        session,
        update(PricingPath)
        .where(col(PricingPath.id) == row.id, col(PricingPath.state) == expected)
        .values(state=to, **values),
        "定价的状态已经变了，请刷新后再操作",
    )


def contract_by_public_id(session: Session, public_id: PublicId) -> Contract | None:
    return session.exec(select(Contract).where(col(Contract.public_id) == public_id)).first()


def contracts(session: Session, ids: Iterable[ContractId]) -> dict[ContractId, Contract]:
    rows = session.exec(select(Contract).where(col(Contract.id).in_(set(ids))))
    return {row.id: row for row in rows}


def live_contracts(session: Session, deal_ids: Collection[DealId]) -> dict[DealId, Contract]:
    """Return the drafted or signed contract of each deal that has one."""
    rows = session.exec(
        select(Contract).where(
            col(Contract.deal_id).in_(deal_ids), col(Contract.state) != C.DROPPED
        )
    )
    return {row.deal_id: row for row in rows}


def lines_of(session: Session, contract_id: ContractId) -> Sequence[ContractLine]:
    return session.exec(
        select(ContractLine)
        .where(col(ContractLine.contract_id) == contract_id)
        .order_by(col(ContractLine.position))
    ).all()


def drop_draft(session: Session, deal_id: DealId) -> int:
    """Drop the deal's draft, if there is one. Return how many were dropped, 0 or 1."""
    return changed(
        session,
        update(Contract)
        .where(col(Contract.deal_id) == deal_id, col(Contract.state).in_(_before(C.DROPPED)))
        .values(state=C.DROPPED),
    )


def confirm_contract(session: Session, contract_id: ContractId, side: Side, at: datetime) -> int:
    """Note a side's confirmation of a draft. Return 0 where it was given before."""
    column = f"{side.value}_confirmed_at"
    return changed(
        session,
        update(Contract)
        .where(
            col(Contract.id) == contract_id,
            col(Contract.state) == C.DRAFTED,
            getattr(Contract, column).is_(None),
        )
        .values(**{column: at}),
    )


def amend_draft(session: Session, contract: Contract) -> None:
    """Note that what stands beside a draft has changed: who confirmed it has to read it again. The
    row is read anew.

    Raises Conflict once it is signed.
    """
    must_change(
        session,
        update(Contract)
        .where(col(Contract.id) == contract.id, col(Contract.state) == C.DRAFTED)
        .values(seller_confirmed_at=None, buyer_confirmed_at=None),
        "合同已经签订，它约定的不能再改",
    )
    session.refresh(contract)


def sign_if_both(session: Session, contract_id: ContractId, on: date) -> bool:
    """Sign a draft that both sides have confirmed. Return whether this call signed it."""
    return (
        changed(
            session,
            update(Contract)
            .where(
                col(Contract.id) == contract_id,
                col(Contract.state).in_(_before(C.SIGNED)),
                col(Contract.seller_confirmed_at).is_not(None),
                col(Contract.buyer_confirmed_at).is_not(None),
            )
            .values(state=C.SIGNED, signed_on=on),
        )
        == 1
    )


def set_disclosure(session: Session, contract_id: ContractId, side: Side, *, agrees: bool) -> None:
    changed(
        session,
        update(Contract)
        .where(col(Contract.id) == contract_id)
        .values(**{f"{side.value}_agrees_public": agrees}),
    )
