"""Refuses bodies that are too large before anything reads them."""

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from market.kit.files import MAX_IMPORT_BYTES

MAX_FORM = MAX_IMPORT_BYTES + 2 * 1024 * 1024  # a file and its fields
MAX_JSON = 1024 * 1024  # the longest texts of a listing are under 200 kB

_TOO_LARGE = {"error": {"code": "too_large", "message": "提交的内容太大", "fields": []}}


class _Over(Exception):
    pass


class BodyLimit:
    """ASGI middleware: 1 MB for JSON, 52 MB for forms with files; counted where not declared."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        form = headers.get(b"content-type", b"").lower().startswith(b"multipart/")
        limit = MAX_FORM if form else MAX_JSON
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or len(declared) > 12 or int(declared) > limit:
            await JSONResponse(_TOO_LARGE, status_code=413)(scope, receive, send)
            return
        read = 0
        started = False

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise _Over
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _Over:
            if not started:
                await JSONResponse(_TOO_LARGE, status_code=413)(scope, receive, send)
