"""One run a file: where it stands, what each of its rows did, what was refused, and what its
headings mean to an organisation.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.types import JSON
from sqlmodel import Field

from market.kit.columns import (
    Table,
    big,
    check,
    choice,
    fk,
    json_list,
    moment,
    one_of,
    pk,
    public_id,
    words,
)
from market.kit.ids import OrganisationId, PublicId
from market.kit.intake import Effect

HEADING, REASON = 60, 300


class Kind(StrEnum):
    """What a file holds; each has its target in `targets.py`."""

    ACHIEVEMENT = "achievement"
    DEMAND = "demand"
    ORGANISATION = "organisation"
    CONTRACT = "contract"


class RunState(StrEnum):
    """`mapping` and `ready` wait for a person; `refused` is a file that cannot be taken at all."""

    WAITING = "waiting"  # to be read
    MAPPING = "mapping"
    CHECKING = "checking"  # the dry run
    READY = "ready"
    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"
    PARTLY = "partly"  # undone, but for what something depends on
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAILED = "failed"


S = RunState
EDGES: dict[RunState, frozenset[RunState]] = {
    S.WAITING: frozenset({S.MAPPING, S.CHECKING, S.RUNNING, S.REFUSED, S.CANCELLED, S.FAILED}),
    S.MAPPING: frozenset({S.CHECKING, S.CANCELLED}),
    # Where nothing would change there is nothing to confirm.
    S.CHECKING: frozenset({S.READY, S.DONE, S.FAILED, S.CANCELLED}),
    S.READY: frozenset({S.RUNNING, S.MAPPING, S.CANCELLED}),
    S.RUNNING: frozenset({S.DONE, S.FAILED}),
    S.DONE: frozenset({S.UNDOING}),
    S.UNDOING: frozenset({S.UNDONE, S.PARTLY, S.FAILED}),
    S.PARTLY: frozenset({S.UNDOING}),
    S.UNDONE: frozenset(),
    S.REFUSED: frozenset(),
    S.CANCELLED: frozenset(),
    # An operator may have a job that was given up tried again.
    S.FAILED: frozenset({S.WAITING, S.CHECKING, S.RUNNING, S.UNDOING}),
}


class ImportRun(Table, table=True):
    """One file brought in.

    `ask` tells that a person sees mapping and dry run before anything is written. `rows_file_id` is
    the file as rows (`kit.sheets`), `layout` its Shape; both are there once the file was read.
    `mapping` says which column each heading is ("" for one left aside), `unknown` are those left.

    `rows` is the file's total. The four counts add up to it when the run is done; `checked` are
    those of the dry run. `undone` and `kept` count things. `checks` numbers the dry runs.
    """

    __tablename__ = "intake_run"
    __table_args__ = (
        one_of("kind", Kind),
        one_of("state", RunState),
        Index("ix_intake_run_created_by", "created_by"),
    )

    id: int = pk()
    public_id: PublicId = public_id()
    organisation_id: OrganisationId = fk("organisation.id")
    kind: str = choice()
    file_id: int = fk("stored_file.id")
    ask: bool = Field(default=False)
    publish: bool = Field(default=False)
    state: str = choice(default=RunState.WAITING)
    problem: str = words(REASON, default="")
    rows_file_id: int | None = fk("stored_file.id", nullable=True)
    layout: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    mapping: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    unknown: list[str] = json_list()
    rows: int = Field(default=0)
    checks: int = Field(default=0)
    checked: dict[str, int] = Field(default_factory=dict, sa_type=JSON)
    preview: list[dict[str, str]] = json_list()
    created: int = Field(default=0)
    updated: int = Field(default=0)
    unchanged: int = Field(default=0)
    refused: int = Field(default=0)
    undone: int = Field(default=0)
    kept: int = Field(default=0)
    created_by: int | None = big(nullable=True)
    created_at: datetime = moment()
    finished_at: datetime | None = moment(nullable=True)


class RunRow(Table, table=True):
    """What one row of a run did. Of a dry run only the key is of use, until the dry run is over.

    `undone_at` tells that it was taken back; `kept` why it could not be.
    """

    __tablename__ = "intake_row"
    __table_args__ = (
        one_of("effect", Effect),
        Index("ix_intake_row_key", "run_id", "dry", "key"),
        Index("ix_intake_row_subject", "run_id", "subject_id"),
        check("subject_of_change", "effect <> 'created' OR dry OR subject_id IS NOT NULL"),
    )

    id: int = pk()
    run_id: int = fk("intake_run.id", index=False)
    dry: bool = Field(default=False)
    row: int
    effect: str = choice()
    key: str = words(40)
    subject_id: int | None = big(nullable=True)
    before: dict[str, Any] | None = Field(default=None, sa_type=JSON, nullable=True)
    undone_at: datetime | None = moment(nullable=True)
    kept: str = words(REASON, default="")


class RunProblem(Table, table=True):
    """One thing wrong with a row of a run: where, and what would be right."""

    __tablename__ = "intake_problem"
    __table_args__ = (Index("ix_intake_problem_run", "run_id", "row"),)

    id: int = pk()
    run_id: int = fk("intake_run.id", index=False)
    row: int
    column: str = words(HEADING)
    reason: str = words(REASON)


class HeadingMeaning(Table, table=True):
    """What a heading means in an organisation's files of one kind; `column` "" leaves it aside.

    `heading` is folded as `mapping.fold` does.
    """

    __tablename__ = "intake_heading"
    __table_args__ = (
        one_of("kind", Kind),
        UniqueConstraint("organisation_id", "kind", "heading"),
    )

    id: int = pk()
    organisation_id: OrganisationId = fk("organisation.id", index=False)
    kind: str = choice()
    heading: str = words(HEADING)
    column: str = words(40)
