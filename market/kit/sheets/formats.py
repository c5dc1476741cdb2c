"""Stored numbers as a person reads them, by the cell's number format.

Excel keeps dates as days since its own zero and numbers as binary floats of which it shows 15
digits; what a cell means stands in its format code alone (ECMA-376 part 1, 18.8.30).
"""

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Final

ERROR: Final = "这一格是公式的错误值{shown}，请改正公式或直接填写内容"
NO_RESULT: Final = "这一格是公式，文件里没有存它的结果；请用Excel打开、保存后再上传"
LOST_DIGITS: Final = (
    "这一格是按数字存的长号码，Excel只留前15位，后面的已经丢了；请把这一列设为文本再填一遍"
)
NO_DATE: Final = "这一格按日期显示，但数{shown}不在1900到9999年之间；请直接写成2025-03-01的样子"
BROKEN: Final = "这一格在文件里写坏了，请重新填写并保存"

_SHOWN_DIGITS: Final = 15
_TOO_LONG: Final = 1e15  # 16 digits and more: the last ones are not what was typed
_LAST_DAY: Final = 2_958_466  # 9999-12-31, the day after
_FALSE_LEAP_DAY: Final = 60  # the 1900 system counts a 29 February 1900 that never was
_DAY: Final = 86_400
_TABLE_LOST: Final = re.compile(r"[0-9](?:\.[0-9]{1,15})?[eE]\+[0-9]{1,3}")


class Kind(Enum):
    PLAIN = 0
    DATE = 1
    MONTH = 2
    TIME = 3
    MOMENT = 4
    ELAPSED = 5
    PERCENT = 6


@dataclass(frozen=True, slots=True)
class Format:
    """How a number is shown. `digits` pads with zeros; `suffix` is a unit the format adds."""

    kind: Kind = Kind.PLAIN
    digits: int = 0
    suffix: str = ""


PLAIN: Final = Format()
_DATE, _MONTH, _TIME = Format(Kind.DATE), Format(Kind.MONTH), Format(Kind.TIME)
_MOMENT = Format(Kind.MOMENT)
# 27 to 36 and 50 to 58 are the Chinese editions' own; 27, 52 and their like show year and month.
BUILT_IN: Final[dict[int, Format]] = {
    **dict.fromkeys((9, 10), Format(Kind.PERCENT)),
    **dict.fromkeys((14, 15, 16, 28, 29, 30, 31, 36, 50, 51, 53, 54, 58), _DATE),
    **dict.fromkeys((17, 27, 52, 57), _MONTH),
    **dict.fromkeys((18, 19, 20, 21, 32, 33, 34, 35, 45, 47, 55, 56), _TIME),
    22: _MOMENT,
    46: Format(Kind.ELAPSED),
}


def format_of(code: str) -> Format:
    """Return what a format code makes of a positive number."""
    section = code[:300].split(";", 1)[0]
    elapsed = re.search(r"\[(?:h+|m+|s+)\]", section, re.IGNORECASE)
    # Conditions, colours and locales stand in brackets; what a quote or a backslash guards is text.
    bare = re.sub(r"\[[^\]]*\]", "", section)
    marks = re.sub(r'"[^"]*"|\\.|_.|\*.', "", bare).lower().replace("general", "")
    if elapsed:
        return Format(Kind.ELAPSED)
    if re.search(r"[ymdhs]", marks) and not re.search(r"[#?]", marks):
        return _calendar(marks)
    if "%" in marks:
        return Format(Kind.PERCENT)
    if re.fullmatch(r"0{2,15}", bare.strip()):
        return Format(digits=len(bare.strip()))
    unit = re.fullmatch(r'[#0,.?]*[#0?]((?:"[^"]{1,20}"|\\[^!.,]|[^\x00-\x7f])*)(?:_.)?\s*', bare)
    if unit and unit[1]:
        return Format(suffix=re.sub(r'["\\]', "", unit[1]).strip())
    return PLAIN


def _calendar(marks: str) -> Format:
    clock = "h" in marks or "s" in marks
    if "y" in marks or "d" in marks:
        if clock:
            return _MOMENT
        return _DATE if "d" in marks else (_MONTH if "m" in marks else _DATE)
    return _TIME if clock else _DATE


def number(raw: str) -> str:
    """Return a stored number without exponent, trailing zeros and float noise.

    Raises ValueError where it is none, OverflowError where it has lost digits.
    """
    if len(raw) <= _SHOWN_DIGITS and raw.isdecimal() and raw.isascii():
        return raw.lstrip("0") or "0"
    value = float(raw)
    if not abs(value) < _TOO_LONG:  # NaN and infinity too
        if not math.isfinite(value):
            raise ValueError(raw)
        raise OverflowError
    text = f"{value:.{_SHOWN_DIGITS}g}"
    if "e" in text:
        text = format(Decimal(text), "f")
    return "0" if text == "-0" else text


def shown(raw: str, how: Format, *, since_1904: bool) -> tuple[str, str]:
    """Return (text, fault) of a stored number under its format; the fault is "" or a sentence."""
    try:
        if how is PLAIN:
            return number(raw), ""
        return _formatted(raw, how, since_1904=since_1904), ""
    except OverflowError:
        return cut(float(raw)), LOST_DIGITS
    except _NoDate as error:
        return str(error), NO_DATE.format(shown=error)
    except ValueError:
        return raw[:40], BROKEN


def cut(value: float) -> str:
    """Return a number over 15 digits as Excel shows it: zeros for what it has lost."""
    return format(Decimal(f"{value:.{_SHOWN_DIGITS}g}"), "f")[:40]


def _formatted(raw: str, how: Format, *, since_1904: bool) -> str:
    if how.kind is Kind.PERCENT:
        return number(str(float(raw) * 100)) + "%"
    if how.kind is not Kind.PLAIN:
        return _moment(float(raw), how.kind, since_1904=since_1904)
    text = number(raw)
    return text.zfill(how.digits) if how.digits and text.isdigit() else text + how.suffix


def _moment(value: float, kind: Kind, *, since_1904: bool) -> str:
    """Return a serial number as date, time or both. A number outside the calendar stays one."""
    if not 0 <= value < _LAST_DAY:
        raise _NoDate(number(str(value)))
    seconds = round(value * _DAY)
    days, rest = divmod(seconds, _DAY)
    if kind is Kind.ELAPSED:
        return clock(seconds)
    if kind is Kind.TIME and days == 0:
        return clock(rest)
    if since_1904:
        zero = datetime(1904, 1, 1)  # noqa: DTZ001  a sheet's dates have no zone
    else:
        zero = datetime(1899, 12, 31 if days < _FALSE_LEAP_DAY else 30)  # noqa: DTZ001
    day = zero + timedelta(days=days)
    if kind is Kind.MONTH:
        return f"{day.year}年{day.month}月"
    date = f"{day.year:04}-{day.month:02}-{day.day:02}"
    if kind is Kind.DATE or (kind is Kind.TIME and not rest):
        return date
    return f"{date} {clock(rest)}" if rest else date


def clock(seconds: int) -> str:
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}" + (f":{second:02}" if second else "")


class _NoDate(Exception):
    """A number under a date's format that is no day; carries what it is."""


def believed(text: str) -> str:
    """Return what is wrong with a text that Excel made of a long number, "" for any other.

    A table saved as CSV holds 9.15001E+17 where 915001… stood.
    """
    return LOST_DIGITS if _TABLE_LOST.fullmatch(text) else ""
