"""What brokerage holds of a person: what they settled, decided or wrote for an organisation."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from market.brokerage.models import BrokerClause, Bypass, Commission
from market.kit.across import Held, by
from market.kit.clock import local_text
from market.kit.ids import PersonId

KEPT = ("经理人报酬和跳单的记录：机构之间的业务记录，办理人只以编号记。",)


def held(_session: Session, person_id: PersonId) -> Sequence[Held[Any]]:
    return (
        Held(
            "登记收讫的报酬",
            by(Commission, "settled_by", person_id),
            lambda row: {"时间": local_text(row.settled_at) if row.settled_at else ""},
        ),
        Held(
            "处理的跳单异议",
            by(Bypass, "decided_by", person_id),
            lambda row: {
                "说明": row.decision_note,
                "时间": local_text(row.decided_at) if row.decided_at else "",
            },
        ),
        Held(
            "写的经理人条款",
            by(BrokerClause, "written_by", person_id),
            lambda row: {"时间": local_text(row.written_at)},
        ),
    )
