"""The SQL of the necessary cost of a mandate against the fee that it may still earn."""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import ColumnElement, and_, exists, func, or_, update
from sqlalchemy.orm import Mapped
from sqlmodel import Session, col, select

from market.access.models import Mandate, MandateState
from market.brokerage.models import Commission, CommissionPart, CommissionState, PartRole
from market.brokerage.rule import Ground
from market.deals.models import Contract, Deal, Introduction
from market.deals.models_negotiation import DealParty
from market.deals.vocabulary import DealState, Side
from market.kit.db import changed
from market.kit.ids import CommissionId, MandateId, OrganisationId


def lock_mandates(session: Session, ids: Iterable[MandateId]) -> None:
    """Let what a mandate's success and its end come to be worked out one after the other.

    Each sees what the other wrote: a cost and a fee of one mandate are never both owed.
    """
    session.exec(
        select(col(Mandate.id))
        .where(col(Mandate.id).in_(set(ids)))
        .order_by(col(Mandate.id))
        .with_for_update(key_share=True)
    ).all()


def fee_of(session: Session, mandate_id: MandateId) -> CommissionId | None:
    """Return the first fee that a mandate has earned, None for none: by its own introduction, or
    by the clause of a contract between two that it introduced.
    """
    of_clause = (
        exists()
        .where(
            col(Introduction.mandate_id) == mandate_id,
            col(Contract.id) == col(Commission.contract_id),
            _same_pair(),
            col(CommissionPart.commission_id) == col(Commission.id),
            col(CommissionPart.role) == PartRole.BROKER,
            col(CommissionPart.organisation_id) == col(Introduction.broker_id),
        )
        .correlate(Commission)
    )
    query = (
        select(col(Commission.id))
        .where(
            col(Commission.state) != CommissionState.VOID,
            or_(
                and_(
                    col(Commission.mandate_id) == mandate_id,
                    col(Commission.ground).in_([Ground.SUCCESS, Ground.CLAUSE, Ground.BYPASS]),
                ),
                and_(col(Commission.ground) == Ground.CLAUSE, of_clause),
            ),
        )
        .order_by(col(Commission.id))
    )
    return session.exec(query.limit(1)).first()


def _same_pair() -> ColumnElement[bool]:
    """Return the WHERE clause of an introduction of one party of either side of a contract."""
    seller, buyer = col(Introduction.seller_id), col(Introduction.buyer_id)
    return or_(
        and_(_party(seller, Side.SELLER), _party(buyer, Side.BUYER)),
        and_(_party(buyer, Side.SELLER), _party(seller, Side.BUYER)),
    )


def _party(one: Mapped[OrganisationId], side: Side) -> ColumnElement[bool]:
    leading = col(Contract.seller_id) if side is Side.SELLER else col(Contract.buyer_id)
    further = exists().where(
        col(DealParty.deal_id) == col(Contract.deal_id),
        col(DealParty.side) == side,
        col(DealParty.organisation_id) == one,
    )
    return or_(one == leading, further)


def negotiating(session: Session, mandate_id: MandateId) -> bool:
    """Return whether a deal that a mandate's introduction led to may still earn its fee: it was not
    lost, and no contract of it has been worked out.
    """
    worked_out = exists().where(
        col(Contract.deal_id) == col(Deal.id), col(Commission.contract_id) == col(Contract.id)
    )
    query = (
        select(col(Deal.id))
        .join(Introduction, col(Introduction.deal_id) == col(Deal.id))
        .where(
            col(Introduction.mandate_id) == mandate_id,
            col(Deal.state) != DealState.LOST,
            ~worked_out.correlate(Deal),
        )
    )
    return session.exec(query.limit(1)).first() is not None


def _costs(mandate_id: MandateId, state: CommissionState) -> ColumnElement[bool]:
    return and_(
        col(Commission.mandate_id) == mandate_id,
        col(Commission.ground) == Ground.COST,
        col(Commission.state) == state,
    )


def bear_cost(session: Session, mandate_id: MandateId, fee: CommissionId) -> None:
    """Let the broker bear its cost once it has earned a fee: one that is due is owed no longer, one
    that was paid counts towards the fee.
    """
    due = _costs(mandate_id, CommissionState.DUE)
    changed(session, update(Commission).where(due).values(state=CommissionState.VOID))
    paid = and_(_costs(mandate_id, CommissionState.PAID), col(Commission.credited_to_id).is_(None))
    changed(session, update(Commission).where(paid).values(credited_to_id=fee))


def overdue(session: Session, today: date, after_id: MandateId, limit: int) -> Sequence[Mandate]:
    """Return mandates, once accepted, that promised their cost and are over, in the order given;
    without those of which nothing more can come: the cost stands, or the fee was earned for good.
    """
    settled = exists().where(
        col(Commission.mandate_id) == col(Mandate.id),
        col(Commission.state) != CommissionState.VOID,
        or_(
            col(Commission.ground).in_([Ground.COST, Ground.SUCCESS]),
            col(Commission.state) == CommissionState.PAID,
        ),
    )
    return session.exec(
        select(Mandate)
        .where(
            col(Mandate.id) > after_id,
            col(Mandate.cost_fen) > 0,
            or_(
                and_(col(Mandate.state) == MandateState.LIVE, col(Mandate.valid_until) < today),
                and_(
                    col(Mandate.state) == MandateState.ENDED, col(Mandate.decided_at).is_not(None)
                ),
            ),
            ~settled,
        )
        .order_by(col(Mandate.id))
        .limit(limit)
    ).all()


def owe_cost_again(session: Session, mandate_id: MandateId) -> None:
    """Let a cost be due that a fee had made void, where that fee is not owed after all."""
    changed(
        session,
        update(Commission)
        .where(_costs(mandate_id, CommissionState.VOID))
        .values(state=CommissionState.DUE),
    )


def release_costs(session: Session, fee: CommissionId) -> None:
    """Let paid costs stand for themselves where the fee that they counted towards is void."""
    changed(
        session,
        update(Commission).where(col(Commission.credited_to_id) == fee).values(credited_to_id=None),
    )


def credited(session: Session, ids: Iterable[CommissionId]) -> dict[CommissionId, int]:
    """Return how much, in fen, of paid costs counts towards each of these fees, where any does."""
    fee = col(Commission.credited_to_id)
    rows = session.exec(
        select(fee, func.sum(col(Commission.amount_fen))).where(fee.in_(set(ids))).group_by(fee)
    )
    return {CommissionId(row[0]): int(row[1] or 0) for row in rows if row[0] is not None}
