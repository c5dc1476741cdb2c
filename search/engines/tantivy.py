"""The embedded engine: an index in a local folder, one process writing, any number reading.

Rankings differ from a freshly built index by the statistics of documents replaced since, until
tantivy merges them away; matches, counts and facets never do.
"""

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tantivy import Document as Stored
from tantivy import Index, IndexWriter, Order, Searcher

from search.document import Deletion, Document, newest
from search.engines.tantivy_indexes import Place, State, state_of
from search.engines.tantivy_page import Page
from search.engines.tantivy_query import (
    GONE,
    ID,
    TOKENIZER,
    VERSION,
    Compiler,
    tantivy_schema,
    tokens_analyzer,
    total,
)
from search.errors import SearchUnavailable, WriterBusy
from search.port import Capabilities
from search.query import All, SearchRequest
from search.result import SearchResult
from search.schema import Schema

WRITER_MEMORY = 64 * 2**20
"""Bytes that uncommitted documents may take before tantivy writes them out."""

_AT_ONCE = 20_000  # documents read in one search where all are read


class TantivyEngine:
    """SearchEngine over a local folder.

    An index belongs to one schema and one analysis: after a change of either, an empty one begins
    beside the old, to be filled anew. Tombstones stay as long as the index does.
    """

    def __init__(
        self, folder: Path, schema: Schema, *, read_only: bool, path: Path | None = None
    ) -> None:
        """Opening for writing makes the index where there is none and holds its only writer until
        `close`; raises WriterBusy where another process holds it. A reader may open before there is
        an index: until there is one, its calls raise SearchUnavailable. It follows when another
        index becomes the live one; a writer stays with its own. `path`: an index of the folder that
        is not the live one.
        """
        self._schema = schema
        self._native = tantivy_schema(schema)
        self._compiler = Compiler(schema, self._native)
        self._folder = folder
        self._place = Place(folder, schema.fingerprint)
        self._follows = read_only and path is None
        self._pointed = self._place.state()
        self._path = path or self._place.live()
        self._lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._index: Index | None = None
        self._seen: State = ()
        self._counted: tuple[State, int] | None = None
        self._writer: IndexWriter | None = None
        self._closed = False
        if not read_only:
            with _translated():
                self._make()
                self._writer = self._open().writer(WRITER_MEMORY, num_threads=1)

    @property
    def schema(self) -> Schema:
        return self._schema

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(atomic_writes=True, single_writer=True)

    def search(self, request: SearchRequest) -> SearchResult:
        self._schema.check_request(request)
        with _translated():
            return Page(self._searcher(), self._compiler, request).result()

    def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None:
        changes: list[Document | Deletion] = [*upserts, *deletions]
        for change in changes:
            self._schema.check(change)
        with self._write_lock, _translated():
            if self._writer is None:
                raise SearchUnavailable("this index is not open for writing")
            try:
                if self._stage(self._writer, changes):
                    self._writer.commit()
            except BaseException:
                # What was staged would otherwise come with the next commit, or spoil it.
                self._writer.rollback()
                raise

    def versions(self, ids: Collection[int]) -> dict[int, int]:
        with _translated():
            stored = self._stored(list(ids))
        return {key: version for key, (version, gone) in stored.items() if not gone}

    def numbers(self, field: str, ids: Collection[int]) -> dict[int, int]:
        self._schema.check_number(field)
        with _translated():
            found = self._columns(list(ids), field)  # a tombstone has no numbers
            return {_integer(key): _integer(value) for key, value in found if value is not None}

    def count(self) -> int:
        """Counted once for each state of the index: every match candidate asks."""
        with _translated():
            searcher, state = self._present()
            counted = self._counted
            if counted is not None and counted[0] == state:
                return counted[1]
            number = total(searcher.search(self._compiler.compile(All(), {}), limit=1))
            self._counted = state, number
            return number

    def scan(self) -> Iterator[tuple[int, int]]:
        with _translated():
            searcher = self._searcher()
        last = 0
        while True:
            with _translated():
                found = searcher.search(
                    self._compiler.after(last),
                    limit=_AT_ONCE,
                    count=False,
                    order_by_field=ID,
                    order=Order.Asc,
                ).hits
                versions = searcher.fast_field_values(VERSION, [address for _, address in found])
            for (last, _), version in zip(found, versions, strict=True):
                yield last, _integer(version)
            if len(found) < _AT_ONCE:
                return

    def frequencies(self, field: str, terms: Collection[str]) -> Mapping[str, int]:
        self._schema.check_token_field(field)
        with _translated():
            searcher = self._searcher()
            return {term: searcher.doc_freq(field, term) for term in terms}

    def close(self) -> None:
        with self._write_lock, self._lock:
            self._closed = True
            self._writer = None
            self._index = None

    def _stage(self, writer: IndexWriter, changes: Sequence[Document | Deletion]) -> bool:
        """Hand the newest change of each id to tantivy, unless the index knows a newer one; whether
        there was any.
        """
        wanted = newest(changes)
        stored = self._stored(list(wanted))
        staged = False
        for change in wanted.values():
            if change.id in stored and change.version < stored[change.id][0]:
                continue
            writer.delete_documents_by_term(ID, change.id)
            # With the schema given, a wrongly typed value raises here and not, silently, at commit.
            writer.add_document(Stored.from_dict(self._fields(change), self._native))
            staged = True
        return staged

    def _fields(self, change: Document | Deletion) -> dict[str, Any]:
        """A document's fields in the index. A deletion leaves a tombstone with its version."""
        fields: dict[str, Any] = {ID: change.id, VERSION: change.version}
        if isinstance(change, Deletion):
            return {**fields, GONE: 1}
        return {**fields, **self._schema.indexed(change)}

    def _stored(self, ids: list[int]) -> dict[int, tuple[int, bool]]:
        """Version of each id, and whether that is a tombstone's."""
        return {
            _integer(key): (_integer(version), gone is not None)
            for key, version, gone in self._columns(ids, VERSION, GONE)
        }

    def _columns(self, ids: list[int], *names: str) -> Iterator[tuple[float | None, ...]]:
        """The id and these columns of all that is stored under these ids."""
        searcher = self._searcher()
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            hits = searcher.search(self._compiler.stored(some), limit=len(some), count=False).hits
            addresses = [address for _, address in hits]
            columns = (searcher.fast_field_values(name, addresses) for name in (ID, *names))
            yield from zip(*columns, strict=True)

    def _searcher(self) -> Searcher:
        return self._present()[0]

    def _present(self) -> tuple[Searcher, State]:
        """The index as last committed by whichever process, and the state that it is.

        A commit replaces meta.json; its state is read before the index is, so that a commit in
        between is seen by the next call.
        """
        with self._lock:
            if self._closed:
                raise SearchUnavailable("this index is closed")
            if self._follows:
                self._follow()
            state = self._state()
            index = self._index or self._open()
            if state != self._seen:
                index.reload()
                self._seen = state
            return index.searcher(), state

    def _follow(self) -> None:
        """Go over to another index if that has become the live one."""
        pointed = self._place.state()  # before it is read: a later change is seen by the next call
        if pointed != self._pointed:
            self._path, self._index, self._seen = self._place.live(), None, ()
            self._pointed = pointed

    def _state(self) -> State:
        try:
            return state_of(self._path / "meta.json")
        except FileNotFoundError as error:
            raise SearchUnavailable(f"there is no index in {self._path} yet") from error

    def _open(self) -> Index:
        index = Index(self._native, str(self._path))
        index.register_tokenizer(TOKENIZER, tokens_analyzer())
        index.config_reader("manual")
        self._index = index
        return index

    def _make(self) -> None:
        """Make an empty index unless there is one: aside and renamed, so that of two processes one
        succeeds and no reader sees half an index.
        """
        if (self._path / "meta.json").exists():
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        aside = tempfile.mkdtemp(prefix="new-", dir=self._folder)
        Index(self._native, aside)
        try:
            Path(aside).rename(self._path)
        except OSError:
            shutil.rmtree(aside)
            if not (self._path / "meta.json").exists():
                raise


class TantivyIndexes:
    """Indexes (of `search.rebuild`) in a local folder."""

    def __init__(self, folder: Path, schema: Schema) -> None:
        self._folder = folder
        self._schema = schema
        self._place = Place(folder, schema.fingerprint)
        self._built: Path | None = None

    def begin(self) -> TantivyEngine:
        with _translated():
            self._built = self._place.next()
        return TantivyEngine(self._folder, self._schema, read_only=False, path=self._built)

    def swap(self) -> None:
        assert self._built is not None, "nothing was begun"
        with _translated():
            before = self._place.number(self._place.live())
            self._place.point(self._built)
            self._place.drop_before(before)

    def abandon(self) -> None:
        if self._built is not None and self._built != self._place.live():
            shutil.rmtree(self._built, ignore_errors=True)


def _integer(value: float | None) -> int:
    """A value of an integer column, which the binding types more widely."""
    assert value is not None
    return int(value)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Raise this package's errors for tantivy's, whose panics pass `except Exception`."""
    try:
        yield
    except (ValueError, OSError) as error:
        if "LockBusy" in str(error):
            raise WriterBusy("another process is writing to this index") from error
        raise SearchUnavailable(str(error)) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise SearchUnavailable(str(error)) from error
        raise
