"""The SQL of what waits at the desk."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, and_, or_, select
from sqlmodel import Session, col

from market.deals.models import Contract, Deal
from market.deals.vocabulary import ContractState
from market.kit.ids import ContractId, RegistrationId
from market.registry import repository
from market.registry.models import Registration, RegistrationEvent
from market.registry.repository import Filed
from market.registry.states import AT_THE_DESK, ENDED, HANDED_IN, RegistrationState, Step

WAITING = AT_THE_DESK | {RegistrationState.CORRECTION, RegistrationState.OBJECTION}


def at_the_desk(session: Session) -> list[Filed]:
    """Return registrations that wait for the bureau, or were sent back, with their contracts."""
    signed = col(Contract.signed_on).is_not(None)
    return repository.filed(
        session, lambda q: q.where(col(Registration.state).in_(WAITING), signed)
    )


def newest_event(session: Session, row: Registration, step: Step) -> RegistrationEvent | None:
    """Return when a registration took a step last."""
    return session.scalars(
        select(RegistrationEvent)
        .where(
            col(RegistrationEvent.registration_id) == row.id, col(RegistrationEvent.step) == step
        )
        .order_by(col(RegistrationEvent.place).desc())
        .limit(1)
    ).first()


def newest_events(
    session: Session, ids: Collection[RegistrationId], step: Step
) -> dict[RegistrationId, RegistrationEvent]:
    """Return when each registration took a step last."""
    rows = session.scalars(
        select(RegistrationEvent)
        .where(col(RegistrationEvent.registration_id).in_(ids), col(RegistrationEvent.step) == step)
        .order_by(col(RegistrationEvent.place))
    )
    return {row.registration_id: row for row in rows}


def _open() -> ColumnElement[bool]:
    """Return the condition that a contract is signed and neither handed in, nor registered, nor
    ended: a draft of the application is not handed in.
    """
    stands = select(col(Registration.id)).where(
        col(Registration.contract_id) == col(Contract.id),
        or_(col(Registration.state).in_(HANDED_IN), col(Registration.state).in_(ENDED)),
    )
    return and_(col(Contract.state) == ContractState.SIGNED, ~stands.exists())


def may_be_handed_in(session: Session, contract_id: ContractId) -> bool:
    query = select(col(Contract.id)).where(col(Contract.id) == contract_id, _open())
    return session.scalars(query).first() is not None


def unregistered(session: Session) -> list[tuple[Contract, Deal]]:
    """Return signed contracts that may be handed in, with their deals."""
    rows = session.execute(
        select(Contract, Deal).join(Deal, col(Deal.id) == col(Contract.deal_id)).where(_open())
    )
    return [(row[0], row[1]) for row in rows]
