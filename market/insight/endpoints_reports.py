"""The JSON edge of the forecast and the reports; each as paper and workbook, too."""

from typing import Annotated, Literal

from fastapi import Query
from fastapi.responses import Response

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.insight import printing
from market.insight.annual import annual_report
from market.insight.pipeline import forecast_of
from market.insight.reports import Report, Stage, month_report, plan_of, plan_report
from market.insight.schemas_reports import ForecastOut, ReportOut
from market.kit import pdf
from market.kit.files import as_document, download_headers
from market.kit.ids import PublicId
from market.kit.wire import PathId

router = api_router("board")

Month = Annotated[str, Query(pattern=r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-10"])]
Year = Annotated[int, Query(ge=1990, le=2100, examples=[2026])]
Kind = Annotated[Literal["pdf", "xlsx"], Query()]
FILES = as_document([pdf.MEDIA_TYPE, printing.XLSX])


def file_of(work: Work, report: Report, kind: str) -> Response:
    """Return a report as a file to be saved."""
    if kind == "xlsx":
        made, media_type = printing.workbook(report), printing.XLSX
    else:
        made, media_type = printing.paper(report, work.now), pdf.MEDIA_TYPE
    headers = download_headers(f"{report.name}.{kind}")
    return Response(made, media_type=media_type, headers=headers)


@router.get("/board/forecast")
def forecast(work: Annotated[Work, opens(Action.REPORT_BUREAU)]) -> ForecastOut:
    """Show what the open deals may bring by the plan's end, as a range."""
    return ForecastOut.model_validate(forecast_of(work, plan_of(work)))


@router.get("/reports/month")
def month(month: Month, work: Annotated[Work, opens(Action.REPORT_BUREAU)]) -> ReportOut:
    """Show the bureau's report of a month."""
    return ReportOut.model_validate(month_report(work, month))


@router.get("/reports/month/file", responses=FILES)
def month_file(
    month: Month, work: Annotated[Work, opens(Action.REPORT_BUREAU)], kind: Kind = "pdf"
) -> Response:
    """Download the bureau's report of a month."""
    return file_of(work, month_report(work, month), kind)


@router.get("/reports/plan")
def plan(
    work: Annotated[Work, opens(Action.REPORT_BUREAU)], stage: Stage = Stage.MIDTERM
) -> ReportOut:
    """Show the plan's mid-term or final report."""
    return ReportOut.model_validate(plan_report(work, stage))


@router.get("/reports/plan/file", responses=FILES)
def plan_file(
    work: Annotated[Work, opens(Action.REPORT_BUREAU)],
    stage: Stage = Stage.MIDTERM,
    kind: Kind = "pdf",
) -> Response:
    """Download the plan's mid-term or final report."""
    return file_of(work, plan_report(work, stage), kind)


@router.get("/reports/year")
def year(
    year: Year,
    work: Annotated[Work, opens(Action.REPORT_ANNUAL)],
    organisation: PathId | None = None,
) -> ReportOut:
    """Show an organisation's annual report: one's own, for the bureau any university's."""
    return ReportOut.model_validate(annual_report(work, year, _named(organisation)))


@router.get("/reports/year/file", responses=FILES)
def year_file(
    year: Year,
    work: Annotated[Work, opens(Action.REPORT_ANNUAL)],
    organisation: PathId | None = None,
    kind: Kind = "pdf",
) -> Response:
    """Download an organisation's annual report."""
    return file_of(work, annual_report(work, year, _named(organisation)), kind)


def _named(organisation: str | None) -> PublicId | None:
    return None if organisation is None else PublicId(organisation)
