"""Introductions (引荐): proposed by a broker, decided by each side."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, notices
from frontend.edge import Page, opens_page
from market.access import service as access
from market.accounts.policy import Action, OrganisationKind, Relation
from market.catalog import views as catalog
from market.deals import introductions
from market.deals.schemas import (
    MESSAGE_LENGTH,
    IntroductionDecisionIn,
    IntroductionIn,
    Message,
)
from market.deals.vocabulary import PAGE
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import PublicId
from market.kit.wire import Optional500, PathId, Short

router = APIRouter()

PICKED = ("achievement", "demand")
STEP = "step"
"""The buttons that search and pick: they send the form along and introduce nothing."""

PROPOSED = notices.done("introduced", "引荐已发出", "双方都接受后开始洽谈。")
ACCEPTED = notices.done("introduction-accepted", "已接受引荐", "另一方也接受后开始洽谈。")
OPENED = notices.done("introduction-opened", "双方接受引荐", "洽谈已经开始。")
DECLINED = notices.done("introduction-declined", "未接受引荐")


class IntroduceForm(BaseModel):
    achievement: Short = Field(title="成果编号")
    demand: Short = Field(title="需求编号")
    message: Message = Field(title="引荐理由")


class DecisionForm(BaseModel):
    decision: Literal["accept", "decline"] = Field(title="决定")
    reason: Optional500 = Field("", title="原因")


@router.get("/introductions")
def list_introductions(
    page: Annotated[Page, opens_page(Action.INTRODUCTION_VIEW)],
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    total, rows = introductions.introductions_of_actor(page.work, number)
    return page.render(
        "deals/introductions.html",
        {
            "rows": rows,
            "total": total,
            "page": number,
            "pages": catalog.pages(total, PAGE),
            "may_propose": page.work.may(Action.INTRODUCTION_PROPOSE, Relation.MANDATED),
            "broker": page.work.actor.kind is OrganisationKind.AGENCY,
        },
    )


def _new(page: Page, form: forms.Form[IntroduceForm], words: str) -> dict[str, object]:
    words = words.strip()[:60]
    return {
        "form": form,
        "q": words,
        "choices": introductions.choices(page.work, words),
        "limit": MESSAGE_LENGTH,
    }


@router.get("/introductions/new")
def new(page: Annotated[Page, opens_page(Action.INTRODUCTION_PROPOSE)]) -> Response:
    asked = forms.query(page.request)
    typed = {name: asked.first(name)[:60] for name in PICKED}
    form = forms.blank(IntroduceForm, typed)
    return page.render("deals/introduction_new.html", _new(page, form, asked.first("q")))


@router.post("/introductions/new")
def propose(page: Annotated[Page, opens_page(Action.INTRODUCTION_PROPOSE, write=True)]) -> Response:
    words = page.sent.first("q")
    if STEP in page.sent.fields:
        return _go_on(page, page.sent.first(STEP), words)
    form = forms.parse(IntroduceForm, page.sent)
    if form.data is not None:
        try:
            body = IntroductionIn(
                achievement=_listing(page, "achievement", form.data.achievement),
                demand=_listing(page, "demand", form.data.demand),
                message=form.data.message,
            )
            row = introductions.propose(page.work, body)
            return page.redirect(f"/introductions/{row.public_id}", done=PROPOSED)
        except Invalid as error:
            form.reject(error)
        except Conflict as error:
            form.fail("", error.message)
    return page.again("deals/introduction_new.html", _new(page, form, words))


def _go_on(page: Page, step: str, words: str) -> Response:
    """Show the form with what was typed, after a search or a pick (`achievement:A-2026-00412`)."""
    picked, _, number = step.partition(":")
    typed = {**page.sent.fields, **({picked: [number[:60]]} if picked in PICKED else {})}
    form = forms.Form(IntroduceForm, typed)
    page.work.abandon()  # nothing was done: the same may be sent again
    return page.render("deals/introduction_new.html", _new(page, form, words))


def _listing(page: Page, name: str, typed: str) -> PublicId:
    """Return the id of a listing named by its number. Raises Invalid at its field."""
    row = access.find_by_number(page.work, typed)
    if row is None:
        raise Invalid(fields={name: f"没有编号为“{typed[:20]}”的公开信息，请核对，如A-2026-00412"})
    return row.public_id


def _one(page: Page, introduction_id: str, **more: object) -> dict[str, object]:
    return {
        "view": introductions.introduction(page.work, PublicId(introduction_id)),
        "form": forms.blank(DecisionForm),
        "problem": "",
        **more,
    }


@router.get("/introductions/{introduction_id}")
def show(
    introduction_id: PathId, page: Annotated[Page, opens_page(Action.INTRODUCTION_VIEW)]
) -> Response:
    return page.render("deals/introduction.html", _one(page, introduction_id))


@router.post("/introductions/{introduction_id}/decision")
def decide(
    introduction_id: PathId,
    page: Annotated[Page, opens_page(Action.INTRODUCTION_DECIDE, write=True)],
) -> Response:
    form = forms.parse(DecisionForm, page.sent)
    if form.data is None:
        raise NotFound
    body = IntroductionDecisionIn(**form.data.model_dump())
    try:
        row = introductions.decide(page.work, PublicId(introduction_id), body)
    except Conflict as error:
        page.work.abandon()
        context = _one(page, introduction_id, problem=error.message)
        return page.render("deals/introduction.html", context, status=error.status)
    if row.deal_id is not None:
        done = OPENED
    else:
        done = ACCEPTED if body.decision == "accept" else DECLINED
    return page.redirect(f"/introductions/{introduction_id}", done=done)
