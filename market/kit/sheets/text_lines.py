"""Physical lines of a text file, whatever its encoding and line ends, none longer than a bound."""

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from market.kit.sheets.shape import MAX_LINE, Unreadable

TOO_LONG: Final = f"一行最多{MAX_LINE:,}字，这一行更长，没有读"
NUL: Final = "这一行里有空字符（NUL），应是普通文字；请在原来的系统里重新导出"
_BLOCK: Final = 1 << 20
_UNDECODED: Final = re.compile("[\udc80-\udcff]")
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
NAMES: Final = {
    "utf-8": "UTF-8",
    "gb18030": "GBK",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}


class TextFile:
    """A text file: its encoding, and its lines from the start as often as wanted."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.encoding = _encoding(stream)

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield (text without its line end, problem); the problem is "" or a sentence."""
        found = _lines(self._stream, self.encoding)
        for count, text in enumerate(found):
            if count == 0:
                text = text.removeprefix("\ufeff")  # noqa: PLW2901  the mark is no text
            if len(text) > MAX_LINE:
                yield text[:200], TOO_LONG
                while not text.endswith("\n") and (text := next(found, "\n")):
                    pass
                continue
            yield text.removesuffix("\n"), self._problem(text)

    def _problem(self, text: str) -> str:
        if text.isascii():
            return NUL if "\0" in text else ""
        if _UNDECODED.search(text) or (self.encoding.startswith("utf-16") and "\ufffd" in text):
            name = NAMES[self.encoding]
            return f"这一行的文字编码应同全文件一样是{name}，现在不是；请把整个文件另存为UTF-8"
        return NUL if "\0" in text else ""


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    stream.seek(0)
    errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
    text = io.TextIOWrapper(stream, encoding, errors=errors, newline=None)
    try:
        while line := text.readline(MAX_LINE + 1):
            yield line
    finally:
        text.detach()


def _encoding(stream: BinaryIO) -> str:
    """Return the encoding of a text file: its mark's, or the one in which most of it can be read.

    Raises Unreadable where it is no text.
    """
    stream.seek(0)
    head = stream.read(1 << 16)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        # Chinese text in UTF-16 has line ends and commas with one zero byte, always on one side.
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) * 20 > len(head) and min(even, odd) * 20 < max(even, odd):
            return "utf-16-be" if even > odd else "utf-16-le"
        if head.count(0) * 10 > len(head):
            raise Unreadable("文件应是表格（xlsx、xls、ods、csv）或JSON行，现在不是文字也不是表格")
    for encoding in ("utf-8", "gb18030"):
        if _decodes(stream, encoding):
            return encoding
    return _likelier(stream)


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while block := stream.read(_BLOCK):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _likelier(stream: BinaryIO) -> str:
    """Return the encoding of most lines of a file that is in none throughout.

    Chinese text in GBK hardly ever happens to be UTF-8, while the reverse is common.
    """
    right = wrong = 0
    for line in _lines(stream, "utf-8"):
        if not line.isascii():
            if _UNDECODED.search(line):
                wrong += 1
            else:
                right += 1
    chosen = "utf-8" if right >= wrong else "gb18030"
    lines = bad = 0
    for line in _lines(stream, chosen):
        lines += 1
        bad += _UNDECODED.search(line) is not None
    if bad * 2 > lines:
        raise Unreadable("文字编码应为UTF-8、GBK或UTF-16，现在都读不出；请另存为UTF-8的csv再上传")
    return chosen
