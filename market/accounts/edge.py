"""How a route opens its transaction and says which action it is.

    work: Annotated[Work, opens(Action.LISTING_EDIT, write=True)]

Every route declares its action this way; infra walks the routes and prints `docs/access.md` from
the declarations, and a route without one fails the build. The transaction commits before the
response is sent (`scope="function"`), or the client would hear of a success that then failed.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import Depends, Request

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
from market.kit.db import POOL_SIZE
from market.kit.errors import MarketError, NotSignedIn

WRITERS = 16


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
    def __call__(self, request: Request, _turn: Writing) -> Iterator[Work]:
        yield from super().__call__(request, _turn)


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
