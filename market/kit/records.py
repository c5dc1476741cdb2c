"""A person's records as files to take along: one JSON, and a table for each heading."""

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from market.kit.across import Records

_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def archive(records: Records, name: str) -> bytes:
    """Return a zip of `name`.json with everything, and a CSV (UTF-8 with BOM) for each heading."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as files:
        files.writestr(f"{name}.json", json.dumps(records, ensure_ascii=False, indent=2))
        for title, rows in records.items():
            if rows:
                files.writestr(f"{title}.csv", _table(rows).encode("utf-8-sig"))
    return packed.getvalue()


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows({key: _inert(value) for key, value in row.items()} for row in rows)
    return text.getvalue()


def _inert(value: object) -> object:
    """Return what a spreadsheet program shows as text and never runs as a formula."""
    if isinstance(value, str) and value.startswith(_BEGINS_FORMULA):
        return f"'{value}"
    return value
