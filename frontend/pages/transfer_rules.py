"""The bureau's rules of rewards and brokers, each with the day from which it is in force."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.rates import Percent, rate
from market.accounts.policy import Action, Relation
from market.kit.errors import Conflict, Invalid
from market.kit.wire import Optional300
from market.rules import transfer
from market.rules.models_transfer import TransferRule
from market.rules.schemas_transfer import TransferRuleIn

router = APIRouter()

SAVED = notices.done("transfer-rule-saved", "规则已保存", "从写的那一天起适用，原来的留着可查。")
ADDRESS, TEMPLATE = "/desk/transfer-rules", "desk/transfer_rules.html"


def _blank(value: object) -> object:
    return None if value == "" else value


class RuleForm(BaseModel):
    effective_from: forms.Day = Field(title="生效日")
    transfer_bp: Percent = Field(title="转让、许可的最低比例")
    equity_bp: Percent = Field(title="作价投资的最低比例")
    own_bp: Percent = Field(title="自行或合作实施的最低比例")
    own_years_least: forms.Whole = Field(title="最少年数", ge=1, le=50)
    own_years_most: forms.Whole = Field(title="最多年数", ge=1, le=50)
    bypass_days: forms.Whole = Field(title="跳单的期限", ge=1, le=3650)
    publicity_days: forms.Whole = Field(title="公示的天数", ge=1, le=365)
    source: Optional300 = Field("", title="依据")
    checked_on: Annotated[forms.Day | None, BeforeValidator(_blank)] = Field(None, title="核对日期")
    replaces: str = Field("", max_length=14)


def _shown(row: TransferRule) -> forms.Form[RuleForm]:
    values = {name: getattr(row, name) for name in RuleForm.model_fields if name != "replaces"}
    for name in ("transfer_bp", "equity_bp", "own_bp"):
        values[name] = rate(values[name])
    return forms.blank(RuleForm, {**values, "replaces": row.public_id})


def _context(page: Page, form: forms.Form[RuleForm] | None = None) -> dict[str, object]:
    page.work.require(Action.PLAN_EDIT, Relation.OTHER)
    rows = transfer.rules(page.work)
    now = transfer.at(page.work.session, page.work.today)
    return {"rows": rows, "rule": now, "form": form or _shown(now), "rate": rate}


@router.get("/desk/transfer-rules")
def listed(page: Annotated[Page, opens_page(Action.PLAN_EDIT)]) -> Response:
    return page.render(TEMPLATE, _context(page))


@router.post("/desk/transfer-rules")
def put(page: Annotated[Page, opens_page(Action.PLAN_EDIT, write=True)]) -> Response:
    form = forms.parse(RuleForm, page.sent)
    if form.data is not None:
        try:
            transfer.put(page.work, _asked(page, form.data))
            return page.redirect(ADDRESS, done=SAVED)
        except (Invalid, Conflict) as error:
            form.reject(error)
        except ValueError:
            form.fail("transfer_bp", "三个最低比例都要填")
    page.work.abandon()
    return page.again(TEMPLATE, _context(page, form))


def _asked(page: Page, form: RuleForm) -> TransferRuleIn:
    """Return the rule that was typed: another day's is a new one and replaces none."""
    replaced = next(
        (row for row in transfer.rules(page.work) if row.public_id == form.replaces), None
    )
    same_day = replaced is not None and replaced.effective_from == form.effective_from
    return TransferRuleIn(
        **form.model_dump(exclude={"replaces"}), replaces=form.replaces if same_day else None
    )
