"""Reads the workbooks that the market writes: each sheet's rows as they stand in the file."""

import string
from io import BytesIO
from xml.etree import ElementTree as ET
from zipfile import ZipFile

Cell = str | float
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def workbook(made: bytes) -> dict[str, list[list[Cell]]]:
    """Return the rows of each sheet by its name, "" for an empty cell before another."""
    with ZipFile(BytesIO(made)) as pack:
        shared = [
            "".join(part.text or "" for part in one.iter(f"{_MAIN}t"))
            for one in ET.fromstring(pack.read("xl/sharedStrings.xml"))
        ]
        sheets = ET.fromstring(pack.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")
        return {
            sheet.attrib["name"]: _rows(pack.read(f"xl/worksheets/sheet{place}.xml"), shared)
            for place, sheet in enumerate(sheets, 1)
        }


def _rows(made: bytes, shared: list[str]) -> list[list[Cell]]:
    found = []
    for row in ET.fromstring(made).iter(f"{_MAIN}row"):
        cells: list[Cell] = []
        for one in row.iter(f"{_MAIN}c"):
            value = one.find(f"{_MAIN}v")
            if value is None:
                continue
            place = string.ascii_uppercase.index(one.attrib["r"].rstrip(string.digits))
            cells += [""] * (place - len(cells))
            text = value.text or ""
            cells.append(shared[int(text)] if one.get("t") == "s" else float(text))
        found.append(cells)
    return found
