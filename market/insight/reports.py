"""Reports as plain values: the month's, the plan's mid-term and final, all from ledger entries.

A report says only what the ledger and the nouns' rows say; paper and spreadsheet are two ways to
write one down, so that a figure is the same in both. Amounts in fen.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from sqlmodel import Session

from market.accounts import repository as accounts
from market.accounts.policy import Action, OrganisationKind, Relation
from market.accounts.work import Work
from market.insight import repository_reports as repository
from market.insight.forecast import ENOUGH, Forecast
from market.insight.pace import Pace, month_end, pace
from market.insight.pipeline import forecast_of
from market.insight.public import field_name, type_name
from market.insight.views import Figure, figure
from market.kit.errors import Invalid, NotFound
from market.kit.ids import OrganisationId
from market.ledger import repository as chain
from market.ledger import repository_periods as periods
from market.ledger import service as ledger
from market.ledger.models import Book, Chain, PeriodState
from market.ledger.schemas import By, Slice, Sum
from market.rules import service as rules
from market.rules.models import Plan

NO_PLAN: Final = "还没有计划，科技局设定之后才有报告"
OUTSIDE_NAME: Final = "（未注明）"


class Unit(StrEnum):
    FEN = "fen"
    COUNT = "count"
    SHARE = "share"  # a fraction of 1
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure of a report with its name; `key` stays the same in every language."""

    key: str
    label: str
    value: int | float | str | None
    unit: Unit = Unit.FEN


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A table by one dimension. `note` says how its rows stand to the whole."""

    key: str
    title: str
    rows: tuple[Figure, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a report: words, figures and tables."""

    title: str
    text: str = ""
    facts: tuple[Fact, ...] = ()
    tables: tuple[Breakdown, ...] = ()


@dataclass(frozen=True, slots=True)
class Head:
    """The last transaction of the ledger that the report stands on. `hash` is "" before the book is
    chained; `closed` tells whether it is the head at the close of the period.
    """

    seq: int
    hash: str
    closed: bool


@dataclass(frozen=True, slots=True)
class Report:
    name: str
    title: str
    subtitle: str
    since: date
    until: date
    parts: tuple[Part, ...]
    head: Head

    def fact(self, key: str) -> Fact:
        """Return a figure by its key. Raises KeyError."""
        for part in self.parts:
            for one in part.facts:
                if one.key == key:
                    return one
        raise KeyError(key)

    def table(self, key: str) -> Breakdown:
        """Return a table by its key. Raises KeyError."""
        for part in self.parts:
            for one in part.tables:
                if one.key == key:
                    return one
        raise KeyError(key)


def plan_of(work: Work) -> Plan:
    """Return the current plan. Raises NotFound where there is none."""
    plan = rules.current_plan(work.session)
    if plan is None:
        raise NotFound(NO_PLAN)
    return plan


def month_report(work: Work, month: str) -> Report:
    """Return the bureau's report of one month, `2026-11`. Raises NotFound without a plan, Forbidden
    for others, Invalid at `month` for one that has not begun.
    """
    work.require(Action.REPORT_BUREAU, Relation.OTHER)
    plan = plan_of(work)
    until = month_end(month)
    since = until.replace(day=1)
    if since > work.today:
        raise Invalid(fields={"month": f"还没有到{month}，请选已经开始的月份"})
    part = Slice(since, until, seller_region=plan.region)
    return Report(
        name=f"月报-{month}",
        title=f"技术合同登记月报（{since.year}年{since.month}月）",
        subtitle=_subtitle(plan, min(until, work.today)),
        since=since,
        until=until,
        parts=(
            Part("本月", facts=_facts("month", work.session, part), tables=()),
            _cumulative(work, plan, until),
            Part("本月分项", tables=breakdowns(work, part)),
            Part("吸纳（买方在本区，不与输出相加）", facts=_incoming(work.session, plan, part)),
        ),
        head=head_of(work.session, month),
    )


class Stage(StrEnum):
    MIDTERM = "midterm"
    FINAL = "final"


def plan_report(work: Work, stage: Stage) -> Report:
    """Return the plan's mid-term or final report: up to the middle or the end of its period, or to
    today where that is yet to come. Raises NotFound without a plan, Forbidden for others.
    """
    work.require(Action.REPORT_BUREAU, Relation.OTHER)
    plan = plan_of(work)
    due = plan.from_on + (plan.to_on - plan.from_on) / 2 if stage is Stage.MIDTERM else plan.to_on
    until = min(due, work.today)
    name = "中期报告" if stage is Stage.MIDTERM else "总结报告"
    part = Slice(plan.from_on, until, seller_region=plan.region)
    early = f"报告期应到{due}，现在是{until}的数" if until < due else ""
    sums = ledger.sums(work.session, By.YEAR, part)
    years = tuple(figure(row, f"{row.key}年") for row in sums)
    return Report(
        name=f"{name}-{plan.name}",
        title=f"“{plan.name}”计划{name}",
        subtitle=_subtitle(plan, until),
        since=plan.from_on,
        until=until,
        parts=(
            Part("报告期", text=early, facts=_facts("period", work.session, part)),
            _cumulative(work, plan, until),
            Part("各年", tables=(Breakdown("year", "按年", years, "各年相加等于报告期合计。"),)),
            Part("分项", tables=breakdowns(work, part)),
            Part("吸纳（买方在本区，不与输出相加）", facts=_incoming(work.session, plan, part)),
        ),
        head=head_of(work.session, f"{until:%Y-%m}"),
    )


def _subtitle(plan: Plan, day: date) -> str:
    return f"“{plan.name}”计划，登记合同，按登记日期，截至{day}"


def _facts(key: str, session: Session, part: Slice) -> tuple[Fact, ...]:
    return of_sum(key, ledger.total(session, part))


def of_sum(key: str, found: Sum) -> tuple[Fact, ...]:
    return (
        Fact(f"{key}.count", "合同（份）", found.count, Unit.COUNT),
        Fact(f"{key}.technical", "技术交易额", found.technical_fen),
        Fact(f"{key}.total", "成交额", found.total_fen),
    )


def _incoming(session: Session, plan: Plan, part: Slice) -> tuple[Fact, ...]:
    incoming = replace(part, seller_region=None, buyer_region=plan.region)
    return _facts("incoming", session, incoming)


def _cumulative(work: Work, plan: Plan, until: date) -> Part:
    """Return the plan's progress up to a day; and, where that is not over, what the open deals may
    add: they are looked at as they stand today, which is no part of a time that is over.
    """
    reached = ledger.total(work.session, Slice(plan.from_on, until, seller_region=plan.region))
    found = pace(plan, reached.technical_fen, min(until, work.today))
    return Part(
        "累计与计划",
        facts=(
            *of_sum("plan", reached),
            Fact("plan.target", f"目标（到{plan.to_on}）", plan.target_fen),
            *_of_pace(found),
            Fact(
                "plan.baseline",
                f"基数（{plan.baseline_year}年，只作对照，不计入累计）",
                plan.baseline_fen,
            ),
            *(
                of_forecast(forecast_of(work, plan))
                if until >= work.today
                else (_no_forecast(until),)
            ),
        ),
    )


def _no_forecast(until: date) -> Fact:
    why = f"不含预测：报告截至{until}，预测只按今天在谈的洽谈作出，见看板"
    return Fact("forecast", "在谈的到期末可登记", why, Unit.TEXT)


def _of_pace(found: Pace) -> tuple[Fact, ...]:
    return (
        Fact("plan.expected", "同日计划值（按天均分）", found.expected_fen),
        Fact("plan.gap", "比计划多（负数为少）", found.gap_fen),
        Fact("plan.share", "完成目标的", found.share, Unit.SHARE),
        Fact("plan.need", "往后每月要做到", found.monthly_need_fen),
    )


def of_forecast(found: Forecast) -> tuple[Fact, ...]:
    """Return the range as figures, or the words 资料不足 with how many closed deals there are."""
    if not found.enough:
        why = f"资料不足：已结束的洽谈{found.closed}件，满{ENOUGH}件、且有登记的，才给出预测"
        return (Fact("forecast", "在谈的到期末可登记", why, Unit.TEXT),)
    return (
        Fact("forecast.low", "在谈的到期末可登记（80%区间的低端）", found.low_fen),
        Fact("forecast.middle", "在谈的到期末可登记（中位）", found.middle_fen),
        Fact("forecast.high", "在谈的到期末可登记（80%区间的高端）", found.high_fen),
    )


Sums = Callable[[By], Sequence[Sum]]


def breakdowns(work: Work, part: Slice, sums: Sums | None = None) -> tuple[Breakdown, ...]:
    """Return a part of the book by type, field, seller, buyer, university and agency.

    Who is a university and what an agency brought about are told as known today, whatever the
    part's days. `sums` gives the part's sums where they are known already.
    """
    session = work.session
    by = sums or (lambda one: ledger.sums(session, one, part))
    sellers = by(By.SELLER)
    whole = "各行相加等于合计。"
    return (
        Breakdown("type", "按合同类型", _named(by, By.TYPE), whole),
        Breakdown("field", "按技术领域", _named(by, By.FIELD), whole),
        Breakdown("seller", "按卖方", tuple(_party(row) for row in sellers), whole),
        Breakdown(
            "buyer",
            "按买方",
            tuple(_party(row) for row in by(By.BUYER)),
            whole,
        ),
        Breakdown(
            "university",
            "按高校",
            tuple(_universities(session, sellers)),
            "卖方中的高校和院所，按现在的机构类型。",
        ),
        Breakdown(
            "agency",
            "按技术转移机构",
            tuple(agencies(session, part)),
            f"由机构促成的，按{work.today}的报酬记录；一份合同由几家促成的，各家都有，所以不相加。",
        ),
    )


def _named(sums: Sums, by: By) -> tuple[Figure, ...]:
    name = type_name if by is By.TYPE else field_name
    return tuple(figure(row, name(row.key)) for row in sums(by))


def _party(row: Sum) -> Figure:
    return figure(row, row.label or OUTSIDE_NAME)


def _universities(session: Session, sellers: Iterable[Sum]) -> Iterable[Figure]:
    rows = [row for row in sellers if row.key]
    kinds = repository.kinds(session, [OrganisationId(int(row.key)) for row in rows])
    for row in rows:
        if kinds.get(OrganisationId(int(row.key))) == OrganisationKind.UNIVERSITY:
            yield _party(row)


def agencies(session: Session, part: Slice) -> Iterable[Figure]:
    """Yield what each agency brought about of a part of the book, the largest first."""
    brought = repository.by_agency(session, part)
    names = accounts.organisations(session, brought)
    found = [
        replace(figure(sums, names[agency].name), key=names[agency].public_id)
        for agency, sums in brought.items()
        if sums.count or sums.technical_fen
    ]
    return sorted(found, key=lambda one: -(one.technical_fen or 0))


def head_of(session: Session, month: str) -> Head:
    """Return the ledger's head at the close of a month, or as it is now where that is open."""
    period = periods.get(session, Book.STATISTICS, month)
    if period is not None and period.state == PeriodState.CLOSED:
        assert period.head_seq is not None
        return Head(period.head_seq, period.head_hash or "", closed=True)
    now = chain.head(session, Chain.STATISTICS)
    return Head(now.seq, now.hash, closed=False)
