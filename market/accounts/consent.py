"""What a person has agreed to, and what is still to be agreed to."""

from datetime import datetime

from sqlmodel import Session

from market.accounts import repository
from market.accounts.law import NAMES, Edition, in_force
from market.kit.clock import local_date
from market.kit.errors import Invalid
from market.kit.ids import PersonId

ASK = f"请先阅读并同意{'和'.join(NAMES.values())}"


def missing(session: Session, person_id: PersonId, now: datetime) -> tuple[Edition, ...]:
    """Return the editions in force that the person has not agreed to."""
    given = repository.consents(session, person_id)
    known = {(row.document, row.version) for row in given}
    return tuple(
        one for one in in_force(local_date(now)) if (one.document, one.version) not in known
    )


def require(*, agreed: bool) -> None:
    """Raises Invalid at `agreed` where the box was left empty."""
    if not agreed:
        raise Invalid(fields={"agreed": ASK})


def give(session: Session, person_id: PersonId, now: datetime) -> None:
    """Write that the person agrees to everything in force. Safe to repeat."""
    for edition in missing(session, person_id, now):
        repository.add_consent(session, person_id, edition.document, edition.version, now)
