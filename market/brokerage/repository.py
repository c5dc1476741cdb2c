"""The only SQL of brokerage."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from market.brokerage.models import (
    BrokerClause,
    Bypass,
    BypassState,
    Commission,
    CommissionPart,
    CommissionState,
    PartRole,
)
from market.brokerage.rule import Ground
from market.deals.models import Contract, Deal, Inquiry, Introduction
from market.kit.db import changed, is_sqlite, must_change
from market.kit.ids import (
    CommissionId,
    ContractId,
    DealId,
    IntroductionId,
    ListingId,
    OrganisationId,
    PublicId,
)

MOVED = "这笔报酬刚有变化，请刷新后再看"
EDGES: dict[BypassState, frozenset[BypassState]] = {
    BypassState.FLAGGED: frozenset({BypassState.CONTESTED}),
    BypassState.CONTESTED: frozenset({BypassState.UPHELD, BypassState.DISMISSED}),
    BypassState.UPHELD: frozenset(),
    BypassState.DISMISSED: frozenset(),
}


def signed(session: Session, contract_id: ContractId) -> tuple[Contract, Deal]:
    query = (
        select(Contract, Deal)
        .join(Deal, col(Deal.id) == col(Contract.deal_id))
        .where(col(Contract.id) == contract_id)
    )
    contract, deal = session.exec(query).one()
    return contract, deal


def introductions_between(
    session: Session, some: Collection[OrganisationId], others: Collection[OrganisationId]
) -> Sequence[Introduction]:
    """Return every introduction of one of some organisations to one of others, whichever of the two
    was to sell.
    """
    return session.exec(
        select(Introduction)
        .where(_between(col(Introduction.seller_id), col(Introduction.buyer_id), some, others))
        .order_by(col(Introduction.id))
    ).all()


def _between(
    one: Mapped[OrganisationId],
    other: Mapped[OrganisationId],
    some: Collection[OrganisationId],
    others: Collection[OrganisationId],
) -> ColumnElement[bool]:
    return or_(
        and_(one.in_(some), other.in_(others)),
        and_(one.in_(others), other.in_(some)),
    )


def met_at(
    session: Session,
    some: Collection[OrganisationId],
    others: Collection[OrganisationId],
    subjects: Collection[ListingId],
) -> datetime | None:
    """Return when some organisations and others first spoke of one of these listings by themselves,
    by an inquiry or a deal; None for never.
    """
    asked = select(func.min(col(Inquiry.created_at))).where(
        _between(col(Inquiry.asker_id), col(Inquiry.owner_id), some, others),
        or_(
            col(Inquiry.listing_id).in_(subjects),
            col(Inquiry.own_listing_id).in_(subjects),
        ),
    )
    dealt = select(func.min(col(Deal.created_at))).where(
        _between(col(Deal.seller_id), col(Deal.buyer_id), some, others),
        or_(col(Deal.achievement_id).in_(subjects), col(Deal.demand_id).in_(subjects)),
    )
    found = [session.exec(query).one() for query in (asked, dealt)]
    return min((moment for moment in found if moment is not None), default=None)


def write_commission(session: Session, values: dict[str, Any]) -> CommissionId | None:
    """Write a commission once for each key; return None where it is there."""
    dialect = sqlite if is_sqlite(session) else postgresql
    write = dialect.insert(Commission).on_conflict_do_nothing(index_elements=["key"])
    session.flush()
    return session.scalars(write.values(**values).returning(col(Commission.id))).first()


def commission_by_public_id(session: Session, public_id: PublicId) -> Commission | None:
    return session.exec(select(Commission).where(col(Commission.public_id) == public_id)).first()


def commission(session: Session, commission_id: CommissionId) -> Commission:
    return session.get_one(Commission, commission_id)


def commissions(session: Session, ids: Iterable[CommissionId]) -> dict[CommissionId, Commission]:
    rows = session.exec(select(Commission).where(col(Commission.id).in_(set(ids))))
    return {row.id: row for row in rows}


def _of(organisation_id: OrganisationId) -> ColumnElement[bool]:
    return exists().where(
        col(CommissionPart.commission_id) == col(Commission.id),
        col(CommissionPart.organisation_id) == organisation_id,
    )


def commissions_of(
    session: Session, organisation_id: OrganisationId, *, offset: int, limit: int
) -> tuple[int, Sequence[Commission]]:
    """Return (how many, a page of) what an organisation pays or gets, newest first."""
    where = _of(organisation_id)
    count = session.exec(select(func.count()).select_from(Commission).where(where)).one()
    rows = session.exec(
        select(Commission)
        .where(where)
        .order_by(col(Commission.id).desc())
        .offset(offset)
        .limit(limit)
    ).all()
    return int(count), rows


def parts(session: Session, ids: Iterable[CommissionId]) -> Sequence[CommissionPart]:
    """Return the parts of these commissions, in the order in which they were written."""
    return session.exec(
        select(CommissionPart)
        .where(col(CommissionPart.commission_id).in_(set(ids)))
        .order_by(col(CommissionPart.id))
    ).all()


def lock_commission(session: Session, commission_id: CommissionId) -> None:
    """Let one change of a commission go on at a time. Raises Conflict once it is no longer due."""
    must_change(
        session,
        update(Commission)
        .where(col(Commission.id) == commission_id, col(Commission.state) == CommissionState.DUE)
        .values(state=CommissionState.DUE),
        MOVED,
    )


def replace_parts(
    session: Session, commission_id: CommissionId, role: PartRole, rows: list[CommissionPart]
) -> None:
    changed(
        session,
        delete(CommissionPart).where(
            col(CommissionPart.commission_id) == commission_id, col(CommissionPart.role) == role
        ),
    )
    session.add_all(rows)
    session.flush()


def move_commission(
    session: Session,
    commission_id: CommissionId,
    expected: CommissionState,
    to: CommissionState,
    **values: Any,
) -> None:
    """Raises Conflict where it stands elsewhere."""
    must_change(
        session,
        update(Commission)
        .where(col(Commission.id) == commission_id, col(Commission.state) == expected)
        .values(state=to, **values),
        MOVED,
    )


def void_if_due(session: Session, commission_id: CommissionId) -> int:
    return changed(
        session,
        update(Commission)
        .where(col(Commission.id) == commission_id, col(Commission.state) == CommissionState.DUE)
        .values(state=CommissionState.VOID),
    )


def overtaken(session: Session, contract_id: ContractId) -> dict[IntroductionId, CommissionId]:
    """Return, by introduction, the fees of a contract that another broker's had gone before."""
    query = select(col(Commission.introduction_id), col(Commission.id)).where(
        col(Commission.contract_id) == contract_id,
        col(Commission.ground) == Ground.OVERTAKEN,
    )
    return {one: fee for one, fee in session.exec(query) if one is not None}


def owe_after_all(
    session: Session, commission_id: CommissionId, ground: Ground, amount_fen: int | None
) -> int:
    """Let a fee that was overtaken be due on another ground; 0 where it was made so before."""
    return changed(
        session,
        update(Commission)
        .where(
            col(Commission.id) == commission_id,
            col(Commission.ground) == Ground.OVERTAKEN,
            col(Commission.state) == CommissionState.VOID,
        )
        .values(ground=ground, amount_fen=amount_fen, state=CommissionState.DUE),
    )


def dismissed(session: Session, contract_id: ContractId) -> set[IntroductionId]:
    """Return the introductions that a contract was not closed around, as the bureau decided."""
    query = select(col(Bypass.introduction_id)).where(
        col(Bypass.contract_id) == contract_id, col(Bypass.state) == BypassState.DISMISSED
    )
    return set(session.exec(query))


def bypass_by_public_id(session: Session, public_id: PublicId) -> Bypass | None:
    return session.exec(select(Bypass).where(col(Bypass.public_id) == public_id)).first()


def bypasses_of(session: Session, ids: Iterable[CommissionId]) -> dict[CommissionId, Bypass]:
    rows = session.exec(select(Bypass).where(col(Bypass.commission_id).in_(set(ids))))
    return {row.commission_id: row for row in rows}


def bypasses(
    session: Session, organisation_id: OrganisationId | None, *, offset: int, limit: int
) -> tuple[int, Sequence[Bypass]]:
    """Return (how many, a page of) the bypasses of an organisation, or of all for None; newest
    first.
    """
    where: list[ColumnElement[bool]] = []
    if organisation_id is not None:
        where.append(
            or_(
                col(Bypass.broker_id) == organisation_id,
                col(Bypass.seller_id) == organisation_id,
                col(Bypass.buyer_id) == organisation_id,
            )
        )
    count = session.exec(select(func.count()).select_from(Bypass).where(*where)).one()
    rows = session.exec(
        select(Bypass).where(*where).order_by(col(Bypass.id).desc()).offset(offset).limit(limit)
    ).all()
    return int(count), rows


def contested(session: Session) -> Sequence[Bypass]:
    return session.exec(select(Bypass).where(col(Bypass.state) == BypassState.CONTESTED)).all()


def move_bypass(
    session: Session, bypass_id: int, expected: BypassState, to: BypassState, **values: Any
) -> None:
    assert to in EDGES[expected]
    must_change(
        session,
        update(Bypass)
        .where(col(Bypass.id) == bypass_id, col(Bypass.state) == expected)
        .values(state=to, **values),
        "这条跳单记录刚有变化，请刷新后再看",
    )


def clause(session: Session, contract_id: ContractId) -> BrokerClause | None:
    return session.exec(
        select(BrokerClause).where(col(BrokerClause.contract_id) == contract_id)
    ).first()


def newest_clause(session: Session, deal_id: DealId) -> BrokerClause | None:
    """Return the clause of the newest draft of a deal that has one, dropped drafts too."""
    return session.exec(
        select(BrokerClause)
        .join(Contract, col(Contract.id) == col(BrokerClause.contract_id))
        .where(col(Contract.deal_id) == deal_id)
        .order_by(col(Contract.id).desc())
        .limit(1)
    ).first()


def change_clause(session: Session, clause_id: int, version: int, **values: Any) -> None:
    must_change(
        session,
        update(BrokerClause)
        .where(col(BrokerClause.id) == clause_id, col(BrokerClause.version) == version)
        .values(**values),
        "这一条刚被对方改过，请看过最新的再确认",
    )


def introductions(
    session: Session, ids: Iterable[IntroductionId]
) -> dict[IntroductionId, Introduction]:
    rows = session.exec(select(Introduction).where(col(Introduction.id).in_(set(ids))))
    return {row.id: row for row in rows}


def unbalanced(session: Session) -> list[tuple[PublicId, str, int, int]]:
    """Return (commission, role, amount, sum of its parts) where the two differ."""
    query = (
        select(
            col(Commission.public_id),
            col(CommissionPart.role),
            func.coalesce(col(Commission.amount_fen), 0),
            func.sum(col(CommissionPart.amount_fen)),
        )
        .join(CommissionPart, col(CommissionPart.commission_id) == col(Commission.id))
        .group_by(
            col(Commission.id),
            col(Commission.public_id),
            col(CommissionPart.role),
            col(Commission.amount_fen),
        )
        .having(
            func.sum(col(CommissionPart.amount_fen)) != func.coalesce(col(Commission.amount_fen), 0)
        )
    )
    return [(PublicId(row[0]), row[1], int(row[2]), int(row[3])) for row in session.exec(query)]
