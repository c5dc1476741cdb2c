"""Requests byte by byte: a client that keeps nobody from sending what no client would send.

It speaks to the application as the server does, so that header lines and addresses arrive as they
are; what the server itself refuses before that is tested over a socket.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import anyio
from fastapi import FastAPI
from fastapi.testclient import TestClient

HOST = b"127.0.0.1"
Lines = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Lines
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def header(self, name: str) -> str:
        wanted = name.encode()
        return next((v.decode("latin-1") for k, v in self.headers if k.lower() == wanted), "")


class Line:
    """One application; `client` keeps the loop that it runs on."""

    def __init__(self, app: FastAPI, client: TestClient) -> None:
        self._app = app
        self._client = client

    def send(
        self,
        method: str,
        path: bytes,
        *,
        query: bytes = b"",
        headers: Lines = (),
        body: bytes = b"",
    ) -> Answer:
        """Send one request; `headers` replace the defaults of the same name."""
        named = {name for name, _ in headers}
        usual = ((b"host", HOST), (b"content-length", b"%d" % len(body)))
        lines = [*(pair for pair in usual if pair[0] not in named), *headers]
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path.decode("ascii")),
            "raw_path": path,
            "root_path": "",
            "query_string": query,
            "headers": lines,
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        portal = self._client.portal
        assert portal is not None
        return portal.call(self._run, scope, body)

    async def _run(self, scope: dict[str, Any], body: bytes) -> Answer:
        sent = [{"type": "http.request", "body": body, "more_body": False}]
        got: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if not sent:
                await anyio.sleep_forever()  # the client stays until it has its answer
            return sent.pop()

        async def send(message: Any) -> None:
            got.append(message)

        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001  a server would have said 500
            if not got:
                return Answer(500, (), repr(error).encode())
        start = next(m for m in got if m["type"] == "http.response.start")
        whole = b"".join(m.get("body", b"") for m in got if m["type"] == "http.response.body")
        return Answer(start["status"], tuple(map(tuple, start["headers"])), whole)
