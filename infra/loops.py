"""The loop of a background process: work while there is any, rest while there is none, go on after
a failure, end when asked.
"""

import logging
import signal
import time
from collections.abc import Callable

from infra.processes import follow_parent
from infra.pulse import Pulse
from search.errors import SearchUnavailable

IDLE = 0.2
"""Seconds between two looks for work; half of what a person waits for their listing to be found."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_INDEX_PAUSE = 2.0
"""At most, where the index does not answer: a question now and then is no burden to it, and people
wait for what was published meanwhile to be found."""

log = logging.getLogger("zhihe.processes")


class Stop:
    """A plain flag: threading.Event may deadlock when a signal handler sets what main awaits."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self) -> None:
        self.asked = True

    def on_signals(self) -> None:
        """Let SIGINT, SIGTERM and the launcher's end ask for it. Call from the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: self.ask())
        follow_parent(self.ask)


def keep(name: str, step: Callable[[], bool], stop: Stop, pulse: Pulse) -> None:
    """Repeat a step, which tells whether it found work, until asked to stop.

    A step that fails (a database that is restarting, a full disk) is tried again after a pause
    that grows with each failure in a row.
    """
    pause = _FIRST_PAUSE
    while not stop.asked:
        try:
            worked = step()
        except SearchUnavailable as error:
            pulse.busy = "failing"
            pause = min(pause, _INDEX_PAUSE)
            log.warning("%s: the index does not answer, next try in %s s: %s", name, pause, error)
            _rest(pause, stop)
            pause *= 2
        except Exception:
            pulse.busy = "failing"
            log.exception("%s: failed, next try in %s s", name, pause)
            _rest(pause, stop)
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            pause = _FIRST_PAUSE
            pulse.busy = "working" if worked else "resting"
            if not worked:
                time.sleep(IDLE)


def _rest(seconds: float, stop: Stop) -> None:
    until = time.monotonic() + seconds
    while not stop.asked and time.monotonic() < until:
        time.sleep(IDLE)
