"""What people write in the cells of a table, read as the values of a listing.

Every reader takes the trimmed text of a cell and raises ValueError with a sentence that says what
would be right and what stands there. The rules are told to people in `docs/imports.md`.
"""

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from market.catalog.intake_fields import field
from market.catalog.intake_prices import price
from market.catalog.vocabulary import MATURITY, REGIONS, Mode
from market.kit.cells import days, places
from market.kit.cells.numbers import DIGITS, number
from market.kit.cells.texts import folded, shown, yes

_NOTHING = frozenset({"-", "--", "—", "——", "/", "\\", "无", "暂无", "n/a", "na", "null", "不详"})

Read = Callable[[str, str], Any]
"""A reader gets the cell's text and the heading of its column."""


def is_nothing(text: str) -> bool:
    """Tell whether a cell says that there is nothing to say."""
    return folded(text) in _NOTHING


def _wrong(should: str, text: str) -> ValueError:
    return ValueError(f"{should}，{shown(text)}")


# Lists

_QUOTED = re.compile(r'"((?:[^"]|"")*)"|([^、,，;；|\n"]+)')
_SEPARATORS = re.compile(r'[、,，;；|\n"\s]')
_CJK = re.compile("[\u4e00-\u9fff]")


def items(text: str, _heading: str = "") -> list[str]:
    """Return the items of a list; one in double quotes may hold what else would part it."""
    found = [(one[1] or one[0].replace('""', '"')).strip() for one in _QUOTED.findall(text)]
    if len(found) == 1 and '"' not in text and _CJK.search(text):
        found = found[0].split()
    return [one for one in found if one]


def joined(values: Sequence[str]) -> str:
    """Return a list as `items` reads it back."""
    return "、".join(
        '"' + one.replace('"', '""') + '"' if _SEPARATORS.search(one) else one for one in values
    )


_MODES = {
    "转让": Mode.PATENT_ASSIGNMENT,
    "专利权转让": Mode.PATENT_ASSIGNMENT,
    "技术转让": Mode.PATENT_ASSIGNMENT,
    "独占": Mode.SOLE,
    "独占实施许可": Mode.SOLE,
    "排他": Mode.EXCLUSIVE,
    "排他实施许可": Mode.EXCLUSIVE,
    "许可": Mode.PLAIN,
    "专利许可": Mode.PLAIN,
    "技术许可": Mode.PLAIN,
    "普通": Mode.PLAIN,
    "普通实施许可": Mode.PLAIN,
    "许可使用": Mode.PLAIN,
    "合作": Mode.JOINT,
    "技术合作": Mode.JOINT,
    "合作研发": Mode.JOINT,
    "共同开发": Mode.JOINT,
    "联合开发": Mode.JOINT,
    "联合研发": Mode.JOINT,
    "入股": Mode.EQUITY,
    "技术入股": Mode.EQUITY,
    "作价入股": Mode.EQUITY,
    "股权合作": Mode.EQUITY,
    "其它": Mode.OTHER,
}


def _modes(text: str, _heading: str) -> list[str]:
    parts = [part for one in items(text) for part in re.split(r"[/+和及或]", one) if part.strip()]
    return [str(_MODES.get(folded(part), part.strip())) for part in parts]


# Maturity

_STAGES = {
    9: "量产|批量生产|规模化生产|产业化|已应用|实际应用|推广应用|市场化|商业化|已投产",
    8: "小批量|试生产|试产|试用|示范应用|示范工程",
    7: "工程样机|工程化|工业性试验",
    6: "中试|样机|原型机",
    5: "样品|模拟环境",
    4: "实验室|小试",
    3: "可行性|在研|研发阶段|研发中|研制阶段|开发阶段",
    2: "概念|构想|设想|构思|方案设计",
    1: "基本原理|基础研究|理论研究",
}
_STAGE = re.compile("|".join(f"(?P<l{n}>{words})" for n, words in _STAGES.items()))
_NEXT = "(?=小试|中试|样机|样品|量产|批量|规模|产业|商业|市场|推广|应用|投产|试产|试用)"
_NOT_YET = re.compile(
    "未|尚|待|拟|准备|计划|非|没|不|将|预计|预期|期望|目标|争取|力争|希望|有望|能够|可以|具备|条件|潜力"
    f"|(?:可|能|需|无){_NEXT}|(?<!目)前(?!沿)|正在(?=研|开发|试制|建|筹)|在建|建设|筹建|年底|年内|明年"
    "|失败|暂停|终止|以下|以内|小于|低于|接近|<"
)
_FIGURE = "([1-9一二三四五六七八九])"
_LEVEL = re.compile(
    rf"(trl[-:=]?|第)?{_FIGURE}(?:级?[-~—–至到](?:trl-?)?{_FIGURE})?(?![0-9])(级)?(.*)", re.DOTALL
)
_SAID = re.compile(r"(?:trl[-:=]?|等级)([\d.]+)|([\d.]+|[一二三四五六七八九十百]+)级")
_BEFORE_STAGE = re.compile(rf"{_FIGURE}[.、:-]?(?=({_STAGE.pattern}))")
_LEVEL_END = re.compile(r"$|[(\[【,;:。、]|以上|及以上|阶段|水平")
_LONGEST = 200  # characters in which a level is looked for
_LEVEL_WORDS = "应为1到9的级别，如7级，也可写小试、中试、量产"


def _level(text: str, _heading: str) -> int:
    """Return the level: its number, its name, or the stage that people say (the rule: _STAGES).

    Of a range the lower one, which is what has been reached. A text that says two is refused.
    """
    plain = folded(text)
    if re.fullmatch(r"[0-9]{1,2}级?", plain):  # beyond 1 to 9 the form refuses it
        return int(plain.removesuffix("级"))
    for level, name in MATURITY.items():
        if re.fullmatch(rf"(?:{level}[级.、:-]*)?{folded(name)}", plain):
            return level
    if len(plain) > _LONGEST:
        raise _wrong(_LEVEL_WORDS, text)
    stages = {int(str(one.lastgroup)[1:]) for one in _STAGE.finditer(plain)}
    told: set[int | Decimal | None] = {number(one[1] or one[2]) for one in _SAID.finditer(plain)}
    found = _LEVEL.fullmatch(plain)
    leading = _leading(found, stages) if found else None
    if found is None or leading is None:
        told |= stages
    else:
        told -= {_figure(one) for one in found.groups()[1:3] if one}
        told.add(leading)
    if (before := _BEFORE_STAGE.match(plain)) and len(stages) == 1:
        told.add(_figure(before[1]))  # 7中试: a level, and the stage of another
    only = told.pop() if len(told) == 1 else None
    if only is None or only not in MATURITY or _NOT_YET.search(plain):
        raise _wrong(_LEVEL_WORDS, text)
    return int(only)


def _leading(found: re.Match[str], stages: set[int]) -> int | None:
    """Return the level with which a text begins, None where its figure counts something else."""
    before, first, last, level, rest = found.groups()
    lowest = min(_figure(one) for one in (first, last) if one)
    if (before or "").startswith("trl"):
        return None if rest[:1] in tuple("./") else lowest
    if level:
        words = first in DIGITS and not before  # 三级医院试用 counts something else
        return lowest if not words or _LEVEL_END.match(rest) or lowest in stages else None
    return lowest if not before and (not rest or rest[0] in "([【") else None


def _figure(text: str) -> int:
    return DIGITS[text] if text in DIGITS else int(text)


def _region(text: str, _heading: str) -> str:
    found = places.read(text, REGIONS)
    if found is None or found.rest:
        raise _wrong("应为六位行政区划代码，如500106", text)
    return found.code


_HIDDEN = frozenset({"有", "保密", "隐去", "匿名", "需要"})
_OPEN = frozenset({"公开", "不需要", "不隐去"})


def _masked(text: str, _heading: str) -> bool:
    return yes(text, _HIDDEN, _OPEN)


# Days

_CLOSE = re.compile(
    r"(\d{4})年?(?:(底|末|年底|年末|上半年|下半年)|第?(?:q([1-4])|([一二三四1-4])季度))?"
)
_DAY_WORDS = "应写成2026-11-20的样子"
_SERIAL = (36_525, 80_000)  # a spreadsheet's days, 2000 to 2119; 20273 is a slip for 2027-3
_YEARS = range(1900, 2200)  # 2612 is a slip for 2026-12
_NO_END = frozenset({"长期", "长期有效", "不限", "无期限", "常年", "随时"})


def _day(text: str, _heading: str) -> str:
    """Return the day; of a month, quarter or year its last one, until which a deadline runs."""
    plain = folded(text)
    if plain in _NO_END:
        return ""
    if re.fullmatch(r"[0-9]{5}", plain) and _SERIAL[0] < int(plain) < _SERIAL[1]:
        return (date(1899, 12, 30) + timedelta(days=int(plain))).isoformat()
    if (written := days.day(text)) is not None:
        year, month, one = written
        if not 1 <= month <= 12 or year not in _YEARS:
            raise _wrong(_DAY_WORDS, text)
        last = monthrange(year, month)[1] if one is None else one
        return f"{year}-{month:02}-{last:02}"
    plain = days.in_digits(plain)
    if (found := _CLOSE.fullmatch(plain)) and int(found[1]) in _YEARS:
        year, part = int(found[1]), found[3] or found[4] or ""
        quarter = int(DIGITS.get(part, part)) if part else (2 if found[2] == "上半年" else 4)
        month = 3 * quarter
        return f"{year}-{month:02}-{monthrange(year, month)[1]:02}"
    raise _wrong(_DAY_WORDS, text)


READERS: dict[str, Read] = {
    "keywords": items,
    "modes": _modes,
    "maturity_level": _level,
    "need_maturity": _level,
    "field": field,
    "region": _region,
    "deadline": _day,
    "masked": _masked,
    "price": price,
}
