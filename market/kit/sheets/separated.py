"""CSV and its kin: comma, semicolon or tab between cells, quotes around those that hold one.

Python's reader takes an open quote for the rest of the file as one cell; here such a row is named
and the next line begins a new one.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO, Final

from market.kit.sheets import header as headers
from market.kit.sheets.formats import ERROR, believed
from market.kit.sheets.lines import BLANK_RUN, ENDED_EARLY, HEAD, Line, Merges, clean
from market.kit.sheets.text_lines import TextFile
from market.kit.sheets.writing import plain

_DELIMITERS: Final = (",", "\t", ";", "|")
_SEP: Final = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_UNBALANCED: Final = "引号没有配对；引号里的引号要写成两个，整格用引号括起来"
_MAX_CELLS: Final = 16_384  # as Excel
_TOO_WIDE: Final = "一行最多{most:,}格，现在是{now:,}格"
_MAX_RECORD: Final = 500  # lines of one row
_PATIENCE: Final = 300_000  # lines looked at in vain, over a whole file
_SHOWN: Final = 200
_SNIFFED: Final = 1_000  # rows by which the delimiter is told
_GUARDED: Final = re.compile(r'="([^"]*)"')  # how programs keep Excel from reading 007 as 7
_ERRORS: Final = frozenset(
    ("#REF!", "#N/A", "#VALUE!", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!")
)

Record = tuple[list[str], str]
"""Cells as written, and the row's problem or ""."""


class SeparatedSheet:
    """A CSV file as its one sheet. Rows count as Excel does: a row with line breaks is one."""

    name = ""
    hidden = False

    def __init__(self, stream: BinaryIO, known: frozenset[str]) -> None:
        csv.field_size_limit(1 << 30)
        self._text = TextFile(stream)
        self.encoding = self._text.encoding
        self._ended_early = 0
        first = next(self._text.lines(), ("", ""))[0]
        declared = _SEP.fullmatch(first)
        self._skip = 1 if declared else 0
        self.delimiter = declared[1] if declared else self._likeliest(known)

    def _likeliest(self, known: frozenset[str]) -> str:
        def rank(delimiter: str) -> tuple[int, int]:
            self.delimiter = delimiter
            head = list(islice(self.lines(_SNIFFED), HEAD))
            found = headers.find(head, Merges(), known)
            return (found.score if found else 0, sum(len(cells) > 1 for _, cells, _, _ in head))

        return max(_DELIMITERS, key=rank)

    def lines(self, most: int | None = None) -> Iterator[Line]:
        """Yield rows with content among the first `most`, or up to a long run without any."""
        source = islice(self._text.lines(), self._skip, None)
        last = 0
        for row, (raw, problem) in enumerate(islice(records(source, self.delimiter), most), 1):
            cells: dict[int, str] = {}
            faults: dict[int, str] = {}
            for column, written in enumerate(raw):
                if not written:
                    continue
                text, fault = _cell(written)
                if text:
                    cells[column] = text
                if fault:
                    faults[column] = fault
            if cells or problem:
                last = row
                yield row, cells, faults, problem
            elif row - last > BLANK_RUN:
                self._ended_early = last
                return

    def merges(self) -> Merges:
        return Merges()

    def notes(self, width: int) -> list[str]:  # noqa: ARG002  a text file hides nothing
        return [ENDED_EARLY.format(row=self._ended_early)] if self._ended_early else []


def _cell(written: str) -> tuple[str, str]:
    bare = plain(written)
    if bare is written and (guarded := _GUARDED.fullmatch(written)):
        bare = guarded[1]
    text = clean(bare)
    if text in _ERRORS:
        return text, ERROR.format(shown=text)
    return text, believed(text)


def records(source: Iterable[tuple[str, str]], delimiter: str) -> Iterator[Record]:
    """Yield the rows of a file's lines; one whose quotes do not close is a row with a problem."""
    left = iter(source)
    again: deque[tuple[str, str]] = deque()
    patience = _PATIENCE

    def take() -> tuple[str, str] | None:
        return again.popleft() if again else next(left, None)

    while (first := take()) is not None:
        text, problem = first
        if (cells := text.count(delimiter) + 1) > _MAX_CELLS:
            yield [text[:_SHOWN]], _TOO_WIDE.format(most=_MAX_CELLS, now=cells)
            continue
        if problem or '"' not in text:
            yield text.split(delimiter), problem
            continue
        taken = [first]
        closed = _closes(text, delimiter, inside=False)
        while closed is None and len(taken) < _MAX_RECORD and patience > 0:
            more = take()
            if more is None:
                break
            taken.append(more)
            closed = _closes(more[0], delimiter, inside=True)
        if closed:
            lines = [f"{line}\n" for line, _ in taken]
            yield (
                next(csv.reader(lines, delimiter=delimiter)),
                next((wrong for _, wrong in taken if wrong), ""),
            )
            continue
        patience -= len(taken)
        again.extendleft(reversed(taken[1:]))
        yield text.split(delimiter), _UNBALANCED


def _closes(text: str, delimiter: str, *, inside: bool) -> bool | None:
    """Tell whether a row ends with this line; None: inside a quoted cell; False: never rightly.

    `inside` tells that the line begins within a quoted cell.
    """
    at = 0
    while True:
        if not inside:
            if text.startswith('"', at):
                inside, at = True, at + 1
            else:
                at = text.find(delimiter, at) + 1
                if not at:
                    return True
            continue
        quote = text.find('"', at)
        if quote < 0:
            return None
        if text.startswith('"', quote + 1):
            at = quote + 2
            continue
        if quote + 1 == len(text):
            return True
        if not text.startswith(delimiter, quote + 1):
            return False
        inside, at = False, quote + 2
