"""Reading clocks and memory."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def anonymous_mb(pid: int | None = None) -> float:
    """Return the anonymous memory of a process in MB: what is its own, files mapped not counted.

    Raises OSError where there is no such process or the system is not Linux.
    """
    rollup = Path(f"/proc/{pid or 'self'}/smaps_rollup").read_text(encoding="ascii")
    line = next(one for one in rollup.splitlines() if one.startswith("Anonymous:"))
    return int(line.split()[1]) / 1024


@dataclass(slots=True)
class Peak:
    """The most anonymous memory seen, and the seconds that passed."""

    mb: float = 0.0
    seconds: float = 0.0


@contextmanager
def watched(peak: Peak, every: float = 0.25) -> Iterator[None]:
    """Add the block's seconds to `peak`, and the most memory of this process while it runs."""
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            peak.mb = max(peak.mb, anonymous_mb())
            done.wait(every)

    watcher = threading.Thread(target=watch, daemon=True)
    begun = time.perf_counter()
    watcher.start()
    try:
        yield
    finally:
        peak.seconds += time.perf_counter() - begun
        done.set()
        watcher.join()
