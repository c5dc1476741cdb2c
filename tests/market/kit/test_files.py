"""The store of files: a folder, large objects of PostgreSQL, and what is half moved between them."""

import hashlib
import io
import random
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from infra.migrate import migrate
from market.kit.db import Database
from market.kit.errors import NotFound, TooLarge
from market.kit.files import BLOCK, FileStore, LocalFiles
from market.kit.files_shared import DatabaseFiles, Moving, move

LATER = timedelta(days=1)


@pytest.fixture
def database(database_url: Callable[..., str]) -> Iterator[Database]:
    opened = Database(database_url(migrate))
    yield opened
    opened.close()


@pytest.fixture(params=["folder", "database", "moving"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    folder = LocalFiles(tmp_path / "files")
    if request.param == "folder":
        return folder
    shared = DatabaseFiles(request.getfixturevalue("database"))
    return shared if request.param == "database" else Moving(to=shared, left=folder)


def objects(database: Database) -> int:
    with database.read() as session:
        count: int = session.execute(
            text("SELECT count(*) FROM pg_largeobject_metadata")
        ).scalar_one()
        return count


def now() -> datetime:
    return datetime.now(UTC)


@pytest.mark.parametrize("size", [0, 1, BLOCK, 2 * BLOCK + 17])
def test_bytes_come_back_as_they_were(store: FileStore, size: int) -> None:
    data = random.Random(size).randbytes(size)
    sha256, told = store.save(io.BytesIO(data), limit=size)
    assert (sha256, told) == (hashlib.sha256(data).hexdigest(), size)
    with store.open(sha256) as stream:
        assert stream.read() == data
        stream.seek(size // 2)
        assert stream.tell() == size // 2
        assert stream.read(7) == data[size // 2 :][:7]
        stream.seek(-min(3, size), io.SEEK_END)
        assert stream.read() == data[-3:]
    assert list(store.stored()) == [sha256]


def test_too_large_leaves_nothing(store: FileStore) -> None:
    with pytest.raises(TooLarge):
        store.save(io.BytesIO(b"x" * (BLOCK + 1)), limit=BLOCK)
    assert not list(store.stored())


def test_nothing_is_left_in_the_database_either(database: Database) -> None:
    store = DatabaseFiles(database)
    with pytest.raises(TooLarge):
        store.save(io.BytesIO(b"x" * 3), limit=2)

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise OSError
            return super().read(1)

    with pytest.raises(OSError):
        store.save(Broken(b"xy"), limit=9)
    assert objects(database) == 0
    store.save(io.BytesIO(b"same"), limit=9)
    sha256, _ = store.save(io.BytesIO(b"same"), limit=9)
    assert objects(database) == 1, "the same bytes are kept once"
    assert store.discard(sha256, before=now() + LATER)
    assert objects(database) == 0


def test_what_was_saved_again_stays(store: FileStore) -> None:
    sha256, _ = store.save(io.BytesIO(b"kept"), limit=9)
    assert not store.discard(sha256, before=now() - LATER)
    with store.open(sha256) as stream:
        assert stream.read() == b"kept"
    assert store.discard(sha256, before=now() + LATER)
    assert not store.discard(sha256, before=now() + LATER)
    with pytest.raises(NotFound):
        store.open(sha256)
    assert not list(store.stored())


def test_saved_and_discarded_at_the_same_time(store: FileStore) -> None:
    """What was saved last is there, or was discarded after; never a name without its bytes."""
    stop = threading.Event()
    sha256 = hashlib.sha256(b"contested").hexdigest()

    def discard() -> None:
        while not stop.is_set():
            store.discard(sha256, before=now() - LATER)

    thread = threading.Thread(target=discard)
    thread.start()
    try:
        for _ in range(50):
            store.save(io.BytesIO(b"contested"), limit=99)
            with store.open(sha256) as stream:
                assert stream.read() == b"contested"
    finally:
        stop.set()
        thread.join()


def test_bytes_gone_while_they_are_read(database: Database) -> None:
    store = DatabaseFiles(database)
    sha256, _ = store.save(io.BytesIO(b"x" * 3 * BLOCK), limit=4 * BLOCK)
    with store.open(sha256) as stream:
        assert len(stream.read(10)) == 10
        store.discard(sha256, before=now() + LATER)
        with pytest.raises(NotFound):
            stream.read()


def test_moving(database: Database, tmp_path: Path) -> None:
    folder, shared = LocalFiles(tmp_path / "files"), DatabaseFiles(database)
    both = Moving(to=shared, left=folder)
    old, _ = folder.save(io.BytesIO(b"from before"), limit=99)
    bad, _ = folder.save(io.BytesIO(b"will be damaged"), limit=99)
    (tmp_path / "files" / bad[:2] / bad[2:]).write_bytes(b"damaged")
    fresh, _ = both.save(io.BytesIO(b"new"), limit=99)
    assert set(both.stored()) == {old, bad, fresh}
    with both.open(old) as stream:
        assert stream.read() == b"from before"
    moved = move(both)
    assert (moved.count, moved.damaged) == (1, (bad,))
    assert list(folder.stored()) == [bad]
    for sha256 in (old, fresh):
        with shared.open(sha256) as stream:
            assert hashlib.sha256(stream.read()).hexdigest() == sha256
    back = move(Moving(to=folder, left=shared))
    assert back.count == 3, "the damaged bytes under their own name as well"
    assert objects(database) == 0
