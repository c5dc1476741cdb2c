"""The web process: the site and the API on one address."""

import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from frontend.app import build_pages
from frontend.headers import SecurityHeaders
from frontend.render import Site
from infra import logs
from infra.limits import BodyLimit, ReadableAddress
from infra.metrics import Metrics
from infra.probes import Probes
from infra.processes import (
    GRACE,
    follow_parent,
    has_parent,
    keep_memory_together,
    wait_until_prepared,
)
from infra.protocol import GuardedProtocol
from infra.pulse import beating
from infra.requests import HeadAsGet, Requests
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_for_people, ways_of
from market.accounts.work import Parts
from market.api import PREFIX, build_api
from search.port import SearchEngine

CONNECTIONS = 800
"""Connections at a time, idle ones included; one more is answered with 503 and closed."""


def create_app(parts: Parts, engine: SearchEngine, settings: Settings) -> FastAPI:
    """Return the whole application: pages, API and static files behind the common guards."""
    api = build_api(parts)
    site = Site(
        demo_mode=settings.demo,
        icp=settings.icp,
        police=settings.police,
        operator=settings.operator,
        email=settings.contact_email,
        phone=settings.contact_phone,
        address=settings.contact_address,
    )
    app = build_pages(parts, site=site, secure_cookies=settings.secure_cookies)
    app.state.api = api
    app.mount(PREFIX, api)
    ways = ways_of(settings)
    for part in (app, api):
        part.state.ways = ways
        part.state.engine = engine
        part.state.match_floor = settings.match_floor
    app.add_middleware(BodyLimit)
    app.add_middleware(ReadableAddress)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.allowed_hosts)
    metrics = Metrics(parts, engine, settings.data_dir)
    app.add_middleware(Requests, metrics=metrics, secret=parts.secret)
    app.add_middleware(HeadAsGet)
    app.add_middleware(Probes, parts=parts, engine=engine, metrics=metrics, settings=settings)
    return app


class Server(uvicorn.Server):
    """A uvicorn server that another thread may stop."""

    def stop(self) -> None:
        self.should_exit = True


def serve(
    settings: Settings, open_engine: Callable[[Settings], SearchEngine] = open_for_people
) -> None:
    """Serve until asked to stop."""
    keep_memory_together()
    logs.configure("web", settings)
    wait_until_prepared()
    patience = min(settings.stop_seconds, GRACE - 1) if has_parent() else settings.stop_seconds
    parts = build_parts(settings)
    engine = open_engine(settings)
    try:
        options = config(create_app(parts, engine, settings), settings)
        options.timeout_graceful_shutdown = int(patience)
        server = Server(options)
        follow_parent(server.stop)
        with beating(parts, "web") as pulse:
            pulse.busy = "serving"
            server.run(sockets=[listen(settings)])
    finally:
        engine.close()
        close_parts(parts)


def config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    options: dict[str, Any] = {
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": settings.stop_seconds,
        "http": GuardedProtocol,
        "ws": "none",
        "limit_concurrency": CONNECTIONS,
        # The address of a visitor is taken from a header only behind a proxy that was named.
        "proxy_headers": bool(settings.trusted_proxies),
        "forwarded_allow_ips": list(settings.trusted_proxies),
    }
    return uvicorn.Config(app, host=settings.host, port=settings.port, **options)


def listen(settings: Settings) -> socket.socket:
    """Return a listening socket; with its protocol named, or answers wait 44 ms for an ACK."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((settings.host, settings.port))
    return listening


def in_thread(app: FastAPI, settings: Settings) -> tuple[Server, threading.Thread, int]:
    """Serve in a thread of this process and return the port: for tests that hold the clock."""
    listening = listen(settings)
    server = Server(config(app, settings))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    port: int = listening.getsockname()[1]
    return server, thread, port
