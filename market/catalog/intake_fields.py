"""The eleven fields as people write them: names, short names and numbers."""

import re
from typing import Final

from market.catalog.vocabulary import FIELDS
from market.kit.cells.texts import folded, shown

_SHORT: Final = {
    1: ("信息技术", "软件", "人工智能", "集成电路", "大数据", "物联网"),
    2: ("航空", "航天"),
    3: ("智能制造", "装备制造", "高端装备", "机械制造"),
    4: ("生物医药", "生物", "医疗器械", "医药", "医疗健康"),
    5: ("新材料", "材料"),
    6: ("新能源", "高效节能", "节能", "新能源与节能"),
    7: ("环境保护", "环保", "资源综合利用", "资源与环境"),
    8: ("核技术",),
    9: ("现代农业", "农林"),
    10: ("交通", "轨道交通", "交通运输"),
    11: ("城市建设", "社会发展"),
}
_LISTED: Final = "；".join(f"{key} {name}" for key, name in FIELDS.items())
_BETWEEN = re.compile("[、,。.·与和及其]")
_NUMBERED = re.compile(r"\(?0?(\d{1,2})[.、,)\]:_-]*(\D*)", re.ASCII)


def _plain(text: str) -> str:
    """Return a name without what joins its words and the words 领域 and 技术 at its end."""
    return _BETWEEN.sub("", folded(text)).removesuffix("领域").removesuffix("技术")


_NAMES: Final = {_plain(name): key for key, name in FIELDS.items()} | {
    _plain(name): key for key, names in _SHORT.items() for name in names
}


def field(text: str, _heading: str) -> int:
    """Return the field's number. A name after a number must be the same field's.

    Raises ValueError with a sentence for people.
    """
    found = _NUMBERED.fullmatch(folded(text))
    name = found[2] if found else text
    named = _NAMES.get(_plain(name))
    numbered = int(found[1]) if found else named
    if numbered in FIELDS and (not name or named == numbered):
        return numbered
    if named is not None and numbered in FIELDS:
        raise ValueError(f"序号和名称应为同一个领域，{numbered}是{FIELDS[numbered]}，{shown(text)}")
    raise ValueError(f"应为11个技术领域之一或它的序号，{shown(text)}。{_LISTED}")
