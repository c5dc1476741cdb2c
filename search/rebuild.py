"""An index built anew beside the live one, held against what it must contain, and put in its place.

The live index answers and takes every change meanwhile. The changes go to both (`Doubled`), so that
the new one is never behind. Interrupted at any point, the live index is as it was, and a rebuild
can begin again. The index before stays as the last good one until the next rebuild.

    rebuild = Rebuild(live, indexes, source)
    while rebuild.step():         # a chunk; between two, changes are written to rebuild.writer
        ...
    rebuild.finish()              # or abandon(); then open the index again
"""

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from search.document import Deletion, Document
from search.errors import DocumentRejected, RebuildRefused, SearchError
from search.port import SearchEngine, Writer
from search.query import And, Ids, SearchRequest, Words
from search.schema import Schema

CHUNK = 1_000
SAMPLE = 500
"""Documents whose content is looked at, of all whose version is."""
_WORDS = 5  # of each field of a sampled document that it must be found by


class Indexes(Protocol):
    """The indexes of one schema side by side: the live one, the one before, one being built."""

    def begin(self) -> SearchEngine:
        """Open an empty index beside the live one for writing; remove what an interrupted build
        left. Raises SearchUnavailable.
        """
        ...

    def swap(self) -> None:
        """Make what `begin` made, closed by now, the live index, for all readers at once; keep the
        one before and remove older ones.
        """
        ...

    def abandon(self) -> None:
        """Remove what `begin` made, closed by now, unless a `swap` that failed got so far as to
        make it the live one.
        """
        ...


@dataclass(frozen=True, slots=True)
class Standing:
    """What an index must hold: a version for each document; `owed` are ids whose change it may not
    have taken in yet.
    """

    versions: Mapping[int, int]
    owed: Collection[int] = ()


class Source(Protocol):
    """Where documents come from, as they are now."""

    def ids(self) -> Sequence[int]:
        """Of all documents, and of those that are gone: a write of long ago may still be under way,
        and only their deletions keep it from bringing them back.
        """
        ...

    def read(self, ids: Sequence[int]) -> tuple[Sequence[Document], Sequence[Deletion]]:
        """The documents of these ids, deletions of those that are gone; one of which no document
        can be made is left out.
        """
        ...

    def standing(self) -> Standing: ...


class Doubled:
    """Writes to the live index and to the one being built. What fails there alone fails the rebuild
    and not the write.
    """

    def __init__(self, live: Writer, fresh: Writer) -> None:
        self._live = live
        self._fresh = fresh
        self.failure: SearchError | None = None

    def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None:
        self._live.write(upserts, deletions)
        if self.failure is None:
            try:
                self._fresh.write(upserts, deletions)
            except SearchError as error:
                self.failure = error


@dataclass(slots=True)
class Rebuild:
    """One rebuild, a chunk a step; `writer` takes the changes that come meanwhile."""

    live: SearchEngine
    indexes: Indexes
    source: Source
    done: int = 0
    held: int = 0
    """Documents in the new index, counted by `finish`."""
    left_out: set[int] = field(default_factory=set)
    """Documents that could not be made or were refused: the new index does without them."""

    _fresh: SearchEngine = field(init=False)
    writer: Doubled = field(init=False)
    _ids: Sequence[int] = field(init=False)
    _gone: dict[int, int] = field(default_factory=dict)
    """Versions with which the new index was told what is gone."""

    def __post_init__(self) -> None:
        """Raises SearchUnavailable where a new index cannot be made."""
        self._ids = self.source.ids()
        self._fresh = self.indexes.begin()
        self.writer = Doubled(self.live, self._fresh)

    def step(self) -> bool:
        """Write a chunk; return whether there is more. Raises what the source or the new index
        raises: the rebuild is then to be abandoned.
        """
        if self.writer.failure is not None:
            raise self.writer.failure
        some = self._ids[self.done : self.done + CHUNK]
        self._write(some)
        self.done += len(some)
        return self.done < len(self._ids)

    def _write(self, some: Sequence[int]) -> None:
        documents, deletions = self.source.read(some)
        self._gone |= {one.id: one.version for one in deletions}
        changes: list[Document | Deletion] = [*documents, *deletions]
        self.left_out |= set(some) - {one.id for one in changes}
        while True:
            try:
                kept = [one for one in documents if one.id not in self.left_out]
                self._fresh.write(kept, deletions)
                break
            except DocumentRejected as error:
                if error.id in self.left_out:
                    raise
                self.left_out.add(error.id)

    def finish(self) -> None:
        """Hold the new index against the source and put it in the place of the live one.

        Raises RebuildRefused where it does not hold what it should; it is then to be abandoned. The
        live engine is to be closed and opened again afterwards.
        """
        known = {*self._ids}
        # Of what is new since, too, even if gone already: another writer may not have doubled.
        late = [one for one in self.source.ids() if one not in known]
        for start in range(0, len(late), CHUNK):
            self._write(late[start : start + CHUNK])
        self._check()
        self._bury_again()
        self._fresh.close()
        self.indexes.swap()

    def abandon(self) -> None:
        self._fresh.close()
        self.indexes.abandon()

    def _check(self) -> None:
        """Every version, the exact count, and the content of a sample."""
        if self.writer.failure is not None:
            raise RebuildRefused(f"a change did not reach it: {self.writer.failure}")
        held = dict(self._fresh.scan())
        standing = self.source.standing()  # read after: what changed in between is owed
        loose = {*standing.owed, *self.left_out}
        wrong = {
            key
            for key in standing.versions.keys() | held.keys()
            if key not in loose and standing.versions.get(key) != held.get(key)
        }
        if wrong:
            raise RebuildRefused(f"{len(wrong)} of {len(held)} differ, {min(wrong)} for one")
        self.held = len(held)
        if (count := self._fresh.count()) != self.held:
            raise RebuildRefused(f"it counts {count} documents and lists {len(held)}")
        sample = random.sample(sorted(held), min(SAMPLE, len(held)))
        documents, _ = self.source.read(sample)
        self._check_content([one for one in documents if held.get(one.id) == one.version])

    def _bury_again(self) -> None:
        """Tell it of what is gone in a later version than it knows: another writer may have told
        the live one alone, and a late write of the version between would bring it back.
        """
        known = sorted(self._gone)
        for start in range(0, len(known), CHUNK):
            _, deletions = self.source.read(known[start : start + CHUNK])
            later = [one for one in deletions if one.version > self._gone[one.id]]
            if later:
                self._fresh.write([], later)

    def _check_content(self, documents: Sequence[Document]) -> None:
        """That their numbers are there, and that each is found by words of each of its fields."""
        for name in self._fresh.schema.numbers:
            wanted = {one.id: one.numbers[name] for one in documents if name in one.numbers}
            if self._fresh.numbers(name, [one.id for one in documents]) != wanted:
                raise RebuildRefused(f"of {len(documents)} documents some have another {name}")
        for document in documents:
            own = And((Ids(frozenset({document.id})), *telling(document, self._fresh.schema)))
            if self._fresh.search(SearchRequest(own, limit=0)).total != 1:
                raise RebuildRefused(f"document {document.id} is not found by its own words")


def telling(document: Document, schema: Schema) -> Iterable[Words]:
    """For each field of a document that has tokens, a query for some of them."""
    for name, tokens in schema.tokens(document).items():
        if terms := tuple(dict.fromkeys(tokens))[:_WORDS]:
            yield Words(terms, (name,), len(terms))
