"""An index that was lost is not asked until it is filled again: of what it lacks yet it would be
said that it is not there. Until then searches are answered as without an index, and matches wait.
"""

from sqlmodel import Session

from market.accounts.work import Parts
from market.catalog import views
from market.operations import marks
from search.errors import SearchUnavailable
from search.port import SearchEngine


def begin(parts: Parts, engine: SearchEngine) -> None:
    """Mark an index that is empty though there is something to find."""
    if engine.count():
        return
    with parts.database.read() as session:
        if not any(views.counts(session).values()):
            return
    with parts.database.write() as session:
        marks.put(session, marks.FILLING, at=parts.clock.now(), good=False)


def end(parts: Parts) -> None:
    """Take the mark away: all that was there when it was made is in the index."""
    with parts.database.read() as session:
        if marks.get(session, marks.FILLING) is None:
            return
    with parts.database.write() as session:
        marks.drop(session, marks.FILLING)


def check(session: Session) -> None:
    """Raise SearchUnavailable while the index is being filled."""
    if marks.get(session, marks.FILLING) is not None:
        raise SearchUnavailable("the index is being filled")
