"""Brings a backup back, into an empty place only.

First the backup is read through and nothing touched. Then files, then the key, then the whole
database in one transaction: cut short before its end, a second try goes on; after it, the market is
there, and whoever indexes next makes the index anew.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, ProgrammingError
from sqlmodel import Session

from infra.archive import FILES, SECRET, TABLES, Archive, Manifest
from infra.backup import Heard, check, sqlite_file
from infra.indexer import indexing
from infra.migrate import fill, revisions
from infra.settings import PREFIX, Settings, keep_secret
from infra.wiring import build_parts, close_parts, open_reader
from market import chaining
from market.discovery.drain import give_back_work
from market.kit import dump, faults, files_shared
from market.kit.db import Database
from market.kit.dump import Shape
from market.kit.errors import Conflict, Invalid
from market.kit.files import LocalFiles
from market.waiting import put_right
from search.errors import SearchUnavailable

_MARK: Final = "restoring"
_NO_LIMIT: Final = 1 << 62
_LONGEST_SECRET: Final = 4096  # bytes; one that was set is as long as whoever set it liked
_NO_ROWS: Final = (
    DataError,
    IntegrityError,
    InterfaceError,
    ProgrammingError,
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    RecursionError,
)
"""What lines raise that are not rows of the table they stand under."""


class Save(Protocol):
    def __call__(self, stream: BinaryIO, *, limit: int) -> tuple[str, int]: ...


def restore(settings: Settings, path: Path, heard: Heard) -> Manifest:
    """Fill an empty data folder and an empty database from a backup, and make the index.

    Raises Conflict where something is there already, Invalid for a backup that is damaged, was made
    by a later version, or has another key than the one that is set. Nothing is touched by then.
    """
    with Archive(path) as archive:
        _refuse_newer(archive.manifest)
        check(archive, heard)
        secret = _secret(archive)
        _refuse_other_secret(settings, secret)
        mark = settings.data_dir / _MARK
        _refuse_unless_empty(settings, resumed=mark.exists())
        made = _to_be_made(settings, resumed=mark.exists())
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        mark.touch()
        try:
            if not settings.files_in_database:
                _bring_files(archive, LocalFiles(settings.files_dir).save, heard)
            keep_secret(settings.data_dir / "secret", secret)
            _bring_rows(settings, archive, heard)
        except Invalid:  # another backup has another key, and files of its own
            _take_back(made)
            raise
        mark.unlink()
        manifest = archive.manifest
    _make_index(settings, heard)
    return manifest


def _to_be_made(settings: Settings, *, resumed: bool) -> list[Path]:
    """Return what a restoration will make, folders after what is in them."""
    file = sqlite_file(settings)
    named = [settings.data_dir / _MARK, settings.data_dir / "secret"]
    if file is not None and not file.exists():
        named += [file.with_name(f"{file.name}{end}") for end in ("", "-wal", "-shm")]
    made = [one for one in named if not one.exists()]
    if not resumed:  # it is empty, or not there
        made.append(settings.files_dir)
    return made if settings.data_dir.exists() else [*made, settings.data_dir]


def _take_back(made: list[Path]) -> None:
    """Remove what this restoration made. The rows were taken back with their transaction."""
    for one in made:
        if one.is_dir():
            shutil.rmtree(one, ignore_errors=True)
        else:
            one.unlink(missing_ok=True)


def _refuse_newer(manifest: Manifest) -> None:
    if manifest.revision not in revisions():
        raise Invalid(
            f"这份备份由{manifest.product}版做成，数据结构（{manifest.revision}）比这个程序新，"
            "请先升级程序再恢复"
        )


def _secret(archive: Archive) -> bytes:
    (size,) = (one["size"] for one in archive.manifest.members if one["name"] == SECRET)
    if not 0 < size <= _LONGEST_SECRET:
        raise Invalid(f"{archive.path} 里的 {SECRET} 不是密钥，请换一份备份")
    return b"".join(archive.pieces(SECRET))


def _refuse_other_secret(settings: Settings, secret: bytes) -> None:
    kept = settings.data_dir / "secret"
    if settings.secret and settings.secret.encode() != secret:
        raise Invalid(
            f"{PREFIX}SECRET与备份里的密钥不同。请把它设为备份里 {SECRET} 的内容"
            "（可用 unzip -p 取出），再恢复"
        )
    if kept.exists() and kept.read_bytes() not in (b"", secret):
        raise Conflict(f"{kept} 是另一个密钥。{_ELSEWHERE}")


_ELSEWHERE: Final = (
    f"恢复只在空的地方进行，请用{PREFIX}DATA_DIR给一个空文件夹，"
    f"用PostgreSQL时再用{PREFIX}DATABASE_URL给一个空数据库"
)


def _refuse_unless_empty(settings: Settings, *, resumed: bool) -> None:
    file = sqlite_file(settings)
    if file is None or file.exists():
        database = Database(settings.database)
        try:
            with database.reader.connect() as connection:
                if dump.revision(connection) is not None or dump.tables(connection):
                    raise Conflict(f"数据库里已有数据。{_ELSEWHERE}")
        finally:
            database.close()
    for folder in (settings.files_dir, settings.index_dir):
        if not resumed and folder.exists() and any(folder.iterdir()):
            raise Conflict(f"{folder} 里已有内容。{_ELSEWHERE}")
    if not resumed and settings.search_hosts:
        _refuse_index_in_use(settings)


def _refuse_index_in_use(settings: Settings) -> None:
    """Documents of later versions than the backup's would stay: versions only grow."""
    with closing(open_reader(settings)) as engine, suppress(SearchUnavailable):
        if engine.count():
            raise Conflict(
                f"Elasticsearch里{settings.search_prefix}开头的索引已有内容，"
                f"请用{PREFIX}SEARCH_PREFIX给一个新的名称"
            )


def _bring_files(archive: Archive, save: Save, heard: Heard) -> None:
    named = [one for one in archive.manifest.members if one["name"].startswith(FILES)]
    total, done = sum(one["size"] for one in named), 0
    for one in named:
        if one["name"] == f"{FILES}{one['sha256']}":  # else damaged when it was saved
            with archive.open(one["name"]) as stream:
                save(stream, limit=_NO_LIMIT)
        heard("恢复文件", done := done + one["size"], total)


def _bring_rows(settings: Settings, archive: Archive, heard: Heard) -> None:
    wanted = archive.manifest.rows
    total = sum(wanted.values())

    def load(connection: Connection) -> None:
        known = {one.name: dump.shape(one) for one in dump.tables(connection)}
        done = 0
        for name, rows in wanted.items():
            loaded = _bring_table(connection, archive, known.get(name), name, counted(done))
            if loaded != rows:
                raise Invalid(f"表 {name} 应有{rows}行，备份里是{loaded}行，请换一份备份")
            done += rows

    def counted(done: int) -> Callable[[BinaryIO], Iterator[bytes]]:
        return lambda stream: _counted(stream, done, total, heard)

    def complete(session: Session) -> None:
        if settings.files_in_database:
            _bring_files(archive, partial(files_shared.put, session), heard)

    try:
        fill(settings.database, archive.manifest.revision, load, complete)
    except (DataError, IntegrityError) as error:  # what is found at the end, or in bringing it up
        raise Invalid(f"各表的内容互相不符（{faults.what(error)}），请换一份备份") from error


def _bring_table(
    connection: Connection,
    archive: Archive,
    known: Shape | None,
    name: str,
    counted: Callable[[BinaryIO], Iterator[bytes]],
) -> int:
    """Load one table; return how many rows there were. Raises Invalid for lines that are no rows
    of it, or where the database has no such table.
    """
    with archive.open(f"{TABLES}{name}") as stream:
        try:
            head = json.loads(stream.readline())
            shape = Shape(name, tuple((str(column), str(kind)) for column, kind in head))
            if known is None or sorted(shape.columns) != sorted(known.columns):
                raise Invalid(f"表 {name} 不是这个版本的表，请换一份备份")
            return dump.load(connection, shape, counted(stream))
        except _NO_ROWS as error:
            raise Invalid(f"表 {name} 不能恢复（{faults.what(error)}），请换一份备份") from error


def _counted(stream: BinaryIO, done: int, total: int, heard: Heard) -> Iterator[bytes]:
    for number, line in enumerate(stream, 1):
        yield line
        if number % 1000 == 0:
            heard("恢复数据库", done + number, total)


def _make_index(settings: Settings, heard: Heard) -> None:
    """Index everything, and give back what the processes of then had in hand."""
    parts = build_parts(settings)
    try:
        heard("重建索引", 0, 1)
        with closing(indexing(settings, parts)) as process:
            while process.step():
                pass
        give_back_work(parts)
        chaining.begin(parts)  # a backup from before there was a chain
        with parts.database.write() as session:
            put_right(session, parts.clock.now())  # a backup from before there were tasks has none
        heard("重建索引", 1, 1)
    finally:
        close_parts(parts)
