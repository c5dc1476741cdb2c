"""run.py as people and init systems call it, in copies of the project: never on this checkout."""

import contextlib
import csv
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.infra.test_launcher import alive, eventually

ROOT = Path(__file__).resolve().parents[2]
BASE_PYTHON = str(getattr(sys, "_base_executable", sys.executable))


def environment(**more: str) -> dict[str, str]:
    """Ours without this test run's own settings, and without Node on the path."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ZHIHE_", "PYTEST_"))}
    return {**kept, "PATH": "/usr/sbin:/sbin", "PYTHONUTF8": "1", **more}


def run(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BASE_PYTHON, "run.py", *arguments],
        cwd=folder,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's files in a fresh folder, whose name has a space and 汉字."""
    folder = tmp_path / "智核 market"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def test_help_names_the_commands() -> None:
    done = run(ROOT, "--help")
    assert done.returncode == 0
    assert "python3 run.py test [--full]" in done.stdout


def test_an_unknown_command_is_named() -> None:
    done = run(ROOT, "tset")
    assert done.returncode == 2
    assert "没有“tset”这个命令" in done.stderr


def test_an_older_python_is_told_what_is_needed() -> None:
    pretend = (
        "import runpy, sys; sys.version_info = (3, 10, 4, 'final', 0);"
        "runpy.run_path('run.py', run_name='__main__')"
    )
    done = subprocess.run(
        [BASE_PYTHON, "-c", pretend], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "智核需要 Python 3.11 或更新的版本，现在是 3.10。" in done.stderr


def test_without_a_registry_it_says_what_failed_and_keeps_the_mark(copy: Path) -> None:
    cut_off = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "", "UV_OFFLINE": "1", "UV_NO_INDEX": "1"}
    done = run(copy, "setup", **cut_off, UV_CACHE_DIR=str(copy / "cache"))
    assert done.returncode == 1
    assert done.stdout.startswith("安装 Python 包……")
    assert "安装 Python 包没有完成。检查网络" in done.stderr
    assert "Traceback" not in done.stderr
    assert (copy / ".venv.building").exists()


def missing_files(folder: Path) -> list[str]:
    """Files that installed packages list and that are not there; compiled ones come later."""
    missing = []
    for record in (folder / ".venv").glob("lib/python3*/site-packages/*.dist-info/RECORD"):
        with record.open(encoding="utf-8", newline="") as rows:
            names = [row[0] for row in csv.reader(rows)]
        site = record.parents[1]
        missing += [n for n in names if not n.endswith(".pyc") and not (site / n).exists()]
    return missing


@pytest.mark.full
def test_cold_warm_and_moved(copy: Path, verified: Callable[..., None]) -> None:
    begun = time.monotonic()
    cold = run(copy, "setup")
    cold_seconds = time.monotonic() - begun
    assert cold.returncode == 0, cold.stderr
    assert [line.split("……")[0] for line in cold.stdout.splitlines()] == [
        "安装 Python 包",
        "安装前端包",
        "编译样式和脚本",
    ]
    assert missing_files(copy) == []

    begun = time.monotonic()
    warm = run(copy, "setup")
    warm_seconds = time.monotonic() - begun
    assert (warm.returncode, warm.stdout) == (0, "")
    assert cold_seconds < 120
    assert warm_seconds < 2

    moved = copy.rename(copy.with_name("moved"))
    again = run(moved, "setup")
    assert again.returncode == 0, again.stderr
    assert "安装 Python 包" in again.stdout
    assert "安装前端包" not in again.stdout
    where = "import infra; print(infra.__file__)"
    python = str(moved / ".venv" / "bin" / "python")
    told = subprocess.run(
        [python, "-c", where], cwd="/", capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == str(moved / "infra" / "__init__.py")
    verified(
        "从零准备环境，再次准备，移动文件夹后准备",
        how_many="各 1 次",
        result=f"{cold_seconds:.1f} 秒，{warm_seconds:.2f} 秒，重建后可用",
    )


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_set_up_is_taken_up_again(copy: Path, number: int) -> None:
    first = subprocess.Popen(
        [BASE_PYTHON, "run.py", "setup"],
        cwd=copy,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    packages = copy / ".venv" / "lib"
    eventually(lambda: sum(1 for _ in packages.glob("python3*/site-packages/*")) > 20, 120)
    first.send_signal(number)
    said = first.communicate(timeout=30)[1].decode()
    assert first.returncode == (130 if number != signal.SIGKILL else -signal.SIGKILL)
    assert ("已中断" in said) == (number != signal.SIGKILL)
    assert (copy / ".venv.building").exists()
    second = run(copy, "setup")
    assert second.returncode == 0, second.stderr
    assert missing_files(copy) == []
    assert not (copy / ".venv.building").exists()


@pytest.mark.full
def test_two_starts_at_once_do_not_build_over_each_other(copy: Path) -> None:
    both = [
        subprocess.Popen(
            [BASE_PYTHON, "run.py", "setup"],
            cwd=copy,
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = sorted(process.communicate(timeout=300)[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert [text.count("安装 Python 包") for text in said] in ([0, 1], [1, 0])
    assert missing_files(copy) == []


class Served:
    """A market started by one command, with its data in a folder of its own."""

    def __init__(self, command: list[str], folder: Path, data: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.address = f"http://127.0.0.1:{free.getsockname()[1]}"
        port = self.address.rsplit(":", 1)[1]
        self.begun = time.monotonic()
        self._out = data.with_suffix(".out")
        with self._out.open("wb") as out:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(ZHIHE_DATA_DIR=str(data), ZHIHE_PORT=port),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self._out.read_text(encoding="utf-8")

    def answered(self, within: float) -> float:
        """Seconds from the command to the first page."""
        eventually(self._answers, within)
        return time.monotonic() - self.begun

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.said()
        try:
            with urllib.request.urlopen(self.address, timeout=10) as answer:
                return answer.status == 200 and "智核".encode() in answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error
        except OSError:
            return False

    def family(self) -> list[psutil.Process]:
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def end(self) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            left = [psutil.Process(self.process.pid), *self.family()]
            for process in left:
                process.kill()
        self.process.wait(10)


@contextlib.contextmanager
def served(command: list[str], folder: Path, data: Path) -> Iterator[Served]:
    market = Served(command, folder, data)
    try:
        yield market
    finally:
        market.end()


def test_up_serves_a_demonstration_market_and_ends_with_its_launcher(tmp_path: Path) -> None:
    up = [sys.executable, "-m", "infra.cli", "up"]
    data = tmp_path / "data"
    with served(up, ROOT, data) as market:
        market.answered(120)
        eventually(lambda: "智核已就绪" in market.said(), 10)
        assert market.address in market.said()
        eventually(lambda: len(market.family()) >= 3, 10)
        children = market.family()
        market.process.send_signal(signal.SIGTERM)
        assert market.process.wait(15) == 0
        left = psutil.wait_procs(children, timeout=5)[1]
        assert [one for one in left if alive(one.pid)] == []
    with served(up, ROOT, data) as market:
        market.answered(30)
        children = market.family()
        market.process.kill()
        left = psutil.wait_procs(children, timeout=7)[1]
        assert [one for one in left if alive(one.pid)] == []


@pytest.mark.full
def test_one_command_from_nothing_to_an_answer(copy: Path, verified: Callable[..., None]) -> None:
    command = [BASE_PYTHON, "run.py"]
    with served(command, copy, copy / "data") as market:
        cold = market.answered(180)
        eventually(lambda: "智核已就绪" in market.said(), 10)
        market.process.send_signal(signal.SIGINT)
        assert market.process.wait(15) == 0
    with served(command, copy, copy / "data") as market:
        warm = market.answered(6)
    verified(
        "从新的副本到第一个页面，不用已装的 Node；再次启动",
        how_many="各 1 次",
        result=f"{cold:.1f} 秒（限 180 秒），{warm:.1f} 秒（限 6 秒）",
    )
