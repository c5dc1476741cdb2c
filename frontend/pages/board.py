"""The board: will the target be reached? And the contracts behind each figure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from frontend import charts, formats
from frontend.edge import Page, opens_page
from market.accounts import repository as accounts
from market.accounts.policy import Action, Role
from market.catalog.vocabulary import FIELDS, region_name
from market.deals.vocabulary import CONTRACT_TYPES, ContractType
from market.insight import bureau, service
from market.insight.forecast import ENOUGH
from market.insight.service import Chosen
from market.insight.views import Board, Figure
from market.kit.ids import PublicId
from market.kit.money import FEN_PER_YI
from market.kit.wire import PathId

router = APIRouter()

NOT_PUBLIC = "不公开"
NEWEST = 5
SELLERS = 12  # of the largest that the board names one by one
SIDES = {
    "out": "输出（卖方在本区）",
    "in": "吸纳（买方在本区）",
    "earlier": "计划开始之前（卖方在本区）",
}

PageNumber = Annotated[int, Query(alias="page", ge=1, le=100_000)]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table by type, field or seller. `share` is of the table's largest."""

    label: str
    figure: Figure
    href: str
    share: float


def finding(board: Board) -> str:
    """Return the board's title: what it found."""
    if board.pace is None:
        return "登记的合同太少，合计暂不公开"
    share, gap = formats.percent(board.pace.share), board.pace.gap_fen
    if board.pace.left_fen == 0:
        return f"完成{share}，目标已达到"
    if gap == 0:
        return f"完成{share}，与计划持平"
    return f"完成{share}，比计划{'快' if gap > 0 else '慢'}{formats.money(abs(gap))}"


def _unit(board: Board) -> tuple[str, Callable[[int | None], str]]:
    """Return the unit of the page's tables and what formats a figure in it."""
    large = max(board.plan.target_fen, board.outgoing.technical_fen or 0) >= 10 * FEN_PER_YI
    return ("亿元", formats.yi) if large else ("万元", formats.wan)


def _contracts(**chosen: object) -> str:
    return f"/board/contracts?{urlencode({'side': 'out', **chosen})}"


def _rows(figures: Sequence[tuple[Figure, str]]) -> list[Row]:
    top = max((figure.technical_fen or 0 for figure, _ in figures), default=0)
    return [
        Row(figure.label, figure, href, max(figure.technical_fen or 0, 0) / top if top else 0)
        for figure, href in figures
    ]


def _linked(board: Board, name: str, figures: Sequence[Figure]) -> list[Row]:
    """Return the rows of a table; only the bureau's lead to their contracts."""
    return _rows([(one, _contracts(**{name: one.key}) if board.exact else "") for one in figures])


def _of_sellers(board: Board) -> list[tuple[Figure, str]]:
    return [
        (
            seller.figure,
            _contracts(seller=seller.id) if seller.id else _contracts(outside=seller.figure.label),
        )
        for seller in board.sellers
    ]


class Whole(StrEnum):
    """The table that the board shows in whole, row by row."""

    SELLER = "seller"
    BUYER = "buyer"
    UNIVERSITY = "university"
    AGENCY = "agency"


def _largest(table: Whole, figures: Sequence[tuple[Figure, str]], whole: Whole | None) -> list[Row]:
    """Return the largest and, as one row that leads to the whole table, all others."""
    rest = [figure for figure, _ in figures[SELLERS:]]
    if not rest or table is whole:
        return _rows(figures)
    others = _together(f"其余{len(rest)}家", rest, adds_up=table is not Whole.AGENCY)
    return _rows([*figures[:SELLERS], (others, f"/board?whole={table}#{table}")])


def _together(label: str, rest: Sequence[Figure], *, adds_up: bool) -> Figure:
    """Return the sum of some rows; no sum of those that share contracts."""
    if not adds_up:
        return Figure("", label, None, None, None)
    return Figure(
        "",
        label,
        sum(one.count or 0 for one in rest),
        sum(one.technical_fen or 0 for one in rest),
        sum(one.total_fen or 0 for one in rest),
    )


def _earlier(board: Board) -> list[tuple[Figure, str]]:
    """Return the years before the plan, newest first, each with the way to its contracts."""
    return [
        (one, _contracts(side="earlier", year=one.key) if board.exact else "")
        for one in reversed(board.earlier)
    ]


def _curve(board: Board) -> charts.Cumulative | None:
    if board.pace is None:
        return None
    reached, expected = board.points[-1][1] if board.points else 0, board.pace.expected_fen
    return charts.cumulative(
        board.points,
        start=board.plan.from_on,
        end=board.plan.to_on,
        today=board.as_of,
        target=board.plan.target_fen,
        label=(
            f"累计技术交易额折线：截至{board.as_of}为{formats.money(reached)}，"
            f"同日计划值{formats.money(expected)}；"
            f"{board.plan.to_on}目标{formats.money(board.plan.target_fen)}。"
        ),
    )


@dataclass(frozen=True, slots=True)
class YearRow:
    """A year of the plan: its own sum, and sum and plan at its end (or today); fen."""

    key: str
    running: bool
    figure: Figure
    reached_fen: int | None
    expected_fen: int
    href: str


def _years(board: Board) -> Iterator[YearRow]:
    """Yield the years so far. After a year that is left out no sum can be told."""
    plan = board.plan
    known: int | None = 0
    days = (plan.to_on - plan.from_on).days + 1
    figures = {one.key: one for one in board.years}
    for year in range(plan.from_on.year, min(board.as_of, plan.to_on).year + 1):
        figure = figures.get(str(year), Figure(str(year), "", 0, 0, 0))
        known = None if known is None or not figure.shown else known + (figure.technical_fen or 0)
        last = min(plan.to_on, board.as_of, date(year, 12, 31))
        passed = max((last - plan.from_on).days + 1, 0)
        yield YearRow(
            key=str(year),
            running=year == board.as_of.year,
            figure=figure,
            reached_fen=known,
            expected_fen=plan.target_fen * passed // days,
            href=_contracts(year=year) if board.exact else "",
        )


def _months(board: Board) -> tuple[int, charts.Months, list[Figure], int]:
    """Return the newest year of the plan, its chart by month, its months, and how many of them
    are left out.
    """
    year = min(board.as_of, board.plan.to_on).year
    figures = {one.key: one for one in board.months}
    last = board.as_of.month if year == board.as_of.year else 12
    first = board.plan.from_on.month if year == board.plan.from_on.year else 1
    months = [
        figures.get(key, Figure(key, "", 0, 0, 0))
        for key in (f"{year}-{month:02d}" for month in range(first, last + 1))
    ]
    bars = [
        (
            f"{int(one.key[5:])}月" if place == 0 else str(int(one.key[5:])),
            one.technical_fen or 0,
            one.key != f"{board.as_of:%Y-%m}",
        )
        for place, one in enumerate(months)
    ]
    told = "，".join(
        f"{int(one.key[5:])}月{formats.money(one.technical_fen) if one.shown else NOT_PUBLIC}"
        for one in months
    )
    need = board.pace.monthly_need_fen if board.pace else None
    chart = charts.months(bars, need=need, label=f"{year}年各月技术交易额：{told}。")
    return year, chart, months, sum(not one.shown for one in months)


def _bureau(page: Page, board: Board, whole: Whole | None) -> dict[str, object]:
    """Return what only the bureau sees: the forecast, and the figures by buyer and by agency."""
    if not board.exact:
        return {"forecast": None, "by_buyer": [], "by_university": [], "by_agency": []}
    plan, session = board.plan, page.work.session
    found = bureau.beside(page.work, plan)
    tables = found.tables
    parties = [*tables["buyer"], *tables["university"]]
    ids = service.public_ids(session, [row.key for row in parties if row.key])
    return {
        "forecast": found.forecast,
        "enough": ENOUGH,
        "by_buyer": _largest(
            Whole.BUYER, [(row, _party("buyer", row, ids)) for row in tables["buyer"]], whole
        ),
        "by_university": _largest(
            Whole.UNIVERSITY,
            [(row, _party("seller", row, ids)) for row in tables["university"]],
            whole,
        ),
        "by_agency": _largest(
            Whole.AGENCY, [(row, _contracts(agency=row.key)) for row in tables["agency"]], whole
        ),
    }


def _party(side: str, row: Figure, ids: dict[str, str]) -> str:
    outside = "outside_buyer" if side == "buyer" else "outside"
    return _contracts(**({side: ids[row.key]} if row.key else {outside: row.label}))


@router.get("/board")
def board(page: Annotated[Page, opens_page(Action.BROWSE)], whole: Whole | None = None) -> Response:
    newest = service.recent_contracts(page.work, NEWEST)
    found = service.board(page.work)
    names = {"types": CONTRACT_TYPES, "fields": FIELDS, "not_public": NOT_PUBLIC}
    if found is None:
        return page.render("board/no_plan.html", {"newest": newest, **names})
    unit, amount = _unit(found)
    year, months_chart, months, left_out = _months(found)
    return page.render(
        "board/board.html",
        {
            "board": found,
            "today": page.work.today,
            "finding": finding(found),
            "region": region_name(found.plan.region),
            "unit": unit,
            "amount": amount,
            "curve": _curve(found),
            "years": list(_years(found)),
            "year": year,
            "months_chart": months_chart,
            "months": months,
            "left_out": left_out,
            "months_told": left_out * 2 <= len(months),
            "by_type": _linked(found, "type", found.types),
            "by_field": _linked(found, "field", found.fields),
            "by_seller": _largest(Whole.SELLER, _of_sellers(found), whole),
            "earlier": _earlier(found),
            **_bureau(page, found, whole),
            "all": _contracts() if found.exact else "/board/registered",
            "newest": newest,
            **names,
        },
    )


@router.get("/board/registered")
def registered(
    page: Annotated[Page, opens_page(Action.BROWSE)], number: PageNumber = 1
) -> Response:
    rows, total = service.registered_contracts(page.work, number)
    return page.render(
        "board/registered.html",
        {
            "rows": rows,
            "total": total,
            "page": number,
            "pages": -(-total // service.PAGE_SIZE),
            "types": CONTRACT_TYPES,
            "fields": FIELDS,
            "not_public": NOT_PUBLIC,
        },
    )


@router.get("/board/contracts")
def contracts(
    page: Annotated[Page, opens_page(Action.BOARD_CONTRACTS)],
    *,
    side: Literal["", "out", "in", "earlier"] = "",
    type: ContractType | None = None,  # noqa: A002  the parameter's public name
    field: Annotated[int | None, Query(ge=1, le=11)] = None,
    year: Annotated[int | None, Query(ge=1990, le=2100)] = None,
    month: Annotated[int | None, Query(ge=1, le=12)] = None,
    seller: PathId | None = None,
    outside: Annotated[str, Query(max_length=120)] = "",
    buyer: PathId | None = None,
    outside_buyer: Annotated[str, Query(max_length=120)] = "",
    agency: PathId | None = None,
    number: PageNumber = 1,
) -> Response:
    chosen = Chosen(
        side,
        type,
        field,
        year,
        month,
        PublicId(seller) if seller else None,
        outside,
        PublicId(buyer) if buyer else None,
        outside_buyer,
        PublicId(agency) if agency else None,
    )
    found = service.contracts(page.work, chosen, number)
    officer = page.work.actor.role is Role.OFFICER
    return page.render(
        "board/contracts.html",
        {
            "found": found,
            "bureau": officer,
            "chips": _chips(page, chosen),
            "base": "/desk/registrations" if officer else "/registrations",
            "page": number,
            "pages": -(-found.number // service.PAGE_SIZE),
            "types": CONTRACT_TYPES,
            "fields": FIELDS,
        },
    )


def _chips(page: Page, chosen: Chosen) -> list[tuple[str, str]]:
    """Return (words, the parameter that a click takes away) of the conditions."""
    found = []
    if chosen.side:
        found.append((SIDES[chosen.side], "side"))
    if chosen.contract_type:
        found.append((CONTRACT_TYPES[ContractType(chosen.contract_type)], "type"))
    if chosen.field:
        found.append((FIELDS[chosen.field], "field"))
    if chosen.year:
        found.append((f"{chosen.year}年", "year"))
    if chosen.year and chosen.month:
        found.append((f"{chosen.month}月", "month"))
    for name, named in (
        ("seller", chosen.seller),
        ("buyer", chosen.buyer),
        ("agency", chosen.agency),
    ):
        if named:
            row = accounts.organisation_by_public_id(page.work.session, named)
            found.append((row.name if row else "", name))
    if chosen.outside:
        found.append((chosen.outside, "outside"))
    if chosen.outside_buyer:
        found.append((chosen.outside_buyer, "outside_buyer"))
    return found
