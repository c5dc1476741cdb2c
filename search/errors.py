"""Errors of this package.

SearchError
├── SearchUnavailable    the engine cannot answer now; another source may
│   └── WriterBusy       another process holds the only writer
├── RebuildRefused       an index built anew does not hold what it should
├── QueryRejected        the request itself cannot be answered, now or later
└── DocumentRejected     this document does not fit the schema; the others of its batch may
"""


class SearchError(Exception):
    """Whatever this package raises."""


class SearchUnavailable(SearchError):
    """The engine cannot answer now: no index yet, a closed one, a server that is down."""


class WriterBusy(SearchUnavailable):
    """Another process writes to this index. One writes at a time; wait for it or end it."""


class RebuildRefused(SearchError):
    """An index built anew does not hold what it should; the live one stays."""


class QueryRejected(SearchError):
    """The request names an unknown field or asks past the reachable results."""


class DocumentRejected(SearchError):
    """The document does not fit the schema.

    `id` is the document's, so that a caller can set this one aside and write the rest again.
    """

    def __init__(self, document_id: int, reason: str) -> None:
        super().__init__(f"document {document_id}: {reason}")
        self.id = document_id
        self.reason = reason
