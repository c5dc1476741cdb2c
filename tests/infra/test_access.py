"""Every route with every role against own and others' objects, as the one table says."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from frontend.edge import COOKIE
from infra import access
from infra.access import Route
from infra.settings import Settings
from infra.web import create_app
from infra.wiring import open_reader, open_writer
from market.accounts.policy import POLICY, Relation, Role
from market.accounts.work import Actor, Parts
from tests import factories
from tests.infra.world import FORMS, OBJECTS, World, build
from tests.support.clock import FakeClock

PARAMETER = re.compile(r"\{(\w+)\}")
BASE = "http://127.0.0.1"


@pytest.fixture
def world(parts: Parts, clock: FakeClock, settings: Settings) -> Iterator[World]:
    writer, reader = open_writer(settings), open_reader(settings)
    app = create_app(parts, reader, settings)
    with TestClient(app):
        yield build(app, parts, clock, writer)
    reader.close()
    writer.close()


class Snapshot:
    """The database as the world was built; put back after each request that changed it."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._live = settings.database.removeprefix("sqlite:///")
        self._copy = str(folder / "world.db")
        self._backup(self._live, self._copy)

    @staticmethod
    def _backup(source: str, target: str) -> None:
        with sqlite3.connect(source) as a, sqlite3.connect(target) as b:
            a.backup(b)
        a.close()
        b.close()

    def restore(self) -> None:
        self._backup(self._copy, self._live)


def example(schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """Return the example of a request body: what the OpenAPI document itself shows."""
    if schema.get("examples"):
        return schema["examples"][0]
    if "$ref" in schema:
        return example(root["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], root)
    if "properties" in schema:
        return {name: example(part, root) for name, part in schema["properties"].items()}
    if "default" in schema:
        return schema["default"]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], root)
    if "allOf" in schema:
        return example(schema["allOf"][0], root)
    raise AssertionError(f"no example in {schema}")


class Walker:
    def __init__(self, world: World) -> None:
        self.world = world
        self.openapi = world.app.state.api.openapi()
        self.tokens: dict[str, str] = {}
        self.cookies: dict[str, tuple[str, str]] = {}
        for name, actor in world.actors.items():
            if actor.person_id is not None:
                self.tokens[name] = factories.token(world.parts, actor)
                self.cookies[name] = factories.cookie(world.parts, actor)
        self.client = TestClient(world.app, base_url=BASE, follow_redirects=False)

    def request(self, route: Route, name: str) -> httpx.Response:
        path = PARAMETER.sub(lambda found: self.id_for(route, found[1]), route.path)
        self.client.cookies.clear()
        if route.api:
            headers = {}
            if name in self.tokens:
                headers["Authorization"] = f"Bearer {self.tokens[name]}"
            return self.client.request(route.method, path, headers=headers, **self.body(route))
        data = {}
        if name in self.cookies:
            cookie, csrf = self.cookies[name]
            self.client.cookies.set(COOKIE, cookie)
            data = {"csrf": csrf}
        if route.method == "GET":
            return self.client.get(path)
        data |= FORMS.get(route.path, {})
        return self.client.post(path, data=data, headers={"origin": BASE})

    def id_for(self, route: Route, parameter: str) -> str:
        ids = self.world.ids
        if parameter == "listing_id" and on_demand(route):
            return ids["demand"]
        if parameter == "file_id" and "/deals/" in route.path:
            return ids["deal_file"]
        return ids[parameter]

    def body(self, route: Route) -> dict[str, Any]:
        operation = self.openapi["paths"][route.path.removeprefix(access.PREFIX)]
        content = operation[route.method.lower()].get("requestBody", {}).get("content", {})
        if "application/json" in content:
            return {"json": example(content["application/json"]["schema"], self.openapi)}
        if "multipart/form-data" in content:
            file = ("proof.pdf", b"%PDF-1.7 x", "application/pdf")
            return {"files": {"file": file}, "data": {"kind": "achievement"}}
        return {}


def on_demand(route: Route) -> bool:
    """Routes whose listing is a demand: its matches, and editing it."""
    return "/matches" in route.path or "/demands/" in route.path


def relation(route: Route, name: str) -> Relation | None:
    """Return what the actor's organisation is to the route's object; None without an object."""
    parameters = PARAMETER.findall(route.path)
    if not parameters:
        return None
    table = OBJECTS[parameters[0]]
    if "file_id" in parameters and "/deals/" in route.path and route.method != "GET":
        table = OBJECTS["deal_file"]
    if parameters[0] == "listing_id" and on_demand(route):
        table = {"buyer": Relation.OWN, "broker": Relation.OTHER}
    return table.get(name.rsplit(" ", 1)[0], Relation.OTHER)


def verdict(route: Route, name: str, actor: Actor, answer: httpx.Response) -> str | None:
    """Return what is wrong with an answer, or None."""
    status = answer.status_code
    if status >= 500:
        return f"failed with {status}"
    to_login = status == 303 and answer.headers["location"].startswith("/login?")
    if not actor.may_ever(route.action):
        if actor.role is Role.ANONYMOUS:
            good = status == 401 if route.api else to_login
            return None if good else f"nobody signed in got {status}"
        return None if status == 403 else f"a role without the right got {status}, not 403"
    related = relation(route, name)
    personal = any(p in route.path for p in ("{token_id}", "{sign_in_id}", "{secret}"))
    if related is None or personal:
        return "was turned away" if status in (401, 403) or to_login else None
    if actor.may(route.action, related):
        return f"was turned away with {status}" if status in (401, 403, 404) else None
    return None if status in (403, 404) else f"reached another's object: {status}"


def test_every_route_with_every_role(world: World, settings: Settings, tmp_path: Path) -> None:
    walker, snapshot = Walker(world), Snapshot(settings, tmp_path)
    table = access.routes(world.app, world.app.state.api)
    assert len(table) > 100
    wrong = []
    for route in table:
        for name, actor in world.actors.items():
            answer = walker.request(route, name)
            problem = verdict(route, name, actor, answer)
            if problem:
                wrong.append(f"{route.method} {route.path} [{route.action}] as {name}: {problem}")
            if route.method != "GET" and answer.status_code < 400:
                snapshot.restore()
    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong)


def test_every_parameter_has_its_object(world: World) -> None:
    used = {
        p
        for route in access.routes(world.app, world.app.state.api)
        for p in PARAMETER.findall(route.path)
    }
    assert used <= OBJECTS.keys()
    assert used <= world.ids.keys()


def test_every_action_is_used(world: World) -> None:
    used = {route.action for route in access.routes(world.app, world.app.state.api)}
    assert used == POLICY.keys()


def test_document_is_what_the_routes_say(world: World) -> None:
    table = access.routes(world.app, world.app.state.api)
    assert access.DOCUMENT.read_text(encoding="utf-8") == access.document(table), (
        "run python -m infra.access"
    )


def test_route_without_an_action_fails(world: World) -> None:
    world.app.state.api.add_api_route("/hole", lambda: None)
    with pytest.raises(access.UndeclaredRoute, match="/hole"):
        access.routes(world.app, world.app.state.api)
