"""Achievements and demands as kinds of import files.

The key of a row is the site's id of a listing (of an export), or (organisation, kind, own number);
a row with neither is known again by its whole content. A row that is as it was last brought in
changes nothing, even where people have edited the listing since; a changed one changes the columns
that the file has.
"""

from collections.abc import Iterator, Mapping, Sequence

from sqlmodel import Session

from market.accounts import repository as accounts
from market.catalog import intake_rows, intake_undo, repository_intake
from market.catalog.intake_columns import COLUMNS
from market.catalog.intake_writing import Batch
from market.catalog.vocabulary import KIND_NAMES, ListingKind
from market.kit.ids import OrganisationId
from market.kit.intake import Column, Context, Done, Given, Outcome


class ListingsTarget:
    """Import files of one kind of listing."""

    def __init__(self, kind: ListingKind) -> None:
        self.name: str = kind.value
        self.title = KIND_NAMES[kind]
        self.columns: Sequence[Column] = COLUMNS[kind]
        self._kind = kind

    def bring_in(
        self, session: Session, context: Context, rows: Sequence[Given]
    ) -> Sequence[Outcome]:
        organisation = accounts.organisation(session, OrganisationId(context.organisation_id))
        return Batch(session, context, organisation, self._kind).bring_in(rows)

    def understood(self, row: Given) -> Mapping[str, str]:
        return intake_rows.understood(self._kind, row)

    def undo(self, session: Session, context: Context, done: Sequence[Done]) -> Mapping[int, str]:
        return intake_undo.undo(session, context, done)

    def export(self, session: Session, organisation_id: int) -> Iterator[Mapping[str, str]]:
        for listing, text in repository_intake.all_of(
            session, OrganisationId(organisation_id), self._kind
        ):
            yield intake_rows.cells(listing, text)
