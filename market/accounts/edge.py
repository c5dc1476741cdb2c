"""How a route opens its transaction and says which action it is.

    work: Annotated[Work, opens(Action.LISTING_EDIT, write=True)]

Every route declares its action this way; infra walks the routes and prints `docs/access.md` from
the declarations, and a route without one fails the build. The transaction commits before the
response is sent (`scope="function"`), or the client would hear of a success that then failed.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from hashlib import file_digest
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from market.accounts import signin
from market.accounts.policy import Action
from market.accounts.work import (
    ANONYMOUS,
    Actor,
    Parts,
    Work,
    record_done,
    record_refusal,
    require_ever,
)
from market.kit import once
from market.kit.db import POOL_SIZE
from market.kit.errors import Invalid, MarketError, NotSignedIn

WRITERS = 16
ONCE_HEADER = "Idempotency-Key"
MAX_ONCE = 200


async def _turn() -> AsyncIterator[None]:
    yield


# A transaction stays open while its request waits for a thread. Were all threads waiting for the
# lock or the connection it holds, none would be left to finish it; so a request waits for its
# turn before that, without a thread. One object each: the whole process shares the limit.
Reading = Annotated[None, Depends(_turn, scope="function", max_concurrency=POOL_SIZE - WRITERS)]
Writing = Annotated[None, Depends(_turn, scope="function", max_concurrency=WRITERS)]


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


def address_of(request: Request) -> str:
    return request.client.host if request.client else "unknown"


class Declared:
    """A dependency that carries the action of its route."""

    def __init__(self, action: Action, *, write: bool) -> None:
        self.action = action
        self.write = write


class OpensWork(Declared):
    """Opens one transaction for an API request, read-only unless `write`."""

    def identify(self, request: Request, work: Work) -> Actor:
        """Return who acts, by `Authorization: Bearer zh_…`. Raises NotSignedIn for a bad token."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if not scheme:
            return ANONYMOUS
        actor = (
            signin.by_token(work.session, token.strip(), work.now)
            if scheme.lower() == "bearer"
            else None
        )
        if actor is None:
            raise NotSignedIn("访问令牌不对、已撤销或已过期")
        return actor

    def __call__(self, request: Request, _turn: Reading) -> Iterator[Work]:
        with self.run(request) as work:
            yield work

    @contextmanager
    def run(self, request: Request) -> Iterator[Work]:
        parts = parts_of(request)
        work: Work | None = None
        try:
            with parts.database.write() if self.write else parts.database.read() as session:
                work = Work(session, parts, ANONYMOUS, parts.clock.now())
                work.actor = self.identify(request, work)
                request.state.actor = work.actor  # the log names its ids
                require_ever(work.actor, self.action)
                yield work
                if self.write:
                    record_done(work, self.action)
        except MarketError as error:
            if work is not None:
                subject = work.subject or request.url.path
                record_refusal(parts, work.actor, self.action, subject, error)
            raise


class WritesWork(OpensWork):
    """Opens one writing transaction; a repeated request is answered as the first was."""

    def __call__(self, request: Request, _turn: Writing) -> Iterator[Work]:
        with self.run(request) as work:
            asked: tuple[str, str] | None = getattr(request.state, "once", None)
            if asked is None:
                yield work
                return
            sender = f"{work.actor.person_id}:{work.actor.organisation_id}"
            sending = once.Sending(once.digest("api", sender, asked[0]), asked[1])
            once.claim(work.session, sending, work.now)
            yield work
            status, body = request.state.answered
            once.keep(work.session, sending, status, body)


class OnceRoute(APIRoute):
    """A route of the API that knows `Idempotency-Key`: its answer is kept with its effect."""

    def get_route_handler(self) -> Callable[[Request], Awaitable[Response]]:  # type: ignore[override]
        plain = super().get_route_handler()

        async def handle(request: Request) -> Response:
            name = request.headers.get(ONCE_HEADER)
            if name is None or request.method == "GET":
                return await plain(request)
            if not (0 < len(name) <= MAX_ONCE and name.isascii() and name.isprintable()):
                problem = f"应为1到{MAX_ONCE}个可见的ASCII字符"
                raise Invalid(fields={ONCE_HEADER: problem})
            try:
                body = await _content(request)
                content = once.digest(request.method, request.url.path, request.url.query, *body)
                request.state.once = (name, content)
                response = await plain(request)
            finally:
                await request.close()
            request.state.answered = (response.status_code, bytes(response.body).decode())
            return response

        return handle


async def _content(request: Request) -> list[str | bytes]:
    """Return what tells a body from another. A form's boundary is new with every sending, so a form
    is known by its fields and files; whoever reads it after us gets the same form again.
    """
    if not request.headers.get("content-type", "").lower().startswith("multipart/"):
        return [await request.body()]
    try:
        form = await request.form()
    except (HTTPException, FormParserError) as error:
        raise Invalid("上传的内容不完整，应为一个完整的表单，请重新发送") from error
    return await run_in_threadpool(_fields, form)


def _fields(form: FormData) -> list[str | bytes]:
    found: list[str | bytes] = []
    for name, value in form.multi_items():
        if isinstance(value, str):
            found += [name, "text", value]
        else:
            # Its type does not say that it has `readinto`.
            content = file_digest(value.file, "sha256")  # type: ignore[arg-type]
            value.file.seek(0)
            found += [name, value.filename or "", content.digest()]
    return found


def api_router(tag: str, prefix: str = "") -> APIRouter:
    """Return the router of a noun; `tag` is a key of `market.api_texts.TAGS`."""
    return APIRouter(tags=[tag], prefix=prefix, route_class=OnceRoute)


class GivesParts(Declared):
    """For routes that open several short transactions themselves (signing in)."""

    def __call__(self, request: Request) -> Parts:
        return parts_of(request)


def opens(action: Action, *, write: bool = False) -> Any:
    kind = WritesWork if write else OpensWork
    return Depends(kind(action, write=write), scope="function")


def gives_parts(action: Action) -> Any:
    return Depends(GivesParts(action, write=True))


def declared_action(dependencies: list[Any]) -> Declared | None:
    """Return the declaration among a route's dependencies, searched through their own."""
    for dependency in dependencies:
        if isinstance(dependency.call, Declared):
            return dependency.call
        if found := declared_action(dependency.dependencies):
            return found
    return None
