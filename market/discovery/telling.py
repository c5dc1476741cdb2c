"""Telling organisations of new matches: one message a day for each direction, however many came.

An import of thousands finds thousands of matches; the page it leads to lists them by listing.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action
from market.catalog.views import Source
from market.kit import notify
from market.kit.clock import local_date
from market.kit.notify import Subject, To

FOUND: Final = "match.found"
SOUGHT: Final = "match.sought"


def tell_found(
    session: Session, found: Iterable[tuple[Source, Iterable[Source]]], at: datetime
) -> None:
    """Tell the owners of demands, and of the achievements that are new in their lists."""
    told: set[tuple[str, int]] = set()
    for demand, achievements in found:
        for achievement in achievements:
            for kind, own in ((FOUND, demand), (SOUGHT, achievement)):
                if (kind, own.organisation_id) not in told:
                    told.add((kind, own.organisation_id))
                    _tell(session, kind, own, at)


def _tell(session: Session, kind: str, own: Source, at: datetime) -> None:
    title = "有成果和贵单位的需求相合" if kind == FOUND else "有需求和贵单位的成果相合"
    notify.tell(
        session,
        To(organisation_id=own.organisation_id, action=Action.MATCH_VIEW),
        kind,
        Subject("organisation", own.organisation_public_id),
        title,
        key=f"{kind}:{own.organisation_public_id}:{local_date(at)}",
        at=at,
        detail=f"如“{own.text.title}”，其余在匹配页按条列出。",
    )
