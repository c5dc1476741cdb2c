"""The lifeline between the launcher and its children.

The launcher holds the write end of each child's standard input and writes one line, when the data
are ready to be opened. When it ends, in whatever way, `kill -9` included, the child reads the end
of the file and stops. No signal, process group or parent id is involved, so it is the same on
Linux, macOS and Windows.

Only a child that the launcher started looks at its input: `zhihe serve < /dev/null` runs on.
ZHIHE_LIFELINE marks them; it is no setting, and is read and written in this module alone.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

GRACE = 5.0
"""Seconds a child has for its graceful stop."""

GO = b"\n"
_MARK = "ZHIHE_LIFELINE"
_M_ARENA_MAX = -8  # of malloc.h


def child_environment() -> dict[str, str]:
    """The own environment, marked for a child that is to follow it."""
    return {**os.environ, _MARK: "1"}


def leave_on_sigterm() -> None:
    """Let SIGTERM end the program with code 0 from its first line on, also where it is the first
    process of a container, whose signals have no effect of their own. Loops and the server put
    their own handlers in its place and end in order.
    """
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))


def keep_memory_together() -> None:
    """Let all threads share two heaps. glibc gives each of many threads one of its own, and what
    one has freed no other uses: a web process held 216 MB of its own instead of 190.

    Call it before threads are begun. Nothing happens where the C library is another.
    """
    if sys.platform == "linux" and hasattr(library := ctypes.CDLL(None), "mallopt"):
        library.mallopt(_M_ARENA_MAX, 2)


def has_parent() -> bool:
    """Tell whether the launcher started this process, until `follow_parent` has been called."""
    return os.environ.get(_MARK) == "1"


def wait_until_prepared() -> None:
    """In a child of the launcher, wait for its word that the data are ready.

    A child that starts slowly is started early and waits here. Ends the process with the launcher.
    Call it before `follow_parent`; anywhere else it does nothing.
    """
    if has_parent() and os.read(sys.stdin.fileno(), 1) != GO:
        sys.exit(1)


def follow_parent(stop: Callable[[], None]) -> None:
    """In a child of the launcher, call `stop` when the launcher is gone or asks for an end.

    `stop` runs in a thread of its own and must only ask (set an event, a flag): a process that is
    still there after GRACE seconds is ended with code 1. Anywhere else this does nothing.
    """
    if os.environ.pop(_MARK, "") != "1":
        return
    lifeline = sys.stdin.fileno()

    def wait() -> None:
        while os.read(lifeline, 1024):
            pass
        try:
            stop()
        finally:
            time.sleep(GRACE)
            os._exit(1)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()
