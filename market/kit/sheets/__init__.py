"""Any spreadsheet file as headings and rows, and rows as spreadsheet files.

    shape = sheets.convert(stream, "成果.xlsx", Path("rows.jsonl"), known=("成果名称", "名称"))
    for row in sheets.rows(open("rows.jsonl", "rb"), offset, limit=500): ...
    sheets.write_xlsx(out, (*shape.header, "原因"), ...)

convert.py   asks a process of its own to read a file (child.py) and tells what it found
reading.py   rows of a normalised file, from any offset
writing.py   xlsx and CSV
"""

from market.kit.sheets.convert import convert
from market.kit.sheets.reading import rows
from market.kit.sheets.shape import MAX_ROWS, Limits, Row, Shape, folded
from market.kit.sheets.writing import MAX_XLSX_CELL, write_csv, write_xlsx

__all__ = [
    "MAX_ROWS",
    "MAX_XLSX_CELL",
    "Limits",
    "Row",
    "Shape",
    "convert",
    "folded",
    "rows",
    "write_csv",
    "write_xlsx",
]
