"""The only SQL of the registration desk."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.deals.models import Contract, Deal
from market.deals.repository_negotiation import further_in
from market.kit.db import must_change
from market.kit.files import StoredFile
from market.kit.ids import ContractId, OrganisationId, PublicId, RegistrationId
from market.registry.models import Registration, RegistrationEvent
from market.registry.states import (
    AT_THE_DESK,
    COUNTING,
    EDGES,
    ENDED,
    HANDED_IN,
    LIVE,
    RegistrationState,
    Step,
)

MOVED_ON = "这份登记已由别人处理，请刷新后查看结果"


@dataclass(frozen=True, slots=True)
class Filed:
    """A registration with its contract and deal, and the public id of what it supersedes.

    `reads_only`: the actor takes no step of it. `until` is the last step that a party which left
    reads of; `row` is then a copy as it stood after that step, `left_on` the day of the change that
    took it out.
    """

    row: Registration
    contract: Contract
    deal: Deal
    supersedes: PublicId | None
    reads_only: bool = False
    until: int | None = None
    left_on: date | None = None


def filed(session: Session, change: Callable[[Any], Any]) -> list[Filed]:
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
    found = filed(session, lambda q: q.where(col(Registration.public_id) == public_id))
    return found[0] if found else None


def _seen_by(
    as_seller: Collection[OrganisationId] | None, as_buyer: Collection[OrganisationId] | None
) -> ColumnElement[bool]:
    """Return the condition for the contracts that these sellers or buyers signed, or came to by a
    change; None stands for all.
    """
    if as_seller is None or as_buyer is None:
        return and_(True)
    said = col(RegistrationEvent.in_force)
    moved = (  # to one of these by a change, whoever signed
        select(col(RegistrationEvent.registration_id))
        .join(Registration, col(Registration.id) == col(RegistrationEvent.registration_id))
        .where(
            col(Registration.changes) > 0,
            or_(
                said["seller_id"].as_integer().in_(as_seller),
                said["buyer_id"].as_integer().in_(as_buyer),
            ),
        )
    )
    return or_(
        col(Contract.seller_id).in_(as_seller),
        col(Contract.buyer_id).in_(as_buyer),
        col(Registration.id).in_(moved),
    )


def _not_draft() -> ColumnElement[bool]:
    """Return the condition for what the bureau may know of: an unfinished draft is the seller's,
    so is one that was never handed in.
    """
    return and_(
        col(Registration.state) != RegistrationState.DRAFT,
        or_(
            col(Registration.state) != RegistrationState.WITHDRAWN,
            col(Registration.handed_in_on).is_not(None),
        ),
    )


def page(
    session: Session,
    *,
    as_seller: Collection[OrganisationId] | None,
    as_buyer: Collection[OrganisationId] | None,
    state: RegistrationState | None,
    drafts_of: OrganisationId | None,
    further: OrganisationId | None,
    limit: int,
    offset: int,
) -> tuple[list[Filed], int]:
    """Return registrations and their number: those waiting oldest first, others newest first.

    `further` is an organisation of which those deals are seen too in which it is a further party.
    """
    condition = _seen_by(as_seller, as_buyer)
    if further is not None:
        condition = or_(condition, further_in({further}))
    if state is not None:
        condition = and_(condition, col(Registration.state) == state)
    condition = and_(condition, or_(_not_draft(), col(Contract.seller_id) == drafts_of))
    when, serial = col(Registration.submitted_at), col(Registration.id)
    order = (when, serial) if state is RegistrationState.SUBMITTED else (when.desc(), serial.desc())
    rows = filed(session, lambda q: q.where(condition).order_by(*order).limit(limit).offset(offset))
    count = (
        select(func.count())
        .select_from(Registration)
        .join(Contract, col(Contract.id) == col(Registration.contract_id))
        .join(Deal, col(Deal.id) == col(Contract.deal_id))
        .where(condition)
    )
    return rows, int(session.execute(count).scalar_one())


def counts(session: Session) -> dict[str, int]:
    """Return how many registrations stand in each state."""
    query = (
        select(col(Registration.state), func.count())
        .where(_not_draft())
        .group_by(col(Registration.state))
    )
    return {row[0]: int(row[1]) for row in session.execute(query)}


def live_of_contract(session: Session, contract_id: ContractId) -> Registration | None:
    return session.scalars(
        select(Registration).where(
            col(Registration.contract_id) == contract_id, col(Registration.state).in_(LIVE)
        )
    ).first()


def by_ids(session: Session, ids: Collection[RegistrationId]) -> list[Filed]:
    return filed(session, lambda q: q.where(col(Registration.id).in_(ids)))


def newest_of_contracts(
    session: Session, ids: Collection[ContractId]
) -> dict[ContractId, Registration]:
    """Return the newest registration of each contract; what was only prepared is left out."""
    query = select(Registration).where(col(Registration.contract_id).in_(ids), _not_draft())
    rows = session.scalars(query.order_by(col(Registration.id)))
    return {row.contract_id: row for row in rows}


def live_with_fingerprint(session: Session, fingerprint: str) -> Registration | None:
    return session.scalars(
        select(Registration).where(
            col(Registration.fingerprint) == fingerprint, col(Registration.state).in_(HANDED_IN)
        )
    ).first()


def live_with_file(session: Session, sha256: str) -> Registration | None:
    return session.scalars(
        select(Registration).where(
            col(Registration.file_sha256) == sha256, col(Registration.state).in_(HANDED_IN)
        )
    ).first()


def ended_of_contract(session: Session, contract_id: ContractId) -> Registration | None:
    """Return the contract's cancelled or revoked registration."""
    return session.scalars(
        select(Registration).where(
            col(Registration.contract_id) == contract_id, col(Registration.state).in_(ENDED)
        )
    ).first()


def newest_of_buyer(
    session: Session, seller: OrganisationId, buyer: OrganisationId
) -> Filed | None:
    """Return what a seller handed in last of contracts with a buyer."""
    found = filed(
        session,
        lambda q: (
            q.where(
                col(Contract.seller_id) == seller,
                col(Contract.buyer_id) == buyer,
                col(Registration.handed_in_on).is_not(None),
            )
            .order_by(col(Registration.id).desc())
            .limit(1)
        ),
    )
    return found[0] if found else None


def registered_with_number(session: Session, registry: str, number: str) -> Registration | None:
    return session.scalars(
        select(Registration).where(
            col(Registration.registry_name) == registry,
            col(Registration.number) == number,
            col(Registration.state).in_(COUNTING),
        )
    ).first()


def ended_with_number(session: Session, registry: str, number: str) -> Registration | None:
    """Return what held a number until it was cancelled or revoked."""
    return session.scalars(
        select(Registration).where(
            col(Registration.registry_name) == registry,
            col(Registration.number) == number,
            col(Registration.state).in_(ENDED),
        )
    ).first()


def last_withdrawn_with_number(session: Session, registry: str, number: str) -> Filed | None:
    """Return the registration that held a number last and was undone.

    By what the book counted, which has one order: two may be undone at the same instant.
    """
    found = filed(
        session,
        lambda q: (
            q.where(
                col(Registration.registry_name) == registry,
                col(Registration.number) == number,
                col(Registration.state) == RegistrationState.WITHDRAWN,
            )
            .order_by(col(Registration.transaction_id).desc())
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
    """Return live registrations of other contracts between the same two parties, or by another
    seller to the same buyer on the same day and for the same sum, newest first: joint sellers may
    each hand in the one contract that they have.
    """
    return filed(
        session,
        lambda q: (
            q.where(
                or_(
                    col(Contract.seller_id) == contract.seller_id,
                    and_(
                        col(Contract.signed_on) == contract.signed_on,
                        col(Contract.total_fen) == contract.total_fen,
                    ),
                ),
                col(Contract.buyer_id) == contract.buyer_id,
                col(Contract.id) != contract.id,
                col(Registration.state).in_(HANDED_IN),
            )
            .order_by(
                (col(Contract.seller_id) == contract.seller_id).asc(),
                col(Registration.submitted_at).desc(),
            )
            .limit(limit)
        ),
    )


def move_registration(
    session: Session, row: Registration, step: Step, to: RegistrationState, **values: Any
) -> RegistrationState:
    """Take a step that leads to `to`, from where the row stands. Return where that was.

    Raises Conflict where the step does not lead from there, or somebody else moved it meanwhile.
    """
    before = RegistrationState(row.state)
    from_here = EDGES[step].before(to) & {before}
    must_change(
        session,
        update(Registration)
        .where(
            col(Registration.id) == row.id,
            col(Registration.state).in_(from_here),
            col(Registration.changes) == row.changes,
        )
        .values(state=to, **values),
        MOVED_ON,
    )
    session.refresh(row)
    return before


def fill(session: Session, row: Registration, **values: Any) -> None:
    """Rewrite what the seller hands in, while it is the seller's turn. Raises Conflict."""
    must_change(
        session,
        update(Registration)
        .where(
            col(Registration.id) == row.id,
            col(Registration.state).in_(EDGES[Step.HAND_IN].origins),
        )
        .values(**values),
        "登记申请已经提交，不能再改",
    )
    session.refresh(row)


def events(session: Session, row: Registration) -> list[RegistrationEvent]:
    """Return the steps of a registration in their order."""
    return list(
        session.scalars(
            select(RegistrationEvent)
            .where(col(RegistrationEvent.registration_id) == row.id)
            .order_by(col(RegistrationEvent.place))
        )
    )


def events_of(
    session: Session, ids: Collection[RegistrationId]
) -> dict[RegistrationId, list[RegistrationEvent]]:
    """Return the steps of several registrations, each in their order."""
    found: dict[RegistrationId, list[RegistrationEvent]] = {}
    rows = session.scalars(
        select(RegistrationEvent)
        .where(col(RegistrationEvent.registration_id).in_(ids))
        .order_by(col(RegistrationEvent.place))
    )
    for row in rows:
        found.setdefault(row.registration_id, []).append(row)
    return found


def add_event(session: Session, event: RegistrationEvent) -> None:
    """Write a step as the registration's next one; its row is locked by the move."""
    last = session.execute(
        select(func.coalesce(func.max(col(RegistrationEvent.place)), 0)).where(
            col(RegistrationEvent.registration_id) == event.registration_id
        )
    ).scalar_one()
    event.place = int(last) + 1
    session.add(event)
    session.flush()


def file_of(session: Session, row: Registration) -> StoredFile | None:
    return None if row.file_id is None else session.get(StoredFile, row.file_id)


def waiting_for_bureau(session: Session) -> list[Filed]:
    """Return what waits at the desk and what was sent back, the oldest application first."""
    states = (*AT_THE_DESK, RegistrationState.CORRECTION)
    return filed(
        session,
        lambda q: q.where(col(Registration.state).in_(states)).order_by(
            col(Registration.submitted_at), col(Registration.id)
        ),
    )
