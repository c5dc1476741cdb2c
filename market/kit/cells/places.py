"""Places by name: the provinces of GB/T 2260, and those places that a caller names."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from market.kit.cells.texts import folded

_PROVINCES: Final = {
    "北京": "11", "天津": "12", "河北": "13", "山西": "14", "内蒙古": "15", "辽宁": "21",
    "吉林": "22", "黑龙江": "23", "上海": "31", "江苏": "32", "浙江": "33", "安徽": "34",
    "福建": "35", "江西": "36", "山东": "37", "河南": "41", "湖北": "42", "湖南": "43",
    "广东": "44", "广西": "45", "海南": "46", "重庆": "50", "四川": "51", "贵州": "52",
    "云南": "53", "西藏": "54", "陕西": "61", "甘肃": "62", "青海": "63", "宁夏": "64",
    "新疆": "65", "台湾": "71", "香港": "81", "澳门": "82",
}  # fmt: skip
_LONGEST: Final = 60  # characters of a place
_CODES: Final = frozenset(_PROVINCES.values())
_PROVINCE = re.compile(
    f"({'|'.join(_PROVINCES)})"
    "((?<=北京|天津|上海|重庆)市|省|(?:壮族|回族|维吾尔)?自治区|特别行政区)?(.*)"
)
_WHOLE = re.compile(r"([^区县市]{2,}[区县])([^区县]+)")
# 海南州 lies in 青海, 河北区 in 天津, 北京路 and 西藏民族大学 anywhere; 四川、重庆 are two.
_ELSEWHERE = re.compile("[区州县旗路街]|藏族|蒙古")
_NO_PLACE = re.compile("(?:大学|学院|公司|集团|路|街|道)$")
_SEVERAL = re.compile("[^\u4e00-\u9fff0-9a-z()-]|外$|等")


@dataclass(frozen=True, slots=True)
class Place:
    """A place by its code; `rest` is what the text says beyond the name that was known."""

    code: str
    rest: str


def read(text: str, names: Mapping[str, str]) -> Place | None:
    """Return the place that a text names, None where that is not certain.

    `names` are full names by code (`500106` 重庆市沙坪坝区): known with and without their
    province and their last letter. Of another place its province is known, with a rest.
    """
    plain = folded(text)
    if len(plain) > _LONGEST:
        return None
    if re.fullmatch(r"\d{6}", plain, re.ASCII):
        return Place(plain, "") if plain[:2] in _CODES else None
    province, kind, rest = _parts(plain)
    for code, name in names.items():
        own, _, short = _parts(name)
        if short and province in ("", own):
            if rest in (short, short[:-1]) and len(rest) > 1:
                return Place(code, "")
            if (longer := _WHOLE.fullmatch(rest)) and longer[1] == short:
                return None if _SEVERAL.search(longer[2]) else Place(code, longer[2])
    if not province or (rest and not _within(rest, kind)):
        return None
    return Place(f"{_PROVINCES[province]}0000", rest)


def _parts(name: str) -> tuple[str, str, str]:
    """Return (province, 省 or the like, what follows); the whole follows where none is known."""
    found = _PROVINCE.fullmatch(name)
    return ("", "", name) if found is None else (found[1], found[2] or "", found[3])


def _within(rest: str, kind: str) -> bool:
    """Tell whether what follows a province's name can be a place in it."""
    if len(rest) < 2 or _SEVERAL.search(rest):
        return False
    other, _, more = _parts(rest)
    if other and not more:
        return False
    return bool(kind) or not (_ELSEWHERE.match(rest) or _NO_PLACE.search(rest))
