"""The SQL of deals: their terms, events and notes.

Inquiries and introductions have theirs in `repository_inquiries.py`, pricing paths and contracts in
`repository_contracts.py`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, or_, update
from sqlalchemy import select as select_core
from sqlmodel import Session, col, select

from market.deals import repository_negotiation as beside
from market.deals.models import Contract, Deal, DealEvent, Terms
from market.deals.models_negotiation import DealStage
from market.deals.vocabulary import (
    ContractState,
    DealState,
    Phase,
    Shelf,
    Side,
    StageEntered,
)
from market.kit.db import changed, must_change
from market.kit.ids import DealId, ListingId, OrganisationId, PublicId

D = DealState
DEAL_EDGES: dict[DealState, frozenset[DealState]] = {
    D.NEGOTIATION: frozenset({D.AGREED, D.LOST}),
    D.AGREED: frozenset({D.NEGOTIATION, D.LOST}),
    D.LOST: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Only:
    """What a list of deals is narrowed to; `side` is the one that `organisations` lead."""

    phase: Phase | None = None
    words: str = ""
    side: Side | None = None
    organisations: frozenset[OrganisationId] = frozenset()


def deal(session: Session, deal_id: DealId) -> Deal:
    return session.get_one(Deal, deal_id)


def deals(session: Session, ids: Iterable[DealId | None]) -> dict[DealId, Deal]:
    rows = session.exec(select(Deal).where(col(Deal.id).in_({one for one in ids if one})))
    return {row.id: row for row in rows}


def deal_by_public_id(session: Session, public_id: PublicId, *, lock: bool = False) -> Deal | None:
    """Return a deal; with `lock` held until the end of the transaction.

    The deal's row is the first that every step locks, so that two steps cannot wait for each
    other. SQLite's writer holds the whole database anyway.
    """
    query = select(Deal).where(col(Deal.public_id) == public_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    return session.exec(query).first()


def _open() -> ColumnElement[bool]:
    return and_(col(Deal.state) != D.LOST, col(Deal.concluded_at).is_(None))


def open_deal(
    session: Session,
    *,
    seller_id: OrganisationId,
    buyer_id: OrganisationId,
    achievement_id: ListingId | None,
    demand_id: ListingId | None,
) -> Deal | None:
    """Return the open deal of the pair: the buyer and the achievement, or, of a deal without an
    achievement, the seller and the demand.
    """
    pair = and_(
        col(Deal.achievement_id).is_(None),
        col(Deal.demand_id) == demand_id,
        col(Deal.seller_id) == seller_id,
    )
    if achievement_id is not None:
        pair = or_(
            pair, and_(col(Deal.achievement_id) == achievement_id, col(Deal.buyer_id) == buyer_id)
        )
    return session.exec(
        select(Deal)
        .where(_open(), pair)
        .order_by(col(Deal.achievement_id).is_(None), col(Deal.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def complete_deal(
    session: Session,
    deal_id: DealId,
    *,
    achievement_id: ListingId | None,
    demand_id: ListingId | None,
    at: datetime,
) -> None:
    """Fill in the listing that an open deal did not name yet."""
    changed(
        session,
        update(Deal)
        .where(col(Deal.id) == deal_id)
        .values(
            achievement_id=func.coalesce(col(Deal.achievement_id), achievement_id),
            demand_id=func.coalesce(col(Deal.demand_id), demand_id),
            updated_at=at,
        ),
    )


def _of(
    as_seller: Collection[OrganisationId],
    as_buyer: Collection[OrganisationId],
    further: Collection[OrganisationId],
) -> ColumnElement[bool]:
    return or_(
        col(Deal.seller_id).in_(as_seller),
        col(Deal.buyer_id).in_(as_buyer),
        beside.further_in(further),
    )


def _on(shelf: Shelf) -> ColumnElement[bool]:
    return {
        Shelf.RUNNING: _open(),
        Shelf.SIGNED: col(Deal.concluded_at).is_not(None),
        Shelf.LOST: col(Deal.state) == D.LOST,
    }[shelf]


def _wanted(only: Only) -> list[ColumnElement[bool]]:
    """Return the WHERE clauses of what a list is narrowed to."""
    found = []
    if only.phase is not None:
        found.append(and_(col(Deal.state) == D.NEGOTIATION, col(Deal.phase) == only.phase))
    found += [col(Deal.title).contains(word, autoescape=True) for word in only.words.split()[:8]]
    if only.side is not None:
        column = Deal.seller_id if only.side is Side.SELLER else Deal.buyer_id
        found.append(col(column).in_(only.organisations))
    return found


def deals_of(
    session: Session,
    *,
    as_seller: Collection[OrganisationId],
    as_buyer: Collection[OrganisationId],
    further: Collection[OrganisationId],
    only: Only,
    shelf: Shelf | None,
    offset: int,
    limit: int,
) -> Sequence[Deal]:
    """Return a page of the deals of either side, on one shelf or all, those changed last first."""
    query = select(Deal).where(_of(as_seller, as_buyer, further), *_wanted(only))
    if shelf is not None:
        query = query.where(_on(shelf))
    order = (col(Deal.updated_at).desc(), col(Deal.id).desc())
    return session.exec(query.order_by(*order).offset(offset).limit(limit)).all()


def deal_counts(
    session: Session,
    *,
    as_seller: Collection[OrganisationId],
    as_buyer: Collection[OrganisationId],
    further: Collection[OrganisationId],
    only: Only,
) -> dict[Shelf, int]:
    """Return how many deals of either side stand on each shelf."""
    sums = [func.coalesce(func.sum(case((_on(one), 1), else_=0)), 0) for one in Shelf]
    those = (_of(as_seller, as_buyer, further), *_wanted(only))
    row = session.execute(select_core(*sums).where(*those)).one()
    return {one: int(count) for one, count in zip(Shelf, row, strict=True)}


def running_fen(
    session: Session,
    *,
    as_seller: Collection[OrganisationId],
    as_buyer: Collection[OrganisationId],
    further: Collection[OrganisationId],
) -> int:
    """Return what the deals under way are about, in fen: of an agreed deal the contract's total,
    else the newest terms' amount.
    """
    total = select_core(col(Contract.total_fen)).where(
        col(Contract.deal_id) == col(Deal.id),
        col(Contract.state) != ContractState.DROPPED,
        col(Deal.state) == D.AGREED,
    )
    amount = select_core(col(Terms.amount_fen)).where(
        col(Terms.deal_id) == col(Deal.id), col(Terms.version) == col(Deal.terms_version)
    )
    about = func.coalesce(total.scalar_subquery(), amount.scalar_subquery(), 0)
    query = select_core(func.coalesce(func.sum(about), 0)).where(
        _on(Shelf.RUNNING), _of(as_seller, as_buyer, further)
    )
    return int(session.execute(query).scalar_one())


def move_deal(
    session: Session, row: Deal, expected: DealState, to: DealState, **values: Any
) -> None:
    """Move an open deal along one of its edges. Raises Conflict where it stands elsewhere."""
    assert to in DEAL_EDGES[expected]
    must_change(
        session,
        update(Deal)
        .where(
            col(Deal.id) == row.id, col(Deal.state) == expected, col(Deal.concluded_at).is_(None)
        )
        .values(state=to, **values),
        "洽谈的状态已经变了，请刷新后再操作",
    )


def next_terms(session: Session, row: Deal, seen: int, side: Side, at: datetime) -> None:
    """Make `seen + 1` the newest version, confirmed by its proposer alone."""
    must_change(
        session,
        update(Deal)
        .where(
            col(Deal.id) == row.id,
            col(Deal.state) == D.NEGOTIATION,
            col(Deal.terms_version) == seen,
        )
        .values(
            terms_version=seen + 1,
            seller_confirmed=seen + 1 if side is Side.SELLER else 0,
            buyer_confirmed=seen + 1 if side is Side.BUYER else 0,
            updated_at=at,
        ),
        "对方刚提出了新的条件，请先看过再提",
    )


def confirm_terms(session: Session, row: Deal, version: int, side: Side, at: datetime) -> None:
    """Note that a side confirms the newest version. Raises Conflict where it is not the newest."""
    column = f"{side.value}_confirmed"
    must_change(
        session,
        update(Deal)
        .where(
            col(Deal.id) == row.id,
            col(Deal.state) == D.NEGOTIATION,
            col(Deal.terms_version) == version,
        )
        .values(**{column: version, "updated_at": at}),
        "对方刚提出了新的条件，请先看过再确认",
    )


def conclude(session: Session, deal_id: DealId, at: datetime) -> None:
    """Close an agreed deal by its signed contract. Raises Conflict where it was lost meanwhile."""
    must_change(
        session,
        update(Deal)
        .where(
            col(Deal.id) == deal_id,
            col(Deal.state) == D.AGREED,
            col(Deal.concluded_at).is_(None),
        )
        .values(concluded_at=at, updated_at=at),
        "洽谈已经终止，合同不能再签",
    )


def touch_deal(session: Session, deal_id: DealId, at: datetime) -> None:
    changed(session, update(Deal).where(col(Deal.id) == deal_id).values(updated_at=at))


def enter_stage(session: Session, deal_id: DealId, stage: StageEntered, at: datetime) -> None:
    """Note that a deal entered a stage."""
    session.add(DealStage(deal_id=deal_id, stage=stage, entered_at=at))


def stages_of(session: Session, deal_ids: Collection[DealId]) -> Sequence[DealStage]:
    """Return the stages that these deals entered, in the order in which they did."""
    return session.exec(
        select(DealStage).where(col(DealStage.deal_id).in_(deal_ids)).order_by(col(DealStage.id))
    ).all()


def move_phase(session: Session, row: Deal, seen: Phase, to: Phase, at: datetime) -> None:
    """Move a deal under negotiation to another phase. Raises Conflict where it stands elsewhere."""
    must_change(
        session,
        update(Deal)
        .where(col(Deal.id) == row.id, col(Deal.state) == D.NEGOTIATION, col(Deal.phase) == seen)
        .values(phase=to, updated_at=at),
        "洽谈的阶段已经变了，请刷新后再移",
    )
    enter_stage(session, row.id, StageEntered(to), at)


def terms_of(session: Session, deal_ids: Collection[DealId]) -> Sequence[Terms]:
    """Return all proposals of these deals, newest first."""
    return session.exec(
        select(Terms)
        .where(col(Terms.deal_id).in_(deal_ids))
        .order_by(col(Terms.deal_id), col(Terms.version).desc())
    ).all()


def events_of(session: Session, deal_id: DealId) -> Sequence[DealEvent]:
    return session.exec(
        select(DealEvent).where(col(DealEvent.deal_id) == deal_id).order_by(col(DealEvent.id))
    ).all()
