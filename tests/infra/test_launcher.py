"""Real launchers with small real children: what a terminal, an init system and kill -9 do to them."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

CHILD = """
import os, pathlib, sys, threading, http.server
from infra.processes import follow_parent, wait_until_prepared

name, folder, port, manner = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]

def note(what):
    with (folder / f"{name}.{what}").open("a") as file:
        print(os.getpid(), file=file)

note("started")
if manner == "fails":
    sys.exit(7)
wait_until_prepared()
note("let_go")
stop = threading.Event()
follow_parent((lambda: None) if manner == "deaf" else stop.set)
if name == "web":
    server = http.server.HTTPServer(("127.0.0.1", port), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
note("ready")
stop.wait()
note("ended")
"""

LAUNCHER = """
import pathlib, signal, sys, time
from infra.launcher import LauncherConfig, run

# A shell starts what runs in its background deaf to SIGINT, and these tests with it.
signal.signal(signal.SIGINT, signal.default_int_handler)

folder, port, *manners = sys.argv[1:]
commands = {
    name: [sys.executable, f"{folder}/child.py", name, folder, port, manner]
    for name, manner in (item.split("=") for item in manners)
}

def prepare():
    started, go_on = pathlib.Path(folder, "web.started"), pathlib.Path(folder, "go_on")
    while not (started.exists() and go_on.exists()):
        time.sleep(0.02)
    if go_on.read_text() == "fails":
        raise SystemExit("准备失败")
    print("准备好了", flush=True)
    return ["演示账号：甲", "演示账号：乙"]

config = LauncherConfig(host="127.0.0.1", port=int(port), prepare=prepare, commands=commands)
sys.exit(run(config))
"""


def eventually(holds: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended but was not waited for does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


class Launched:
    """One launcher in a folder where its children leave notes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        (folder / "child.py").write_text(CHILD, encoding="utf-8")
        self.process: subprocess.Popen[bytes] | None = None
        self.prepared()

    def prepared(self, how: str = "well") -> None:
        (self.folder / "go_on").write_text(how)

    def start(self, **manners: str) -> "Launched":
        manners = {"web": "well", "worker": "well", "indexer": "well"} | manners
        roles = [f"{name}={manner}" for name, manner in manners.items()]
        with (self.folder / "out").open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", LAUNCHER, str(self.folder), str(self.port), *roles],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=Path(__file__).parents[2],
                env={**os.environ, "PYTHONPATH": ".", "PYTHONUTF8": "1"},
                start_new_session=True,
            )
        return self

    def said(self) -> str:
        return (self.folder / "out").read_text(encoding="utf-8")

    def noted(self, what: str) -> list[int]:
        path = self.folder / what
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    def children(self) -> list[int]:
        return [
            pid for name in ("web", "worker", "indexer") for pid in self.noted(f"{name}.started")
        ]

    def ready(self) -> "Launched":
        eventually(lambda: "智核已就绪" in self.said())
        eventually(lambda: all(self.noted(f"{n}.ready") for n in ("web", "worker", "indexer")))
        return self

    def send(self, number: int) -> None:
        assert self.process
        self.process.send_signal(number)

    def code(self, seconds: float = 15.0) -> int:
        assert self.process
        return self.process.wait(seconds)


@pytest.fixture
def launched(tmp_path: Path) -> Iterator[Launched]:
    one = Launched(tmp_path)
    yield one
    if one.process is not None:
        one.process.kill()
        one.process.wait()
    for pid in filter(alive, one.children()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def test_says_where_it_is_once_the_web_process_answers(launched: Launched) -> None:
    launched.start().ready()
    address = f"http://127.0.0.1:{launched.port}"
    assert launched.said().splitlines()[-3:] == [
        f"智核已就绪：{address}",
        "演示账号：甲",
        "演示账号：乙",
    ]


def test_children_open_nothing_before_all_is_prepared(launched: Launched) -> None:
    (launched.folder / "go_on").unlink()
    launched.start()
    eventually(lambda: launched.noted("web.started"))
    time.sleep(0.3)
    assert launched.noted("web.let_go") == launched.noted("worker.started") == []
    launched.prepared()
    launched.ready()
    assert launched.said().index("准备好了") < launched.said().index("智核已就绪")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_end_during_the_preparation_ends_the_web_process(
    launched: Launched, number: int
) -> None:
    (launched.folder / "go_on").unlink()
    launched.start()
    eventually(lambda: launched.noted("web.started"))
    launched.send(number)
    assert launched.code() == (0 if number == signal.SIGINT else -number)
    eventually(lambda: not any(map(alive, launched.children())), 3.0)
    assert launched.noted("web.let_go") == []


def test_a_failed_preparation_ends_the_web_process(launched: Launched) -> None:
    launched.prepared("fails")
    launched.start()
    assert launched.code() == 1
    assert "准备失败" in launched.said()
    assert not any(map(alive, launched.children()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_gracefully(launched: Launched, number: int) -> None:
    launched.start().ready()
    launched.send(number)
    assert launched.code() == 0
    for name in ("web", "worker", "indexer"):
        assert launched.noted(f"{name}.ended") == launched.noted(f"{name}.started")


def test_kill_9_of_the_launcher_ends_its_children(launched: Launched) -> None:
    launched.start().ready()
    launched.send(signal.SIGKILL)
    eventually(lambda: not any(map(alive, launched.children())), 3.0)
    assert len(launched.noted("web.ended")) == 1


def test_a_child_that_does_not_stop_is_ended(launched: Launched) -> None:
    launched.start(worker="deaf").ready()
    begun = time.monotonic()
    launched.send(signal.SIGTERM)
    assert launched.code() == 0
    assert 4.0 < time.monotonic() - begun < 8.0
    assert not any(map(alive, launched.children()))
    assert launched.noted("worker.ended") == []


def test_a_child_that_dies_is_started_again(launched: Launched) -> None:
    launched.start().ready()
    os.kill(launched.noted("worker.started")[0], signal.SIGKILL)
    eventually(lambda: len(launched.noted("worker.ready")) == 2)
    assert "worker 进程已退出（代码 -9），0.5 秒后重新启动" in launched.said()
    assert len(launched.noted("web.started")) == 1


def test_pauses_grow_while_a_child_keeps_failing(launched: Launched) -> None:
    launched.start(indexer="fails")
    eventually(lambda: len(launched.noted("indexer.started")) == 3)
    said = launched.said()
    assert "（代码 7），0.5 秒后" in said
    assert "（代码 7），1 秒后" in said
    assert launched.process is not None
    assert launched.process.poll() is None


def test_a_web_process_that_never_comes_is_given_up(launched: Launched) -> None:
    launched.start(web="fails")
    assert launched.code() == 1
    assert len(launched.noted("web.started")) == 4
    assert "网页进程没有启动成功" in launched.said()
    assert not any(map(alive, launched.children()))


def test_a_taken_port_is_said_and_starts_nothing(launched: Launched) -> None:
    with socket.create_server(("127.0.0.1", launched.port)):
        launched.start()
        assert launched.code() == 3
    said = launched.said()
    assert f"127.0.0.1:{launched.port}" in said
    assert f"ZHIHE_PORT={launched.port + 1}" in said
    assert launched.children() == []


def test_a_port_taken_meanwhile_does_not_loop(launched: Launched) -> None:
    launched.start(web="fails")
    eventually(lambda: launched.noted("web.started"))
    with socket.create_server(("127.0.0.1", launched.port)):
        assert launched.code() == 3
    assert "占用这个端口" in launched.said()


def test_a_process_started_by_hand_does_not_watch_its_input(tmp_path: Path) -> None:
    program = (
        "import os, time, threading\n"
        "from infra.processes import follow_parent\n"
        "follow_parent(lambda: os._exit(9))\n"
        "time.sleep(0.5)\n"
        "assert [t.name for t in threading.enumerate()] == ['MainThread']\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
        timeout=20,
        check=False,
    )
    assert done.returncode == 0
