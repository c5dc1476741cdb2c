"""What a kind of import file is: its columns, and how rows become things and back again.

A noun offers one `Target` for each kind of file that it takes; the noun `imports` runs them all:
it reads the file (`kit.sheets`), maps headers to columns, makes the dry run, hands rows over in
chunks, keeps what was refused, and undoes. A target writes only its own noun's tables.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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

    `table` tells that the values are cells of a table, to be read as people write them. `returned`
    is what the file's column of reasons says, in a file that handed refused rows back.
    """

    row: int
    values: Mapping[str, Value]
    headings: Mapping[str, str]
    table: bool
    returned: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a row: the file's heading ("" for the row as a whole), and a sentence
    that says what would be right and what stands there.
    """

    heading: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """One column of a thing that a row changes, in the words of an export."""

    label: str
    was: str
    now: str


class Effect(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one row; `faults` is empty unless it was refused.

    `key` is what the row is known by within its kind ("" where refused). `subject_id` is the row
    of the target's table that was created or changed, and `before` what `undo` needs to take that
    back: any JSON of the target's own. `was` and `now` are what an updated thing was called and is
    called, "" where the target has no name for it; `changes` what differs, told in dry runs.
    """

    row: int
    effect: Effect
    faults: tuple[Fault, ...] = ()
    key: str = ""
    subject_id: int | None = None
    before: Mapping[str, Any] | None = None
    was: str = ""
    now: str = ""
    changes: Sequence[Change] = ()


def _none_met(_keys: Collection[str]) -> Mapping[str, int]:
    return {}


def _no_dependents(_ids: Collection[int]) -> Mapping[int, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Context:
    """For whom, by whom and when a chunk is brought in.

    `publish` is the operator's leave to publish at once. `dry` tells that all of it will be rolled
    back. `met` tells of keys those that earlier
    chunks of the run had, each with its row. `depends` tells of subjects those that other nouns
    have come to rely on since the run, each with a sentence; ask it after locking them.
    """

    run_id: int
    organisation_id: int
    person_id: int | None
    at: datetime
    publish: bool = False
    dry: bool = False
    met: Callable[[Collection[str]], Mapping[str, int]] = field(default=_none_met)
    depends: Callable[[Collection[int]], Mapping[int, str]] = field(default=_no_dependents)


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did to one subject, as its Outcome told it; `effect` is CREATED or UPDATED."""

    row: int
    effect: Effect
    subject_id: int
    before: Mapping[str, Any] | None


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
        one run that repeat a key are refused from the second on: within the chunk by what the
        target sees itself, of earlier chunks by `context.met`. A dry run is the same call in a
        savepoint that is rolled back.
        """
        ...

    def understood(self, row: Given) -> Mapping[str, str]:
        """Return how a row is read, by column key, in the words of `export`; what cannot be read
        is left out.
        """
        ...

    def undo(self, session: Session, context: Context, done: Sequence[Done]) -> Mapping[int, str]:
        """Take back what a run did to these subjects, as far as nothing depends on it and nobody
        has changed it since. Return those kept by subject id, each with a sentence that says why.
        """
        ...

    def export(self, session: Session, organisation_id: int) -> Iterable[Mapping[str, str]]:
        """Yield all that the organisation has, by column key, in the words that `bring_in` reads.

        Importing an export again changes nothing.
        """
        ...
