"""Writing listings: creating one, and editing it into a new immutable revision."""

from sqlalchemy.exc import IntegrityError

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.catalog import repository, waiting
from market.catalog.models import Listing, ListingRevision, ListingState, ReviewState
from market.catalog.repository import Standing, standing
from market.catalog.schemas import AchievementEditIn, AchievementIn, DemandEditIn, DemandIn
from market.catalog.texts import Facts, bare, differences, kind_of, text_of
from market.catalog.vocabulary import ListingKind
from market.kit import changes
from market.kit.errors import Conflict, Invalid, NotFound, Overtaken
from market.kit.ids import PublicId, RevisionId, new_public_id

STALE = "您打开之后，本单位有人保存过新的内容；请对照最新内容后再保存"
IN_REVIEW = "正在审核，先撤回提交再修改"
NUMBER_TAKEN = "本单位已有一条用这个编号，请换一个或去修改那一条"


def relation(work: Work, listing: Listing) -> Relation:
    """Return what the acting organisation is to the listing: its owner, or none of its."""
    own = listing.organisation_id == work.actor.organisation_id
    return Relation.OWN if own else Relation.OTHER


def own_listing(work: Work, public_id: PublicId, action: Action, *, lock: bool = False) -> Listing:
    """Return a listing of the acting organisation for an action on it.

    Raises NotFound for anybody else's, Forbidden where the role may not do the action.
    """
    listing = repository.listing_by_public_id(work.session, public_id, lock=lock)
    if listing is None or relation(work, listing) is not Relation.OWN:
        raise NotFound
    work.touched("listing", listing.public_id)
    work.require(action, Relation.OWN)
    return listing


def create(work: Work, form: AchievementIn | DemandIn) -> Listing:
    """Write a draft with its first revision. Raises Invalid at `own_number` where it is taken."""
    work.require(Action.LISTING_EDIT)
    kind = kind_of(form)
    _check_own_number(work, kind, form.own_number, None)
    listing = Listing(
        public_id=new_public_id(),
        kind=kind,
        organisation_id=work.actor.organisation,
        own_number=form.own_number,
        masked=form.masked,
        created_by=work.actor.person_id,
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(listing)
    try:
        work.session.flush()
    except IntegrityError:  # two people used the same number at once
        raise Invalid(fields={"own_number": NUMBER_TAKEN}) from None
    listing.working_revision_id = repository.add_revision(
        work.session, listing, 1, bare(form), by=work.actor.person_id, at=work.now
    )
    work.session.flush()
    work.touched("listing", listing.public_id)
    return listing


def edit(work: Work, public_id: PublicId, form: AchievementEditIn | DemandEditIn) -> Listing:
    """Save an edit that was based on revision `form.based_on`.

    A changed text becomes a new revision, still to be submitted; what is public stays public.
    The masked flag and the own number take effect at once. The same content again changes
    nothing. Raises Overtaken where somebody saved in between, Conflict where it is in review,
    Invalid at `own_number`.
    """
    # Locked, so that the later of two edits at once reads what the earlier left and is shown both.
    listing = own_listing(work, public_id, Action.LISTING_EDIT, lock=True)
    if listing.kind != kind_of(form):
        raise NotFound
    if listing.review_state == ReviewState.SUBMITTED:
        raise Conflict(IN_REVIEW)
    revision, facts = _working(work, listing)
    if revision.seq != form.based_on or form.seen not in (None, listing.edits):
        raise overtaken(listing, revision, facts)
    text = bare(form)
    beside = {"masked": form.masked, "own_number": form.own_number}
    same_text = not differences(text_of(revision, facts), text)
    if same_text and beside == {name: getattr(listing, name) for name in beside}:
        return listing
    _check_own_number(work, ListingKind(listing.kind), form.own_number, listing)
    was_masked = listing.masked
    now = standing(listing)
    to = now if same_text else Standing(now.state, ReviewState.DRAFT)
    repository.move_listing(
        work.session, listing, to, STALE, updated_at=work.now, edits=listing.edits + 1, **beside
    )
    if not same_text:
        added = repository.add_revision(
            work.session,
            listing,
            revision.seq + 1,
            text,
            by=work.actor.person_id,
            at=work.now,
        )
        repository.move_listing(work.session, listing, to, working_revision_id=added)
        waiting.mended(work.session, listing, work.now)
    if listing.masked != was_masked and listing.state == ListingState.PUBLISHED:
        record_change(work, listing, "masked" if listing.masked else "unmasked")
    return listing


def overtaken(listing: Listing, revision: ListingRevision, facts: Facts) -> Overtaken:
    """Return the refusal of an edit that was overtaken, with what stands now."""
    text = text_of(revision, facts).model_dump(mode="json")
    beside = {"masked": listing.masked, "own_number": listing.own_number}
    return Overtaken({**text, **beside, "based_on": revision.seq, "seen": listing.edits}, STALE)


def record_change(work: Work, listing: Listing, kind: str) -> None:
    """Tell the index and the matcher that the listing's public document changed."""
    changes.record(
        work.session,
        changes.SubjectKind.LISTING,
        listing.id,
        kind,
        at=work.now,
        actor_id=work.actor.person_id,
    )


def working_revision(work: Work, listing: Listing) -> ListingRevision:
    return _working(work, listing)[0]


def _working(work: Work, listing: Listing) -> tuple[ListingRevision, Facts]:
    return repository.revisions(work.session, [listing.working_revision_id])[_present(listing)]


def _present(listing: Listing) -> RevisionId:
    assert listing.working_revision_id is not None  # written with the listing
    return listing.working_revision_id


def _check_own_number(
    work: Work, kind: ListingKind, own_number: str | None, listing: Listing | None
) -> None:
    if own_number is None or (listing is not None and listing.own_number == own_number):
        return
    if repository.listing_by_own_number(work.session, work.actor.organisation, kind, own_number):
        raise Invalid(fields={"own_number": NUMBER_TAKEN})
