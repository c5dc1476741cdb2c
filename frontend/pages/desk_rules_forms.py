"""The rules as a person types them: lists a line each, days a line each."""

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from frontend import forms
from market.kit.cells import days
from market.kit.errors import Invalid
from market.kit.wire import PathId, Storable, text
from market.rules.models import DayKind, Holiday
from market.rules.ruleset import RuleSet, Unit, Version
from market.rules.schemas import DayIn

Lines = Annotated[str, text(4000), Storable]
KINDS = {"休": DayKind.REST, "班": DayKind.WORK}


class VersionForm(BaseModel):
    name: str = Field(title="名称", min_length=1, max_length=120)
    effective_from: forms.Day = Field(title="施行日")
    source: str = Field(title="依据", min_length=1, max_length=300)
    draft: bool = Field(False, title="依据草案")
    checked: bool = Field(False, title="已与正式文本核对")
    decide_days: forms.Whole = Field(title="决定期限", ge=1, le=366)
    decide_unit: str = Field(title="期限按", pattern="^(working|calendar)$")
    large_fen: forms.Wan | None = Field(None, title="大额技术交易额", gt=0)
    long_days: forms.Whole | None = Field(None, title="延长的期限", ge=1, le=366)
    types: Lines = Field(title="类别和细类", min_length=1)
    replaced: Lines = Field("", title="没有的类别按哪类登记")
    refusal_reasons: Lines = Field(title="不予登记的原因", min_length=1)
    licence_filing_months: forms.Whole = Field(title="专利许可备案期限", ge=1, le=24)
    replaces: PathId = Field(title="原来的规则", description="现行的规则")


class YearForm(BaseModel):
    source: str = Field(title="来源", min_length=1, max_length=80)
    days: Lines = Field(title="日子", min_length=1)
    seen: str = Field("", title="原来的安排", max_length=64)


def version_values(version: Version) -> dict[str, object]:
    """Return a version as its form shows it."""
    row, rules = version.row, version.rules
    return {
        **row.model_dump(include={"name", "effective_from", "source", "draft"}),
        "checked": row.checked_on is not None,
        **rules.model_dump(
            include={"decide_days", "long_days", "licence_filing_months"}, mode="json"
        ),
        "decide_unit": rules.decide_unit.value,
        "large_fen": forms.wan(rules.large_fen),
        "types": "\n".join(f"{key}：{'、'.join(subs)}" for key, subs in rules.types.items()),
        "replaced": "\n".join(f"{key}：{to}" for key, to in rules.replaced.items()),
        "refusal_reasons": "\n".join(f"{k}：{v}" for k, v in rules.refusal_reasons.items()),
        "replaces": row.public_id,
    }


def rules_of(data: VersionForm) -> RuleSet:
    """Return what was typed as rules. Raises Invalid at the field."""
    types = _pairs(data.types, "types")
    values = {
        **data.model_dump(
            include={"decide_days", "large_fen", "long_days", "licence_filing_months"}
        ),
        "decide_unit": Unit(data.decide_unit),
        "types": {key: _listed(subs) for key, subs in types.items()},
        "replaced": _pairs(data.replaced, "replaced"),
        "refusal_reasons": _pairs(data.refusal_reasons, "refusal_reasons"),
    }
    try:
        return RuleSet.model_validate(values)
    except ValueError as refused:
        message = getattr(refused, "errors", list)()[0]["msg"].removeprefix("Value error, ")
        raise Invalid(fields={"types": message}) from None


def _listed(text_: str) -> list[str]:
    return [one.strip() for one in text_.replace("，", "、").split("、") if one.strip()]


def _pairs(text_: str, field: str) -> dict[str, str]:
    found = {}
    for line in text_.splitlines():
        if not line.strip():
            continue
        key, colon, value = line.replace(":", "：", 1).partition("：")
        if not colon or not key.strip() or not value.strip():
            raise Invalid(fields={field: f"每行写成“代码：内容”，现在有“{line.strip()[:40]}”"})
        found[key.strip()] = value.strip()
    return found


def days_text(rows: list[Holiday]) -> str:
    """Return the days of a year as they are typed: `2027-10-01 休 国庆节`."""
    marks = {kind: mark for mark, kind in KINDS.items()}
    return "\n".join(f"{row.falls_on} {marks[DayKind(row.kind)]} {row.name}" for row in rows)


def days_of(text_: str) -> list[DayIn]:
    """Return the days that were typed, `起 至 止` for a run of them. Raises Invalid at `days`."""
    found: list[DayIn] = []
    for line in text_.splitlines():
        parts = line.replace("至", " 至 ").split()
        if not parts:
            continue
        first, last, rest = _span(parts, line)
        if len(rest) < 2 or rest[0] not in KINDS:
            raise Invalid(fields={"days": f"每行写成“2027-10-01 休 国庆节”，现在有“{line[:40]}”"})
        for number in range((last - first).days + 1):
            on = date.fromordinal(first.toordinal() + number)
            found.append(DayIn(on=on, kind=KINDS[rest[0]], name=" ".join(rest[1:])[:60]))
    return found


def _span(parts: list[str], line: str) -> tuple[date, date, list[str]]:
    first = _day(parts[0], line)
    if len(parts) > 2 and parts[1] == "至":
        last = _day(parts[2], line)
        if not 0 <= (last - first).days < 60:
            raise Invalid(fields={"days": f"起止日期不对：{line[:40]}"})
        return first, last, parts[3:]
    return first, first, parts[1:]


def _day(word: str, line: str) -> date:
    found = days.day(word)
    try:
        assert found is not None
        assert found[2] is not None
        return date(found[0], found[1], found[2])
    except (AssertionError, ValueError):
        message = f"日期应写成2027-10-01的样子，现在有“{line[:40]}”"
        raise Invalid(fields={"days": message}) from None
