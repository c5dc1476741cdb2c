"""SQL of the forecast: how far each deal has come, and when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from market.accounts.models import Organisation
from market.deals.models import Contract, Deal, Terms
from market.deals.models_negotiation import DealStage
from market.deals.vocabulary import ContractState, DealState
from market.insight.repository import here
from market.kit.ids import DealId
from market.registry.models import Registration
from market.registry.states import RegistrationState


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


def newest(session: Session) -> tuple[int, int, int]:
    """Return the mark of what deals the forecast reads: the newest step, terms and draft of any.

    A draft goes only when there is another, newer terms, or the deal is lost.
    """
    stage, terms, draft = (
        int(session.execute(select(func.max(column))).scalar_one() or 0)
        for column in (col(DealStage.id), col(Terms.id), col(Contract.id))
    )
    return stage, terms, draft


def registered(session: Session, region: str) -> Sequence[tuple[DealId, date, int]]:
    """Return (deal, day, 技术交易额) of what was registered of each of those deals, the first last.

    What was undone was copied wrongly: the deal waits for its registration again.
    """
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
            col(Registration.state) != RegistrationState.WITHDRAWN,
        )
        .order_by(col(Registration.id).desc())
    )
    return [(row[0], row[1], row[2]) for row in session.execute(query)]


def refused(session: Session, region: str) -> dict[DealId, datetime]:
    """Return when the newest application of each of those deals was refused, where it was."""
    later = aliased(Registration)
    again = select(col(later.id)).where(
        col(later.contract_id) == col(Registration.contract_id),
        col(later.id) > col(Registration.id),
    )
    query = (
        select(col(Contract.deal_id), col(Registration.decided_at))
        .join(Contract, col(Contract.id) == col(Registration.contract_id))
        .join(Organisation, col(Organisation.id) == col(Contract.seller_id))
        .where(
            here(Organisation.region, region),
            col(Registration.state) == RegistrationState.NOT_REGISTERED,
            col(Registration.decided_at).is_not(None),
            ~again.exists(),
        )
    )
    return {row[0]: row[1] for row in session.execute(query)}
