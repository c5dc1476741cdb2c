"""What is kept of a contract: patents, payments agreed and received, the filing of a licence."""

from typing import Annotated, Any, TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from market.accounts.policy import Action
from market.deals import filing, keeping, service
from market.deals.schemas_keeping import (
    ApplicationNumber,
    FilingIn,
    InstalmentIn,
    InstalmentsIn,
    Name120,
    Name200,
    PatentIn,
    PatentsIn,
    ReceiptIn,
)
from market.kit.cells import days
from market.kit.downloads import as_download
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.money import fen_to_wan, wan_to_fen
from market.kit.wire import OneLine, Optional60, Optional200, PathId, text

router = APIRouter()
KEPT = notices.done("contract-kept", "已保存")
SEPARATOR = "｜"
M = TypeVar("M", bound=BaseModel)


class KeptForm(BaseModel):
    """One form of each part; `part` says which was sent."""

    part: str = Field(title="内容", pattern="^(patents|instalments|receipt|filing)$")
    patents: str = Field("", title="专利", max_length=8000)
    instalments: str = Field("", title="付款约定", max_length=4000)
    received_on: forms.Day | None = Field(None, title="收款日")
    amount_fen: forms.Yuan | None = Field(None, title="收款金额", gt=0)
    note: Optional200 = Field("", title="备注")
    file: str = Field("", title="银行回单")
    filed_on: forms.Day | None = Field(None, title="备案日")
    number: Optional60 = Field("", title="备案号")


class PatentLine(BaseModel):
    """One line of `patents`, in the order of its parts."""

    name: Name200 = Field(title="名称")
    owner: Name120 = Field(title="权利人")
    filed_on: forms.Day = Field(title="申请日")
    application_number: ApplicationNumber = Field(title="申请号")
    patent_number: Annotated[str, text(40), OneLine] = Field("", title="专利号")
    expires_on: forms.Day | None = Field(None, title="到期日")


class InstalmentLine(BaseModel):
    """One line of `instalments` whose first part is a day."""

    due_on: forms.Day = Field(title="付款日")


def _context(
    page: Page, deal_id: str, form: forms.Form[KeptForm] | None = None
) -> dict[str, object]:
    deal = service.find(page.work, PublicId(deal_id))
    contract, kept = keeping.seen(page.work, PublicId(deal_id))
    values = {
        "patents": "\n".join(
            SEPARATOR.join(
                str(part or "")
                for part in (
                    one.name,
                    one.owner,
                    one.filed_on,
                    one.application_number,
                    one.patent_number,
                    one.expires_on,
                )
            )
            for one in kept.patents
        ),
        "instalments": "\n".join(
            f"{one.due_on or one.condition}{SEPARATOR}{fen_to_wan(one.amount_fen)}"
            for one in kept.instalments
        ),
    }
    return {
        "deal": deal,
        "contract": contract,
        "kept": kept,
        "licence": contract.sub_type == filing.LICENCE,
        "filing_due": keeping.due_of(page.work, contract),
        "may_keep": page.work.may(Action.CONTRACT_KEEP, service.relation(page.work, deal)),
        "form": form or forms.blank(KeptForm, values),
    }


@router.get("/deals/{deal_id}/kept")
def kept(deal_id: PathId, page: Annotated[Page, opens_page(Action.DEAL_VIEW)]) -> Response:
    return page.render("deals/kept.html", _context(page, deal_id))


@router.post("/deals/{deal_id}/kept")
def keep(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.CONTRACT_KEEP, write=True)]
) -> Response:
    form = forms.parse(KeptForm, page.sent)
    if form.data is not None:
        try:
            _keep(page, PublicId(deal_id), form.data)
        except (Invalid, Conflict) as error:
            form.reject(_renamed(error, form.data.part))
        else:
            return page.redirect(f"/deals/{deal_id}/kept", done=KEPT)
    service.step(page.work, PublicId(deal_id), Action.CONTRACT_KEEP)
    page.work.abandon()
    return page.again("deals/kept.html", _context(page, deal_id, form))


def _renamed(error: Invalid | Conflict, part: str) -> Invalid | Conflict:
    if isinstance(error, Invalid) and "items" in error.fields:
        return Invalid(fields={part: error.fields["items"]})
    return error


def _keep(page: Page, deal: PublicId, data: KeptForm) -> None:
    work = page.work
    if data.part == "patents":
        keeping.put_patents(work, deal, PatentsIn(items=_patents(data.patents)))
    elif data.part == "instalments":
        items = _instalments(data.instalments)
        keeping.put_instalments(work, deal, InstalmentsIn(items=items))
    elif data.part == "receipt":
        wanted = {"received_on": data.received_on, "amount_fen": data.amount_fen}
        _needed(wanted)
        receipt = ReceiptIn.model_validate(wanted | {"note": data.note})
        slip = None
        if page.sent.files.get("file"):
            file = page.sent.file("file")
            slip = (file.filename or "", file.file)
        keeping.receive(work, deal, receipt, slip)
    else:
        _needed({"filed_on": data.filed_on})
        form = FilingIn.model_validate({"filed_on": data.filed_on, "number": data.number})
        keeping.filed(work, deal, form)


def _needed(values: dict[str, Any]) -> None:
    lacking = {name: "必须填写，现在是空的" for name, value in values.items() if value is None}
    if lacking:
        raise Invalid(fields=lacking)


def _lines(text: str) -> list[list[str]]:
    return [
        [part.strip() for part in line.replace("|", SEPARATOR).split(SEPARATOR)]
        for line in text.splitlines()
        if line.strip()
    ]


def _read(model: type[M], parts: list[str], place: int, field: str) -> M:
    """Return one line. Raises Invalid at `field` with the line's number and all that is wrong."""
    names = list(model.model_fields)
    if len(parts) > len(names):
        raise Invalid(fields={field: f"第{place}行应不多于{len(names)}段，现在是{len(parts)}段"})
    typed = {name: [part] for name, part in zip(names, parts, strict=False)}
    form = forms.parse(model, forms.Submission(fields=typed))
    if form.data is None:
        wrong = "；".join(sentence for _, sentence in form.summary)
        raise Invalid(fields={field: f"第{place}行：{wrong}"})
    return form.data


def _patents(typed: str) -> list[PatentIn]:
    return [
        PatentIn(**_read(PatentLine, parts, place, "patents").model_dump())
        for place, parts in enumerate(_lines(typed), 1)
    ]


def _instalments(typed: str) -> list[InstalmentIn]:
    found = []
    for place, parts in enumerate(_lines(typed), 1):
        when, amount = (*parts, "", "")[:2]
        on = days.day(when)
        told: dict[str, Any] = {"condition": when}
        if on is not None and on[2] is not None:
            told = {"due_on": _read(InstalmentLine, [when], place, "instalments").due_on}
        try:
            told["amount_fen"] = wan_to_fen(amount)
            found.append(InstalmentIn(**told))
        except ValueError:
            message = f"每行写“付款日或条件｜万元”，现在有“{SEPARATOR.join(parts)[:40]}”"
            raise Invalid(fields={"instalments": message}) from None
    return found


@router.get("/deals/{deal_id}/receipts/{receipt_id}/slip")
def slip(
    deal_id: PathId, receipt_id: PathId, page: Annotated[Page, opens_page(Action.DEAL_VIEW)]
) -> Response:
    found = keeping.slip(page.work, PublicId(deal_id), PublicId(receipt_id))
    stream = page.work.parts.files.open(found.sha256)
    return as_download(stream, found.name, found.media_type)


@router.post("/deals/{deal_id}/receipts/{receipt_id}/void")
def void(
    deal_id: PathId,
    receipt_id: PathId,
    page: Annotated[Page, opens_page(Action.CONTRACT_KEEP, write=True)],
) -> Response:
    keeping.void(page.work, PublicId(deal_id), PublicId(receipt_id))
    return page.redirect(f"/deals/{deal_id}/kept", done=KEPT)
