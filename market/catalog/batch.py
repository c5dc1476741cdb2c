"""One chunk of an import, written in a handful of statements whatever its length.

The rows it changes are locked when they are read (`FOR UPDATE`; on SQLite the whole transaction
holds the write lock): nobody else can move them meanwhile, so they are moved without a condition.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import zip_longest
from typing import Any

from sqlmodel import Session

from market.accounts.models import Organisation
from market.catalog import publishing, repository, repository_imports, waiting
from market.catalog.cells import Problem, Row, to_row
from market.catalog.models import (
    ImportProblem,
    ImportRun,
    Listing,
    ListingState,
    ReviewState,
)
from market.catalog.repository import Standing
from market.catalog.rows import Record
from market.catalog.texts import Text, bare, differences, text_of
from market.catalog.vocabulary import ListingKind
from market.kit import changes
from market.kit.ids import ListingId, RevisionId, new_public_id

MAX_UNKNOWN = 20
_NAME = 60  # of a column, as ImportProblem keeps it
_REASON = 300


@dataclass(frozen=True, slots=True)
class _Revised:
    """A listing that gets a new revision: its text, where it stands then, what is public now."""

    listing_id: ListingId
    text: Text
    seq: int
    to: Standing
    public_revision_id: RevisionId | None


@dataclass(slots=True)
class _Plan:
    """What the chunk will do, by what it finds."""

    new: list[Row] = field(default_factory=list)
    known: list[tuple[Listing, Row]] = field(default_factory=list)
    refused: int = 0
    problems: list[ImportProblem] = field(default_factory=list)


class Batch:
    """The writing of one chunk; `at_once` publishes instead of handing in for review."""

    def __init__(
        self, session: Session, run: ImportRun, organisation: Organisation, at: datetime
    ) -> None:
        self._session = session
        self._run = run
        self._organisation = organisation
        self._at = at
        self._kind = ListingKind(run.kind)
        self._at_once = run.publish or organisation.self_publish
        self._published: set[ListingId] = set()

    def bring_in(self, records: Sequence[Record], *, table: bool) -> None:
        """Write the records' listings and count them on the run."""
        plan = self._sort(records, table=table)
        repository_imports.add_all(self._session, plan.problems)
        self._create(plan.new)
        updated = self._update(plan.known)
        changes.record_many(
            self._session,
            changes.SubjectKind.LISTING,
            sorted(self._published),
            "imported",
            at=self._at,
            actor_id=self._run.created_by,
        )
        self._run.created += len(plan.new)
        self._run.updated += updated
        self._run.unchanged += len(plan.known) - updated
        self._run.refused += plan.refused
        repository_imports.add_all(self._session, [self._run])

    def _sort(self, records: Sequence[Record], *, table: bool) -> _Plan:
        plan = _Plan()
        rows: dict[str, tuple[int, Row]] = {}
        for record in records:
            row, problems = self._read(record, table=table)
            if row is not None and (key := _key(row)) in rows:
                problems = [_met_before(row, f"第{rows[key][0]}行")]
            if problems:
                self._refuse(plan, record.row, problems)
            elif row is not None:
                rows[_key(row)] = (record.row, row)
        stored = self._stored([row for _, row in rows.values()])
        for key, (number, row) in rows.items():
            listing = stored.get(key)
            if listing is None:
                plan.new.append(row)
            elif listing.import_run_id == self._run.id:
                self._refuse(plan, number, [_met_before(row, "前面的行")])
            else:
                plan.known.append((listing, row))
        return plan

    def _read(self, record: Record, *, table: bool) -> tuple[Row | None, list[Problem]]:
        if record.problem:
            return None, [Problem("", record.problem)]
        row, problems, unknown = to_row(self._kind, record.values, table=table)
        for name in unknown:
            shown = _storable(name, _NAME)
            if shown not in self._run.unknown and len(self._run.unknown) < MAX_UNKNOWN:
                self._run.unknown = [*self._run.unknown, shown]
        return row, problems

    def _refuse(self, plan: _Plan, row: int, problems: Sequence[Problem]) -> None:
        plan.refused += 1
        plan.problems += [
            ImportProblem(
                run_id=self._run.id,
                row=row,
                column=_storable(one.column, _NAME),
                reason=_storable(one.reason, _REASON),
            )
            for one in problems
        ]

    def _stored(self, rows: Sequence[Row]) -> dict[str, Listing]:
        """Return the organisation's listings that the rows speak of, by key."""
        numbers = [row.form.own_number for row in rows if row.form.own_number is not None]
        digests = [row.digest for row in rows if row.form.own_number is None]
        whose = (self._session, self._organisation.id, self._kind)
        found = repository_imports.listings_by_own_number(*whose, numbers)
        by_content = repository_imports.listings_by_content(*whose, digests) if digests else {}
        return found | {f"#{one}": listing for one, listing in by_content.items()}

    def _create(self, rows: Sequence[Row]) -> None:
        to = self._target(ListingState.PRIVATE)
        numbers = self._numbers(len(rows)) if to.state is ListingState.PUBLISHED else []
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
                "import_run_id": self._run.id,
                "created_by": self._run.created_by,
                "created_at": self._at,
                "updated_at": self._at,
                "published_at": self._at if number else None,
            }
            for row, number in zip_longest(rows, numbers)
        ]
        ids = repository_imports.insert_listings(self._session, listings)
        self._write(
            [_Revised(one, bare(row.form), 1, to, None) for one, row in zip(ids, rows, strict=True)]
        )

    def _update(self, known: Sequence[tuple[Listing, Row]]) -> int:
        """Bring known listings to what the file says now. Return how many that changed."""
        repository_imports.mark(self._session, [one.id for one, _ in known], self._run.id)
        fresh = [(one, row) for one, row in known if one.content_hash != row.digest]
        texts = repository.revisions(self._session, [one.working_revision_id for one, _ in fresh])
        revised: list[_Revised] = []
        remasked: set[ListingId] = set()
        for listing, row in fresh:
            assert listing.working_revision_id is not None  # written with the listing
            revision, facts = texts[listing.working_revision_id]
            before = text_of(revision, facts)
            text = before.model_copy(update=_given_text(row))
            listing.content_hash = row.digest
            if "masked" in row.given and listing.masked != row.form.masked:
                listing.masked, listing.updated_at = row.form.masked, self._at
                remasked.add(listing.id)
            if differences(before, text):
                revised.append(self._revised(listing, text, revision.seq + 1))
        self._published |= {
            one.id for one, _ in fresh if one.id in remasked and one.state == ListingState.PUBLISHED
        }
        self._write(revised)
        return len(remasked | {one.listing_id for one in revised})

    def _revised(self, listing: Listing, text: Text, seq: int) -> _Revised:
        """Return the revision of a known listing; one that was withdrawn stays so."""
        state = ListingState(listing.state)
        to = (
            Standing(state, ReviewState.DRAFT)
            if state is ListingState.WITHDRAWN
            else self._target(state)
        )
        if to.state is ListingState.PUBLISHED and listing.number is None:
            listing.number, listing.published_at = self._numbers(1)[0], self._at
        return _Revised(listing.id, text, seq, to, listing.public_revision_id)

    def _target(self, state: ListingState) -> Standing:
        if self._at_once:
            return Standing(ListingState.PUBLISHED, ReviewState.APPROVED)
        return Standing(state, ReviewState.SUBMITTED)

    def _numbers(self, count: int) -> list[str]:
        if not count:
            return []
        series = publishing.series(self._kind, self._at)
        taken = repository.next_numbers(self._session, series, count)
        return [publishing.number(series, n) for n in taken]

    def _write(self, revised: Sequence[_Revised]) -> None:
        """Write the revisions and bring each listing to where it goes."""
        if not revised:
            return
        by, at = self._run.created_by, self._at
        ids = repository_imports.insert_texts(
            self._session, [(one.listing_id, one.seq, one.text) for one in revised], by=by, at=at
        )
        listings = []
        for one, revision_id in zip(revised, ids, strict=True):
            approved = one.to.review is ReviewState.APPROVED
            listings.append(
                {
                    "id": one.listing_id,
                    "state": one.to.state,
                    "review_state": one.to.review,
                    "working_revision_id": revision_id,
                    "public_revision_id": revision_id if approved else one.public_revision_id,
                    "updated_at": at,
                }
            )
            if approved:
                self._published.add(one.listing_id)
        repository_imports.update_listings(self._session, listings)
        repository_imports.close_reviews(self._session, [one.listing_id for one in revised])
        submitted = [
            (one.listing_id, revision_id)
            for one, revision_id in zip(revised, ids, strict=True)
            if one.to.review is ReviewState.SUBMITTED
        ]
        repository_imports.insert_reviews(self._session, submitted, by=by, at=at)
        waiting.brought_in(self._session, self._organisation.id, at)


def _key(row: Row) -> str:
    """Return what a row is known by: its own number, or its whole content."""
    return f"#{row.digest}" if row.form.own_number is None else row.form.own_number


def _given_text(row: Row) -> dict[str, Any]:
    """Return the columns of the text that the file has."""
    text = bare(row.form)
    return {name: getattr(text, name) for name in type(text).model_fields if name in row.given}


def _met_before(row: Row, where: str) -> Problem:
    if row.form.own_number is None:
        return Problem("", f"与{where}的内容完全相同，只导入一次")
    return Problem(
        row.number_column, f"“{row.form.own_number[:20]}”在{where}已经有了，每个编号只能有一行"
    )


def _storable(text: str, limit: int) -> str:
    """Return a text of a file as both databases can keep it."""
    return "".join(one if one.isprintable() else "\ufffd" for one in text[:limit])
