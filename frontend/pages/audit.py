"""The audit rows, for auditors."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms
from frontend.edge import Page, opens_page
from frontend.pages import audit_words
from frontend.workspace import ROLE_NAMES
from market.accounts import trail
from market.accounts.policy import Action

router = APIRouter()
SHOWN = 100


class Narrowed(BaseModel):
    action: str = Field("", max_length=60, title="做什么")
    outcome: str = Field("", max_length=20, title="结果")
    organisation: str = Field("", max_length=60, title="机构")
    day: forms.Day | None = Field(None, title="日期")


@router.get("/audit")
def audit_log(
    page: Annotated[Page, opens_page(Action.AUDIT_VIEW)],
    before: Annotated[int | None, Query(ge=1, lt=2**62)] = None,
) -> Response:
    form = forms.parse(Narrowed, forms.query(page.request))
    asked = trail.Asked(**form.data.model_dump()) if form.data else None
    rows = trail.rows(page.work, asked, limit=SHOWN + 1, before=before) if asked else []
    return page.render(
        "accounts/audit.html",
        {
            "form": form,
            "rows": rows[:SHOWN],
            "next": rows[SHOWN - 1].id if len(rows) > SHOWN else None,
            "narrowed": asked is None or asked != trail.Asked(),
            "roles": ROLE_NAMES,
            "actions": audit_words.ACTIONS,
            "outcomes": audit_words.OUTCOMES,
            "nobody": audit_words.nobody,
            "subject": audit_words.subject,
            "before": before,
        },
        status=200 if form.data else 422,
    )
