"""The API's OpenAPI document: what FastAPI derives, and what it cannot know.

Names and descriptions in Chinese (`api_texts`), who needs a token, and that a change may be sent
with an `Idempotency-Key`.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from market import api_texts
from market.accounts.edge import MAX_ONCE, ONCE_HEADER, WritesWork, declared_action
from market.accounts.policy import Role, allows_ever

_BEARER = "token"
_ONCE = {
    "name": ONCE_HEADER,
    "in": "header",
    "required": False,
    "description": "自定的名字：同一请求带同一个名字再发一次，不会再做一次，得到第一次的回答",
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_ONCE,
        "pattern": "^[!-~]+$",
        "examples": ["2026-11-20-0001"],
    },
}


def describe(app: FastAPI) -> None:
    """Have the application's document say all this. Call it when all routes are there."""
    plain = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(app, plain())
        schema = app.openapi_schema
        assert schema is not None
        return schema

    app.openapi = document  # type: ignore[method-assign]


def _complete(app: FastAPI, schema: dict[str, Any]) -> None:
    schema.setdefault("components", {})["securitySchemes"] = {
        _BEARER: {"type": "http", "scheme": "bearer", "description": "令牌，以 zh_ 开头"}
    }
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute):
            continue
        for method in route.methods or ():
            operation = schema["paths"][context.path][method.lower()]
            _describe(operation, route, f"{method} {context.path}")
    used = {
        tag
        for path in schema["paths"].values()
        for one in path.values()
        for tag in one.get("tags", ())
    }
    schema["tags"] = [
        {"name": tag, "description": text} for tag, text in api_texts.TAGS.items() if tag in used
    ]


def _describe(operation: dict[str, Any], route: APIRoute, label: str) -> None:
    # A route without a line here keeps its function's name until the test finds it.
    if label in api_texts.ROUTES:
        operation["summary"], operation["description"] = api_texts.ROUTES[label]
    declared = declared_action(list(route.dependant.dependencies))
    if declared is None:
        return
    anyone = allows_ever(declared.action, role=Role.ANONYMOUS, kind=None, verified=False)
    operation["security"] = [{}, {_BEARER: []}] if anyone else [{_BEARER: []}]
    if isinstance(declared, WritesWork):
        operation.setdefault("parameters", []).append(_ONCE)
