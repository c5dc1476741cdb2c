"""The index built anew: who asks for it and hears how it ended, and where its documents come from.

It is asked for by a mark that the indexer looks for, so that the request outlives every process.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from market.accounts.policy import Action, Relation
from market.accounts.work import Parts, Work
from market.catalog import views
from market.discovery import repository_audit
from market.discovery.drain import BATCH, EVERY, documents_of
from market.discovery.words import all_words
from market.kit import changes
from market.kit.changes import SubjectKind
from market.kit.errors import Conflict
from market.kit.ids import ListingId
from market.operations import marks
from market.operations.models import OperationMark
from market.rules import dictionary
from search.dictionary import Dictionary
from search.document import Deletion, Document
from search.rebuild import Standing


class Listings:
    """A Source (of `search.rebuild`)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def ids(self) -> Sequence[int]:
        with self._parts.database.read() as session:
            return repository_audit.recorded(session)

    def read(self, ids: Sequence[int]) -> tuple[list[Document], list[Deletion]]:
        with self._parts.database.read() as session:
            documents, deletions, _ = documents_of(session, [ListingId(one) for one in ids])
        return documents, deletions

    def standing(self) -> Standing:
        """In one state of the database."""
        with self._parts.database.read() as session:
            versions: dict[int, int] = {}
            for some in _batches(views.public_ids(session, limit=EVERY)):
                versions |= changes.versions(session, SubjectKind.LISTING, some)
            return Standing(versions, {*repository_audit.owed(session)})


def _batches(ids: Sequence[ListingId]) -> Iterator[Sequence[ListingId]]:
    for start in range(0, len(ids), BATCH):
        yield ids[start : start + BATCH]


def ask(parts: Parts) -> datetime:
    """Ask for the index to be built anew; return the moment, by which `outcome` is known."""
    now = parts.clock.now()
    with parts.database.write() as session:
        marks.put(session, marks.REBUILD_ASKED, at=now, good=True)
    return now


def ask_by_page(work: Work) -> None:
    """Ask for it from the page of the dictionary words. Raises Conflict while one is under way."""
    work.require(Action.SYNONYM_EDIT, Relation.OTHER)
    if state(work.session).asked is not None:
        raise Conflict("索引正在重建，完成后再重建一次")
    marks.put(work.session, marks.REBUILD_ASKED, at=work.now, good=True)
    work.touched("index", "listings")


@dataclass(frozen=True, slots=True)
class State:
    """When a rebuild was asked for that has not ended, and how the last one ended."""

    asked: datetime | None
    last: OperationMark | None


def state(session: Session) -> State:
    newest = marks.newest(session)
    wanted, last = newest.get(marks.REBUILD_ASKED), newest.get(marks.REBUILD)
    waiting = wanted is not None and (last is None or last.at < wanted.at)
    return State(wanted.at if wanted and waiting else None, last)


def asked(parts: Parts) -> datetime | None:
    """Return when a rebuild was asked for that has not ended."""
    with parts.database.read() as session:
        return state(session).asked


@dataclass(frozen=True, slots=True)
class Begun:
    """A rebuild under way: when it was asked for, and the words that all documents are cut by until
    it has ended, or some would not be found by what was written meanwhile. What is asked for or
    written later waits for the next.
    """

    asked: datetime
    ids: frozenset[int]
    words: Dictionary


def begin(parts: Parts, asked_at: datetime) -> Begun:
    """To be called before the first document is made."""
    with parts.database.read() as session:
        ids = dictionary.ids(session)  # first: another word may come in between
        return Begun(asked_at, ids, all_words(session))


def succeeded(parts: Parts, begun: Begun, *, detail: str) -> None:
    """Write that a rebuild is in place; the dictionary words it began with are in force."""
    with parts.database.write() as session:
        dictionary.put_in_force(session, begun.ids, at=parts.clock.now())
        marks.put(session, marks.REBUILD, at=begun.asked, good=True, detail=detail)


def failed(parts: Parts, asked_at: datetime, *, detail: str) -> None:
    """Write that the rebuild asked for at that moment came to nothing, and why."""
    with parts.database.write() as session:
        marks.put(session, marks.REBUILD, at=asked_at, good=False, detail=detail)


def outcome(parts: Parts, asked_at: datetime) -> tuple[bool, str] | None:
    """Return whether the rebuild asked for at that moment succeeded, and what is told of it; None
    until it ended.
    """
    with parts.database.read() as session:
        mark = marks.newest(session).get(marks.REBUILD)
        return None if mark is None or mark.at < asked_at else (mark.good, mark.detail)
