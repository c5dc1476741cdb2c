"""What the inbox holds of a person: what was addressed to the person, and what was read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session

from market.kit.across import Held, by
from market.kit.clock import local_text
from market.kit.ids import PersonId
from market.kit.notify import Notice
from market.notices import repository


def held(_session: Session, person_id: PersonId) -> Sequence[Held[Any]]:
    return (
        Held(
            "给您个人的待办和消息",
            by(Notice, "person_id", person_id),
            lambda row: {
                "标题": row.title,
                "说明": row.detail,
                "时间": local_text(row.created_at),
            },
        ),
    )


def erase(session: Session, person_id: PersonId, at: datetime) -> None:  # noqa: ARG001  one name
    """Delete all of it; what was told to an organisation names nobody."""
    repository.forget_person(session, person_id)
