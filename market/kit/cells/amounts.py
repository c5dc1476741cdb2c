"""The unit that a heading gives its figures; sums in another currency are not read as ours."""

import re
from functools import lru_cache
from typing import Final

from market.kit.cells.texts import folded, shown

YUAN: Final = {
    "元": 1,
    "千元": 10**3,
    "万元": 10**4,
    "百万元": 10**6,
    "千万元": 10**7,
    "亿元": 10**8,
}
"""The units of sums, in 元."""

_LONGEST: Final = 200  # characters of a heading that are looked at
_FOREIGN = re.compile(
    "美元|美金|欧元|日元|日圆|港元|港币|港圆|英镑|韩元|韩圆|澳元|澳币|加元|新加坡元|澳门元|台币"
    "|卢布|卢比|法郎|泰铢|外币|外汇|us\\$|hk\\$|usd|eur(?!o)|euro|hkd|jpy|gbp|krw|aud(?!i)"
    "|cad(?![a-z])|sgd|chf|twd|mop(?![a-z])|[$€£₩₽₹]"
)
# A unit ends the heading or its part; 元 of 元件 or 单元 is none.
_UNIT = re.compile(
    r"(?:([十百千万亿]+|(?<![a-z])[a-z])?元|([百千万亿]+|(?<![a-z])w))"
    r"(?=整|人民币|rmb|cny|每|[)\]】/,;:、.*-]|$)"
)


def refuse_foreign(text: str, where: str = "") -> None:
    """Raise ValueError with a sentence where a text names a currency other than 人民币."""
    if (found := _FOREIGN.search(folded(text))) is not None:
        named = f"{where}写的是{found[0].upper()}，" if where else ""
        raise ValueError(f"应为人民币，{named}请换算成人民币再导入，{shown(text)}")


@lru_cache(64)  # asked of every cell of a column
def unit_of(heading: str) -> str:
    """Return the unit of YUAN that a column's heading names, "" where it names none.

    Raises ValueError with a sentence where that is another currency, no unit known, or two.
    """
    refuse_foreign(heading, "表头")
    found = set()
    for yuan, bare in _UNIT.findall(folded(heading)[:_LONGEST]):
        size = (yuan or bare).replace("w", "万")
        found.add(f"{size}元")
    if found <= YUAN.keys() and len(found) <= 1:
        return found.pop() if found else ""
    units = "、".join(YUAN)
    raise ValueError(f"表头的单位应为{units}中的一个，{shown(heading)}")
