"""The start page of whoever signs in: what waits for them, what was told, what to do next."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from frontend import forms, inbox, notices
from frontend.edge import Page, opens_page
from frontend.inbox import Line
from market.access import mandates
from market.accounts import repository_waiting as accounts
from market.accounts.policy import Action, OrganisationKind, Relation, Role
from market.accounts.work import Work
from market.catalog import views as catalog
from market.catalog.repository import Shelf
from market.catalog.vocabulary import ListingKind
from market.discovery import matches
from market.kit.ids import PublicId
from market.kit.jobs import JobState
from market.kit.wire import PathId
from market.notices import service
from market.notices.repository import Group
from market.notices.service import Part
from market.operations import service as operations
from market.registry import service as registry
from market.registry.states import AT_THE_DESK

router = APIRouter()

READ = notices.done("messages-read", "消息已全部标为已读")

Reading = Annotated[Page, opens_page(Action.ACCOUNT_USE)]
Writing = Annotated[Page, opens_page(Action.ACCOUNT_USE, write=True)]
Number = Annotated[int, Query(alias="page", ge=1, le=10_000)]


class ReadForm(BaseModel):
    until: PathId = Field(title="看到的最新一条")


@dataclass(frozen=True, slots=True)
class Shown:
    """A group of the worklist with its lines."""

    part: Part
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the role's own: how many of what, by its code, and where they are."""

    code: str
    count: int
    href: str


def _shown(part: Part) -> Shown:
    theirs = part.group is Group.OTHERS
    return Shown(part, tuple(inbox.line(row, theirs=theirs) for row in part.rows))


@router.get("/work")
def worklist(page: Reading, group: Group | None = None, number: Number = 1) -> Response:
    work = page.work
    if group is not None:
        part = service.part(work, group, number)
        return page.render(
            "work/group.html",
            {"shown": _shown(part), "page": number},
        )
    groups = {name: _shown(part) for name, part in service.worklist(work).items()}
    return page.render(
        "work/work.html",
        {
            "groups": groups,
            "mine": sum(groups[one].part.total for one in Group if one is not Group.OTHERS),
            "figures": _figures(work),
            "begin": _begin(work),
            "today": work.today,
            "auditor": work.actor.role is Role.AUDITOR,
        },
    )


def _figures(work: Work) -> list[Figure]:
    """Return what the role looks after, beside what waits."""
    actor = work.actor
    if actor.role is Role.OFFICER:
        return _of_bureau(work)
    if actor.role is Role.OPERATOR:
        loads = operations.overview(work).jobs
        failed = sum(one.count for one in loads if one.state == JobState.FAILED)
        return [Figure("failed", failed, "/operations")]
    if actor.kind is OrganisationKind.AGENCY:
        return _of_agency(work)
    if actor.organisation_id is None or not work.may(Action.LISTING_VIEW_OWN):
        return []
    return _of_holder(work)


def _of_bureau(work: Work) -> list[Figure]:
    return [
        Figure(
            "registrations",
            sum(registry.counts(work).get(state, 0) for state in AT_THE_DESK),
            "/desk/registrations",
        ),
        Figure("reviews", catalog.reviews_waiting(work.session), "/desk/reviews"),
        Figure("pending", accounts.pending_count(work.session), "/desk/organisations"),
    ]


def _of_agency(work: Work) -> list[Figure]:
    served = mandates.served(work)
    principals = {*served.sellers, *served.buyers}
    return [
        Figure("principals", len(principals), "/mandates"),
        *_matched(work),
    ]


def _of_holder(work: Work) -> list[Figure]:
    counts = catalog.own_counts(work)

    def shelf(kind: ListingKind, on: Shelf) -> Figure:
        href = f"/my/listings?kind={kind}&shelf={on}"
        return Figure(f"{kind}-{on}", counts.get((kind, on), 0), href)

    return [
        *(shelf(kind, on) for on in (Shelf.PUBLISHED, Shelf.DRAFT) for kind in ListingKind),
        *_matched(work),
    ]


def _matched(work: Work) -> list[Figure]:
    return [
        Figure(
            "matched-demand",
            matches.waiting_count(work, ListingKind.DEMAND),
            "/matches?side=demand",
        ),
        Figure(
            "matched-achievement",
            matches.waiting_count(work, ListingKind.ACHIEVEMENT),
            "/matches?side=achievement",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Begin:
    """The way of a newcomer: each step's code and state, and the code of the one that is next."""

    steps: tuple[tuple[str, str], ...]
    next: str


def _begin(work: Work) -> Begin | None:
    """Return the steps of who has not gone all of them; None for everyone else."""
    actor = work.actor
    if actor.role is Role.PERSON:
        return Begin((("found", "now"), ("verify", "todo"), ("offer", "todo")), "found")
    if actor.role not in (Role.VIEWER, Role.EDITOR, Role.MANAGER):
        return None
    last, done = _offer(work)
    if not actor.verified:
        return Begin((("found", "done"), ("verify", "now"), (last, "todo")), "verify")
    if done:
        return None
    return Begin((("found", "done"), ("verify", "done"), (last, "now")), last)


def _offer(work: Work) -> tuple[str, bool]:
    """Return the code of the last step, and whether it was taken."""
    if work.actor.kind is OrganisationKind.AGENCY:
        return "mandate", mandates.any_of_actor(work)
    code = "demand" if work.actor.kind is OrganisationKind.COMPANY else "achievement"
    if not work.may(Action.LISTING_EDIT, Relation.OWN):
        code = "look"
    return code, any(catalog.own_counts(work).values())


@router.get("/messages")
def messages(page: Reading, number: Number = 1) -> Response:
    found = service.messages(page.work, number)
    counts = service.counts(page.work.session, page.work.actor, page.work.now)
    return page.render(
        "work/messages.html",
        {"found": found, "page": number, "unread": counts.unread},
    )


@router.get("/notices/{notice_id}")
def follow(notice_id: PathId, page: Reading) -> Response:
    """Lead to what a message is about; that it was read is noted."""
    return page.redirect(inbox.href(service.opened(page.work, PublicId(notice_id))))


@router.post("/messages/read")
def read_all(page: Writing) -> Response:
    form = forms.parse(ReadForm, page.sent)
    if form.data is not None:
        service.mark_all_read(page.work, PublicId(form.data.until))
    return page.redirect("/messages", done=READ)


@router.post("/messages/{notice_id}/read")
def read_one(notice_id: PathId, page: Writing) -> Response:
    service.mark_read(page.work, PublicId(notice_id))
    return page.redirect("/messages")
