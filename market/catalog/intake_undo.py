"""Taking back what an import did to listings, as far as nobody has built on it.

A created listing is removed, an updated one gets its text of before as a new revision. What
somebody has edited since, attached files to, or what other nouns rely on, is kept and named.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from market.catalog import repository, repository_intake, waiting
from market.catalog.intake_writing import Revised, write_revisions
from market.catalog.models import Listing, ListingState, ReviewState
from market.catalog.repository import Standing
from market.catalog.texts import text_of
from market.catalog.vocabulary import ListingKind
from market.kit import changes
from market.kit.ids import ListingId, OrganisationId, RevisionId
from market.kit.intake import Context, Done, Effect

EDITED = "导入以后有人修改过"
PROOFS = "已附上证明材料"
TAKEN = "原来的编号已给了另一条"
GONE = "已经不在"


def undo(session: Session, context: Context, done: Sequence[Done]) -> dict[int, str]:
    """Take a run's effects on these listings back. Return those kept, each with the reason."""
    listings = repository_intake.locked(session, [one.subject_id for one in done])
    kept = _kept(session, context, done, listings)
    free = [one for one in done if one.subject_id not in kept]
    created = [listings[one.subject_id] for one in free if one.effect is Effect.CREATED]
    updated = [
        (listings[one.subject_id], one.before or {}) for one in free if one.effect is Effect.UPDATED
    ]
    public = [one.id for one in created if one.state == ListingState.PUBLISHED]
    ids = [one.id for one in created]
    repository_intake.close_reviews(
        session, ids, ReviewState.DRAFT, by=context.person_id, at=context.at
    )
    repository_intake.remove(session, ids, context.at)  # first: their numbers may be wanted back
    public += _restore(session, context, updated)
    changes.record_many(
        session,
        changes.SubjectKind.LISTING,
        sorted(public),
        "import undone",
        at=context.at,
        actor_id=context.person_id,
    )
    moved = [listings[one.subject_id] for one in free]
    waiting.brought_in(session, OrganisationId(context.organisation_id), moved, context.at)
    session.expire_all()
    return kept


def _kept(
    session: Session, context: Context, done: Sequence[Done], listings: Mapping[int, Listing]
) -> dict[int, str]:
    kept = {one.subject_id: GONE for one in done if _is_gone(listings.get(one.subject_id))}
    there = [one for one in done if one.subject_id not in kept]
    kept |= dict.fromkeys(_edited(session, listings, there), EDITED)
    ids = [one.subject_id for one in there]
    created = [one.subject_id for one in done if one.effect is Effect.CREATED]
    kept |= dict.fromkeys(repository_intake.with_proofs(session, created) - kept.keys(), PROOFS)
    kept |= dict(context.depends(ids))
    free = [one for one in done if one.subject_id not in kept]
    return kept | dict.fromkeys(_numbers_taken(session, context, free, listings), TAKEN)


def _numbers_taken(
    session: Session, context: Context, free: Sequence[Done], listings: Mapping[int, Listing]
) -> list[int]:
    """Return the updated listings whose number of before is that of another that stays."""
    wanted = {
        was: one.subject_id
        for one in free
        if one.effect is Effect.UPDATED
        and (was := (one.before or {})["own_number"]) is not None
        and was != listings[one.subject_id].own_number
    }
    if not wanted:
        return []
    kind = ListingKind(listings[free[0].subject_id].kind)
    owner = OrganisationId(context.organisation_id)
    holders = repository_intake.by_own_number(session, owner, kind, wanted)
    leaving = {one.subject_id for one in free}
    return [wanted[number] for number, one in holders.items() if one.id not in leaving]


def _is_gone(listing: Listing | None) -> bool:
    return listing is None or listing.removed_at is not None


def _edited(session: Session, listings: Mapping[int, Listing], done: Sequence[Done]) -> list[int]:
    """Return the subjects that no longer say what the run wrote.

    The undo of a later run gives the text back under a new revision: nobody has edited that.
    """
    ids = [(listings[one.subject_id].working_revision_id, _working(one)) for one in done]
    moved = [one for now, then in ids if now != then for one in (now, then)]
    texts = {one: text_of(*found) for one, found in repository.revisions(session, moved).items()}
    return [
        one.subject_id
        for one, (now, then) in zip(done, ids, strict=True)
        if _is_changed_beside(listings[one.subject_id], one)
        or now is None
        or (now != then and (then not in texts or texts.get(now) != texts[then]))
    ]


def _working(one: Done) -> RevisionId:
    revision: RevisionId = (one.before or {})["after"]["working"]
    return revision


def _is_changed_beside(listing: Listing, one: Done) -> bool:
    was: Mapping[str, Any] = one.before or {}
    after: Mapping[str, Any] = was["after"]
    withdrawn = listing.state == ListingState.WITHDRAWN
    if one.effect is Effect.UPDATED and withdrawn != (was.get("state") == ListingState.WITHDRAWN):
        return True  # taken down, or published again, by hand
    return (listing.masked, listing.own_number) != (after["masked"], after["own_number"])


def _restore(
    session: Session, context: Context, updated: Sequence[tuple[Listing, Mapping[str, Any]]]
) -> list[ListingId]:
    """Bring updated listings back to what they were. Return those whose document changed."""
    texts = repository.revisions(
        session, [one for now, was in updated for one in (was["working"], now.working_revision_id)]
    )
    public = [one.id for one, was in updated if ListingState.PUBLISHED in (one.state, was["state"])]
    revised = []
    for listing, was in updated:
        assert listing.working_revision_id is not None  # written with the listing
        now = texts[listing.working_revision_id][0]
        to = Standing(ListingState(was["state"]), ReviewState(was["review"]))
        # The text comes back as a new revision: a number of a revision is never given twice.
        text = text_of(*texts[was["working"]])
        shown = None if was["public"] == was["working"] else was["public"]
        revised.append(Revised(listing.id, text, now.seq + 1, to, shown))
    written = write_revisions(session, context, revised)
    rows = [
        {
            "id": listing.id,
            "public_revision_id": (
                written[listing.id] if was["public"] == was["working"] else was["public"]
            ),
            "masked": was["masked"],
            "own_number": was["own_number"],
            "edits": listing.edits + 1,
            "content_hash": was["hash"],
            "published_at": _moment(was["published_at"]),
        }
        for listing, was in updated
    ]
    repository_intake.update_listings(session, rows)
    return public


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
