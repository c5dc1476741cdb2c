"""Wire types of rules."""

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from market.accounts.schemas import Region
from market.kit.money import MAX_FEN
from market.kit.wire import Day, Fen, In, Line, OneLine, Out, PathId, Short, text
from market.rules.models import DayKind
from market.rules.ruleset import RuleSet

MOST_WORDS, LONGEST_WORD = 50, 12
FEWEST_TERMS, MOST_TERMS, LONGEST_TERM = 2, 8, 40


class PlanIn(In):
    """A plan to be written. `replaces` names the current one of the region that it follows."""

    name: Short = Field(examples=["示范区2026–2030"])
    region: Region = Field(default="500106", examples=["500106"])
    from_on: Day = Field(examples=["2026-01-01"])
    to_on: Day = Field(examples=["2030-12-31"])
    baseline_fen: Fen = Field(examples=[20_000_000_000])
    baseline_year: Annotated[int, Field(ge=1990, le=2100)] = Field(examples=[2020])
    target_fen: Annotated[int, Field(ge=1, le=MAX_FEN)] = Field(examples=[400_000_000_000])
    replaces: PathId | None = Field(default=None, examples=[None])


class PlanOut(Out):
    id: str = Field(validation_alias="public_id")
    name: str
    region: str
    from_on: date
    to_on: date
    baseline_fen: int
    baseline_year: int
    target_fen: int
    state: str
    created_at: datetime
    archived_at: datetime | None


class PlansOut(Out):
    items: list[PlanOut]


class DayIn(In):
    """A day that rests although it is a weekday, or is worked although it is a weekend."""

    on: Day = Field(examples=["2027-10-01"])
    kind: DayKind = Field(examples=["rest"], strict=False)
    name: Short = Field(examples=["国庆节"])


class YearIn(In):
    """The notice for a year, whole; `seen` is the year's mark as it was read."""

    source: Line = Field(examples=["国务院办公厅关于2027年部分节假日安排的通知"])
    days: Annotated[list[DayIn], Field(min_length=1, max_length=120)] = Field(
        examples=[[{"on": "2027-10-01", "kind": "rest", "name": "国庆节"}]]
    )
    seen: Annotated[str, text(64)] = Field(examples=[""])


class VersionIn(In):
    """A version from now on; `replaces` is the one that was read. `checked`: somebody compared it
    with the official text.
    """

    name: Annotated[str, text(120, 1), OneLine] = Field(
        examples=["技术合同认定登记管理办法（2026年）"]
    )
    effective_from: Day = Field(examples=["2026-03-01"])
    source: Annotated[str, text(300, 1), OneLine] = Field(
        examples=["工业和信息化部公告，2026年1月23日"]
    )
    draft: bool = Field(examples=[False])
    checked: bool = Field(examples=[True])
    content: RuleSet
    replaces: PathId = Field(examples=["23456789abcdef"])


class VersionOut(Out):
    """`draft`: follows a draft; `checked_on` null: wants a check against the official text."""

    id: str = Field(validation_alias="public_id")
    code: str
    name: str
    effective_from: date
    source: str
    draft: bool
    checked_on: date | None
    content: RuleSet
    created_at: datetime
    archived_at: datetime | None


class VersionsOut(Out):
    items: list[VersionOut]


class DayOut(Out):
    on: date = Field(validation_alias="falls_on")
    kind: str
    name: str
    source: str


class YearOut(Out):
    """The days of a year that differ from plain weekdays and weekends.

    `provisional`: no notice for the year yet; its days are computed by weekends (暂定). `mark`
    tells one state of the year from another, for the next change to name in `seen`.
    """

    year: int
    provisional: bool
    rest_days: int
    items: list[DayOut]
    mark: str


def _different(terms: list[str]) -> list[str]:
    """Keep each term once, whatever its case."""
    once: dict[str, str] = {}
    for term in terms:
        once.setdefault(term.casefold(), term)
    if len(once) < FEWEST_TERMS:
        raise ValueError(f"一组至少要有{FEWEST_TERMS}个不同的词，现在是{len(once)}个")
    if any(not any(map(str.isalnum, term)) for term in terms):
        raise ValueError("每个词至少要有一个字、字母或数字")
    return list(once.values())


Terms = Annotated[
    list[Annotated[str, text(LONGEST_TERM, 1), OneLine]],
    Field(max_length=MOST_TERMS),
    AfterValidator(_different),
]


class SynonymsIn(In):
    """Terms that a search takes for one another."""

    terms: Terms = Field(examples=[["IGBT", "绝缘栅双极型晶体管"]])


class SynonymsEditIn(SynonymsIn):
    """The terms from now on; `edits` is the group's count as it was read."""

    edits: Annotated[int, Field(ge=0, le=1_000_000)] = Field(examples=[0])


class SynonymsOut(Out):
    id: str = Field(validation_alias="public_id")
    terms: list[str]
    edits: int
    changed_at: datetime


class SynonymGroupsOut(Out):
    items: list[SynonymsOut]


_IDEOGRAPHS = re.compile(rf"[\u4e00-\u9fd5]{{2,{LONGEST_WORD}}}")


def _cuttable(words: list[str]) -> list[str]:
    """Keep each word once."""
    for word in words:
        if not _IDEOGRAPHS.fullmatch(word):
            raise ValueError(
                f"“{word}”不能作词典词：要是2到{LONGEST_WORD}个汉字，没有字母、数字和空格"
            )
    return list(dict.fromkeys(words))


DictionaryWords = Annotated[
    list[Annotated[str, text(200, 1), OneLine]],
    Field(min_length=1, max_length=MOST_WORDS),
    AfterValidator(_cuttable),
]


class DictionaryIn(In):
    """Words of ideographs by which texts and searches are to be cut."""

    words: DictionaryWords = Field(examples=[["超临界水氧化"]])


class DictionaryWordOut(Out):
    """`in_force_at`: since when searches go by it; null while it waits for the next index."""

    id: str = Field(validation_alias="public_id")
    word: str
    created_at: datetime
    in_force_at: datetime | None


class DictionaryOut(Out):
    items: list[DictionaryWordOut]
