"""Web processes of a market that is measured, and the clock beside their answers."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from urllib.parse import urlencode

from infra.settings import Settings, child_environment
from market.discovery.results import SearchParams

_START = 60.0  # seconds that a web process may take to answer
_PATIENCE = 120.0


class AnswerError(Exception):
    """A page that was measured is no page: what it costs says nothing."""


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of a process of the market in this data folder."""
    return child_environment(data_dir=str(settings.data_dir), port=str(settings.port))


@contextmanager
def running(settings: Settings, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m command` on the market for the block; yield the process."""
    with subprocess.Popen(  # noqa: S603  our own programs
        [sys.executable, "-m", *command], env=environment(settings), stdin=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


@contextmanager
def served(settings: Settings, *command: str) -> Iterator[tuple[Settings, int]]:
    """Run a web process on a free port; yield the settings with that port, and its process's id,
    when it answers. `command`: another module that serves, with its arguments.
    """
    given = replace(settings, port=free_port())
    with running(given, *(command or ("infra.cli", "serve"))) as web:
        _wait(given, web)
        yield given, web.pid


def _wait(settings: Settings, web: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _START
    while True:
        try:
            timed(settings, ["/"])
        except OSError:
            if web.poll() is not None or time.monotonic() > until:
                raise
            time.sleep(0.2)
        else:
            return


def timed(settings: Settings, paths: Sequence[str]) -> list[float]:
    """Return the milliseconds of each page, asked one after another over one connection.

    Raises AnswerError for an answer that is no page, OSError where there is none.
    """
    with closing(HTTPConnection("127.0.0.1", settings.port, timeout=_PATIENCE)) as client:
        return [_timed(client, path) for path in paths]


def _timed(client: HTTPConnection, path: str) -> float:
    begun = time.perf_counter()
    client.request("GET", path)
    answer = client.getresponse()
    answer.read()
    taken = (time.perf_counter() - begun) * 1000
    if answer.status != 200:
        raise AnswerError(f"{path}: {answer.status}")
    return taken


def warmed(settings: Settings, paths: Sequence[str]) -> list[float]:
    """Return the milliseconds of each page once a quarter of them were asked before."""
    timed(settings, paths[: -(-len(paths) // 4)])
    return timed(settings, paths)


def pages_a_second(several: Sequence[Settings], paths: Sequence[str], clients: int) -> float:
    """Return how many pages a second so many clients get at the same time, shared out between the
    web processes given.
    """
    shares = [(several[n % len(several)], paths[n::clients]) for n in range(clients)]
    with ThreadPoolExecutor(clients) as pool:
        begun = time.perf_counter()
        list(pool.map(lambda share: timed(*share), shares))
        return len(paths) / (time.perf_counter() - begun)


def path_of(params: SearchParams) -> str:
    """Return the address of a page of results."""
    query: list[tuple[str, str]] = [("q", params.q), ("kind", params.kind)]
    query += [(name, one) for name, some in params.chosen.items() for one in some]
    query += [("sort", params.sort), ("page", str(params.page))]
    return f"/search?{urlencode(query)}"
