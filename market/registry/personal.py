"""What the registry holds of a person: the registrations they sent in or decided."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from market.kit.across import Held, by
from market.kit.clock import local_text
from market.kit.ids import PersonId
from market.registry.models import Registration

KEPT = (
    (
        "技术合同的登记：合同登记的法定档案，提交人和经办人只以编号记；"
        "登记表里的买方联系人随登记保存。"
    ),
)


def held(_session: Session, person_id: PersonId) -> Sequence[Held[Any]]:
    return (
        Held(
            "提交的登记",
            by(Registration, "submitted_by", person_id),
            lambda row: {"登记编号": row.number or "", "时间": local_text(row.submitted_at)},
        ),
        Held(
            "办理的登记",
            by(Registration, "decided_by", person_id),
            lambda row: {
                "登记编号": row.number or "",
                "时间": local_text(row.decided_at) if row.decided_at else "",
                "说明": row.note,
            },
        ),
    )
