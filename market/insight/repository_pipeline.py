"""SQL of the forecast: how far each deal has come, and when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, select
from sqlmodel import Session, col

from market.accounts.models import Organisation
from market.deals.models import Contract, Deal, Terms
from market.deals.models_negotiation import DealStage
from market.deals.vocabulary import ContractState, DealState
from market.insight.repository import here
from market.kit.ids import DealId
from market.registry.models import Registration


@dataclass(frozen=True, slots=True)
class Dealt:
    """One deal: what its price was named at last, and how it ended, if it did; fen."""

    id: DealId
    lost: bool
    named_fen: int | None
    drafted_fen: int | None


def deals(session: Session, region: str) -> list[Dealt]:
    """Return the deals whose seller is in a region."""
    query = (
        select(
            col(Deal.id),
            col(Deal.state),
            col(Terms.amount_fen),
            col(Contract.technical_fen),
        )
        .join(Organisation, col(Organisation.id) == col(Deal.seller_id))
        .outerjoin(
            Terms,
            and_(col(Terms.deal_id) == col(Deal.id), col(Terms.version) == col(Deal.terms_version)),
        )
        .outerjoin(
            Contract,
            and_(
                col(Contract.deal_id) == col(Deal.id),
                col(Contract.state) != ContractState.DROPPED,
            ),
        )
        .where(here(Organisation.region, region))
        .order_by(col(Deal.id))
    )
    return [
        Dealt(row[0], row[1] == DealState.LOST, row[2], row[3]) for row in session.execute(query)
    ]


def stages(session: Session, region: str) -> Iterator[tuple[DealId, str, datetime]]:
    """Yield (deal, stage, when) of those deals, each deal's in the order in which it went."""
    query = (
        select(col(DealStage.deal_id), col(DealStage.stage), col(DealStage.entered_at))
        .join(Deal, col(Deal.id) == col(DealStage.deal_id))
        .join(Organisation, col(Organisation.id) == col(Deal.seller_id))
        .where(here(Organisation.region, region))
        .order_by(col(DealStage.deal_id), col(DealStage.entered_at), col(DealStage.id))
    )
    for row in session.execute(query):
        yield row[0], row[1], row[2]


def newest_stage(session: Session) -> int:
    """Return the mark of the newest step of any deal; it only grows."""
    return int(session.execute(select(func.max(col(DealStage.id)))).scalar_one() or 0)


def registered(session: Session, region: str) -> Sequence[tuple[DealId, date, int]]:
    """Return (deal, day, 技术交易额) of what was registered first of each of those deals."""
    query = (
        select(
            col(Contract.deal_id),
            col(Registration.decided_on),
            col(Registration.technical_fen),
        )
        .join(Contract, col(Contract.id) == col(Registration.contract_id))
        .join(Organisation, col(Organisation.id) == col(Contract.seller_id))
        .where(
            here(Organisation.region, region),
            col(Registration.transaction_id).is_not(None),
            col(Registration.decided_on).is_not(None),
        )
        .order_by(col(Registration.id).desc())
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]
