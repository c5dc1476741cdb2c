"""One spreadsheet file and what must come of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

KNOWN = ("成果名称", "价格（万元）", "持有单位", "联系人", "完成时间", "成果编号")
H = ("成果名称", "持有单位", "价格（万元）")


@dataclass(frozen=True)
class Case:
    """`rows`: (row number, cells or object). `faults`: (row, column) → sentence. `notes` are all
    that there are. With `refused` nothing else counts.
    """

    name: str
    file: str
    make: Callable[[], bytes]
    header: Sequence[str] = ()
    rows: Sequence[tuple[int, object]] = ()
    header_row: int = 1
    notes: Sequence[str] = ()
    faults: Mapping[tuple[int, int], str] = field(default_factory=dict)
    problems: Mapping[int, str] = field(default_factory=dict)
    kind: str = "xlsx"
    encoding: str = ""
    sheet: str = "Sheet1"
    others: Sequence[str] = ()
    refused: str = ""
