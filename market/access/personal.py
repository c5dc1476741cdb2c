"""What access holds of a person: the mandates they wrote for their organisation."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from market.access.models import Mandate
from market.kit.across import Held, any_by, by
from market.kit.clock import local_text
from market.kit.ids import OrganisationId, PersonId


def held(_session: Session, person_id: PersonId) -> Sequence[Held[Any]]:
    return (
        Held(
            "发出的委托",
            by(Mandate, "created_by", person_id),
            lambda row: {
                "范围": row.scope,
                "报酬": row.fee,
                "自": row.valid_from.isoformat(),
                "至": row.valid_until.isoformat(),
                "时间": local_text(row.created_at),
            },
        ),
    )


def ties(session: Session, organisation_id: OrganisationId) -> bool:
    return any_by(session, Mandate, "principal_id", organisation_id) or any_by(
        session, Mandate, "agency_id", organisation_id
    )
