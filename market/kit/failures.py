"""What an application does with an exception that nothing in it expected."""

import logging
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from market.kit import faults
from market.kit.errors import MarketError, Unavailable

log = logging.getLogger("zhihe.failures")

NOT_SAVED = "系统的磁盘已满或不能写入，刚才的内容没有保存，请稍后再试，或告诉运营人员"

Answer = Callable[[Request, int, str], Response]


def number_of(request: Request) -> str:
    """Return the number of this request, which its answer and its line of the log carry."""
    number: str = getattr(request.state, "request_id", "")
    return number


class Failures:
    """ASGI middleware: such an exception is logged once and answered once.

    500 for a mistake of the program, 503 where what it stands on fails (database, disk). `answer`
    makes the answer from the request, that status and the sentence.
    """

    def __init__(self, app: ASGIApp, answer: Answer) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except ClientDisconnect:
            log.info("the visitor went away while sending")
        except Exception as error:
            log.exception("request failed")
            if started:  # half an answer is out: the server cuts the connection
                return
            kind = Unavailable if faults.outside(error) else MarketError
            request = Request(scope)
            sentence = NOT_SAVED if faults.unwritable(error) else kind.default
            response = await run_in_threadpool(self._answer, request, kind.status, sentence)
            await response(scope, receive, send)
