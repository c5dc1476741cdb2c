"""What was worked out once for one state of the data, kept by the process for the next reader.

The caller names the state by a mark that it reads in the same snapshot as the value, and that no
two states share; so a value is never shown for another state, whatever commits meanwhile.
"""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Memo(Generic[Value]):
    """The value of the newest mark asked for. Thread-safe; one at a time works it out, the others
    of the same mark wait for it instead of doing the same.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: tuple[Hashable, Value] | None = None

    @property
    def newest(self) -> Value | None:
        """What was kept last, whatever its mark: for a value that is made from the one before."""
        kept = self._kept
        return None if kept is None else kept[1]

    def get(self, mark: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of `mark`, made now unless it is kept. Raises what `make` does."""
        kept = self._kept
        if kept is not None and kept[0] == mark:
            return kept[1]
        with self._lock:
            if self._kept is None or self._kept[0] != mark:
                self._kept = (mark, make())
            return self._kept[1]


class Memos:
    """The memos of a process, by name."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._memos: dict[str, Memo[Any]] = {}

    def of(self, name: str) -> Memo[Any]:
        with self._lock:
            return self._memos.setdefault(name, Memo())
