"""The privacy notice and the terms, by edition, and agreeing to a newer one."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms
from frontend.edge import Page, opens_page
from frontend.render import safe_next
from frontend.workspace import start_of
from market.accounts import consent, signin
from market.accounts.law import NAMES, Document, edition, editions
from market.accounts.policy import Action
from market.kit.errors import Invalid, NotFound
from market.personal import KEPT
from market.retention import keeps, logs

router = APIRouter()

Visited = Annotated[Page, opens_page(Action.BROWSE)]
Version = Annotated[str, Query(max_length=20)]


class ConsentForm(BaseModel):
    agreed: bool = Field(False, title="同意")
    next: str = Field("", max_length=40_000)


@router.get("/privacy")
def privacy(page: Visited, version: Version = "") -> Response:
    return _document(page, Document.PRIVACY, version)


@router.get("/terms")
def terms(page: Visited, version: Version = "") -> Response:
    return _document(page, Document.TERMS, version)


def _document(page: Page, document: Document, version: str) -> Response:
    shown = edition(document, page.work.today, version)
    if shown is None:
        raise NotFound
    return page.render(
        f"law/{document}_{shown.version}.html",
        {
            "name": NAMES[document],
            "edition": shown,
            "others": [one for one in editions(document) if one != shown],
            "address": f"/{document}",
            "retention": [
                *((one.what, one.how_long) for one in keeps(page.work.parts.audit_days)),
                logs(page.work.parts.log_days),
            ],
            "kept": KEPT,
        },
    )


@router.get("/consent")
def ask(page: Annotated[Page, opens_page(Action.SIGN_IN)]) -> Response:
    to = safe_next(page.request.query_params.get("next", ""), "")
    if page.sign_in is None:
        return page.redirect(f"/login?{urlencode({'next': to})}" if to else "/login")
    asked = consent.missing(page.work.session, page.work.actor.person, page.work.now)
    if not asked:
        return page.redirect(to or start_of(page.work.actor))
    return page.render("law/consent.html", _asked(page, forms.blank(ConsentForm, {"next": to})))


def _asked(page: Page, form: forms.Form[ConsentForm]) -> dict[str, object]:
    asked = consent.missing(page.work.session, page.work.actor.person, page.work.now)
    return {"form": form, "asked": asked, "names": NAMES}


@router.post("/consent")
def agree(page: Annotated[Page, opens_page(Action.SIGN_IN, write=True)]) -> Response:
    form = forms.parse(ConsentForm, page.sent)
    if page.sign_in is None:
        return page.redirect("/login")
    if form.data is not None:
        try:
            consent.require(agreed=form.data.agreed)
        except Invalid as error:
            form.reject(error)
        else:
            signin.agree(page.work)
            return page.redirect(safe_next(form.data.next, start_of(page.work.actor)))
    return page.again("law/consent.html", _asked(page, form))
