"""What people write in the cells of a table, read as the values of a listing.

Every reader takes the trimmed text of a cell and raises ValueError with a sentence that says what
would be right and what stands there. The rules are told to people in `docs/imports.md`.
"""

import re
import unicodedata
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from market.catalog.vocabulary import FIELDS, MATURITY, REGIONS, Mode, PriceBasis, PriceForm
from market.kit.money import FEN_PER_YI, FEN_PER_YUAN, MAX_FEN

_SHOWN = 20
_NOTHING = frozenset({"-", "--", "—", "——", "/", "\\", "无", "暂无", "n/a", "na", "null", "不详"})

Read = Callable[[str, str], Any]
"""A reader gets the cell's text and the heading of its column."""


def folded(text: str) -> str:
    """Return a text without differences of width, spaces and case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower()


def is_nothing(text: str) -> bool:
    """Tell whether a cell says that there is nothing to say."""
    return folded(text) in _NOTHING


def _wrong(should: str, text: str) -> ValueError:
    return ValueError(f"{should}，现在是“{text[:_SHOWN]}”")


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


# Numbers

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_SMALL = {"十": 10, "百": 100, "千": 1000}
_LARGE = {"万": 10**4, "亿": 10**8}
_TOKEN = re.compile(r"\d+(?:\.\d+)?|.")


def number(text: str) -> Decimal | None:
    """Return a number in digits, in Chinese words or both (`一百二十万`, `1.5亿`), else None."""
    text = re.sub(r"[,，](?=\d)", "", text).removeprefix("+")
    if point := re.fullmatch(
        r"([零〇一二两三四五六七八九])点([零〇一二三四五六七八九]+)(.*)", text
    ):
        whole, part, rest = point.groups()
        text = f"{_DIGITS[whole]}.{''.join(str(_DIGITS[c]) for c in part)}{rest}"
    total, section, last = Decimal(0), Decimal(0), None
    for token in _TOKEN.findall(text):
        if token[0].isdigit() and token.isascii():
            if last is not None:
                return None
            last = Decimal(token)
        elif token in _DIGITS:
            if last:
                return None
            last = Decimal(_DIGITS[token])
        elif token in _SMALL:
            section += (Decimal(1) if last is None else last) * _SMALL[token]
            last = None
        elif token in _LARGE:
            total = (total + section + (last or 0)) * _LARGE[token]
            section, last = Decimal(0), None
        else:
            return None
    return None if not text else total + section + (last or 0)


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
_NOT_YET = re.compile("未|尚|待|拟|准备|计划|非|没|不")
_LEVEL = re.compile(
    r"(?:trl|第)?(\d{1,2}|[一二三四五六七八九])(?:[-~—–至到](?:\d|[一二三四五六七八九]))?级?(.*)"
)
_LEVEL_WORDS = "应为1到9的级别，如7级，也可写小试、中试、量产"


def _level(text: str, _heading: str) -> int:
    """Return the level: its number, its name, or the stage that people say (the rule: _STAGES).

    Of a range the lower one, which is what has been reached.
    """
    plain = folded(text)
    for level, name in MATURITY.items():
        if folded(name) == plain:
            return level
    if (found := _LEVEL.fullmatch(plain)) and not found[2].isdigit():
        figure = found[1]
        return _DIGITS[figure] if figure in _DIGITS else int(figure)
    levels = {int(str(one.lastgroup)[1:]) for one in _STAGE.finditer(plain)}
    if len(levels) != 1 or _NOT_YET.search(plain):
        raise _wrong(_LEVEL_WORDS, text)
    return levels.pop()


# Names with a number or code

_FIELD_WORDS = {
    1: ("电子信息", "信息技术", "软件", "人工智能", "集成电路", "大数据", "物联网"),
    2: ("航空航天", "航空", "航天"),
    3: ("先进制造", "智能制造", "装备制造", "高端装备", "机械制造"),
    4: ("生物医药", "生物、医药和医疗器械", "生物技术", "医疗器械", "医药", "医疗健康"),
    5: ("新材料", "材料"),
    6: ("新能源", "高效节能", "节能", "新能源与节能"),
    7: ("环境保护", "环保", "节能环保", "资源综合利用", "资源与环境"),
    8: ("核应用", "核技术"),
    9: ("农业", "现代农业", "农林"),
    10: ("现代交通", "交通", "轨道交通", "交通运输"),
    11: ("城市建设", "社会发展", "城市建设与社会发展"),
}


def _field(text: str, _heading: str) -> int:
    plain = re.sub(r"^\d{1,2}[.、)\]:-](?=\D)", "", folded(text))
    for figure, name in FIELDS.items():
        words = {str(figure), folded(name), *map(folded, _FIELD_WORDS[figure])}
        if (
            plain in words
            or plain.removesuffix("技术") in words
            or plain.removesuffix("领域") in words
        ):
            return figure
    raise _wrong("应为11个技术领域之一或它的序号", text)


def _region(text: str, _heading: str) -> str:
    plain = folded(text)
    if re.fullmatch(r"[0-9]{6}", plain):
        return plain
    for code, name in REGIONS.items():
        short = name.removeprefix("重庆市")
        names = {name, short, "重庆" + short, name[:-1], short[:-1], "重庆" + short[:-1]}
        if plain in {one for one in names if len(one) > 1}:
            return code
    raise _wrong("应为六位行政区划代码，如500106", text)


_YES = frozenset(
    {"是", "1", "true", "yes", "y", "√", "✓", "✔", "对", "有", "保密", "隐去", "匿名", "需要"}
)
_NO = frozenset(
    {"否", "0", "false", "no", "n", "×", "x", "✗", "✘", "不", "公开", "不需要", "不隐去"}
)


def _yes(text: str, _heading: str) -> bool:
    plain = folded(text)
    if plain in _YES:
        return True
    if plain in _NO:
        return False
    raise _wrong("应为“是”或“否”", text)


# Days

_DAY = re.compile(
    r"(\d{4})[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月?)(?:t?\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?z?)?"
)
_CLOSE = re.compile(
    r"(\d{4})年?(?:(底|末|年底|年末|上半年|下半年)|第?(?:q([1-4])|([一二三四1-4])季度))?"
)
_CHINESE_DAY = re.compile(r"[零〇一二三四五六七八九]{4}年")
_DAY_WORDS = "应写成2026-11-20的样子"
_SERIAL = (20_000, 80_000)  # a spreadsheet's days: 1954 to 2119
_OPEN = frozenset({"长期", "长期有效", "不限", "无期限", "常年", "随时"})


def _day(text: str, _heading: str) -> str:
    """Return the day; of a month, quarter or year its last one, until which a deadline runs."""
    plain = folded(text)
    if plain in _OPEN:
        return ""
    if _CHINESE_DAY.match(plain):
        plain = re.sub("[零〇一二三四五六七八九十]+", _chinese_part, plain)
    if re.fullmatch(r"[0-9]{8}", plain):
        plain = f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    if re.fullmatch(r"[0-9]{5}", plain) and _SERIAL[0] < int(plain) < _SERIAL[1]:
        return (date(1899, 12, 30) + timedelta(days=int(plain))).isoformat()
    if found := _DAY.fullmatch(plain):
        year, month = int(found[1]), int(found[2])
        if not 1 <= month <= 12 or not year >= 1900:
            raise _wrong(_DAY_WORDS, text)
        day = int(found[3]) if found[3] else monthrange(year, month)[1]
        return f"{year}-{month:02}-{day:02}"
    if (found := _CLOSE.fullmatch(plain)) and found[1] >= "1900":
        year, part = int(found[1]), found[3] or found[4] or ""
        quarter = int(_DIGITS.get(part, part)) if part else (2 if found[2] == "上半年" else 4)
        month = 3 * quarter
        return f"{year}-{month:02}-{monthrange(year, month)[1]:02}"
    raise _wrong(_DAY_WORDS, text)


def _chinese_part(found: re.Match[str]) -> str:
    if len(found[0]) == 4 and not set(found[0]) & {"十"}:
        return "".join(str(_DIGITS[c]) for c in found[0])
    value = number(found[0])
    return found[0] if value is None else str(int(value))


# Prices

_FIGURE = (
    r"(?:人民币|rmb|约|¥|￥)*([0-9零〇一二两三四五六七八九十百千万亿点.,]{1,20}?)"
    r"(万元|亿元|万|亿|w|元)?整?"
)
_PER = r"(?:/|每)(年|件|台|套|个|次|项|吨)"
_PRICE = re.compile(
    rf"(不低于|不少于|至少|不超过|不高于|至多|最多|每年|年费)?{_FIGURE}(?:[-~—–至到]+{_FIGURE})?"
    rf"(起|以上|及以上|以内|以下|及以下|之内)?(?:{_PER})?(起|以上|以内|以下)?(?:左右)?"
)
_PRICE_WORDS = "应写成80万元、50～80万元、80万元起、40万元以内或面议的样子"
_OPEN_PRICES = frozenset(
    {
        "面议",
        "面谈",
        "价格面议",
        "议价",
        "待议",
        "可议",
        "另议",
        "电议",
        "协商",
        "双方协商",
        "协商确定",
        "待定",
    }
)
_FROM = frozenset({"不低于", "不少于", "至少", "起", "以上", "及以上"})
_UP_TO = frozenset({"不超过", "不高于", "至多", "最多", "以内", "以下", "及以下", "之内"})
_UNITS = {"元": 1, "万元": 10**4, "万": 10**4, "w": 10**4, "亿元": 10**8, "亿": 10**8}
_CURRENCY = re.compile("¥|rmb")
PLAUSIBLE_FEN = 10**9 * FEN_PER_YUAN
"""Above this a price must be written in 亿元: it is as a rule 元 under a heading of 万元."""


def _price(text: str, heading: str) -> dict[str, Any]:
    """Return the price of a cell; a heading like 价格（万元） gives bare figures their unit.

    A sign of the currency says 元, so such a figure under a heading of 万元 is not guessed at.
    """
    plain = folded(text)
    word, slash, per_word = plain.partition("/")
    if word in _OPEN_PRICES:
        basis = {"年": PriceBasis.YEAR, "件": PriceBasis.UNIT}.get(per_word, PriceBasis.TOTAL)
        return {"form": PriceForm.NONE, "basis": basis if slash else PriceBasis.TOTAL}
    found = _PRICE.fullmatch(plain)
    if found is None:
        raise _wrong(_PRICE_WORDS, text)
    before, first, first_unit, second, second_unit, early, per, late = found.groups()
    said = second_unit or first_unit
    unit = said or _unit_of(heading, (first, second))
    if not said and _CURRENCY.search(plain) and _UNITS.get(unit, 1) > 1:
        raise _wrong(f"应写明单位：按“¥”是{first}元，按表头是{first}{unit}，请写全其中一个", text)
    if not unit:
        raise _wrong("请写明单位，如80万元", text)
    yearly = before in ("每年", "年费") or per == "年"
    basis = PriceBasis.YEAR if yearly else PriceBasis.UNIT if per else PriceBasis.TOTAL
    low = _fen(first, first_unit or unit, text)
    price = {"form": PriceForm.FIXED, "basis": basis, "low_fen": low, "high_fen": low}
    if second is not None:
        return price | {
            "form": PriceForm.RANGE,
            "high_fen": _fen(second, second_unit or unit, text),
        }
    bounds = {before, early, late}
    if bounds & _FROM:
        return price | {"form": PriceForm.FROM, "high_fen": None}
    if bounds & _UP_TO:
        return price | {"form": PriceForm.UP_TO, "low_fen": None}
    return price


def _unit_of(heading: str, figures: tuple[str | None, ...]) -> str:
    """Return the unit of figures that name none: the heading's, or that their own words imply."""
    plain = folded(heading)
    for unit in ("万", "亿"):
        if unit in plain:
            return f"{unit}元"
    if "元" in plain or any("万" in one or "亿" in one for one in figures if one):
        return "元"
    return ""


def _fen(figure: str, unit: str, text: str) -> int:
    value = number(figure)
    if value is None:
        raise _wrong(_PRICE_WORDS, text)
    amount = value * _UNITS[unit] * FEN_PER_YUAN
    if amount > MAX_FEN:
        raise _wrong("金额太大", text)
    if amount > PLAUSIBLE_FEN and "亿" not in text:
        yi = f"{amount / FEN_PER_YI:f}"
        yi = yi.rstrip("0").rstrip(".") if "." in yi else yi
        raise _wrong(f"应不超过10亿元，请核对单位；确是这么多的，请写成{yi}亿元", text)
    if amount != amount.to_integral_value():
        raise ValueError("金额最细到分")
    return int(amount)


READERS: dict[str, Read] = {
    "keywords": items,
    "modes": _modes,
    "maturity_level": _level,
    "need_maturity": _level,
    "field": _field,
    "region": _region,
    "deadline": _day,
    "masked": _yes,
    "price": _price,
}
