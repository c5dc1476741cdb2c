"""What brokers are owed, the flags of 跳单, and the broker clause of a contract."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.rates import Percent, rate
from market.access.fees import FEE_BASES, FEE_KINDS, FeeBase, FeeKind, Payer
from market.accounts import repository as accounts
from market.accounts.policy import Action, OrganisationKind
from market.brokerage import clauses, service
from market.brokerage.models import BrokerClause
from market.brokerage.rule import Ground
from market.brokerage.schemas import (
    BrokerWeight,
    BypassDecisionIn,
    ClauseIn,
    ContestIn,
    Note,
    Reason,
    SettleIn,
    SharesIn,
)
from market.catalog import views as catalog
from market.deals import repository_contracts as papers
from market.deals import service as deals
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.payments import transfers

router = APIRouter()

SETTLED = notices.done("commission-settled", "已记为收讫")
SHARED = notices.done("commission-shared", "分配已保存")
CONTESTED = notices.done("bypass-contested", "异议已提出", "由科技局处理，结果会在这里显示。")
DECIDED = notices.done("bypass-decided", "异议已处理", "双方和机构都会收到消息。")
CLAUSE = notices.done("clause-written", "经理人条款已保存", "双方确认同一版本、合同签订后生效。")
AGREED = notices.done("clause-agreed", "经理人条款已确认")

GROUNDS = {
    Ground.SUCCESS: "引荐促成",
    Ground.CLAUSE: "合同条款",
    Ground.BYPASS: "跳单",
    Ground.OVERTAKEN: "另一家先引荐",
    Ground.KNOWN: "引荐前已接触",
    Ground.LATE: "超过期限",
    Ground.OTHER_SUBJECT: "不是引荐的项目",
    Ground.UNMANDATED: "委托期外引荐",
    Ground.COST: "未促成的必要费用",
}
PAYING_IN_CONTRACT = {
    Payer.UNSAID: "没有约定（双方各半）",
    Payer.PRINCIPAL: "卖方付",
    Payer.COUNTERPART: "买方付",
    Payer.BOTH: "双方各半",
}
CLAUSE_BROKERS = 3

PageNumber = Annotated[int, Query(alias="page", ge=1, le=10_000)]


class SettleForm(BaseModel):
    amount_fen: forms.OptionalWan = Field(None, title="商定的金额")
    arrived: bool = Field(False, title="款已到账")


class ContestForm(BaseModel):
    reason: Reason = Field(title="理由")


class DecisionForm(BaseModel):
    decision: Literal["uphold", "dismiss"] = Field(title="处理结果")
    note: Note = Field(title="说明")


class SharesForm(BaseModel):
    brokers: list[str] = Field(default_factory=list, title="机构")
    weights: list[str] = Field(default_factory=list, title="份额")


class ClauseForm(SharesForm):
    seen: forms.Whole = Field(0, title="版本", ge=0, le=1_000_000)
    fee_kind: FeeKind = Field(title="报酬")
    fee_rate_bp: Percent = Field(None, title="比例")
    fee_fixed_fen: forms.OptionalWan = Field(None, title="固定金额")
    fee_base: FeeBase = Field(FeeBase.TOTAL, title="计算基数")
    fee_payer: Payer = Field(Payer.UNSAID, title="由谁付")


class AgreeForm(BaseModel):
    version: forms.Whole = Field(title="版本", ge=1, le=1_000_000)


@router.get("/commissions")
def commissions(
    page: Annotated[Page, opens_page(Action.COMMISSION_VIEW)], number: PageNumber = 1
) -> Response:
    total, views = service.commissions(page.work, number)
    ids = {one.row.contract_id for one in views if one.row.contract_id is not None}
    contracts = papers.contracts(page.work.session, list(ids))
    return page.render(
        "brokerage/commissions.html",
        {
            "views": views,
            "projects": {key: row.project_name for key, row in contracts.items()},
            "grounds": GROUNDS,
            "page": number,
            "pages": catalog.pages(total, service.PAGE),
            "agency": page.work.actor.kind is OrganisationKind.AGENCY,
        },
    )


def _commission(
    page: Page,
    commission_id: str,
    settle: forms.Form[SettleForm] | None = None,
    shares: forms.Form[SharesForm] | None = None,
) -> dict[str, object]:
    view = service.commission(page.work, PublicId(commission_id))
    contract = None
    if view.row.contract_id is not None:
        found = papers.contracts(page.work.session, [view.row.contract_id])
        contract = found[view.row.contract_id]
    chosen = [(str(one.organisation.public_id), str(one.weight)) for one in view.brokers]
    if shares is not None:
        chosen = list(zip(shares.all("brokers"), shares.all("weights"), strict=False))
    return {
        "view": view,
        "contract": contract,
        "grounds": GROUNDS,
        "through": transfers.through(page.work, view.row.id),
        "may_pay": page.work.may(Action.PAYMENT_MAKE),
        "settle": settle or forms.blank(SettleForm),
        "shares": shares or forms.blank(SharesForm),
        "lines": [*chosen, *[("", "1")] * max(CLAUSE_BROKERS - len(chosen), 1)],
        "agencies": _agencies(page),
        "may_settle": view.leads
        and view.row.state == "due"
        and page.work.may(Action.COMMISSION_SETTLE, view.relation),
        "may_share": view.leads
        and view.row.state == "due"
        and view.row.ground != Ground.CLAUSE
        and page.work.may(Action.COMMISSION_SETTLE, view.relation),
    }


def _agencies(page: Page) -> list[tuple[str, str]]:
    rows = accounts.verified_organisations(page.work.session, kind=OrganisationKind.AGENCY)
    return [(row.public_id, row.name) for row in rows]


@router.get("/commissions/{commission_id}")
def commission(
    commission_id: PathId, page: Annotated[Page, opens_page(Action.COMMISSION_VIEW)]
) -> Response:
    return page.render("brokerage/commission.html", _commission(page, commission_id))


def _settle(page: Page, commission_id: PublicId, data: SettleForm) -> None:
    if not data.arrived:
        raise Invalid(fields={"arrived": "请先确认款已到账"})
    service.settle(page.work, commission_id, SettleIn(amount_fen=data.amount_fen))


@router.post("/commissions/{commission_id}/settlement")
def settle(
    commission_id: PathId,
    page: Annotated[Page, opens_page(Action.COMMISSION_SETTLE, write=True)],
) -> Response:
    form = forms.parse(SettleForm, page.sent)
    if form.data is not None:
        try:
            _settle(page, PublicId(commission_id), form.data)
            return page.redirect(f"/commissions/{commission_id}", done=SETTLED)
        except (Invalid, Conflict) as error:
            form.reject(error)
    page.work.abandon()
    return page.again("brokerage/commission.html", _commission(page, commission_id, settle=form))


def _brokers(form: forms.Form[SharesForm] | forms.Form[ClauseForm]) -> list[BrokerWeight]:
    """Return the brokers that were chosen. Raises Invalid at `brokers`."""
    found = []
    for who, weight in zip(form.all("brokers"), form.all("weights"), strict=False):
        if not who:
            continue
        if not (weight.isascii() and weight.isdigit() and 0 < int(weight[:9]) <= 1_000_000):
            raise Invalid(fields={"brokers": f"份额应为大于0的整数，现在是“{weight[:20]}”"})
        found.append(BrokerWeight(organisation=who, weight=int(weight)))
    if not found:
        raise Invalid(fields={"brokers": "至少选一家机构"})
    return found


@router.post("/commissions/{commission_id}/shares")
def share(
    commission_id: PathId,
    page: Annotated[Page, opens_page(Action.COMMISSION_SETTLE, write=True)],
) -> Response:
    form = forms.parse(SharesForm, page.sent)
    if form.data is not None:
        try:
            service.share(page.work, PublicId(commission_id), SharesIn(brokers=_brokers(form)))
            return page.redirect(f"/commissions/{commission_id}", done=SHARED)
        except (Invalid, Conflict) as error:
            form.reject(error)
        except ValueError:
            form.fail("brokers", "请从列表里选机构")
    page.work.abandon()
    return page.again("brokerage/commission.html", _commission(page, commission_id, shares=form))


@router.get("/bypasses")
def bypasses(
    page: Annotated[Page, opens_page(Action.BYPASS_VIEW)], number: PageNumber = 1
) -> Response:
    total, views = service.bypasses(page.work, number)
    return page.render(
        "brokerage/bypasses.html",
        {"views": views, "page": number, "pages": catalog.pages(total, service.PAGE)},
    )


def _bypass(
    page: Page,
    bypass_id: str,
    contest: forms.Form[ContestForm] | None = None,
    decision: forms.Form[DecisionForm] | None = None,
) -> dict[str, object]:
    return {
        "view": service.bypass(page.work, PublicId(bypass_id)),
        "contest": contest or forms.blank(ContestForm),
        "decision": decision or forms.blank(DecisionForm),
    }


@router.get("/bypasses/{bypass_id}")
def bypass(bypass_id: PathId, page: Annotated[Page, opens_page(Action.BYPASS_VIEW)]) -> Response:
    return page.render("brokerage/bypass.html", _bypass(page, bypass_id))


@router.post("/bypasses/{bypass_id}/contest")
def contest(
    bypass_id: PathId, page: Annotated[Page, opens_page(Action.BYPASS_CONTEST, write=True)]
) -> Response:
    form = forms.parse(ContestForm, page.sent)
    if form.data is not None:
        try:
            service.contest(page.work, PublicId(bypass_id), ContestIn(reason=form.data.reason))
            return page.redirect(f"/bypasses/{bypass_id}", done=CONTESTED)
        except Conflict as error:
            form.reject(error)
    page.work.abandon()
    return page.again("brokerage/bypass.html", _bypass(page, bypass_id, contest=form))


@router.post("/bypasses/{bypass_id}/decision")
def decide(
    bypass_id: PathId, page: Annotated[Page, opens_page(Action.BYPASS_DECIDE, write=True)]
) -> Response:
    form = forms.parse(DecisionForm, page.sent)
    if form.data is not None:
        try:
            decided = BypassDecisionIn(**form.data.model_dump())
            service.decide(page.work, PublicId(bypass_id), decided)
            return page.redirect(f"/bypasses/{bypass_id}", done=DECIDED)
        except Conflict as error:
            form.reject(error)
    page.work.abandon()
    return page.again("brokerage/bypass.html", _bypass(page, bypass_id, decision=form))


def _clause(
    page: Page, deal_id: str, form: forms.Form[ClauseForm] | None = None
) -> dict[str, object]:
    deal = deals.find(page.work, PublicId(deal_id))
    row = clauses.of_deal(page.work, deal)
    contract = papers.live_contracts(page.work.session, [deal.id]).get(deal.id)
    named = [] if row is None else clauses.named(page.work, row)
    chosen = [(str(who.public_id), str(weight)) for who, weight in named]
    if form is not None:
        chosen = list(zip(form.all("brokers"), form.all("weights"), strict=False))
    related = deals.relation(page.work, deal)
    writable = (
        contract is not None
        and contract.state == "drafted"
        and page.work.may(Action.CLAUSE_WRITE, related)
    )
    side = deals.side_of(page.work, deal) if writable else None
    return {
        "deal": deal,
        "row": row,
        "named": named,
        "contract": contract,
        "form": form or forms.blank(ClauseForm, _kept(row)),
        "lines": [*chosen, *[("", "1")] * max(CLAUSE_BROKERS - len(chosen), 1)],
        "agencies": _agencies(page),
        "kinds": list(FEE_KINDS.items()),
        "bases": list(FEE_BASES.items()),
        "payers": list(PAYING_IN_CONTRACT.items()),
        "paying": PAYING_IN_CONTRACT,
        "problem": "",
        "writable": writable,
        "may_agree": row is not None
        and side is not None
        and getattr(row, f"{side}_agreed") != row.version,
    }


def _kept(row: BrokerClause | None) -> dict[str, object]:
    if row is None:
        return {"seen": 0, "fee_kind": FeeKind.RATE}
    return {
        "seen": row.version,
        "fee_kind": row.fee_kind,
        "fee_rate_bp": rate(row.fee_rate_bp),
        "fee_fixed_fen": forms.wan(row.fee_fixed_fen),
        "fee_base": row.fee_base,
        "fee_payer": row.fee_payer,
    }


@router.get("/deals/{deal_id}/broker-clause")
def clause(deal_id: PathId, page: Annotated[Page, opens_page(Action.DEAL_VIEW)]) -> Response:
    return page.render("brokerage/clause.html", _clause(page, deal_id))


@router.post("/deals/{deal_id}/broker-clause")
def write_clause(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.CLAUSE_WRITE, write=True)]
) -> Response:
    form = forms.parse(ClauseForm, page.sent)
    if form.data is not None:
        try:
            fee = form.data.model_dump(exclude={"brokers", "weights"})
            clauses.write(page.work, PublicId(deal_id), ClauseIn(**fee, brokers=_brokers(form)))
            return page.redirect(f"/deals/{deal_id}/broker-clause", done=CLAUSE)
        except (Invalid, Conflict) as error:
            form.reject(error)
        except ValueError:
            form.fail("brokers", "请从列表里选机构")
    page.work.abandon()
    return page.again("brokerage/clause.html", _clause(page, deal_id, form))


@router.post("/deals/{deal_id}/broker-clause/agreement")
def agree_clause(
    deal_id: PathId, page: Annotated[Page, opens_page(Action.CLAUSE_WRITE, write=True)]
) -> Response:
    form = forms.parse(AgreeForm, page.sent)
    if form.data is not None:
        try:
            clauses.agree(page.work, PublicId(deal_id), form.data.version)
            return page.redirect(f"/deals/{deal_id}/broker-clause", done=AGREED)
        except Conflict as error:
            page.work.abandon()
            context = {**_clause(page, deal_id), "problem": error.message}
            return page.render("brokerage/clause.html", context, status=error.status)
    return page.again("brokerage/clause.html", _clause(page, deal_id))
