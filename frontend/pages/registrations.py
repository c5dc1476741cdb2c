"""A party's registrations: completing the form and handing it in, seeing what becomes of it."""

import json
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend import registration_words as words
from frontend.edge import Page, opens_page
from frontend.registration_words import STATES
from market.accounts.policy import Action
from market.catalog.vocabulary import FIELDS
from market.deals import service as deals
from market.deals.models import Contract
from market.deals.vocabulary import CONTRACT_TYPES
from market.kit import pdf
from market.kit.downloads import as_download
from market.kit.errors import Conflict, Invalid
from market.kit.files import download_headers
from market.kit.ids import PublicId
from market.kit.wire import Optional60, Optional200, Optional500, PathId
from market.registry import form as national
from market.registry import items, service, standing
from market.registry.items import Items
from market.registry.repository import Filed
from market.registry.schemas import ObjectIn, SubmitIn
from market.registry.states import RegistrationState, Step
from market.registry.vocabulary import END_CAUSES
from market.rules import versions

router = APIRouter()

SUBMITTED = notices.done(
    "registration-submitted", "已提交登记", "科技局受理后审查，进度和结果显示在这里。"
)
SAVED = notices.done("registration-saved", "草稿已保存", "填好后提交登记。")
WITHDRAWN = notices.done("registration-withdrawn", "已撤回申请", "改好后可以从洽谈里重新提交。")
OBJECTED = notices.done("registration-objected", "异议已提交", "科技局复核之前，登记照常计入看板。")


class ItemsForm(BaseModel):
    related: str | None = Field(None, title="关联交易", pattern="^[01]$")
    plan: str | None = Field(None, title="计划来源", max_length=20)
    ipr: str | None = Field(None, title="知识产权", max_length=20)
    industry: str | None = Field(None, title="国民经济行业", pattern="^[A-T]$")
    foreign_language: bool = Field(False, title="外文合同")
    same_text: bool = Field(False, title="译本一致的承诺")
    objective: Optional60 = Field("", title="社会经济目标")
    buyer_nature: str | None = Field(None, title="买方性质", max_length=3)
    buyer_scale: str | None = Field(None, title="买方规模", max_length=20)
    buyer_transfer_org: bool = Field(False, title="技术转移机构")
    buyer_rd_org: bool = Field(False, title="研发机构")
    buyer_converted: bool = Field(False, title="转制院所")
    buyer_in_zone: bool = Field(False, title="高新区内企业")
    buyer_listed: bool = Field(False, title="上市公司")
    buyer_address: Optional200 = Field("", title="买方地址")
    buyer_representative: Optional60 = Field("", title="买方法定代表人")
    buyer_contact: Optional60 = Field("", title="买方联系人")
    buyer_phone: Optional60 = Field("", title="买方电话")
    buyer_postcode: str = Field("", title="买方邮编", pattern=r"^(\d{6})?$", description="6位数字")
    file: str | None = Field(None, title="合同文件", max_length=1)
    reply: Optional500 = Field("", title="对补正要求的答复")


class ObjectForm(BaseModel):
    reason: Optional500 = Field(title="异议的理由", min_length=1)


@router.get("/registrations")
def own(
    page: Annotated[Page, opens_page(Action.REGISTRATION_VIEW)],
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    rows, total = service.registrations(page.work, page=number)
    return page.render(
        "desk/own.html",
        {
            "rows": rows,
            "total": total,
            "page": number,
            "pages": -(-total // service.PAGE_SIZE),
            "states": STATES,
            "types": CONTRACT_TYPES,
        },
    )


def _filled(stored: Items) -> forms.Form[ItemsForm]:
    values: dict[str, object] = stored.model_dump(mode="json")
    if stored.related is not None:
        values["related"] = "1" if stored.related else "0"
    return forms.blank(ItemsForm, values)


def _submit(
    page: Page, contract: Contract, filed: Filed | None, form: forms.Form[ItemsForm]
) -> dict[str, object]:
    asked = None
    if filed is not None and filed.row.state == RegistrationState.CORRECTION:
        asked = [row for row in service.events(page.work, filed) if row.step == Step.RETURN][-1]
    return {
        "contract": contract,
        "filed": filed,
        "stored": service.file_of(page.work, filed) if filed else None,
        "asked": asked,
        "form": form,
        "types": CONTRACT_TYPES,
        "fields": FIELDS,
        "choices": words.FORM_CHOICES,
        "address": (
            f"/registrations/{filed.row.public_id}/edit"
            if filed is not None
            else f"/registrations/new?contract={contract.public_id}"
        ),
    }


@router.get("/registrations/new")
def new(
    contract: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_SUBMIT)]
) -> Response:
    found = service.to_submit(page.work, PublicId(contract))
    filed = service.begun(page.work, found)
    stored = items.read(filed.row.items) if filed else items.known(page.work, found)
    return page.render("desk/submit.html", _submit(page, found, filed, _filled(stored)))


@router.post("/registrations/new")
def submit(
    contract: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_SUBMIT, write=True)]
) -> Response:
    filed = service.prepare(page.work, SubmitIn(contract=contract))
    return _save(page, filed)


@router.get("/registrations/{registration_id}/edit")
def edit(
    registration_id: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_SUBMIT)]
) -> Response:
    filed, related = service.seen(page.work, PublicId(registration_id))
    page.work.require(Action.REGISTRATION_SUBMIT, related)
    if Step.HAND_IN not in service.steps_of(page.work, filed, related):
        raise Conflict("登记申请已经提交，不能再改")
    form = _filled(items.read(filed.row.items))
    return page.render("desk/submit.html", _submit(page, filed.contract, filed, form))


@router.post("/registrations/{registration_id}/edit")
def save(
    registration_id: PathId,
    page: Annotated[Page, opens_page(Action.REGISTRATION_SUBMIT, write=True)],
) -> Response:
    filed, related = service.seen(page.work, PublicId(registration_id))
    page.work.require(Action.REGISTRATION_SUBMIT, related)
    return _save(page, filed)


def _save(page: Page, filed: Filed) -> Response:
    """Keep what was sent; hand it in unless only a draft was to be kept."""
    form = forms.parse(ItemsForm, page.sent)
    public_id, contract = filed.row.public_id, filed.contract
    if form.data is not None:
        try:
            service.fill(page.work, public_id, _items(form.data))
            if page.sent.files.get("file"):
                file = page.sent.file("file")
                upload = service.Upload(file.filename or "", file.file)
                service.attach(page.work, public_id, upload)
            if page.sent.first("save"):
                return page.redirect(f"/registrations/{public_id}/edit", done=SAVED)
            service.hand_in(page.work, public_id, form.data.reply)
        except (Invalid, Conflict) as error:
            form.reject(error)
        else:
            return page.redirect(f"/registrations/{public_id}", done=SUBMITTED)
    page.work.abandon()
    begun = service.begun(page.work, contract)
    return page.again("desk/submit.html", _submit(page, contract, begun, form))


def _items(data: ItemsForm) -> Items:
    told = data.model_dump(exclude={"related", "file", "reply"})
    return Items.model_validate(
        told | {"related": None if data.related is None else data.related == "1"}
    )


@router.get("/registrations/{registration_id}")
def one(
    registration_id: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_VIEW)]
) -> Response:
    filed, related = service.seen(page.work, PublicId(registration_id))
    return page.render("desk/one.html", _one(page, filed) | {"related": related})


def _one(page: Page, filed: Filed) -> dict[str, object]:
    work = page.work
    _, related = service.seen(work, filed.row.public_id)
    steps = service.steps_of(work, filed, related)
    return {
        "filed": filed,
        "state": STATES[filed.row.state],
        "term": service.term_of(work, filed),
        "version": service.version_of(work, filed),
        "events": service.events(work, filed),
        "step_words": words.STEPS,
        "stored": service.file_of(work, filed)
        if work.may(Action.REGISTRATION_FILE, related)
        else None,
        "joint": [one.words() for one in national.joint(work, filed.contract)],
        "form_rows": national.rows(
            filed.contract, items.shown(work, filed.contract, items.read(filed.row.items))
        ),
        "may_edit": Step.HAND_IN in steps,
        "may_object": Step.OBJECT in steps,
        "may_withdraw": service.may_withdraw(work, filed),
        "may_resubmit": service.may_resubmit(work, filed),
        "may_deal": deals.may_see(work, filed.deal),
        "stamp": national.stamp_of(work, filed),
        "may_print": work.may(Action.REGISTRATION_FILE, related),
        "book": versions.book(work.session),
        "causes": END_CAUSES,
        "moved": standing.words(filed.row, filed.contract),
        "types": CONTRACT_TYPES,
        "fields": FIELDS,
    }


@router.get("/registrations/{registration_id}/file")
def download(
    registration_id: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_FILE)]
) -> Response:
    file, stream = service.open_file(page.work, PublicId(registration_id))
    return as_download(stream, file.name, file.media_type)


Printing = Annotated[Page, opens_page(Action.REGISTRATION_FILE)]


def _sent(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers=download_headers(name))


@router.get("/registrations/{registration_id}/form.pdf")
def form_pdf(registration_id: PathId, page: Printing) -> Response:
    made = national.printed(page.work, PublicId(registration_id))
    return _sent(made, pdf.MEDIA_TYPE, "技术合同认定登记表.pdf")


@router.get("/registrations/{registration_id}/summary.pdf")
def summary_pdf(registration_id: PathId, page: Printing) -> Response:
    made = national.summary(page.work, PublicId(registration_id))
    return _sent(made, pdf.MEDIA_TYPE, "技术合同摘要.pdf")


@router.get("/registrations/{registration_id}/form.xlsx")
def form_xlsx(registration_id: PathId, page: Printing) -> Response:
    made = national.sheet(page.work, PublicId(registration_id))
    return _sent(made, national.XLSX, "技术合同认定登记表.xlsx")


@router.get("/registrations/{registration_id}/form.json")
def form_json(registration_id: PathId, page: Printing) -> Response:
    told = national.data(page.work, PublicId(registration_id))
    told_text = json.dumps(told, ensure_ascii=False, indent=2)
    return _sent(told_text.encode(), "application/json", "技术合同认定登记表.json")


@router.post("/registrations/{registration_id}/withdraw")
def withdraw(
    registration_id: PathId,
    page: Annotated[Page, opens_page(Action.REGISTRATION_SUBMIT, write=True)],
) -> Response:
    filed = service.withdraw(page.work, PublicId(registration_id))
    return page.redirect(f"/registrations/{filed.row.public_id}", done=WITHDRAWN)


def _objection(page: Page, registration_id: str, form: forms.Form[ObjectForm]) -> dict[str, object]:
    filed, related = service.seen(page.work, PublicId(registration_id))
    page.work.require(Action.REGISTRATION_OBJECT, related)
    return {"filed": filed, "state": STATES[filed.row.state], "form": form}


@router.get("/registrations/{registration_id}/objection")
def ask_objection(
    registration_id: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_OBJECT)]
) -> Response:
    context = _objection(page, registration_id, forms.blank(ObjectForm))
    return page.render("desk/objection.html", context)


@router.post("/registrations/{registration_id}/objection")
def object_to(
    registration_id: PathId,
    page: Annotated[Page, opens_page(Action.REGISTRATION_OBJECT, write=True)],
) -> Response:
    form = forms.parse(ObjectForm, page.sent)
    if form.data is not None:
        try:
            service.object_to(
                page.work, PublicId(registration_id), ObjectIn(reason=form.data.reason)
            )
        except Conflict as error:
            form.fail(forms.WHOLE, error.message)
        else:
            return page.redirect(f"/registrations/{registration_id}", done=OBJECTED)
    page.work.abandon()
    return page.again("desk/objection.html", _objection(page, registration_id, form))
