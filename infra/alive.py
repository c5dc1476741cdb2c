"""Whether a process of this machine runs, as a health check asks that stands beside it.

It is asked every few seconds for as long as the container runs: nothing is imported here that needs
the tables or the pages.
"""

import http.client
import socket
from datetime import UTC, datetime

from infra.settings import PREFIX, Settings
from market.operations import repository_alive

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
    try:
        seen_at = repository_alive.newest(settings.database, kind, socket.gethostname())
    except repository_alive.Unasked as error:
        return f"数据库不能读：{error}。请检查{PREFIX}DATABASE_URL或{PREFIX}DATA_DIR"
    if seen_at is None:
        return f"本机没有 {kind} 进程的动静"
    silent = datetime.now(UTC) - seen_at
    if silent < repository_alive.ALIVE:
        return ""
    return f"{kind} 进程已有{silent.total_seconds():.0f}秒没有动静"
