"""The site: every noun's pages on one application, one handler for errors."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from frontend import workspace
from frontend.assets import Assets, StaticAssets
from frontend.edge import recognise
from frontend.pages import (
    about,
    account,
    audit,
    board,
    brokerage,
    catalog,
    comparables,
    deal_beside,
    deal_board,
    deal_kept,
    deal_papers,
    deals,
    desk,
    desk_rules,
    desk_steps,
    developers,
    dictionary,
    fees,
    home,
    imports,
    inquiries,
    introductions,
    law,
    listing,
    mandates,
    matches,
    operations,
    organisations,
    own_data,
    past_registrations,
    payments,
    periods,
    publicity,
    registrations,
    reports,
    rewards,
    search,
    synonyms,
    transfer_rules,
    treasury,
    treasury_one,
    work,
)
from frontend.render import Renderer, Site, to_consent, to_login
from frontend.templating import environment
from market.accounts.work import Parts
from market.kit.errors import MarketError, NotAgreed, NotFound, NotSignedIn
from market.kit.failures import Failures, number_of
from market.kit.once import Repeated
from market.payments.ways import Ways

ROUTERS: Sequence[APIRouter] = (
    home.router,
    work.router,
    search.router,
    synonyms.router,
    dictionary.router,
    listing.router,
    matches.router,
    about.router,
    account.router,
    own_data.router,
    law.router,
    organisations.router,
    audit.router,
    operations.router,
    catalog.router,
    imports.router,
    mandates.router,
    inquiries.router,
    introductions.router,
    comparables.router,
    deal_board.router,
    deals.router,
    deal_beside.router,
    deal_papers.router,
    deal_kept.router,
    publicity.router,
    registrations.router,
    past_registrations.router,
    periods.router,
    desk.router,
    desk_steps.router,
    desk_rules.router,
    board.router,
    brokerage.router,
    payments.router,
    fees.router,
    treasury.router,
    treasury_one.router,
    rewards.router,
    reports.router,
    transfer_rules.router,
    developers.router,
)


def build_pages(parts: Parts, *, site: Site, secure_cookies: bool) -> FastAPI:
    """Return the site as an application; infra mounts the API beside it."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.parts = parts
    app.state.ways = Ways()
    app.state.secure_cookies = secure_cookies
    app.state.renderer = Renderer(
        environment(Assets.load()), site=site, viewer=workspace.viewer, now=parts.clock.now
    )
    app.mount("/static", StaticAssets(), name="static")
    for router in ROUTERS:
        app.include_router(router, include_in_schema=False)
    app.add_exception_handler(MarketError, _market_error)
    app.add_exception_handler(RequestValidationError, _bad_address)
    app.add_exception_handler(Repeated, _repeated)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_middleware(Failures, answer=_failure)
    return app


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer


def _market_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MarketError)
    if isinstance(error, NotSignedIn):
        return to_login(request)
    if isinstance(error, NotAgreed):
        return to_consent(request)
    number = number_of(request) if error.status >= MarketError.status else ""
    return _renderer(request).error(request, error.status, text=error.message, number=number)


def _bad_address(request: Request, _error: Exception) -> Response:
    """A path or query that no link of ours makes: there is nothing at such an address."""
    recognise(request)
    return _renderer(request).error(request, NotFound.status, text=NotFound.default)


def _repeated(request: Request, error: Exception) -> Response:
    """Send the browser where the first sending of the same form led."""
    assert isinstance(error, Repeated)
    return _renderer(request).redirect(request, error.answer)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    recognise(request)
    return _renderer(request).error(request, error.status_code)


def _failure(request: Request, status: int, _sentence: str) -> Response:
    return _renderer(request).error(request, status, number=number_of(request))
