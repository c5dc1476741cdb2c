"""The SQL of what waits at the desk."""

from sqlalchemy import select
from sqlmodel import Session, col

from market.deals.models import Contract, Deal
from market.deals.vocabulary import ContractState
from market.registry.models import Registration, RegistrationState
from market.registry.repository import LIVE


def submitted(session: Session) -> list[tuple[Registration, Contract]]:
    """Return registrations that wait for the bureau's decision, with their contracts."""
    rows = session.execute(
        select(Registration, Contract)
        .join(Contract, col(Contract.id) == col(Registration.contract_id))
        .where(col(Registration.state) == RegistrationState.SUBMITTED)
    )
    return [(row[0], row[1]) for row in rows]


def unregistered(session: Session) -> list[tuple[Contract, Deal]]:
    """Return signed contracts that are neither registered nor handed in, with their deals."""
    live = select(col(Registration.id)).where(
        col(Registration.contract_id) == col(Contract.id), col(Registration.state).in_(LIVE)
    )
    rows = session.execute(
        select(Contract, Deal)
        .join(Deal, col(Deal.id) == col(Contract.deal_id))
        .where(col(Contract.state) == ContractState.SIGNED, ~live.exists())
    )
    return [(row[0], row[1]) for row in rows]
