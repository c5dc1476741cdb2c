"""Contracts registered elsewhere, as the bureau and their parties read them, and taking one out.

What counts is never rewritten: a correction is a reversal and a new import of the number.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session

from market.accounts.policy import Action, Relation, Role
from market.accounts.work import Work
from market.kit.errors import Conflict, NotFound
from market.kit.ids import PublicId
from market.ledger import service as ledger
from market.ledger.schemas import Reversal
from market.registry import certificate, kept, repository_past
from market.registry.models import Cause, PastRegistration, PastState
from market.registry.past_columns import COLUMNS, PERSONAL
from market.registry.schemas import TakeOutIn

PAGE_SIZE = 50
OUT_ALREADY = "这份登记已经冲回，没有可冲回的"


@dataclass(frozen=True, slots=True)
class Past:
    """A past registration with its items, (label, words) in the form's order."""

    row: PastRegistration
    items: tuple[tuple[str, str], ...]
    may_take_out: bool


def listed(
    work: Work, text: str = "", year: int | None = None, page: int = 1
) -> tuple[list[PastRegistration], int]:
    """Return a page of PAGE_SIZE and the number of all: everyone's for the bureau, else one's own.

    `text` is looked for in number, project and parties.
    """
    bureau = work.actor.role is Role.OFFICER
    work.require(Action.REGISTRATION_VIEW, Relation.OTHER if bureau else Relation.OWN)
    return repository_past.page(
        work.session,
        party=None if bureau else work.actor.organisation,
        text=text.strip(),
        year=year,
        limit=PAGE_SIZE,
        offset=(page - 1) * PAGE_SIZE,
    )


def taken_out(work: Work, text: str = "", year: int | None = None) -> int:
    """Return how many of those listed do not count any more."""
    bureau = work.actor.role is Role.OFFICER
    party = None if bureau else work.actor.organisation
    return repository_past.taken_out(work.session, party=party, text=text.strip(), year=year)


def years(work: Work) -> list[int]:
    """Return the years in which the actor finds past registrations, newest first."""
    bureau = work.actor.role is Role.OFFICER
    return repository_past.years(work.session, None if bureau else work.actor.organisation)


def get(work: Work, public_id: PublicId) -> Past:
    """Return a past registration to the bureau and its parties. Raises NotFound."""
    row = repository_past.by_public_id(work.session, public_id)
    if row is None or not work.may(Action.REGISTRATION_VIEW, _relation(work, row)):
        raise NotFound
    bureau = work.actor.role is Role.OFFICER
    hidden: Collection[str] = () if bureau else PERSONAL
    items = tuple(
        (column.label, row.items[column.key])
        for column in COLUMNS
        if column.key in row.items and column.key not in hidden
    )
    counted = row.state == PastState.COUNTED
    return Past(row, items, counted and work.may(Action.REGISTRATION_UNDO, _relation(work, row)))


def _relation(work: Work, row: PastRegistration) -> Relation:
    mine = work.actor.organisation_id
    if mine is None or mine not in (row.seller_id, row.buyer_id):
        return Relation.OTHER
    return Relation.OWN if mine == row.seller_id else Relation.COUNTERPART


def take_out(work: Work, public_id: PublicId, form: TakeOutIn) -> Past:
    """Take one out of what counts, with a reason: a mistake of the import as of its own day, a
    cancellation by the registry as of today.

    Raises NotFound, Forbidden; Conflict where it does not count any more.
    """
    found = get(work, public_id)
    row, cause = found.row, Cause(form.cause)
    work.require(Action.REGISTRATION_UNDO, Relation.OTHER)
    work.touched("past_registration", row.public_id)
    if row.state != PastState.COUNTED:
        raise Conflict(OUT_ALREADY)
    digest = certificate.digest({"past": row.public_id, "cause": str(cause), "reason": form.reason})
    effective_on = None if cause is Cause.MISTAKE else work.today
    key = f"past:{row.public_id}:undo"
    reversal = ledger.reverse_many(
        work.session, [Reversal(row.transaction_id, key, digest, effective_on)], at=work.now
    )[0]
    repository_past.take_out(
        work.session,
        row,
        reversal=reversal,
        cause=cause,
        reason=form.reason,
        by=work.actor.person,
        at=work.now,
    )
    kept.past(work.session, [row], at=work.now)
    return get(work, public_id)


def counts_already(session: Session, registry: str, number: str) -> bool:
    """Tell whether a number counts as one registered elsewhere."""
    return number in repository_past.counted_numbers(session, registry, [number])


def cancelled(session: Session, registry: str, number: str) -> bool:
    """Tell whether the registry cancelled the contract that had a number, elsewhere."""
    return number in repository_past.cancelled_numbers(session, registry, [number])


def number_of_mark(session: Session, mark: str) -> str | None:
    """Return the number under which the same contract counts as registered elsewhere."""
    return repository_past.counted_marks(session, [mark]).get(mark)
