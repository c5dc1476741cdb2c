"""How a deal opens: by an answered inquiry or an introduction that both sides accepted."""

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError

from market.access import service as access
from market.accounts.work import Work
from market.catalog import repository as catalog
from market.catalog.views import Heading
from market.deals import repository, waiting
from market.deals.models import Deal
from market.deals.service import tell
from market.deals.vocabulary import StageEntered
from market.kit.ids import ListingId, OrganisationId, new_public_id


@dataclass(frozen=True, slots=True)
class Pair:
    """Who deals with whom, about what; at least one of the listings is there."""

    seller_id: OrganisationId
    buyer_id: OrganisationId
    achievement: Heading | None
    demand: Heading | None

    @property
    def title(self) -> str:
        about = self.achievement or self.demand
        assert about is not None
        return about.title


def open_or_join(work: Work, pair: Pair, why: str) -> Deal:
    """Return the open deal of a pair, opened now where there is none, `why` in its timeline.

    Two answers at once lead to one deal: the database's unique index decides.
    """
    for last in (False, True):
        try:
            with work.session.begin_nested():
                row = _open_or_join(work, pair)
            break
        except IntegrityError:
            if last:
                raise
    for listing, reader in ((pair.achievement, row.buyer_id), (pair.demand, row.seller_id)):
        if listing is not None:
            access.disclose_name(work, listing.listing_id, reader)
    tell(work, row, "opened", why)
    waiting.deal_moved(work, row)
    work.session.refresh(row)
    return row


def _open_or_join(work: Work, pair: Pair) -> Deal:
    achievement_id = _id(pair.achievement)
    demand_id = _id(pair.demand)
    row = repository.open_deal(
        work.session,
        seller_id=pair.seller_id,
        buyer_id=pair.buyer_id,
        achievement_id=achievement_id,
        demand_id=demand_id,
    )
    if row is not None:
        repository.complete_deal(
            work.session,
            row.id,
            achievement_id=achievement_id,
            demand_id=demand_id,
            at=work.now,
        )
        return row
    year = work.today.year
    (serial,) = catalog.next_numbers(work.session, f"N-{year}", 1)
    row = Deal(
        public_id=new_public_id(),
        number=f"N-{year}-{serial:05d}",
        title=pair.title,
        seller_id=pair.seller_id,
        buyer_id=pair.buyer_id,
        achievement_id=achievement_id,
        demand_id=demand_id,
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(row)
    work.session.flush()
    repository.enter_stage(work.session, row.id, StageEntered.CONTACT, work.now)
    return row


def _id(ref: Heading | None) -> ListingId | None:
    return ref.listing_id if ref else None
