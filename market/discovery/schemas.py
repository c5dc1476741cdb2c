"""Wire types of discovery."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from market.catalog.schemas import AchievementText, DemandText, Price
from market.catalog.vocabulary import ListingKind, Mode
from market.discovery.models import MatchChoice, UnsuitableReason
from market.kit.wire import In, Optional300, Out

Typed = Annotated[str, StringConstraints(max_length=2_000)]
Values = Annotated[list[Annotated[str, StringConstraints(max_length=100)]], Field(max_length=50)]
Verdict = Literal["yes", "part", "no", "none"]


class Sort(StrEnum):
    RELEVANCE = "relevance"
    NEWEST = "newest"
    PRICE = "price"
    MATURITY = "maturity"
    DEADLINE = "deadline"


class SearchIn(In):
    """The query string of a search. Values of one facet widen, different facets narrow."""

    q: Typed = Field(
        default="",
        description='"in quotes" is an exact sequence, -word leaves out, title:word looks there',
        examples=["焊缝 在线检测"],
    )
    kind: ListingKind = Field(
        default=ListingKind.ACHIEVEMENT, strict=False, examples=["achievement"]
    )
    field: Values = Field(default=[], examples=[["3"]])
    maturity: Values = Field(default=[], examples=[["6-7"]])
    mode: Values = Field(default=[], examples=[["普通许可"]])
    price: Values = Field(default=[], examples=[["50-100"]])
    organisation: Values = Field(default=[], description="ids", examples=[[]])
    region: Values = Field(default=[], examples=[["500106"]])
    sort: Sort = Field(default=Sort.RELEVANCE, strict=False, examples=["relevance"])
    page: int = Field(default=1, ge=1, le=10_000, strict=False, examples=[1])


class HolderOut(Out):
    """Whose listing it is; `id` is None and `name` stands for it where it is masked."""

    id: str | None
    name: str


class SegmentOut(Out):
    text: str
    marked: bool


class CardOut(Out):
    """A listing as it stands in a list. Amounts in fen."""

    id: str
    number: str = Field(examples=["A-2026-00412"])
    kind: ListingKind
    title: str
    summary: str
    holder: HolderOut
    masked: bool = Field(description="the name is hidden from others")
    field: int | None
    region: str
    modes: list[Mode]
    price: Price
    maturity_level: int | None
    deadline: date | None
    published_at: datetime


class HitOut(CardOut):
    title_parts: list[SegmentOut]
    text_parts: list[SegmentOut]


class OptionOut(Out):
    value: str
    label: str
    count: int | None = Field(description="None where `degraded`: nobody counted")
    chosen: bool


class FacetOut(Out):
    name: str
    label: str
    options: list[OptionOut]


class SearchOut(Out):
    """`kinds` counts by the typed words alone; `shortened`: the end of `q` was left out.
    `left_out`: words of `q` that the results do without, because nothing has them all.
    `degraded`: the index does not answer; these are listings that have the words in title, keywords
    or the organisation's name. No counts then, and `kinds` is empty. `incomplete`: not all listings
    were looked at in the time, `total` is the least there are.
    """

    items: list[HitOut]
    total: int
    page: int
    pages: int
    sort: Sort
    kinds: dict[ListingKind, int]
    facets: list[FacetOut]
    left_out: list[str]
    shortened: bool
    degraded: bool
    incomplete: bool


class SuggestionOut(Out):
    kind: Literal["query", "listing", "organisation"]
    id: str | None = Field(description="none for a query")
    text: str


class Suggestions(Out):
    items: list[SuggestionOut]


class ListingOut(Out):
    """A public listing whole, as this actor may read it."""

    id: str
    number: str
    kind: ListingKind
    holder: HolderOut
    masked: bool
    own: bool
    region: str
    text: AchievementText | DemandText
    published_at: datetime
    updated_at: datetime


class SimilarOut(Out):
    listing: CardOut
    shared: list[str] = Field(description="words that both have")


class SimilarListings(Out):
    items: list[SimilarOut]


class ReasonOut(Out):
    subject: str = Field(examples=["成熟度"])
    verdict: Verdict
    text: str = Field(examples=["够"])
    evidence: str = Field(examples=["成果7级，要求不低于6级"])


class MatchOut(Out):
    """One match. To an achievement's holder `id`, `state` and `reason` are None."""

    id: str | None
    listing: CardOut
    band: str = Field(description="strong, likely, or empty: see /about/matching")
    title_parts: list[SegmentOut]
    text_parts: list[SegmentOut]
    state: MatchChoice | None
    reason: UnsuitableReason | None
    note: str
    reasons: list[ReasonOut]
    against: list[str]


class NearOut(Out):
    listing: CardOut
    missing: list[str] = Field(description="words of the demand that it does not have")


class MatchesOut(Out):
    """Matches in order, of an achievement 20 a page; `total` counts all. `nearest` is filled where
    a demand has none; `compared` is None until it was compared; `interested` counts organisations,
    for achievements.
    """

    items: list[MatchOut]
    total: int
    nearest: list[NearOut]
    compared: int | None
    compared_at: datetime | None
    interested: int


class DecisionIn(In):
    decision: Literal["suitable", "unsuitable", "undecided"] = Field(examples=["suitable"])
    reason: Annotated[UnsuitableReason, Field(strict=False)] | None = Field(
        default=None, description="needed with unsuitable", examples=[None]
    )
    note: Optional300 = Field(default="", examples=[""])


class DecisionOut(Out):
    id: str
    state: MatchChoice
    reason: UnsuitableReason | None
    note: str


class InterestOut(Out):
    suitable: int = Field(description="organisations that marked the achievement suitable")
