"""The market as processes on one machine: started by its command line, killed, started again.

The processes are forked from a server that has the code loaded, so that a start takes a moment and
a test can afford hundreds; they are processes of their own with a command line's whole course.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx
import pytest

from infra.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = {"web": "serve", "worker": "worker", "indexer": "indexer"}

# A line of JSON in: start; the process's id out. The end of the input ends all that still run.
_NURSERY = """
import json, os, signal, sys
import infra.cli, infra.indexer, infra.web, infra.worker

def run(asked):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.update(asked["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    infra.cli.main([asked["program"]], prog_name="zhihe")

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
print("ready", flush=True)
started = []
for line in sys.stdin:
    started.append(os.fork())
    if not started[-1]:
        run(json.loads(line))
        os._exit(0)
    print(started[-1], flush=True)
for one in started:
    try:
        os.kill(one, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


class Nursery:
    """Forks processes that have the code loaded already."""

    def __init__(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("ZHIHE_")}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _NURSERY],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._line() == "ready"

    def start(self, program: str, environment: dict[str, str], log: Path) -> int:
        assert self._process.stdin is not None
        asked = {"program": program, "environment": environment, "log": str(log)}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return int(self._line())

    def close(self) -> None:
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    opened = Nursery()
    yield opened
    opened.close()


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not in {seconds} s: {what}"
        time.sleep(0.02)


@dataclass
class Machine:
    """Web, worker and indexer over one data folder. Use as a context; what still runs is killed."""

    nursery: Nursery
    settings: Settings
    port: int = field(default_factory=free_port)
    pids: dict[str, int] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.settings.data_dir.parent / f"{self.settings.data_dir.name}.log"

    def start(self, *names: str) -> None:
        environment = {
            "ZHIHE_DATA_DIR": str(self.settings.data_dir),
            "ZHIHE_DATABASE_URL": self.settings.database,
            "ZHIHE_PORT": str(self.port),
        }
        for name in names or PROGRAMS:
            self.pids[name] = self.nursery.start(PROGRAMS[name], environment, self.log)

    def kill(self, names: Collection[str]) -> None:
        """kill -9, all at the same moment; return when they are gone."""
        for name in names:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pids[name], signal.SIGKILL)
        for name in names:
            until(lambda name=name: not alive(self.pids[name]), 30, f"end of {name}")

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/login", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def wait(self) -> None:
        until(self.answers, 60, f"{self.url}, see {self.log}")

    def told(self) -> str:
        """Return the end of what the processes wrote."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def __enter__(self) -> Self:
        self.start()
        self.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill(list(self.pids))
        if sys.exc_info()[0] is not None:
            print(self.told())
