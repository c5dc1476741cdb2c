"""What supervisors and Prometheus ask: does the process live, can it serve, how much is there.

    /health    200 as long as the process answers; touches nothing else
    /ready     200 where the database answers in time and has the present schema, 503 otherwise;
               an index that cannot be read is told, and does not make the process unready: pages
               that do not search are served without it
    /metrics   for the holder of ZHIHE_METRICS_TOKEN; without one in demo mode for this machine,
               in production for nobody (404)

They stand in front of the guard of Host headers: a supervisor asks by an address of its own.
"""

import hmac
import logging
from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.metrics import CONTENT_TYPE, Metrics
from infra.schema import at_head
from infra.settings import Settings
from market.accounts.work import Parts
from search.errors import SearchError
from search.port import SearchEngine

PATIENCE = 3.0
"""Seconds for the whole answer of /ready."""
_LOOPBACK = frozenset({"127.0.0.1", "::1"})
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")

_Found = TypeVar("_Found")

log = logging.getLogger("zhihe.probes")


class Probes:
    """ASGI middleware, the outermost; GET and HEAD of these three paths go no further."""

    def __init__(
        self, app: ASGIApp, parts: Parts, engine: SearchEngine, metrics: Metrics, settings: Settings
    ) -> None:
        self._app = app
        self._parts = parts
        self._engine = engine
        self._metrics = metrics
        self._settings = settings
        self._limiter: CapacityLimiter | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        probes = {"/health": self._health, "/ready": self._ready, "/metrics": self._scrape}
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD"):
            probe = probes.get(scope["path"])
            if probe is not None:
                response = await probe(Request(scope))
                response.headers["Cache-Control"] = "no-store"
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _ready(self, _request: Request) -> Response:
        found = await self._in_time(self._parts_of_ready)
        if found is None:
            return JSONResponse({"status": "unready", "database": "no answer"}, status_code=503)
        ready = found["database"] == "ok" and found["schema"] == "ok"
        told = "ok" if ready and found["index"] == "ok" else "degraded" if ready else "unready"
        return JSONResponse({"status": told, **found}, status_code=200 if ready else 503)

    def _parts_of_ready(self) -> dict[str, str]:
        found = {"database": "ok", "schema": "ok", "index": "ok"}
        try:
            if not at_head(self._parts.database):
                found["schema"] = "not at head"
        except SQLAlchemyError:
            log.exception("not ready: the database does not answer")
            found["database"] = "down"
        try:
            self._engine.count()
        except SearchError:
            found["index"] = "down"
        return found

    async def _scrape(self, request: Request) -> Response:
        if not self._may_scrape(request):
            return PlainTextResponse("Not Found", status_code=404)
        text = await self._in_time(self._metrics.text)
        if text is None:
            return PlainTextResponse("no answer in time", status_code=503)
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    def _may_scrape(self, request: Request) -> bool:
        token = self._settings.metrics_token
        if token:
            given = request.headers.get("authorization", "").removeprefix("Bearer ")
            return hmac.compare_digest(given.encode(), token.encode())
        # Behind a proxy on this machine every visitor comes from loopback.
        forwarded = any(name in request.headers for name in _FORWARDED)
        here = request.client is not None and request.client.host in _LOOPBACK
        return self._settings.demo and here and not forwarded

    async def _in_time(self, ask: Callable[[], _Found]) -> _Found | None:
        """Ask in a thread; None after PATIENCE. Two may be stuck at a time, no more threads."""
        if self._limiter is None:
            self._limiter = CapacityLimiter(2)
        with anyio.move_on_after(PATIENCE):
            return await to_thread.run_sync(ask, abandon_on_cancel=True, limiter=self._limiter)
        return None
