"""Excel's own files (ECMA-376), read from their XML.

calamine reads them faster, but gives an error value and a formula without a result as an empty
cell, has no hidden rows, and holds a whole sheet at once; this reader tells those apart and holds
one row. Macros, links to other files and everything but cells are never looked at.
"""

import posixpath
import re
from array import array
from collections.abc import Iterator
from tempfile import TemporaryFile
from typing import Final

from market.kit.sheets.formats import BUILT_IN, PLAIN, Format, format_of
from market.kit.sheets.lines import BLANK_RUN, ENDED_EARLY, Line, Merges, Range, clean
from market.kit.sheets.packed import (
    DISTINCT,
    SMALL,
    Attributes,
    Packed,
    feed,
    local,
    read_all,
    reader,
)
from market.kit.sheets.shape import Limits, Unreadable
from market.kit.sheets.xlsx_cells import Cells, address, unescaped

_MERGE: Final = re.compile(
    rb"<(?:\w{1,20}:)?mergeCell\s{1,8}ref=[\"']([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})[\"']"
)
_MERGE_LENGTH: Final = 80
_MAX_SHEETS: Final = 5_000
_MAX_FORMATS: Final = 1_000_000
_BLANK_CELLS: Final = 2_000_000
_MAX_TEXTS: Final = 3_000_000


class Book:
    """A workbook: its sheets, texts and formats."""

    def __init__(self, packed: Packed, limits: Limits) -> None:
        self.packed = packed
        self.since_1904 = False
        main, targets = self._targets()
        self.sheets: list[XlsxSheet] = []
        self._read_workbook(main, targets)
        if not self.sheets:
            raise Unreadable("文件里应有一张工作表，现在没有")
        folder = posixpath.dirname(main)
        self.formats = self._read_formats(targets.get("styles", f"{folder}/styles.xml"))
        self.texts = Texts(limits)
        shared = targets.get("sharedStrings", f"{folder}/sharedStrings.xml")
        if shared in packed.names:
            self.texts.read(packed.blocks(shared, ratio=DISTINCT))

    def _targets(self) -> tuple[str, dict[str, str]]:
        """Return the workbook's part, and the parts it names, by id and by kind."""
        main = "xl/workbook.xml"
        for kind, _, target in self._relations("_rels/.rels", ""):
            if kind == "officeDocument" and target in self.packed.names:
                main = target
        if main not in self.packed.names:
            raise Unreadable("文件应是xlsx表格，现在里面没有工作簿；请用Excel另存为xlsx")
        folder, base = posixpath.split(main)
        targets: dict[str, str] = {}
        for kind, name, target in self._relations(f"{folder}/_rels/{base}.rels", folder):
            targets[f"id:{name}"] = target
            if kind in ("styles", "sharedStrings"):
                targets[kind] = target
            if kind not in ("worksheet", "styles", "sharedStrings"):
                targets[f"id:{name}"] = ""
        return main, targets

    def _relations(self, part: str, folder: str) -> list[tuple[str, str, str]]:
        found: list[tuple[str, str, str]] = []

        def start(name: str, given: Attributes) -> None:
            if local(name) == "Relationship" and given.get("TargetMode") != "External":
                target = posixpath.normpath(posixpath.join("/" + folder, given.get("Target", "")))
                kind = given.get("Type", "").rpartition("/")[2]
                found.append((kind, given.get("Id", ""), target.lstrip("/")))

        if part in self.packed.names:
            read_all(reader(start), self.packed.blocks(part, SMALL))
        return found

    def _read_workbook(self, main: str, targets: dict[str, str]) -> None:
        def start(name: str, given: Attributes) -> None:
            kind = local(name)
            if kind == "workbookPr":
                self.since_1904 = given.get("date1904", "") in ("1", "true", "on")
            elif kind == "sheet":
                reference = next((v for k, v in given.items() if local(k) == "id"), "")
                part = targets.get(f"id:{reference}", "")
                if part in self.packed.names and len(self.sheets) < _MAX_SHEETS:
                    hidden = given.get("state", "visible") != "visible"
                    self.sheets.append(XlsxSheet(self, clean(given.get("name", "")), part, hidden))

        read_all(reader(start), self.packed.blocks(main, SMALL))

    def _read_formats(self, part: str) -> list[Format]:
        """Return the number format of each cell style, by its index."""
        codes: dict[int, Format] = dict(BUILT_IN)
        styles: list[Format] = []
        inside = False

        def start(name: str, given: Attributes) -> None:
            nonlocal inside
            kind = local(name)
            if kind == "cellXfs":
                inside = True
            elif kind == "numFmt" and given.get("numFmtId", "").isdecimal():
                codes[int(given["numFmtId"][:9])] = format_of(given.get("formatCode", ""))
            elif kind == "xf" and inside and len(styles) < _MAX_FORMATS:
                number = given.get("numFmtId", "0")
                styles.append(codes.get(int(number[:9]), PLAIN) if number.isdecimal() else PLAIN)

        def end(name: str) -> None:
            nonlocal inside
            if local(name) == "cellXfs":
                inside = False

        if part in self.packed.names:
            read_all(reader(start, end), self.packed.blocks(part, SMALL))
        return styles


class Texts:
    """The workbook's shared texts, kept in a file: there may be more than memory should hold."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._file = TemporaryFile()  # noqa: SIM115  lives as long as the process
        self._ends = array("Q", [0])
        self._pieces: list[str] = []
        self._size = 0
        # A column often says the same all the way down: one text then, and not one a row.
        self._last = (-1, "")
        self._inside = self._phonetic = False

    def read(self, blocks: Iterator[bytes]) -> None:
        read_all(reader(self._start, self._end, self._text), blocks)
        self._file.flush()

    def __getitem__(self, index: int) -> str:
        """Raises IndexError."""
        if not 0 <= index < len(self._ends) - 1:
            raise IndexError(index)
        if index != self._last[0]:
            start, end = self._ends[index], self._ends[index + 1]
            self._file.seek(start)
            self._last = index, self._file.read(end - start).decode()
        return self._last[1]

    def _start(self, name: str, _given: Attributes) -> None:
        kind = local(name)
        if kind == "rPh":
            self._phonetic = True
        elif kind == "t":
            self._inside = not self._phonetic

    def _text(self, data: str) -> None:
        if self._inside and self._size <= 2 * self._limits.cell:
            self._size += len(data)
            self._pieces.append(data)

    def _end(self, name: str) -> None:
        kind = local(name)
        if kind == "t":
            self._inside = False
        elif kind == "rPh":
            self._phonetic = False
        elif kind == "si":
            data = unescaped("".join(self._pieces)).encode()
            self._file.write(data)
            self._ends.append(self._ends[-1] + len(data))
            if len(self._ends) > _MAX_TEXTS:
                raise Unreadable(
                    f"文件里不同的文字应在{_MAX_TEXTS:,}条以内，现在更多；请分成几个文件"
                )
            self._pieces.clear()
            self._size = 0


class XlsxSheet:
    """One worksheet."""

    def __init__(self, book: Book, name: str, part: str, hidden: bool) -> None:
        self.name = name
        self.hidden = hidden
        self._book = book
        self._part = part
        self._cells: Cells | None = None
        self._ended_early = 0
        self._ranges: list[Range] | None = None

    def lines(self) -> Iterator[Line]:
        cells = self._cells = Cells(self._book.texts, self._book.formats, self._book.since_1904)
        parser = reader(cells.start, cells.end, cells.text)
        last = 0
        for _ in feed(parser, self._book.packed.blocks(self._part)):
            if cells.lines:
                last = cells.lines[-1][0]
                yield from cells.lines
                cells.lines.clear()
            elif cells.rows_since > BLANK_RUN or cells.cells_since > _BLANK_CELLS:
                self._ended_early = last
                return

    def merges(self) -> Merges:
        """Return the merged cells, which stand behind the rows and are wanted before them."""
        if self._ranges is None:
            self._ranges = list(self._found_ranges())
        return Merges(self._ranges)

    def _found_ranges(self) -> Iterator[Range]:
        tail = b""
        for block in self._book.packed.blocks(self._part):
            data = tail + block
            done = 0
            if b"mergeCell" in data:
                for found in _MERGE.finditer(data):
                    done = found.end()
                    first, last = found[1].decode().split(":")
                    (row, column), (last_row, last_column) = address(first), address(last)
                    yield row, column, last_row, last_column
            tail = data[max(done, len(data) - _MERGE_LENGTH) :]

    def notes(self, width: int) -> list[str]:
        cells = self._cells
        assert cells is not None
        found = []
        columns = sum(max(0, min(last, width) - first + 1) for first, last in cells.hidden_columns)
        if cells.hidden_rows:
            found.append(f"隐藏的{cells.hidden_rows:,}行也导入了")
        if columns:
            found.append(f"隐藏的{columns}列也导入了")
        if self._ended_early:
            found.append(ENDED_EARLY.format(row=self._ended_early))
        return found
