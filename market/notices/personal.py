"""What the inbox holds of a person: what was addressed to the person, and what was read."""

from datetime import datetime

from sqlmodel import Session

from market.kit.across import Records
from market.kit.clock import local_text
from market.kit.ids import PersonId
from market.notices import repository


def copy(session: Session, person_id: PersonId) -> Records:
    return {
        "给您个人的待办和消息": [
            {"标题": row.title, "说明": row.detail, "时间": local_text(row.created_at)}
            for row in repository.of_person(session, person_id)
        ]
    }


def erase(session: Session, person_id: PersonId, at: datetime) -> None:  # noqa: ARG001  one name
    """Delete all of it; what was told to an organisation names nobody."""
    repository.forget_person(session, person_id)
