"""What the next page says after a POST: `?done=code` looked up here, never text from the URL."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["", "ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Notice:
    """`kind` is the design's data-kind; "" is neutral."""

    title: str
    text: str = ""
    kind: Kind = "ok"


_done: dict[str, Notice] = {}


def done(code: str, title: str, text: str = "", kind: Kind = "ok") -> str:
    """Register a message under its code, at import time of a page module; return the code."""
    if code in _done:
        raise ValueError(f"notice {code} is registered twice")
    _done[code] = Notice(title, text, kind)
    return code


def find(code: str | None) -> Notice | None:
    """Return the message of a code, or None for one that nobody registered."""
    return _done.get(code) if code else None


def registered() -> tuple[Notice, ...]:
    """Return every registered message, for the catalogue of words."""
    return tuple(_done.values())
