"""Wire types of the forecast and the reports."""

from datetime import date

from market.insight.schemas import FigureOut
from market.kit.wire import Out


class ForecastOut(Out):
    """What the open deals may bring by the plan's end, fen: an 80% range. All null where too few
    deals are closed (资料不足).
    """

    closed: int
    open: int
    low_fen: int | None
    middle_fen: int | None
    high_fen: int | None


class FactOut(Out):
    """One figure; `unit`: fen, count, share of 1, or text."""

    key: str
    label: str
    value: int | float | str | None
    unit: str


class BreakdownOut(Out):
    key: str
    title: str
    rows: list[FigureOut]
    note: str


class PartOut(Out):
    title: str
    text: str
    facts: list[FactOut]
    tables: list[BreakdownOut]


class HeadOut(Out):
    """The ledger's last transaction that the report stands on; at a close if `closed`."""

    seq: int
    hash: str
    closed: bool


class ReportOut(Out):
    name: str
    title: str
    subtitle: str
    since: date
    until: date
    parts: list[PartOut]
    head: HeadOut
