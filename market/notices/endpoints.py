"""The JSON edge of the inbox."""

from typing import Annotated, Any

from fastapi import Query

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit.ids import PublicId
from market.kit.notify import Notice
from market.kit.wire import PathId
from market.notices import service
from market.notices.repository import Group
from market.notices.schemas import MessageOut, MessagesOut, ReadIn, ReadOut, TaskOut, TasksOut

router = api_router("notices")

Number = Annotated[int, Query(alias="page", ge=1, le=10_000)]


def _shared(row: Notice) -> dict[str, Any]:
    names = ("kind", "subject_kind", "subject_id", "title", "detail", "created_at")
    return {"id": row.public_id, **{name: getattr(row, name) for name in names}}


@router.get("/tasks")
def tasks(
    work: Annotated[Work, opens(Action.ACCOUNT_USE)],
    group: Group = Group.TODAY,
    number: Number = 1,
) -> TasksOut:
    """List what waits for the acting person: due by today, within 7 days, later or without a day;
    or what the organisation waits for (`others`).
    """
    found = service.part(work, group, number)
    items = [
        TaskOut(
            when=one.when,
            on=one.on,
            working_days=one.working_days,
            provisional=one.provisional,
            **_shared(one.notice),
        )
        for one in found.rows
    ]
    return TasksOut(items=items, total=found.total)


@router.get("/messages")
def messages(work: Annotated[Work, opens(Action.ACCOUNT_USE)], number: Number = 1) -> MessagesOut:
    """List messages, newest first."""
    found = service.messages(work, number)
    items = [MessageOut(read=one.read, **_shared(one.notice)) for one in found.rows]
    return MessagesOut(items=items, total=found.total)


@router.post("/messages/read")
def read_all(form: ReadIn, work: Annotated[Work, opens(Action.ACCOUNT_USE, write=True)]) -> ReadOut:
    """Mark every message up to the newest shown as read."""
    return ReadOut(count=service.mark_all_read(work, PublicId(form.until)))


@router.post("/messages/{notice_id}/read", status_code=204)
def read_one(
    notice_id: PathId, work: Annotated[Work, opens(Action.ACCOUNT_USE, write=True)]
) -> None:
    """Mark one message as read."""
    service.mark_read(work, PublicId(notice_id))
