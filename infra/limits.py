"""Refuses, before anything reads it, what no request of a person or program has to contain."""

import re

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from market.api import PREFIX
from market.kit.errors import TooLarge
from market.kit.files import MAX_IMPORT_BYTES

MAX_FORM = MAX_IMPORT_BYTES + 2 * 1024 * 1024  # a file and its fields
MAX_PLAIN = 1024 * 1024  # the longest texts of a listing are under 200 kB
TAKES_FILES = re.compile(
    rf"(?:{PREFIX})?/(?:my/(?:imports|listings/[^/]+/proofs)"
    r"|deals/[^/]+/(?:files|objections/[^/]+|kept|contract/receipts/[^/]+/slip)"
    r"|mandates/[^/]+/evidence|payments/[^/]+/slips"
    r"|registrations/(?:new|[^/]+/(?:edit|file)))"
)
"""The addresses to which files are sent. A body is read before anybody asks who sends it, so
elsewhere the sender's word that it is a form with files opens nothing."""

_UNREADABLE = {
    "error": {
        "code": "bad_request",
        "message": "地址里有不能识别的字符，请检查后再试",
        "fields": [],
    }
}
_TOO_LARGE = {"error": {"code": "too_large", "message": "提交的内容太大", "fields": []}}


class BodyLimit:
    """ASGI middleware: 52 MB where files are sent, 1 MB elsewhere; counted where not declared."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        form = headers.get(b"content-type", b"").lower().startswith(b"multipart/")
        limit = MAX_FORM if form and TAKES_FILES.fullmatch(scope["path"]) else MAX_PLAIN
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
                raise TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except TooLarge:
            if not started:
                await JSONResponse(_TOO_LARGE, status_code=413)(scope, receive, send)


class ReadableAddress:
    """ASGI middleware: no NUL in an address. PostgreSQL takes none, SQLite takes them all."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and ("\x00" in scope["path"] or b"%00" in scope["query_string"]):
            await JSONResponse(_UNREADABLE, status_code=400)(scope, receive, send)
            return
        await self._app(scope, receive, send)
