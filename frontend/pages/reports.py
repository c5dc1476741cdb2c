"""The reports: the month's and the plan's for the bureau, a year's for each holder; as page, paper
and workbook. And the board as one picture.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import StringConstraints
from starlette.responses import Response

from frontend import charts
from frontend.edge import Page, opens_page
from market.accounts.policy import Action, Role
from market.insight import annual, printing, service
from market.insight.endpoints_reports import file_of
from market.insight.reports import Report, Stage, month_report, plan_report
from market.kit.errors import Invalid, NotFound
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.rules import service as rules

router = APIRouter()

Month = Annotated[str, StringConstraints(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$")]
Year = Annotated[int, Query(ge=1990, le=2100)]
Kind = Annotated[Literal["", "pdf", "xlsx"], Query()]


@router.get("/reports")
def listed(page: Annotated[Page, opens_page(Action.REPORT_ANNUAL)]) -> Response:
    work = page.work
    bureau = work.actor.role is Role.OFFICER
    plan = rules.current_plan(work.session) if bureau else None
    holders = annual.holders(work.session, plan.region) if plan else []
    return page.render(
        "board/reports.html",
        {
            "bureau": bureau,
            "month": f"{work.today:%Y-%m}",
            "year": work.today.year,
            "holders": [(row.public_id, row.name) for row in holders],
        },
    )


def _answer(page: Page, report: Report, kind: str) -> Response:
    if kind:
        return file_of(page.work, report, kind)
    return page.render(
        "board/report.html",
        {
            "report": report,
            "told": printing.told,
            "head": printing.head_words(report),
            "bureau": page.work.actor.role is Role.OFFICER,
        },
    )


@router.get("/reports/month")
def month(
    page: Annotated[Page, opens_page(Action.REPORT_BUREAU)],
    month: Month | None = None,
    kind: Kind = "",
) -> Response:
    chosen = month or f"{page.work.today:%Y-%m}"
    try:
        return _answer(page, month_report(page.work, chosen), kind)
    except Invalid:
        raise NotFound from None


@router.get("/reports/plan")
def plan(
    page: Annotated[Page, opens_page(Action.REPORT_BUREAU)],
    stage: Stage = Stage.MIDTERM,
    kind: Kind = "",
) -> Response:
    return _answer(page, plan_report(page.work, stage), kind)


@router.get("/reports/year")
def year(
    page: Annotated[Page, opens_page(Action.REPORT_ANNUAL)],
    year: Year | None = None,
    organisation: PathId | None = None,
    kind: Kind = "",
) -> Response:
    named = None if organisation is None else PublicId(organisation)
    try:
        report = annual.annual_report(page.work, year or page.work.today.year, named)
    except Invalid:
        raise NotFound from None
    return _answer(page, report, kind)


@router.get("/board/picture.svg")
def picture(page: Annotated[Page, opens_page(Action.BROWSE)]) -> Response:
    """Return the cumulative curve as a picture of its own, as anyone may see it who sees the
    board.
    """
    found = service.board(page.work)
    if found is None or found.pace is None:
        raise NotFound
    chart = charts.cumulative(
        found.points,
        start=found.plan.from_on,
        end=found.plan.to_on,
        today=found.as_of,
        target=found.plan.target_fen,
        label=f"“{found.plan.name}”计划：累计技术交易额，截至{found.as_of}",
    )
    return page.renderer.picture("board/picture.svg", {"chart": chart, "board": found})
