"""The reports as files, word for word, against the ledger's entries: every part, label, figure and
row, read back from the workbook and from the paper.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

import pytest
from sqlalchemy import text

from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Parts, Work
from market.catalog.vocabulary import FIELDS
from market.deals.vocabulary import ContractType
from market.insight import printing
from market.insight.annual import annual_report
from market.insight.reports import Report, Stage, month_report, plan_report
from market.rewards import service as rewards
from market.rewards.models import Way
from market.rewards.schemas import CompleterIn, RewardIn
from tests import factories
from tests.market.insight.test_bureau import brought
from tests.market.insight.test_reports import HERE, YI, by_agency, entries, figures, world
from tests.support import cells, papers, printed
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for

__all__ = ["world"]
pytestmark = pytest.mark.usefixtures("both_databases")
Row = tuple[str, int, int, int]
Entries = list[dict[str, object]]
TYPES = {
    "DEV": "技术开发",
    "TRF": "技术转让",
    "LIC": "技术许可",
    "CON": "技术咨询",
    "SRV": "技术服务",
}
WHOLE = "各行相加等于合计。"
PAGE = re.compile(r"\d+ / \d+")
HEADS = ["", "份", "技术交易额（元）", "成交额（元）"]


@dataclass
class Said:
    """A part as it has to be: facts as (label, value, unit), tables as (title, note, rows)."""

    title: str
    text: str = ""
    facts: list[tuple[str, float | str, str]] = field(default_factory=list)
    tables: list[tuple[str, str, list[Row]]] = field(default_factory=list)


@pytest.fixture
def books(parts: Parts, clock: FakeClock, world: list[papers.Sides]) -> list[papers.Sides]:
    """Return the world with a company that sells, a year before, and rewards of two ways."""
    maker = factories.organisation(parts, OrganisationKind.COMPANY, region=HERE)
    world.append(
        replace(world[0], seller=maker, seller_actor=factories.actor(parts, Role.MANAGER, maker))
    )
    agency = factories.organisation(parts, OrganisationKind.AGENCY)
    today = clock.now()
    for day in ("2025-11-12", "2026-09-14", "2026-11-12"):
        clock.set_local(f"{day} 10:00")
        for pair in (world[0], world[3]):
            # So much in the year before that the year after is less: a figure below nothing.
            technical = 9 * YI if day.startswith("2025") else 7_654_321_09
            on = date.fromisoformat(day)
            filed = papers.registered(
                parts, pair, technical=technical, total=technical + 1_23, on=on
            )
            brought(parts, agency, filed)
    assert clock.now() > today
    for way, income in ((Way.TRANSFER, 100_01), (Way.EQUITY, 3_000_001)):
        with work_for(parts, world[0].seller_actor) as work:
            form = RewardIn(
                title="检测方法",
                way=way,
                income=income,
                decided_on=date(2026, 11, 1),
                completers=[CompleterIn(name="甲"), CompleterIn(name="乙")],
            )
            rewards.confirm(work, rewards.state(work, form).public_id)
    return world


# what has to stand there


def three(rows: Entries) -> list[tuple[str, float | str, str]]:
    count, technical, total = figures(rows)
    return [
        ("合同（份）", count, "count"),
        ("技术交易额", technical, "fen"),
        ("成交额", total, "fen"),
    ]


def groups(rows: Entries, name: Callable[[dict[str, object]], str]) -> list[Row]:
    names = {name(row) for row in rows}
    return [(one, *figures([row for row in rows if name(row) == one])) for one in names]


def tables(work: Work, rows: Entries) -> list[tuple[str, str, list[Row]]]:
    query = "SELECT id FROM organisation WHERE kind = 'university'"
    universities = set(work.session.execute(text(query)).scalars())
    sold = [row for row in rows if row["seller_id"] in universities]
    return [
        ("按合同类型", WHOLE, groups(rows, lambda row: TYPES[str(row["contract_type"])])),
        ("按技术领域", WHOLE, groups(rows, lambda row: FIELDS[int(str(row["field"]))])),
        ("按卖方", WHOLE, groups(rows, lambda row: str(row["seller_name"]))),
        ("按买方", WHOLE, groups(rows, lambda row: str(row["buyer_name"]))),
        (
            "按高校",
            "卖方中的高校和院所，按现在的机构类型。",
            groups(sold, lambda row: str(row["seller_name"])),
        ),
        (
            "按技术转移机构",
            f"由机构促成的，按{work.today}的报酬记录；一份合同由几家促成的，各家都有，所以不相加。",
            [*by_agency(work, rows)],  # type: ignore[list-item]
        ),
    ]


def progress(work: Work, rows: Entries, until: date) -> Said:
    """Return the part of the plan's progress: the target evenly over its 1,826 days."""
    day = min(until, work.today)
    so_far = [row for row in rows if "2026" <= str(row["day"]) <= until.isoformat()]
    target, gone = 40 * YI, (day - date(2025, 12, 31)).days
    reached, expected = figures(so_far)[1], target * gone // 1826
    # A month is 365.25 / 12 days, 487 sixteenths of a day.
    need = (target - reached) * 487 // (16 * (1826 - gone))
    ended = work.session.execute(
        text(
            "SELECT count(DISTINCT c.deal_id) FROM registration r"
            " JOIN contract c ON c.id = r.contract_id"
            " JOIN organisation o ON o.id = c.seller_id"
            " WHERE r.transaction_id IS NOT NULL AND r.state <> 'withdrawn' AND o.region = :here"
        ),
        {"here": HERE},
    ).scalar_one()
    few = f"资料不足：已结束的洽谈{ended}件，满30件、且有登记的，才给出预测"
    none = f"不含预测：报告截至{until}，预测只按今天在谈的洽谈作出，见看板"
    return Said(
        "累计与计划",
        facts=[
            *three(so_far),
            ("目标（到2030-12-31）", target, "fen"),
            ("同日计划值（按天均分）", expected, "fen"),
            ("比计划多（负数为少）", reached - expected, "fen"),
            ("完成目标的", reached / target, "share"),
            ("往后每月要做到", need, "fen"),
            ("基数（2020年，只作对照，不计入累计）", 2 * YI, "fen"),
            ("在谈的到期末可登记", few if until >= work.today else none, "text"),
        ],
    )


def of_month(work: Work, month: str, until: date) -> list[Said]:
    every = entries(work)
    here = [row for row in every if row["seller_region"] == HERE]
    rows = [row for row in here if str(row["day"]).startswith(month)]
    bought = [
        row for row in every if row["buyer_region"] == HERE and str(row["day"]).startswith(month)
    ]
    return [
        Said("本月", facts=three(rows)),
        progress(work, here, until),
        Said("本月分项", tables=tables(work, rows)),
        Said("吸纳（买方在本区，不与输出相加）", facts=three(bought)),
    ]


def of_plan(work: Work, due: date) -> list[Said]:
    every = [row for row in entries(work) if str(row["day"]) >= "2026"]
    here = [row for row in every if row["seller_region"] == HERE]
    bought = [row for row in every if row["buyer_region"] == HERE]
    years = groups(here, lambda row: f"{str(row['day'])[:4]}年")
    early = f"报告期应到{due}，现在是{work.today}的数"
    return [
        Said("报告期", early, three(here)),
        progress(work, here, work.today),
        Said("各年", tables=[("按年", "各年相加等于报告期合计。", years)]),
        Said("分项", tables=tables(work, here)),
        Said("吸纳（买方在本区，不与输出相加）", facts=three(bought)),
    ]


def of_year(work: Work, holder: int) -> list[Said]:
    own = [row for row in entries(work) if row["seller_id"] == holder]
    year = [row for row in own if str(row["day"]).startswith("2026")]
    before = figures([row for row in own if str(row["day"]).startswith("2025")])[1]
    listed = "SELECT count(*) FROM listing WHERE organisation_id = :who AND kind = 'achievement'"
    here = {"who": holder}
    made = [
        work.session.execute(text(f"{listed}{more}"), here).scalar_one()
        for more in ("", " AND created_at >= '2025-12-31 16:00:00'", " AND state = 'published'")
    ]
    technical = figures(year)[1]
    return [
        Said(
            "一、取得的成绩和存在的问题",
            "这一年没有终止的洽谈。",
            [
                *three(year),
                ("2025年技术交易额", before, "fen"),
                ("比上年增加", technical - before, "fen"),
                ("没有谈成的洽谈（件）", 0, "count"),
            ],
        ),
        Said(
            "二、科技成果的数量",
            facts=[
                ("录入的成果（项）", made[0], "count"),
                ("其中本年新录入（项）", made[1], "count"),
                ("其中现在公开（项）", made[2], "count"),
            ],
        ),
        _of_types(
            "三、转让、许可与作价投资",
            "技术入股的合同按技术转让登记，已在其中。",
            ("TRF", "LIC"),
            year,
            [("作价投资并给予股份奖励（项）", 1, "count")],
        ),
        _of_types(
            "四、产学研合作",
            "人才流动（派出、兼职、培养）本平台不记录，请单位另行补写。",
            ("DEV", "CON", "SRV"),
            year,
            [],
        ),
        Said(
            "五、绩效、收入分配和奖励",
            facts=[
                ("技术交易额", technical, "fen"),
                ("转让、许可的奖励（份）", 1, "count"),
                ("净收入", 100_01, "fen"),
                ("奖励和报酬", 50_01, "fen"),
                ("作价投资的奖励（份）", 1, "count"),
                ("股份（股）", 3_000_001, "count"),
                ("奖励和报酬（股）", 1_500_001, "count"),
                ("自行或合作实施的奖励（份）", 0, "count"),
                ("营业利润", 0, "fen"),
                ("奖励和报酬", 0, "fen"),
            ],
        ),
    ]


def _of_types(
    title: str,
    said: str,
    types: tuple[str, ...],
    year: Entries,
    more: list[tuple[str, float | str, str]],
) -> Said:
    rows = [
        (TYPES[one], *figures([row for row in year if row["contract_type"] == one]))
        for one in types
    ]
    some = [row for row in year if row["contract_type"] in types]
    return Said(title, said, [*three(some), *more], [("按合同类型", WHOLE, rows)])


# as a file says it


def yuan(fen: int) -> str:
    whole, rest = divmod(abs(fen), 100)
    return f"{'−' if fen < 0 else ''}{whole:,}.{rest:02}"


def whole(number: int) -> str:
    return f"{'−' if number < 0 else ''}{abs(number):,}"


def worded(value: float | str, unit: str) -> str:
    if unit == "share":
        return f"{float(value) * 100:.2f}%"
    if unit == "fen":
        return f"{yuan(int(value))}元"
    return whole(int(value)) if unit == "count" else str(value)


def sheet_names(said: list[Said]) -> Iterator[tuple[str, str, list[Row]]]:
    met: list[str] = []
    for part in said:
        for title, note, rows in part.tables:
            met.append(title)
            again = met.count(title)
            yield title if again == 1 else f"{title}（{again}）", note, rows


def in_workbook(report: Report, said: list[Said]) -> dict[str, list[list[cells.Cell]]]:
    """Hold the workbook against what has to be there, cell by cell; return its sheets."""
    found = cells.workbook(printing.workbook(report))
    first: list[list[cells.Cell]] = [[report.title], [report.subtitle]]
    for part in said:
        first.append([part.title])
        if part.text:
            first.append(["说明", part.text])
        for label, value, unit in part.facts:
            first.append([label, value / 100 if unit == "fen" else value])  # type: ignore[operator]
    *told, last = found.pop("要数")
    assert told == first
    assert last[0] == "账册"
    assert f"第{report.head.seq}号" in str(last[1])
    expected = list(sheet_names(said))
    assert list(found) == [name for name, _, _ in expected]
    for name, note, rows in expected:
        head, *lines, foot = found[name]
        assert [head, foot] == [HEADS, [note]]
        assert sorted(map(tuple, lines)) == sorted(  # type: ignore[type-var]
            (label, count, technical / 100, total / 100) for label, count, technical, total in rows
        ), name
    return found


def in_paper(
    report: Report, said: list[Said], at: Work, sheets: dict[str, list[list[cells.Cell]]]
) -> None:
    """Hold the paper's text against what has to be there, from the first part to the last line.

    Rows that come to the same may stand in either order: they are asked for in the workbook's.
    """
    wanted = ""
    names = iter(sheets)
    for part in said:
        wanted += part.title + part.text
        wanted += "".join(label + worded(value, unit) for label, value, unit in part.facts)
        for title, note, rows in part.tables:
            by_label = {row[0]: row for row in rows}
            wanted += title + note
            for label, *_ in sheets[next(names)][1:-1]:
                _, count, technical, total = by_label[str(label)]
                wanted += f"{label}{whole(count)}{yuan(technical)}{yuan(total)}"
            wanted += "" if rows else "没有登记的合同。"
    lines = printed.text(printing.paper(report, at.now)).splitlines()
    told = "".join("".join(one for one in lines if not PAGE.fullmatch(one)).split())
    told = told.replace("".join(HEADS), "")  # again on each page
    assert told.startswith(report.title)
    assert "".join(wanted.split()) in told
    assert f"第{report.head.seq}号" in told
    assert not re.search(r"-[0-9,]+\.", told), "one kind of minus"


def largest_first(sheets: dict[str, list[list[cells.Cell]]], names: list[str]) -> None:
    for name in names:
        amounts = [row[2] for row in sheets[name][1:-1]]
        assert amounts == sorted(amounts, reverse=True), name


def held(report: Report, said: list[Said], work: Work) -> dict[str, list[list[cells.Cell]]]:
    assert report.head.seq > 0
    sheets = in_workbook(report, said)
    in_paper(report, said, work, sheets)
    return sheets


@pytest.mark.parametrize(("month", "last"), [("2026-09", 30), ("2026-11", 30)])
def test_the_month_as_files(parts: Parts, books: list[papers.Sides], month: str, last: int) -> None:
    until = date(2026, int(month[5:]), last)
    with read_for(parts, books[0].officer) as work:
        said = of_month(work, month, until)
        sheets = held(month_report(work, month), said, work)
    largest_first(sheets, list(sheets))
    names = {str(row[0]) for row in sheets["按卖方"]}
    assert books[3].seller.name in names  # a company, which is in no table of universities
    assert len(sheets["按高校"]) == len(sheets["按卖方"]) - 1 > 2


def test_the_plan_as_files(parts: Parts, books: list[papers.Sides]) -> None:
    with read_for(parts, books[0].officer) as work:
        for stage, due in ((Stage.MIDTERM, date(2028, 7, 1)), (Stage.FINAL, date(2030, 12, 31))):
            held(plan_report(work, stage), of_plan(work, due), work)


def test_the_year_as_files(parts: Parts, books: list[papers.Sides]) -> None:
    pair = books[0]
    with read_for(parts, pair.seller_actor) as work:
        said = of_year(work, pair.seller.id)
        held(annual_report(work, 2026), said, work)
    (less,) = (value for label, value, _ in said[0].facts if label == "比上年增加")
    assert int(less) < 0


assert set(TYPES) == set(ContractType)
