"""A file of a run as rows: read once into the store, then fetched chunk by chunk."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile

from market.kit import sheets
from market.kit.errors import Invalid
from market.kit.files import FileStore, StoredFile
from market.kit.sheets import Limits, Shape

LIMITS = Limits()
AT_ONCE = 4 << 20  # bytes of rows; in memory they take a few times that
UNNAMED = "第{n}列（没有表头）"


@dataclass(frozen=True, slots=True)
class Read:
    """What was read: the shape, the bytes of the normalised rows as the store keeps them, and what
    is wrong with the first of them.
    """

    shape: Shape
    stored: tuple[str, int]
    first: str = ""


def convert(store: FileStore, file: StoredFile, known: Iterable[str]) -> Read | str:
    """Read a stored file into rows; return the sentence that refuses it where that is not to be."""
    try:
        with store.open(file.sha256) as given, TemporaryFile() as out:
            shape = sheets.convert(given, file.name, out, known=known, limits=LIMITS)
            first = next(sheets.rows(out, 0, 1)).problem
            out.seek(0)
            return Read(shape, store.save(out, limit=LIMITS.output), first)
    except Invalid as error:
        return error.fields.get("file", error.message)


def headings(shape: Shape) -> tuple[str, ...]:
    """Return one name a column, each once: a heading met again is numbered, one missing named."""
    found: list[str] = []
    for n, heading in enumerate(shape.header, 1):
        name = heading.strip() or UNNAMED.format(n=n)
        found.append(name if name not in found else f"{name}（第{n}列）")
    return tuple(found)


def rows(store: FileStore, sha256: str, offset: int, limit: int) -> Sequence[sheets.Row]:
    """Return at most `limit` rows from a byte offset: 0, or the `end` of a row fetched before.

    Fewer, but one at least where there is any, where they come to AT_ONCE bytes.
    """
    found: list[sheets.Row] = []
    with store.open(sha256) as stream:
        for row in sheets.rows(stream, offset, limit):
            found.append(row)
            if row.end - offset >= AT_ONCE:
                break
    return found
