"""Wire types of the inbox."""

from datetime import date, datetime

from pydantic import Field

from market.kit.wire import In, Out, PathId
from market.notices.service import When


class TaskOut(Out):
    """`on` is the last day, or the first where `when` is opens; `working_days` lead to it."""

    id: str
    kind: str
    subject_kind: str
    subject_id: str
    title: str
    detail: str
    when: When
    on: date | None
    working_days: int
    provisional: bool
    created_at: datetime


class TasksOut(Out):
    items: list[TaskOut]
    total: int


class MessageOut(Out):
    id: str
    kind: str
    subject_kind: str
    subject_id: str
    title: str
    detail: str
    read: bool
    created_at: datetime


class MessagesOut(Out):
    items: list[MessageOut]
    total: int


class ReadIn(In):
    """`until` is the newest message that was shown."""

    until: PathId = Field(examples=["2222222222222a"])


class ReadOut(Out):
    count: int
