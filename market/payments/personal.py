"""What payments hold of a person: what they did for their organisation, or as an operator."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from sqlmodel import Session

from market.kit.across import Held, any_by, by
from market.kit.clock import local_text
from market.kit.columns import Table
from market.kit.ids import OrganisationId, PersonId
from market.payments.models import Attempt, Payment
from market.payments.models_beside import Slip

KEPT = ("款项、付款、退款和到账的记录：会计资料，依法保存；办理人只以编号记，银行卡号不经过这里。",)
_HELD: Final[Sequence[tuple[str, type[Table], str, str]]] = (
    ("登记的款项", Payment, "created_by", "created_at"),
    ("发起的在线支付", Attempt, "created_by", "created_at"),
    ("上传的回单", Slip, "person_id", "at"),
)


def held(_session: Session, person_id: PersonId) -> Sequence[Held[Any]]:
    return [
        Held(title, by(table, column, person_id), partial(_when, at))
        for title, table, column, at in _HELD
    ]


def _when(at: str, row: Table) -> Mapping[str, Any]:
    moment = getattr(row, at)
    return {"时间": local_text(moment) if moment else ""}


def ties(session: Session, organisation_id: OrganisationId) -> bool:
    return any_by(session, Payment, "organisation_id", organisation_id)
