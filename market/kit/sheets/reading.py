"""Rows out of a normalised file: one JSON array a line, `[row, cells or object, faults, problem]`.

The reading process writes it (`convert`); a job reads it in chunks, from the offset at which the
last chunk ended.
"""

import json
from collections.abc import Iterator
from typing import BinaryIO

from market.kit.sheets.shape import Row


def rows(stream: BinaryIO, offset: int = 0, limit: int | None = None) -> Iterator[Row]:
    """Yield at most `limit` rows from a byte offset: 0, or the `end` of a row read before."""
    stream.seek(offset)
    left = -1 if limit is None else limit
    while left and (line := stream.readline()):
        offset += len(line)
        left -= 1
        row, content, faults, problem = json.loads(line)
        yield Row(
            row=row,
            end=offset,
            cells=tuple(content) if isinstance(content, list) else (),
            values=content if isinstance(content, dict) else {},
            faults={int(column): reason for column, reason in faults.items()},
            problem=problem,
        )
