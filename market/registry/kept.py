"""What registrations say, kept in the ledger's chain of records.

Each change of a row is followed by this, in its transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.ledger import records
from market.registry.models import PastRegistration, Registration
from market.registry.repository_audit import rows
from market.registry.repository_history import histories

REGISTRATION: Final = "registration"
HISTORY: Final = "registration_history"
PAST: Final = "past_registration"


def registration(session: Session, row: Registration, *, at: datetime) -> None:
    records.keep(session, REGISTRATION, row.public_id, row, at=at)


def history(session: Session, row: Registration, *, at: datetime) -> None:
    """Keep what was signed and all steps of a registration, the latest among them."""
    session.flush()
    given = [(key, records.said(told)) for key, told in histories(session, row.id)]
    records.keep_many(session, HISTORY, given, at=at)


def past(session: Session, rows: Sequence[PastRegistration], *, at: datetime) -> None:
    """Keep several, as they stand in the session."""
    given = [(row.public_id, records.said(row)) for row in rows]
    records.keep_many(session, PAST, given, at=at)


def registrations(session: Session) -> list[tuple[str, str]]:
    """Return what all registrations say, (key, digest) each."""
    return [(row["public_id"], records.said(row)) for row in rows(session, Registration)]


def all_histories(session: Session) -> list[tuple[str, str]]:
    """As `registrations`, of what was signed and of the steps."""
    return [(key, records.said(told)) for key, told in histories(session)]


def pasts(session: Session) -> list[tuple[str, str]]:
    """As `registrations`, of those of elsewhere."""
    return [(row["public_id"], records.said(row)) for row in rows(session, PastRegistration)]
