"""Prices and budgets as people write them, in fen; what can be meant in two ways is refused."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Any

from market.catalog.vocabulary import PriceBasis, PriceForm
from market.kit.cells.amounts import YUAN, refuse_foreign, unit_of
from market.kit.cells.numbers import apart, number
from market.kit.cells.texts import folded, shown
from market.kit.money import FEN_PER_YI, FEN_PER_YUAN, MAX_FEN

PLAUSIBLE_FEN = 10**9 * FEN_PER_YUAN
"""Above this a price must be written in 亿元: it is as a rule 元 under a heading of 万元."""

_SUM = (
    r"(?:人民币|rmb|cny|约|¥)*([0-9零〇一二两三四五六七八九十百千万亿点.,]{1,24}w?)"
    r"(元)?(?:人民币|rmb)?整?"
)
_PER = r"(?:/|每)(年|件|台|套|个|次|项|吨)"
_PRICE = re.compile(
    rf"(不低于|不少于|至少|不超过|不高于|至多|最多|每年|年费)?{_SUM}(?:[-~—–至到]+{_SUM})?"
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
_YEARLY = frozenset({"每年", "年费"})
_PER_OF_HEADING = re.compile(r"(?:元|万|亿|w)\)?(?:/|每)(?!人民币)([^/)\],，;]+)|(每年|年费)")
_CURRENCY = re.compile("¥|rmb|cny|人民币")
_SIZES = re.compile("[十百千万亿]+$")
_LARGE = re.compile("[万亿]+$")


def _wrong(should: str, text: str) -> ValueError:
    return ValueError(f"{should}，{shown(text)}")


def price(text: str, heading: str) -> dict[str, Any]:
    """Return the price of a cell; a heading like 价格（万元） gives bare figures their unit.

    A sign of the currency says 元, so such a figure under a heading of 万元 is not guessed at.
    Raises ValueError with a sentence for people.
    """
    plain = folded(text)
    word, slash, per_word = plain.partition("/")
    if word in _OPEN_PRICES:
        basis = {"年": PriceBasis.YEAR, "件": PriceBasis.UNIT}.get(per_word, PriceBasis.TOTAL)
        return {"form": PriceForm.NONE, "basis": basis if slash else PriceBasis.TOTAL}
    refuse_foreign(text)
    found = None if apart(text) else _PRICE.fullmatch(plain)
    if found is None:
        raise _wrong(_PRICE_WORDS, text)
    before, first, yuan, second, also_yuan, early, per, late = found.groups()
    low, high = _both(_Sum(first, yuan), None if second is None else _Sum(second, also_yuan), text)
    low_fen = low.fen(heading, text)
    fixed = {"basis": _basis(before, per, heading, text), "low_fen": low_fen, "high_fen": low_fen}
    bounds = {before, early, late} - _YEARLY - {None}
    if len({one in _FROM for one in bounds}) > 1 or (bounds and high is not None):
        raise _wrong(_PRICE_WORDS, text)
    if high is not None:
        return fixed | {"form": PriceForm.RANGE, "high_fen": high.fen(heading, text)}
    if bounds & _FROM:
        return fixed | {"form": PriceForm.FROM, "high_fen": None}
    if bounds & _UP_TO:
        return fixed | {"form": PriceForm.UP_TO, "low_fen": None}
    return fixed | {"form": PriceForm.FIXED}


def _basis(before: str | None, per: str | None, heading: str, text: str) -> PriceBasis:
    """Return what a price is for: by the cell, else by a heading like 价格（万元/年）."""
    if before in _YEARLY:
        if per not in (None, "年"):
            raise _wrong(_PRICE_WORDS, text)
        return PriceBasis.YEAR
    per = per or _per_of(heading)
    if per and not re.fullmatch(_PER, f"/{per}"):
        raise _wrong(f"表头的价格按{per[:10]}计，应按年、件（台、套、次、吨）计或写总价", text)
    if not per:
        return PriceBasis.TOTAL
    return PriceBasis.YEAR if per == "年" else PriceBasis.UNIT


@lru_cache(64)  # asked of every cell of a column
def _per_of(heading: str) -> str:
    """Return what a heading says its prices are for, "" where it does not say."""
    found = _PER_OF_HEADING.search(folded(heading)[:200])
    return "" if found is None else found[1] or "年"


class _Sum:
    """One figure of a price: `body` in digits and words of size, `own` where it says its unit."""

    def __init__(self, body: str, yuan: str | None) -> None:
        self.body = body.replace("w", "万")
        self.yuan = bool(yuan)
        self.own = self.yuan or "万" in body or "亿" in body or "w" in body

    def fen(self, heading: str, text: str) -> int:
        unit = unit_of(heading)
        if not self.own and not unit:
            raise _wrong("请写明单位，如80万元", text)
        value = number(self.body)
        if value is None:
            raise _wrong(_PRICE_WORDS, text)
        if not self.own and unit != "元":
            sign = _CURRENCY.search(folded(text))
            if sign or (self.body[0].isdigit() and _SIZES.search(self.body)):
                by = f"按“{sign[0].upper()}”" if sign else "按这一格"
                raise _wrong(
                    f"应写明单位：{by}是{self.body}元，按表头是{self.body}{unit}，请写全其中一个",
                    text,
                )
            value *= YUAN[unit]
        return _fen(value * FEN_PER_YUAN, text)


def _both(low: _Sum, high: _Sum | None, text: str) -> tuple[_Sum, _Sum | None]:
    """Return both ends of a range; the one that says no unit has the other's."""
    if high is None:
        return low, None
    if not low.own:
        low = _as_far(low, high, text)
    elif not high.own:
        high = _as_far(high, low, text)
    return low, high


def _as_far(bare: _Sum, other: _Sum, text: str) -> _Sum:
    """Return a figure in the size of the other: in `5-8千元` 5 is 5千.

    `五到八百万` may begin at 5万 or at 500万, and is refused.
    """
    sized = _SIZES.search(bare.body) is not None
    found = (_LARGE if sized else _SIZES).search(other.body)
    size = found[0] if found else ""
    left = other.body.removesuffix(size)
    words = not left or not left.isascii()
    if _LARGE.search(left.strip("0123456789.")) or (
        not sized and words and (size == "十" or (len(size) > 1 and size[0] in "十百千"))
    ):
        raise _wrong("应写明两个数各自的单位，如500～800万元", text)
    return _Sum(bare.body + size, "元" if other.yuan else None)


def _fen(amount: Decimal, text: str) -> int:
    if amount > MAX_FEN:
        raise _wrong("金额太大", text)
    if amount > PLAUSIBLE_FEN and "亿" not in text:
        yi = f"{amount / FEN_PER_YI:f}"
        yi = yi.rstrip("0").rstrip(".") if "." in yi else yi
        raise _wrong(f"应不超过10亿元，请核对单位；确是这么多的，请写成{yi}亿元", text)
    if amount != amount.to_integral_value():
        raise ValueError("金额最细到分")
    return int(amount)
