"""Wire types of what is kept of a contract beside its text."""

import re
from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from market.deals.schemas import Amount
from market.kit.wire import Day, In, OneLine, Optional60, Optional200, Out, text

MOST = 30
Name200 = Annotated[str, text(200, 1), OneLine]
Name120 = Annotated[str, text(120, 1), OneLine]
_APPLICATION = re.compile(
    r"(CN|ZL)?(\d{8}|\d{12})(\.?[\dX])?"  # Chinese, before and since 2003
    r"|PCT/[A-Z]{2}\d{2,4}/\d{5,6}"
    r"|(?!CN|ZL|PCT)[A-Z]{2}[A-Z0-9/.,-]{5,30}",  # another office's
)


def _application_number(value: str) -> str:
    plain = re.sub(r"\s", "", value).upper()
    if not _APPLICATION.fullmatch(plain):
        raise ValueError(
            "应为8位或12位数字加校验位，如202310000000.0；国际申请如PCT/CN2023/000001，"
            f"现在是“{value}”"
        )
    return plain


ApplicationNumber = Annotated[
    str, text(40, 1), OneLine, AfterValidator(_application_number), Field(max_length=40)
]
"""The number of an application as the office writes it, of other offices only by its look."""


class PatentIn(In):
    """A patent or application as the register has it (民法典 845)."""

    name: Name200 = Field(examples=["一种螺栓松动的声学检测方法"])
    owner: Name120 = Field(examples=["示范大学一"])
    filed_on: Day = Field(examples=["2023-05-10"])
    application_number: ApplicationNumber = Field(examples=["202310000000.0"])
    patent_number: Annotated[str, text(40), OneLine] = Field(
        default="", examples=["ZL202310000000.0"]
    )
    expires_on: Day | None = Field(default=None, examples=["2043-05-09"])


class PatentsIn(In):
    items: Annotated[list[PatentIn], Field(max_length=MOST)] = Field(
        examples=[
            [
                {
                    "name": "一种检测方法",
                    "owner": "示范大学一",
                    "filed_on": "2023-05-10",
                    "application_number": "202310000000.0",
                }
            ]
        ]
    )


class InstalmentIn(In):
    """A payment as agreed: on a day, or after what `condition` says."""

    due_on: Day | None = Field(default=None, examples=["2026-12-15"])
    condition: Annotated[str, text(120), OneLine] = Field(default="", examples=["验收合格后30日内"])
    amount_fen: Amount = Field(examples=[75_000_000])

    @model_validator(mode="after")
    def _when(self) -> "InstalmentIn":
        if self.due_on is None and not self.condition:
            raise ValueError("请写付款日或付款条件")
        return self


class InstalmentsIn(In):
    items: Annotated[list[InstalmentIn], Field(max_length=MOST)] = Field(
        examples=[[{"condition": "验收合格后30日内", "amount_fen": 150_000_000}]]
    )


class ReceiptIn(In):
    received_on: Day = Field(examples=["2026-11-01"])
    amount_fen: Amount = Field(examples=[75_000_000])
    note: Optional200 = Field(default="", examples=["第一期"])


class FilingIn(In):
    """That a patent licence was filed (备案)."""

    filed_on: Day = Field(examples=["2026-11-01"])
    number: Optional60 = Field(default="", examples=["X2026500000001"])


class PatentOut(Out):
    name: str
    owner: str
    filed_on: date
    application_number: str
    patent_number: str
    expires_on: date | None


class InstalmentOut(Out):
    """`received_fen` of it has come in, the earlier instalments filled first."""

    position: int
    due_on: date | None
    condition: str
    amount_fen: int
    received_fen: int


class ReceiptOut(Out):
    id: str = Field(validation_alias="public_id")
    received_on: date
    amount_fen: int
    note: str
    slip: bool
    created_at: datetime
    voided_at: datetime | None


class FilingOut(Out):
    filed_on: date
    number: str


class KeptOut(Out):
    """`filing_due_on`: until when a patent licence is to be filed; null where it is none."""

    patents: list[PatentOut]
    instalments: list[InstalmentOut]
    receipts: list[ReceiptOut]
    received_fen: int
    filing: FilingOut | None
    filing_due_on: date | None
