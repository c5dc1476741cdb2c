"""What rewards hold of a person: the statements they wrote for their organisation."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session

from market.kit.across import Held, any_by, by
from market.kit.clock import local_text
from market.kit.ids import OrganisationId, PersonId
from market.rewards.models import Reward

KEPT = ("给完成人的奖励说明：单位发放奖励和报酬的依据；完成人的姓名由单位填写，办理人只以编号记。",)


def held(_session: Session, person_id: PersonId) -> Sequence[Held[Any]]:
    return (
        Held(
            "写的奖励说明",
            by(Reward, "created_by", person_id),
            lambda row: {"成果或项目": row.title, "时间": local_text(row.created_at)},
        ),
    )


def ties(session: Session, organisation_id: OrganisationId) -> bool:
    return any_by(session, Reward, "organisation_id", organisation_id)
