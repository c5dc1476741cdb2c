"""A backup of everything that cannot be made again: database, files, keys. The index can be.

The database is written out from one snapshot, so that it is as it was at one moment, whoever writes
meanwhile; bytes are kept before the rows that name them, so files copied after the snapshot are
complete. The form is the same for SQLite and PostgreSQL: what was saved from one is restored to
either.
"""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from infra.archive import FILES, SECRET, TABLES, Archive, Manifest, Writer
from infra.locks import lock_of
from infra.settings import PREFIX, Settings, secret_of
from infra.wiring import files_of
from market.kit import dump, files
from market.kit.clock import SHANGHAI
from market.kit.db import Database
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.files import FileStore
from market.kit.holding import Lock
from market.kit.sweep import contents

_PIECE: Final = 512 * 1024
PATIENCE: Final = 30.0
"""Seconds that a backup waits for the nightly removal of files to end."""

Heard = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done and how much there is."""


def save(settings: Settings, where: Path, heard: Heard) -> tuple[Path, Manifest]:
    """Write a backup to a file, or into a folder under a name made of the moment.

    Bytes that are gone or damaged are named in the manifest, and the rest is saved. Raises NotFound
    where there is no database, Invalid where the place is taken or neither a folder nor a .zip,
    Conflict beside another backup that does not end soon, OSError where the disk is full; then no
    file is left.
    """
    _step_back()
    begun = datetime.now(UTC)
    target = _target(where, f"zhihe-{begun.astimezone(SHANGHAI):%Y%m%d-%H%M%S}.zip")
    database = Database(_existing(settings))
    lock = files_lock(settings)
    try:
        if not _taken(lock):
            raise Conflict("另一个备份或清理正在进行，请等它结束后再试")
        with Writer(target) as writer:
            with dump.snapshot(database) as connection:
                if (revision := dump.revision(connection)) is None:
                    raise NotFound("数据库里还没有数据，没有可以备份的内容")
                rows = _save_tables(writer, connection, heard)
                wanted = contents(connection)
            missing = _save_files(writer, files_of(settings, database), wanted, heard)
            with writer.member(SECRET, packed=False) as write:
                write(secret_of(settings))
            return target, writer.finish(
                product=version("zhihe"),
                database="sqlite" if database.sqlite else "postgresql",
                revision=revision,
                begun=begun.isoformat(),
                ended=datetime.now(UTC).isoformat(),
                rows=rows,
                missing=missing,
            )
    finally:
        lock.release()
        database.close()


def _target(where: Path, name: str) -> Path:
    """Return the file to write. Raises Invalid for a folder that is not there: a file of its name
    would pass for the folder from then on.
    """
    if where.is_dir():
        return where / name
    if where.suffix.lower() != ".zip":
        raise Invalid(
            f"{where} 不是已有的文件夹。请先建立这个文件夹（或挂上备份盘），"
            "或给出以 .zip 结尾的文件名"
        )
    return where


def verify(path: Path, heard: Heard) -> Manifest:
    """Read a whole backup and hold it against its manifest. Raises Invalid."""
    with Archive(path) as archive:
        check(archive, heard)
        return archive.manifest


def check(archive: Archive, heard: Heard) -> None:
    done = 0

    def told(size: int) -> None:
        nonlocal done
        done += size
        heard("核对备份", done, archive.size)

    archive.verify(told)


def files_lock(settings: Settings) -> Lock:
    """Return the lock of whoever needs that no bytes go meanwhile, or removes some."""
    return lock_of(settings, "files")


@contextmanager
def removing(settings: Settings) -> Iterator[bool]:
    """Yield whether bytes may go: not beside a backup, and none begins meanwhile."""
    lock = files_lock(settings)
    try:
        yield lock.take()
    finally:
        lock.release()


def _taken(lock: Lock) -> bool:
    until = time.monotonic() + PATIENCE
    while not lock.take():
        if time.monotonic() >= until:
            return False
        time.sleep(0.1)
    return True


def sqlite_file(settings: Settings) -> Path | None:
    """Return the file of an SQLite database, None for another one."""
    url = make_url(settings.database)
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def _existing(settings: Settings) -> str:
    """Return the database's URL; to open an SQLite file that is missing would make one."""
    if (file := sqlite_file(settings)) is not None and not file.exists():
        raise NotFound(f"{file} 不存在，没有可以备份的内容。请检查{PREFIX}DATA_DIR")
    return settings.database


def _step_back() -> None:
    """Leave the processors to those who serve people."""
    with suppress(OSError, AttributeError):
        os.nice(10)


def _save_tables(writer: Writer, connection: Connection, heard: Heard) -> dict[str, int]:
    tables = dump.tables(connection)
    total = sum(dump.count(connection, one) for one in tables)
    rows: dict[str, int] = {}
    done = 0
    for one in tables:
        before = done
        with writer.member(f"{TABLES}{one.name}", packed=True) as write:
            piece = bytearray(json.dumps(dump.shape(one).columns).encode() + b"\n")
            for line in dump.lines(connection, one):
                piece += line
                done += 1
                if len(piece) > _PIECE:
                    write(bytes(piece))
                    piece.clear()
                    heard("保存数据库", done, total)
            write(bytes(piece))
        rows[one.name] = done - before
    heard("保存数据库", total, total)
    return rows


def _save_files(
    writer: Writer, store: FileStore, wanted: Mapping[str, int], heard: Heard
) -> list[str]:
    """Return what was missing or is not what it was."""
    missing = []
    total, done = sum(wanted.values()), 0
    for sha256, size in sorted(wanted.items()):
        try:
            stream = store.open(sha256)
        except NotFound:
            missing.append(sha256)
            continue
        with writer.member(f"{FILES}{sha256}", packed=False) as write:
            for piece in files.blocks(stream):
                write(piece)
                heard("保存文件", done := done + len(piece), total)
        if (writer.newest["sha256"], writer.newest["size"]) != (sha256, size):
            missing.append(sha256)
    return missing
