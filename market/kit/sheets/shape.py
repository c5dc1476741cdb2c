"""What is told of a spreadsheet file once it has been read, and what it may cost to read it."""

from dataclasses import asdict, dataclass, field
from typing import Any

from market.kit.cells import texts

MAX_ROWS = 200_000
MAX_LINE = 1_000_000  # characters; the longest row that can be right has about 160,000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may take. Bytes, seconds, and counts.

    `memory` is the address space of the process that reads it; `unpacked` the size of one part of
    a packed file; `cell` the characters of one cell: twice what the longest column of any target
    holds, so that what a person wrote is refused by the column it is for. `line` is the characters
    of one row, all cells together.

    The rows written may come to `least` bytes, or to `times` what the file has where that is more,
    and to `output` at the very most. Of files that people make, rows take 1 to 8 times the bytes of
    the file, whose packing is what makes the difference; a workbook that names one text in every
    row may take thousands of times. `least` lets small files be as repetitive as they like: it is
    320 bytes for each of the most rows that a file may have.
    """

    memory: int = 512 << 20
    cpu: int = 90
    wall: int = 180
    unpacked: int = 1 << 30
    output: int = 2 << 30
    least: int = 64 << 20
    times: int = 20
    rows: int = MAX_ROWS
    columns: int = 500
    cell: int = 20_000
    line: int = MAX_LINE

    def written(self, size: int) -> int:
        """Return the bytes that the rows of a file of `size` bytes may come to."""
        return min(self.output, max(self.least, self.times * size))


@dataclass(frozen=True, slots=True)
class Shape:
    """A file as it was read.

    `format` is xlsx, xls, ods, csv or jsonl, by content and not by the file's ending. `encoding`,
    `delimiter` and `sheet` are empty where the format has none. `header` holds the headings as
    written, one for each column, "" for a column without; of JSON lines the names met, in order.
    `header_row` is the last row of the header, 0 where there is none. `notes` are sentences for
    people about what was done beyond plain reading.
    """

    format: str
    encoding: str
    delimiter: str
    sheet: str
    other_sheets: tuple[str, ...]
    header: tuple[str, ...]
    header_row: int
    rows: int
    notes: tuple[str, ...]

    @property
    def table(self) -> bool:
        """Tell whether rows are cells under headings rather than JSON objects."""
        return self.format != "jsonl"

    def payload(self) -> dict[str, Any]:
        return asdict(self) | {
            "other_sheets": list(self.other_sheets),
            "header": list(self.header),
            "notes": list(self.notes),
        }

    @classmethod
    def of(cls, payload: dict[str, Any]) -> "Shape":
        lists = {name: tuple(payload[name]) for name in ("other_sheets", "header", "notes")}
        return cls(**payload | lists)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file.

    `row` is its number as a person sees it: the table's row, or the line of JSON lines. `end` is
    the offset of the next row in the normalised file. `cells` has one text a heading; `values`
    the object of a JSON line. `faults` are sentences by column index for cells that cannot be
    believed (#REF!, a formula without a result, a long number that lost digits); the cell then
    holds what the file shows. `problem` stands where the row as a whole cannot be read; `cells`
    then holds what could be made out.
    """

    row: int
    end: int
    cells: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
    problem: str = ""


class Unreadable(Exception):
    """A file that is refused; the message is the sentence for people."""


def folded(heading: str) -> str:
    """Return a heading as it is compared: NFKC, no spaces, no case, no marks around it."""
    return texts.folded(heading[:100]).strip("*:.、")
