"""Wire types of deals: what may come in. What goes out stands in `views.py`."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from market.catalog.vocabulary import FIELDS, Mode
from market.deals.vocabulary import (
    Audience,
    ContractType,
    LineKind,
    LostReason,
    PayMethod,
    Phase,
    PricingPathKind,
    RoyaltyBase,
    RoyaltyTrend,
    StopReason,
)
from market.kit.money import MAX_FEN
from market.kit.wire import (
    Day,
    Email,
    In,
    Line,
    OneLine,
    Optional60,
    Optional200,
    Optional300,
    Optional500,
    OrganisationName,
    PathId,
    Short,
    Storable,
    text,
)

MESSAGE_LENGTH = 2000
WHOLE = 10_000
"""100% in hundredths of a per cent."""
MAX_LINES = 50
MAX_INSTALMENTS = 20


Message = Annotated[str, text(MESSAGE_LENGTH, 1), Storable]
Text2000 = Annotated[str, text(2000), Storable]
Text1000 = Annotated[str, text(1000), Storable]
Text120 = Annotated[str, text(120), OneLine]
Text200Optional = Annotated[str, text(200), OneLine]
Text200 = Annotated[str, text(200, 1), OneLine]
OptionalEmail = Email | Literal[""]
Amount = Annotated[int, Field(ge=1, le=MAX_FEN)]


def _within_whole(hundredths: int) -> int:
    if not 0 < hundredths <= WHOLE:
        raise ValueError(f"应大于0%、不超过100%，现在是{Decimal(hundredths) / 100:f}%")
    return hundredths


Hundredths = Annotated[
    int,
    AfterValidator(_within_whole),
    Field(json_schema_extra={"minimum": 1, "maximum": WHOLE}),
]
"""A part in hundredths of a per cent; what is wrong with it is said in per cent."""
Field11 = Annotated[int, Field(ge=min(FIELDS), le=max(FIELDS))]


class ContactIn(In):
    """Whom to reach; "" takes the person's own from the account."""

    contact_name: Optional60 = Field(default="", examples=["示范张甲"])
    contact_phone: Optional60 = Field(default="", examples=["13800000001"])
    contact_email: OptionalEmail = Field(default="", examples=["zhang@example.com"])


class InquiryIn(ContactIn):
    """Ask about a listing. `own_listing` names the asker's own demand or achievement."""

    listing: PathId = Field(examples=["23456789abcdef"])
    own_listing: PathId | None = Field(default=None, examples=[None])
    message: Message = Field(examples=["我们的工件是8毫米铝合金焊缝，想了解检测节拍。"])
    show_name: bool = Field(default=True, examples=[True])


class AnswerIn(ContactIn):
    answer: Message = Field(examples=["可以支持，欢迎带样件来校测试。"])


class CloseIn(In):
    reason: Optional500 = Field(default="", examples=["已找到合作方"])


class IntroductionIn(In):
    """Bring an achievement and a demand together, one of whose owners gave a mandate."""

    achievement: PathId = Field(examples=["23456789abcdef"])
    demand: PathId = Field(examples=["23456789abcdeg"])
    message: Message = Field(examples=["双方的工况与指标相合，建议面谈。"])


class IntroductionDecisionIn(In):
    decision: Literal["accept", "decline"] = Field(examples=["accept"])
    reason: Optional500 = Field(default="", examples=[""])


class InstalmentIn(In):
    """One payment; `due` says when it falls due, by day or by what has happened."""

    amount_fen: Amount = Field(examples=[100_000_000])
    due: Text120 = Field(min_length=1, examples=["签约后30日内"])


class TermsIn(In):
    """Propose terms. `seen` is the newest version the proposer has read, 0 for none yet.

    `amount_fen` is the whole price; of a royalty, what the parties expect it to come to. `mode`
    “许可” leaves the kind of licence open, which makes it 普通许可. `royalty_rate` is in hundredths
    of a per cent of `royalty_base`; `entry_fen` is the 入门费 of `royalty_entry`.
    """

    seen: Annotated[int, Field(ge=0, le=1_000_000)] = Field(examples=[0])
    mode: Annotated[Mode, Field(strict=False)] | Literal["许可"] = Field(examples=["排他许可"])
    amount_fen: Amount = Field(examples=[150_000_000])
    pay_method: PayMethod = Field(default=PayMethod.LUMP, examples=["lump"], strict=False)
    entry_fen: Amount | None = Field(default=None, examples=[None])
    royalty_base: RoyaltyBase | None = Field(default=None, examples=[None], strict=False)
    royalty_rate: Hundredths | None = Field(default=None, examples=[None])
    royalty_trend: RoyaltyTrend | None = Field(default=None, examples=[None], strict=False)
    instalments: Annotated[list[InstalmentIn], Field(max_length=MAX_INSTALMENTS)] = Field(
        default=[], examples=[[]]
    )
    term_months: Annotated[int, Field(ge=1, le=1200)] | None = Field(default=None, examples=[60])
    territory: Text120 = Field(default="", examples=["中国境内"])
    text: Text2000 = Field(default="", examples=["5年，中国境内，签约后30日内付清"])


class ConfirmIn(In):
    version: Annotated[int, Field(ge=1, le=1_000_000)] = Field(examples=[1])


class LoseIn(In):
    reason: LostReason = Field(examples=["price"], strict=False)
    note: Optional500 = Field(default="", examples=[""])


class NoteIn(In):
    audience: Audience = Field(examples=["own"], strict=False)
    text: Message = Field(examples=["下周二到校看样机"])


class PricingIn(In):
    """Choose how the price is found; 协议定价 starts the 公示 today.

    `exchange` names the marketplace of 挂牌交易 or 拍卖. 协议定价 needs `summary` and `interested`,
    whether the transferee is a completer or otherwise interested; both are made public.
    """

    path: PricingPathKind = Field(examples=["agreement"], strict=False)
    summary: Text1000 = Field(default="", examples=["轨道扣件螺栓松动的声学检测方法"])
    interested: bool | None = Field(default=None, examples=[False])
    interest_note: Optional300 = Field(default="", examples=[""])
    exchange: Text120 = Field(default="", examples=[""])
    exchange_number: Optional60 = Field(default="", examples=[""])
    listed_on: Day | None = Field(default=None, examples=[None])
    listed_until: Day | None = Field(default=None, examples=[None])


class StopIn(In):
    reason: StopReason = Field(examples=["objection"], strict=False)
    note: Optional500 = Field(default="", examples=[""])


class DealtIn(In):
    """The outcome of 挂牌交易 or 拍卖, by the exchange's notice."""

    dealt_on: Day = Field(examples=["2026-11-02"])
    price_fen: Amount = Field(examples=[150_000_000])
    dealt_number: Optional60 = Field(default="", examples=[""])
    bidders: Annotated[int, Field(ge=1, le=10_000)] | None = Field(default=None, examples=[None])


class PhaseIn(In):
    """Move a deal under negotiation. `seen` is the phase it was read in."""

    seen: Phase = Field(examples=["contact"], strict=False)
    phase: Phase = Field(examples=["assessment"], strict=False)


class PartyIn(In):
    """Add a further party to one's own side, by its public id or its whole name.

    `share` is its part of the side's price or duty in hundredths of a per cent, null for none.
    """

    organisation: OrganisationName = Field(examples=["示范机构"])
    share: Hundredths | None = Field(default=None, examples=[3000])
    note: Optional200 = Field(default="", examples=["共有专利，按份额分配"])


class ShareIn(In):
    """Confirm, as a further party, one's share in a version of the terms."""

    version: Annotated[int, Field(ge=1, le=1_000_000)] = Field(examples=[1])


class DealListingIn(In):
    listing: PathId = Field(examples=["23456789abcdef"])


class FileAudienceIn(In):
    """Show one's own file to more readers; `seen` is its present audience."""

    seen: Audience = Field(examples=["own"], strict=False)
    audience: Audience = Field(examples=["parties"], strict=False)


class NextStepIn(In):
    """What one's organisation does next; `person` is the id of a membership, null for oneself."""

    text: Text200 = Field(examples=["带样件到校测试"])
    due_on: Day = Field(examples=["2026-12-01"])
    person: PathId | None = Field(default=None, examples=[None])


class ObjectionIn(In):
    """Object to a 公示; name and contact are told to the seller alone."""

    name: Short = Field(examples=["示范李乙"])
    contact: Text200 = Field(examples=["13800000009"])
    text: Message = Field(examples=["该成果的共有人没有同意转让。"])


class ObjectionHandlingIn(In):
    decision: Literal["cleared", "upheld"] = Field(examples=["cleared"])
    handling: Text1000 = Field(min_length=1, examples=["经核对共有协议，异议不成立。"])


class ContractLineIn(In):
    """One line. `reasonable_quantity`: non-technical deliverables that still count as technical."""

    name: Text120 = Field(min_length=1, examples=["专利许可入门费"])
    kind: LineKind = Field(examples=["technical"], strict=False)
    amount_fen: Amount = Field(examples=[150_000_000])
    reasonable_quantity: bool = Field(default=False, examples=[False])


class ContractIn(In):
    """A draft. The lines sum to `total_fen`; 技术交易额 is derived from them.

    `replaces` names the draft that was read, None where there was none.
    """

    number: Optional60 = Field(default="", examples=["2026-技-017"])
    type: ContractType = Field(examples=["LIC"], strict=False)
    sub_type: Optional60 = Field(examples=["专利实施许可"])
    project_name: Line = Field(examples=["轨道扣件螺栓松动声学检测"])
    field: Field11 = Field(examples=[10])
    total_fen: Amount = Field(examples=[150_000_000])
    lines: Annotated[list[ContractLineIn], Field(min_length=1, max_length=MAX_LINES)] = Field(
        examples=[
            [
                {
                    "name": "专利许可入门费",
                    "kind": "technical",
                    "amount_fen": 150_000_000,
                    "reasonable_quantity": False,
                }
            ]
        ]
    )
    pay_method: PayMethod = Field(examples=["lump"], strict=False)
    begins_on: Day = Field(examples=["2026-11-28"])
    ends_on: Day = Field(examples=["2031-11-27"])
    replaces: PathId | None = Field(default=None, examples=[None])


class SignIn(In):
    """Confirm the draft that was read: its id, not the deal's.

    `differences_known` says that one knows in what it leaves the agreed terms and the price that
    was found by law (`differences` of the deal); it is needed where it leaves them in anything.
    """

    contract: PathId = Field(examples=["23456789abcdef"])
    differences_known: bool = Field(default=False, examples=[False])


class DisclosureIn(In):
    agrees: bool = Field(examples=[True])
