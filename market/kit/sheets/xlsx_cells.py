"""The rows of one worksheet's XML, as its elements come."""

import re
from collections.abc import Sequence
from typing import Final, Protocol

from market.kit.sheets.formats import BROKEN, ERROR, NO_RESULT, PLAIN, Format, shown
from market.kit.sheets.lines import Line, clean
from market.kit.sheets.packed import Attributes, local
from market.kit.sheets.shape import Unreadable

_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_YES_NO: Final = {"1": "是", "true": "是", "0": "否", "false": "否"}
_DIGITS: Final = "0123456789"
_NO_PLACE: Final = "文件里有不存在的格（行号或列号不对），应是Excel保存的表格；请另存后再上传"
_MAX_ROW: Final = 1_048_576
_MAX_COLUMN: Final = 16_384
_CELL_TEXT: Final = 200_000
_SHOWN_COLUMNS: Final = 100
# Plain ints: these are compared for every element of a sheet.
_OTHER, _ROW, _CELL, _VALUE, _TEXT, _FORMULA, _INLINE, _PHONETIC, _COLUMN = range(9)
_KINDS: Final = {
    "row": _ROW,
    "c": _CELL,
    "v": _VALUE,
    "t": _TEXT,
    "f": _FORMULA,
    "is": _INLINE,
    "rPh": _PHONETIC,
    "col": _COLUMN,
}


class Indexed(Protocol):
    def __getitem__(self, index: int, /) -> str: ...


_columns: dict[str, int] = {}


def _column(letters: str) -> int:
    """Return the column, from 0, of its letters. Raises Unreadable."""
    number = _columns.get(letters)
    if number is None:
        number = 0
        for letter in letters[:4]:
            number = number * 26 + ord(letter) - 64
        if not (letters.isascii() and letters.isupper() and 0 < number <= _MAX_COLUMN):
            raise Unreadable(_NO_PLACE)
        number -= 1
        _columns[letters] = number
    return number


def address(cell: str) -> tuple[int, int]:
    """Return (row from 1, column from 0) of an address like AB12. Raises Unreadable."""
    letters = cell.rstrip(_DIGITS)
    return int(cell[len(letters) :] or 0), _column(letters)


def unescaped(text: str) -> str:
    """Return a text with its _x000D_ escapes undone, cleaned as a cell."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    return clean(text)


class Cells:
    """Handlers of a worksheet's elements. Whole rows gather in `lines`, to be taken and cleared.

    `rows_since` and `cells_since` count rows without content, and their cells, after the last
    row that had some.
    """

    def __init__(self, texts: Indexed, formats: Sequence[Format], since_1904: bool) -> None:
        self.lines: list[Line] = []
        self.rows_since = 0
        self.cells_since = 0
        self.hidden_rows = 0
        self.hidden_columns: list[tuple[int, int]] = []
        self._texts = texts
        self._formats = formats
        self._since_1904 = since_1904
        self._kinds: dict[str, int] = {}
        self._row = 0
        self._column = -1
        self._hidden = False
        self._cells: dict[int, str] = {}
        self._faults: dict[int, str] = {}
        self._type = "n"
        self._style = ""
        self._formula = self._has_value = self._collecting = self._phonetic = False
        self._pieces: list[str] = []

    def start(self, name: str, given: Attributes) -> None:
        kind = self._kinds.get(name)
        if kind is None:
            kind = self._kinds[name] = _KINDS.get(local(name), _OTHER)
        if kind == _VALUE:
            self._has_value = self._collecting = True
        elif kind == _CELL:
            reference = given.get("r")
            if reference is not None:
                self._column = _column(reference.rstrip(_DIGITS))
            elif self._column < _MAX_COLUMN - 1:
                self._column += 1
            else:
                raise Unreadable(_NO_PLACE)
            self._type = given.get("t", "n")
            self._style = given.get("s", "")
            self._formula = self._has_value = False
        elif kind == _TEXT:
            self._has_value = True
            self._collecting = not self._phonetic
        elif kind == _ROW:
            self._start_row(given)
        elif kind == _FORMULA:
            self._formula = True
        elif kind == _PHONETIC:
            self._phonetic = True
        elif kind == _COLUMN and given.get("hidden") in ("1", "true"):
            first, last = given.get("min", ""), given.get("max", "")
            if first.isdecimal() and last.isdecimal() and len(self.hidden_columns) < _SHOWN_COLUMNS:
                self.hidden_columns.append((int(first[:9]), int(last[:9])))

    def _start_row(self, given: Attributes) -> None:
        number = given.get("r")
        if number is None:
            row = self._row + 1
        else:
            row = int(number) if number.isdecimal() and len(number) < 9 else 0
        if not self._row < row <= _MAX_ROW:
            raise Unreadable("文件里的行号不对，应由小到大；请用Excel另存后再上传")
        self._row = row
        self._column = -1
        self._hidden = given.get("hidden") in ("1", "true")

    def text(self, data: str) -> None:
        if self._collecting:
            self._pieces.append(data)
            if len(self._pieces) > 4 and sum(map(len, self._pieces)) > _CELL_TEXT:
                self._collecting = False

    def end(self, name: str) -> None:
        kind = self._kinds[name]
        if kind in (_VALUE, _TEXT):
            self._collecting = False
        elif kind == _CELL:
            self._end_cell()
        elif kind == _ROW:
            if self._cells or self._faults:
                self.lines.append((self._row, self._cells, self._faults, ""))
                self.rows_since = self.cells_since = 0
                self.hidden_rows += self._hidden
                self._cells, self._faults = {}, {}
            else:
                self.rows_since += 1
                self.cells_since += self._column + 1
        elif kind == _PHONETIC:
            self._phonetic = False

    def _end_cell(self) -> None:
        raw = "".join(self._pieces)
        self._pieces.clear()
        if not self._has_value:
            if self._formula:
                self._faults[self._column] = NO_RESULT
            return
        text, fault = self._read(raw)
        if text:
            self._cells[self._column] = text
        if fault:
            self._faults[self._column] = fault

    def _read(self, raw: str) -> tuple[str, str]:
        """Return (text, fault) of a cell's stored value by its type."""
        kind = self._type
        if kind == "s":
            return self._shared(raw)
        if kind == "n":
            return self._number(raw.strip())
        if kind == "e":
            text = clean(raw)[:40]
            return text, ERROR.format(shown=text)
        if kind == "b":
            return _YES_NO.get(raw.strip(), ""), ""
        if kind == "d":
            return raw.strip()[:40].replace("T00:00:00", "").replace("T", " ").rstrip("Z"), ""
        return unescaped(raw), ""

    def _number(self, raw: str) -> tuple[str, str]:
        if not raw:
            return "", ""
        style = self._style
        how = PLAIN
        if style and style.isdecimal() and int(style) < len(self._formats):
            how = self._formats[int(style)]
        return shown(raw, how, since_1904=self._since_1904)

    def _shared(self, raw: str) -> tuple[str, str]:
        try:
            return self._texts[int(raw)], ""
        except (ValueError, IndexError):
            return "", BROKEN
