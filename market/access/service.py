"""Who sees which listing, and whose name stands on it.

`visible` is the one rule, `repository.visible_listings` its SQL form for lists; a test holds them
equal. A masked listing shows everything but its owner's name.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from market.access import repository
from market.accounts import repository as accounts
from market.accounts.models import Organisation, Verification
from market.accounts.policy import Action, OrganisationKind, Role
from market.accounts.work import Work
from market.catalog.models import (
    AchievementFacts,
    DemandFacts,
    Listing,
    ListingRevision,
    ListingState,
)
from market.kit.errors import NotFound
from market.kit.ids import ListingId, OrganisationId, PublicId, RevisionId

MASKED_NAMES = {
    OrganisationKind.UNIVERSITY: "某高校院所",
    OrganisationKind.COMPANY: "某企业",
}


@dataclass(frozen=True, slots=True)
class PublicListing:
    """A listing as one actor sees it: its public text (the owner of one that was never published
    sees the working text), and the owner only where the name is not masked for this actor.
    """

    listing: Listing
    revision: ListingRevision
    achievement: AchievementFacts | None
    demand: DemandFacts | None
    organisation: Organisation | None
    holder: str  # the owner's name, or 某企业 where it is masked
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


def visible_listing(work: Work, public_id: PublicId) -> Listing:
    """Return the listing, whatever its state, where the actor may see it. Raises NotFound."""
    listing = find_listing(work, public_id)
    if listing is None:
        raise NotFound
    return listing


def find_listing(work: Work, public_id: PublicId) -> Listing | None:
    """Return the listing where the actor may see it, or None."""
    listing = repository.listing_by_public_id(work.session, public_id)
    return listing if listing is not None and visible(work, listing) else None


def names_visible(work: Work, listings: Sequence[Listing]) -> set[ListingId]:
    """Return those of the listings whose owner's name the actor may see.

    Unmasked ones; of masked ones the owner's, all for officers and auditors, those of principals
    under a live mandate, and those that an answered inquiry or a common deal has told.
    """
    masked = [row for row in listings if row.masked]
    known = {row.id for row in listings if not row.masked}
    if not masked:
        return known
    if work.actor.role in (Role.OFFICER, Role.AUDITOR):
        return {row.id for row in listings}
    if work.actor.organisation_id is None:
        return known
    organisations = {work.actor.organisation}
    if work.actor.kind is OrganisationKind.AGENCY:
        organisations |= {
            mandate.principal_id
            for mandate in repository.mandates_in_force(
                work.session, work.actor.organisation, work.today
            )
        }
    known |= {row.id for row in masked if row.organisation_id in organisations}
    return known | repository.disclosed(
        work.session, work.actor.organisation, (row.id for row in masked)
    )


def owner_name_visible(work: Work, listing: Listing) -> bool:
    return listing.id in names_visible(work, [listing])


def disclose_name(work: Work, listing_id: ListingId, organisation_id: OrganisationId) -> None:
    """Let an organisation know from now on who owns a listing. Safe to repeat.

    Called by the nouns that told it: an answered inquiry, a deal.
    """
    repository.disclose(work.session, listing_id, organisation_id, work.now)


def masked_name(kind: str) -> str:
    return MASKED_NAMES[OrganisationKind(kind)]


def listing_page(work: Work, public_id: PublicId) -> PublicListing:
    """Return what the actor sees of one listing. Raises NotFound."""
    return _shown(work, [visible_listing(work, public_id)])[0]


def public_listings(work: Work, listing_ids: Sequence[ListingId]) -> list[PublicListing]:
    """Return what the actor sees of these listings, in the order given, unseen ones left out.

    The number of queries does not grow with the number of listings.
    """
    rows = {row.id: row for row in repository.visible_by_ids(work.session, work.actor, listing_ids)}
    return _shown(work, [rows[one] for one in listing_ids if one in rows])


def _shown(work: Work, listings: Sequence[Listing]) -> list[PublicListing]:
    shown = {row.id: _revision_shown(row) for row in listings}
    texts, achievements, demands = repository.revisions(
        work.session, (one for one in shown.values() if one is not None)
    )
    owners = accounts.organisations(work.session, {row.organisation_id for row in listings})
    known = names_visible(work, listings)
    views = []
    for row in listings:
        revision_id = shown[row.id]
        if revision_id is None:
            continue
        owner = owners[row.organisation_id]
        views.append(
            PublicListing(
                listing=row,
                revision=texts[revision_id],
                achievement=achievements.get(revision_id),
                demand=demands.get(revision_id),
                organisation=owner if row.id in known else None,
                holder=owner.name if row.id in known else masked_name(owner.kind),
                own=row.organisation_id == work.actor.organisation_id,
            )
        )
    return views


def _revision_shown(listing: Listing) -> RevisionId | None:
    return listing.public_revision_id or listing.working_revision_id
