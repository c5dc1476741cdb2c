"""What a version of the registration rules says, as one value, and the versions known at first.

Where a rule is known only from a draft or not at all, the value is a start that a person checks
and changes: the page marks it, and nothing in the code repeats it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from market.kit.ids import new_public_id
from market.kit.money import MAX_FEN
from market.kit.wire import In, OneLine, text
from market.kit.workdays import IsRestDay, period_end, working_days_after
from market.rules.models import RuleVersion

CONTRACT_TYPES: Final = ("DEV", "TRF", "LIC", "CON", "SRV")
MOST_DAYS = 366


class Unit(StrEnum):
    WORKING = "working"
    CALENDAR = "calendar"


def _known_types(types: dict[str, list[str]]) -> dict[str, list[str]]:
    strange = sorted(set(types) - set(CONTRACT_TYPES))
    if strange:
        raise ValueError(f"合同类别应为{'、'.join(CONTRACT_TYPES)}之一，现在有“{strange[0]}”")
    empty = next((key for key, subs in types.items() if not subs), None)
    if empty is not None:
        raise ValueError(f"类别{empty}至少要有一个细类")
    return types


Word = Annotated[str, text(60, 1), OneLine]
Days = Annotated[int, Field(ge=1, le=MOST_DAYS)]


class RuleSet(In):
    """Amounts in fen. A decision takes `decide_days` from acceptance; `long_days` where 技术交易额
    reaches `large_fen`, or experts are asked. `replaced` tells under which type a contract is
    registered whose own type this version lacks. None: the version has no such rule.
    """

    decide_days: Days = Field(examples=[15])
    decide_unit: Unit = Field(examples=["working"], strict=False)
    large_fen: Annotated[int, Field(ge=1, le=MAX_FEN)] | None = Field(examples=[500_000_000])
    long_days: Days | None = Field(examples=[30])
    types: Annotated[dict[Word, list[Word]], AfterValidator(_known_types)] = Field(
        examples=[{"DEV": ["委托开发", "合作开发"], "LIC": ["专利实施许可"]}]
    )
    replaced: dict[Word, Word] = Field(examples=[{"LIC": "TRF"}])
    refusal_reasons: Annotated[dict[Word, Word], Field(min_length=1, max_length=30)] = Field(
        examples=[{"parties": "主体不明确", "evidence": "证明材料缺失或不符"}]
    )
    licence_filing_months: Annotated[int, Field(ge=1, le=24)] = Field(examples=[3])

    def days_to_decide(self, technical_fen: int, *, disputed: bool) -> int:
        """Return how many days a decision takes."""
        large = self.large_fen is not None and technical_fen >= self.large_fen
        long = self.long_days is not None and (large or disputed)
        return self.long_days if long and self.long_days is not None else self.decide_days

    def last_day(
        self, accepted_on: date, technical_fen: int, is_rest_day: IsRestDay, *, disputed: bool
    ) -> date:
        """Return the last day for the decision on what was accepted on a day."""
        days = self.days_to_decide(technical_fen, disputed=disputed)
        if self.decide_unit is Unit.WORKING:
            return working_days_after(accepted_on, days, is_rest_day)
        return period_end(accepted_on, days, is_rest_day)

    def registered_as(self, contract_type: str) -> str:
        """Return the type under which a contract of this type is registered."""
        if contract_type in self.types:
            return contract_type
        return self.replaced.get(contract_type, contract_type)


@dataclass(frozen=True, slots=True)
class Version:
    """A version in force, with what it says."""

    row: RuleVersion
    rules: RuleSet

    @property
    def wants_check(self) -> bool:
        return self.row.checked_on is None


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All versions, by the day from which each is in force."""

    versions: Sequence[Version]

    def at(self, signed_on: date) -> Version:
        """Return the version that a contract signed on a day goes by; before the first one, the
        first.
        """
        found = self.versions[0]
        for version in self.versions:
            if version.row.effective_from <= signed_on:
                found = version
        return found

    def reason(self, code: str) -> str:
        """Return the words of a refusal reason of any version; "" for none."""
        for version in reversed(self.versions):
            if code in version.rules.refusal_reasons:
                return version.rules.refusal_reasons[code]
        return ""


_SUB_TYPES: Final = {
    "DEV": ["委托开发", "合作开发"],
    "TRF": [
        "专利权",
        "专利申请权",
        "技术秘密",
        "集成电路布图设计专有权",
        "植物新品种权",
        "计算机软件著作权",
    ],
    "LIC": ["专利实施许可", "技术秘密使用许可"],
    "CON": ["技术咨询"],
    "SRV": ["一般技术服务", "技术培训", "技术中介"],
}
_REASONS: Final = {
    "parties": "主体不明确",
    "subject": "标的不明确",
    "price": "价款不明确",
    "monopoly": "非法垄断技术或侵害他人成果",
    "evidence": "证明材料缺失或不符",
    "seal": "单位名称与印章不一致",
}


def first_versions(now: datetime) -> list[RuleVersion]:
    """Return the versions known when the market is set up, none of them checked yet."""
    old = RuleSet(
        decide_days=30,
        decide_unit=Unit.CALENDAR,
        large_fen=None,
        long_days=None,
        types={
            **{key: subs for key, subs in _SUB_TYPES.items() if key != "LIC"},
            "TRF": [*_SUB_TYPES["TRF"], *_SUB_TYPES["LIC"]],
        },
        replaced={"LIC": "TRF"},
        refusal_reasons=_REASONS,
        licence_filing_months=3,
    )
    new = old.model_copy(
        update={
            "decide_days": 15,
            "decide_unit": Unit.WORKING,
            "large_fen": 500_000_000,
            "long_days": 30,
            "types": _SUB_TYPES,
            "replaced": {},
        }
    )
    return [
        RuleVersion(
            public_id=new_public_id(),
            code="2000/2001",
            name="技术合同认定登记管理办法（2000年）和规则（2001年）",
            effective_from=date(2000, 2, 16),
            source="国科发政字〔2000〕063号、〔2001〕253号；不予登记的原因未见原文，暂用2024年草案的",
            content=old.model_dump(mode="json"),
            created_at=now,
        ),
        RuleVersion(
            public_id=new_public_id(),
            code="MIIT-2026",
            name="技术合同认定登记管理办法（2026年）",
            effective_from=date(2026, 3, 1),
            source="定稿未见，内容依2024年12月20日公布的草案",
            draft=True,
            content=new.model_dump(mode="json"),
            created_at=now,
        ),
    ]
