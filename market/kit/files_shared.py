"""Files in the database, for processes on many machines: large objects of PostgreSQL, found by the
digest of their bytes. And the move from one store to another while people work.
"""

import hashlib
import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final, cast

from sqlalchemy import delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Field, Session, col

from market.kit.columns import Table, big, moment
from market.kit.db import Database
from market.kit.errors import NotFound
from market.kit.files import BLOCK, GONE, FileStore, refuse_larger

_MAKE: Final = text("SELECT lo_create(0)")
_PUT: Final = text("SELECT lo_put(CAST(:number AS oid), CAST(:at AS bigint), :block)")
_GET: Final = text("SELECT lo_get(CAST(:number AS oid), CAST(:at AS bigint), :count)")
_DROP: Final = text("SELECT lo_unlink(CAST(:number AS oid))")


class StoredBytes(Table, table=True):
    """Where the bytes of a digest are; `saved_at`, by the server's clock, is when they were last
    saved. Empty on SQLite.
    """

    __tablename__ = "stored_bytes"

    sha256: str = Field(primary_key=True, max_length=64)
    size: int = big()
    large_object: int = big()
    saved_at: datetime = moment()


class DatabaseFiles:
    """A FileStore in PostgreSQL. Bytes are saved in a transaction of their own, whole or not at
    all, before the one of the row that names them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, stream: BinaryIO, *, limit: int) -> tuple[str, int]:
        with self._database.write() as session:
            return put(session, stream, limit=limit)

    def open(self, sha256: str) -> BinaryIO:
        where = col(StoredBytes.sha256) == sha256
        query = select(col(StoredBytes.large_object), col(StoredBytes.size)).where(where)
        with self._database.read() as session:
            found = session.execute(query).first()
        if found is None:
            raise NotFound(GONE)
        raw = _LargeObject(self._database, number=found[0], size=found[1])
        return cast("BinaryIO", io.BufferedReader(raw, BLOCK))

    def stored(self) -> Iterator[str]:
        with self._database.read() as session:
            yield from session.scalars(select(col(StoredBytes.sha256))).all()

    def discard(self, sha256: str, *, before: datetime) -> bool:
        old = (col(StoredBytes.sha256) == sha256, col(StoredBytes.saved_at) < before)
        with self._database.write() as session:
            # Whoever saves the same bytes at this moment waits for the end, and keeps its own.
            gone = delete(StoredBytes).where(*old).returning(col(StoredBytes.large_object))
            number = session.execute(gone).scalar_one_or_none()
            if number is not None:
                session.execute(_DROP, {"number": number})
        return number is not None

    def tidy(self, *, before: datetime) -> int:  # noqa: ARG002  what is cut short leaves nothing
        return 0

    def space(self) -> None:
        """The disk is the database server's."""


def put(session: Session, stream: BinaryIO, *, limit: int) -> tuple[str, int]:
    """Save bytes with the session's transaction; return (sha256 in hex, size). Raises TooLarge."""
    digest, size = hashlib.sha256(), 0
    number = session.execute(_MAKE).scalar_one()
    while block := stream.read(BLOCK):
        session.execute(_PUT, {"number": number, "at": size, "block": block})
        size += len(block)
        refuse_larger(size, limit)
        digest.update(block)
    row = {"sha256": digest.hexdigest(), "size": size, "large_object": number}
    write = insert(StoredBytes).values(**row, saved_at=func.now())
    again = write.on_conflict_do_update(index_elements=["sha256"], set_={"saved_at": func.now()})
    kept = session.execute(again.returning(col(StoredBytes.large_object))).scalar_one()
    if kept != number:
        session.execute(_DROP, {"number": number})
    return digest.hexdigest(), size


class _LargeObject(io.RawIOBase):
    """Bytes of a large object as a file, each piece read in a transaction of its own: a slow reader
    holds none open.
    """

    def __init__(self, database: Database, *, number: int, size: int) -> None:
        self._database = database
        self._number = number
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        begin = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, begin + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Raises NotFound where the bytes are gone meanwhile."""
        given = {"number": self._number, "at": self._at, "count": len(buffer)}
        try:
            with self._database.read() as session:
                piece = session.execute(_GET, given).scalar_one()
        except ProgrammingError:
            raise NotFound(GONE) from None
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


@dataclass(frozen=True, slots=True)
class Moving:
    """A FileStore that has some of its bytes in another place yet, and saves none there."""

    to: FileStore
    left: FileStore

    def save(self, stream: BinaryIO, *, limit: int) -> tuple[str, int]:
        return self.to.save(stream, limit=limit)

    def open(self, sha256: str) -> BinaryIO:
        for store in (self.to, self.left):
            with suppress(NotFound):
                return store.open(sha256)
        return self.to.open(sha256)  # moved between the two looks

    def stored(self) -> Iterator[str]:
        yield from {*self.left.stored(), *self.to.stored()}

    def discard(self, sha256: str, *, before: datetime) -> bool:
        gone = [store.discard(sha256, before=before) for store in (self.left, self.to)]
        return any(gone)

    def tidy(self, *, before: datetime) -> int:
        return self.left.tidy(before=before) + self.to.tidy(before=before)

    def space(self) -> tuple[int, int] | None:
        return self.to.space()


@dataclass(frozen=True, slots=True)
class Moved:
    """How many pieces were moved, and which are not what their names say and stayed."""

    count: int
    damaged: tuple[str, ...]


def move(moving: Moving) -> Moved:
    """Bring all that is left over. Cut short, it goes on where it stood."""
    count, damaged = 0, []
    for sha256 in sorted(moving.left.stored()):
        try:
            with moving.left.open(sha256) as stream:
                saved, _ = moving.to.save(stream, limit=1 << 62)
        except NotFound:  # removed meanwhile
            continue
        if saved != sha256:
            damaged.append(sha256)
            continue
        moving.left.discard(sha256, before=datetime.max.replace(tzinfo=UTC))
        count += 1
    return Moved(count, tuple(damaged))
