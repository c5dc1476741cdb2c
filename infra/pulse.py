"""The sign of life that each process writes to the database every few seconds."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from market.accounts.work import Parts
from market.operations import repository

VERSION: Final = version("zhihe")
EVERY: Final = 10.0
"""Seconds between two signs; who is silent for a few of them is not there."""
_FORGOTTEN = timedelta(days=1)
_STATUS = Path("/proc/self/status")

log = logging.getLogger("zhihe.process")


def memory_bytes() -> int:
    """Return the anonymous memory of this process, 0 where the system does not tell."""
    with suppress(OSError):
        for line in _STATUS.read_text(encoding="ascii").splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


class Pulse:
    """What one process tells of itself; `busy` may be set at any time."""

    def __init__(self, parts: Parts, kind: str) -> None:
        self.busy = "starting"
        self._parts = parts
        self._kind = kind
        self._place = f"{socket.gethostname()}:{os.getpid()}"[:80]
        self._started_at = parts.clock.now()
        self._silent = False

    def beat(self) -> None:
        """Write one sign of life. A database that does not answer is waited for."""
        now = self._parts.clock.now()
        row = {
            "kind": self._kind,
            "place": self._place,
            "version": VERSION,
            "started_at": self._started_at,
            "seen_at": now,
            "busy": self.busy,
            "memory_bytes": memory_bytes(),
        }
        try:
            with self._parts.database.write() as session:
                repository.put_seen(session, row)
        except SQLAlchemyError:
            if not self._silent:
                log.exception("the sign of life cannot be written")
            self._silent = True
        else:
            self._silent = False

    def begin(self) -> None:
        self.beat()
        with suppress(SQLAlchemyError), self._parts.database.write() as session:
            repository.drop_seen_before(session, self._parts.clock.now() - _FORGOTTEN)

    def end(self) -> None:
        with suppress(SQLAlchemyError), self._parts.database.write() as session:
            repository.drop_seen(session, self._kind, self._place)


@contextmanager
def beating(parts: Parts, kind: str) -> Iterator[Pulse]:
    """Beat in a thread of its own for the length of the block."""
    pulse = Pulse(parts, kind)
    ended = threading.Event()

    def beat() -> None:
        pulse.begin()
        while not ended.wait(EVERY):
            pulse.beat()

    thread = threading.Thread(target=beat, name="pulse", daemon=True)
    thread.start()
    log.info("%s started", kind)
    try:
        yield pulse
    finally:
        ended.set()
        thread.join(timeout=EVERY)
        pulse.end()
        log.info("%s ended", kind)
