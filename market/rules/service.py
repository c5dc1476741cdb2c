"""The holiday calendar and the plans: data that the bureau edits, every change audited."""

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit.errors import Conflict, Invalid, Overtaken
from market.kit.ids import PublicId, new_public_id
from market.rules import repository, versions
from market.rules.calendar import SOURCE, Calendar, official
from market.rules.models import DayKind, Holiday, Plan
from market.rules.schemas import PlanIn, PlanOut

CHANGED = "这个地区的计划刚被别人改过，请刷新后再改"


@dataclass(frozen=True, slots=True)
class Year:
    """One calendar year as the bureau reads it."""

    year: int
    provisional: bool
    rest_days: int
    days: tuple[Holiday, ...]


def seed(session: Session) -> int:
    """Write the official days that are missing, and the first rule versions; a year entered by
    hand stays as it is. Return how many days were written.
    """
    versions.seed(session)
    kept = repository.holidays(session)
    known = {row.falls_on for row in kept}
    by_hand = {row.year for row in kept} - {row.year for row in kept if row.source == SOURCE}
    missing = [row for row in official() if row.falls_on not in known and row.year not in by_hand]
    session.add_all(missing)
    session.flush()
    return len(missing)


def calendar(session: Session) -> Calendar:
    rows = repository.holiday_kinds(session)
    return Calendar(
        rest=frozenset(on for on, kind, _ in rows if kind == DayKind.REST),
        work=frozenset(on for on, kind, _ in rows if kind == DayKind.WORK),
        years=frozenset(year for _, _, year in rows),
    )


def year_view(work: Work, year: int) -> Year:
    days = calendar(work.session)
    return Year(
        year=year,
        provisional=year not in days.years,
        rest_days=days.rest_days(year),
        days=tuple(repository.holidays(work.session, year)),
    )


def current_plan(session: Session) -> Plan | None:
    """Return the plan that the board measures against: the newest current one."""
    return repository.newest_current(session)


def plans(work: Work) -> list[Plan]:
    return repository.plans(work.session)


def put_plan(work: Work, form: PlanIn) -> Plan:
    """Write a plan; the one it replaces is archived.

    Raises Invalid at `to_on`; Conflict where the region's plan is not the one that was edited.
    """
    work.require(Action.PLAN_EDIT, Relation.OTHER)
    if form.to_on <= form.from_on:
        raise Invalid(
            fields={"to_on": f"应晚于开始日期{form.from_on}，现在是{form.to_on}"},
        )
    current = repository.current_of(work.session, form.region)
    if current is not None and current.public_id != form.replaces:
        now = PlanOut.model_validate(current).model_dump(mode="json")
        raise Overtaken({**now, "replaces": current.public_id}, CHANGED)
    if form.replaces is not None:
        repository.archive(work.session, PublicId(form.replaces), at=work.now)
    plan = Plan(
        public_id=new_public_id(),
        **form.model_dump(exclude={"replaces"}),
        created_by=work.actor.person_id,
        created_at=work.now,
    )
    work.session.add(plan)
    try:
        work.session.flush()
    except IntegrityError:  # two officers write the first plan of a region at once
        raise Conflict(CHANGED) from None
    work.touched("plan", plan.public_id)
    return plan
