"""The web process: the site and the API on one address."""

import logging
import socket
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from frontend.app import build_pages
from frontend.headers import SecurityHeaders
from frontend.render import Site
from infra.limits import BodyLimit, ReadableAddress
from infra.processes import follow_parent, wait_until_prepared
from infra.settings import Settings
from infra.wiring import build_parts, close_parts, open_reader
from market.accounts.work import Parts
from market.api import PREFIX, build_api
from search.port import SearchEngine

GRACEFUL_SECONDS = 4


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
    for part in (app, api):
        part.state.engine = engine
        part.state.match_floor = settings.match_floor
    app.add_middleware(BodyLimit)
    app.add_middleware(ReadableAddress)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.allowed_hosts)
    return app


class Server(uvicorn.Server):
    """A uvicorn server that another thread may stop."""

    def stop(self) -> None:
        self.should_exit = True


def serve(settings: Settings) -> None:
    """Serve until asked to stop."""
    wait_until_prepared()
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    parts = build_parts(settings)
    engine = open_reader(settings)
    try:
        server = Server(config(create_app(parts, engine, settings), settings))
        follow_parent(server.stop)
        server.run(sockets=[listen(settings)])
    finally:
        engine.close()
        close_parts(parts)


def config(app: FastAPI, settings: Settings) -> uvicorn.Config:
    options: dict[str, Any] = {
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": GRACEFUL_SECONDS,
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
