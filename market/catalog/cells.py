"""A record of an import file as a listing: names of columns, and what stands in table cells.

JSON lines use the API's own names and types. A table has text only, so its cells are read as
people write them: `7级`, `先进制造技术`, `50～80万元`, `2026年11月20日`.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from market.catalog.schemas import AchievementIn, DemandIn
from market.catalog.texts import digest
from market.catalog.vocabulary import FIELDS, LABELS, REGIONS, ListingKind, PriceBasis, PriceForm
from market.kit.money import FEN_PER_WAN, FEN_PER_YUAN
from market.kit.validation import sentence

Form = AchievementIn | DemandIn
FORMS: dict[ListingKind, type[AchievementIn] | type[DemandIn]] = {
    ListingKind.ACHIEVEMENT: AchievementIn,
    ListingKind.DEMAND: DemandIn,
}
# Other names under which a column is met; `price_wan` is a price whose header says 万元.
_ALIASES = {
    "id": "own_number",
    "content": "body",
    "编号": "own_number",
    "成果编号": "own_number",
    "需求编号": "own_number",
    "项目编号": "own_number",
    "名称": "title",
    "标题": "title",
    "项目名称": "title",
    "简介": "summary",
    "成果简介": "summary",
    "内容": "body",
    "正文": "body",
    "说明": "body",
    "成果介绍": "body",
    "需求内容": "body",
    "领域": "field",
    "行政区划": "region",
    "转化方式": "modes",
    "应用领域": "application",
    "优势": "advantage",
    "知识产权": "ip_status",
    "专利号": "ip_numbers",
    "成果完成人": "completers",
    "价格(万元)": "price_wan",
    "预算(万元)": "price_wan",
    "技术难题": "problem",
    "希望成熟度": "need_maturity",
    "名称保密": "masked",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a row; `column` as the file names it, "" for the row as a whole."""

    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """A record that may stand as a listing.

    `given` are the columns that the file has; an update leaves the others as they are. `digest`
    is that of the given content, `number_column` what the file calls the own number.
    """

    form: Form
    given: frozenset[str]
    digest: str
    number_column: str


def _names(kind: ListingKind) -> dict[str, str]:
    fields = FORMS[kind].model_fields
    labels = {label: key for key, label in LABELS[kind].items()}
    aliases = {n: key for n, key in _ALIASES.items() if key in fields or key == "price_wan"}
    return {**aliases, **labels, **{key: key for key in fields}}


_NAMES = {kind: _names(kind) for kind in ListingKind}


def header_key(kind: ListingKind, name: str) -> str | None:
    """Return the column that a name in a file means, None for one that no listing has."""
    return _NAMES[kind].get(unicodedata.normalize("NFKC", name[:60]).strip())


def to_row(
    kind: ListingKind, values: Mapping[str, Any], *, table: bool
) -> tuple[Row | None, list[Problem], list[str]]:
    """Return (row, problems, unknown columns); the row is None where there are problems."""
    payload: dict[str, Any] = {}
    names: dict[str, str] = {}
    problems, unknown = [], []
    for name, value in values.items():
        key = header_key(kind, name)
        if key is None:
            unknown.append(name)
            continue
        field = "price" if key == "price_wan" else key
        names[field] = name
        try:
            payload[field] = _cell(key, value) if table else _typed(key, value)
        except ValueError as error:
            problems.append(Problem(name, str(error)))
    given = frozenset(payload)
    # Nothing in a column means its default, as an empty field of a form does.
    filled = {name: value for name, value in payload.items() if value is not None and value != ""}
    if "title" not in filled and not any(names.get("title") == one.column for one in problems):
        problems.append(Problem(names.get("title", "title"), "不能是空的，每一行都要有名称"))
    if problems:
        return None, problems, unknown
    try:
        form = FORMS[kind].model_validate(filled)
    except ValidationError as refused:
        return None, _problems(refused, names), unknown
    kept = digest(form.model_dump(mode="json", include=set(given)))
    return Row(form, given, kept, names.get("own_number", "")), [], unknown


def _problems(refused: ValidationError, names: Mapping[str, str]) -> list[Problem]:
    found: dict[str, Problem] = {}
    for error in refused.errors(include_url=False):
        field = str(error["loc"][0]) if error["loc"] else ""
        expected = "六位数字的行政区划代码" if field == "region" else ""
        found.setdefault(
            field, Problem(names.get(field, field), sentence(error, expected=expected))
        )
    return list(found.values())


def _typed(key: str, value: Any) -> Any:
    if isinstance(value, str):
        return _plain_breaks(value)
    if key == "own_number" and type(value) is int:  # a key counted by the sending system
        return str(value)
    return value


def _plain_breaks(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _cell(key: str, value: str) -> Any:
    text = _plain_breaks(value)
    return _READERS[key](text) if text and key in _READERS else text


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace(" ", "")


def _items(text: str) -> list[str]:
    return [item for part in re.split(r"[、,，;；\n]", text) if (item := part.strip())]


def _level(text: str) -> int:
    digits = _folded(text).removesuffix("级")
    if not re.fullmatch(r"[0-9]{1,2}", digits):
        raise ValueError(f"应为1到9的级别，如7级，现在是“{text[:20]}”")
    return int(digits)


def _field(text: str) -> int:
    folded = _folded(text)
    for number, name in FIELDS.items():
        if folded in (str(number), _folded(name)):
            return number
    raise ValueError(f"应为11个技术领域之一或它的序号，现在是“{text[:20]}”")


def _region(text: str) -> str:
    folded = _folded(text)
    if re.fullmatch(r"[0-9]{6}", folded):
        return folded
    for code, name in REGIONS.items():
        if folded in (name, name.removeprefix("重庆市")):
            return code
    raise ValueError(f"应为六位行政区划代码，如500106，现在是“{text[:20]}”")


def _day(text: str) -> str:
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", _folded(text), re.ASCII)
    if found is None:
        raise ValueError(f"应写成2026-11-20的样子，现在是“{text[:20]}”")
    year, month, day = found.groups()
    return f"{year}-{month:0>2}-{day:0>2}"


def _yes(text: str) -> bool:
    folded = _folded(text).lower()
    if folded in ("是", "1", "true", "保密"):
        return True
    if folded in ("否", "0", "false", "公开"):
        return False
    raise ValueError(f"应为“是”或“否”，现在是“{text[:20]}”")


_FIGURE = r"(\d[\d,]{0,14}(?:\.\d{1,6})?)(万元|万|元)?"
_PRICE = re.compile(
    rf"{_FIGURE}(?:[-~—–至到]{{1,2}}{_FIGURE})?(起|以上|以内|以下)?"
    r"(?:/|每)?(年|件)?(起|以上|以内|以下)?",
    re.ASCII,
)
_PRICE_WORDS = "应写成80万元、50～80万元、80万元起、40万元以内或面议的样子"


def _price(text: str, *, wan: bool) -> dict[str, Any]:
    """Return the price that a cell states. `wan` where the header says 万元."""
    folded = _folded(text)
    if folded == "面议":
        return {"form": PriceForm.NONE}
    found = _PRICE.fullmatch(folded)
    if found is None:
        raise ValueError(f"{_PRICE_WORDS}，现在是“{text[:20]}”")
    first, first_unit, second, second_unit, early, per, late = found.groups()
    unit = second_unit or first_unit or ("万元" if wan else "")
    if not unit:
        raise ValueError(f"请写明单位，如80万元，现在是“{text[:20]}”")
    low = _fen(first, first_unit or unit)
    basis = {None: PriceBasis.TOTAL, "年": PriceBasis.YEAR, "件": PriceBasis.UNIT}[per]
    price = {"form": PriceForm.FIXED, "basis": basis, "low_fen": low, "high_fen": low}
    if second is not None:
        return price | {"form": PriceForm.RANGE, "high_fen": _fen(second, unit)}
    bound = early or late
    if bound in ("起", "以上"):
        return price | {"form": PriceForm.FROM, "high_fen": None}
    if bound is not None:
        return price | {"form": PriceForm.UP_TO, "low_fen": None}
    return price


def _fen(figure: str, unit: str) -> int:
    amount = Decimal(figure.replace(",", "")) * (FEN_PER_YUAN if unit == "元" else FEN_PER_WAN)
    if amount != amount.to_integral_value():
        raise ValueError("金额最细到分")
    return int(amount)


_READERS: dict[str, Callable[[str], Any]] = {
    "keywords": _items,
    "modes": _items,
    "maturity_level": _level,
    "need_maturity": _level,
    "field": _field,
    "region": _region,
    "deadline": _day,
    "masked": _yes,
    "price": lambda text: _price(text, wan=False),
    "price_wan": lambda text: _price(text, wan=True),
}
