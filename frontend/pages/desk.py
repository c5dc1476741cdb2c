"""The bureau's desk: what waits, by its deadline, and deciding on one registration."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend import registration_words as words
from frontend.edge import Page, opens_page
from frontend.registration_words import STATES
from market.accounts import repository as accounts
from market.accounts.models import Verification
from market.accounts.policy import Action, Relation
from market.catalog.vocabulary import FIELDS, REGIONS
from market.deals import keeping
from market.deals.vocabulary import CONTRACT_TYPES, ContractType
from market.kit.errors import Conflict, Invalid
from market.kit.ids import PublicId
from market.kit.money import wan_in_words
from market.kit.wire import Optional300, Optional500, PathId
from market.registry import form as national
from market.registry import items, service, standing
from market.registry.schemas import DecideIn
from market.registry.states import AT_THE_DESK, COUNTING, RegistrationState, Step
from market.registry.vocabulary import END_CAUSES
from market.rules import versions

router = APIRouter()

REGISTERED = notices.done(
    "registered", "已准予登记", "技术交易额按登记日期计入看板，双方可以看到。"
)
NOT_REGISTERED = notices.done(
    "not-registered", "已记为不予登记", "卖方能看到原因，改好后可以重新提交。"
)
ACCEPTED = notices.done("registration-accepted", "已受理", "决定期限从受理日起算。")

NEWEST = 5  # other contracts of the same parties that the desk shows

PATENT_SUB_TYPES = frozenset({"专利权", "专利申请权", "专利实施许可"})
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


DUES = {
    service.Due.LATE: "已逾期",
    service.Due.SOON: "3个工作日内",
    service.Due.LATER: "还有时间",
    service.Due.NONE: "等补正",
}


@router.get("/desk/registrations")
def queue(
    page: Annotated[Page, opens_page(Action.REGISTRATION_DECIDE)],
    state: RegistrationState | None = None,
    near: Annotated[str, Query(alias="due", max_length=10)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    """What waits, by its deadline; with a state that waits for nobody, what stands in it."""
    waiting = state is None or state in AT_THE_DESK or state is RegistrationState.CORRECTION
    due = service.Due(near) if near in set(service.Due) else None
    found = service.worklist(page.work, state=state, due=due, text=q, page=number)
    rows: list[tuple[service.Filed, service.Waiting | None]]
    rows = [(one.filed, one) for one in found.rows]
    total = found.total
    if not waiting:
        filed, total = service.registrations(page.work, state, number)
        rows = [(one, None) for one in filed]
    return page.render(
        "desk/registrations.html",
        {
            "rows": rows,
            "total": total,
            "page": number,
            "pages": -(-total // service.PAGE_SIZE),
            "state": state,
            "due": due,
            "q": q,
            "waiting": waiting,
            "states": STATES,
            "shown": words.SHOWN_AT_DESK,
            "counts": found.by_state,
            "waiting_count": sum(found.by_due.values()),
            "dues": [(one.value, DUES[one], found.by_due[one]) for one in service.Due],
            "types": CONTRACT_TYPES,
        },
    )


def _decision(
    page: Page, registration_id: str, sent: forms.Form[DecideForm] | None = None
) -> dict[str, object]:
    """What was `sent` goes back to the form it came from; the other one begins anew."""
    work = page.work
    desk = service.desk(work, PublicId(registration_id))
    filed = desk.filed
    applied = {
        "decided_on": work.today,
        "total_fen": forms.wan(filed.contract.total_fen),
        "technical_fen": forms.wan(filed.contract.technical_fen),
    }
    refusing = sent is not None and sent.first("decision") == "not_registered"
    blank = forms.blank(DecideForm, applied)
    form = blank if sent is None or refusing else sent
    version = service.version_of(work, filed)
    steps = service.steps_of(work, filed, Relation.OTHER)
    return {
        "desk": desk,
        "filed": filed,
        "state": STATES[filed.row.state],
        "checks": _checks(page, desk),
        "waiting": service.worklist(work).rows,
        "form": form,
        "refusal": sent if refusing else blank,
        "refusing": refusing,
        "followed": _followed(page, desk, form.first("number")),
        "term": service.term_of(work, filed),
        "version": version,
        "book": versions.book(work.session),
        "causes": END_CAUSES,
        "moved": standing.words(filed.row, filed.contract),
        "events": service.events(work, filed),
        "step_words": words.STEPS,
        "stored": service.file_of(work, filed),
        "joint": [one.words() for one in national.joint(work, filed.contract)],
        "form_rows": national.rows(filed.contract, items.read(filed.row.items)),
        "steps": [step.value for step in steps],
        "open": Step.REGISTER in steps or Step.ACCEPT in steps,
        "counting": filed.row.state in COUNTING,
        "reasons": version.rules.refusal_reasons,
        "types": CONTRACT_TYPES,
        "fields": FIELDS,
        "regions": REGIONS,
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
    told = "同双方另有提交或登记的合同，请对照下面最近几份" if others else "同双方没有别的登记"
    if any(one.contract.seller_id != contract.seller_id for one in desk.same_parties):
        told = "另有卖方不同，而买方、签订日、金额都相同的合同：几家联合卖方只登记一次，请对照"
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
            told,
        ),
        *_more_checks(page, desk),
    ]


def _more_checks(page: Page, desk: service.Desk) -> list[Way]:
    """Return what the file, the form, the type and the patents tell."""
    filed = desk.filed
    contract, rules = filed.contract, service.version_of(page.work, filed).rules
    lacking = service.lacking(filed)
    as_type = rules.registered_as(contract.type)
    found: list[Way] = [
        (
            "材料",
            "no" if lacking else "yes",
            "不齐" if lacking else "齐全",
            "；".join(lacking.values()) or "合同文件没有在别处提交过，登记表各项已填",
        )
    ]
    if as_type != contract.type:
        word = CONTRACT_TYPES[ContractType(as_type)]
        found.append(("类别", "part", f"按{word}", f"签订日适用的规则没有这一类，按{word}登记"))
    if contract.sub_type in PATENT_SUB_TYPES:
        number = len(keeping.of(page.work.session, contract.id).patents)
        told = f"{number}件" if number else "没有填"
        verdict: Literal["yes", "part"] = "yes" if number else "part"
        found.append(("专利", verdict, told, "合同涉及的专利，申请号和期限见合同摘要"))
    extra = contract.total_fen - contract.technical_fen
    if extra:
        found.append(
            ("扣除", "part", wan_in_words(extra), "非技术明细，合理数量以外的不计技术交易额")
        )
    return found


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
    return page.again("desk/decision.html", _decision(page, registration_id, form))


@router.post("/desk/registrations/{registration_id}/accept")
def accept(
    registration_id: PathId,
    page: Annotated[Page, opens_page(Action.REGISTRATION_DECIDE, write=True)],
) -> Response:
    service.accept(page.work, PublicId(registration_id))
    return page.redirect(f"/desk/registrations/{registration_id}", done=ACCEPTED)
