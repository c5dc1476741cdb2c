"""What does not agree in the imports."""

from collections.abc import Iterator

from sqlmodel import Session

from market.imports import waiting
from market.kit import notify
from market.kit.across import Finding


def audit(session: Session) -> Iterator[Finding]:
    """Yield open tasks that nothing waits for, and what waits without a task."""
    yield from notify.differences(session, waiting.KINDS, waiting.tasks(session))
