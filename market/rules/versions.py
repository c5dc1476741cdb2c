"""The rule versions and the holiday notices as the bureau keeps them: what follows from a change
is computed anew by a job of the same transaction.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit import jobs
from market.kit.errors import Conflict, Invalid, Overtaken
from market.kit.ids import PublicId, new_public_id
from market.rules import repository
from market.rules.calendar import SATURDAY
from market.rules.models import DayKind, Holiday, RuleVersion
from market.rules.ruleset import RuleBook, RuleSet, Version, first_versions
from market.rules.schemas import VersionIn, VersionOut, YearIn

RECOUNT: Final = "waiting.recount"
"""The job that brings all tasks to the days that hold now."""
CHANGED = "这一版规则刚被别人改过，请刷新后再改"
YEAR_CHANGED = "这一年的安排刚被别人改过，请对照后再保存"


def seed(session: Session) -> None:
    """Write the versions known at first that are not there."""
    known = {row.code for row in repository.current_versions(session)}
    session.add_all(row for row in first_versions(datetime.now(UTC)) if row.code not in known)
    session.flush()


def read(row: RuleVersion) -> Version:
    return Version(row, RuleSet.model_validate(row.content))


def book(session: Session) -> RuleBook:
    """Return the versions that hold now."""
    return RuleBook([read(row) for row in repository.current_versions(session)])


def archived(session: Session) -> Sequence[Version]:
    """Return the versions that were rewritten, the newest first."""
    return [read(row) for row in repository.archived_versions(session)]


def put(work: Work, form: VersionIn) -> Version:
    """Rewrite a version; what goes by it is computed anew.

    Raises Overtaken where somebody else has, Invalid at `effective_from` where another version
    begins on that day, at `content` where a type neither is there nor replaced.
    """
    work.require(Action.RULE_EDIT, Relation.OTHER)
    _check(form)
    held = {row.public_id: row for row in repository.current_versions(work.session)}
    before = held.get(PublicId(form.replaces))
    if before is None:
        raise Conflict(CHANGED)
    if any(
        row.effective_from == form.effective_from
        for row in held.values()
        if row.code != before.code
    ):
        raise Invalid(fields={"effective_from": "另一版规则也从这天起施行，请核对日期"})
    repository.archive_version(work.session, before.public_id, at=work.now)
    row = RuleVersion(
        public_id=new_public_id(),
        code=before.code,
        **form.model_dump(exclude={"content", "checked", "replaces"}),
        content=form.content.model_dump(mode="json"),
        checked_on=work.today if form.checked else None,
        created_by=work.actor.person_id,
        created_at=work.now,
    )
    work.session.add(row)
    try:
        work.session.flush()
    except IntegrityError:
        raise Conflict(CHANGED) from None
    work.touched("rule_version", row.public_id)
    recount(work, row.public_id)
    return read(row)


def _check(form: VersionIn) -> None:
    rules = form.content
    wrong = None
    astray = [to for to in rules.replaced.values() if to not in rules.types]
    if astray:
        wrong = f"代替的类别“{astray[0]}”不在类别里"
    elif (rules.large_fen is None) != (rules.long_days is None):
        wrong = "延长期限的金额和天数要么都写，要么都不写"
    elif rules.long_days is not None and rules.long_days < rules.decide_days:
        wrong = f"延长后的期限应不少于{rules.decide_days}天，现在是{rules.long_days}天"
    if wrong:
        raise Invalid(fields={"content": wrong})


def out(version: Version) -> VersionOut:
    return VersionOut.model_validate(
        {**version.row.model_dump(), "content": version.rules.model_dump()}
    )


def year_mark(session: Session, year: int) -> str:
    """Return what no two states of a year's notice share."""
    days = [
        (str(row.falls_on), row.kind, row.name, row.source)
        for row in repository.holidays(session, year)
    ]
    return hashlib.sha256(json.dumps(days, ensure_ascii=False).encode()).hexdigest()


def put_year(work: Work, year: int, form: YearIn) -> None:
    """Write the notice of a year in place of what there was; provisional days are no longer so.

    Raises Invalid at `days`, Overtaken where somebody else has written it.
    """
    work.require(Action.RULE_EDIT, Relation.OTHER)
    wrong = _wrong_day(year, form)
    if wrong is not None:
        raise Invalid(fields={"days": wrong})
    mark = year_mark(work.session, year)
    if form.seen != mark:
        raise Overtaken({"seen": mark}, YEAR_CHANGED)
    repository.remove_year(work.session, year)
    work.session.add_all(
        Holiday(falls_on=day.on, kind=day.kind, year=year, name=day.name, source=form.source[:80])
        for day in form.days
    )
    try:
        work.session.flush()
    except IntegrityError:  # two officers at once
        raise Conflict(YEAR_CHANGED) from None
    work.touched("calendar", str(year))
    recount(work, year_mark(work.session, year))


def _wrong_day(year: int, form: YearIn) -> str | None:
    seen = set()
    for day in form.days:
        if day.on.year != year:
            return f"应都在{year}年，现在有{day.on}"
        if day.on in seen:
            return f"{day.on}写了两次"
        seen.add(day.on)
        if day.kind is DayKind.WORK and day.on.weekday() < SATURDAY:
            return f"{day.on}不是周末，不用写成调休上班"
    return None


def recount(work: Work, mark: str) -> None:
    """Owe the job that brings the days of all tasks up to what holds now."""
    jobs.enqueue(work.session, RECOUNT, f"{RECOUNT}:{mark}:{work.now.isoformat()}", {}, at=work.now)
