"""Forms of a deal's page, and the contract's with its lines."""

from typing import Literal

from pydantic import BaseModel, Field

from frontend import forms
from market.catalog.vocabulary import FIELDS
from market.deals import pricing
from market.deals.models import Contract, ContractLine
from market.deals.schemas import (
    MAX_LINES,
    ContractIn,
    ContractLineIn,
    Message,
    PricingIn,
    Text120,
    Text1000,
)
from market.deals.vocabulary import (
    CONTRACT_TYPES,
    LOST_REASONS,
    PAY_METHODS,
    STOP_REASONS,
    SUB_TYPES,
    Audience,
    ContractType,
    LineKind,
    LostReason,
    PayMethod,
    PricingPathKind,
    StopReason,
)
from market.kit import letters
from market.kit.errors import Invalid
from market.kit.money import wan_to_fen
from market.kit.wire import (
    Line,
    Optional60,
    Optional300,
    Optional500,
    PathId,
)

ROWS = 4  # lines that an empty contract offers; a button adds more
MORE = 4
NAME_LENGTH = 120

LOST = tuple((reason.value, text) for reason, text in LOST_REASONS.items())
STOPS = tuple((reason.value, text) for reason, text in STOP_REASONS.items())
PAYS = tuple((method.value, text) for method, text in PAY_METHODS.items())
FIELD_CHOICES = tuple(FIELDS.items())
KINDS = tuple(
    (f"{kind}:{sub}", f"{name}：{sub}" if sub != name else name)
    for kind, name in CONTRACT_TYPES.items()
    for sub in SUB_TYPES[kind]
)
LINE_KINDS = ((LineKind.TECHNICAL.value, "技术"), (LineKind.NON_TECHNICAL.value, "非技术"))


class ConfirmForm(BaseModel):
    version: forms.Whole = Field(title="轮次", ge=1)


class LoseForm(BaseModel):
    reason: LostReason = Field(title="原因")
    note: Optional500 = Field("", title="说明")


class NoteForm(BaseModel):
    text: Message = Field(title="备注")
    audience: Audience = Field(title="谁能看")


class PricingForm(BaseModel):
    """`checked`: that what a 公示 will say was looked through, see `pricing_problems`."""

    path: PricingPathKind = Field(title="定价方式")
    summary: Text1000 = Field("", title="成果简介")
    interested: Literal["yes", "no"] | None = Field(None, title="利害关系")
    interest_note: Optional300 = Field("", title="利害关系说明")
    exchange: Text120 = Field("", title="技术交易市场")
    exchange_number: Optional60 = Field("", title="挂牌编号")
    listed_on: forms.Day | None = Field(None, title="挂牌日")
    listed_until: forms.Day | None = Field(None, title="截止日")
    checked: bool = Field(False, title="核对")


def pricing_in(form: PricingForm) -> PricingIn:
    interested = None if form.interested is None else form.interested == "yes"
    return PricingIn(**form.model_dump(exclude={"interested", "checked"}), interested=interested)


def pricing_problems(form: PricingForm) -> dict[str, str]:
    """Return all that is wrong with the choice, by field."""
    wrong = pricing.problems(pricing_in(form))
    if form.path is PricingPathKind.AGREEMENT and not form.checked:
        wrong["checked"] = "公示一开始任何人都看得到，请核对后勾选"
    return wrong


class DealtForm(BaseModel):
    dealt_on: forms.Day = Field(title="成交日")
    price: forms.Wan = Field(title="成交价", ge=1)
    dealt_number: Optional60 = Field("", title="成交确认书编号")
    bidders: forms.Whole | None = Field(None, title="报名人数", ge=1, le=10_000)


class StopForm(BaseModel):
    reason: StopReason = Field(title="原因")
    note: Optional500 = Field("", title="说明")


class SignForm(BaseModel):
    contract: str = Field(title="合同", pattern=r"^[2-9a-z]{14}$")
    differences_known: bool = Field(False, title="差异已知")


class DisclosureForm(BaseModel):
    agrees: Literal["yes", "no"] = Field(title="是否公开")


class ContractForm(BaseModel):
    """`kind` joins type and sub-type; the lines stand beside it, see `read_lines`."""

    kind: str = Field(title="合同类型", max_length=60)
    project_name: Line = Field(title="项目名称")
    number: Optional60 = Field("", title="合同编号")
    field: forms.Whole = Field(title="技术领域", ge=min(FIELDS), le=max(FIELDS))
    total: forms.Wan = Field(title="合同成交额", ge=1)
    lines: list[str] = Field(default_factory=list, title="金额明细")
    pay_method: PayMethod = Field(title="付款方式")
    begins_on: forms.Day = Field(title="开始日")
    ends_on: forms.Day = Field(title="终止日")
    replaces: PathId | None = Field(None, title="原来的草稿", description="看过的草稿")


class LineRow(BaseModel):
    """One line as typed; kept as it is where something is wrong."""

    name: str = ""
    kind: str = LineKind.TECHNICAL.value
    amount: str = ""
    reasonable: bool = False

    @property
    def blank(self) -> bool:
        return not self.name.strip() and not self.amount.strip()

    def trimmed(self) -> "LineRow":
        """Return the line as it counts: what is shown again keeps every space that was typed."""
        found = {"name": self.name.strip(), "amount": self.amount.strip()}
        return self.model_copy(update=found)


def typed_rows(sent: forms.Submission, *, more: bool) -> list[LineRow]:
    """Return the lines as they were typed, with empty ones behind."""
    names, kinds, amounts = (
        sent.fields.get(key, []) for key in ("line_name", "line_kind", "line_amount")
    )
    reasonable = set(sent.fields.get("line_reasonable", []))
    rows = [
        LineRow(name=name, kind=kind, amount=amount, reasonable=str(n) in reasonable)
        for n, (name, kind, amount) in enumerate(zip(names, kinds, amounts, strict=False))
    ]
    wanted = len(rows) + MORE if more else max(len(rows), ROWS)
    return [*rows, *(LineRow() for _ in range(wanted - len(rows)))][:MAX_LINES]


def read_lines(rows: list[LineRow], form: forms.Form[ContractForm]) -> list[ContractLineIn]:
    """Return the lines that were filled in, noting at `lines` all that is wrong with them."""
    found, wrong = [], []
    for place, row in enumerate(rows, 1):
        if row.blank:
            continue
        try:
            found.append(_line(row.trimmed()))
        except ValueError as error:
            wrong.append(f"第{place}行：{error}")
            row.name, row.amount = forms.printable(row.name), forms.printable(row.amount)
    if wrong:
        form.fail("lines", "；".join(wrong))
        return []
    if not found:
        form.fail("lines", "至少填一行，写明名称和金额")
    return found


def _line(row: LineRow) -> ContractLineIn:
    """Return one line. Raises ValueError with a sentence about it."""
    for typed in (row.name, row.amount):
        if wrong := letters.problem(typed):
            raise ValueError(wrong)
    if not row.name or len(row.name) > NAME_LENGTH:
        raise ValueError(f"名称应为1到{NAME_LENGTH}个字，现在是{len(row.name)}个字")
    amount = wan_to_fen(row.amount) if row.amount else 0
    if amount < 1:
        raise ValueError("金额应大于0")
    if row.kind not in list(LineKind):
        raise ValueError("性质应选技术或非技术")
    return ContractLineIn(
        name=row.name,
        kind=LineKind(row.kind),
        amount_fen=amount,
        reasonable_quantity=row.reasonable,
    )


def contract_in(form: ContractForm, lines: list[ContractLineIn]) -> ContractIn:
    """Return the service's form. Raises Invalid at `kind`."""
    kind, _, sub = form.kind.partition(":")
    if kind not in list(ContractType):
        raise Invalid(fields={"kind": "应从给出的类型里选"})
    return ContractIn(
        number=form.number,
        type=ContractType(kind),
        sub_type=sub,
        project_name=form.project_name,
        field=form.field,
        total_fen=form.total,
        lines=lines,
        pay_method=form.pay_method,
        begins_on=form.begins_on,
        ends_on=form.ends_on,
        replaces=form.replaces,
    )


def contract_values(contract: Contract) -> dict[str, object]:
    """Return a draft as a person would have typed it."""
    return {
        "kind": f"{contract.type}:{contract.sub_type}",
        "project_name": contract.project_name,
        "number": contract.number,
        "field": contract.field,
        "total": forms.wan(contract.total_fen),
        "pay_method": contract.pay_method,
        "begins_on": contract.begins_on,
        "ends_on": contract.ends_on,
        "replaces": contract.public_id,
    }


def in_words(rows: list[LineRow]) -> str:
    """Return lines as one sentence, to compare one's own with."""
    kinds = dict(LINE_KINDS)
    return "；".join(f"{row.name}，{kinds[row.kind]}，{row.amount}万元" for row in rows)


def contract_rows(lines: tuple[ContractLine, ...], price_fen: int | None) -> list[LineRow]:
    """Return a draft's lines, or one of the price, with empty ones behind."""
    rows = [
        LineRow(
            name=line.name,
            kind=line.kind,
            amount=forms.wan(line.amount_fen),
            reasonable=line.reasonable_quantity,
        )
        for line in lines
    ]
    if not rows and price_fen is not None:
        rows = [LineRow(name="技术费用", amount=forms.wan(price_fen))]
    return [*rows, *(LineRow() for _ in range(max(ROWS - len(rows), 1)))][:MAX_LINES]
