"""A real Elasticsearch for the tests, from its published Java artifacts.

What it needs and where it comes from: infra/cluster/elastic.py. One node a test
process, started when first asked for; it goes with its data when the process ends, in whatever way.
"""

import contextlib
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import ApiError, Elasticsearch, TransportError

from infra.cluster.elastic import ElasticMissingError, command

_MEMORY = "512m"
_START = 90.0  # seconds; it takes about 6
_SETTINGS = ("discovery.type=single-node", "http.port=0", "transport.port=0")
# Reads until the tests' end of the pipe closes: kill -9 of the tests ends the node as well.
_SUPERVISE = """
folder=$1; shift
"$@" >"$folder/log" 2>&1 </dev/null &
read -r _
kill -KILL $!; wait $! 2>/dev/null
cd / && rm -rf "$folder"
"""


class Elastic:
    """A running node. `start` it, ask it at `url`, `stop` it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="zhihe-es-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        """Raises ElasticMissingError without the programs, RuntimeError if they fail."""
        node = command(self._folder, name="test", memory=_MEMORY, settings=_SETTINGS)
        self._process = subprocess.Popen(
            ["sh", "-c", _SUPERVISE, "sh", str(self._folder), *node],
            cwd=self._folder,
            stdin=subprocess.PIPE,
            start_new_session=True,
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

    @contextlib.contextmanager
    def client(self) -> Iterator[Elasticsearch]:
        client = Elasticsearch(self.url, request_timeout=30, max_retries=0)
        try:
            yield client
        finally:
            client.close()

    def drop(self, prefix: str) -> None:
        """Remove all indexes whose names begin so."""
        with self.client() as client:
            if names := list(client.indices.get(index=f"{prefix}-*")):
                client.indices.delete(index=",".join(names))

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START
        ports = self._folder / "logs" / "http.ports"
        while time.monotonic() < deadline and self._process and self._process.poll() is None:
            with contextlib.suppress(OSError, ApiError, TransportError):
                if found := re.search(r"127\.0\.0\.1:\d+", ports.read_text(encoding="utf-8")):
                    self.url = f"http://{found[0]}"
                    with self.client() as client:
                        client.cluster.health(wait_for_status="yellow", timeout="5s")
                    return
            time.sleep(0.05)
        log = self._folder / "log"
        raise RuntimeError(log.read_text(encoding="utf-8", errors="replace")[-8000:])


@pytest.fixture(scope="session")
def elastic() -> Iterator[Elastic]:
    node = Elastic()
    try:
        try:
            node.start()
        except ElasticMissingError as error:
            pytest.skip(f"Elasticsearch 测试：{error}")
        yield node
    finally:
        node.stop()
