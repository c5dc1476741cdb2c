"""How a page opens its transaction, says which action it is, and answers.

    @router.post("/listings/{listing_id}/submit")
    def submit(
        listing_id: PathId,
        page: Annotated[Page, opens_page(Action.LISTING_SUBMIT, write=True)],
    ) -> Response:
        …service…(page.work, …)
        return page.redirect(f"/my/listings/{listing_id}", done=SUBMITTED)

The session cookie says who acts; every unsafe request must come from our own page and carry the
session's token. A form that is shown again undoes its transaction first.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from frontend import csrf, forms
from frontend.render import Context, Renderer, wants_fragment, with_done
from market.accounts import repository, signin
from market.accounts.edge import GivesParts, OpensWork, Reading, Writing, parts_of
from market.accounts.models import Membership, MembershipState, Organisation, SignIn
from market.accounts.policy import Action
from market.accounts.work import ANONYMOUS, Actor, Parts, Work
from market.kit import once
from market.kit.errors import NotAgreed
from market.notices import service as inbox
from market.notices.service import Counts

COOKIE = "zhihe_session"
ONCE = "once"
SEE_OTHER = 303
UNPROCESSABLE = 422
# What one may do before agreeing to newer terms: read, leave, and take or delete one's data.
UNASKED = frozenset({Action.BROWSE, Action.SIGN_IN, Action.DATA_OWN})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, for the frame around a page; detached from any transaction."""

    actor: Actor
    sign_in: SignIn
    organisations: tuple[tuple[Membership, Organisation], ...]
    counts: Counts


@dataclass(slots=True)
class Page:
    """One request for a page: its transaction, what was sent, and how to answer."""

    request: Request
    work: Work
    sent: forms.Submission
    sign_in: SignIn | None
    went: str = ""

    @property
    def renderer(self) -> Renderer:
        renderer: Renderer = self.request.app.state.renderer
        return renderer

    def render(
        self,
        template: str,
        context: Context | None = None,
        *,
        status: int = 200,
        block: str | None = None,
    ) -> Response:
        return self.renderer.page(self.request, template, context, status=status, block=block)

    def again(self, template: str, context: Context, *, block: str | None = None) -> Response:
        """Undo the transaction and show the form again with its messages, as 422."""
        self.work.abandon()
        return self.render(template, context, status=UNPROCESSABLE, block=block)

    def redirect(self, url: str, *, done: str | None = None) -> Response:
        """Send the browser on; the same form sent once more is sent there as well."""
        self.went = with_done(url, done)
        return self.renderer.redirect(self.request, self.went)


Sent = forms.Sent


class OpensPage(OpensWork):
    """Opens one transaction for a page request, read-only unless `write`."""

    def identify(self, request: Request, work: Work) -> Actor:
        identity = signin.by_session(work.session, request.cookies.get(COOKIE, ""), work.now)
        request.state.seen = None
        if identity.sign_in is not None:
            signin.note_seen(work.parts, identity.sign_in, work.now)
            # Before the policy speaks: the page of a refusal has the frame of who was refused.
            active = _active_memberships(work, identity.actor)
            counts = inbox.counts(work.session, identity.actor, work.now)
            request.state.seen = Visitor(identity.actor, identity.sign_in, active, counts)
            work.session.expunge_all()  # the frame is drawn after a rollback as well
            if identity.sign_in.must_agree and self.action not in UNASKED:
                raise NotAgreed
        return identity.actor

    def __call__(  # type: ignore[override]
        self, request: Request, sent: Sent, _turn: Reading
    ) -> Iterator[Page]:
        with self.page(request, sent) as page:
            yield page

    @contextmanager
    def page(self, request: Request, sent: forms.Submission) -> Iterator[Page]:
        with self.run(request) as work:
            seen: Visitor | None = request.state.seen
            sign_in = seen.sign_in if seen else None
            csrf.check(request, sent=sent.first("csrf"), expected=sign_in.csrf if sign_in else None)
            yield Page(request, work, sent, sign_in)


def recognise(request: Request) -> None:
    """Note who is signed in, for the frame of an answer that no route made (unknown address)."""
    if hasattr(request.state, "seen") or COOKIE not in request.cookies:
        return
    parts = parts_of(request)
    with suppress(SQLAlchemyError), parts.database.read() as session:
        work = Work(session, parts, ANONYMOUS, parts.clock.now())
        OpensPage(Action.BROWSE, write=False).identify(request, work)


class WritesPage(OpensPage):
    """Opens one writing transaction; a form sent twice takes effect once.

    Each form carries a token of its own (`forms.csrf`). A sending is the same only with the same
    content: who goes back, changes something and sends again means it.
    """

    def __call__(  # type: ignore[override]
        self, request: Request, sent: Sent, _turn: Writing
    ) -> Iterator[Page]:
        with self.page(request, sent) as page:
            token = sent.first(ONCE)
            if not token or page.sign_in is None:
                yield page
                return
            name = once.digest("page", str(page.sign_in.id), request.url.path, *sent.content())
            sending = once.Sending(name, name)
            once.claim(page.work.session, sending, page.work.now)
            yield page
            if page.went:
                once.keep(page.work.session, sending, SEE_OTHER, page.went)
            elif wants_fragment(request):  # the page stays, and may mean the same again
                once.release(page.work.session, sending)


def _active_memberships(work: Work, actor: Actor) -> tuple[tuple[Membership, Organisation], ...]:
    rows = repository.memberships_of_person(work.session, actor.person)
    return tuple(row for row in rows if row[0].state == MembershipState.ACTIVE)


class GivesPagesParts(GivesParts):
    """For pages that open several short transactions themselves (signing in)."""

    def __call__(self, request: Request, sent: Sent) -> Parts:  # type: ignore[override]
        csrf.check(request, sent=sent.first("csrf"), expected=None)
        return parts_of(request)


def opens_page(action: Action, *, write: bool = False) -> Any:
    kind = WritesPage if write else OpensPage
    return Depends(kind(action, write=write), scope="function")


def gives_page_parts(action: Action) -> Any:
    return Depends(GivesPagesParts(action, write=True))
