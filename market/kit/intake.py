"""What a kind of import file is: its columns, and how rows become things and back again.

A noun offers one `Target` for each kind of file that it takes; the noun `imports` runs them all:
it reads the file (`kit.sheets`), maps headers to columns, makes the dry run, hands rows over in
chunks, keeps what was refused, and undoes. A target writes only its own noun's tables.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlmodel import Session

Value = str | int | float | bool | None | list[Any] | dict[str, Any]
"""A table's cell is text as a person reads it; JSON lines bring any JSON value."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a kind of file. `label` is its heading in exports and templates.

    `aliases` are the other headings under which it is met, compared folded (NFKC, no spaces, no
    case). `example` is what a template shows.
    """

    key: str
    label: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    example: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """One row of a file. `values` by column key; `headings` what the file calls each of them.

    `table` tells that the values are cells of a table, to be read as people write them.
    """

    row: int
    values: Mapping[str, Value]
    headings: Mapping[str, str]
    table: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a row: the file's heading ("" for the row as a whole), and a sentence
    that says what would be right and what stands there.
    """

    heading: str
    reason: str


class Effect(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row; `faults` is empty unless it was refused."""

    row: int
    effect: Effect
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """For whom, by whom and when a chunk is brought in.

    `publish` is the operator's leave to publish at once. `seen` holds, over all chunks of a run,
    the row at which each key was met first; a target reads and adds to it.
    """

    run_id: int
    organisation_id: int
    person_id: int | None
    at: datetime
    publish: bool = False
    seen: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Undone:
    """What one chunk of an undo did: things taken back, and those kept because something depends
    on them, each with a sentence. `more` tells that another chunk is owed.
    """

    taken_back: int
    kept: tuple[str, ...]
    more: bool


class Target(Protocol):
    """One kind of import file."""

    name: str
    title: str
    columns: Sequence[Column]

    def bring_in(
        self, session: Session, context: Context, rows: Sequence[Given]
    ) -> Sequence[Outcome]:
        """Write a chunk of rows; return one outcome a row, in order.

        The same row again has no effect (UNCHANGED). Nothing of a refused row is written. Rows of
        one run that repeat a key are refused from the second on.
        """
        ...

    def undo(self, session: Session, context: Context, limit: int) -> Undone:
        """Take back at most `limit` of what the run created or changed."""
        ...

    def export(self, session: Session, organisation_id: int) -> Iterable[Mapping[str, str]]:
        """Yield all that the organisation has, by column key, in the words that `bring_in` reads.

        Importing an export again changes nothing.
        """
        ...
