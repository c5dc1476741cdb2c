"""What one connection may send: sizes, counts and time, on a real socket."""

import dataclasses
import socket
import time
from collections.abc import Iterator

import pytest

from infra import protocol
from infra.settings import Settings
from infra.web import create_app, in_thread
from infra.wiring import open_reader
from market.accounts.work import Parts
from tests.support.processes import until

HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture
def port(parts: Parts, settings: Settings) -> Iterator[int]:
    reader = open_reader(settings)
    server, thread, number = in_thread(
        create_app(parts, reader, settings), dataclasses.replace(settings, port=0)
    )
    until(lambda: server.started)
    yield number
    server.stop()
    thread.join(timeout=10)
    reader.close()


def connect(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    client.settimeout(20)
    return client


def answer(port: int, *pieces: bytes) -> bytes:
    """Send and return all that comes until the server closes, or b"" where it cuts."""
    with connect(port) as client:
        try:
            for piece in pieces:
                client.sendall(piece)
            got = b""
            while piece := client.recv(65536):
                got += piece
        except ConnectionError:
            return b""
        return got


def status(text: bytes) -> str:
    return text.partition(b"\r\n")[0].decode()


def test_a_usual_request_is_answered(port: int) -> None:
    cookies = b"Cookie: " + b"x" * 4000 + b"\r\n"
    got = answer(port, b"GET /login HTTP/1.1\r\n" + HOST + cookies + b"Connection: close\r\n\r\n")
    assert status(got) == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("request_head", "expected"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", "414"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 120 + b"\r\n", "431"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"y" * 40_000 + b"\r\n\r\n", "431"),
        (
            b"GET / HTTP/1.1\r\n" + HOST + (b"X: " + b"y" * 900 + b"\r\n") * 40 + b"\r\n",
            "431",
        ),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"Host: other.example\r\n\r\n", "400"),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"host: 127.0.0.1\r\n\r\n", "400"),
        (b"\x16\x03\x01\x02\x00 this is no HTTP\r\n\r\n", "400"),
    ],
    ids=[
        "long line",
        "many headers",
        "one large header",
        "large in all",
        "two hosts",
        "one host twice",
        "another protocol",
    ],
)
def test_too_large_a_head_is_refused_with_a_sentence(
    port: int, request_head: bytes, expected: str
) -> None:
    got = answer(port, request_head)
    assert status(got).split()[1] == expected
    assert b"error" in got
    assert b"connection: close" in got


def test_a_head_without_end_is_cut_early(port: int) -> None:
    """80 MB of one header were once read before anything was said."""
    sent = 0
    with connect(port) as client:
        client.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"X: ")
        try:
            while sent < 80_000_000:
                client.sendall(b"y" * 65_536)
                sent += 65_536
        except OSError:
            pass
    assert sent < 16_000_000, "the socket's own buffers are all that was taken"


def test_a_request_that_does_not_come_to_its_end(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.5)
    monkeypatch.setattr(protocol, "IDLE_SECONDS", 0.5)
    begun = time.monotonic()
    assert answer(port) == b"", "who says nothing is let go"
    assert status(answer(port, b"GET / HTTP/1.1\r\nHost: 127")).split()[1] == "408"
    body = b"POST /api/v1/tokens HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n{"
    assert answer(port, body) == b"", "a body that stops coming is cut"
    assert time.monotonic() - begun < 10
    got = answer(port, b"GET /health HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    assert status(got) == "HTTP/1.1 200 OK", "others are served"


def test_a_slow_but_steady_body_is_taken(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "IDLE_SECONDS", 1.0)
    body = b'{"email": "a@example.com", "password": "no such password"}'
    head = b"POST /api/v1/tokens HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
    with connect(port) as client:
        client.sendall(head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body))
        for n in range(0, len(body), 10):
            time.sleep(0.3)
            client.sendall(body[n : n + 10])
        assert status(client.recv(65536)).split()[1] == "422"


def test_several_requests_on_one_connection(port: int) -> None:
    with connect(port) as client:
        for _ in range(5):
            client.sendall(b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n")
            assert status(client.recv(65536)) == "HTTP/1.1 200 OK"
            time.sleep(0.1)
        client.sendall((b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n") * 3)
        got = b""
        while got.count(b"200 OK") < 3:
            got += client.recv(65536)


def test_head_of_a_page_has_the_length_and_no_body(port: int) -> None:
    got = answer(port, b"HEAD /login HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    assert status(head) == "HTTP/1.1 200 OK"
    assert body == b""
    assert b"content-length: " in head.lower()
