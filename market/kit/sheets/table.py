"""A file's sheets as one table of rows: which sheet, where it begins and ends, what is left out."""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final

from market.kit.sheets import header as headers
from market.kit.sheets.header import Header
from market.kit.sheets.kept import Kept
from market.kit.sheets.lines import HEAD, Line, Merges, Sheet
from market.kit.sheets.shape import Limits, Unreadable

_SHEETS: Final = 30  # looked at; a file with more names the rest
_NAMED: Final = 5
# 共计 and not 共计算平台: what may follow is no part of a name.
_TOTAL: Final = re.compile(
    r"(?:合\s*计|总\s*计|小\s*计|共\s*计|总合计)(?:\s*[:：\d(（¥￥].{0,12}|\s.{0,10})?"
)
_REMARK: Final = re.compile(
    r"(?:备注|注|附注|说明|填表说明|填报说明|填报人|填表人|制表人|审核人|负责人|经办人|联系人"
    r"|填报单位|填表单位|填报日期|填表日期|制表日期|数据来源|单位盖章|盖章)\d{0,2}\s*(?:[:：]|[(（]盖?章)",
)
_SHOWN: Final = 200  # characters that are kept of each cell of a row that is far too long


def choose(sheets: Sequence[Sheet], known: frozenset[str]) -> tuple[Sheet, Header]:
    """Return the sheet with the best header: most known headings, not hidden, with rows, first.

    Raises Unreadable where no sheet has a table.
    """
    best: tuple[tuple[int, bool, bool], Sheet, Header] | None = None
    for sheet in sheets[:_SHEETS]:
        head = list(islice(sheet.lines(), HEAD))
        if not head:
            continue
        merges = sheet.merges()
        for line in head:
            merges.fill(line)
        found = headers.find(head, merges, known)
        if found is None:
            continue
        rank = (found.score, not sheet.hidden, head[-1][0] > found.row)
        if best is None or rank > best[0]:
            best = (rank, sheet, found)
    if best is None:
        raise Unreadable(
            f"文件里应有一张带表头的表，表头在前{HEAD}行之内；现在没有找到表头或没有内容"
        )
    return best[1], best[2]


class Writer:
    """Writes one sheet's rows as a normalised file; then `count` and `notes` tell what it did."""

    def __init__(self, found: Header, limits: Limits, out: Kept, *, strict: bool) -> None:
        """`strict`: cells beyond the header spoil a row, as in CSV, where a comma shifts cells."""
        self._header = found
        self._width = len(found.headings)
        self._limits = limits
        self._out = out
        self._strict = strict
        self._pending: list[Line] = []
        self._beyond = 0
        self._again = 0
        self._above = 0
        self.count = 0
        self.notes: list[str] = []
        if self._width > limits.columns:
            raise Unreadable(
                f"一张表最多{limits.columns}列，现在是{self._width:,}列；请删去多余的列"
            )

    def write(self, sheet: Sheet) -> None:
        """Write all rows below the header. Raises Unreadable over the limit or without a row."""
        merges = sheet.merges()
        for line in sheet.lines():
            merges.fill(line)
            if line[0] <= self._header.row:
                self._above += line[0] < self._header.first
                merges.filled = False
            else:
                self._take(line)
        if not self.count:
            raise Unreadable("表头下面应有要导入的内容，现在没有一行数据")
        self._tell(merges)
        self.notes += sheet.notes(self._width)

    def _take(self, line: Line) -> None:
        row, cells, faults, problem = line
        if not self._strict and any(column >= self._width for column in (*cells, *faults)):
            self._beyond += sum(column >= self._width for column in {*cells, *faults})
            cells = {column: text for column, text in cells.items() if column < self._width}
            faults = {column: text for column, text in faults.items() if column < self._width}
        if not cells and not faults and not problem:
            return
        if self._repeats(cells):
            self._again += 1
            return
        if not problem and self._may_close(cells):
            self._pending.append((row, cells, faults, problem))
            return
        for held in self._pending:
            self._put(held)
        self._pending.clear()
        self._put((row, cells, faults, problem))

    def _repeats(self, cells: dict[int, str]) -> bool:
        headings = self._header.headings
        return (
            len(cells) > 1
            and all(
                " ".join(text.split()) == headings[column]
                for column, text in cells.items()
                if column < self._width
            )
            and max(cells) < self._width
        )

    def _may_close(self, cells: dict[int, str]) -> bool:
        """Tell whether a row is a total or a remark, should no other row follow it."""
        if self._width == 1 or not cells:
            return False
        first = cells[min(cells)]
        if _TOTAL.fullmatch(first):
            return True
        if len(cells) >= self._width:  # nobody fills every column of a remark
            return all(_REMARK.match(text) for text in cells.values())
        return len(cells) <= max(2, self._width // 2) and _REMARK.match(first) is not None

    def _put(self, line: Line) -> None:
        row, cells, faults, problem = line
        self.count += 1
        if self.count > self._limits.rows:
            raise Unreadable(f"一次最多导入{self._limits.rows:,}行，现在更多，请分成几个文件")
        most = max(cells, default=0)
        if most >= self._width:
            problem = problem or (
                f"应为{self._width}格，现在是{most + 1}格；含逗号的内容要用引号括起来"
            )
        problem = self._shorten(cells, faults) or problem
        content = [cells.get(column, "") for column in range(max(self._width, most + 1))]
        self._out.put(row, content, faults, problem)

    def _shorten(self, cells: dict[int, str], faults: dict[int, str]) -> str:
        """Cut what no column can hold; return the problem of a row that is too long as a whole."""
        limit, size = self._limits.cell, 0
        for column, text in cells.items():
            if len(text) > limit:
                faults[column] = f"一格最多{limit:,}字，现在是{len(text):,}字，后面的没有读"
                cells[column] = text[:limit]
            size += len(text)
        if size <= self._limits.line:
            return ""
        cells.update({column: text[:_SHOWN] for column, text in cells.items()})
        return f"一行最多{self._limits.line:,}字，现在是{size:,}字，没有读"

    def _tell(self, merges: Merges) -> None:
        if self._above:
            self.notes.append(
                f"表头在第{self._header.row}行，上面的{self._above}行是标题，没有导入"
            )
        if merges.filled:
            self.notes.append("上下合并的单元格，每一行都按合并格里的值导入")
        if self._again:
            self.notes.append(f"重复的表头{self._again}行，没有导入")
        for row, cells, _, _ in self._pending[:_NAMED]:
            text = " ".join(cells[min(cells)].split())[:20]
            self.notes.append(f"第{row}行（{text}）在表的末尾，是合计或说明，没有导入")
        if len(self._pending) > _NAMED:
            self.notes.append(f"末尾另有{len(self._pending) - _NAMED}行合计或说明，没有导入")
        if self._beyond:
            self.notes.append(f"表头右边有{self._beyond}格内容没有表头，没有导入")
        blank = [c + 1 for c, text in enumerate(self._header.headings) if not text]
        if blank:
            shown = "、".join(str(column) for column in blank[:_NAMED])
            self.notes.append(f"第{shown}列没有表头，没有导入")


def left_aside(sheets: Sequence[Sheet], chosen: Sheet) -> tuple[tuple[str, ...], list[str]]:
    """Return the other sheets' names, and the notes that say so."""
    others = [sheet for sheet in sheets if sheet is not chosen]
    names = [sheet.name for sheet in others if not sheet.hidden]
    hidden = [sheet.name for sheet in others if sheet.hidden]
    notes = []
    for words, group in (("", names), ("隐藏的", hidden)):
        if group:
            shown = "、".join(f"“{name[:31]}”" for name in group[:_NAMED])
            more = f"等{len(group)}张" if len(group) > _NAMED else ""
            notes.append(f"只读了工作表“{chosen.name[:31]}”，{words}{shown}{more}没有导入")
    if chosen.hidden:
        notes.append(f"工作表“{chosen.name[:31]}”是隐藏的，按它导入")
    return tuple(sheet.name[:100] for sheet in others[:100]), notes
