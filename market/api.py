"""The JSON API, composed of every noun's router: one error shape, OpenAPI 3.1."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from market import api_document
from market.access.endpoints import router as access
from market.accounts.endpoints import router as accounts
from market.accounts.work import Parts
from market.brokerage.endpoints import router as brokerage
from market.catalog.endpoints import router as catalog
from market.deals.endpoints import router as deals
from market.deals.endpoints_keeping import router as keeping
from market.deals.endpoints_negotiation import router as negotiation
from market.discovery.endpoints import router as discovery
from market.imports.endpoints import router as imports
from market.insight.endpoints import router as insight
from market.insight.endpoints_reports import router as reports
from market.kit.errors import Invalid, MarketError, Overtaken, TooMany, Unavailable
from market.kit.failures import Failures, number_of
from market.kit.once import Repeated
from market.kit.validation import sentence
from market.kit.wire import ErrorBody, ErrorOut, FieldError
from market.ledger.endpoints import router as ledger
from market.notices.endpoints import router as notices
from market.operations.endpoints import router as operations
from market.payments.endpoints import router as payments
from market.payments.endpoints_fees import router as fees
from market.payments.ways import Ways
from market.personal_endpoints import router as personal
from market.registry.endpoints import router as registry
from market.registry.endpoints_comparables import router as comparables
from market.registry.endpoints_past import router as past
from market.rewards.endpoints import router as rewards
from market.rules.endpoints import router as rules
from market.rules.endpoints_transfer import router as transfer_rules

PREFIX = "/api/v1"
ROUTERS = (
    accounts,
    personal,
    access,
    catalog,
    discovery,
    deals,
    keeping,
    negotiation,
    brokerage,
    payments,
    fees,
    rewards,
    registry,
    past,
    ledger,
    comparables,
    rules,
    transfer_rules,
    operations,
    notices,
    insight,
    reports,
    imports,
)

_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorOut, "description": text}
    for status, text in {
        400: "请求读不出来：不完整的JSON或表单、地址里有不能识别的字符",
        401: "没有登录，或令牌无效",
        403: "当前身份不能做",
        404: "没有，或无权查看",
        409: "状态已变",
        413: "内容太大",
        422: "输入需要修改",
        429: "太频繁",
        503: "这部分服务暂时不可用",
    }.items()
}


def build_api(parts: Parts) -> FastAPI:
    """Return the API as an application of its own, to be mounted at PREFIX."""
    app = FastAPI(
        title="智核 API",
        version="1",
        description="成果、需求、匹配、洽谈、登记与看板。令牌放在 Authorization: Bearer zh_… 里。",
        docs_url=None,
        redoc_url=None,
        responses=_ERRORS,
        separate_input_output_schemas=True,
    )
    app.state.parts = parts
    app.state.ways = Ways()
    for router in ROUTERS:
        app.include_router(router)
    app.add_exception_handler(MarketError, _market_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RecursionError, _too_deep)
    app.add_exception_handler(Repeated, _repeated)
    app.add_middleware(Failures, answer=_failure)
    api_document.describe(app)
    return app


def answer(
    status: int,
    code: str,
    message: str,
    fields: Sequence[FieldError] = (),
    headers: Mapping[str, str] | None = None,
    current: Mapping[str, Any] | None = None,
) -> JSONResponse:
    now = dict(current) if current is not None else None
    body = ErrorOut(error=ErrorBody(code=code, message=message, fields=list(fields), current=now))
    return JSONResponse(
        body.model_dump(exclude_none=True), status_code=status, headers=dict(headers or {})
    )


def _market_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, MarketError)
    fields = (
        [FieldError(field=name, message=text) for name, text in error.fields.items()]
        if isinstance(error, Invalid)
        else []
    )
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    message = error.message
    if error.status >= MarketError.status:
        message = _with_number(request, message)
        headers |= _later(error.status)
    current = error.current if isinstance(error, Overtaken) else None
    return answer(error.status, error.code, message, fields, headers, current)


def _validation_error(_request: Request, error: Exception) -> JSONResponse:
    """Name each wrong field without echoing what was sent: it may be a password."""
    assert isinstance(error, RequestValidationError)
    fields = [
        FieldError(
            field=".".join(str(part) for part in item["loc"]).removeprefix("body."),
            message=sentence(item, echo=False),
        )
        for item in error.errors()
    ]
    return answer(422, "invalid", Invalid.default, fields)


def _http_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    texts = {
        404: "没有这个地址",
        405: "这个地址不支持这种请求方法",
        400: "请求体不是完整的JSON或表单",
    }
    codes = {404: "not_found", 405: "method_not_allowed", 400: "bad_request"}
    status = error.status_code
    return answer(
        status,
        codes.get(status, "error"),
        texts.get(status, "请求没有被接受"),
        headers=error.headers,
    )


def _repeated(_request: Request, error: Exception) -> Response:
    """Answer a repeated request as the first was answered."""
    assert isinstance(error, Repeated)
    headers = {"Idempotency-Replayed": "true"}
    if not error.answer:
        return Response(status_code=error.status, headers=headers)
    return Response(error.answer, error.status, headers, media_type="application/json")


def _too_deep(_request: Request, _error: Exception) -> JSONResponse:
    return answer(400, "bad_request", "请求体嵌套太深")


def _failure(request: Request, status: int, sentence: str) -> JSONResponse:
    code = Unavailable.code if status == Unavailable.status else MarketError.code
    return answer(status, code, _with_number(request, sentence), headers=_later(status))


def _with_number(request: Request, message: str) -> str:
    """Add the number by which the failure is found in the log."""
    number = number_of(request)
    return f"{message}（编号{number}）" if number else message


def _later(status: int) -> dict[str, str]:
    return {"Retry-After": "30"} if status == Unavailable.status else {}
