"""What a consumer of the change log is owed, counted."""

from sqlmodel import Session

from market.discovery.repository import newest_change, owed
from market.kit.changes import Consumer


def backlog(session: Session, consumer: Consumer) -> int:
    return owed(session, consumer, up_to_change=newest_change(session))
