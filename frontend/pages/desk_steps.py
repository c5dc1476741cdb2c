"""The bureau's steps that each have a page of their own: sent back, experts, change, its ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages import deal_forms
from frontend.registration_words import STATES, STEPS
from market.accounts.policy import Action
from market.accounts.work import Work
from market.deals.vocabulary import CONTRACT_TYPES
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.wire import In, OneLine, Optional60, Optional300, Optional500, PathId, text
from market.registry import service, standing
from market.registry.repository import Filed
from market.registry.schemas import (
    CancelIn,
    ChangeIn,
    ResolveIn,
    ReturnIn,
    ReviewIn,
    RevokeIn,
    UndoIn,
)
from market.registry.states import Step
from market.registry.vocabulary import END_CAUSES, CancelCause, RevokeCause
from market.rules import service as rules

router = APIRouter()

Name = Annotated[str, text(120), OneLine]
REGION = r"^(\d{6})?$"
KINDS = dict(deal_forms.KINDS)
FIELDS = {str(code): name for code, name in deal_forms.FIELD_CHOICES}
OF_KIND = {"type": "kind", "sub_type": "kind"}
"""Where the page tells what the desk says of type and sub-type."""


class ReturnForm(BaseModel):
    note: Optional500 = Field(title="要补正的内容", min_length=1)
    due_on: forms.Day | None = Field(None, title="补正期限")


class ReviewForm(BaseModel):
    note: Optional500 = Field("", title="评审的原因")


class ChangeForm(BaseModel):
    total_fen: forms.Wan = Field(title="变更后成交额", gt=0)
    technical_fen: forms.Wan = Field(title="变更后技术交易额", gt=0)
    kind: Optional60 = Field("", title="变更后类别")
    field: Optional60 = Field("", title="变更后领域")
    seller: Name = Field("", title="变更后卖方")
    seller_region: str = Field("", title="卖方行政区划", pattern=REGION, description="6位数字")
    buyer: Name = Field("", title="变更后买方")
    buyer_region: str = Field("", title="买方行政区划", pattern=REGION, description="6位数字")
    reason: Optional300 = Field(title="变更的原因", min_length=1)


class EndForm(BaseModel):
    cause: str = Field(title="情形", max_length=20)
    reason: Optional300 = Field(title="说明", min_length=1)


class ResolveForm(BaseModel):
    outcome: str = Field(title="复核结果", pattern="^(upheld|corrected)$")
    total_fen: forms.Wan | None = Field(None, title="更正后成交额")
    technical_fen: forms.Wan | None = Field(None, title="更正后技术交易额")
    note: Optional300 = Field(title="复核意见", min_length=1)


class UndoForm(BaseModel):
    reason: Optional300 = Field(title="撤回的原因", min_length=1)


@dataclass(frozen=True, slots=True)
class StepPage:
    """One step: what it asks, what it calls, and what it says of itself before and after."""

    step: Step
    action: Action
    form: type[BaseModel]
    body: type[In]
    call: Callable[[Work, PublicId, Any], Filed]
    lead: str
    done: str
    danger: bool = False


DECIDE, UNDO = Action.REGISTRATION_DECIDE, Action.REGISTRATION_UNDO
PAGES: Mapping[str, StepPage] = {
    "return": StepPage(
        Step.RETURN,
        DECIDE,
        ReturnForm,
        ReturnIn,
        service.send_back,
        "卖方补正后再次提交；受理日是提交补正材料的那一天。",
        notices.done("registration-returned", "已要求补正", "卖方能看到要补正的内容。"),
    ),
    "review": StepPage(
        Step.REVIEW,
        DECIDE,
        ReviewForm,
        ReviewIn,
        service.review,
        "有争议的合同请专家评审，决定期限按规则延长。",
        notices.done("registration-reviewed", "已转专家评审", "决定期限已按规则延长。"),
    ),
    "change": StepPage(
        Step.CHANGE,
        UNDO,
        ChangeForm,
        ChangeIn,
        service.change,
        "抄录登记机构变更后的内容，没有变的不用填；看板从今天起按变更后的计入，以前各月不变。",
        notices.done("registration-changed", "登记已变更", "看板从今天起按新的金额计入。"),
    ),
    "cancel": StepPage(
        Step.CANCEL,
        UNDO,
        EndForm,
        CancelIn,
        service.cancel,
        "合同解除或被撤销的，注销登记；看板从今天起冲减，原记录保留。",
        notices.done("registration-cancelled", "登记已注销", "看板从今天起冲减。"),
        danger=True,
    ),
    "revoke": StepPage(
        Step.REVOKE,
        UNDO,
        EndForm,
        RevokeIn,
        service.revoke,
        "本不该登记的，撤销登记；看板从今天起冲减，原记录保留。",
        notices.done("registration-revoked", "登记已撤销", "看板从今天起冲减。"),
        danger=True,
    ),
    "resolve": StepPage(
        Step.UPHOLD,
        UNDO,
        ResolveForm,
        ResolveIn,
        service.resolve,
        "维持登记，或按登记机构复核的金额更正。",
        notices.done("registration-resolved", "异议已复核", "双方可以看到复核结果。"),
    ),
    "undo": StepPage(
        Step.UNDO,
        UNDO,
        UndoForm,
        UndoIn,
        service.undo,
        "录入有误的，撤回整份登记；看板从今天起冲减，两条记录都保留。卖方可以重新提交，"
        "这个编号再次登记时须选明接替的是这一份。",
        notices.done("registration-undone", "登记已撤回", "金额从今天起在看板里冲减，原记录保留。"),
        danger=True,
    ),
}
_CAUSES: Mapping[str, Any] = {"cancel": CancelCause, "revoke": RevokeCause}


def _context(
    page: Page, registration_id: str, slug: str, form: forms.Form[BaseModel] | None = None
) -> dict[str, object]:
    filed, related = service.seen(page.work, PublicId(registration_id))
    one = PAGES[slug]
    page.work.require(one.action, related)
    if form is None:
        values: dict[str, object] = {}
        if slug in ("change", "resolve"):
            values = {
                "total_fen": forms.wan(filed.row.total_fen),
                "technical_fen": forms.wan(filed.row.technical_fen),
            }
        form = forms.blank(one.form, values)
    return {
        "filed": filed,
        "state": STATES[filed.row.state],
        "slug": slug,
        "one": one,
        "title": "复核异议" if slug == "resolve" else STEPS[one.step],
        "form": form,
        "standing": standing.of(filed.row, filed.contract),
        "types": CONTRACT_TYPES,
        "kinds": KINDS,
        "fields": FIELDS,
        "causes": [(str(c), END_CAUSES[c]) for c in _CAUSES.get(slug, ())],
        "outcomes": [("upheld", "维持登记"), ("corrected", "更正金额")],
        "possible": one.step in service.steps_of(page.work, filed, related),
        "calendar": rules.calendar(page.work.session),
        "today": page.work.today,
    }


def _act(page: Page, registration_id: str, slug: str) -> Response:
    one = PAGES[slug]
    form = forms.parse(one.form, page.sent)
    if form.data is not None:
        try:
            body = _body(one, form.data)
            one.call(page.work, PublicId(registration_id), body)
        except Invalid as error:
            renamed = {OF_KIND.get(name, name): said for name, said in error.fields.items()}
            form.reject(Invalid(error.message, renamed))
        except Conflict as error:
            form.reject(error)
        else:
            return page.redirect(f"/desk/registrations/{registration_id}", done=one.done)
    page.work.abandon()
    return page.again("desk/step.html", _context(page, registration_id, slug, form))


def _body(one: StepPage, data: BaseModel) -> In:
    values = data.model_dump()
    causes = {str(cause) for cause in _CAUSES.get(one.step.value, ())}
    if causes and values["cause"] not in causes:
        raise Invalid(fields={"cause": "请从列表里选一种情形"})
    if isinstance(data, ChangeForm):
        values = _changed(values)
    return one.body.model_validate(values)


def _changed(values: dict[str, Any]) -> dict[str, Any]:
    """Return a change as the desk takes it: what was left empty stays as it is."""
    kind, field = values.pop("kind"), values.pop("field")
    if kind and kind not in KINDS:
        raise Invalid(fields={"kind": "请从列表里选一种类别"})
    if field and field not in FIELDS:
        raise Invalid(fields={"field": "请从列表里选一个领域"})
    type_, _, sub_type = kind.partition(":")
    return values | {
        "type": type_ or None,
        "sub_type": sub_type,
        "field": int(field) if field else None,
        "seller": values["seller"] or None,
        "buyer": values["buyer"] or None,
    }


def _mount(slug: str, one: StepPage) -> None:
    """Give a step its page: asked by GET, taken by POST."""
    path = f"/desk/registrations/{{registration_id}}/{slug}"

    @router.get(path, name=f"ask_{slug}")
    def ask(registration_id: PathId, page: Annotated[Page, opens_page(one.action)]) -> Response:
        return page.render("desk/step.html", _context(page, registration_id, slug))

    @router.post(path, name=f"take_{slug}")
    def take(
        registration_id: PathId, page: Annotated[Page, opens_page(one.action, write=True)]
    ) -> Response:
        return _act(page, registration_id, slug)


for _slug, _one in PAGES.items():
    _mount(_slug, _one)
