"""Files that people attach: bytes in a store, a row with hash, size and owner in the database.

The store is content-addressed and written before the row: a row never points at nothing; bytes
without a row are garbage that a later sweep may take. `FileStore` is the seam: a folder of one
machine here, the database for many in `files_shared`.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, Protocol
from urllib.parse import quote

from sqlalchemy import ColumnElement, Index, delete, update
from sqlmodel import Session, SQLModel, col, exists, select

from market.kit.columns import Table, big, moment, pk, public_id, words
from market.kit.db import changed
from market.kit.errors import Invalid, NotFound, TooLarge
from market.kit.ids import PublicId, new_public_id

MAX_FILE_BYTES = 20 * 1024 * 1024
MAX_IMPORT_BYTES = 50 * 1024 * 1024
BLOCK = 1024 * 1024
_ASIDE = "aside-"
GONE = "文件已不在存储里，请联系运营人员"


def names_to_disk(folder: Path) -> None:
    """Let new names in a folder outlast a power cut, where the system can."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


DROPPED_FOR = timedelta(days=7)
"""How long a file stays after nothing refers to it: a backup under way still finds it."""


class StoredFile(Table, table=True):
    """`dropped_at` is when nothing referred to it any more; some days later its bytes go."""

    __tablename__ = "stored_file"
    __table_args__ = (Index("ix_stored_file_person", "person_id"),)

    id: int = pk()
    public_id: str = public_id()
    organisation_id: int = big()
    person_id: int | None = big(nullable=True)
    name: str = words(200)
    media_type: str = words(100)
    size: int = big()
    sha256: str = words(64)
    created_at: datetime = moment()
    dropped_at: datetime | None = moment(nullable=True)


class FileStore(Protocol):
    def save(self, stream: BinaryIO, *, limit: int) -> tuple[str, int]:
        """Keep the bytes durably; return (sha256 in hex, size in bytes). Raises TooLarge."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """Return the bytes for reading. Raises NotFound."""
        ...

    def stored(self) -> Iterator[str]:
        """Yield the sha256 of everything kept, in no order."""
        ...

    def discard(self, sha256: str, *, before: datetime) -> bool:
        """Remove bytes that were last saved before a moment; return whether they were removed."""
        ...

    def tidy(self, *, before: datetime) -> int:
        """Remove what was cut short before a moment; return how many pieces there were."""
        ...

    def space(self) -> tuple[int, int] | None:
        """Return the bytes left, and the bytes altogether, where files are kept; None where that is
        not known here.
        """
        ...


def refuse_larger(size: int, limit: int) -> None:
    """Raise TooLarge over the limit, both in bytes."""
    if size > limit:
        raise TooLarge(f"文件不能超过{limit // BLOCK}MB")


class LocalFiles:
    """A folder of this machine, two levels deep by hash."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / sha256[2:]

    def _aside(self, sha256: str) -> Path:
        return self._folder / f"{_ASIDE}{sha256}"

    def space(self) -> tuple[int, int]:
        self._folder.mkdir(parents=True, exist_ok=True)
        usage = shutil.disk_usage(self._folder)
        return usage.free, usage.total

    def save(self, stream: BinaryIO, *, limit: int) -> tuple[str, int]:
        self._folder.mkdir(parents=True, exist_ok=True)
        digest, size = hashlib.sha256(), 0
        with NamedTemporaryFile(dir=self._folder, delete=False) as temporary:
            part = Path(temporary.name)
            try:
                while block := stream.read(BLOCK):
                    size += len(block)
                    refuse_larger(size, limit)
                    digest.update(block)
                    temporary.write(block)
                temporary.flush()
                os.fsync(temporary.fileno())
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        target = self._path(digest.hexdigest())
        if not target.parent.exists():
            target.parent.mkdir(exist_ok=True)
            names_to_disk(self._folder)
        part.replace(target)
        names_to_disk(target.parent)
        return digest.hexdigest(), size

    def open(self, sha256: str) -> BinaryIO:
        path = self._path(sha256)
        # Put aside at this moment (or by one that was killed then), it may be back by the third.
        for place in (path, self._aside(sha256), path):
            with contextlib.suppress(FileNotFoundError):
                return place.open("rb")
        raise NotFound(GONE)

    def stored(self) -> Iterator[str]:
        for path in self._folder.glob("??/*"):
            yield f"{path.parent.name}{path.name}"

    def discard(self, sha256: str, *, before: datetime) -> bool:
        """Put aside first and looked at then: the same bytes may be saved anew at this moment, and
        must not go.
        """
        path, aside = self._path(sha256), self._aside(sha256)
        try:
            path.rename(aside)
        except FileNotFoundError:
            return False
        if aside.stat().st_mtime < before.timestamp():
            aside.unlink()
            return True
        self._put_back(aside)
        return False

    def _put_back(self, aside: Path) -> None:
        with contextlib.suppress(FileExistsError):  # saved once more
            self._path(aside.name.removeprefix(_ASIDE)).hardlink_to(aside)
        aside.unlink()

    def tidy(self, *, before: datetime) -> int:
        pieces = 0
        for path in self._folder.glob("*"):
            if path.name.startswith(_ASIDE):
                self._put_back(path)
            elif path.is_file() and path.stat().st_mtime < before.timestamp():
                path.unlink()
                pieces += 1
        return pieces


# What a file claims to be is checked against its first bytes.
_KINDS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    ".pdf": ("application/pdf", (b"%PDF-",)),
    ".png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".docx": (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        (b"PK\x03\x04",),
    ),
    ".doc": ("application/msword", (b"\xd0\xcf\x11\xe0",)),
}


PROOF_TYPES = tuple(dict.fromkeys(media_type for media_type, _ in _KINDS.values()))


def as_document(media_types: Iterable[str]) -> dict[int | str, dict[str, Any]]:
    """Return how the API's document declares a route that answers with a file."""
    content = {
        one.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
        for one in media_types
    }
    return {200: {"content": content, "description": "文件"}}


def proof_media_type(name: str, head: bytes) -> str:
    """Return the media type of a proof by its ending, held against its first bytes.

    Raises Invalid at the field `file`.
    """
    ending = Path(name).suffix.lower()
    if ending not in _KINDS:
        raise Invalid(fields={"file": "附件应为PDF、Word或图片（pdf、doc、docx、png、jpg）"})
    media_type, signatures = _KINDS[ending]
    if not any(head.startswith(signature) for signature in signatures):
        raise Invalid(fields={"file": f"文件内容与扩展名{ending}不符，请另存后重新上传"})
    return media_type


def clean_name(name: str) -> str:
    """Return a file name without folders and control characters, at most 200 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in last if c.isprintable()).strip(". ")
    return kept[-200:] or "附件"


def download_headers(name: str) -> dict[str, str]:
    """Return the headers under which a file is saved and never shown on our own origin."""
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }


def blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield what is left of an open file in pieces, and close it."""
    with stream:
        while block := stream.read(BLOCK):
            yield block


def keep(
    session: Session,
    *,
    stored: tuple[str, int],
    name: str,
    media_type: str,
    organisation_id: int,
    person_id: int | None,
    at: datetime,
) -> StoredFile:
    """Write the row of bytes that the store holds already."""
    row = StoredFile(
        public_id=new_public_id(),
        organisation_id=organisation_id,
        person_id=person_id,
        name=clean_name(name),
        media_type=media_type,
        size=stored[1],
        sha256=stored[0],
        created_at=at,
    )
    session.add(row)
    session.flush()
    return row


def get(session: Session, public_id: PublicId) -> StoredFile:
    row = session.exec(select(StoredFile).where(col(StoredFile.public_id) == public_id)).first()
    if row is None:
        raise NotFound
    return row


def by_key(session: Session, file_id: int) -> StoredFile:
    """Return the row that another row refers to; the caller has checked who asks."""
    return session.get_one(StoredFile, file_id)


def mark_dropped(session: Session, now: datetime, limit: int) -> int:
    """Note which files no row of any table refers to any more. Return how many were found now."""
    left = (
        select(StoredFile.id)
        .where(col(StoredFile.dropped_at).is_(None), *_unreferenced())
        .order_by(col(StoredFile.id))
        .limit(limit)
    )
    return changed(
        session,
        update(StoredFile).where(col(StoredFile.id).in_(left)).values(dropped_at=now),
    )


def expire(session: Session, now: datetime, limit: int) -> int:
    """Delete the rows of files that nothing has referred to for DROPPED_FOR; their bytes go with
    the next sweep. Return how many.
    """
    old = (
        select(StoredFile.id)
        .where(col(StoredFile.dropped_at) < now - DROPPED_FOR, *_unreferenced())
        .order_by(col(StoredFile.id))
        .limit(limit)
    )
    return changed(session, delete(StoredFile).where(col(StoredFile.id).in_(old)))


def _unreferenced() -> list[ColumnElement[bool]]:
    """Return WHERE clauses: no column of any table refers to this file."""
    return [
        ~exists().where(column == col(StoredFile.id))
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        if any(key.target_fullname == "stored_file.id" for key in column.foreign_keys)
    ]
