"""The only SQL of rewards."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from market.deals.models import Contract
from market.kit.db import changed, must_change
from market.kit.ids import ContractId, OrganisationId, PublicId, RewardId
from market.rewards.models import Reward, RewardShare, RewardState, Way


def reward(session: Session, public_id: PublicId) -> Reward | None:
    return session.exec(select(Reward).where(col(Reward.public_id) == public_id)).first()


def rewards_of(
    session: Session, organisation_id: OrganisationId, *, offset: int, limit: int
) -> tuple[int, Sequence[Reward]]:
    """Return (how many, a page of) an organisation's rewards, newest first."""
    where = col(Reward.organisation_id) == organisation_id
    count = session.exec(select(func.count()).select_from(Reward).where(where)).one()
    rows = session.exec(
        select(Reward).where(where).order_by(col(Reward.id).desc()).offset(offset).limit(limit)
    ).all()
    return int(count), rows


def shares(session: Session, ids: Iterable[RewardId]) -> dict[RewardId, list[RewardShare]]:
    found: dict[RewardId, list[RewardShare]] = {}
    query = (
        select(RewardShare)
        .where(col(RewardShare.reward_id).in_(set(ids)))
        .order_by(col(RewardShare.reward_id), col(RewardShare.position))
    )
    for row in session.exec(query):
        found.setdefault(row.reward_id, []).append(row)
    return found


def confirm(session: Session, reward_id: RewardId, at: datetime) -> None:
    must_change(
        session,
        update(Reward)
        .where(col(Reward.id) == reward_id, col(Reward.state) == RewardState.DRAFTED)
        .values(state=RewardState.CONFIRMED, confirmed_at=at),
        "这份说明已经确认过了，请刷新后再看",
    )


def drop(session: Session, reward_id: RewardId) -> None:
    """Delete a draft with its shares. Raises Conflict where it was confirmed or is gone."""
    changed(session, delete(RewardShare).where(col(RewardShare.reward_id) == reward_id))
    must_change(
        session,
        delete(Reward).where(col(Reward.id) == reward_id, col(Reward.state) == RewardState.DRAFTED),
        "这份说明已经确认，不能删除",
    )


def lock_contract(session: Session, contract_id: ContractId) -> None:
    """Let one statement for a contract be confirmed at a time, judged by those before it."""
    session.exec(
        select(col(Contract.id))
        .where(col(Contract.id) == contract_id)
        .with_for_update(key_share=True)
    ).one()


def confirmed_for(
    session: Session, organisation_id: OrganisationId, contract_id: ContractId | None, way: Way
) -> Sequence[Reward]:
    """Return the confirmed rewards of an organisation for one contract, or for none, of one way."""
    return session.exec(
        select(Reward).where(
            col(Reward.organisation_id) == organisation_id,
            col(Reward.contract_id).is_not_distinct_from(contract_id),
            col(Reward.way) == way,
            col(Reward.state) == RewardState.CONFIRMED,
        )
    ).all()


def signed_contracts(session: Session, seller_id: OrganisationId) -> Sequence[Contract]:
    """Return the seller's signed contracts, the newest first."""
    return session.exec(
        select(Contract)
        .where(col(Contract.seller_id) == seller_id, col(Contract.state) == "signed")
        .order_by(col(Contract.signed_on).desc(), col(Contract.id).desc())
        .limit(200)
    ).all()


def confirmed_between(
    session: Session, organisation_id: OrganisationId, since: date, until: date
) -> Sequence[Reward]:
    """Return the confirmed rewards that an organisation decided within these days."""
    return session.exec(
        select(Reward)
        .where(
            col(Reward.organisation_id) == organisation_id,
            col(Reward.state) == RewardState.CONFIRMED,
            col(Reward.decided_on) >= since,
            col(Reward.decided_on) <= until,
        )
        .order_by(col(Reward.id))
    ).all()


def contracts(session: Session, ids: Iterable[ContractId]) -> dict[ContractId, Contract]:
    rows = session.exec(select(Contract).where(col(Contract.id).in_(set(ids))))
    return {row.id: row for row in rows}


def uneven(session: Session) -> list[tuple[PublicId, int, int]]:
    """Return (reward, amount, sum of its shares) where the two differ."""
    query = (
        select(col(Reward.public_id), col(Reward.amount), func.sum(col(RewardShare.amount)))
        .join(RewardShare, col(RewardShare.reward_id) == col(Reward.id))
        .group_by(col(Reward.id), col(Reward.public_id), col(Reward.amount))
        .having(func.sum(col(RewardShare.amount)) != col(Reward.amount))
    )
    return [(PublicId(row[0]), int(row[1]), int(row[2])) for row in session.exec(query)]
