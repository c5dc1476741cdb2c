"""Organisations: founding and joining one, its members, and the bureau's verification."""

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from frontend.workspace import ROLE_NAMES
from market.accounts import organisations, repository, repository_waiting
from market.accounts.models import Organisation, Verification
from market.accounts.policy import Action, Role
from market.accounts.schemas import DecideMemberIn, JoinIn, MemberRole, OrganisationIn, VerifyIn
from market.catalog.vocabulary import REGIONS
from market.kit.errors import Invalid, NotFound, Overtaken
from market.kit.ids import PublicId
from market.kit.letters import one_line
from market.kit.wire import Optional200, OrganisationName, PathId

router = APIRouter()

FOUNDED = notices.done("founded", "机构已创建", "科技局核验后才能提交；现在可以先写草稿。")
ASKED = notices.done("asked-to-join", "已申请加入", "由该机构的管理员批准。")
DECIDED = notices.done("member-decided", "成员已更新")
RENAMED = notices.done("organisation-renamed", "机构信息已更新")
VERIFIED = notices.done("organisation-verified", "核验结果已保存")

KINDS = (("university", "高校、院所"), ("company", "企业"), ("agency", "技术转移机构"))
KIND_NAMES = {**dict(KINDS), "bureau": "科技局", "platform": "平台"}
VERIFICATION_NAMES = {
    Verification.PENDING: ("wait", "待核验"),
    Verification.VERIFIED: ("done", "已核验"),
    Verification.REFUSED: ("stop", "未通过核验"),
}
ENTRY = "entry"  # of a directory; nobody belongs to it yet
ROLES = tuple((role.value, ROLE_NAMES[role]) for role in (Role.VIEWER, Role.EDITOR, Role.MANAGER))


class FoundForm(BaseModel):
    kind: Literal["university", "company", "agency"] = Field(title="机构类型")
    name: OrganisationName = Field(title="机构名称")
    credit_code: str = Field(title="统一社会信用代码", max_length=40)
    region: str = Field(title="所在地区", pattern=r"^[0-9]{6}$", description="列表中的地区")
    address: Optional200 = Field("", title="地址")
    state_founded: bool = Field(False, title="国家设立的高校、院所")


class JoinForm(BaseModel):
    role: MemberRole = Field(title="角色")


class EditForm(BaseModel):
    seen: forms.Whole | None = Field(None, title="修改次数", ge=0)
    name: OrganisationName = Field(title="机构名称")
    address: Optional200 = Field("", title="地址")


class MemberForm(BaseModel):
    decision: Literal["accept", "refuse", "remove"] = Field(title="决定")
    role: MemberRole | None = Field(None, title="角色")


class VerifyForm(BaseModel):
    seen: forms.Whole | None = Field(None, title="修改次数", ge=0)
    name: OrganisationName = Field(title="机构名称")
    decision: Literal["verified", "refused"] = Field(title="决定")
    note: Optional200 = Field("", title="说明")
    self_publish: bool = Field(False, title="可自行发布")


def _joinable(page: Page, **more: object) -> dict[str, object]:
    q = one_line(page.request.query_params.get("q", ""))[:100].strip()
    return {
        "q": q,
        "found": repository.verified_organisations(page.work.session, name_like=q, limit=50)
        if q
        else [],
        "form": forms.blank(FoundForm, {"region": "500106"}),
        "kinds": KINDS,
        "kind_names": KIND_NAMES,
        "regions": tuple(REGIONS.items()),
        "roles": ROLES,
        "requests": [
            (membership, organisation)
            for membership, organisation in repository.memberships_of_person(
                page.work.session, page.work.actor.person
            )
        ],
        **more,
    }


@router.get("/organisations")
def join_or_found(page: Annotated[Page, opens_page(Action.ORGANISATION_FOUND)]) -> Response:
    return page.render("accounts/organisations.html", _joinable(page))


@router.post("/organisations")
def found(page: Annotated[Page, opens_page(Action.ORGANISATION_FOUND, write=True)]) -> Response:
    form = forms.parse(FoundForm, page.sent)
    if form.data is not None:
        try:
            organisations.found(page.work, OrganisationIn(**form.data.model_dump()))
            if page.work.actor.membership_id is None:
                _act_for_newest(page)
            return page.redirect("/organisation", done=FOUNDED)
        except Invalid as error:
            form.reject(error)
    return page.again("accounts/organisations.html", _joinable(page, form=form))


def _act_for_newest(page: Page) -> None:
    """Let a session that acted for nobody act for what its person has just founded."""
    rows = repository.memberships_of_person(page.work.session, page.work.actor.person)
    if page.sign_in is not None:
        repository.act_for(page.work.session, page.sign_in.id, rows[-1][0].id)


@router.post("/organisations/{organisation_id}/join")
def join(
    organisation_id: PathId,
    page: Annotated[Page, opens_page(Action.ORGANISATION_JOIN, write=True)],
) -> Response:
    form = forms.parse(JoinForm, page.sent)
    role = form.data.role if form.data is not None else Role.EDITOR
    organisations.join(page.work, PublicId(organisation_id), JoinIn(role=role))
    return page.redirect("/organisations", done=ASKED)


def _own(page: Page, **more: object) -> dict[str, object]:
    work = page.work
    row = repository.organisation(work.session, work.actor.organisation)
    return {
        "organisation": row,
        "state": VERIFICATION_NAMES[Verification(row.verification)],
        "kind": KIND_NAMES[row.kind],
        "region": REGIONS.get(row.region, row.region),
        "members": repository.members(work.session, row.id),
        "manages": work.may(Action.ORGANISATION_MANAGE),
        "roles": ROLES,
        "role_names": ROLE_NAMES,
        "me": work.actor.membership_id,
        "form": _edited(row),
        **more,
    }


def _edited(row: Organisation) -> forms.Form[EditForm]:
    values = {"name": row.name, "address": row.address, "seen": row.edits}
    return forms.blank(EditForm, values)


@router.get("/organisation")
def organisation(page: Annotated[Page, opens_page(Action.MEMBERS_VIEW)]) -> Response:
    return page.render("accounts/organisation.html", _own(page))


@router.post("/organisation")
def rename(page: Annotated[Page, opens_page(Action.ORGANISATION_MANAGE, write=True)]) -> Response:
    form = forms.parse(EditForm, page.sent)
    if form.data is not None:
        try:
            organisations.rename(page.work, form.data.name, form.data.address, form.data.seen)
            return page.redirect("/organisation", done=RENAMED)
        except Invalid as error:
            form.reject(error)
        except Overtaken as error:
            page.work.abandon()
            form.fail(forms.WHOLE, error.message)
            row = repository.organisation(page.work.session, page.work.actor.organisation)
            form.overtaken(_edited(row), by=["seen"])
            context = _own(page, form=form)
            return page.render("accounts/organisation.html", context, status=error.status)
    return page.again("accounts/organisation.html", _own(page, form=form))


@router.post("/members/{membership_id}")
def decide_member(
    membership_id: PathId,
    page: Annotated[Page, opens_page(Action.ORGANISATION_MANAGE, write=True)],
) -> Response:
    form = forms.parse(MemberForm, page.sent)
    if form.data is None:
        raise Invalid(next(iter(form.errors.values())))
    decision = DecideMemberIn(**form.data.model_dump())
    organisations.decide_member(page.work, PublicId(membership_id), decision)
    return page.redirect("/organisation", done=DECIDED)


@router.get("/desk/organisations")
def to_verify(page: Annotated[Page, opens_page(Action.ORGANISATION_VERIFY)]) -> Response:
    state = page.request.query_params.get("state", Verification.PENDING)
    if state == ENTRY:
        rows = repository_waiting.directory_entries(page.work.session)
    elif state in list(Verification):
        rows = repository_waiting.organisations_by_verification(
            page.work.session, Verification(state)
        )
    else:
        raise NotFound
    return page.render(
        "accounts/desk.html",
        {
            "rows": rows,
            "state": state,
            "names": VERIFICATION_NAMES,
            "kind_names": KIND_NAMES,
        },
    )


def _verified(row: Organisation) -> forms.Form[VerifyForm]:
    values = {
        "name": row.name,
        "note": row.verification_note,
        "self_publish": row.self_publish,
        "seen": row.edits,
    }
    return forms.blank(VerifyForm, values)


def _verification(page: Page, organisation_id: str, **more: object) -> dict[str, object]:
    row = organisations.visible_organisation(page.work, PublicId(organisation_id))
    return {
        "organisation": row,
        "state": VERIFICATION_NAMES[Verification(row.verification)],
        "kind": KIND_NAMES[row.kind],
        "region": REGIONS.get(row.region, row.region),
        "form": _verified(row),
        **more,
    }


@router.get("/desk/organisations/{organisation_id}")
def verification(
    organisation_id: PathId, page: Annotated[Page, opens_page(Action.ORGANISATION_VERIFY)]
) -> Response:
    return page.render("accounts/verify.html", _verification(page, organisation_id))


@router.post("/desk/organisations/{organisation_id}")
def verify(
    organisation_id: PathId,
    page: Annotated[Page, opens_page(Action.ORGANISATION_VERIFY, write=True)],
) -> Response:
    form = forms.parse(VerifyForm, page.sent)
    if form.data is not None:
        try:
            verdict = VerifyIn(**form.data.model_dump())
            organisations.verify(page.work, PublicId(organisation_id), verdict)
            return page.redirect("/desk/organisations", done=VERIFIED)
        except Invalid as error:
            form.reject(error)
        except Overtaken as error:
            page.work.abandon()
            form.fail(forms.WHOLE, error.message)
            row = organisations.visible_organisation(page.work, PublicId(organisation_id))
            form.overtaken(_verified(row), by=["seen"])
            context = _verification(page, organisation_id, form=form)
            return page.render("accounts/verify.html", context, status=error.status)
    return page.again("accounts/verify.html", _verification(page, organisation_id, form=form))
