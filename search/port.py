"""The seam between the market and an engine, with what every engine guarantees.

`tests/search/contract.py` holds each engine to it.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from search.document import Deletion, Document
from search.query import SearchRequest
from search.result import SearchResult
from search.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What engines may differ in. The contract suite reads it and asks accordingly."""

    atomic_writes: bool
    """A write that breaks off leaves nothing behind and is never seen in part. Without it, one that
    raised, or whose process ended, may leave some of its documents, each of them whole, and also
    while it runs; repeated, it is complete.
    """
    single_writer: bool
    """Opening for writing a second time raises WriterBusy. Without it several may write: of each
    document the highest version wins.
    """


class Writer(Protocol):
    """What takes documents: an engine open for writing."""

    def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None: ...


class SearchEngine(Protocol):
    """An index of documents of one schema.

    Safe to use from several threads. Any number of processes read; one writes. Every method raises
    SearchUnavailable where the engine cannot answer (no index yet, closed, down).
    """

    @property
    def schema(self) -> Schema: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def search(self, request: SearchRequest) -> SearchResult:
        """Total, page and facet counts from one state of the index.

        A facet's counts ignore the filter on that same facet and respect all others, so that they
        say what choosing another value would bring. Raises QueryRejected for an unknown field and
        for a page past `query.DEEPEST`.
        """
        ...

    def write(self, upserts: Sequence[Document], deletions: Sequence[Deletion] = ()) -> None:
        """Put and remove documents: all or nothing with `atomic_writes`, else each by itself.

        When it returns, the change is on disk and every reader's next call sees it. Per id the
        highest version wins, whatever the order of calls: an older one is ignored, the same one is
        written again. So a write may be repeated, and what a crash left unacknowledged simply comes
        again. Raises WriterBusy where another process writes, DocumentRejected for a document that
        does not fit the schema (before anything is written) or that the engine itself refuses.
        """
        ...

    def versions(self, ids: Collection[int]) -> dict[int, int]:
        """Version of each of these documents that is in the index; missing and deleted ones are
        left out.
        """
        ...

    def numbers(self, field: str, ids: Collection[int]) -> dict[int, int]:
        """Value of a number field of each of these documents that is in the index and has one.

        Raises QueryRejected for an unknown field.
        """
        ...

    def count(self) -> int:
        """Documents in the index."""
        ...

    def scan(self) -> Iterator[tuple[int, int]]:
        """(id, version) of all documents by ascending id, of one state of the index: for audits."""
        ...

    def frequencies(self, field: str, terms: Collection[str]) -> Mapping[str, int]:
        """In how many documents each term stands in a words or grams field.

        An estimate: documents replaced or deleted lately may still count. For weighting terms.
        """
        ...

    def close(self) -> None:
        """Let go of files and locks. Further calls raise SearchUnavailable."""
        ...
