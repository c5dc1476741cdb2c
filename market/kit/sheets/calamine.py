"""Excel's old files (xls) and OpenDocument (ods), by calamine.

It gives an error value as an empty cell; for these two formats that stands in the notes.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO, Final

import python_calamine

from market.kit.sheets.formats import LOST_DIGITS, clock, cut, number
from market.kit.sheets.lines import Line, Merges, clean
from market.kit.sheets.shape import Unreadable

_DAMAGED: Final = "文件不完整或已损坏，应是能用Excel打开的文件；请另存为xlsx再上传"
_NOTE: Final = "这种格式里公式的错误值（如#REF!）读作空格；要它们被指出来，请另存为xlsx"


def sheets(stream: BinaryIO) -> list["OldSheet"]:
    """Return a workbook's sheets. Raises Unreadable."""
    stream.seek(0)
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(stream)
    except python_calamine.PasswordError:
        raise Unreadable("文件有密码，应不加密；请去掉密码后再上传") from None
    except (python_calamine.CalamineError, OSError):
        raise Unreadable(_DAMAGED) from None
    return [
        OldSheet(book, index, one)
        for index, one in enumerate(book.sheets_metadata)
        if one.typ == python_calamine.SheetTypeEnum.WorkSheet
    ]


class OldSheet:
    """One sheet."""

    def __init__(
        self,
        book: python_calamine.CalamineWorkbook,
        index: int,
        found: python_calamine.SheetMetadata,
    ) -> None:
        self.name = clean(found.name)
        self.hidden = found.visible != python_calamine.SheetVisibleEnum.Visible
        self._book = book
        self._index = index
        self._kept: python_calamine.CalamineSheet | None = None

    def _sheet(self) -> python_calamine.CalamineSheet:
        if self._kept is None:
            try:
                self._kept = self._book.get_sheet_by_index(self._index)
            except python_calamine.CalamineError:
                raise Unreadable(_DAMAGED) from None
        return self._kept

    def lines(self) -> Iterator[Line]:
        sheet = self._sheet()
        for row, values in enumerate(sheet.iter_rows(), 1):
            cells: dict[int, str] = {}
            faults: dict[int, str] = {}
            for column, value in enumerate(values):
                if value == "":
                    continue
                text, fault = _read(value)
                if text:
                    cells[column] = text
                if fault:
                    faults[column] = fault
            if cells or faults:
                yield row, cells, faults, ""

    def merges(self) -> Merges:
        return Merges(
            (first[0] + 1, first[1], last[0] + 1, last[1])
            for first, last in self._sheet().merged_cell_ranges or ()
        )

    def notes(self, width: int) -> list[str]:  # noqa: ARG002  one note for any width
        return [_NOTE]


def _read(value: Any) -> tuple[str, str]:
    """Return (text, fault) of one value as calamine types it."""
    if isinstance(value, str):
        return clean(value), ""
    if isinstance(value, bool):
        return "是" if value else "否", ""
    if isinstance(value, int | float):
        try:
            return number(repr(value)), ""
        except OverflowError:
            return cut(float(value)), LOST_DIGITS
    return _calendar(value), ""


def _calendar(value: datetime | date | time | timedelta) -> str:
    if isinstance(value, timedelta):
        return clock(round(value.total_seconds()))
    if isinstance(value, datetime):
        text = value.replace(microsecond=0).isoformat(" ").removesuffix(":00")
        return text.removesuffix(" 00:00")
    if isinstance(value, time):
        return value.replace(microsecond=0).isoformat().removesuffix(":00")
    return value.isoformat()
