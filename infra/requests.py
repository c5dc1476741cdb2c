"""One number, one line of the log and one measurement for every request.

The number goes out as `X-Request-Id` and stands on the page of a failure, so that a person can
quote it. The line names the route's template, never the address itself, and of the visitor the
internal ids and a keyed hash of the address.
"""

import hashlib
import hmac
import logging
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.logs import fields
from infra.metrics import Metrics
from market.accounts.work import Actor
from market.kit.ids import new_public_id

HEADER = "X-Request-Id"
OTHER = "other"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_GONE = 499  # the visitor went away before the answer began
_ASKED = "zhihe.method"

log = logging.getLogger("zhihe.requests")


def visitor_key(secret: bytes, address: str) -> str:
    """Return what stands for an address in the log: the same for the same address, and only who
    has the deployment's secret can tell of which.
    """
    return hmac.new(secret, b"visitor:" + address.encode(), hashlib.sha256).hexdigest()[:16]


def route_of(scope: Scope) -> str:
    """Return the template of the route that answered, `/listings/{listing_id}`."""
    route = scope.get("route")
    path = getattr(route, "path", None)
    if path is None:
        return OTHER
    root = scope.get("root_path", "")
    return f"{root}{path}" if not path.startswith(root or "\x00") else path


class Requests:
    """ASGI middleware, around all others but the guard of Host headers."""

    def __init__(self, app: ASGIApp, metrics: Metrics, secret: bytes) -> None:
        self._app = app
        self._metrics = metrics
        self._secret = secret

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = new_public_id()
        state = scope.setdefault("state", {})
        state["request_id"] = number
        status = _GONE
        begun = time.perf_counter()

        async def numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[HEADER] = number
            await send(message)

        with structlog.contextvars.bound_contextvars(request=number), self._metrics.running():
            try:
                await self._app(scope, receive, numbered)
            except Exception:
                status = status if status != _GONE else 500
                raise
            finally:
                self._note(scope, status, time.perf_counter() - begun)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        asked = scope.get(_ASKED, scope["method"])
        method = asked if asked in _METHODS else OTHER
        route = route_of(scope)
        self._metrics.request(route, method, status, seconds)
        if not log.isEnabledFor(logging.INFO):
            return
        actor: Actor | None = scope["state"].get("actor")
        client = scope.get("client")
        log.info(
            "request",
            extra=fields(
                route=route,
                method=method,
                status=status,
                ms=round(seconds * 1000, 1),
                person=actor.person_id if actor else None,
                organisation=actor.organisation_id if actor else None,
                role=str(actor.role) if actor else None,
                visitor=visitor_key(self._secret, client[0]) if client else None,
            ),
        )


class HeadAsGet:
    """ASGI middleware: HEAD is answered like GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        # A copy: the server itself goes by the method that was asked.
        asked = {**scope, "method": "GET", _ASKED: "HEAD"}
        await self._app(asked, receive, without_body)
