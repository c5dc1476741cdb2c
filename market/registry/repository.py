"""The only SQL of the registration desk."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.deals.models import Contract, Deal
from market.kit.db import must_change
from market.kit.ids import ContractId, OrganisationId, PublicId
from market.registry.models import EDGES, Registration, RegistrationState

LIVE = (RegistrationState.SUBMITTED, RegistrationState.REGISTERED)


@dataclass(frozen=True, slots=True)
class Filed:
    """A registration with its contract and deal, and the public id of what it supersedes."""

    row: Registration
    contract: Contract
    deal: Deal
    supersedes: PublicId | None


def _filed(session: Session, change: Callable[[Any], Any]) -> list[Filed]:
    """Return what the query selects after `change` has narrowed and ordered it."""
    earlier = aliased(Registration)
    query = (
        select(Registration, Contract, Deal, col(earlier.public_id))
        .join(Contract, col(Contract.id) == col(Registration.contract_id))
        .join(Deal, col(Deal.id) == col(Contract.deal_id))
        .outerjoin(earlier, col(earlier.id) == col(Registration.supersedes_id))
    )
    return [Filed(row[0], row[1], row[2], row[3]) for row in session.execute(change(query))]


def by_public_id(session: Session, public_id: PublicId) -> Filed | None:
    found = _filed(session, lambda q: q.where(col(Registration.public_id) == public_id))
    return found[0] if found else None


def _seen_by(
    as_seller: Collection[OrganisationId] | None, as_buyer: Collection[OrganisationId] | None
) -> ColumnElement[bool]:
    """Return the condition for the contracts of these sellers or buyers; None stands for all."""
    if as_seller is None or as_buyer is None:
        return and_(True)
    return or_(col(Contract.seller_id).in_(as_seller), col(Contract.buyer_id).in_(as_buyer))


def page(
    session: Session,
    *,
    as_seller: Collection[OrganisationId] | None,
    as_buyer: Collection[OrganisationId] | None,
    state: RegistrationState | None,
    limit: int,
    offset: int,
) -> tuple[list[Filed], int]:
    """Return registrations and their number: those waiting oldest first, others newest first."""
    condition = _seen_by(as_seller, as_buyer)
    if state is not None:
        condition = and_(condition, col(Registration.state) == state)
    when, serial = col(Registration.submitted_at), col(Registration.id)
    order = (when, serial) if state is RegistrationState.SUBMITTED else (when.desc(), serial.desc())
    rows = _filed(
        session, lambda q: q.where(condition).order_by(*order).limit(limit).offset(offset)
    )
    count = (
        select(func.count())
        .select_from(Registration)
        .join(Contract, col(Contract.id) == col(Registration.contract_id))
        .where(condition)
    )
    return rows, int(session.execute(count).scalar_one())


def counts(session: Session) -> dict[str, int]:
    """Return how many registrations stand in each state."""
    query = select(col(Registration.state), func.count()).group_by(col(Registration.state))
    return {row[0]: int(row[1]) for row in session.execute(query)}


def live_of_contract(session: Session, contract_id: ContractId) -> Registration | None:
    return session.scalars(
        select(Registration).where(
            col(Registration.contract_id) == contract_id, col(Registration.state).in_(LIVE)
        )
    ).first()


def newest_of_contracts(
    session: Session, ids: Collection[ContractId]
) -> dict[ContractId, Registration]:
    rows = session.scalars(
        select(Registration)
        .where(col(Registration.contract_id).in_(ids))
        .order_by(col(Registration.id))
    )
    return {row.contract_id: row for row in rows}


def live_with_fingerprint(session: Session, fingerprint: str) -> Registration | None:
    return session.scalars(
        select(Registration).where(
            col(Registration.fingerprint) == fingerprint, col(Registration.state).in_(LIVE)
        )
    ).first()


def registered_with_number(session: Session, registry: str, number: str) -> Registration | None:
    return session.scalars(
        select(Registration).where(
            col(Registration.registry_name) == registry,
            col(Registration.number) == number,
            col(Registration.state) == RegistrationState.REGISTERED,
        )
    ).first()


def last_withdrawn_with_number(session: Session, registry: str, number: str) -> Filed | None:
    """Return the registration that held a number last and was undone."""
    found = _filed(
        session,
        lambda q: (
            q.where(
                col(Registration.registry_name) == registry,
                col(Registration.number) == number,
                col(Registration.state) == RegistrationState.WITHDRAWN,
            )
            .order_by(col(Registration.withdrawn_at).desc(), col(Registration.id).desc())
            .limit(1)
        ),
    )
    return found[0] if found else None


def undone_of_contract(session: Session, contract_id: ContractId) -> list[Registration]:
    """Return the contract's undone registrations, newest first."""
    return list(
        session.scalars(
            select(Registration)
            .where(
                col(Registration.contract_id) == contract_id,
                col(Registration.state) == RegistrationState.WITHDRAWN,
                col(Registration.number).is_not(None),
            )
            .order_by(col(Registration.withdrawn_at).desc(), col(Registration.id).desc())
        )
    )


def others_of_parties(session: Session, contract: Contract, limit: int) -> list[Filed]:
    """Return live registrations of other contracts between the same two parties, newest first."""
    return _filed(
        session,
        lambda q: (
            q.where(
                col(Contract.seller_id) == contract.seller_id,
                col(Contract.buyer_id) == contract.buyer_id,
                col(Contract.id) != contract.id,
                col(Registration.state).in_(LIVE),
            )
            .order_by(col(Registration.submitted_at).desc())
            .limit(limit)
        ),
    )


def move_registration(
    session: Session,
    row: Registration,
    expected: RegistrationState,
    to: RegistrationState,
    **values: Any,
) -> None:
    """Move along one of its edges. Raises Conflict where it has moved on."""
    assert to in EDGES[expected]
    must_change(
        session,
        update(Registration)
        .where(col(Registration.id) == row.id, col(Registration.state) == expected)
        .values(state=to, **values),
        "这份登记已由别人处理，请刷新后查看结果",
    )
    session.refresh(row)
