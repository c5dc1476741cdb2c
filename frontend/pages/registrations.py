"""A party's registrations: handing a contract in, seeing the result, taking it back."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from frontend import notices
from frontend.edge import Page, opens_page
from market.accounts.policy import Action
from market.catalog.vocabulary import FIELDS
from market.deals.vocabulary import CONTRACT_TYPES
from market.kit.ids import PublicId
from market.kit.wire import PathId
from market.registry import service
from market.registry.models import RegistrationState
from market.registry.schemas import SubmitIn
from market.registry.vocabulary import REFUSAL_REASONS

router = APIRouter()

SUBMITTED = notices.done(
    "registration-submitted", "已提交登记", "由科技局按登记机构的证明录入结果，结果显示在这里。"
)
WITHDRAWN = notices.done("registration-withdrawn", "已撤回申请", "改好后可以从洽谈里重新提交。")

# state → mark and word
STATES = {
    RegistrationState.SUBMITTED: ("wait", "待决定"),
    RegistrationState.REGISTERED: ("done", "已登记"),
    RegistrationState.NOT_REGISTERED: ("stop", "不予登记"),
    RegistrationState.WITHDRAWN: ("stop", "已撤回"),
}


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


@router.get("/registrations/new")
def new(
    contract: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_SUBMIT)]
) -> Response:
    found = service.to_submit(page.work, PublicId(contract))
    return page.render(
        "desk/submit.html", {"contract": found, "types": CONTRACT_TYPES, "fields": FIELDS}
    )


@router.post("/registrations/new")
def submit(
    contract: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_SUBMIT, write=True)]
) -> Response:
    filed = service.submit(page.work, SubmitIn(contract=contract))
    return page.redirect(f"/registrations/{filed.row.public_id}", done=SUBMITTED)


@router.get("/registrations/{registration_id}")
def one(
    registration_id: PathId, page: Annotated[Page, opens_page(Action.REGISTRATION_VIEW)]
) -> Response:
    filed = service.get(page.work, PublicId(registration_id))
    return page.render(
        "desk/one.html",
        {
            "filed": filed,
            "state": STATES[RegistrationState(filed.row.state)],
            "may_withdraw": service.may_withdraw(page.work, filed),
            "may_resubmit": service.may_resubmit(page.work, filed),
            "reasons": REFUSAL_REASONS,
            "types": CONTRACT_TYPES,
            "fields": FIELDS,
        },
    )


@router.post("/registrations/{registration_id}/withdraw")
def withdraw(
    registration_id: PathId,
    page: Annotated[Page, opens_page(Action.REGISTRATION_SUBMIT, write=True)],
) -> Response:
    service.withdraw(page.work, PublicId(registration_id))
    return page.redirect(f"/registrations/{registration_id}", done=WITHDRAWN)
