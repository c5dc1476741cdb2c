"""A row of a directory of organisations, as people write it, and an organisation as such a row."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, get_args

from pydantic import ValidationError

from market.accounts import creditcode
from market.accounts.models import Organisation
from market.accounts.policy import OrganisationKind
from market.accounts.schemas import OpenKind, OrganisationIn
from market.kit.cells import places
from market.kit.cells.texts import folded, shown, yes
from market.kit.intake import Column, Fault, Given
from market.kit.validation import sentence

KINDS: Final[dict[str, str]] = {
    OrganisationKind.UNIVERSITY: "高校、院所",
    OrganisationKind.COMPANY: "企业",
    OrganisationKind.AGENCY: "技术转移机构",
}
COLUMNS: Final = (
    Column(
        "name",
        "机构名称",
        ("名称", "单位名称", "单位", "机构", "企业名称", "全称", "单位全称", "机构全称", "name"),
        required=True,
        example="示范大学一",
    ),
    Column(
        "credit_code",
        "统一社会信用代码",
        ("信用代码", "社会信用代码", "统一信用代码", "统一代码", "credit_code"),
        required=True,
        example="12990000MB0000001X",
    ),
    Column(
        "kind",
        "机构类型",
        ("类型", "单位类型", "机构类别", "单位性质", "机构性质", "类别", "性质", "kind"),
        required=True,
        example="高校、院所",
    ),
    Column(
        "region",
        "行政区划",
        ("行政区划代码", "地区", "所在地", "所在地区", "所属地区", "所在区县", "区县", "region"),
        example="500106",
    ),
    Column(
        "address", "地址", ("通讯地址", "通信地址", "注册地址", "详细地址", "单位地址", "address")
    ),
    Column(
        "state_founded",
        "国家设立",
        ("是否国家设立", "国家设立的高校院所", "是否国有", "国有", "state_founded"),
        example="是",
    ),
)
# The words of a kind, as names of institutions hold them; the longer list first decides.
_KIND_WORDS: Final = (
    (OrganisationKind.AGENCY, "技术转移|转移机构|中介|服务机构|技术经纪|孵化器|交易所|交易中心"),
    (OrganisationKind.COMPANY, "(?<!非)企业|公司|集团|厂"),
    (OrganisationKind.UNIVERSITY, "高校|院校|大学|学院|院所|研究院|研究所|科研|事业单位|医院"),
)
_FOUNDED: Final = frozenset({"国有", "国家设立", "公办"})
_NOT_FOUNDED: Final = frozenset({"非国有", "民办", "民营", "私营"})


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that may stand as an organisation; `given` are the columns that it states."""

    row: int
    form: OrganisationIn
    given: frozenset[str]
    headings: Mapping[str, str]

    @property
    def values(self) -> dict[str, Any]:
        """Return what the row states, by the table's columns."""
        return {name: getattr(self.form, name) for name in sorted(self.given)}


def read_row(row: Given, regions: Mapping[str, str]) -> tuple[Entry | None, list[Fault]]:
    """Return (entry, faults); the entry is None where there are faults."""
    filled, faults = _payload(row, regions)
    wrong = {one.heading for one in faults}
    for column in COLUMNS:
        heading = row.headings.get(column.key, column.label)
        if column.required and column.key not in filled and heading not in wrong:
            faults.append(Fault(heading, "不能是空的，每一行都要有"))
    if faults:
        return None, faults
    try:
        form = OrganisationIn.model_validate(filled)
    except ValidationError as refused:
        found = {
            str(error["loc"][0]): sentence(error, expected="六位数字的行政区划代码")
            for error in refused.errors(include_url=False)
        }
        return None, [Fault(row.headings.get(key, key), said) for key, said in found.items()]
    return Entry(row.row, form, frozenset(filled), row.headings), []


def _payload(row: Given, regions: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    """Return what a row states, by column; an empty cell states nothing."""
    readers: dict[str, Callable[[str], Any]] = {
        "credit_code": _code,
        "kind": _kind,
        "region": lambda text: _region(text, regions),
        "state_founded": lambda text: yes(text, _FOUNDED, _NOT_FOUNDED),
    }
    filled: dict[str, Any] = {}
    faults = []
    for column in COLUMNS:
        value = row.values.get(column.key)
        text = value.strip() if isinstance(value, str) else value
        if text is None or text == "":
            continue
        try:
            read = readers.get(column.key)
            filled[column.key] = read(text) if read and isinstance(text, str) else text
        except ValueError as error:
            faults.append(Fault(row.headings.get(column.key, column.label), str(error)))
    return filled, faults


def understood(row: Given, regions: Mapping[str, str]) -> dict[str, str]:
    """Return how a row is read, in the words of `cells`."""
    filled, _ = _payload(row, regions)
    return {key: _words(key, value, regions) for key, value in filled.items()}


def cells(row: Organisation, regions: Mapping[str, str]) -> dict[str, str]:
    """Return an organisation as a row of an export."""
    return {one.key: _words(one.key, getattr(row, one.key), regions) for one in COLUMNS}


def _words(key: str, value: Any, regions: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    text = "" if value is None else str(value)
    if key == "kind":
        return KINDS.get(text, text)
    return regions.get(text, text) if key == "region" else text


def _code(text: str) -> str:
    code = creditcode.normalise(text)
    if wrong := creditcode.problem(code):
        raise ValueError(wrong)
    return code


def _kind(text: str) -> str:
    plain = folded(text)
    if plain in get_args(OpenKind):
        return plain
    for kind, words in _KIND_WORDS:
        if re.search(words, plain[:40]):
            return kind
    kinds = "、".join(f"“{name}”" for name in KINDS.values())
    raise ValueError(f"应为{kinds}之一，{shown(text)}")


def _region(text: str, regions: Mapping[str, str]) -> str:
    found = places.read(text, regions)
    if found is None or found.rest:
        raise ValueError(f"应为六位行政区划代码，如500106，{shown(text)}")
    return found.code
