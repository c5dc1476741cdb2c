"""What is kept of a file: its rows, one JSON array a line, up to what a file of its size may be."""

import json
from typing import BinaryIO, Final

from market.kit.sheets.shape import Unreadable

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_GROWN: Final = (
    "文件展开后应不超过{:,} MB，现在更多，可能是同一段长文字在很多行里重复；"
    "请删去重复的长文字，或分成几个文件"
)


class Kept:
    """Writes the lines of a normalised file."""

    def __init__(self, out: BinaryIO, most: int) -> None:
        """`most`: bytes of all lines together."""
        self._out = out
        self._most = most
        self._left = most

    def put(self, row: int, content: object, faults: dict[int, str], problem: str) -> None:
        """Write one line. Raises Unreadable over the limit: nothing after it would be read."""
        line = f"{_encode([row, content, faults, problem])}\n".encode()
        self._left -= len(line)
        if self._left < 0:
            raise Unreadable(_GROWN.format(max(1, self._most >> 20)))
        self._out.write(line)
