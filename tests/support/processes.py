"""One of the programs as a supervisor runs it: its own process, its output kept."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from infra.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SECRET = "s" * 40
PRODUCTION = {
    "ZHIHE_MODE": "production",
    "ZHIHE_SECRET": SECRET,
    "ZHIHE_HOSTS": "127.0.0.1",
    "ZHIHE_SECURE_COOKIES": "0",
    "ZHIHE_OPERATOR": "示范运营单位",
    "ZHIHE_CONTACT_EMAIL": "help@example.com",
}


@dataclass
class Program:
    """A running program; `port` is where it answers, if it is the web process."""

    process: subprocess.Popen[bytes]
    output: Path
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def said(self) -> str:
        return self.output.read_text(encoding="utf-8")

    def stop(self, seconds: float = 30.0) -> int:
        """Ask it to end as a supervisor does and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "not in time"
        time.sleep(0.02)


@contextmanager
def program(settings: Settings, name: str, *, script: str = "", **more: str) -> Iterator[Program]:
    """Run `zhihe NAME`, or a Python script instead, on the data of `settings`; killed at the end
    where it still runs.
    """
    port = free_port()
    environment = {
        **os.environ,
        "ZHIHE_DATA_DIR": str(settings.data_dir),
        "ZHIHE_DATABASE_URL": settings.database_url,
        "ZHIHE_PORT": str(port),
        **more,
    }
    output = settings.data_dir / f"{name}.output"
    with output.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, *(["-c", script] if script else ["-m", "infra.cli", name])],
            cwd=ROOT,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    running = Program(process, output, port)
    try:
        if name == "serve":
            until(lambda: _answers(running) or process.poll() is not None)
            assert process.poll() is None, running.said()
        yield running
    finally:
        process.kill()
        process.wait()


def _answers(running: Program) -> bool:
    try:
        return httpx.get(f"{running.url}/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
