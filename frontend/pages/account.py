"""Signing up, in and out, and one's own account."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import COOKIE, Page, Sent, gives_page_parts, opens_page
from frontend.render import Renderer, safe_next
from frontend.workspace import start_of
from market.accounts import consent, profile, repository, signin
from market.accounts.edge import address_of
from market.accounts.law import Edition
from market.accounts.policy import Action
from market.accounts.schemas import ProfileIn, SignUpIn
from market.accounts.work import Parts
from market.kit.errors import Conflict, Invalid, MarketError, NotFound, TooMany
from market.kit.ids import PublicId
from market.kit.wire import Email, PathId, Phone, Short

router = APIRouter()

SIGNED_OUT = notices.done("signed-out", "已退出登录")
PROFILE_SAVED = notices.done("profile-saved", "姓名和电话已更改")
PASSWORD_SET = notices.done("password-set", "密码已更改", "所有设备都已退出，请用新密码登录。")
SESSION_ENDED = notices.done("session-ended", "已让那台设备退出登录")
OTHERS_ENDED = notices.done("others-ended", "已让其他设备都退出登录")
TOKEN_REVOKED = notices.done("token-revoked", "令牌已撤销")
SWITCHED = notices.done("switched", "已换到另一个机构")

PASSWORD_HELP = "至少10个字符，可以是一句话"  # noqa: S105  help text
NewPassword = Annotated[str, Field(min_length=10, max_length=200, title="密码")]


class LoginForm(BaseModel):
    email: str = Field(title="邮箱", max_length=200)
    password: str = Field(title="密码", max_length=200)
    next: str = Field("", max_length=40_000)


class SignUpForm(BaseModel):
    name: Short = Field(title="姓名")
    email: Email = Field(title="邮箱", description="邮箱地址，如 zhang@example.com")
    phone: Phone = Field("", title="电话")
    password: NewPassword
    agreed: bool = Field(False, title="同意")


class ProfileForm(BaseModel):
    name: Short = Field(title="姓名")
    phone: Phone = Field("", title="电话")
    seen_name: Short = Field(title="原来的姓名")
    seen_phone: Phone = Field("", title="原来的电话")


class PasswordForm(BaseModel):
    old: str = Field(title="原密码", max_length=200)
    password: NewPassword


class LinkForm(BaseModel):
    password: NewPassword
    agreed: bool = Field(False, title="同意")


class SwitchForm(BaseModel):
    membership: PathId


class TokenForm(BaseModel):
    name: Short = Field(title="令牌名称")


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer


def _signed_in(
    request: Request, parts: Parts, person_email: str, password: str, to: str
) -> Response:
    person = signin.check_password(parts, person_email, password, address_of(request))
    token = signin.open_session(parts, person, request.headers.get("user-agent", ""))
    with parts.database.read() as session:
        identity = signin.by_session(session, token, parts.clock.now())
    to = safe_next(to) if to not in ("", "/") else start_of(identity.actor)
    if identity.sign_in is not None and identity.sign_in.must_agree:
        to = f"/consent?{urlencode({'next': to})}"
    response = _renderer(request).redirect(request, to)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(signin.SESSION_LIFE.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.app.state.secure_cookies,
    )
    return response


@router.get("/login")
def login_page(page: Annotated[Page, opens_page(Action.SIGN_IN)]) -> Response:
    to = safe_next(page.request.query_params.get("next", ""), "")
    if page.sign_in is not None:
        return page.redirect(to or start_of(page.work.actor))
    return page.render("accounts/login.html", {"form": forms.blank(LoginForm, {"next": to})})


@router.post("/login")
def login(
    request: Request, sent: Sent, parts: Annotated[Parts, gives_page_parts(Action.SIGN_IN)]
) -> Response:
    form = forms.parse(LoginForm, sent)
    status = Invalid.status
    if form.data is not None:
        try:
            return _signed_in(
                request,
                parts,
                form.data.email.strip().lower(),
                form.data.password,
                form.data.next,
            )
        except Invalid as error:
            form.reject(error)
        except TooMany as error:
            status = error.status
            form.fail("", error.message)
    return _renderer(request).page(request, "accounts/login.html", {"form": form}, status=status)


@router.get("/signup")
def signup_page(page: Annotated[Page, opens_page(Action.SIGN_IN)]) -> Response:
    return page.render(
        "accounts/signup.html", {"form": forms.blank(SignUpForm), "help": PASSWORD_HELP}
    )


@router.post("/signup")
def signup(
    request: Request, sent: Sent, parts: Annotated[Parts, gives_page_parts(Action.SIGN_IN)]
) -> Response:
    form = forms.parse(SignUpForm, sent)
    if not sent.first("agreed"):
        form.fail("agreed", consent.ASK)  # with all else that is wrong, not after it
    status = Invalid.status
    if form.data is not None:
        try:
            signin.sign_up(parts, SignUpIn(**form.data.model_dump()), address_of(request))
            return _signed_in(request, parts, form.data.email, form.data.password, "")
        except MarketError as error:
            status = error.status
            form.reject(error if isinstance(error, Invalid) else Invalid(error.message))
    return _renderer(request).page(
        request, "accounts/signup.html", {"form": form, "help": PASSWORD_HELP}, status=status
    )


@router.post("/logout")
def logout(page: Annotated[Page, opens_page(Action.SIGN_IN, write=True)]) -> Response:
    if page.sign_in is not None:
        signin.sign_out(page.work, page.sign_in.public_id)
    response = page.redirect("/", done=SIGNED_OUT)
    response.delete_cookie(COOKIE)
    return response


@router.post("/account/switch")
def switch(page: Annotated[Page, opens_page(Action.ACCOUNT_USE, write=True)]) -> Response:
    form = forms.parse(SwitchForm, page.sent)
    if form.data is None:
        raise NotFound
    signin.switch_organisation(
        page.work, page.request.cookies.get(COOKIE, ""), PublicId(form.data.membership)
    )
    return page.redirect("/organisation", done=SWITCHED)


@router.get("/account")
def account(page: Annotated[Page, opens_page(Action.ACCOUNT_USE)]) -> Response:
    return page.render("accounts/account.html", _account(page))


def _account(page: Page, **more: object) -> dict[str, object]:
    work = page.work
    person = repository.person(work.session, work.actor.person)
    seen = {"seen_name": person.name, "seen_phone": person.phone}
    return {
        "person": person,
        "profile": forms.blank(ProfileForm, {"name": person.name, "phone": person.phone, **seen}),
        "sign_ins": repository.open_sign_ins(work.session, work.actor.person, work.now),
        "current": page.sign_in.public_id if page.sign_in else "",
        "tokens": repository.tokens_of_person(work.session, work.actor.person, work.now),
        "actor": work.actor,
        "password": forms.blank(PasswordForm),
        "token": forms.blank(TokenForm),
        "secret": "",
        "help": PASSWORD_HELP,
        **more,
    }


@router.post("/account/person")
def change_profile(page: Annotated[Page, opens_page(Action.ACCOUNT_USE, write=True)]) -> Response:
    form = forms.parse(ProfileForm, page.sent)
    if form.data is not None:
        try:
            profile.change(page.work, ProfileIn(**form.data.model_dump()))
        except Conflict as error:
            form.fail(forms.WHOLE, error.message)
        else:
            return page.redirect("/account", done=PROFILE_SAVED)
    page.work.abandon()
    return page.again("accounts/account.html", _account(page, profile=form))


@router.post("/account/password")
def change_password(page: Annotated[Page, opens_page(Action.ACCOUNT_USE)]) -> Response:
    form = forms.parse(PasswordForm, page.sent)
    if form.data is not None:
        try:
            signin.change_password(
                page.work.parts,
                page.work.actor,
                form.data.old,
                form.data.password,
                address_of(page.request),
            )
        except Invalid as error:
            form.reject(error)
        except TooMany as error:
            form.fail("old", error.message)
        else:
            response = page.redirect("/login", done=PASSWORD_SET)
            response.delete_cookie(COOKIE)
            return response
    return page.render("accounts/account.html", _account(page, password=form), status=422)


@router.post("/account/sessions/{sign_in_id}/end")
def end_session(
    sign_in_id: PathId, page: Annotated[Page, opens_page(Action.ACCOUNT_USE, write=True)]
) -> Response:
    signin.sign_out(page.work, PublicId(sign_in_id))
    return page.redirect("/account", done=SESSION_ENDED)


@router.post("/account/sessions/end-others")
def end_other_sessions(
    page: Annotated[Page, opens_page(Action.ACCOUNT_USE, write=True)],
) -> Response:
    signin.sign_out_others(page.work, page.sign_in.public_id if page.sign_in else None)
    return page.redirect("/account", done=OTHERS_ENDED)


@router.post("/account/tokens")
def make_token(page: Annotated[Page, opens_page(Action.ACCOUNT_USE, write=True)]) -> Response:
    form = forms.parse(TokenForm, page.sent)
    if form.data is None:
        return page.again("accounts/account.html", _account(page, token=form))
    actor = page.work.actor
    _, secret = signin.new_token(page.work, actor.person, form.data.name, actor.membership_id)
    return page.render("accounts/account.html", _account(page, secret=secret))


@router.post("/account/tokens/{token_id}/revoke")
def revoke_token(
    token_id: PathId, page: Annotated[Page, opens_page(Action.ACCOUNT_USE, write=True)]
) -> Response:
    signin.revoke_token(page.work, PublicId(token_id))
    return page.redirect("/account", done=TOKEN_REVOKED)


@router.get("/link/{secret}")
def link_page(secret: str, page: Annotated[Page, opens_page(Action.SIGN_IN)]) -> Response:
    asked = signin.link_asks(page.work.session, secret, page.work.now)
    return page.render(
        "accounts/link.html",
        _link(forms.blank(LinkForm), asked),
        status=404 if asked is None else 200,
    )


def _link(form: forms.Form[LinkForm], asked: tuple[Edition, ...] | None) -> dict[str, object]:
    return {"good": asked is not None, "asks": bool(asked), "form": form, "help": PASSWORD_HELP}


@router.post("/link/{secret}")
def use_link(
    secret: str,
    request: Request,
    sent: Sent,
    parts: Annotated[Parts, gives_page_parts(Action.SIGN_IN)],
) -> Response:
    form = forms.parse(LinkForm, sent)
    if form.data is not None:
        try:
            signin.set_password_by_link(parts, secret, form.data.password, agreed=form.data.agreed)
            return _renderer(request).redirect(request, "/login", done=PASSWORD_SET)
        except Invalid as error:
            form.reject(error)
    with parts.database.read() as session:
        asked = signin.link_asks(session, secret, parts.clock.now())
    status = NotFound.status if asked is None else Invalid.status
    return _renderer(request).page(request, "accounts/link.html", _link(form, asked), status=status)
