"""HTTP as the server reads it, with limits that uvicorn's httptools protocol does not have.

A request line and headers have a greatest size and count and a time to arrive; a body has a time
between two pieces and for the whole. Without them one connection may fill the memory, and a few
hundred that send a byte a minute take all there are.
"""

import asyncio
import json
from typing import Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_LINE: Final = 16 * 1024
MAX_HEAD: Final = 32 * 1024
MAX_HEADERS: Final = 100
HEAD_SECONDS: Final = 15.0
IDLE_SECONDS: Final = 30.0
BODY_SECONDS: Final = 900.0

_UNREADABLE = (400, "bad_request", "这不是能识别的 HTTP 请求")
_LONG_LINE = (414, "uri_too_long", "地址太长")
_LARGE_HEAD = (431, "headers_too_large", "请求头太多或太大")
_LATE = (408, "timeout", "请求没有在规定时间内发完")


class _RefusedError(Exception):
    pass


class GuardedProtocol(HttpToolsProtocol):
    """Refuses with a sentence and closes; the application hears nothing of it."""

    _refusal = _UNREADABLE
    _in_head = True
    _head_bytes = 0
    _hosts = 0
    _deadline: asyncio.TimerHandle | None = None
    _idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEAD_SECONDS, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head_bytes += len(data)
            if self._deadline is None:  # the next request of a kept connection begins
                self._deadline = self.loop.call_later(HEAD_SECONDS, self._late)
        super().data_received(data)
        # A single long header is kept inside the parser and is heard of only at its end.
        if self._in_head and self._head_bytes > MAX_HEAD and not self.transport.is_closing():
            self._refuse(_LARGE_HEAD)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_LINE:
            self._stop(_LONG_LINE)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        if len(self.headers) > MAX_HEADERS:
            self._stop(_LARGE_HEAD)
        if name.lower() == b"host":
            self._hosts += 1
            if self._hosts > 1:  # RFC 9112 3.2: a proxy may have gone by the other one
                self._stop(_UNREADABLE)

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > MAX_HEAD:
            self._stop(_LARGE_HEAD)
        self._in_head = False
        self._forget()
        self._deadline = self.loop.call_later(BODY_SECONDS, self._slow)
        self._rearm()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._rearm()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._forget()
        self._in_head, self._head_bytes, self._hosts = True, 0, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  the base class's signature
        self._refuse(self._refusal)

    def _stop(self, refusal: tuple[int, str, str]) -> None:
        """End the parser's work; it reports back by `send_400_response`."""
        self._refusal = refusal
        raise _RefusedError

    def _refuse(self, refusal: tuple[int, str, str]) -> None:
        status, code, message = refusal
        error = {"error": {"code": code, "message": message, "fields": []}}
        body = json.dumps(error, ensure_ascii=False).encode()
        head = (
            b"content-type: application/json\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()

    def _late(self) -> None:
        self._deadline = None
        if self._head_bytes and not self.transport.is_closing():
            self._refuse(_LATE)
        else:
            self.transport.close()

    def _rearm(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = self.loop.call_later(IDLE_SECONDS, self._pause)

    def _pause(self) -> None:
        """No piece came for a while; unless it is the application that does not take them."""
        if self.flow.read_paused:
            self._rearm()
        else:
            self._slow()

    def _slow(self) -> None:
        self._forget()
        self.transport.abort()

    def _forget(self) -> None:
        for timer in (self._deadline, self._idle):
            if timer is not None:
                timer.cancel()
        self._deadline = self._idle = None
