"""The rules as the bureau keeps them: the plan, the registration rules, the calendar."""

from datetime import date, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages.desk_rules_forms import (
    VersionForm,
    YearForm,
    days_of,
    days_text,
    rules_of,
    version_values,
)
from market.accounts.policy import Action
from market.catalog.vocabulary import REGIONS
from market.kit.errors import Conflict, Invalid, Overtaken
from market.kit.wire import PathId, Short
from market.rules import service as rules
from market.rules import versions
from market.rules.models import DayKind, Holiday, Plan, PlanState
from market.rules.schemas import PlanIn, VersionIn, YearIn

router = APIRouter()

PLANNED = notices.done(
    "plan-saved", "计划已保存", "看板从现在起按这份计划衡量，原来的计划留在下面。"
)
RULED = notices.done("rules-saved", "规则已保存", "没有决定的登记按新的期限重算。")
DATED = notices.done("calendar-saved", "放假安排已保存", "由它算出的期限随后重算。")


class PlanForm(BaseModel):
    name: Short = Field(title="计划名称")
    region: str = Field(title="地区", pattern=r"^\d{6}$", description="列表中的地区")
    from_on: forms.Day = Field(title="开始日期")
    to_on: forms.Day = Field(title="结束日期")
    target_fen: forms.Wan = Field(title="目标", gt=0)
    baseline_fen: forms.Wan = Field(title="基数")
    baseline_year: forms.Whole = Field(title="基数年份", ge=1990, le=2100)
    replaces: PathId | None = Field(None, title="原来的计划", description="现行的计划")


def _planned(current: Plan | None) -> forms.Form[PlanForm]:
    values: dict[str, object] = {"region": "500106"}
    if current is not None:
        values = {
            **current.model_dump(include={"name", "region", "from_on", "to_on", "baseline_year"}),
            "target_fen": forms.wan(current.target_fen),
            "baseline_fen": forms.wan(current.baseline_fen),
            "replaces": current.public_id,
        }
    return forms.blank(PlanForm, values)


def _plan(page: Page, **more: object) -> dict[str, object]:
    current = rules.current_plan(page.work.session)
    return {
        "current": current,
        "archived": [row for row in rules.plans(page.work) if row.state == PlanState.ARCHIVED],
        "form": _planned(current),
        "regions": tuple(REGIONS.items()),
        "region_names": REGIONS,
        **more,
    }


@router.get("/desk/plan")
def plan(page: Annotated[Page, opens_page(Action.PLAN_EDIT)]) -> Response:
    return page.render("desk/plan.html", _plan(page))


@router.post("/desk/plan")
def put_plan(page: Annotated[Page, opens_page(Action.PLAN_EDIT, write=True)]) -> Response:
    form = forms.parse(PlanForm, page.sent)
    if form.data is not None:
        try:
            rules.put_plan(page.work, PlanIn(**form.data.model_dump()))
        except Invalid as error:
            form.reject(error)
        except Overtaken as error:
            page.work.abandon()
            form.fail(forms.WHOLE, error.message)
            form.overtaken(_planned(rules.current_plan(page.work.session)), by=["replaces"])
            return page.render("desk/plan.html", _plan(page, form=form), status=error.status)
        except Conflict as error:
            form.fail(forms.WHOLE, error.message)
        else:
            return page.redirect("/desk/plan", done=PLANNED)
    page.work.abandon()
    return page.again("desk/plan.html", _plan(page, form=form))


def _calendar(page: Page, year: int, form: forms.Form[YearForm] | None = None) -> dict[str, object]:
    view = rules.year_view(page.work, year)
    seen = versions.year_mark(page.work.session, year)
    values = {
        "source": view.days[0].source if view.days else "",
        "days": days_text(list(view.days)),
        "seen": seen,
    }
    return {
        "view": view,
        "spans": _spans([row for row in view.days if row.kind == DayKind.REST]),
        "worked": [row for row in view.days if row.kind == DayKind.WORK],
        "length": date(view.year, 12, 31).timetuple().tm_yday,
        "weekdays": "一二三四五六日",
        "form": form or forms.blank(YearForm, values),
    }


@router.get("/desk/calendar")
def calendar(
    page: Annotated[Page, opens_page(Action.PLAN_EDIT)],
    year: Annotated[int | None, Query(ge=1990, le=2100)] = None,
) -> Response:
    return page.render("desk/calendar.html", _calendar(page, year or page.work.today.year))


@router.post("/desk/calendar")
def put_calendar(
    page: Annotated[Page, opens_page(Action.RULE_EDIT, write=True)],
    year: Annotated[int, Query(ge=1990, le=2100)],
) -> Response:
    form = forms.parse(YearForm, page.sent)
    if form.data is not None:
        try:
            days = days_of(form.data.days)
            body = YearIn(source=form.data.source, days=days, seen=form.data.seen)
            versions.put_year(page.work, year, body)
        except (Invalid, Conflict) as error:
            form.reject(error)
        except ValueError:
            form.fail("days", "一年最多写120天，请核对")
        else:
            return page.redirect(f"/desk/calendar?year={year}", done=DATED)
    page.work.abandon()
    return page.again("desk/calendar.html", _calendar(page, year, form))


def _versions(
    page: Page, code: str = "", form: forms.Form[VersionForm] | None = None
) -> dict[str, object]:
    book = versions.book(page.work.session)
    found = {one.row.code: one for one in book.versions}
    chosen = found.get(code) or book.versions[-1]
    return {
        "book": book,
        "chosen": chosen,
        "archived": versions.archived(page.work.session),
        "units": [("working", "工作日"), ("calendar", "日历日")],
        "form": form or forms.blank(VersionForm, version_values(chosen)),
    }


@router.get("/desk/rules")
def rule_versions(
    page: Annotated[Page, opens_page(Action.RULE_EDIT)],
    code: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    return page.render("desk/rules.html", _versions(page, code))


@router.post("/desk/rules")
def put_version(
    page: Annotated[Page, opens_page(Action.RULE_EDIT, write=True)],
    code: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    form = forms.parse(VersionForm, page.sent)
    if form.data is not None:
        told = form.data.model_dump(
            include={"name", "effective_from", "source", "draft", "checked", "replaces"}
        )
        try:
            body = VersionIn(**told, content=rules_of(form.data))
            versions.put(page.work, body)
        except Invalid as error:
            form.reject(Invalid(error.message, _renamed(error)))
        except Conflict as error:
            form.fail(forms.WHOLE, error.message)
        else:
            return page.redirect(f"/desk/rules?code={quote(code)}", done=RULED)
    page.work.abandon()
    return page.again("desk/rules.html", _versions(page, code, form))


def _renamed(error: Invalid) -> dict[str, str]:
    return {("types" if name == "content" else name): text for name, text in error.fields.items()}


def _spans(days: list[Holiday]) -> list[tuple[str, date, date, int]]:
    """Return (name, first day, last day, number of days) of runs of one holiday."""
    spans: list[tuple[str, date, date, int]] = []
    for row in days:
        if spans and spans[-1][0] == row.name and row.falls_on - spans[-1][2] == timedelta(days=1):
            name, first, _, number = spans[-1]
            spans[-1] = (name, first, row.falls_on, number + 1)
        else:
            spans.append((row.name, row.falls_on, row.falls_on, 1))
    return spans
