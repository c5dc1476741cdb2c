"""How Elasticsearch is reached: who asks, over what, and what is made of its failures.

The servers are small ones of the test's own, which show what arrives and fail as they are told: the
published artifacts have no security to log in to.
"""

import base64
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.settings import Settings, load
from infra.wiring import open_reader, open_writer
from search.errors import SearchUnavailable
from search.query import SearchRequest

GOOD = {"count": 3, "_shards": {"failed": 0}}


@dataclass
class Server:
    """Answers everything with `status` and `body`; keeps the headers of what came."""

    status: int = 200
    body: bytes = json.dumps(GOOD).encode()
    product: str = "Elasticsearch"
    after: float = 0.0
    seen: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    def handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                server.seen.append({name.lower(): value for name, value in self.headers.items()})
                if server.after:
                    time.sleep(server.after)
                    return  # whoever asked is gone
                self.send_response(server.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("X-Elastic-Product", server.product)
                self.send_header("Content-Length", str(len(server.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(server.body)

            do_GET = do_POST = do_PUT = do_HEAD = _answer  # noqa: N815 - names of the library

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@dataclass(frozen=True)
class Certificate:
    """Signed by itself, for this machine."""

    certificate: Path
    key: Path


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("没有 openssl")
    folder = tmp_path_factory.mktemp("certificate")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=zhihe test", "-out", str(made.certificate)]
    command += ["-keyout", str(made.key), "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-addext", "keyUsage=critical,digitalSignature,keyCertSign"]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    with ExitStack() as stack:

        def start(certificate: Certificate | None = None, **given: object) -> Server:
            server = Server(**given)  # type: ignore[arg-type]
            listening = ThreadingHTTPServer(("127.0.0.1", 0), server.handler())
            listening.daemon_threads = True
            if certificate is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate.certificate, certificate.key)
                listening.socket = context.wrap_socket(listening.socket, server_side=True)
            server.port = listening.server_address[1]
            thread = threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(listening.server_close)
            stack.callback(listening.shutdown)
            return server

        yield start


def settings_for(url: str, **more: str) -> Settings:
    given = {f"ZHIHE_SEARCH_{name.upper()}": value for name, value in more.items()}
    return load({"ZHIHE_SEARCH_URL": url, **given})


def counted(settings: Settings) -> int:
    engine = open_reader(settings)
    try:
        return engine.count()
    finally:
        engine.close()


def unavailable(settings: Settings, within: float = 5.0) -> str:
    """What is said; within so many seconds."""
    begun = time.monotonic()
    with pytest.raises(SearchUnavailable) as error:
        counted(settings)
    assert time.monotonic() - begun < within
    return str(error.value)


def test_user_and_password_of_the_address(serve: Callable[..., Server]) -> None:
    server = serve()
    assert counted(settings_for(f"http://zhihe:p%40ss%2C%3A@127.0.0.1:{server.port}")) == 3
    sent = server.seen[0]["authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent) == b"zhihe:p@ss,:"


def test_api_key(serve: Callable[..., Server]) -> None:
    server = serve()
    assert counted(settings_for(f"http://127.0.0.1:{server.port}", api_key="a2V5OmI=")) == 3
    assert server.seen[0]["authorization"] == "ApiKey a2V5OmI="


def test_only_a_certificate_of_the_given_authority_is_trusted(
    serve: Callable[..., Server], certificate: Certificate
) -> None:
    server = serve(certificate)
    url = f"https://zhihe:secret@127.0.0.1:{server.port}"
    assert "certificate" in unavailable(settings_for(url)).lower()
    assert server.seen == [], "the password went to a stranger"
    assert counted(settings_for(url, ca=str(certificate.certificate))) == 3
    assert "authorization" in server.seen[0]
    other = f"https://zhihe:secret@localhost:{server.port}"  # not the name in the certificate
    unavailable(settings_for(other, ca=str(certificate.certificate)))


def test_a_server_that_refuses_is_left_aside_for_one_that_answers(
    serve: Callable[..., Server],
) -> None:
    server = serve()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    settings = settings_for(f"http://127.0.0.1:{closed},http://127.0.0.1:{server.port}")
    engine = open_reader(settings)
    for _ in range(20):
        assert engine.count() == 3
    engine.close()
    assert len(server.seen) == 20


def test_what_does_not_answer_costs_one_patience(serve: Callable[..., Server]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        unavailable(settings_for(url), within=1.8)
        with socket.create_server(("127.0.0.1", 0)) as second:
            other = f"http://127.0.0.1:{second.getsockname()[1]}"
            unavailable(settings_for(f"{url},{other}"), within=1.8)
    slow = serve(after=3.0)
    unavailable(settings_for(f"http://127.0.0.1:{slow.port}"), within=1.8)
    assert len(slow.seen) == 1, "nothing is asked twice"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]
    unavailable(settings_for(f"http://127.0.0.1:{closed}"), within=0.5)


@pytest.mark.parametrize(
    ("status", "body", "product"),
    [
        (500, b"<html>oops</html>", "Elasticsearch"),
        (503, b'{"error": {"type": "unavailable", "root_cause": []}}', "Elasticsearch"),
        (401, b'{"error": {"type": "security_exception"}}', "Elasticsearch"),
        (403, b'{"error": {"type": "security_exception"}}', "Elasticsearch"),
        (429, b"{}", "Elasticsearch"),
        (400, b'{"error": {"type": "media_type_header_exception"}}', "Elasticsearch"),
        (200, json.dumps(GOOD).encode(), "another product"),
    ],
)
def test_every_failure_is_one_that_passes(
    serve: Callable[..., Server], status: int, body: bytes, product: str
) -> None:
    server = serve(status=status, body=body, product=product)
    settings = settings_for(f"http://zhihe:geheim@127.0.0.1:{server.port}")
    assert "geheim" not in unavailable(settings)
    with pytest.raises(SearchUnavailable):
        open_writer(settings)
    engine = open_reader(settings)
    with pytest.raises(SearchUnavailable):
        engine.search(SearchRequest())
    engine.close()


def test_an_answer_in_part_is_none(serve: Callable[..., Server]) -> None:
    body = {"timed_out": True, "hits": {"total": {"value": 1}, "hits": []}}
    server = serve(body=json.dumps(body).encode())
    engine = open_reader(settings_for(f"http://127.0.0.1:{server.port}"))
    with pytest.raises(SearchUnavailable):
        engine.search(SearchRequest())
    server.body = b'{"count": 3, "_shards": {"failed": 1}}'
    with pytest.raises(SearchUnavailable):
        engine.count()
    server.body = b"not json"
    with pytest.raises(SearchUnavailable):
        engine.count()
    engine.close()
