"""Cells of a registered contract as people write them: days, amounts, types, fields, places.

Each reader takes a cell's text and what the file calls its column, and returns (value, how the
same is written in an export). It raises ValueError with a sentence that says what would be right
and what stands there.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any, Final

from market.accounts import creditcode
from market.catalog.vocabulary import FIELDS, REGIONS
from market.deals.vocabulary import CONTRACT_TYPES, SUB_TYPES, ContractType
from market.kit import letters
from market.kit.money import FEN_PER_WAN, FEN_PER_YI, FEN_PER_YUAN, MAX_FEN, fen_to_wan
from market.registry.certificate import normalise_number, number_problem
from market.registry.past_columns import YES_OR_NO

Read = tuple[Any, str]
Reader = Callable[[str, str], Read]

FIRST_DAY: Final = date(1985, 1, 1)
"""Technology contracts have been registered since the years that follow; earlier is a slip."""
CIVIL_CODE: Final = date(2021, 1, 1)
"""民法典 863 made 技术许可 a type of its own; until then 专利实施许可 was a 技术转让."""

# GB/T 2260, the first two digits: a place without a code of its own counts for its province.
_PROVINCES: Final = {
    "北京": "11", "天津": "12", "河北": "13", "山西": "14", "内蒙古": "15", "辽宁": "21",
    "吉林": "22", "黑龙江": "23", "上海": "31", "江苏": "32", "浙江": "33", "安徽": "34",
    "福建": "35", "江西": "36", "山东": "37", "河南": "41", "湖北": "42", "湖南": "43",
    "广东": "44", "广西": "45", "海南": "46", "重庆": "50", "四川": "51", "贵州": "52",
    "云南": "53", "西藏": "54", "陕西": "61", "甘肃": "62", "青海": "63", "宁夏": "64",
    "新疆": "65", "台湾": "71", "香港": "81", "澳门": "82",
}  # fmt: skip
# Parts of a field's name that stand for it where a file shortens it.
_SHORT_FIELDS: Final = {
    "电子信息": 1,
    "航空航天": 2,
    "先进制造": 3,
    "生物医药": 4,
    "生物医药和医疗器械": 4,
    "新材料": 5,
    "新能源": 6,
    "新能源高效节能": 6,
    "环境保护": 7,
    "环境保护资源综合利用": 7,
    "资源综合利用": 7,
    "核应用": 8,
    "农业": 9,
    "现代交通": 10,
    "城市建设": 11,
    "城市建设社会发展": 11,
}
_UNITS: Final = {"亿": FEN_PER_YI, "万": FEN_PER_WAN, "千": FEN_PER_YUAN * 1000, "": FEN_PER_YUAN}
_AMOUNT = re.compile(
    r"(?:人民币|￥|¥|RMB)?(\d[\d,]{0,24}(?:\.\d{1,12})?)(?:(亿|万|千)?元|(亿|万))?整?"
)
_UNIT = re.compile(r"(亿|万|千)?元|(亿|万)(?=[)]|$)")
_DAY = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]?\d{1,2}:\d{2}(?::\d{2})?(?:\.0+)?)?"
)
_MONTH = re.compile(r"\d{4}[-/.年]\d{1,2}月?")
_ENDS = re.compile(r"(技术)?合同$")


def folded(text: str) -> str:
    """Return a text half-width and without spaces, to be compared."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if not c.isspace())


def shown(text: str) -> str:
    return f"现在是“{text[:20]}”" if text else "现在是空的"


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
    plain = unicodedata.normalize("NFKC", text).strip()
    digits = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", plain, re.ASCII)
    found = digits or _DAY.fullmatch(plain.replace(" ", "") if "年" in plain else plain)
    if found is None:
        if _MONTH.fullmatch(plain):
            raise ValueError(f"应写到哪一天，如2024-05-20，{shown(text)}")
        raise ValueError(f"应写成2024-05-20的样子，{shown(text)}")
    try:
        value = date(*(int(one) for one in found.groups()[:3]))
    except ValueError:
        raise ValueError(f"没有这一天，应为日历上的日期，{shown(text)}") from None
    if value < FIRST_DAY:
        raise ValueError(f"应在{FIRST_DAY.year}年以后，{shown(text)}")
    if value > today:
        raise ValueError(f"不能晚于今天{today}，{shown(text)}")
    return value, str(value)


def amount(text: str, heading: str) -> Read:
    plain = folded(text)
    found = _AMOUNT.fullmatch(plain)
    if found is None:
        raise ValueError(f"应为数字，如120或120.5，{shown(text)}")
    figure, yuan, bare = found.groups()
    own = bare or (yuan or "" if "元" in plain else None)
    unit = _unit(own, heading, text)
    value = Decimal(figure.replace(",", "")) * _UNITS[unit]
    if value != value.to_integral_value():
        raise ValueError(f"金额最细到分，{shown(text)}")
    if value <= 0:
        raise ValueError(f"应大于0，{shown(text)}")
    if value > MAX_FEN:
        raise ValueError(f"超过10,000亿元，请核对单位，{shown(text)}")
    return int(value), fen_to_wan(int(value))


def _unit(own: str | None, heading: str, text: str) -> str:
    """Return the unit of a cell's figure, of the cell itself or of its column's heading."""
    named = _UNIT.search(folded(heading))
    stated = None if named is None else (named[1] or named[2] or "")
    if own is None and stated is None:
        raise ValueError(
            f"请在表头或单元格里写明单位，如“合同成交额(万元)”或“120万元”，{shown(text)}"
        )
    if own is not None and stated is not None and own != stated:
        raise ValueError(
            f"表头的单位是{stated}元，这一格写的是{own}元，应写成一样的，{shown(text)}"
        )
    return own if own is not None else stated or ""


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


def field(text: str, _heading: str) -> Read:
    plain = re.sub(r"[、,，.．:：\-_与和及其]", "", folded(text))
    found = re.fullmatch(r"0?(\d{1,2})(\D*)", plain)
    if found is not None and int(found[1]) in FIELDS:
        return int(found[1]), FIELDS[int(found[1])]
    bare = plain.removesuffix("领域").removesuffix("技术")
    for key, name in FIELDS.items():
        if bare == re.sub(r"[、与和及其]", "", name).removesuffix("技术"):
            return key, name
    for short, key in _SHORT_FIELDS.items():
        if bare == re.sub(r"[和]", "", short):
            return key, FIELDS[key]
    raise ValueError(f"应为11个技术领域之一或它的序号，{shown(text)}")


def region(text: str, _heading: str) -> Read:
    plain = folded(text)
    if re.fullmatch(r"[1-9]\d{5}", plain, re.ASCII):
        return plain, plain
    for code, name in REGIONS.items():
        short = name.removeprefix("重庆市") or name
        if plain in (name, short, short.removesuffix("区"), name.replace("市", "", 1)):
            return code, code
    for name, code in _PROVINCES.items():
        if plain.startswith(name):
            return f"{code}0000", f"{code}0000"
    raise ValueError(f"应为六位行政区划代码（如500106）或省、市、区的名称，{shown(text)}")


def credit_code(text: str, _heading: str) -> Read:
    found = creditcode.normalise(text[:60])
    if 0 < len(found) <= 10:  # 组织机构代码 of before 2015: kept, but matched with nobody
        return found, found
    if (wrong := creditcode.problem(found)) is not None:
        raise ValueError(wrong)
    return found, found


def yes(text: str, _heading: str) -> Read:
    plain = folded(text).lower()
    if plain in ("是", "有", "y", "yes", "1", "true", "√"):
        return True, "是"
    if plain in ("否", "无", "不是", "n", "no", "0", "false", "×", "-"):
        return False, "否"
    raise ValueError(f"应为“是”或“否”，{shown(text)}")


def words(text: str, _heading: str, *, limit: int) -> Read:
    if (wrong := letters.problem(text)) is not None:
        raise ValueError(wrong)
    found = letters.one_line(text).strip()
    if len(found) > limit:
        raise ValueError(f"最多{limit}个字，现在是{len(found)}个字")
    return found, found


_LIMITS: Final = {"project_name": 200, "seller": 120, "buyer": 120, "registry_label": 80}
_DAYS: Final = ("registered_on", "signed_on", "begins_on", "ends_on")


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
