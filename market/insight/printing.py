"""A report as a paper and as a workbook: the same figures, to the fen."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import Any, Final

import xlsxwriter

from market.insight.reports import Breakdown, Fact, Report, Unit
from market.insight.views import Figure
from market.kit import pdf
from market.kit.clock import local_text
from market.kit.money import FEN_PER_YUAN, MINUS, yuan_in_words

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MONEY: Final = f"#,##0.00;{MINUS}#,##0.00"
SOURCE: Final = """
#align(center)[
  #text(size: 16pt, weight: "bold")[#data.title]
  #v(2mm)
  #text(size: 9pt)[#data.subtitle]
]
#for part in data.parts [
  == #part.title
  #if part.text != "" [#par[#part.text]]
  #if part.facts.len() > 0 [
    #table(columns: (1fr, auto), align: (left, right), ..part.facts.flatten())
  ]
  #for one in part.tables [
    #block(breakable: true)[
      *#one.title* #h(1fr) #text(size: 8pt)[#one.note]
      #if one.rows.len() > 0 [
        #table(
          columns: (1fr, auto, auto, auto),
          align: (left, right, right, right),
          table.header[][份][技术交易额（元）][成交额（元）],
          ..one.rows.flatten(),
        )
      ] else [#text(size: 9pt)[没有登记的合同。]]
    ]
  ]
]
#v(6mm)
#line(length: 100%, stroke: 0.5pt)
#text(size: 8pt)[#data.head]
"""


def told(fact: Fact) -> str:
    """Return a figure as the paper says it: 元 to the fen."""
    value = fact.value
    if value is None:
        return "—"
    if fact.unit is Unit.TEXT:
        return str(value)
    if fact.unit is Unit.SHARE:
        return _signed(f"{float(value) * 100:.2f}%")
    return yuan_in_words(int(value)) if fact.unit is Unit.FEN else _signed(f"{int(value):,}")


def _signed(figure: str) -> str:
    """Return a figure with the minus that amounts have."""
    return figure.replace("-", MINUS)


def head_words(report: Report) -> str:
    """Return the line that ties the report to the ledger."""
    head = report.head
    when = "结账时" if head.closed else "出具时（本期未结账）"
    mark = head.hash or "未加链"
    return f"账册{when}的末笔：第{head.seq}号，{mark}"


def paper(report: Report, at: datetime) -> bytes:
    """Return the report as a PDF made at a moment."""
    data = {
        "title": report.title,
        "subtitle": f"{report.subtitle}；{local_text(at)}出具",
        "parts": [
            {
                "title": part.title,
                "text": part.text,
                "facts": [[one.label, told(one)] for one in part.facts],
                "tables": [_table(one) for one in part.tables],
            }
            for part in report.parts
        ],
        "head": head_words(report),
    }
    return pdf.render(SOURCE, data, at=at)


def _table(one: Breakdown) -> dict[str, Any]:
    return {
        "title": one.title,
        "note": one.note,
        "rows": [
            [row.label, _signed(f"{row.count:,}"), _yuan(row.technical_fen), _yuan(row.total_fen)]
            for row in one.rows
        ],
    }


def _yuan(amount: int | None) -> str:
    return yuan_in_words(amount or 0).removesuffix("元")


def workbook(report: Report) -> bytes:
    """Return the report as an Excel file; amounts are numbers in 元, to the fen."""
    out = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    money = book.add_format({"num_format": MONEY})
    bold = book.add_format({"bold": True})
    sheet = book.add_worksheet("要数")
    sheet.set_column(0, 0, 50)
    sheet.set_column(1, 3, 20)
    for place, row in enumerate(_facts(report)):
        style = bold if len(row) == 1 else None
        for column, value in enumerate(row):
            sheet.write(place, column, value, money if isinstance(value, float) else style)
    for name, one in _sheets(report):
        _sheet(book.add_worksheet(name), one, money, bold)
    book.close()
    return out.getvalue()


def _sheets(report: Report) -> Iterator[tuple[str, Breakdown]]:
    """Yield each table with a name that no other sheet has: two parts may have one by the same."""
    met: Counter[str] = Counter()
    for one in (table for part in report.parts for table in part.tables):
        met[one.title] += 1
        yield one.title if met[one.title] == 1 else f"{one.title}（{met[one.title]}）", one


def _facts(report: Report) -> Iterator[list[str | int | float]]:
    yield [report.title]
    yield [report.subtitle]
    for part in report.parts:
        yield [part.title]
        if part.text:
            yield ["说明", part.text]
        for one in part.facts:
            yield [one.label, _cell(one)]
    yield ["账册", head_words(report)]


def _cell(fact: Fact) -> str | int | float:
    if fact.value is None:
        return ""
    if fact.unit is Unit.FEN:
        return int(fact.value) / FEN_PER_YUAN
    return fact.value


def _sheet(sheet: Any, one: Breakdown, money: Any, bold: Any) -> None:
    sheet.set_column(0, 0, 40)
    sheet.set_column(1, 3, 20)
    for column, head in enumerate(("", "份", "技术交易额（元）", "成交额（元）")):
        sheet.write(0, column, head, bold)
    for place, row in enumerate(one.rows, 1):
        _line(sheet, place, row, money)
    if one.note:
        sheet.write(len(one.rows) + 1, 0, one.note)


def _line(sheet: Any, place: int, row: Figure, money: Any) -> None:
    sheet.write_string(place, 0, row.label)
    sheet.write(place, 1, row.count)
    sheet.write(place, 2, (row.technical_fen or 0) / FEN_PER_YUAN, money)
    sheet.write(place, 3, (row.total_fen or 0) / FEN_PER_YUAN, money)
