"""The page for developers: how to get a token, and every route of the API."""

from typing import Annotated, Any

from fastapi import APIRouter
from starlette.responses import Response

from frontend.edge import Page, opens_page
from market.accounts.policy import Action

router = APIRouter()


@router.get("/developers")
def developers(page: Annotated[Page, opens_page(Action.BROWSE)]) -> Response:
    schema: dict[str, Any] = page.request.app.state.api.openapi()
    routes = [
        (method.upper(), path)
        for path, operations in schema["paths"].items()
        for method in operations
    ]
    return page.render("accounts/developers.html", {"routes": routes})
