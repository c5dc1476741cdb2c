"""From a draft to the public and back: submission, the bureau's review, publication, withdrawal."""

from collections.abc import Sequence
from datetime import datetime

from market.accounts import repository as accounts
from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.catalog import repository, repository_reviews, waiting
from market.catalog.drafts import own_listing, record_change, working_revision
from market.catalog.models import Listing, ListingState, Review, ReviewState
from market.catalog.repository import Standing, standing
from market.catalog.repository_reviews import Heap, Submission
from market.catalog.schemas import ReviewIn
from market.catalog.vocabulary import ListingKind
from market.kit.clock import local_date
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import PublicId

ANSWERED = "这次提交已被撤回或已有审核结果，请刷新后再看"
SERIES = {ListingKind.ACHIEVEMENT: "A", ListingKind.DEMAND: "D"}


def series(kind: ListingKind, at: datetime) -> str:
    """Return the series of numbers of this year, as it stands before them: `A-2026`."""
    return f"{SERIES[kind]}-{local_date(at).year}"


def number(series_name: str, n: int) -> str:
    return f"{series_name}-{n:05d}"


def submit(work: Work, public_id: PublicId) -> Listing:
    """Hand the working revision in for review; published at once where the bureau gave leave.

    Raises Conflict where nothing is to be handed in.
    """
    listing = own_listing(work, public_id, Action.LISTING_SUBMIT)
    now = standing(listing)
    if now.review not in (ReviewState.DRAFT, ReviewState.REFUSED):
        raise Conflict(
            "已经提交，正在审核"
            if now.review is ReviewState.SUBMITTED
            else "最新内容已经公开，没有要提交的修改"
        )
    if accounts.organisation(work.session, listing.organisation_id).self_publish:
        _publish(work, listing)
        return listing
    revision = working_revision(work, listing)
    to = Standing(now.state, ReviewState.SUBMITTED)
    repository.move_listing(work.session, listing, to, updated_at=work.now)
    repository.add_review(work.session, listing, revision.id, by=work.actor.person, at=work.now)
    waiting.reviews_moved(work.session, listing.organisation_id, work.now)
    waiting.mended(work.session, listing, work.now)
    return listing


def take_back(work: Work, public_id: PublicId) -> Listing:
    """Take a submission back so that it can be edited. Raises Conflict where it was answered."""
    listing = own_listing(work, public_id, Action.LISTING_EDIT)
    now = standing(listing)
    if now.review is not ReviewState.SUBMITTED:
        raise Conflict("没有正在审核的提交，可能刚刚有了审核结果")
    _take_back(work, listing, now.state)
    return listing


def _take_back(work: Work, listing: Listing, state: ListingState) -> None:
    to = Standing(state, ReviewState.DRAFT)
    repository.move_listing(work.session, listing, to, ANSWERED, updated_at=work.now)
    by = work.actor.person_id
    repository.move_review(work.session, listing, ReviewState.DRAFT, by=by, at=work.now)
    waiting.reviews_moved(work.session, listing.organisation_id, work.now)


def withdraw(work: Work, public_id: PublicId) -> Listing:
    """Take a published listing out of the public; submitting it again brings it back."""
    listing = own_listing(work, public_id, Action.LISTING_EDIT)
    now = standing(listing)
    if now.state is not ListingState.PUBLISHED:
        raise Conflict("现在没有公开，不用撤下")
    if now.review is ReviewState.SUBMITTED:
        _take_back(work, listing, ListingState.WITHDRAWN)
    else:
        to = Standing(
            ListingState.WITHDRAWN,
            ReviewState.DRAFT if now.review is ReviewState.APPROVED else now.review,
        )
        repository.move_listing(work.session, listing, to, updated_at=work.now)
    record_change(work, listing, "withdrawn")
    return listing


def queue(
    work: Work, *, page: int, size: int, heap: tuple[PublicId, int | None] | None = None
) -> tuple[int, list[Submission]]:
    """Return (how many submissions wait, one page of them), the longest waiting first.

    `heap` narrows it to (organisation, one import or None: by hand).
    """
    work.require(Action.LISTING_REVIEW, Relation.OTHER)
    offset = (page - 1) * size
    return repository_reviews.submissions(work.session, offset=offset, limit=size, heap=heap)


def heaps(work: Work) -> list[Heap]:
    """Return what waits by organisation and import, the largest heap first."""
    work.require(Action.LISTING_REVIEW, Relation.OTHER)
    return repository_reviews.heaps(work.session)


def approve(work: Work, chosen: Sequence[tuple[PublicId, int]]) -> int:
    """Approve many submissions at once, each as (listing, the revision that was read).

    What was answered, taken back or replaced meanwhile is left out. Return how many were approved.
    """
    count = 0
    for public_id, revision in chosen:
        try:
            decide(work, public_id, ReviewIn(revision=revision, decision="approve"))
        except (Conflict, NotFound):
            continue
        count += 1
    return count


def under_review(work: Work, public_id: PublicId) -> tuple[Listing, Review]:
    """Return a listing that was handed in at some time, for the bureau, with its newest review.

    Raises NotFound for one that never was.
    """
    work.require(Action.LISTING_REVIEW, Relation.OTHER)
    listing = repository.listing_by_public_id(work.session, public_id)
    review = None if listing is None else repository.newest_review(work.session, listing.id)
    if listing is None or review is None:
        raise NotFound
    return listing, review


def decide(work: Work, public_id: PublicId, form: ReviewIn) -> Listing:
    """Enter the bureau's answer to the revision it read; approval publishes that revision.

    Raises Conflict where it was taken back or answered meanwhile, Invalid at `note`.
    """
    listing, review = under_review(work, public_id)
    work.touched("listing", listing.public_id)
    if review.state != ReviewState.SUBMITTED:
        raise Conflict(ANSWERED)
    revision = working_revision(work, listing)
    if revision.seq != form.revision:
        raise Conflict("持有单位撤回后又交了新的内容，请刷新后再审")
    if form.decision == "approve":
        _publish(work, listing)
        verdict = ReviewState.APPROVED
    else:
        if not form.note:
            raise Invalid(fields={"note": "不通过时请写明原因，持有单位会看到"})
        verdict = ReviewState.REFUSED
        to = Standing(standing(listing).state, verdict)
        repository.move_listing(work.session, listing, to, ANSWERED, updated_at=work.now)
    by = work.actor.person
    repository.move_review(work.session, listing, verdict, by=by, at=work.now, note=form.note)
    waiting.reviews_moved(work.session, listing.organisation_id, work.now)
    if verdict is ReviewState.APPROVED:
        waiting.published(work.session, listing, revision.title, work.now)
    else:
        waiting.refused(work.session, listing, revision.title, form.note, work.now)
    return listing


def _publish(work: Work, listing: Listing) -> None:
    """Make the working revision the public one; a first publication gives the number."""
    first = listing.number is None
    values = {
        "public_revision_id": listing.working_revision_id,
        "updated_at": work.now,
        "published_at": listing.published_at or work.now,
    }
    to = Standing(ListingState.PUBLISHED, ReviewState.APPROVED)
    repository.move_listing(work.session, listing, to, ANSWERED, **values)
    if first:
        name = series(ListingKind(listing.kind), work.now)
        n = repository.next_numbers(work.session, name, 1).start
        listing.number = number(name, n)
        work.session.flush()
    waiting.mended(work.session, listing, work.now)
    record_change(work, listing, "published")
