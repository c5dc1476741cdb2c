"""The processes of a market, each with a folder, started again when they end."""

import http.client
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from infra.cluster.balancer import Balancer
from infra.cluster.servers import Postgres, SearchCluster, ServerMissingError, free_ports
from infra.launcher import Child, Stop, address_problem, end, stop_signals
from infra.ledger import ledger_key_of
from infra.processes import child_environment
from infra.settings import PREFIX, Settings, secret_of

ENDED, FAILED, ADDRESS_TAKEN = 0, 1, 3
_TICK: Final = 0.05
_START: Final = 120.0
"""Seconds that a server may take to answer."""
_STEADY: Final = 5.0
"""Seconds after which a process that ends anew is started again at once."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How many of each; `memory` is the heap of a search node."""

    webs: int = 2
    workers: int = 2
    indexers: int = 2
    nodes: int = 3
    memory: str = "512m"


@dataclass
class Cluster:
    """What runs. `settings` are those of all processes; each has a folder of its own below `folder`
    and its number in NAME.pid.
    """

    settings: Settings
    shape: Shape
    folder: Path
    servers: list[Child] = field(default_factory=list)
    processes: list[Child] = field(default_factory=list)
    stop: Stop = field(default_factory=Stop)

    def run(self, prepare: Callable[[Settings], Sequence[str]]) -> int:
        """Serve until SIGINT or SIGTERM; return the exit code. `prepare` makes the database ready
        and returns lines to print.
        """
        settings = self.settings
        if problem := address_problem(settings.host, settings.port):
            print(problem, file=sys.stderr, flush=True)
            return ADDRESS_TAKEN
        self.folder.mkdir(parents=True, exist_ok=True)
        with stop_signals() as self.stop, ExitStack() as stack:
            stack.callback(lambda: end(self.servers))
            self._start_servers()
            if self.stop.asked:
                return ENDED
            banner = prepare(self.settings)
            ports = free_ports(self.shape.webs)
            self.processes = list(self._children(ports))
            stack.callback(lambda: end(self.processes))
            balancer = Balancer(settings.host, settings.port, ports)
            balancer.start()
            stack.callback(balancer.stop)
            return self._tend(banner)

    def _start_servers(self) -> None:
        """Start what the settings do not name, and name it. Raises ServerMissingError."""
        waits: dict[str, Callable[[], bool]] = {}
        settings = self.settings
        if not settings.database_url:
            postgres = Postgres(self.folder)
            self.servers.append(postgres.child)
            settings = replace(settings, database_url=postgres.url)
            waits["PostgreSQL"] = postgres.ready
        if not settings.search_url:
            search = SearchCluster(self.folder, nodes=self.shape.nodes, memory=self.shape.memory)
            self.servers += search.children
            settings = replace(settings, search_url=",".join(search.urls))
            waits["Elasticsearch"] = search.ready
        self.settings = settings
        deadline = time.monotonic() + _START
        for name, ready in waits.items():
            while not self.stop.asked and not ready():
                for child in self.servers:
                    child.tend()
                if time.monotonic() > deadline:
                    raise ServerMissingError(f"{name} 没有启动成功，见 {self.folder} 里的日志")
                time.sleep(_TICK)

    def _children(self, ports: Sequence[int]) -> Iterator[Child]:
        for n, port in enumerate(ports, 1):
            yield self._child(f"web-{n}", "serve", port=str(port), host="127.0.0.1")
        for n in range(self.shape.workers):
            yield self._child(f"worker-{n + 1}", "worker")
        for n in range(self.shape.indexers):
            yield self._child(f"indexer-{n + 1}", "indexer")

    def _child(self, name: str, program: str, **own: str) -> Child:
        given = {
            "data_dir": str((self.folder / name).resolve()),
            "database_url": self.settings.database_url,
            "search_url": self.settings.search_url,
            "secret": secret_of(self.settings).decode(),
            "ledger_key": (ledger_key_of(self.settings, may_begin=False) or b"").decode(),
            "heads_dir": str(self.settings.heads.resolve()),
            **own,
        }
        environment = {f"{PREFIX}{key.upper()}": value for key, value in given.items()}
        return Child(
            name,
            (sys.executable, "-m", "infra.cli", program),
            environment=lambda: _merged(environment),
            steady=_STEADY,
        )

    def _tend(self, banner: Sequence[str]) -> int:
        address = f"http://{self.settings.host}:{self.settings.port}"
        for child in self.processes:
            child.let_go()
        noted: dict[str, int] = {}
        answered = False
        while not self.stop.asked:
            for child in (*self.servers, *self.processes):
                child.tend()
            for child in self.processes:
                if child.process is not None and noted.get(child.name) != child.process.pid:
                    noted[child.name] = child.process.pid
                    _note(self.folder / f"{child.name}.pid", child.process.pid)
            if not answered and _answers(self.settings.host, self.settings.port):
                answered = True
                print(f"智核已就绪：{address}", *banner, sep="\n", flush=True)
            time.sleep(_TICK)
        return ENDED


def _merged(own: Mapping[str, str]) -> dict[str, str]:
    """The own environment but for secrets' files, which are read already."""
    given = {f"{name}_FILE" for name in own}
    return {name: value for name, value in child_environment().items() if name not in given} | {
        **own
    }


def _note(path: Path, number: int) -> None:
    aside = path.with_suffix(".new")
    aside.write_text(f"{number}\n", encoding="ascii")
    aside.replace(path)


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=2.0)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
