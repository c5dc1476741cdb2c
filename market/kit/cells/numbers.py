"""Numbers in digits, in Chinese words or both."""

import re
import unicodedata
from decimal import Decimal
from typing import Final

DIGITS: Final = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_POWERS: Final = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_PLAIN = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_COMMAS = re.compile(r"[\d,]*,[\d,]*", re.ASCII)
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+", re.ASCII)
_POINT = re.compile(r"([零〇一二两三四五六七八九])点([零〇一二三四五六七八九]+)(.*)")
_LONGEST: Final = 40  # characters of a number
_GAP = re.compile(r"\d\s+(?=\d)")
_SPACED = re.compile(r"(?<!\d)\d{1,3}(?:\s\d{3})+(?!\d)")


def number(text: str) -> Decimal | None:
    """Return the number that a folded text is (`一百二十万`, `1亿5000万`), else None.

    Commas part thousands. `三万五` is none: it may be 35,000 or 30,005.
    """
    if len(text) > _LONGEST or any(not _THOUSANDS.fullmatch(run) for run in _COMMAS.findall(text)):
        return None
    text = text.replace(",", "").removeprefix("+")
    if point := _POINT.fullmatch(text):
        whole, part, rest = point.groups()
        text = f"{DIGITS[whole]}.{''.join(str(DIGITS[c]) for c in part)}{rest}"
    return _value(text)


def _value(text: str) -> Decimal | None:
    for unit in ("亿", "万"):
        head, found, tail = text.rpartition(unit)
        if found:
            return None if unit in head else _sum(_value(head), _POWERS[unit], tail)
    return _section(text)


def _section(text: str) -> Decimal | None:
    """Return a number below 万, or one in digits."""
    for unit in ("千", "百", "十"):
        head, found, tail = text.partition(unit)
        if found:
            ten = unit == "十" and not head
            return _sum(Decimal(1) if ten else _plain(head), _POWERS[unit], tail)
    return _plain(text)


def _sum(head: Decimal | None, unit: int, tail: str) -> Decimal | None:
    """Return head times unit, and what follows: with a unit of its own, after a zero, or a one."""
    if not head or not tail:
        return head * unit if head else None
    zero = tail[0] in "零〇"
    rest = tail[1:] if zero else tail
    clear = zero or unit == _POWERS["十"] or not _POWERS.keys().isdisjoint(rest)
    value = _value(rest) if clear and not rest.isascii() else None
    if value is None or value >= unit or head != head.to_integral_value():
        return None
    return head * unit + value


def _plain(text: str) -> Decimal | None:
    if text in DIGITS:
        return Decimal(DIGITS[text])
    return Decimal(text) if _PLAIN.fullmatch(text) else None


def apart(text: str) -> bool:
    """Tell whether a cell's digits would run together into another number once it is folded.

    So do the numbers of `50 80万`, and a note's raised or circled figure; `1 200 000` does not.
    """
    if any(unicodedata.category(c) == "No" for c in text):
        return True
    return _GAP.search(_SPACED.sub("0", unicodedata.normalize("NFKC", text))) is not None
