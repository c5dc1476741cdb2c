"""Rewards to those who made an achievement: the list, a new statement, one with its paper."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.rates import Percent
from market.accounts import repository as accounts
from market.accounts.policy import Action
from market.catalog import views as catalog
from market.kit import pdf
from market.kit.errors import Conflict, Invalid
from market.kit.files import download_headers
from market.kit.ids import PublicId
from market.kit.wire import Line, PathId
from market.rewards import service, statement
from market.rewards.models import Way
from market.rewards.schemas import CompleterIn, RewardIn
from market.rules import transfer

router = APIRouter()

STATED = notices.done("reward-stated", "奖励说明已写好", "核对后由管理员确认，确认后不再改。")
DROPPED = notices.done("reward-dropped", "草稿已删除")
CONFIRMED = notices.done("reward-confirmed", "奖励说明已确认")
LINES = 5


class RewardForm(BaseModel):
    title: Line = Field(title="成果或项目")
    contract: str = Field("", title="合同", max_length=14)
    way: Way = Field(title="转化方式")
    profit_year: str = Field("", title="利润年份", max_length=4)
    income: forms.OptionalWan = Field(None, title="收入或利润")
    cost: forms.OptionalWan = Field(None, title="扣除的成本")
    shares: str = Field("", title="股份总数", max_length=18)
    rate_bp: Percent = Field(None, title="奖励比例")
    decided_on: forms.Day = Field(title="决定日期")
    names: list[str] = Field(default_factory=list, title="完成人")
    parts: list[str] = Field(default_factory=list, title="贡献")
    weights: list[str] = Field(default_factory=list, title="份额")


def _number(text: str, name: str) -> int | None:
    """Return a whole number that was typed, None for nothing. Raises Invalid at `name`."""
    plain = text.strip().replace(",", "")
    if not plain:
        return None
    if not (plain.isascii() and plain.isdigit()) or len(plain) > 15:
        raise Invalid(fields={name: f"应为整数，现在是“{text[:20]}”"})
    return int(plain)


def _completers(form: forms.Form[RewardForm]) -> list[CompleterIn]:
    found = []
    for name, part, weight in zip(
        form.all("names"), form.all("parts"), form.all("weights"), strict=False
    ):
        if not name.strip():
            continue
        number = _number(weight, "names")
        if not number or number > 1_000_000 or len(name) > 60 or len(part) > 200:
            said = "姓名不超过60字，贡献不超过200字，份额为大于0的整数"
            raise Invalid(fields={"names": said})
        found.append(CompleterIn(name=name, part=part, weight=number))
    if not found:
        raise Invalid(fields={"names": "至少写一位完成人"})
    return found


def _asked(form: forms.Form[RewardForm], data: RewardForm) -> RewardIn:
    """Return what the form asks for. Raises Invalid."""
    equity = data.way is Way.EQUITY
    whole = _number(data.shares, "shares") if equity else data.income
    if not whole:
        name, said = ("shares", "请填股份总数") if equity else ("income", "请填收入或利润，大于0")
        raise Invalid(fields={name: said})
    year = _number(data.profit_year, "profit_year")
    if year is not None and not 1990 <= year <= 2100:
        raise Invalid(fields={"profit_year": f"应为四位年份，现在是“{data.profit_year}”"})
    return RewardIn(
        title=data.title,
        contract=data.contract or None,
        way=data.way,
        profit_year=year,
        income=whole,
        cost=data.cost or 0,
        rate_bp=data.rate_bp,
        decided_on=data.decided_on,
        completers=_completers(form),
    )


@router.get("/rewards")
def listed(
    page: Annotated[Page, opens_page(Action.REWARD_VIEW)],
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    total, views = service.rewards(page.work, number)
    return page.render(
        "rewards/rewards.html",
        {
            "views": views,
            "ways": service.WAYS,
            "told": statement.told,
            "page": number,
            "pages": catalog.pages(total, service.PAGE),
            "may_edit": page.work.may(Action.REWARD_EDIT),
        },
    )


def _new(page: Page, form: forms.Form[RewardForm]) -> dict[str, object]:
    work = page.work
    holder = accounts.organisation(work.session, work.actor.organisation)
    rule = transfer.at(work.session, work.today)
    typed = list(zip(form.all("names"), form.all("parts"), form.all("weights"), strict=False))
    return {
        "form": form,
        "ways": list(service.WAYS.items()),
        "contracts": [(row.public_id, row.project_name) for row in service.sellable(work)],
        "floors": [(service.WAYS[way], service.floor_of(rule, way) / 100) for way in Way],
        "rule": rule,
        "binding": holder.state_founded,
        "lines": [*typed, *[("", "", "1")] * max(LINES - len(typed), 1)],
    }


@router.get("/rewards/new")
def new(page: Annotated[Page, opens_page(Action.REWARD_EDIT)]) -> Response:
    page.work.require(Action.REWARD_EDIT)
    values = {"way": Way.TRANSFER, "decided_on": page.work.today}
    return page.render("rewards/new.html", _new(page, forms.blank(RewardForm, values)))


@router.post("/rewards/new")
def state(page: Annotated[Page, opens_page(Action.REWARD_EDIT, write=True)]) -> Response:
    form = forms.parse(RewardForm, page.sent)
    if form.data is not None:
        try:
            row = service.state(page.work, _asked(form, form.data))
            return page.redirect(f"/rewards/{row.public_id}", done=STATED)
        except (Invalid, Conflict) as error:
            form.reject(error)
        except ValueError:
            form.fail("contract", "请从列表里选合同")
    page.work.abandon()
    return page.again("rewards/new.html", _new(page, form))


def _one(page: Page, reward_id: str, problem: str = "") -> dict[str, object]:
    view = service.reward(page.work, PublicId(reward_id))
    way = Way(view.row.way)
    return {
        "view": view,
        "way": service.WAYS[way],
        "base": service.BASES[way],
        "told": lambda amount: statement.told(way, amount),
        "rule": transfer.get(page.work.session, view.row.rule_id),
        "problem": problem,
        "may_drop": view.row.state == "drafted" and page.work.may(Action.REWARD_EDIT),
        "may_confirm": view.row.state == "drafted" and page.work.may(Action.REWARD_CONFIRM),
    }


@router.get("/rewards/{reward_id}")
def one(reward_id: PathId, page: Annotated[Page, opens_page(Action.REWARD_VIEW)]) -> Response:
    return page.render("rewards/reward.html", _one(page, reward_id))


@router.post("/rewards/{reward_id}/confirmation")
def confirm(
    reward_id: PathId, page: Annotated[Page, opens_page(Action.REWARD_CONFIRM, write=True)]
) -> Response:
    try:
        service.confirm(page.work, PublicId(reward_id))
    except Conflict as error:
        return _refused(page, reward_id, error)
    return page.redirect(f"/rewards/{reward_id}", done=CONFIRMED)


@router.post("/rewards/{reward_id}/drop")
def drop(
    reward_id: PathId, page: Annotated[Page, opens_page(Action.REWARD_EDIT, write=True)]
) -> Response:
    try:
        service.drop(page.work, PublicId(reward_id))
    except Conflict as error:
        return _refused(page, reward_id, error)
    return page.redirect("/rewards", done=DROPPED)


def _refused(page: Page, reward_id: str, error: Conflict) -> Response:
    page.work.abandon()
    context = _one(page, reward_id, error.message)
    return page.render("rewards/reward.html", context, status=error.status)


@router.get("/rewards/{reward_id}/statement")
def paper(reward_id: PathId, page: Annotated[Page, opens_page(Action.REWARD_VIEW)]) -> Response:
    view = service.reward(page.work, PublicId(reward_id))
    session = page.work.session
    holder = accounts.organisation(session, view.row.organisation_id)
    made = statement.paper(view, holder, transfer.get(session, view.row.rule_id))
    name = f"奖励说明-{view.row.title[:40]}.pdf"
    return Response(made, media_type=pdf.MEDIA_TYPE, headers=download_headers(name))
