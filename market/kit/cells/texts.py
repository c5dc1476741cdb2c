"""Texts as they are compared, and yes or no."""

import unicodedata
from collections.abc import Collection
from typing import Final

_SHOWN: Final = 20  # characters of a cell that a sentence quotes
_YES: Final = frozenset({"是", "1", "true", "yes", "y", "√", "✓", "✔", "对"})
_NO: Final = frozenset({"否", "0", "false", "no", "n", "×", "x", "✗", "✘", "不", "不是"})


def folded(text: str) -> str:
    """Return a text without differences of width, spaces and case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).lower()


def shown(text: str) -> str:
    """Return the end of a sentence that tells what a cell holds now."""
    return f"现在是“{text[:_SHOWN]}”" if text else "现在是空的"


def yes(text: str, also: Collection[str] = (), never: Collection[str] = ()) -> bool:
    """Return what a cell says; `also` and `never` are the column's own words for yes and for no.

    Raises ValueError with a sentence for people.
    """
    plain = folded(text)
    if plain in _YES or plain in also:
        return True
    if plain in _NO or plain in never:
        return False
    raise ValueError(f"应为“是”或“否”，{shown(text)}")
