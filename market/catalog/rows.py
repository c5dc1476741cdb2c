"""Import files, row by row: what a file is, its records one at a time, and a record as a listing.

Two formats: JSON lines (one object a line) and CSV with a header, in UTF-8 or GB18030. A file is
looked through whole before anything is written (`survey`); reading it later takes one row at a
time, from any offset, so that memory stays flat and a killed job goes on where it stood.
"""

import codecs
import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from market.catalog.cells import header_key
from market.catalog.vocabulary import LABELS, ListingKind
from market.kit.errors import Invalid

MAX_ROWS = 200_000
MAX_LINE = 1_000_000  # bytes; the longest row that can be right has about 160,000
_BLOCK = 1 << 20
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}


@dataclass(frozen=True, slots=True)
class Layout:
    """What the survey found; `columns` are the header's names of a CSV file.

    `offset` and `row` stand before the first record: bytes, and rows already counted.
    """

    format: str
    encoding: str
    columns: tuple[str, ...]
    offset: int
    row: int

    def payload(self) -> dict[str, Any]:
        return asdict(self) | {"columns": list(self.columns)}

    @classmethod
    def of(cls, payload: dict[str, Any]) -> "Layout":
        return cls(**payload | {"columns": tuple(payload["columns"])})


@dataclass(frozen=True, slots=True)
class Record:
    """One row as the file has it. `row` is the line (JSON lines) or the table's row (CSV).

    `end` is the byte offset after it. `problem` stands where the row cannot be read.
    """

    row: int
    end: int
    values: dict[str, Any]
    problem: str = ""


class _Unreadable(Exception):
    """The file cannot be read on from here; the message says where and why."""


def survey(kind: ListingKind, name: str, stream: BinaryIO) -> tuple[Layout, int]:
    """Look through a file. Return its layout and how many records it has.

    Raises Invalid at `file` where it cannot be read to its end, has no title column, is empty, or
    is over MAX_ROWS.
    """
    form = _FORMATS.get(Path(name).suffix.lower())
    if form is None:
        _refuse("应为CSV（.csv）或JSON行（.jsonl）文件；电子表格请另存为CSV再导入")
    encoding = _encoding(stream)
    layout = Layout(form, encoding, (), 0, 0)
    try:
        if form == "csv":
            layout = _with_header(kind, layout, stream)
        count = sum(1 for _ in _raw(layout, stream, layout.offset, layout.row))
    except _Unreadable as error:
        _refuse(str(error))
    if not count:
        _refuse("文件里没有一行数据")
    if count > MAX_ROWS:
        _refuse(f"一次最多导入{MAX_ROWS:,}行，现在是{count:,}行，请分成几个文件")
    return layout, count


def records(layout: Layout, stream: BinaryIO, offset: int, row: int) -> Iterator[Record]:
    """Yield the records after a byte offset, `row` rows having been counted before it."""
    read = _from_json if layout.format == "jsonl" else _from_cells
    for number, end, raw in _raw(layout, stream, offset, row):
        try:
            yield Record(number, end, read(layout, raw))
        except ValueError as error:
            yield Record(number, end, {}, str(error))


def _refuse(message: str) -> NoReturn:
    raise Invalid(fields={"file": message})


def _encoding(stream: BinaryIO) -> str:
    """Return the encoding in which the whole file can be read. Raises Invalid."""
    stream.seek(0)
    if stream.read(2) in _WIDE_MARKS:
        _refuse("文字编码应为UTF-8或GB18030，现在是UTF-16，请另存后再导入")
    for encoding in ("utf-8", "gb18030"):
        if _decodes(stream, encoding):
            return encoding
    _refuse("文字编码应为UTF-8或GB18030，现在两种都读不出，请另存后再导入")


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while block := stream.read(_BLOCK):
            if b"\0" in block:
                return False
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


Raw = tuple[int, int, str | list[str] | None]
"""Row, offset after it, and its line or cells; None for a line over MAX_LINE."""


def _raw(layout: Layout, stream: BinaryIO, offset: int, row: int) -> Iterator[Raw]:
    stream.seek(offset)
    source = _json_lines if layout.format == "jsonl" else _csv_rows
    return source(layout.encoding, stream, offset, row)


def _json_lines(encoding: str, stream: BinaryIO, offset: int, row: int) -> Iterator[Raw]:
    while line := stream.readline(MAX_LINE + 1):
        offset += len(line)
        row += 1
        if len(line) > MAX_LINE:
            while not line.endswith(b"\n") and (line := stream.readline(_BLOCK)):
                offset += len(line)
            yield row, offset, None
        # Neither encoding has a line feed inside a character.
        elif text := line.decode(encoding).removeprefix("\ufeff").strip():
            yield row, offset, text


def _csv_rows(encoding: str, stream: BinaryIO, offset: int, row: int) -> Iterator[Raw]:
    def lines() -> Iterator[str]:
        nonlocal offset
        while line := stream.readline(MAX_LINE + 1):
            if len(line) > MAX_LINE:
                raise _Unreadable(f"第{row + 1}行太长，一行最多{MAX_LINE:,}字节")
            # The reader takes a line only when it needs one: after a record, this is its end.
            start, offset = offset, offset + len(line)
            text = line.decode(encoding)
            yield text.removeprefix("\ufeff") if start == 0 else text

    try:
        for cells in csv.reader(lines(), strict=True):
            row += 1
            if any(cell.strip() for cell in cells):
                yield row, offset, cells
    except csv.Error:
        raise _Unreadable(
            f"从第{row + 1}行起读不下去：引号没有配对、有一格太长，或换行不是通常的写法"
        ) from None


def _with_header(kind: ListingKind, layout: Layout, stream: BinaryIO) -> Layout:
    first = next(_raw(layout, stream, 0, 0), None)
    if first is None:
        _refuse("文件里没有一行数据")
    row, end, cells = first
    assert isinstance(cells, list)
    columns = tuple(cell.strip() for cell in cells)
    known = [header_key(kind, column) for column in columns]
    if "title" not in known:
        shown = "、".join(columns)[:60]
        _refuse(f"第一行应为表头，其中要有“{LABELS[kind]['title']}”一列，现在是：{shown}")
    seen: dict[str, str] = {}
    for column, key in zip(columns, known, strict=True):
        if (
            key is not None
            and (other := seen.setdefault(key.removesuffix("_wan"), column)) != column
        ):
            _refuse(f"表头里“{other}”和“{column}”是同一个意思，请只留一列")
    return Layout(layout.format, layout.encoding, columns, end, row)


def _from_json(_layout: Layout, raw: str | Sequence[str] | None) -> dict[str, Any]:
    """Return the object of one line. Raises ValueError with a sentence."""
    if raw is None:
        raise ValueError(f"一行最多{MAX_LINE:,}字节，这一行更长")
    assert isinstance(raw, str)
    try:
        value = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise ValueError("应为一个完整的JSON对象，这一行读不出来") from None
    if not isinstance(value, dict):
        raise ValueError("应为一个JSON对象，即用花括号括起的一组名称和值")  # noqa: TRY004  one error for all rows
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _from_cells(layout: Layout, raw: str | Sequence[str] | None) -> dict[str, Any]:
    """Return one table row by the header's names. Raises ValueError with a sentence."""
    assert raw is not None
    width = len(layout.columns)
    if any(cell.strip() for cell in raw[width:]):
        raise ValueError(f"应为{width}格，现在是{len(raw)}格；含逗号的内容要用引号括起来")
    cells = [*raw[:width], *[""] * (width - len(raw))]
    return dict(zip(layout.columns, cells, strict=True))
