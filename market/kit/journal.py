"""What a read must record: written after the answer, in batches.

A read's transaction cannot write, and a person should not wait for a note to be taken. Entries
are kept in memory and written about every second; the last second may be lost, so nothing that
must be kept goes here.
"""

import logging
import threading
from collections.abc import Callable
from typing import Final

from sqlmodel import Session

from market.kit.db import Database

Note = Callable[[Session], None]
FLUSH_SECONDS: Final = 1.0
MAX_NOTES: Final = 5_000

log = logging.getLogger("zhihe.journal")


class Journal:
    """Buffers notes by key (the newest wins) and flushes them from one background thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._notes: dict[str, Note] = {}
        self._lock = threading.Lock()
        self._flushing = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="journal", daemon=True)
        self._thread.start()

    def add(self, key: str, note: Note) -> None:
        with self._lock:
            if len(self._notes) < MAX_NOTES:
                self._notes[key] = note

    def flush(self) -> None:
        """Write what was added before; it stands in the database when this returns."""
        with self._flushing:
            with self._lock:
                notes, self._notes = self._notes, {}
            if notes:
                with self._database.write() as session:
                    # In one order everywhere, so that two processes never wait for each other.
                    for key in sorted(notes):
                        notes[key](session)

    def _loop(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            try:
                self.flush()
            except Exception:  # a database that is restarting must not end the thread for good
                log.exception("notes of reads were lost")

    def close(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)
        self.flush()
