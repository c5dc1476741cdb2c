"""Wire types of imports."""

from datetime import datetime

from pydantic import Field

from market.imports.models import Kind, RunState
from market.kit.wire import In, Optional60, Out

MAX_HEADINGS = 500


class ImportErrorOut(Out):
    row: int
    column: str
    reason: str


class ChangeOut(Out):
    column: str = Field(description="as exports call it")
    was: str
    now: str


class UpdateOut(Out):
    row: int
    was: str
    now: str
    changes: list[ChangeOut] = Field(description="the columns that differ, long texts cut")


class CountsOut(Out):
    created: int
    updated: int
    unchanged: int
    refused: int


class ImportOut(Out):
    """`rows` is the file's total, 0 until it was read. The four counts add up to it when the state
    is done; `checked` are those of the dry run.
    """

    id: str
    kind: Kind
    name: str = Field(description="of the file")
    state: RunState
    rows: int
    created: int
    updated: int
    unchanged: int
    refused: int
    checked: CountsOut | None
    preview: list[dict[str, str]] = Field(description="the first rows as they were understood")
    errors: list[ImportErrorOut] = Field(description="the first 1,000")
    unknown: list[str] = Field(description="headings that were left aside")
    notes: list[str] = Field(description="what was done to read the file")
    updates: list[UpdateOut] = Field(
        description="the first 100 that confirming would update, by title, before it and after"
    )
    problem: str
    undone: int
    kept: list[ImportErrorOut] = Field(description="what an undo left, the first 100")
    same_as: str | None = Field(description="an earlier import of the same bytes")
    created_at: datetime
    finished_at: datetime | None


class Imports(Out):
    items: list[ImportOut]


class HeadingOut(Out):
    """`column` is null where nobody has said what the heading is, "" where it is left aside."""

    heading: str
    column: str | None
    sample: str


class ColumnOut(Out):
    key: str
    label: str
    required: bool


class MappingOut(Out):
    headings: list[HeadingOut]
    columns: list[ColumnOut]


class MappingIn(In):
    """What each heading is: a column's key, or "" to leave it aside."""

    columns: dict[str, Optional60] = Field(
        max_length=MAX_HEADINGS, examples=[{"成果名称": "title", "备注": ""}]
    )
