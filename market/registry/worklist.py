"""What waits for the bureau, by its deadline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit.workdays import working_days_between
from market.registry import reading, repository, repository_waiting
from market.registry.certificate import plain
from market.registry.repository import Filed
from market.registry.states import AT_THE_DESK, RegistrationState, Step
from market.rules import service as rules
from market.rules import versions
from market.rules.calendar import Calendar

SOON_DAYS: Final = 3
"""Working days before the deadline from which something is due soon."""


class Due(StrEnum):
    LATE = "late"
    SOON = "soon"
    LATER = "later"
    NONE = "none"  # waits for the seller, or has no day


@dataclass(frozen=True, slots=True)
class Waiting:
    """One that waits. `left`: working days from today to the deadline, negative once it is over;
    `due_on` of one that was sent back is the seller's.
    """

    filed: Filed
    due_on: date | None
    due: Due
    left: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class Worklist:
    """A page of what was asked for, how many there are, and the counts of all that waits."""

    rows: Sequence[Waiting]
    total: int
    by_state: dict[str, int]
    by_due: dict[Due, int]


def worklist(
    work: Work,
    *,
    state: RegistrationState | None = None,
    due: Due | None = None,
    text: str = "",
    page: int = 1,
) -> Worklist:
    """Return what waits at the desk, what is due first at the front; for the bureau.

    `text` is looked for in project and parties, without width and spaces.
    """
    work.require(Action.REGISTRATION_DECIDE, Relation.OTHER)
    calendar, book = rules.calendar(work.session), versions.book(work.session)
    found = repository.waiting_for_bureau(work.session)
    returned = repository_waiting.newest_events(
        work.session,
        [one.row.id for one in found if one.row.state == RegistrationState.CORRECTION],
        Step.RETURN,
    )
    rows = []
    for filed in found:
        if filed.row.state in AT_THE_DESK:
            term = reading.terms(book, calendar, filed)
            rows.append(_waiting(filed, term.decide_by, calendar, work.today))
        else:
            asked = returned.get(filed.row.id)
            on = asked.due_on if asked else None
            rows.append(Waiting(filed, on, Due.NONE, 0, provisional=False))
    rows.sort(key=lambda one: (one.due is Due.NONE, one.due_on or date.max))
    wanted = plain(text)
    kept = [
        one
        for one in rows
        if (state is None or one.filed.row.state == state)
        and (due is None or one.due is due)
        and (not wanted or wanted in _words(one.filed))
    ]
    first = (page - 1) * reading.PAGE_SIZE
    return Worklist(
        rows=kept[first : first + reading.PAGE_SIZE],
        total=len(kept),
        by_state=repository.counts(work.session),
        by_due={one: sum(row.due is one for row in rows) for one in Due},
    )


def _waiting(filed: Filed, on: date, calendar: Calendar, today: date) -> Waiting:
    if on < today:
        left = -working_days_between(on, today, calendar.is_rest_day)
    else:
        left = working_days_between(today, on, calendar.is_rest_day)
    due = Due.LATE if on < today else Due.SOON if left <= SOON_DAYS else Due.LATER
    return Waiting(filed, on, due, left, calendar.provisional(on))


def _words(filed: Filed) -> str:
    contract = filed.contract
    return " ".join(
        plain(one) for one in (contract.project_name, contract.seller_name, contract.buyer_name)
    )
