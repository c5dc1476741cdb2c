"""The bureau's desk: deciding on registrations and undoing them, the plan, the calendar."""

from datetime import date, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.pages.registrations import STATES
from market.accounts import repository as accounts
from market.accounts.models import Verification
from market.accounts.policy import Action
from market.catalog.vocabulary import FIELDS, REGIONS
from market.deals.vocabulary import CONTRACT_TYPES
from market.kit.errors import Conflict, Invalid, Overtaken
from market.kit.ids import PublicId
from market.kit.wire import Optional300, Optional500, PathId, Short
from market.registry import service
from market.registry.models import RegistrationState
from market.registry.schemas import DecideIn, Reason, UndoIn
from market.registry.vocabulary import REFUSAL_REASONS
from market.rules import service as rules
from market.rules.models import DayKind, Holiday, Plan, PlanState
from market.rules.schemas import PlanIn

router = APIRouter()

REGISTERED = notices.done(
    "registered", "已准予登记", "技术交易额按登记日期计入看板，双方可以看到。"
)
NOT_REGISTERED = notices.done(
    "not-registered", "已记为不予登记", "卖方能看到原因，改好后可以重新提交。"
)
UNDONE = notices.done("registration-undone", "登记已撤回", "金额从今天起在看板里冲减，原记录保留。")
PLANNED = notices.done(
    "plan-saved", "计划已保存", "看板从现在起按这份计划衡量，原来的计划留在下面。"
)

NEWEST = 5  # other contracts of the same parties that the desk shows

Way = tuple[str, Literal["yes", "part", "no", "none"], str, str]


class DecideForm(BaseModel):
    decision: Literal["registered", "not_registered"] = Field(title="结果")
    number: str = Field("", title="登记编号", max_length=60)
    decided_on: forms.Day | None = Field(None, title="登记日期")
    total_fen: forms.Wan | None = Field(None, title="认定成交额")
    technical_fen: forms.Wan | None = Field(None, title="认定技术交易额")
    difference_reason: Optional300 = Field("", title="与申报不同的原因")
    supersedes: PathId | None = Field(None, title="接替的登记", description="列表中的一份")
    refusal_reason: str = Field("", title="不予登记的原因", max_length=60)
    note: Optional500 = Field("", title="审查意见")


class UndoForm(BaseModel):
    reason: Reason = Field(title="撤回的原因")


class PlanForm(BaseModel):
    name: Short = Field(title="计划名称")
    region: str = Field(title="地区", pattern=r"^\d{6}$", description="列表中的地区")
    from_on: forms.Day = Field(title="开始日期")
    to_on: forms.Day = Field(title="结束日期")
    target_fen: forms.Wan = Field(title="目标", gt=0)
    baseline_fen: forms.Wan = Field(title="基数")
    baseline_year: forms.Whole = Field(title="基数年份", ge=1990, le=2100)
    replaces: PathId | None = Field(None, title="原来的计划", description="现行的计划")


@router.get("/desk/registrations")
def queue(
    page: Annotated[Page, opens_page(Action.REGISTRATION_DECIDE)],
    state: RegistrationState = RegistrationState.SUBMITTED,
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    rows, total = service.registrations(page.work, state, number)
    return page.render(
        "desk/registrations.html",
        {
            "rows": rows,
            "total": total,
            "page": number,
            "pages": -(-total // service.PAGE_SIZE),
            "state": state,
            "states": STATES,
            "counts": service.counts(page.work),
            "types": CONTRACT_TYPES,
        },
    )


def _decision(page: Page, registration_id: str, **more: object) -> dict[str, object]:
    work = page.work
    desk = service.desk(work, PublicId(registration_id))
    filed = desk.filed
    waiting, _ = service.registrations(work, RegistrationState.SUBMITTED)
    applied = {
        "decided_on": work.today,
        "total_fen": forms.wan(filed.contract.total_fen),
        "technical_fen": forms.wan(filed.contract.technical_fen),
    }
    form = more.get("form") or forms.blank(DecideForm, applied)
    assert isinstance(form, forms.Form)
    return {
        "desk": desk,
        "filed": filed,
        "state": STATES[RegistrationState(filed.row.state)],
        "checks": _checks(page, desk),
        "waiting": waiting,
        "form": form,
        "followed": _followed(page, desk, form.first("number")),
        "reasons": REFUSAL_REASONS,
        "types": CONTRACT_TYPES,
        "fields": FIELDS,
        "regions": REGIONS,
        **more,
    }


def _followed(page: Page, desk: service.Desk, number: str) -> list[tuple[str, str]]:
    """Return the undone registrations whose number a new decision may take up again."""
    found = {row.public_id: f"{row.number}，{row.withdraw_reason}" for row in desk.undone}
    holder = service.withdrawn_holder(page.work, number) if number else None
    if holder is not None:
        found[holder.row.public_id] = f"{holder.row.number}，{holder.contract.project_name}"
    return list(found.items())


def _checks(page: Page, desk: service.Desk) -> list[Way]:
    """Return what can be checked from what is known: subject, verdict, word, evidence."""
    contract = desk.filed.contract
    sides = accounts.organisations(page.work.session, (contract.seller_id, contract.buyer_id))
    seller, buyer = sides[contract.seller_id], sides[contract.buyer_id]
    same = (seller.name, buyer.name) == (contract.seller_name, contract.buyer_name)
    verified = all(one.verification == Verification.VERIFIED for one in (seller, buyer))
    lines = sum(line.amount_fen for line in desk.lines)
    agrees = lines == contract.total_fen
    others = len(desk.same_parties)
    alike = f"{others}份相近" if others <= NEWEST else "多份相近"
    return [
        (
            "主体",
            "yes" if same and verified else "part",
            "一致" if same and verified else "待核",
            "双方已经核验，名称与核验的一致"
            if same and verified
            else "有一方未核验，或名称后来改过",
        ),
        (
            "价款",
            "yes" if agrees else "no",
            "相符" if agrees else "不符",
            f"明细合计{forms.wan(lines)}万元，合同总额{forms.wan(contract.total_fen)}万元",
        ),
        (
            "重复",
            "part" if others else "yes",
            alike if others else "没有",
            "同双方另有提交或登记的合同，请对照下面最近几份" if others else "同双方没有别的登记",
        ),
    ]


@router.get("/desk/registrations/{registration_id}")
def decision(
    registration_id: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_DECIDE)]
) -> Response:
    return page.render("desk/decision.html", _decision(page, registration_id))


@router.post("/desk/registrations/{registration_id}")
def decide(
    registration_id: PathId,
    page: Annotated[Page, opens_page(Action.REGISTRATION_DECIDE, write=True)],
) -> Response:
    form = forms.parse(DecideForm, page.sent)
    if form.data is not None:
        try:
            service.decide(page.work, PublicId(registration_id), DecideIn(**form.data.model_dump()))
        except (Invalid, Conflict) as error:
            form.reject(error)
        else:
            registered = form.data.decision == "registered"
            return page.redirect(
                f"/desk/registrations/{registration_id}",
                done=REGISTERED if registered else NOT_REGISTERED,
            )
    elif form.rest is not None:
        told = DecideIn(**form.rest.model_dump())
        for name, text in service.problems(page.work, PublicId(registration_id), told).items():
            form.fail(name, text)
    page.work.abandon()  # before the page reads: a refused write leaves the transaction unusable
    return page.again("desk/decision.html", _decision(page, registration_id, form=form))


def _undo(page: Page, registration_id: str, form: forms.Form[UndoForm]) -> dict[str, object]:
    filed = service.get(page.work, PublicId(registration_id))
    return {
        "filed": filed,
        "state": STATES[RegistrationState(filed.row.state)],
        "form": form,
        "today": page.work.today,
    }


@router.get("/desk/registrations/{registration_id}/undo")
def ask_undo(
    registration_id: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_UNDO)]
) -> Response:
    return page.render("desk/undo.html", _undo(page, registration_id, forms.blank(UndoForm)))


@router.post("/desk/registrations/{registration_id}/undo")
def undo(
    registration_id: PathId,
    page: Annotated[Page, opens_page(Action.REGISTRATION_UNDO, write=True)],
) -> Response:
    form = forms.parse(UndoForm, page.sent)
    if form.data is not None:
        try:
            service.undo(page.work, PublicId(registration_id), UndoIn(reason=form.data.reason))
        except Conflict as error:
            form.fail(forms.WHOLE, error.message)
        else:
            return page.redirect(f"/desk/registrations/{registration_id}", done=UNDONE)
    page.work.abandon()
    return page.again("desk/undo.html", _undo(page, registration_id, form))


def _planned(current: Plan | None) -> forms.Form[PlanForm]:
    values: dict[str, object] = {"region": "500106"}
    if current is not None:
        values = {
            **current.model_dump(include={"name", "region", "from_on", "to_on", "baseline_year"}),
            "target_fen": forms.wan(current.target_fen),
            "baseline_fen": forms.wan(current.baseline_fen),
            "replaces": current.public_id,
        }
    return forms.blank(PlanForm, values)


def _plan(page: Page, **more: object) -> dict[str, object]:
    current = rules.current_plan(page.work.session)
    return {
        "current": current,
        "archived": [row for row in rules.plans(page.work) if row.state == PlanState.ARCHIVED],
        "form": _planned(current),
        "regions": tuple(REGIONS.items()),
        "region_names": REGIONS,
        **more,
    }


@router.get("/desk/plan")
def plan(page: Annotated[Page, opens_page(Action.PLAN_EDIT)]) -> Response:
    return page.render("desk/plan.html", _plan(page))


@router.post("/desk/plan")
def put_plan(page: Annotated[Page, opens_page(Action.PLAN_EDIT, write=True)]) -> Response:
    form = forms.parse(PlanForm, page.sent)
    if form.data is not None:
        try:
            rules.put_plan(page.work, PlanIn(**form.data.model_dump()))
        except Invalid as error:
            form.reject(error)
        except Overtaken as error:
            page.work.abandon()
            form.fail(forms.WHOLE, error.message)
            form.overtaken(_planned(rules.current_plan(page.work.session)), by=["replaces"])
            return page.render("desk/plan.html", _plan(page, form=form), status=error.status)
        except Conflict as error:
            form.fail(forms.WHOLE, error.message)
        else:
            return page.redirect("/desk/plan", done=PLANNED)
    page.work.abandon()
    return page.again("desk/plan.html", _plan(page, form=form))


@router.get("/desk/calendar")
def calendar(
    page: Annotated[Page, opens_page(Action.PLAN_EDIT)],
    year: Annotated[int | None, Query(ge=1990, le=2100)] = None,
) -> Response:
    view = rules.year_view(page.work, year or page.work.today.year)
    return page.render(
        "desk/calendar.html",
        {
            "view": view,
            "spans": _spans([row for row in view.days if row.kind == DayKind.REST]),
            "worked": [row for row in view.days if row.kind == DayKind.WORK],
            "length": date(view.year, 12, 31).timetuple().tm_yday,
            "weekdays": "一二三四五六日",
        },
    )


def _spans(days: list[Holiday]) -> list[tuple[str, date, date, int]]:
    """Return (name, first day, last day, number of days) of runs of one holiday."""
    spans: list[tuple[str, date, date, int]] = []
    for row in days:
        if spans and spans[-1][0] == row.name and row.falls_on - spans[-1][2] == timedelta(days=1):
            name, first, _, number = spans[-1]
            spans[-1] = (name, first, row.falls_on, number + 1)
        else:
            spans.append((row.name, row.falls_on, row.falls_on, 1))
    return spans
