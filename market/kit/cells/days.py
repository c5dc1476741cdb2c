"""Days and months."""

import re
import unicodedata
from datetime import datetime

from market.kit.cells.numbers import DIGITS, number
from market.kit.clock import local_date

Day = tuple[int, int, int | None]
"""(year, month, day) as written, not yet held against the calendar; no day where none is named."""

_TIME = r"\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?"
_MARKED = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})(?:\2(\d{{1,2}})(?:[ tT]{_TIME})?)?", re.ASCII)
_NAMED = re.compile(
    rf"(\d{{4}})年(\d{{1,2}})(?:月(?:(\d{{1,2}})(?:[日号] ?(?:{_TIME})?| {_TIME})?)?)?", re.ASCII
)
_WHOLE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_ZONED = re.compile(rf"\d{{4}}-\d{{2}}-\d{{2}}[ tT]{_TIME}(?:[zZ]|[+-]\d{{2}}:?\d{{2}})", re.ASCII)
_AROUND = re.compile(r" ?([-/.年月]) ?| (?=[日号])")
_WORDS = re.compile("[零〇一二三四五六七八九十]+")


def day(text: str) -> Day | None:
    """Return the day or month that a cell writes, also one with a time, else None.

    A time with a zone is a moment: its day is that in China.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).split())
    if _ZONED.fullmatch(plain):
        return _moment(plain)
    plain = in_digits(_AROUND.sub(r"\1", plain))
    if found := _MARKED.fullmatch(plain):
        year, mark, month, one = found.groups()
        if one is None and mark == "." and month == "1":
            return None  # a number 2027.10 loses its zero
    elif found := _NAMED.fullmatch(plain) or _WHOLE.fullmatch(plain):
        year, month, one = found.groups()
    else:
        return None
    return int(year), int(month), None if one is None else int(one)


def _moment(text: str) -> Day | None:
    try:
        found = local_date(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        return None
    return found.year, found.month, found.day


def in_digits(text: str) -> str:
    """Return a day in Chinese numerals (`二〇二七年三月`) in digits, another text as it is."""
    return _WORDS.sub(_digits, text) if "年" in text else text


def _digits(found: re.Match[str]) -> str:
    if "十" not in found[0]:
        return "".join(str(DIGITS[c]) for c in found[0])
    value = number(found[0])
    return found[0] if value is None else str(int(value))
