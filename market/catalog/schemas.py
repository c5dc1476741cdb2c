"""Wire types of listings: what an owner writes, and what owner and reviewer read.

The text of a listing (`AchievementText`, `DemandText`) is one type from the form through the
revision's row to the views of other nouns: `texts.py` turns rows into it and back.
"""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from market.catalog.models import ListingState, ReviewState
from market.catalog.vocabulary import FIELDS, MATURITY, ListingKind, Mode, PriceBasis, PriceForm
from market.kit.wire import (
    Day,
    Fen,
    In,
    OneLine,
    Optional60,
    Optional300,
    Optional500,
    Out,
    Prose,
    Storable,
    Title,
    text,
)

ADVISED_LENGTH = 500  # 主要问题、技术关键、预期目标: the provincial form's limit, warned about only


def _once(items: list[Any]) -> list[Any]:
    return list(dict.fromkeys(items))


Keyword = Annotated[str, text(30, 1), OneLine]
Keywords = Annotated[list[Keyword], Field(max_length=10), AfterValidator(_once)]
Modes = Annotated[
    list[Annotated[Mode, Field(strict=False)]], Field(max_length=len(Mode)), AfterValidator(_once)
]
RegionCode = Annotated[str, StringConstraints(pattern=r"^([0-9]{6})?$")]
OwnNumber = Annotated[str, text(80, 1), OneLine]
Level = Annotated[int, Field(ge=min(MATURITY), le=max(MATURITY))]


def price_problem(form: PriceForm, low: int | None, high: int | None) -> tuple[str, str] | None:
    """Return (column, sentence) of what is wrong with a price as a whole, or None. Fen."""
    needs = {
        PriceForm.NONE: (False, False),
        PriceForm.FIXED: (True, True),
        PriceForm.FROM: (True, False),
        PriceForm.UP_TO: (False, True),
        PriceForm.RANGE: (True, True),
    }[form]
    given = (low is not None, high is not None)
    for name, need, has in zip(("low_fen", "high_fen"), needs, given, strict=True):
        if need and not has:
            return name, "这种报价方式需要填写金额，现在是空的"
        if has and not need:
            return name, "这种报价方式不填这一项，请留空或改选报价方式"
    if low is not None and high is not None:
        if form is PriceForm.FIXED and low != high:
            return "high_fen", "一口价的两个金额应相同"
        if low > high:
            return "high_fen", "上限应不低于下限，现在低于下限"
    return None


class Price(In):
    """A price or budget, right as a whole; `low_fen` and `high_fen` are equal where fixed."""

    form: PriceForm = Field(default=PriceForm.NONE, examples=["range"], strict=False)
    basis: PriceBasis = Field(default=PriceBasis.TOTAL, examples=["total"], strict=False)
    low_fen: Fen | None = Field(default=None, examples=[80_000_000])
    high_fen: Fen | None = Field(default=None, examples=[120_000_000])

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if problem := price_problem(self.form, self.low_fen, self.high_fen):
            raise ValueError(problem[1])
        return self


class ListingText(In):
    """What both kinds say. `region` is a GB/T 2260 code, "" for the organisation's own."""

    title: Title = Field(examples=["焊缝气孔在线视觉检测"])
    summary: Optional500 = Field(default="", examples=["边焊边报，缺陷处自动标记"])
    body: Prose = Field(default="", examples=["双波段相机实时识别气孔与未熔合。"])
    keywords: Keywords = Field(default=[], examples=[["焊缝", "视觉检测"]])
    field: int | None = Field(default=None, ge=min(FIELDS), le=max(FIELDS), examples=[3])
    region: RegionCode = Field(default="", examples=["500106"])
    modes: Modes = Field(default=[], examples=[["普通许可"]])
    price: Price = Field(default=Price(), examples=[{"form": "none"}])


class AchievementText(ListingText):
    maturity_level: Level | None = Field(default=None, examples=[7])
    application: Annotated[str, text(1000), Storable] = Field(
        default="", examples=["车架、压力容器、管道的焊接"]
    )
    advantage: Annotated[str, text(1000), Storable] = Field(
        default="", examples=["漏检率由3%降到0.4%"]
    )
    ip_status: Optional60 = Field(default="", examples=["有效发明专利2件"])
    ip_numbers: Optional500 = Field(default="", examples=["ZL202200000000.0"])
    completers: Optional300 = Field(default="", examples=["示范张甲"])


class DemandText(ListingText):
    problem: Prose = Field(default="", examples=["人工抽检漏检率高"])
    key_technology: Prose = Field(default="", examples=["弧光下的成像与实时识别"])
    expected_goal: Prose = Field(default="", examples=["漏检率低于0.5%"])
    deadline: Day | None = Field(default=None, examples=["2027-06-30"])
    need_maturity: Level | None = Field(default=None, examples=[6])


class Posted(In):
    """What stands beside the text and takes effect at once."""

    own_number: OwnNumber | None = Field(default=None, examples=[None])
    masked: bool = Field(default=False, examples=[False])


class Based(In):
    """`based_on` is the `revision` that the edit started from; a newer one answers 409.

    `seen` is the `edits` that were read, by which an edit of what stands beside the text is
    noticed as well; without it such an edit is saved over.
    """

    based_on: int = Field(ge=1, le=1_000_000, examples=[1])
    seen: int | None = Field(default=None, ge=0, le=1_000_000, examples=[None])


class AchievementIn(AchievementText, Posted): ...


class DemandIn(DemandText, Posted): ...


class AchievementEditIn(AchievementIn, Based): ...


class DemandEditIn(DemandIn, Based): ...


class ReviewIn(In):
    """The bureau's answer to the `revision` it read; `note` is shown to the owner."""

    revision: int = Field(ge=1, le=1_000_000, examples=[1])
    decision: Literal["approve", "refuse"] = Field(examples=["approve"])
    note: Optional500 = Field(default="", examples=[""])


class WarningOut(Out):
    field: str
    message: str = Field(examples=["建议500字以内，现在是612个字，已原样保存"])


class ProofOut(Out):
    id: str
    name: str
    media_type: str
    size: int = Field(description="bytes")
    attached_at: datetime


class ListingLineOut(Out):
    """One line of an owner's list."""

    id: str
    number: str | None = Field(examples=["A-2026-00412"])
    own_number: str | None
    kind: ListingKind
    title: str
    masked: bool
    state: ListingState
    review_state: ReviewState
    updated_at: datetime
    published_at: datetime | None


class Listings(Out):
    items: list[ListingLineOut]
    total: int
    page: int
    pages: int


class OwnListingOut(Out):
    """An own listing whole. `public_revision` lags `revision` while an edit waits for review."""

    id: str
    number: str | None
    kind: ListingKind
    own_number: str | None
    masked: bool
    state: ListingState
    review_state: ReviewState
    revision: int
    edits: int = Field(description="raised by every edit of the owner")
    public_revision: int | None
    text: AchievementText | DemandText
    warnings: list[WarningOut]
    review_note: str
    proofs: list[ProofOut]
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


class ReviewLineOut(Out):
    id: str = Field(description="of the listing")
    kind: ListingKind
    title: str
    organisation: str
    revision: int
    submitted_at: datetime
    first: bool = Field(description="nothing of it is public yet")


class Reviews(Out):
    items: list[ReviewLineOut]
    total: int
    page: int
    pages: int


class DifferenceOut(Out):
    field: str
    before: JsonValue
    after: JsonValue


class ReviewOut(Out):
    """A submission as the reviewer reads it; `changes` against what is public now."""

    id: str
    kind: ListingKind
    number: str | None
    organisation: str
    masked: bool
    revision: int
    submitted_at: datetime
    open: bool = Field(description="it still waits for the answer")
    text: AchievementText | DemandText
    changes: list[DifferenceOut]
    warnings: list[WarningOut]
    proofs: list[ProofOut]
