"""Cells of a registered contract as people write them: days, amounts, types, fields, places.

Each reader takes a cell's text and what the file calls its column, and returns (value, how the
same is written in an export). It raises ValueError with a sentence that says what would be right
and what stands there.
"""

import re
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any, Final

from market.accounts import creditcode
from market.catalog import intake_fields
from market.catalog.vocabulary import FIELDS, OTHER_DISTRICTS, REGIONS
from market.deals.vocabulary import CONTRACT_TYPES, SUB_TYPES, ContractType
from market.kit import letters
from market.kit.cells import days, places, texts
from market.kit.cells.amounts import YUAN, refuse_foreign, unit_of
from market.kit.cells.numbers import apart
from market.kit.cells.numbers import number as figure_of
from market.kit.cells.texts import folded, shown
from market.kit.money import FEN_PER_YUAN, MAX_FEN, fen_to_wan
from market.registry.certificate import normalise_number, number_problem
from market.registry.past_columns import YES_OR_NO

Read = tuple[Any, str]
Reader = Callable[[str, str], Read]

FIRST_DAY: Final = date(1985, 1, 1)
"""Technology contracts have been registered since the years that follow; earlier is a slip."""
CIVIL_CODE: Final = date(2021, 1, 1)
"""民法典 863 made 技术许可 a type of its own; until then 专利实施许可 was a 技术转让."""

_AMOUNT = re.compile(
    r"(人民币|¥|rmb|cny)?(\d[\d,]{0,24}(?:\.\d{1,12})?)"
    r"(?:((?:亿|千万|百万|万|千)?元)|(亿|万))?(?:人民币|rmb)?整?",
    re.ASCII,
)
_HOME: Final = frozenset(code[:2] for code in REGIONS if not code.endswith("0000"))
"""The provinces whose districts are told apart."""
_OTHER = re.compile(f"(?:{'|'.join(OTHER_DISTRICTS)})(?:区|县|市|[^区县]{{1,8}}自治县|$)")
_ENDS = re.compile(r"(技术)?合同$")


def number(text: str, _heading: str, *, demo: bool) -> Read:
    if re.fullmatch(r"[\d.]+[eE]\+?\d+", folded(text)):
        raise ValueError(
            f"应为16位数字（旧证14位），{shown(text)}，表格软件把它改成了科学计数，"
            "请把这一列设为文本后重新填写"
        )
    found = normalise_number(text[:60])
    if (wrong := number_problem(found, demo=demo)) is not None:
        raise ValueError(wrong)
    return found, found


def day(text: str, _heading: str, *, today: date) -> Read:
    found = days.day(text)
    if found is None:
        raise ValueError(f"应写成2024-05-20的样子，{shown(text)}")
    year, month, one = found
    if one is None:
        raise ValueError(f"应写到哪一天，如2024-05-20，{shown(text)}")
    try:
        value = date(year, month, one)
    except ValueError:
        raise ValueError(f"没有这一天，应为日历上的日期，{shown(text)}") from None
    if value < FIRST_DAY:
        raise ValueError(f"应在{FIRST_DAY.year}年以后，{shown(text)}")
    if value > today:
        raise ValueError(f"不能晚于今天{today}，{shown(text)}")
    return value, str(value)


def amount(text: str, heading: str) -> Read:
    refuse_foreign(text)
    found = None if apart(text) else _AMOUNT.fullmatch(folded(text))
    figure = figure_of(found[2]) if found else None
    if found is None or figure is None:
        raise ValueError(f"应为数字，如120或120.5，{shown(text)}")
    sign, _, yuan, bare = found.groups()
    unit = _unit(yuan or (f"{bare}元" if bare else ""), heading, text)
    value = figure * FEN_PER_YUAN * YUAN[unit]
    # A sign says 元; a figure that is no sum in 元 can only be meant in the heading's unit.
    as_yuan = figure * FEN_PER_YUAN
    if sign and not (yuan or bare) and unit != "元" and as_yuan == as_yuan.to_integral_value():
        raise ValueError(
            f"应写明单位：按“{sign.upper()}”是{found[2]}元，按表头是{found[2]}{unit}，{shown(text)}"
        )
    if value != value.to_integral_value():
        raise ValueError(f"金额最细到分，{shown(text)}")
    if value <= 0:
        raise ValueError(f"应大于0，{shown(text)}")
    if value > MAX_FEN:
        raise ValueError(f"超过10,000亿元，请核对单位，{shown(text)}")
    return int(value), fen_to_wan(int(value))


def _unit(own: str, heading: str, text: str) -> str:
    """Return the unit of a cell's figure, of the cell itself or of its column's heading."""
    stated = unit_of(heading)
    if not own and not stated:
        # Without the cell's text: it is the column's fault, told once for all its rows.
        raise ValueError(
            f"没有写单位：请把表头写成“{heading}(万元)”，或在每一格里写明，如“120万元”"
        )
    if own and stated and own != stated:
        raise ValueError(f"表头的单位是{stated}，这一格写的是{own}，应写成一样的，{shown(text)}")
    return own or stated


def contract_type(text: str, _heading: str) -> Read:
    """Return ((type, sub-type named with it), word). 专利实施许可 alone is settled by its day."""
    plain = folded(text)
    if plain.upper() in ContractType.__members__:
        kind = ContractType(plain.upper())
        return (kind, ""), CONTRACT_TYPES[kind]
    bare = re.sub(r"^[\d.、]+", "", _ENDS.sub("", plain))
    bare = re.sub(r"[(（].*[)）]$", "", bare)
    for kind, name in CONTRACT_TYPES.items():
        if bare in (name, name.removeprefix("技术")):
            return (kind, ""), name
    for kind, names in SUB_TYPES.items():
        for name in names:
            if bare in (name, f"{name}转让", name.replace("委托", "委托技术"), f"{name}合同"):
                return (kind, name), name
    if bare in ("专利许可", "专利实施许可转让", "合作技术开发"):
        kind = ContractType.DEV if "开发" in bare else ContractType.LIC
        return (kind, SUB_TYPES[kind][-1 if "开发" in bare else 0]), bare
    names_ = "、".join(CONTRACT_TYPES.values())
    raise ValueError(f"应为{names_}之一（或其细类），{shown(text)}")


def field(text: str, heading: str) -> Read:
    found = intake_fields.field(text, heading)
    return found, FIELDS[found]


def region(text: str, _heading: str) -> Read:
    found = places.read(text, REGIONS)
    if found is None:
        raise ValueError(f"应为六位行政区划代码（如500106）或省、市、区的名称，{shown(text)}")
    home = found.code.endswith("0000") and found.code[:2] in _HOME
    if found.rest and home and not _OTHER.match(found.rest):
        raise ValueError(
            "应为六位行政区划代码（如500106）或区县的全称，"
            f"认不出“{found.rest[:10]}”是哪个区县，{shown(text)}"
        )
    return found.code, found.code


def credit_code(text: str, _heading: str) -> Read:
    found = creditcode.normalise(text[:60])
    if 0 < len(found) <= 10:  # 组织机构代码 of before 2015: kept, but matched with nobody
        return found, found
    if (wrong := creditcode.problem(found)) is not None:
        raise ValueError(wrong)
    return found, found


def yes(text: str, _heading: str) -> Read:
    found = texts.yes(text, {"有"}, {"无", "-"})
    return found, "是" if found else "否"


def words(text: str, _heading: str, *, limit: int) -> Read:
    if (wrong := letters.problem(text)) is not None:
        raise ValueError(wrong)
    found = letters.one_line(text).strip()
    if len(found) > limit:
        raise ValueError(f"最多{limit}个字，现在是{len(found)}个字")
    return found, found


_LIMITS: Final = {"project_name": 200, "seller": 120, "buyer": 120, "registry_label": 80}


def readers(*, today: date, demo: bool) -> dict[str, Reader]:
    """Return the readers of those columns that are more than a text."""
    term = partial(day, today=date(2200, 1, 1))
    return {
        "number": partial(number, demo=demo),
        "registered_on": partial(day, today=today),
        "signed_on": partial(day, today=today),
        "begins_on": term,
        "ends_on": term,
        "total": amount,
        "technical": amount,
        "contract_type": contract_type,
        "field": field,
        "seller_region": region,
        "buyer_region": region,
        "seller_credit_code": credit_code,
        "buyer_credit_code": credit_code,
        "sub_type": partial(words, limit=40),
        **dict.fromkeys(YES_OR_NO, yes),
    }


def text_reader(key: str) -> Reader:
    return partial(words, limit=_LIMITS.get(key, 200))
