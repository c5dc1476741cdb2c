"""Web, worker and indexer as children of one process: started, restarted and ended together.

Exit codes: 0 ended on request, 1 the web process does not come up, 3 the address is not to be had.
"""

import contextlib
import errno
import http.client
import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from infra.processes import GO, GRACE, child_environment

log = logging.getLogger("zhihe.launcher")

ENDED, FAILED, ADDRESS_TAKEN = 0, 1, 3
_TICK = 0.05
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0
_STEADY = 60.0
"""Seconds after which a child's earlier failures no longer count."""
_HEAD_START = 10.0
"""Seconds for which the others leave the processors to the web process, until its first answer."""
_TRIES = 4
"""Ends of the web process before its first answer after which it is given up."""


def _default_commands() -> dict[str, Sequence[str]]:
    zhihe = (sys.executable, "-m", "infra.cli")
    return {"web": (*zhihe, "serve"), "worker": (*zhihe, "worker"), "indexer": (*zhihe, "indexer")}


@dataclass(frozen=True, kw_only=True)
class LauncherConfig:
    """Where the web child will listen, what to do first, and what to run.

    `prepare` makes the data ready and returns the lines to print below the address; only after it
    does a child open them. The web child starts beside it and has loaded its code by then.
    `commands` maps a child's name to its program; the one named `web` is waited for at
    `http://host:port` + `probe`, where any HTTP answer will do.
    """

    host: str
    port: int
    prepare: Callable[[], Sequence[str]] = tuple
    commands: Mapping[str, Sequence[str]] = field(default_factory=_default_commands)
    probe: str = "/"
    folder: Path | None = None


def run(config: LauncherConfig) -> int:
    """Serve until SIGINT or SIGTERM; returns the exit code. Call it from the main thread.

    What `prepare` raises goes through, after the children have ended.
    """
    problem = address_problem(config.host, config.port)
    if problem:
        print(problem, file=sys.stderr, flush=True)
        return ADDRESS_TAKEN
    children = {
        name: Child(name, command, folder=config.folder)
        for name, command in config.commands.items()
    }
    try:
        children["web"].tend()
        banner = config.prepare()
        for child in children.values():
            child.let_go()
        with stop_signals() as stop:
            return _watch(children, config, banner, stop)
    except KeyboardInterrupt:
        return ENDED
    finally:
        end(children.values())


def address_problem(host: str, port: int) -> str:
    """Why nothing can listen at this address, for people; empty if something can.

    SO_REUSEADDR as the servers themselves set it, so that the minute after an end is no obstacle.
    """
    other_host = "请用 ZHIHE_HOST 另设，例如 ZHIHE_HOST=127.0.0.1。"
    other_port = f"换一个端口启动，例如 ZHIHE_PORT={8000 if port < 1024 else port % 65535 + 1}。"
    try:
        where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        return f"找不到地址“{host}”。{other_host}"
    family, kind, protocol, _, address = where[0]
    with socket.socket(family, kind, protocol) as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            reason = {
                errno.EADDRINUSE: f"另一个程序正占用这个端口。请先停下那个程序，或{other_port}",
                errno.EACCES: f"没有使用这个端口的权限。请{other_port}",
                errno.EADDRNOTAVAIL: f"这不是本机的地址。{other_host}",
            }.get(error.errno or 0, f"{error.strerror}。请{other_port}")
            return f"不能在 {host}:{port} 提供服务：{reason}"
    return ""


@dataclass
class Stop:
    """A plain flag: threading.Event may deadlock when a signal handler sets what main awaits."""

    asked: bool = False


class Child:
    """One child and its restarts."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path | None = None,
        environment: Callable[[], Mapping[str, str]] = child_environment,
        steady: float = _STEADY,
    ) -> None:
        """`steady`: seconds after which earlier ends no longer count."""
        self.name = name
        self.ends = 0
        self._command = list(command)
        self._folder = folder
        self._environment = environment
        self._steady = steady
        self._resume_at = 0.0
        self._started_at = 0.0
        self._prepared = False
        self.process: subprocess.Popen[bytes] | None = None

    def tend(self) -> None:
        """Start the child if it is due; note its end and set the time of the next start."""
        now = time.monotonic()
        if self.process is None:
            if now >= self._resume_at:
                self._start(now)
            return
        code = self.process.poll()
        if code is None:
            return
        self._forget()
        if now - self._started_at >= self._steady:
            self.ends = 0
        self.ends += 1
        pause = min(_FIRST_PAUSE * 2 ** (self.ends - 1), _LONGEST_PAUSE)
        self._resume_at = now + pause
        log.error("%s 进程已退出（代码 %s），%g 秒后重新启动", self.name, code, pause)

    def let_go(self) -> None:
        """Tell the child, and those that come after it, that the data are ready."""
        self._prepared = True
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.write(GO)
                self.process.stdin.flush()

    def ask_to_end(self) -> None:
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(OSError):
                self.process.stdin.close()

    def make_end(self, deadline: float) -> None:
        """Wait for the end until `deadline` on the monotonic clock, then force it."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._forget()

    def _start(self, now: float) -> None:
        # A session of its own keeps a terminal's Ctrl-C from it: the launcher alone decides.
        self.process = subprocess.Popen(  # noqa: S603
            self._command,
            stdin=subprocess.PIPE,
            cwd=self._folder,
            env=self._environment(),
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._started_at = now
        if self._prepared:
            self.let_go()

    def _forget(self) -> None:
        self.ask_to_end()
        self.process = None


def _watch(
    children: Mapping[str, Child], config: LauncherConfig, banner: Sequence[str], stop: Stop
) -> int:
    """Tend the children until a stop is asked for, announcing the web process's first answer."""
    web = children["web"]
    begun = time.monotonic()
    answered = False
    while not stop.asked:
        alone = not answered and not web.ends and time.monotonic() - begun < _HEAD_START
        for child in [web] if alone else children.values():
            child.tend()
        if not answered and web.process is None:
            problem = address_problem(config.host, config.port)
            if problem:
                print(problem, file=sys.stderr, flush=True)
                return ADDRESS_TAKEN
            if web.ends >= _TRIES:
                print("网页进程没有启动成功，原因见上面的输出。", file=sys.stderr, flush=True)
                return FAILED
        elif not answered and _answers(config):
            answered = True
            print(f"智核已就绪：{_address(config)}", *banner, sep="\n", flush=True)
        time.sleep(_TICK)
    return ENDED


def end(children: Collection[Child]) -> None:
    """End all at once; who is still there a second after the grace period is killed."""
    for child in children:
        child.ask_to_end()
    deadline = time.monotonic() + GRACE + 1.0
    for child in children:
        child.make_end(deadline)


def _answers(config: LauncherConfig) -> bool:
    connection = http.client.HTTPConnection(_reachable(config.host), config.port, timeout=2.0)
    try:
        connection.request("GET", config.probe)
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _reachable(host: str) -> str:
    """A server on all addresses is asked, and shown, on this machine's own."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104


def _address(config: LauncherConfig) -> str:
    host = _reachable(config.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{config.port}"


@contextlib.contextmanager
def stop_signals() -> Iterator[Stop]:
    """SIGINT and SIGTERM ask for the stop; what they did before is put back at the end."""
    stop = Stop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.asked = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
