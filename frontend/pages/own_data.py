"""My data: what is held of a person, to take along and to delete; leaving an organisation."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import COOKIE, Page, opens_page
from market import personal
from market.accounts import organisations, repository
from market.accounts.edge import address_of
from market.accounts.models import MembershipState
from market.accounts.policy import Action
from market.deals import personal as deals
from market.kit import files
from market.kit.clock import local_date
from market.kit.errors import Conflict, Invalid, MarketError, TooMany
from market.kit.ids import PublicId
from market.kit.records import archive

router = APIRouter()

DELETED = notices.done("account-deleted", "账号已注销", "您的姓名、邮箱、电话和登录信息已删除。")
LEFT = notices.done("organisation-left", "已离开机构", "您在该机构建立的成果、需求和洽谈仍归机构。")

Own = Annotated[Page, opens_page(Action.DATA_OWN)]


class DeleteForm(BaseModel):
    confirm: str = Field("", title="确认", max_length=50)
    password: str = Field(title="密码", max_length=200)


@router.get("/account/data")
def own_data(page: Own) -> Response:
    return page.render("accounts/data.html", _data(page, forms.blank(DeleteForm)))


def _data(page: Page, form: forms.Form[DeleteForm]) -> dict[str, object]:
    return {
        "form": form,
        "held": [(title, count) for title, count in personal.counts(page.work).items() if count],
        "kept": personal.KEPT,
        "obstacles": personal.obstacles(page.work),
        "confirm": personal.CONFIRM,
    }


@router.get("/account/data/copy")
def copy(page: Own) -> Response:
    name = f"我的数据-{local_date(page.work.now).isoformat()}.zip"
    return Response(
        archive(personal.copy(page.work), "我的数据"),
        media_type="application/zip",
        headers=files.download_headers(name),
    )


@router.post("/account/data/delete")
def delete(page: Own) -> Response:
    form = forms.parse(DeleteForm, page.sent)
    status = Invalid.status
    if form.data is not None:
        try:
            personal.delete(
                page.work.parts,
                page.work.actor,
                form.data.password,
                form.data.confirm,
                address_of(page.request),
            )
        except (Invalid, Conflict, TooMany) as error:
            status = error.status
            form.reject(_as_invalid(error))
        else:
            response = page.redirect("/", done=DELETED)
            response.delete_cookie(COOKIE)
            return response
    return page.render("accounts/data.html", _data(page, form), status=status)


def _as_invalid(error: MarketError) -> Invalid:
    return error if isinstance(error, Invalid) else Invalid(error.message, {"": error.message})


Leaving = Annotated[Page, opens_page(Action.ORGANISATION_LEAVE)]


@router.get("/organisation/leave")
def leaving(page: Leaving) -> Response:
    """What stays and what ends, before one leaves; who belongs nowhere is shown where to join."""
    if page.work.actor.organisation_id is None:
        return page.redirect("/organisations")
    return page.render("accounts/leave.html", _leaving(page))


def _leaving(page: Page, error: str = "") -> dict[str, object]:
    actor = page.work.actor
    in_hand = deals.in_hand(page.work.session, actor.person, actor.organisation)
    return {"error": error or organisations.why_stay(page.work), "actor": actor, "in_hand": in_hand}


@router.post("/organisation/leave")
def leave(
    page: Annotated[Page, opens_page(Action.ORGANISATION_LEAVE, write=True)],
) -> Response:
    named = page.sent.first("organisation")
    try:
        organisations.leave(page.work, PublicId(named))
    except Conflict as error:
        if named != page.work.actor.organisation_public_id:
            raise
        page.work.abandon()
        return page.render(
            "accounts/leave.html", _leaving(page, error.message), status=error.status
        )
    rows = repository.memberships_of_person(page.work.session, page.work.actor.person)
    left = [row for row, _ in rows if row.state == MembershipState.ACTIVE]
    if page.sign_in is not None and named == page.work.actor.organisation_public_id:
        repository.act_for(page.work.session, page.sign_in.id, left[0].id if left else None)
    return page.redirect("/organisation" if left else "/organisations", done=LEFT)
