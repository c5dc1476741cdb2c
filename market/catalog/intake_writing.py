"""One chunk of listings brought in by file, written in a handful of statements whatever its length.

The rows it changes are locked when they are read (`FOR UPDATE`; on SQLite the whole transaction
holds the write lock): nobody else can move them meanwhile, so they are moved without a condition.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from sqlmodel import Session

from market.accounts.models import Organisation
from market.catalog import publishing, repository, repository_intake, waiting
from market.catalog.intake_faults import (
    met_before,
    same_listing,
    taken_number,
    unknown_reference,
)
from market.catalog.intake_rows import Row, read_row
from market.catalog.intake_rows import changes as changes_of
from market.catalog.models import Listing, ListingState, ReviewState
from market.catalog.repository import Standing, standing
from market.catalog.texts import Text, bare, differences, text_of
from market.catalog.vocabulary import ListingKind
from market.kit import changes
from market.kit.ids import ListingId, RevisionId, new_public_id
from market.kit.intake import Change, Context, Effect, Fault, Given, Outcome


@dataclass(frozen=True, slots=True)
class Revised:
    """A listing that gets a new revision: its text, where it stands then, what is public now."""

    listing_id: ListingId
    text: Text
    seq: int
    to: Standing
    public_revision_id: RevisionId | None


@dataclass(slots=True)
class _Known:
    """A listing that a row speaks of; `before` is what an undo brings back."""

    listing: Listing
    row: Row
    before: dict[str, Any]
    changed: bool = False
    was: str = ""
    now: str = ""
    changes: Sequence[Change] = ()


@dataclass(slots=True)
class _Plan:
    """What the chunk will do, by what it finds."""

    new: list[Row] = field(default_factory=list)
    known: list[_Known] = field(default_factory=list)
    refused: dict[int, tuple[Fault, ...]] = field(default_factory=dict)


class Batch:
    """The writing of one chunk; `at_once` publishes instead of handing in for review."""

    def __init__(
        self, session: Session, context: Context, organisation: Organisation, kind: ListingKind
    ) -> None:
        self._session = session
        self._context = context
        self._organisation = organisation
        self._kind = kind
        self._at_once = context.publish or organisation.self_publish
        self._published: set[ListingId] = set()
        self._masked: set[ListingId] = set()

    def bring_in(self, rows: Sequence[Given]) -> list[Outcome]:
        """Write the rows' listings. Return one outcome a row, in order."""
        plan = self._sort(rows)
        outcomes = {n: Outcome(n, Effect.REFUSED, faults) for n, faults in plan.refused.items()}
        for one in (*self._create(plan.new), *self._update(plan.known)):
            outcomes[one.row] = one
        self._record(self._published - self._masked, "imported")
        self._record(self._published & self._masked, "masked")
        if not self._context.dry:
            moved = [one.listing for one in plan.known]
            waiting.brought_in(self._session, self._organisation.id, moved, self._context.at)
        return [outcomes[one.row] for one in rows]

    def _record(self, listings: Collection[ListingId], kind: str) -> None:
        changes.record_many(
            self._session,
            changes.SubjectKind.LISTING,
            sorted(listings),
            kind,
            at=self._context.at,
            actor_id=self._context.person_id,
        )

    def _sort(self, given: Sequence[Given]) -> _Plan:
        plan = _Plan()
        rows: dict[str, Row] = {}
        for one in given:
            row, faults = read_row(self._kind, one)
            if row is not None and row.key in rows:
                faults = [met_before(row, rows[row.key].number)]
            if faults or row is None:
                plan.refused[one.row] = tuple(faults)
            else:
                rows[row.key] = row
        stored = self._stored(list(rows.values()))
        met = self._context.met([*rows, *{_key(listing) for listing in stored.values()}])
        named: dict[str, int] = {}
        for key, row in rows.items():
            listing = stored.get(key)
            if key in met:
                plan.refused[row.number] = (met_before(row, met[key]),)
            elif listing is not None:
                own = _key(listing)
                earlier = met.get(own) or named.setdefault(own, row.number)
                if earlier != row.number:
                    plan.refused[row.number] = (same_listing(row, earlier),)
                else:
                    plan.known.append(_Known(listing, row, _before(listing)))
            elif row.reference:
                plan.refused[row.number] = (unknown_reference(row),)
            else:
                plan.new.append(row)
        self._refuse_taken_numbers(plan)
        return plan

    def _stored(self, rows: Sequence[Row]) -> dict[str, Listing]:
        """Return the organisation's listings that the rows speak of, by key."""
        whose = (self._session, self._organisation.id, self._kind)
        references = [row.reference for row in rows if row.reference]
        others = [row for row in rows if not row.reference]
        numbers = [row.form.own_number for row in others if row.form.own_number is not None]
        digests = [row.digest for row in others if row.form.own_number is None]
        found = repository_intake.by_own_number(*whose, numbers) if numbers else {}
        if digests:
            content = repository_intake.by_content(*whose, digests)
            found |= {f"#{one}": listing for one, listing in content.items()}
        if references:
            listings = repository_intake.by_reference(*whose, references)
            found |= {f"@{one}": listing for one, listing in listings.items()}
        return found

    def _refuse_taken_numbers(self, plan: _Plan) -> None:
        """Refuse rows that would give a listing the number of another."""
        wanted = [
            (number, one)
            for one in plan.known
            if one.row.reference
            and one.row.renumbers(one.listing)
            and (number := one.row.form.own_number) is not None
        ]
        if not wanted:
            return
        whose = (self._session, self._organisation.id, self._kind)
        found = repository_intake.by_own_number(*whose, [number for number, _ in wanted])
        taken = {*found, *(row.form.own_number for row in plan.new)}
        for number, one in wanted:
            if number not in taken:
                taken.add(number)
            else:
                plan.refused[one.row.number] = (taken_number(one.row),)
                plan.known.remove(one)

    def _create(self, rows: Sequence[Row]) -> list[Outcome]:
        to = self._target(ListingState.PRIVATE)
        numbers = self._numbers(len(rows)) if to.state is ListingState.PUBLISHED else []
        at, by = self._context.at, self._context.person_id
        listings = [
            {
                "public_id": new_public_id(),
                "number": number,
                "kind": self._kind,
                "organisation_id": self._organisation.id,
                "own_number": row.form.own_number,
                "masked": row.form.masked,
                "state": to.state,
                "review_state": to.review,
                "content_hash": row.digest,
                "import_run_id": self._context.run_id,
                "created_by": by,
                "created_at": at,
                "updated_at": at,
                "published_at": at if number else None,
            }
            for row, number in zip_longest(rows, numbers)
        ]
        ids = repository_intake.insert_listings(self._session, listings)
        written = self._write(
            [Revised(one, bare(row.form), 1, to, None) for one, row in zip(ids, rows, strict=True)]
        )
        return [
            Outcome(
                row.number,
                Effect.CREATED,
                key=row.key,
                subject_id=one,
                before={"after": _after(written[one], row.form.masked, row.form.own_number)},
            )
            for one, row in zip(ids, rows, strict=True)
        ]

    def _update(self, known: Sequence[_Known]) -> list[Outcome]:
        """Bring known listings to what the file says now."""
        fresh = [one for one in known if one.listing.content_hash != one.row.digest]
        ids = [one.listing.working_revision_id for one in fresh]
        texts = repository.revisions(self._session, ids)
        revised: list[Revised] = []
        for one in fresh:
            assert one.listing.working_revision_id is not None
            revision, facts = texts[one.listing.working_revision_id]
            before = text_of(revision, facts)
            text = before.model_copy(update=_given_text(one.row))
            one.was, one.now = before.title, text.title
            if self._context.dry:
                one.changes = changes_of(one.row, one.listing, before, text)
            one.changed = self._change_beside(one)
            if differences(before, text):
                one.changed = True
                revised.append(self._revised(one.listing, text, revision.seq + 1))
            # A row that agrees already was brought in like the others. Without a number the digest
            # is what a row is known by, and stays.
            if one.changed or one.listing.own_number is not None:
                one.listing.content_hash = one.row.digest
        written = self._write(revised)
        self._publish_waiting([one for one in known if one.listing.id not in written])
        for one in known:
            if one.changed:
                one.listing.import_run_id = self._context.run_id
        self._session.flush()
        return [_outcome(one, written.get(one.listing.id)) for one in known]

    def _change_beside(self, one: _Known) -> bool:
        """Change what stands beside the text and takes effect at once."""
        listing, row = one.listing, one.row
        changed = False
        if "masked" in row.given and listing.masked != row.form.masked:
            listing.masked, listing.updated_at, changed = row.form.masked, self._context.at, True
            if listing.state == ListingState.PUBLISHED:
                self._published.add(listing.id)
            if listing.masked:
                self._masked.add(listing.id)
        if row.reference and row.renumbers(listing):
            listing.own_number, changed = row.form.own_number, True
        if changed:
            listing.edits += 1  # a form that was opened before is overtaken
        return changed

    def _publish_waiting(self, known: Sequence[_Known]) -> None:
        """Publish what the file leaves as it is and what waits for review, where that is given."""
        handed_in = [one for one in known if one.listing.review_state == ReviewState.SUBMITTED]
        if not self._at_once or not handed_in:
            return
        at = self._context.at
        unnumbered = [one.listing for one in handed_in if one.listing.number is None]
        for listing, name in zip(unnumbered, self._numbers(len(unnumbered)), strict=True):
            listing.number = name
        for one in handed_in:
            listing = one.listing
            listing.state, listing.review_state = ListingState.PUBLISHED, ReviewState.APPROVED
            listing.public_revision_id = listing.working_revision_id
            listing.updated_at, listing.published_at = at, listing.published_at or at
            one.changed = True
            self._published.add(listing.id)
        ids = [one.listing.id for one in handed_in]
        repository_intake.close_reviews(
            self._session, ids, ReviewState.APPROVED, by=self._context.person_id, at=at
        )

    def _revised(self, listing: Listing, text: Text, seq: int) -> Revised:
        """Return the revision of a known listing; one that was withdrawn stays so."""
        state = ListingState(listing.state)
        to = (
            Standing(state, ReviewState.DRAFT)
            if state is ListingState.WITHDRAWN
            else self._target(state)
        )
        if to.state is ListingState.PUBLISHED and listing.number is None:
            listing.number, listing.published_at = self._numbers(1)[0], self._context.at
        return Revised(listing.id, text, seq, to, listing.public_revision_id)

    def _target(self, state: ListingState) -> Standing:
        if self._at_once:
            return Standing(ListingState.PUBLISHED, ReviewState.APPROVED)
        return Standing(state, ReviewState.SUBMITTED)

    def _numbers(self, count: int) -> list[str]:
        if not count:
            return []
        series = publishing.series(self._kind, self._context.at)
        taken = repository.next_numbers(self._session, series, count)
        return [publishing.number(series, n) for n in taken]

    def _write(self, revised: Sequence[Revised]) -> dict[ListingId, RevisionId]:
        """Write revisions and bring each listing to where it goes. Return the new ids."""
        written = write_revisions(self._session, self._context, revised)
        self._published |= {
            one.listing_id for one in revised if one.to.review is ReviewState.APPROVED
        }
        return written


def write_revisions(
    session: Session, context: Context, revised: Sequence[Revised]
) -> dict[ListingId, RevisionId]:
    """Write the revisions, bring each listing to where it goes, close and open reviews.

    Return the new revisions' ids by listing.
    """
    if not revised:
        return {}
    by, at = context.person_id, context.at
    texts = [(one.listing_id, one.seq, one.text) for one in revised]
    ids = repository_intake.insert_texts(session, texts, by=by, at=at)
    written = {one.listing_id: new for one, new in zip(revised, ids, strict=True)}
    repository_intake.update_listings(
        session,
        [
            {
                "id": one.listing_id,
                "state": one.to.state,
                "review_state": one.to.review,
                "working_revision_id": written[one.listing_id],
                "public_revision_id": (
                    written[one.listing_id]
                    if one.to.review is ReviewState.APPROVED
                    else one.public_revision_id
                ),
                "updated_at": at,
            }
            for one in revised
        ],
    )
    repository_intake.close_reviews(session, list(written), ReviewState.DRAFT, by=by, at=at)
    submitted = [
        (one.listing_id, written[one.listing_id])
        for one in revised
        if one.to.review is ReviewState.SUBMITTED
    ]
    repository_intake.insert_reviews(session, submitted, by=by, at=at)
    return written


def _given_text(row: Row) -> dict[str, Any]:
    """Return the columns of the text that the file has."""
    text = bare(row.form)
    return {name: getattr(text, name) for name in type(text).model_fields if name in row.given}


def _before(listing: Listing) -> dict[str, Any]:
    published = listing.published_at
    return {
        "state": standing(listing).state,
        "review": standing(listing).review,
        "working": listing.working_revision_id,
        "public": listing.public_revision_id,
        "masked": listing.masked,
        "own_number": listing.own_number,
        "hash": listing.content_hash,
        "published_at": None if published is None else published.isoformat(),
    }


def _after(revision: RevisionId | None, masked: bool, own_number: str | None) -> dict[str, Any]:
    return {"working": revision, "masked": masked, "own_number": own_number}


def _key(listing: Listing) -> str:
    """Return what a stored listing is known by, however a row names it."""
    return f"@{listing.public_id}"


def _outcome(one: _Known, written: RevisionId | None) -> Outcome:
    listing = one.listing
    if not one.changed:
        return Outcome(one.row.number, Effect.UNCHANGED, key=_key(listing))
    after = _after(written or listing.working_revision_id, listing.masked, listing.own_number)
    before: Mapping[str, Any] = one.before | {"after": after}
    return Outcome(
        one.row.number,
        Effect.UPDATED,
        key=_key(listing),
        subject_id=listing.id,
        before=before,
        was=one.was,
        now=one.now,
        changes=one.changes,
    )
