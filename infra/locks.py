"""One process at a time: on SQLite by a file of the data folder, on PostgreSQL by the database.

Either is free again however a process ends.
"""

import os
import sys
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlmodel import Session

from infra.settings import Settings
from market.kit.db import Database
from market.kit.holding import Lock, NumberedLock, SessionLock, TermLock


def lock_of(settings: Settings, name: str) -> Lock:
    """Return the lock of this name over all processes that have the database."""
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite":
        return ProcessLock(settings.data_dir / f"{name}.lock")
    return SessionLock(url, name)


def term_of(settings: Settings, database: Database, name: str) -> TermLock:
    """Return such a lock for one who writes the database under it."""
    if database.sqlite:
        return ProcessLock(settings.data_dir / f"{name}.lock")
    return NumberedLock(database, name)


class ProcessLock:
    """A lock on a file, for processes that share the data folder. The system alone takes it away,
    with the process: there is nothing to confirm.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self) -> bool:
        """Take the lock unless another process has it; return whether this one has it now."""
        if self._descriptor is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        if not _locked(descriptor):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def is_free(self, name: str) -> bool:
        """Of those who would share the folder, the holder is the only one."""
        return name != self._path.stem

    def confirm(self, session: Session) -> None: ...

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


if sys.platform == "win32":
    import msvcrt

    def _locked(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _locked(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
