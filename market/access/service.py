"""Who sees which listing, and whose name stands on it.

`visible` is the one rule, `repository.visible_listings` its SQL form for lists; a test holds them
equal. What a masked listing hides from those who do not know its owner is catalog's to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from market.access import repository
from market.accounts import repository as accounts
from market.accounts.models import Verification
from market.accounts.policy import Action, OrganisationKind, Role
from market.accounts.work import Work
from market.catalog import views as catalog
from market.catalog.models import Listing, ListingState
from market.catalog.views import PublicListing, Source
from market.kit.errors import NotFound
from market.kit.ids import ListingId, OrganisationId, PublicId


class Named(Protocol):
    """What decides whether an owner's name is shown: catalog's Source and Heading have it."""

    @property
    def listing_id(self) -> ListingId: ...
    @property
    def organisation_id(self) -> OrganisationId: ...
    @property
    def masked(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Seen:
    """A public listing as one actor reads it.

    `shown.masked` says that the owner is hidden from this actor, `masked` that it is from others.
    """

    shown: PublicListing
    masked: bool
    own: bool


def visible(work: Work, listing: Listing) -> bool:
    """Return whether the actor may see this listing: its own, or a published one whose owner the
    bureau has verified.
    """
    if listing.organisation_id == work.actor.organisation_id and work.may(Action.LISTING_VIEW_OWN):
        return True
    return (
        listing.state == ListingState.PUBLISHED
        and accounts.organisation(work.session, listing.organisation_id).verification
        == Verification.VERIFIED
    )


def find_listing(work: Work, public_id: PublicId) -> Listing | None:
    """Return the listing, whatever its state, where the actor may see it; else None."""
    listing = catalog.listing_by_public_id(work.session, public_id)
    return listing if listing is not None and visible(work, listing) else None


def find_by_number(work: Work, number: str) -> Listing | None:
    """Return the listing of a number such as A-2026-00412, as typed, where the actor may see it."""
    listing = repository.listing_by_number(work.session, number.strip().upper())
    return listing if listing is not None and visible(work, listing) else None


def visible_listing(work: Work, public_id: PublicId) -> Listing:
    """Return the listing, whatever its state, where the actor may see it. Raises NotFound."""
    listing = find_listing(work, public_id)
    if listing is None:
        raise NotFound
    return listing


def names_visible(work: Work, listings: Sequence[Named]) -> set[ListingId]:
    """Return those of the listings whose owner's name the actor may see.

    Unmasked ones; of masked ones the owner's, all for officers and auditors, those of principals
    under a live mandate, and those that an answered inquiry or a common deal has told.
    """
    masked = [one for one in listings if one.masked]
    known = {one.listing_id for one in listings if not one.masked}
    if not masked:
        return known
    if work.actor.role in (Role.OFFICER, Role.AUDITOR):
        return {one.listing_id for one in listings}
    if work.actor.organisation_id is None:
        return known
    organisations = {work.actor.organisation}
    if work.actor.kind is OrganisationKind.AGENCY:
        in_force = repository.mandates_in_force(work.session, work.actor.organisation, work.today)
        organisations |= {mandate.principal_id for mandate in in_force}
    known |= {one.listing_id for one in masked if one.organisation_id in organisations}
    return known | repository.disclosed(
        work.session, work.actor.organisation, [one.listing_id for one in masked]
    )


def disclose_name(work: Work, listing_id: ListingId, organisation_id: OrganisationId) -> None:
    """Let an organisation know from now on who owns a listing. Safe to repeat.

    Called by the nouns that told it: an answered inquiry, a deal.
    """
    repository.disclose(work.session, listing_id, organisation_id, work.now)


def listing_page(work: Work, public_id: PublicId) -> Seen:
    """Return what the actor reads of one public listing.

    Raises NotFound, for the owner of an unpublished one too: that has its own page.
    """
    source = catalog.published_listing(work.session, public_id)
    if source is None:
        raise NotFound
    return _seen(work, [source])[0]


def public_listings(work: Work, listing_ids: Sequence[ListingId]) -> list[Seen]:
    """Return what the actor reads of these listings, in the order given, others left out.

    The number of queries does not grow with the number of listings.
    """
    found = catalog.document_source(work.session, listing_ids)
    return _seen(work, [found[one] for one in listing_ids if one in found])


def _seen(work: Work, sources: Sequence[Source]) -> list[Seen]:
    known = names_visible(work, sources)
    return [
        Seen(
            shown=catalog.for_others(
                replace(source, masked=False) if source.listing_id in known else source
            ),
            masked=source.masked,
            own=source.organisation_id == work.actor.organisation_id,
        )
        for source in sources
    ]
