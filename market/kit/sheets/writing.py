"""Spreadsheets out: exports, templates, and a refused file with its reasons.

Every cell is text and stays text: nothing that stands in one is a formula or a link to the
program that opens it. What is written here reads back the same (`convert`).
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

MAX_XLSX_CELL: Final = 32_767  # characters; the format's own bound
_WIDEST = 40
_STARTS_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_UNWRITABLE = re.compile("[\ud800-\udfff\ufffe\uffff]")  # in neither UTF-8 nor XML
_NEUTRALISED = re.compile(r"''*[=+\-@\t\r\n]")


def neutral(text: str) -> str:
    """Return a CSV cell that no spreadsheet takes for a formula: an apostrophe stands before it."""
    text = _UNWRITABLE.sub("\ufffd", text)
    return f"'{text}" if _STARTS_FORMULA.match(text) else text


def plain(text: str) -> str:
    """Return what `neutral` was given."""
    return text[1:] if _NEUTRALISED.match(text) else text


def write_csv(out: BinaryIO, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write UTF-8 with a byte order mark, without which Excel takes Chinese for GBK."""
    text = io.TextIOWrapper(out, encoding="utf-8-sig", newline="")
    try:
        writer = csv.writer(text)
        writer.writerow([neutral(cell) for cell in header])
        for row in rows:
            writer.writerow([neutral(cell) for cell in row])
        text.flush()
    finally:
        text.detach()


def write_xlsx(
    out: BinaryIO | Path,
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    sheet: str = "数据",
) -> None:
    """Write one sheet with a bold, frozen header, a row at a time so that memory stays flat.

    Raises ValueError for a cell over MAX_XLSX_CELL: the format would drop it without a word.
    """
    import xlsxwriter  # noqa: PLC0415  half the start of the process that reads files, and unused there

    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(str(out) if isinstance(out, Path) else out, options) as book:
        page = book.add_worksheet(sheet)
        bold = book.add_format(
            {"bold": True, "text_wrap": True, "valign": "top", "num_format": "@"}
        )
        text = book.add_format({"num_format": "@", "valign": "top"})
        for column, heading in enumerate(header):
            page.set_column(column, column, min(_WIDEST, 4 + 2 * len(heading)), text)
        page.freeze_panes(1, 0)
        _write_row(page, 0, header, bold)
        for number, row in enumerate(rows, 1):
            _write_row(page, number, row, text)


def _write_row(page: Any, number: int, row: Sequence[str], style: Any) -> None:
    for column, cell in enumerate(row):
        if not cell:
            continue
        if len(cell) > MAX_XLSX_CELL:
            raise ValueError(f"row {number + 1}, column {column + 1}: {len(cell)} characters")
        page.write_string(number, column, _UNWRITABLE.sub("\ufffd", cell), style)
