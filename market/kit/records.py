"""A person's records as files to take along: one JSON, and a table for each heading."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from market.kit.across import Records
from market.kit.sheets.writing import MAX_XLSX_CELL, write_xlsx


def archive(records: Records, name: str) -> bytes:
    """Return a zip of `name`.json with everything, and an xlsx for each heading that has rows."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr(f"{name}.json", json.dumps(records, ensure_ascii=False, indent=2))
        for title, rows in records.items():
            if rows:
                files.writestr(f"{title}.xlsx", _table(title, rows))
    return packed.getvalue()


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Return one sheet; a text longer than a cell is cut there and whole in the JSON."""
    written = io.BytesIO()
    cells = ([_shown(value)[:MAX_XLSX_CELL] for value in row.values()] for row in rows)
    write_xlsx(written, list(rows[0]), cells, sheet=title)
    return written.getvalue()


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    return str(value)
