"""Mandates (委托): granted by a principal, accepted or refused by an agency, ended by either."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.rates import Percent
from market.access import evidence, mandates
from market.access.fees import FEE_BASES, FEE_KINDS, PAYERS, FeeBase, FeeKind, Payer
from market.access.models import Mandate, MandateState
from market.access.schemas import MandateDecisionIn, MandateIn, Scope
from market.accounts import repository as accounts
from market.accounts.models import Organisation
from market.accounts.policy import Action, OrganisationKind, Relation
from market.accounts.work import Work
from market.catalog import views as catalog
from market.kit.downloads import as_download
from market.kit.errors import Conflict, Invalid, NotFound, TooLarge
from market.kit.ids import PublicId
from market.kit.wire import Optional500, PathId

router = APIRouter()

GRANTED = notices.done("mandate-granted", "委托已发出", "对方接受后生效，结果会在这里显示。")
ACCEPTED = notices.done("mandate-accepted", "委托已接受", "期限内您可以为委托方引荐。")
REFUSED = notices.done("mandate-refused", "委托未接受")
ATTACHED = notices.done("mandate-attached", "证据文件已放入", "委托双方可以下载。")
ENDED = notices.done("mandate-ended", "委托已终止")

YEAR = timedelta(days=364)


class MandateForm(BaseModel):
    agency: PathId = Field(title="技术转移机构", description="列表中的机构")
    as_seller: bool = Field(False, title="代理卖出")
    as_buyer: bool = Field(False, title="代理买入")
    scope: Scope = Field("", title="委托范围")
    fee: Optional500 = Field("", title="报酬约定")
    fee_kind: FeeKind = Field(FeeKind.NONE, title="报酬")
    fee_rate_bp: Percent = Field(None, title="比例")
    fee_fixed_fen: forms.OptionalWan = Field(None, title="固定金额")
    fee_base: FeeBase = Field(FeeBase.TOTAL, title="计算基数")
    fee_payer: Payer = Field(Payer.UNSAID, title="由谁付")
    cost_fen: forms.OptionalWan = Field(None, title="未促成时的必要费用")
    exclusive: bool = Field(False, title="独家委托")
    valid_from: forms.Day = Field(title="开始日")
    valid_until: forms.Day = Field(title="截止日")


class DecisionForm(BaseModel):
    decision: Literal["accept", "refuse"] = Field(title="决定")
    reason: Optional500 = Field("", title="原因")


@dataclass(frozen=True, slots=True)
class Line:
    """A mandate as one of its two sides reads it."""

    mandate: Mandate
    agency: Organisation
    principal: Organisation
    in_force: bool
    expired: bool
    given: bool


def _lines(work: Work, rows: Sequence[Mandate]) -> list[Line]:
    names = accounts.organisations(
        work.session, {one for row in rows for one in (row.agency_id, row.principal_id)}
    )
    return [
        Line(
            mandate=row,
            agency=names[row.agency_id],
            principal=names[row.principal_id],
            in_force=mandates.in_force(work, row),
            expired=row.valid_until < work.today,
            given=row.principal_id == work.actor.organisation_id,
        )
        for row in rows
    ]


@router.get("/mandates")
def list_mandates(
    page: Annotated[Page, opens_page(Action.MANDATE_VIEW)],
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    total, rows = mandates.mandates_of_actor(page.work, number)
    return page.render(
        "deals/mandates.html",
        {
            "lines": _lines(page.work, rows),
            "total": total,
            "page": number,
            "pages": catalog.pages(total, mandates.PAGE),
            "may_grant": page.work.may(Action.MANDATE_GRANT),
            "agency": page.work.actor.kind is OrganisationKind.AGENCY,
        },
    )


def _asked(form: MandateForm) -> MandateIn:
    return MandateIn(**form.model_dump(exclude={"cost_fen"}), cost_fen=form.cost_fen or 0)


def _new(page: Page, form: forms.Form[MandateForm]) -> dict[str, object]:
    agencies = accounts.verified_organisations(page.work.session, kind=OrganisationKind.AGENCY)
    return {
        "form": form,
        "agencies": [(row.public_id, row.name) for row in agencies],
        "kinds": list(FEE_KINDS.items()),
        "bases": list(FEE_BASES.items()),
        "payers": list(PAYERS.items()),
    }


@router.get("/mandates/new")
def new(page: Annotated[Page, opens_page(Action.MANDATE_GRANT)]) -> Response:
    page.work.require(Action.MANDATE_GRANT)
    today = page.work.today
    agency = page.request.query_params.get("agency", "")[:14]
    values = {
        "agency": agency,
        "fee_kind": FeeKind.NONE,
        "valid_from": today,
        "valid_until": today + YEAR,
    }
    return page.render("deals/mandate_new.html", _new(page, forms.blank(MandateForm, values)))


@router.post("/mandates/new")
def grant(page: Annotated[Page, opens_page(Action.MANDATE_GRANT, write=True)]) -> Response:
    form = forms.parse(MandateForm, page.sent)
    if form.data is not None:
        try:
            row = mandates.grant(page.work, _asked(form.data))
            return page.redirect(f"/mandates/{row.public_id}", done=GRANTED)
        except Invalid as error:
            form.reject(error)
    return page.again("deals/mandate_new.html", _new(page, form))


def _one(page: Page, mandate_id: str, problem: str = "") -> dict[str, object]:
    row = mandates.mandate(page.work, PublicId(mandate_id))
    line = _lines(page.work, [row])[0]
    side = Relation.OWN if line.given else Relation.COUNTERPART
    state = MandateState(row.state)
    return {
        "line": line,
        "may_decide": state is MandateState.OFFERED and page.work.may(Action.MANDATE_ACCEPT, side),
        "may_end": page.work.may(Action.MANDATE_END, side)
        and (state is MandateState.LIVE or (state is MandateState.OFFERED and line.given)),
        "form": forms.blank(DecisionForm),
        "problem": problem,
        "fee": row.agreed_fee,
        "payers": PAYERS,
        "paper": evidence.paper(page.work, row),
        "may_attach": line.given
        and state in (MandateState.OFFERED, MandateState.LIVE)
        and page.work.may(Action.MANDATE_GRANT, side),
    }


@router.get("/mandates/{mandate_id}")
def show(mandate_id: PathId, page: Annotated[Page, opens_page(Action.MANDATE_VIEW)]) -> Response:
    return page.render("deals/mandate.html", _one(page, mandate_id))


@router.post("/mandates/{mandate_id}/decision")
def decide(
    mandate_id: PathId, page: Annotated[Page, opens_page(Action.MANDATE_ACCEPT, write=True)]
) -> Response:
    form = forms.parse(DecisionForm, page.sent)
    if form.data is None:
        raise NotFound
    try:
        mandates.decide(
            page.work, PublicId(mandate_id), MandateDecisionIn(**form.data.model_dump())
        )
    except Conflict as error:
        page.work.abandon()
        context = _one(page, mandate_id, error.message)
        return page.render("deals/mandate.html", context, status=error.status)
    done = ACCEPTED if form.data.decision == "accept" else REFUSED
    return page.redirect(f"/mandates/{mandate_id}", done=done)


@router.post("/mandates/{mandate_id}/end")
def end(
    mandate_id: PathId, page: Annotated[Page, opens_page(Action.MANDATE_END, write=True)]
) -> Response:
    try:
        mandates.end(page.work, PublicId(mandate_id))
    except Conflict as error:
        page.work.abandon()
        context = _one(page, mandate_id, error.message)
        return page.render("deals/mandate.html", context, status=error.status)
    return page.redirect(f"/mandates/{mandate_id}", done=ENDED)


@router.post("/mandates/{mandate_id}/evidence")
def attach(
    mandate_id: PathId, page: Annotated[Page, opens_page(Action.MANDATE_GRANT, write=True)]
) -> Response:
    files = page.sent.files.get("file", [])
    name, stream = (files[0].filename or "", files[0].file) if files else ("", BytesIO())
    try:
        evidence.attach(page.work, PublicId(mandate_id), name, stream)
    except (Invalid, Conflict, TooLarge) as error:
        said = error.fields.get("file", error.message) if isinstance(error, Invalid) else ""
        page.work.abandon()
        context = _one(page, mandate_id, said or error.message)
        return page.render("deals/mandate.html", context, status=error.status)
    return page.redirect(f"/mandates/{mandate_id}", done=ATTACHED)


@router.get("/mandates/{mandate_id}/evidence")
def download(
    mandate_id: PathId, page: Annotated[Page, opens_page(Action.MANDATE_VIEW)]
) -> Response:
    stored, stream = evidence.open_paper(page.work, PublicId(mandate_id))
    return as_download(stream, stored.name, stored.media_type)
