"""SQL of the reports beside the ledger's: brokers, listings, lost deals."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlmodel import Session, col

from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind
from market.brokerage.models import Commission, CommissionPart, CommissionState, PartRole
from market.brokerage.rule import Ground
from market.catalog.models import Listing, ListingState
from market.catalog.vocabulary import ListingKind
from market.deals.models import Deal
from market.deals.models_negotiation import DealStage
from market.deals.vocabulary import DealState, StageEntered
from market.kit.ids import OrganisationId, TransactionId
from market.ledger import repository_sums
from market.ledger.models import Book
from market.ledger.schemas import Slice, Sum
from market.registry.models import Registration


def _brought() -> Select[OrganisationId, TransactionId | None]:
    """Return the query of (agency, transaction that counted a registration which it brought about):
    by an introduction that led to the contract, or by the contract's own clause.

    As of now: a division among brokers, or a fee judged again after a flag was dismissed, changes
    it for contracts of earlier months, too.
    """
    return (
        select(col(CommissionPart.organisation_id), col(Registration.transaction_id))
        .join(Commission, col(Commission.id) == col(CommissionPart.commission_id))
        .join(Registration, col(Registration.contract_id) == col(Commission.contract_id))
        .where(
            col(Registration.transaction_id).is_not(None),
            col(CommissionPart.role) == PartRole.BROKER,
            col(Commission.ground).in_([Ground.SUCCESS, Ground.CLAUSE]),
            col(Commission.state) != CommissionState.VOID,
        )
        .distinct()
    )


def brought_by(session: Session, agency: OrganisationId) -> frozenset[TransactionId]:
    """Return the transactions that counted the registrations which an agency brought about."""
    query = _brought().where(col(CommissionPart.organisation_id) == agency)
    return frozenset(one for _, one in session.execute(query) if one is not None)


def by_agency(session: Session, part: Slice) -> dict[OrganisationId, Sum]:
    """Return what each agency brought about of a part of the book."""
    groups = _brought().subquery()
    found = repository_sums.totals_of(session, Book.STATISTICS, part, groups)
    return {OrganisationId(agency): sums for agency, sums in found.items()}


def newest_part(session: Session) -> tuple[int, int]:
    """Return the mark of what brokers are owed: the newest, and how many are owed no longer."""
    void = select(func.count()).select_from(Commission)
    void = void.where(col(Commission.state) == CommissionState.VOID)
    newest = session.execute(select(func.max(col(CommissionPart.id)))).scalar_one()
    return int(newest or 0), int(session.execute(void).scalar_one())


def kinds(session: Session, ids: Sequence[OrganisationId]) -> dict[OrganisationId, str]:
    query = select(col(Organisation.id), col(Organisation.kind)).where(
        col(Organisation.id).in_(set(ids))
    )
    return {row[0]: row[1] for row in session.execute(query)}


def universities(session: Session, region_prefix: str) -> Sequence[Organisation]:
    return list(
        session.scalars(
            select(Organisation)
            .where(
                col(Organisation.kind) == OrganisationKind.UNIVERSITY,
                col(Organisation.region).startswith(region_prefix, autoescape=True),
            )
            .order_by(col(Organisation.name))
        )
    )


def achievements(
    session: Session, owner: OrganisationId, *, since: datetime, before: datetime
) -> tuple[int, int, int]:
    """Return how many achievements an organisation has entered before a moment, how many of them
    since another, and how many of all are public now.
    """
    mine = (
        col(Listing.organisation_id) == owner,
        col(Listing.kind) == ListingKind.ACHIEVEMENT,
        col(Listing.created_at) < before,
    )
    everything = select(func.count()).select_from(Listing).where(*mine)
    counts = [
        everything,
        everything.where(col(Listing.created_at) >= since),
        everything.where(col(Listing.state) == ListingState.PUBLISHED),
    ]
    whole, new, public = (int(session.execute(query).scalar_one()) for query in counts)
    return whole, new, public


def lost(
    session: Session, seller: OrganisationId, *, since: datetime, before: datetime
) -> list[tuple[str, int]]:
    """Return (reason, number) of the seller's deals that ended without a contract within a time,
    most first.
    """
    ended = select(col(DealStage.id)).where(
        col(DealStage.deal_id) == col(Deal.id),
        col(DealStage.stage) == StageEntered.LOST,
        col(DealStage.entered_at) >= since,
        col(DealStage.entered_at) < before,
    )
    query = (
        select(col(Deal.lost_reason), func.count())
        .where(col(Deal.seller_id) == seller, col(Deal.state) == DealState.LOST, ended.exists())
        .group_by(col(Deal.lost_reason))
        .order_by(func.count().desc(), col(Deal.lost_reason))
    )
    return [(row[0], int(row[1])) for row in session.execute(query)]
