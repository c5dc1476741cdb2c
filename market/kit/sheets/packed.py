"""Parts of a packed file (xlsx, ods), and XML out of them, with nothing believed.

A part is read by its exact name, never written to a folder; sizes in the archive's directory are
held against limits before anything is unpacked, and `zipfile` ends a part at its stated size.
XML with a document type is refused, which leaves no entities to expand or fetch.
"""

import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final
from xml.parsers import expat

from market.kit.sheets.shape import Limits, Unreadable

MAX_PARTS: Final = 20_000
_RATIO: Final = 60  # unpacked to packed; tables measured stay under 20
_RATIO_FROM: Final = 16 << 20
DISTINCT: Final = 25  # the ratio of texts of which no two are the same; measured under 8
SMALL: Final = 64 << 20  # what says how a workbook is put together, and its styles
_BLOCK: Final = 1 << 18
_TOKEN: Final = 4 << 20  # one tag or comment; expat before 2.6 is quadratic in its length
_DAMAGED: Final = "文件不完整或已损坏，应是能用Excel打开的文件；请重新保存后再上传"
_BOMB: Final = "文件解开后有{size:,}MB，应在{limit:,}MB以内；请只留要导入的表，另存为新的xlsx"

Attributes = dict[str, str]


class Packed:
    """A zip archive within its limits. Raises Unreadable wherever it is damaged."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self._limits = limits
        try:
            self._zip = zipfile.ZipFile(stream)
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
            raise Unreadable(_DAMAGED) from None
        self.names = frozenset(self._zip.namelist())
        if len(self.names) > MAX_PARTS:
            raise Unreadable(
                f"文件里有{len(self.names):,}个部分，应不超过{MAX_PARTS:,}个；请另存为新的xlsx"
            )

    def check(self, name: str, most: int | None = None, ratio: int = _RATIO) -> None:
        """Raise Unreadable for a part that would unpack to more than a table can be, or `most`."""
        part = self._zip.getinfo(name)
        size, packed = part.file_size, max(1, part.compress_size)
        limit = most or self._limits.unpacked
        if size > _RATIO_FROM and size > ratio * packed:
            limit = min(limit, _RATIO_FROM)
        if size > limit:
            raise Unreadable(_BOMB.format(size=size >> 20, limit=limit >> 20))
        if part.flag_bits & 1:
            raise Unreadable("文件有密码，应不加密；请去掉密码后再上传")

    def blocks(self, name: str, most: int | None = None, ratio: int = _RATIO) -> Iterator[bytes]:
        """Yield a part in pieces; it may unpack to `most` bytes."""
        self.check(name, most, ratio)
        try:
            with self._zip.open(name) as part:
                while block := part.read(_BLOCK):
                    yield block
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError):
            raise Unreadable(_DAMAGED) from None
        except Exception as error:  # zlib.error and what other packings raise
            if isinstance(error, (Unreadable, MemoryError)):
                raise
            raise Unreadable(_DAMAGED) from None


class Stop(Exception):
    """Enough has been read of a part."""


def local(name: str) -> str:
    """Return an element's name without the prefix that a program chose."""
    return name.rpartition(":")[2]


def reader(
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> expat.XMLParserType:
    """Return a parser that hands over elements and texts and refuses document types."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    parser.StartElementHandler = start
    if end is not None:
        parser.EndElementHandler = end
    if text is not None:
        parser.CharacterDataHandler = text

    def doctype(*_: object) -> None:
        raise Unreadable("文件里有XML文档类型声明，普通的表格没有；请用Excel另存为新的xlsx")

    parser.StartDoctypeDeclHandler = doctype
    return parser


def feed(parser: expat.XMLParserType, blocks: Iterator[bytes]) -> Iterator[None]:
    """Parse block by block, yielding after each. Raises Unreadable for XML that is none."""
    fed = 0
    try:
        for block in blocks:
            fed += len(block)
            parser.Parse(block, False)
            yield
            if fed - parser.CurrentByteIndex > _TOKEN + _BLOCK:
                raise Unreadable(_DAMAGED)
        parser.Parse(b"", True)
        yield
    except expat.ExpatError:
        raise Unreadable(_DAMAGED) from None


def read_all(parser: expat.XMLParserType, blocks: Iterator[bytes]) -> None:
    """Parse a whole part; a handler's Stop ends it early."""
    try:
        for _ in feed(parser, blocks):
            pass
    except Stop:
        pass
