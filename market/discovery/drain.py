"""What the change log owes to the index and to the matcher, done in order and once.

A delivery is claimed in one short transaction, its work done, and only then marked. Whatever ends
a process in between leaves claims that are given back and done again: the engine ignores what it
has, and matches are written by pair.
"""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from market.accounts.work import Parts
from market.catalog import views
from market.catalog.views import Source
from market.discovery import filling, repository, repository_audit, repository_judged
from market.discovery.comparison import store
from market.discovery.documents import document
from market.discovery.matching import Matcher
from market.discovery.models import MatchDue
from market.discovery.tasks import owe_listings_of
from market.kit import changes, faults, jobs, upkeep
from market.kit.changes import Claimed, Consumer, SubjectKind
from market.kit.ids import ListingId, OrganisationId
from search.document import Deletion, Document
from search.errors import DocumentRejected, SearchUnavailable
from search.port import SearchEngine, Writer

BATCH = 1_000
DUE = 100
"""Demands compared anew in one go; a decision of a person waits for no more than these."""
EVERY = 2**62
"""A limit that is none: page by page, SQLite would sort all published listings for each page."""

log = logging.getLogger("zhihe.discovery")


@dataclass(frozen=True, slots=True)
class Left:
    """How much is owed: unfinished jobs, deliveries to the index and to the matcher, with those
    the demands that are to be compared anew.
    """

    jobs: int
    index: int
    match: int
    newest_change: int

    @property
    def total(self) -> int:
        return self.jobs + self.index + self.match


def left_to_do(parts: Parts, up_to_change: int | None = None) -> Left:
    """Return what is owed of the changes up to the one with this id, or of all."""
    with parts.database.read() as session:
        newest = repository.newest_change(session)
        up_to = newest if up_to_change is None else up_to_change
        owed = repository.owed(session, Consumer.MATCH, up_to_change=up_to)
        return Left(
            jobs=jobs.waiting(session),
            index=repository.owed(session, Consumer.INDEX, up_to_change=up_to),
            match=owed + repository_judged.due_count(session),
            newest_change=newest,
        )


def drain_index(parts: Parts, engine: Writer, limit: int = BATCH) -> int:
    """Bring up to `limit` changes into the index; return how many were taken up.

    `engine` is open for writing. A document that cannot be written is tried again later and then
    set aside, alone. Raises SearchUnavailable; the claims are then still held (`give_back`).
    """
    claimed = _claim(parts, Consumer.INDEX, limit)
    if not claimed:
        return 0
    listings = _listings(claimed)
    with parts.database.read() as session:
        documents, deletions, broken = documents_of(session, list(listings))
    broken |= _write(engine, documents, deletions)
    now = parts.clock.now()
    with parts.database.write() as session:
        for one in claimed:
            if one.subject_kind is SubjectKind.ORGANISATION:
                owe_listings_of(session, OrganisationId(one.subject_id), one.version, at=now)
        _finish(parts, session, Consumer.INDEX, claimed, broken)
    return len(claimed)


def drain_matches(parts: Parts, engine: SearchEngine, matcher: Matcher, limit: int = BATCH) -> int:
    """Compare up to `limit` changed listings that the index already knows, and some of the demands
    that are due anew; return how many of both were taken up.

    A listing that cannot be compared is tried again later and then set aside, alone; a demand that
    is due and cannot be compared is let go, with a line in the log. Raises SearchUnavailable; the
    claims are then still held (`give_back`).
    """
    with parts.database.read() as session:
        filling.check(session)
    claimed = _claim(parts, Consumer.MATCH, limit)
    with parts.database.read() as session:
        due = repository_judged.due(session, DUE)
    if not claimed and not due:
        return 0
    ids = list(_listings(claimed))
    try:
        _compare(parts, engine, matcher, ids, due)
    except (SearchUnavailable, DBAPIError):
        raise
    except Exception:
        log.exception("comparing %s listings failed; each is now compared alone", len(ids))
        broken = _each_alone(parts, engine, matcher, ids, due)
    else:
        broken = {}
    with parts.database.write() as session:
        _finish(parts, session, Consumer.MATCH, claimed, broken)
    return len(claimed) + len(due)


def making_whole(parts: Parts, engine: SearchEngine, size: int = BATCH) -> Iterator[int]:
    """Write what an index lacks or has in another version, and remove what nobody may see; yield
    after each chunk of `size` listings how many documents had to be put right.

    For an index that is new, was lost, or was brought back from a copy. Whoever goes on with it may
    drain changes between two chunks: people would else wait for what they have just published until
    all that others have is looked through. What cannot be written is owed like a change, so that it
    is tried again, and set aside where all may see it.
    """
    # Asked before anything is drained into it, which would hide that it had been lost.
    return _making_whole(parts, engine, size, empty=not engine.count())


def _making_whole(parts: Parts, engine: SearchEngine, size: int, *, empty: bool) -> Iterator[int]:
    with parts.database.read() as session:
        visible = views.public_ids(session, limit=EVERY)
    known = {*visible}
    if empty:
        yield from _bury(parts, engine, known, size)
    wrong = gone = 0
    stuck: set[ListingId] = set()
    for some in _chunks(visible, size):
        indexed = engine.versions(some)
        with parts.database.read() as session:
            versions = changes.versions(session, SubjectKind.LISTING, some)
            lacking = [one for one in some if indexed.get(one) != versions.get(one)]
            documents, _, broken = documents_of(session, lacking)
        stuck |= broken.keys() | _write(engine, documents, []).keys()
        wrong += len(lacking)
        yield len(lacking)
    too_many: list[ListingId] = []
    for place, (one, _) in enumerate(engine.scan(), start=1):
        if one not in known:  # published meanwhile, some of them
            too_many.append(ListingId(one))
        if place % size == 0:
            yield 0
    for some in _chunks(too_many, size):
        with parts.database.read() as session:
            documents, deletions, _ = documents_of(session, some)
        _write(engine, documents, deletions)
        gone += len(deletions)
        yield len(deletions)
    _owe(parts, stuck)
    if wrong or gone:
        log.info("index put right: %s written, %s removed", wrong, gone)


def _bury(parts: Parts, engine: Writer, visible: Collection[ListingId], size: int) -> Iterator[int]:
    """Tell an empty index what is gone: a write under way then brings nothing of it back."""
    with parts.database.read() as session:
        gone = [one for one in repository_audit.recorded(session) if one not in visible]
    for some in _chunks(gone, size):
        with parts.database.read() as session:
            documents, deletions, _ = documents_of(session, some)
        _write(engine, documents, deletions)
        yield 0


def _chunks(ids: Sequence[ListingId], size: int) -> Iterator[Sequence[ListingId]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _owe(parts: Parts, ids: Collection[ListingId]) -> None:
    """Owe these listings to the index unless a change of theirs is owed already."""
    if not ids:
        return
    now = parts.clock.now()
    with parts.database.write() as session:
        fresh = sorted({*ids} - repository_audit.undelivered(session, ids))
        changes.record_many(session, SubjectKind.LISTING, fresh, "reindex", at=now, actor_id=None)


def holds_enough(parts: Parts, engine: SearchEngine) -> bool:
    """Return whether an index that was whole, and then away, can have lost nothing: it holds what
    is public but for what is owed to it. One that is empty has been lost.
    """
    with parts.database.read() as session:
        visible = sum(views.counts(session).values())
        newest = repository.newest_change(session)
        owed = repository.owed(session, Consumer.INDEX, up_to_change=newest)
    there = engine.count()
    return there > 0 and there + owed >= visible


def _claim(parts: Parts, consumer: Consumer, limit: int) -> list[Claimed]:
    now = parts.clock.now()
    after = Consumer.INDEX if consumer is Consumer.MATCH else None
    with parts.database.read() as session:
        if not changes.due(session, consumer, now=now, after=after):
            return []
    with parts.database.write() as session:
        if consumer is Consumer.INDEX:
            changes.stamp(session, limit)
        return changes.claim(session, consumer, now=now, limit=limit, after=after)


def give_back(parts: Parts, consumer: Consumer) -> None:
    """Free the claims of a process that is gone, or of one's own that failed."""
    with parts.database.write() as session:
        changes.give_back(session, consumer, now=parts.clock.now())


def give_back_work(parts: Parts) -> None:
    """Free everything that a worker held: its comparisons and its jobs."""
    give_back(parts, Consumer.MATCH)
    with parts.database.write() as session:
        jobs.give_back(session, at=parts.clock.now())


def _listings(claimed: Iterable[Claimed]) -> dict[ListingId, None]:
    """Each listing once, however often it changed."""
    return {
        ListingId(one.subject_id): None
        for one in claimed
        if one.subject_kind is SubjectKind.LISTING
    }


def documents_of(
    session: Session, ids: Sequence[ListingId]
) -> tuple[list[Document], list[Deletion], dict[ListingId, str]]:
    """Return the documents of the listings as they are now, the deletions of those that nobody
    may see, and what kept a document from being made.
    """
    sources, broken = _sources(session, ids)
    versions = changes.versions(session, SubjectKind.LISTING, ids)
    documents = []
    for one, source in sources.items():
        try:
            documents.append(document(source, versions[one]))
        except Exception as error:  # one broken row must not hold back the rest
            log.exception("listing %s has no document", one)
            broken[one] = faults.told(error)
    # A listing without a version was never recorded: it has no document to delete.
    gone = [one for one in ids if one not in sources and one not in broken and one in versions]
    return documents, [Deletion(one, versions[one]) for one in gone], broken


def _sources(
    session: Session, ids: Sequence[ListingId]
) -> tuple[dict[ListingId, Source], dict[ListingId, str]]:
    """Return the publicly visible listings, and what keeps others from being read."""
    try:
        return views.document_source(session, ids), {}
    except DBAPIError:
        raise
    except Exception:
        log.exception("reading %s listings failed; each is now read alone", len(ids))
    found: dict[ListingId, Source] = {}
    broken = {}
    for one in ids:
        try:
            found |= views.document_source(session, [one])
        except DBAPIError:
            raise
        except Exception as error:
            log.exception("listing %s cannot be read", one)
            broken[one] = faults.told(error)
    return found, broken


def _write(
    engine: Writer, documents: Sequence[Document], deletions: Sequence[Deletion]
) -> dict[ListingId, str]:
    """Write all that the engine takes; return the documents it rejects, with its reason."""
    rejected: dict[ListingId, str] = {}
    while True:
        try:
            engine.write([one for one in documents if one.id not in rejected], deletions)
        except DocumentRejected as error:
            if error.id in rejected:
                raise
            log.exception("the index rejects listing %s", error.id)
            rejected[ListingId(error.id)] = error.reason
        else:
            return rejected


def _compare(
    parts: Parts,
    engine: SearchEngine,
    matcher: Matcher,
    ids: Sequence[ListingId],
    due: Sequence[MatchDue] = (),
) -> None:
    with parts.database.read() as session:
        found = matcher.compare(session, engine, ids, parts.clock.now(), due)
    with parts.database.write() as session:
        store(session, found)


def _each_alone(
    parts: Parts,
    engine: SearchEngine,
    matcher: Matcher,
    ids: Sequence[ListingId],
    due: Sequence[MatchDue],
) -> dict[ListingId, str]:
    broken = {}
    works: list[tuple[ListingId, list[ListingId], list[MatchDue]]] = [
        *((one, [one], []) for one in ids),
        *((row.demand_id, [], [row]) for row in due),
    ]
    for one, changed, again in works:
        try:
            _compare(parts, engine, matcher, changed, again)
        except (SearchUnavailable, DBAPIError):
            raise
        except Exception as error:
            log.exception("listing %s cannot be compared", one)
            if changed:
                broken[one] = faults.told(error)
            with parts.database.write() as session:
                repository_judged.done(session, [(row.demand_id, row.since) for row in again])
    return broken


def _finish(
    parts: Parts,
    session: Session,
    consumer: Consumer,
    claimed: Sequence[Claimed],
    broken: Mapping[ListingId, str],
) -> None:
    now = parts.clock.now()
    done = []
    for one in claimed:
        reason = (
            broken.get(ListingId(one.subject_id))
            if one.subject_kind is SubjectKind.LISTING
            else None
        )
        if reason is None:
            done.append(one.delivery_id)
        else:
            changes.failed(session, one, reason, now=now)
    changes.done(session, done, now=now)
    through = _listings(claimed).keys() - broken.keys()
    upkeep.overtaken(session, consumer, SubjectKind.LISTING, through, at=now)
