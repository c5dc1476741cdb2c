"""Floors of the reward to completers, the time within which a deal counts as 跳单, and the days of
a 公示: data that the bureau edits, each with the day from which it is in force.
"""

from datetime import UTC, date, datetime
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit.errors import Conflict, Invalid, Overtaken
from market.kit.ids import PublicId, new_public_id
from market.rules import repository_transfer as repository
from market.rules.models_transfer import TransferRule
from market.rules.schemas_transfer import TransferRuleIn, TransferRuleOut

CHANGED: Final = "这一天起的规则刚被别人改过，请刷新后再改"
LAW: Final = (
    "促进科技成果转化法（2015年修正）第四十五条；公示天数依国发〔2016〕16号；"
    "跳单期限没有法定数，由科技局设定，请核对后修改"
)
PUBLICITY_DAYS: Final = 15
"""国发〔2016〕16号: 协议定价 is publicised for at least so long."""


def seed(session: Session) -> None:
    """Write the floors of the law where there is no rule yet."""
    if repository.first(session) is not None:
        return
    session.add(
        TransferRule(
            public_id=new_public_id(),
            effective_from=date(2015, 10, 1),
            transfer_bp=5000,
            equity_bp=5000,
            own_bp=500,
            own_years_least=3,
            own_years_most=5,
            bypass_days=365,
            publicity_days=PUBLICITY_DAYS,
            source=LAW,
            created_at=datetime(2015, 10, 1, tzinfo=UTC),
        )
    )
    session.flush()


def at(session: Session, day: date) -> TransferRule:
    """Return what is in force on a day; before the first rule, the first."""
    found = repository.at(session, day) or repository.first(session)
    assert found is not None, "rules are seeded by every migration"
    return found


def rules(work: Work) -> list[TransferRule]:
    return repository.rules(work.session)


def get(session: Session, rule_id: int) -> TransferRule:
    return repository.get(session, rule_id)


def put(work: Work, form: TransferRuleIn) -> TransferRule:
    """Write what holds from a day on; the rule of that day that it replaces is archived.

    Raises Invalid at `own_years_most`; Conflict where the day's rule is not the one that was read.
    """
    work.require(Action.PLAN_EDIT, Relation.OTHER)
    if form.own_years_most < form.own_years_least:
        raise Invalid(
            fields={
                "own_years_most": f"应不少于最少的{form.own_years_least}年，"
                f"现在是{form.own_years_most}"
            }
        )
    current = repository.current_from(work.session, form.effective_from)
    if current is not None and current.public_id != form.replaces:
        now = TransferRuleOut.model_validate(current).model_dump(mode="json")
        raise Overtaken({**now, "replaces": current.public_id}, CHANGED)
    if form.replaces is not None:
        repository.archive(work.session, PublicId(form.replaces), at=work.now)
    row = TransferRule(
        public_id=new_public_id(),
        **form.model_dump(exclude={"replaces"}),
        created_by=work.actor.person_id,
        created_at=work.now,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError:
        raise Conflict(CHANGED) from None
    work.touched("transfer_rule", row.public_id)
    return row
