"""What every kind of sheet gives: lines with the cells that hold something, and merged cells."""

import re
from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from market.kit.sheets.shape import Unreadable

Line = tuple[int, dict[int, str], dict[int, str], str]
"""Row number from 1; texts and faults by column from 0, blank ones left out; a row's problem."""

Range = tuple[int, int, int, int]
"""Merged cells: first row from 1, first column from 0, last row, last column."""

HEAD: Final = 20  # rows in which a header is looked for
BLANK_RUN: Final = 100_000  # rows without content, after which nobody has written more
ENDED_EARLY: Final = "第{row:,}行以后有大片空格，再往后没有读"
MAX_MERGES: Final = 300_000
_INVISIBLE: Final = "\ufeff\u200b\u200c\u200d\u2060"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_NO_CHARACTER: Final = re.compile(r"[\ud800-\udfff\ufffe\uffff]")


class Sheet(Protocol):
    """One sheet of a file. `lines` may be read again from the start."""

    name: str
    hidden: bool

    def lines(self) -> Iterator[Line]: ...

    def merges(self) -> "Merges": ...

    def notes(self, width: int) -> list[str]:
        """Return sentences on what the last full reading met, of the first `width` columns."""
        ...


class Merges:
    """Merged cells of a sheet: only the first cell of a range holds its value."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._starts: dict[int, list[tuple[int, int]]] = {}
        self._active: dict[int, tuple[int, str]] = {}
        self.top: list[Range] = []
        self.filled = False
        for count, (row, column, last_row, last_column) in enumerate(ranges):
            if count >= MAX_MERGES:
                raise Unreadable(
                    f"合并的单元格应不超过{MAX_MERGES:,}处，现在更多；请取消合并再上传"
                )
            if last_row > row:
                self._starts.setdefault(row, []).append((column, last_row))
            if row <= 2 * HEAD:
                self.top.append((row, column, last_row, last_column))

    def fill(self, line: Line) -> None:
        """Write into a line what stands above it in ranges that go down. Lines come in order."""
        row, cells, faults, _ = line
        if not self._starts:
            return
        for column, (last, text) in list(self._active.items()):
            if row > last:
                del self._active[column]
            elif column not in cells and column not in faults and text and cells:
                cells[column] = text
                self.filled = True
        for column, last in self._starts.get(row, ()):
            self._active[column] = (last, cells.get(column, ""))


def clean(text: str) -> str:
    """Return a cell's text with plain line breaks, without control characters and outer space."""
    if text.isprintable():
        return text.strip()
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _NO_CHARACTER.sub("\ufffd", _CONTROL.sub("", text))
    return text.strip().strip(_INVISIBLE).strip()
