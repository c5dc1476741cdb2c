"""Listings as they are read: by their owner, by the reviewer, by everybody else, by other nouns.

A listing is publicly visible where it is published and its organisation is verified. Who of those
outside may see which listing is decided in `access`, never here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action
from market.accounts.work import Work
from market.catalog import publishing, repository, repository_choices, repository_reviews
from market.catalog.drafts import own_listing
from market.catalog.models import Listing, ListingState, Proof, ReviewState
from market.catalog.repository import Shelf
from market.catalog.schemas import AchievementText, WarningOut
from market.catalog.texts import Difference, Text, differences, text_in, text_of, warnings
from market.catalog.vocabulary import MASKED_NAME, ListingKind
from market.kit.files import StoredFile
from market.kit.ids import ListingId, OrganisationId, PublicId

PAGE = 50


@dataclass(frozen=True, slots=True)
class Source:
    """A publicly visible listing whole, for documents and matching; never shown as it stands.

    `organisation_name` is the true one even where `masked`; `shown_name` is what others may read.
    `region` is the listing's own or else the organisation's (GB/T 2260).
    """

    listing_id: ListingId
    public_id: PublicId
    number: str
    kind: ListingKind
    organisation_id: OrganisationId
    organisation_public_id: PublicId
    organisation_name: str
    organisation_kind: str
    masked: bool
    demo: bool
    region: str
    text: Text
    published_at: datetime
    updated_at: datetime

    @property
    def shown_name(self) -> str:
        return MASKED_NAME if self.masked else self.organisation_name


@dataclass(frozen=True, slots=True)
class PublicListing:
    """A listing as others may read it.

    Where `masked` there is no way to the organisation: no id, and neither the people nor the
    patent numbers that would name it.
    """

    listing_id: ListingId
    public_id: PublicId
    number: str
    kind: ListingKind
    organisation_name: str
    organisation_public_id: PublicId | None
    masked: bool
    demo: bool
    region: str
    text: Text
    published_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Heading:
    """What a list of deals or inquiries needs of a listing, whatever its state. Not masked."""

    listing_id: ListingId
    public_id: PublicId
    number: str | None
    kind: ListingKind
    title: str
    organisation_id: OrganisationId
    masked: bool
    state: ListingState


@dataclass(frozen=True, slots=True)
class OwnListing:
    """A listing as its owner reads it: the working text, and what differs from the public one."""

    listing: Listing
    text: Text
    revision: int
    public_revision: int | None
    pending: tuple[Difference, ...]
    warnings: tuple[WarningOut, ...]
    review_note: str
    submitted_at: datetime | None
    proofs: tuple[tuple[Proof, StoredFile], ...]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A submission as the bureau reads it; `changes` against what is public now."""

    listing: Listing
    organisation: Organisation
    text: Text
    revision: int
    submitted_at: datetime
    open: bool
    changes: tuple[Difference, ...]
    warnings: tuple[WarningOut, ...]
    proofs: tuple[tuple[Proof, StoredFile], ...]


def document_source(session: Session, ids: Sequence[ListingId]) -> dict[ListingId, Source]:
    """Return the publicly visible of these listings, in one statement.

    One that is missing from the answer is not visible (any more): its document is to be deleted.
    """
    return {row["listing_id"]: _source(row) for row in repository.public(session, ids)}


def _source(row: Mapping[str, Any]) -> Source:
    kind = ListingKind(row["kind"])
    text = text_in(row, kind)
    return Source(
        listing_id=row["listing_id"],
        public_id=row["public_id"],
        number=row["number"],
        kind=kind,
        organisation_id=row["organisation_id"],
        organisation_public_id=row["organisation_public_id"],
        organisation_name=row["organisation_name"],
        organisation_kind=row["organisation_kind"],
        masked=row["masked"],
        demo=row["organisation_demo"],
        region=text.region or row["organisation_region"],
        text=text,
        published_at=row["published_at"],
        updated_at=row["created_at"],
    )


def for_others(source: Source) -> PublicListing:
    """Return what anybody but the owner may read of a visible listing."""
    text = source.text
    if source.masked and isinstance(text, AchievementText):
        text = text.model_copy(update={"completers": "", "ip_numbers": ""})
    return PublicListing(
        listing_id=source.listing_id,
        public_id=source.public_id,
        number=source.number,
        kind=source.kind,
        organisation_name=source.shown_name,
        organisation_public_id=None if source.masked else source.organisation_public_id,
        masked=source.masked,
        demo=source.demo,
        region=source.region,
        text=text,
        published_at=source.published_at,
        updated_at=source.updated_at,
    )


def published_listing(session: Session, public_id: PublicId) -> Source | None:
    """Return a publicly visible listing, or None."""
    listing = repository.listing_by_public_id(session, public_id)
    return None if listing is None else document_source(session, [listing.id]).get(listing.id)


def listing_by_public_id(session: Session, public_id: PublicId) -> Listing | None:
    return repository.listing_by_public_id(session, public_id)


def listing_by_id(session: Session, listing_id: ListingId) -> Listing:
    return repository.listing(session, listing_id)


def headings(session: Session, ids: Iterable[ListingId]) -> dict[ListingId, Heading]:
    """Return titles and standing of listings; the public title, or the working one without."""
    rows = repository.listings(session, ids)
    shown = {one.id: one.public_revision_id or one.working_revision_id for one in rows.values()}
    found = repository.revisions(session, shown.values())
    texts = {listing: found[revision][0] for listing, revision in shown.items() if revision}
    return {
        row.id: Heading(
            listing_id=row.id,
            public_id=row.public_id,
            number=row.number,
            kind=ListingKind(row.kind),
            title=texts[row.id].title,
            organisation_id=row.organisation_id,
            masked=row.masked,
            state=ListingState(row.state),
        )
        for row in rows.values()
    }


def public_ids(
    session: Session,
    kind: ListingKind | None = None,
    *,
    after_id: int = 0,
    limit: int = 1000,
    organisation_id: OrganisationId | None = None,
) -> list[ListingId]:
    """Return ids of publicly visible listings, ascending, those after `after_id`."""
    return repository.public_ids(
        session, kind, after_id=after_id, limit=limit, organisation_id=organisation_id
    )


def public_of(
    session: Session,
    kind: ListingKind,
    owners: Iterable[OrganisationId],
    *,
    words: str,
    limit: int,
) -> tuple[int, list[ListingId]]:
    """Return (how many, the newest of) the publicly visible listings of these owners that have
    `words`, literally, in their title or number.
    """
    return repository_choices.public_of(session, kind, owners, words=words, limit=limit)


def newest(session: Session, kind: ListingKind, limit: int) -> list[Source]:
    """Return the publicly visible listings of a kind that were published last."""
    ids = repository.newest_public_ids(session, kind, limit)
    found = document_source(session, ids)
    return [found[one] for one in ids]


def counts(session: Session) -> dict[ListingKind, int]:
    """Return how many listings of each kind are publicly visible."""
    return repository.public_counts(session)


def reviews_waiting(session: Session) -> int:
    return repository_reviews.submissions_waiting(session)


def own(work: Work, public_id: PublicId) -> OwnListing:
    """Return an own listing whole. Raises NotFound, Forbidden."""
    listing = own_listing(work, public_id, Action.LISTING_VIEW_OWN)
    return own_view(work, listing)


def own_view(work: Work, listing: Listing) -> OwnListing:
    """Return the owner's view of a listing that the caller has checked to be the actor's."""
    ids = [listing.working_revision_id, listing.public_revision_id]
    found = repository.revisions(work.session, ids)
    working, public = (found[one] if one is not None else None for one in ids)
    assert working is not None
    text = text_of(*working)
    shown = text_of(*public) if public else None
    review = repository.newest_review(work.session, listing.id)
    refused = review is not None and listing.review_state == ReviewState.REFUSED
    open_review = review is not None and review.state == ReviewState.SUBMITTED
    owner = accounts.organisation(work.session, listing.organisation_id)
    return OwnListing(
        listing=listing,
        text=text,
        revision=working[0].seq,
        public_revision=public[0].seq if public else None,
        pending=tuple(differences(shown, text)) if shown else (),
        warnings=_warnings(work, listing, owner, text),
        review_note=review.note if review and refused else "",
        submitted_at=review.submitted_at if review and open_review else None,
        proofs=tuple(repository.proofs(work.session, listing.id)),
    )


def _warnings(
    work: Work, listing: Listing, owner: Organisation, text: Text
) -> tuple[WarningOut, ...]:
    found = warnings(text, masked=listing.masked, organisation=owner.name, today=work.today)
    return tuple(found)


def own_lines(
    work: Work,
    *,
    kind: ListingKind | None = None,
    shelf: Shelf | None = None,
    words: str = "",
    page: int = 1,
) -> tuple[int, list[tuple[Listing, str]]]:
    """Return (how many, one page of PAGE own listings with their titles), newest change first."""
    work.require(Action.LISTING_VIEW_OWN)
    return repository.own_listings(
        work.session,
        work.actor.organisation,
        kind=kind,
        shelf=shelf,
        words=words,
        offset=(page - 1) * PAGE,
        limit=PAGE,
    )


def own_counts(work: Work) -> dict[tuple[ListingKind, Shelf | None], int]:
    """Return how many own listings there are by kind, in all (None) and on each shelf."""
    work.require(Action.LISTING_VIEW_OWN)
    return repository.shelf_counts(work.session, work.actor.organisation)


def reviewed(work: Work, public_id: PublicId) -> Reviewed:
    """Return a listing that was handed in, for the bureau. Raises NotFound.

    After the answer, or once taken back, the newest submission stays readable.
    """
    listing, review = publishing.under_review(work, public_id)
    found = repository.revisions(work.session, [review.revision_id, listing.public_revision_id])
    submitted = found[review.revision_id]
    text = text_of(*submitted)
    public = found.get(listing.public_revision_id) if listing.public_revision_id else None
    organisation = accounts.organisation(work.session, listing.organisation_id)
    return Reviewed(
        listing=listing,
        organisation=organisation,
        text=text,
        revision=submitted[0].seq,
        submitted_at=review.submitted_at,
        open=review.state == ReviewState.SUBMITTED,
        changes=tuple(differences(text_of(*public) if public else None, text)),
        warnings=_warnings(work, listing, organisation, text),
        proofs=tuple(repository.proofs(work.session, listing.id)),
    )


def pages(total: int, size: int = PAGE) -> int:
    return max(1, -(-total // size))
