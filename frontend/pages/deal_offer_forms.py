"""Forms of an offer, and of what stands beside a deal: parties, files, plans, objections."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field

from frontend import forms
from market.catalog.vocabulary import Mode
from market.deals.models_negotiation import TermsInstalment
from market.deals.schemas import (
    MAX_INSTALMENTS,
    Hundredths,
    InstalmentIn,
    Message,
    TermsIn,
    Text120,
    Text1000,
    Text2000,
)
from market.deals.vocabulary import (
    AUDIENCES,
    PHASES,
    ROYALTY_BASES,
    ROYALTY_TRENDS,
    UNSPECIFIED_LICENCE,
    Audience,
    PayMethod,
    Phase,
    RoyaltyBase,
    RoyaltyTrend,
)
from market.kit import letters
from market.kit.money import typed_number, wan_to_fen
from market.kit.wire import Line, Optional200, OrganisationName, PathId, Short

NAME_LENGTH = 120
INSTALMENT_ROWS = 4

MODES = (
    *((mode.value, mode.value) for mode in Mode),
    (UNSPECIFIED_LICENCE, "许可（没有约定方式，按普通许可）"),
)
BASES = tuple((base.value, text) for base, text in ROYALTY_BASES.items())
TRENDS = tuple((trend.value, text) for trend, text in ROYALTY_TRENDS.items())
PHASE_CHOICES = tuple((phase.value, text) for phase, text in PHASES.items())
AUDIENCE_CHOICES = tuple((one.value, text) for one, text in AUDIENCES.items())
BROKER_AUDIENCES = tuple(one for one in AUDIENCE_CHOICES if one[0] in ("own", "all"))


def _to_hundredths(value: object) -> object:
    """Read a percentage as a person types it, as hundredths of a per cent."""
    typed = str(value).strip().removesuffix("%").removesuffix("％")
    said = f"应为百分数，最多两位小数，如3或2.75，现在是“{typed[:20]}”"
    try:
        found = typed_number(typed) * 100
    except ValueError:
        raise ValueError(said) from None
    if found != found.to_integral_value():
        raise ValueError(said)
    return int(found)


Percent = Annotated[Hundredths, BeforeValidator(_to_hundredths)]


class TermsForm(BaseModel):
    """The instalments stand beside it, see `read_instalments`."""

    seen: forms.Whole = Field(title="看过的轮次", ge=0)
    mode: Mode | Literal["许可"] = Field(title="合作方式")
    amount: forms.Wan = Field(title="价款", ge=1)
    pay_method: PayMethod = Field(PayMethod.LUMP, title="付款方式")
    entry: forms.Wan | None = Field(None, title="入门费", ge=1)
    royalty_base: RoyaltyBase | None = Field(None, title="提成基数")
    royalty_rate: Percent | None = Field(None, title="提成比例")
    royalty_trend: RoyaltyTrend | None = Field(None, title="提成比例的变化")
    instalments: list[str] = Field(default_factory=list, title="分期")
    term_months: forms.Whole | None = Field(None, title="期限", ge=1, le=1200)
    territory: Text120 = Field("", title="地域")
    text: Text2000 = Field("", title="其他条件")


class PhaseForm(BaseModel):
    seen: Phase = Field(title="看过的阶段")
    phase: Phase = Field(title="阶段")


class PartyForm(BaseModel):
    organisation: OrganisationName = Field(title="单位全称")
    share: Percent | None = Field(None, title="份额")
    note: Optional200 = Field("", title="说明")


class ShareForm(BaseModel):
    version: forms.Whole = Field(title="轮次", ge=1)


class ListingForm(BaseModel):
    listing: PathId = Field(title="成果或需求")


class FileForm(BaseModel):
    audience: Audience = Field(Audience.OWN, title="谁能看")
    note: Optional200 = Field("", title="说明")


class ShareFileForm(BaseModel):
    seen: Audience = Field(title="原来谁能看")
    audience: Audience = Field(title="谁能看")


class PlanForm(BaseModel):
    text: Line = Field(title="下一步")
    due_on: forms.Day = Field(title="日期")
    person: PathId | None = Field(None, title="由谁办")


class ObjectionForm(BaseModel):
    name: Short = Field(title="姓名或单位")
    contact: Line = Field(title="联系方式")
    text: Message = Field(title="异议内容")


class HandlingForm(BaseModel):
    decision: Literal["cleared", "upheld"] = Field(title="处理结果")
    handling: Text1000 = Field(title="处理说明", min_length=1)


class InstalmentRow(BaseModel):
    """One payment as typed."""

    due: str = ""
    amount: str = ""


def typed_instalments(
    sent: forms.Submission, newest: Sequence[TermsInstalment] = ()
) -> list[InstalmentRow]:
    """Return the payments as they were typed, else those of the newest offer to start from, with
    empty rows behind.
    """
    if "part_due" not in sent.fields:
        rows = [InstalmentRow(due=one.due, amount=forms.wan(one.amount_fen)) for one in newest]
        return _with_room(rows)
    dues, amounts = (sent.fields.get(key, []) for key in ("part_due", "part_amount"))
    rows = [
        InstalmentRow(due=due, amount=amount)
        for due, amount in zip(dues, amounts, strict=False)
        if due.strip() or amount.strip()
    ][:MAX_INSTALMENTS]
    return _with_room(rows)


def _with_room(rows: list[InstalmentRow]) -> list[InstalmentRow]:
    wanted = min(len(rows) + INSTALMENT_ROWS, MAX_INSTALMENTS)
    return [*rows, *(InstalmentRow() for _ in range(wanted - len(rows)))]


def read_instalments(rows: list[InstalmentRow], form: forms.Form[TermsForm]) -> list[InstalmentIn]:
    """Return the payments that were filled in, noting at `instalments` what is wrong with them."""
    found, wrong = [], []
    for place, row in enumerate(rows, 1):
        due, amount = row.due.strip(), row.amount.strip()
        if not due and not amount:
            continue
        try:
            found.append(_instalment(due, amount))
        except ValueError as error:
            wrong.append(f"第{place}期：{error}")
            row.due, row.amount = forms.printable(row.due), forms.printable(row.amount)
    if wrong:
        form.fail("instalments", "；".join(wrong))
    return found


def _instalment(due: str, amount: str) -> InstalmentIn:
    """Return one payment. Raises ValueError with a sentence about it."""
    for typed in (due, amount):
        if problem := letters.problem(typed):
            raise ValueError(problem)
    if not due or len(due) > NAME_LENGTH:
        raise ValueError(f"何时付应为1到{NAME_LENGTH}个字，现在是{len(due)}个字")
    fen = wan_to_fen(amount) if amount else 0
    if fen < 1:
        raise ValueError("金额应大于0")
    return InstalmentIn(amount_fen=fen, due=due)


def terms_in(form: TermsForm, parts: list[InstalmentIn]) -> TermsIn:
    return TermsIn(
        seen=form.seen,
        mode=form.mode,
        amount_fen=form.amount,
        pay_method=form.pay_method,
        entry_fen=form.entry,
        royalty_base=form.royalty_base,
        royalty_rate=form.royalty_rate,
        royalty_trend=form.royalty_trend,
        instalments=parts,
        term_months=form.term_months,
        territory=form.territory,
        text=form.text,
    )
