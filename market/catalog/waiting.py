"""What waits in the catalogue: submissions for the bureau, refused ones for their owner.

The bureau has one task for each organisation with something to review, however much it is: an
import hands in thousands at once, and the queue of reviews lists them.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action, Role
from market.catalog import repository_reviews as repository
from market.catalog.models import Listing, ReviewState
from market.catalog.vocabulary import KIND_NAMES, ListingKind
from market.kit import notify
from market.kit.ids import OrganisationId
from market.kit.notify import Subject, Task, To

REVIEW: Final = "listing.submitted"
MEND: Final = "listing.refused"
KINDS: Final = (REVIEW, MEND)
PUBLISHED: Final = "listing.published"


def _review(owner: Organisation) -> Task:
    return Task(
        To(role=Role.OFFICER),
        REVIEW,
        Subject("organisation", owner.public_id),
        f"审核成果与需求：{owner.name}提交的",
        asked_by_id=owner.id,
    )


def _mend(listing: Listing, title: str, reason: str) -> Task:
    return Task(
        To(organisation_id=listing.organisation_id, action=Action.LISTING_EDIT),
        MEND,
        subject_of(listing),
        f"改好后重新提交：{title}",
        detail=f"审核没有通过：{reason}",
    )


def subject_of(listing: Listing) -> Subject:
    return Subject("listing", listing.public_id)


def tasks(session: Session) -> Iterator[Task]:
    """Yield all that waits in the catalogue, as its own rows say."""
    owners = repository.owners_in_review(session)
    for owner in accounts.organisations(session, owners).values():
        yield _review(owner)
    for listing, title, reason in repository.refused(session):
        yield _mend(listing, title, reason)


def reviews_moved(session: Session, owner_id: OrganisationId, at: datetime) -> None:
    """Let the bureau's task stand while an organisation has anything in review.

    The task hangs on many listings: of two that move at once, the later must see the earlier.
    """
    accounts.lock_organisation(session, owner_id)
    owner = accounts.organisation(session, owner_id)
    open_now = [_review(owner)] if repository.in_review(session, owner_id) else []
    notify.hold(session, Subject("organisation", owner.public_id), [REVIEW], open_now, at=at)


def brought_in(
    session: Session, owner_id: OrganisationId, moved: Collection[Listing], at: datetime
) -> None:
    """Let the tasks of an owner follow the listings that a chunk of an import moved, or of its
    undoing; new ones need not be among them.
    """
    reviews_moved(session, owner_id, at)
    if moved:
        waits = [_mend(*row) for row in repository.refused(session, [one.id for one in moved])]
        about = {one.public_id for one in moved}
        notify.put_right(session, [MEND], waits, at=at, about=about)


def refused(session: Session, listing: Listing, title: str, reason: str, at: datetime) -> None:
    notify.begin(session, _mend(listing, title, reason), at=at)


def mended(session: Session, listing: Listing, at: datetime) -> None:
    """End the owner's task about a refused listing that has moved on, if there is one."""
    if listing.review_state != ReviewState.REFUSED:
        notify.settle(session, MEND, [subject_of(listing)], at=at)


def published(session: Session, listing: Listing, title: str, at: datetime) -> None:
    """Tell the owner that the bureau has approved a listing."""
    notify.tell(
        session,
        To(organisation_id=listing.organisation_id, action=Action.LISTING_VIEW_OWN),
        PUBLISHED,
        subject_of(listing),
        f"已公开：{title}",
        key=f"{PUBLISHED}:{listing.public_id}:{listing.public_revision_id}",
        at=at,
        detail=f"{KIND_NAMES[ListingKind(listing.kind)]}通过审核，编号{listing.number}",
    )
