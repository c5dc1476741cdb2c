"""Whether a process of this machine runs, as a health check asks that stands beside it."""

import http.client
import socket

from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.operations import repository
from market.operations.service import ALIVE

_SECONDS = 5.0
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104


def problem(settings: Settings, kind: str) -> str:
    """Return what is wrong with the process of this kind on this machine, "" for nothing.

    The web process is asked by its port; the others have none, their sign of life is read.
    """
    return _of_web(settings) if kind == "web" else _of_silent(settings, kind)


def _of_web(settings: Settings) -> str:
    host = _ANYWHERE.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, settings.port, timeout=_SECONDS)
    try:
        connection.request("GET", "/health")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return f"{host}:{settings.port} 没有应答"
    finally:
        connection.close()
    return "" if status == http.HTTPStatus.OK else f"/health 答 {status}"


def _of_silent(settings: Settings, kind: str) -> str:
    parts = build_parts(settings)
    try:
        with parts.database.read() as session:
            here = [
                one.seen_at
                for one in repository.seen(session)
                if one.kind == kind and one.place.startswith(f"{socket.gethostname()}:")
            ]
    finally:
        close_parts(parts)
    if not here:
        return f"本机没有 {kind} 进程的动静"
    silent = parts.clock.now() - max(here)
    return "" if silent < ALIVE else f"{kind} 进程已有{silent.total_seconds():.0f}秒没有动静"
