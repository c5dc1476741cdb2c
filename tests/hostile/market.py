"""What there is to attack: the routes, who may use them, the forms that the pages show."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

from fastapi import params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.testclient import TestClient

from frontend.edge import COOKIE
from infra import access
from infra.access import Route
from tests.hostile.line import Answer, Line, Lines
from tests.infra.test_access import PARAMETER, Walker, relation
from tests.infra.world import FORMS, World

FORM = b"application/x-www-form-urlencoded"
OURS: Lines = ((b"origin", b"http://127.0.0.1"),)
# Signing out and ending sessions: the walk would go on as nobody.
ENDS = ("/logout", "/account/sessions/{sign_in_id}/end", "/account/password", "/account/switch")


# Forms that no page of the world shows, because their step is done: what they would send.
MORE_FORMS: dict[str, dict[str, str]] = {
    "/consent": {"agreed": "1", "next": "/"},
    "/deals/{deal_id}/confirm": {"version": "1"},
    "/deals/{deal_id}/contract/confirm": {"contract": "2" * 14},
    "/deals/{deal_id}/lose": {"reason": "price", "note": ""},
    "/deals/{deal_id}/terms": {"seen": "1", "mode": "普通许可", "amount": "150", "text": ""},
    "/desk/registrations/{registration_id}/undo": {"reason": "重复"},
    "/inquiries/{inquiry_id}/answer": {"answer": "可以", "contact_name": "", "contact_phone": ""},
    "/link/{secret}": {"password": "a-long-passphrase"},
    "/my/listings/{listing_id}/proofs/{file_id}/remove": {},
    "/matches/{match_id}/decision": {"verdict": "interested", "note": ""},
    "/organisations/{organisation_id}/join": {"role": "editor"},
    "/registrations/new": {"contract": "2" * 14},
}


@dataclass(frozen=True)
class PageForm:
    """One form as a page shows it to somebody: where it goes and what it would send."""

    who: str
    route: Route
    action: str
    fields: tuple[tuple[str, str], ...]
    typed: frozenset[str]
    upload: str = ""

    def with_field(self, name: str, value: str) -> list[tuple[str, str]]:
        kept = [(n, v) for n, v in self.fields if n not in (name, "once")]
        return [*kept, (name, value)]


class _Forms(HTMLParser):
    """The POST forms of a page with the values that stand in them, and its GET parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, Any]] = []
        self.asked: set[str] = set()
        self._open: dict[str, Any] | None = None
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attributes}
        if tag == "a" and "?" in has.get("href", ""):
            self.asked |= set(re.findall(r"[?&]([a-z_]+)=", has["href"]))
        if tag == "form":
            self._open = {
                "method": has.get("method", "get").lower(),
                "action": has.get("action", ""),
            }
            self._open |= {"fields": [], "typed": set(), "upload": ""}
            self.found.append(self._open)
        name = has.get("name", "")
        if self._open is None or not name:
            if tag == "option" and self._open is not None and self._select and "selected" in has:
                self._open["fields"].append((self._select, has.get("value", "")))
            return
        if tag == "textarea":
            self._area = name
            self._open["fields"].append((name, ""))
            self._open["typed"].add(name)
        elif tag == "select":
            self._select = name
        elif tag == "input":
            self._input(name, has)

    def _input(self, name: str, has: dict[str, str]) -> None:
        assert self._open is not None
        kind = has.get("type", "text")
        if kind == "file":
            self._open["upload"] = name
        elif kind in ("radio", "checkbox"):
            if "checked" in has:
                self._open["fields"].append((name, has.get("value", "")))
        else:
            self._open["fields"].append((name, has.get("value", "")))
            if kind == "text":
                self._open["typed"].add(name)

    def handle_data(self, data: str) -> None:
        if self._area is not None and self._open is not None:
            name, before = self._open["fields"][-1]
            self._open["fields"][-1] = (name, before + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None and self._open is not None:
            name, text = self._open["fields"][-1]
            self._open["fields"][-1] = (name, text.removeprefix("\n"))  # as browsers do
            self._area = None
        elif tag == "select":
            self._select = None
        elif tag == "form":
            self._open = None


class Market:
    def __init__(self, world: World, client: TestClient) -> None:
        self.world = world
        self.walker = Walker(world)
        self.line = Line(world.app, client)
        self.routes = [
            route
            for route in access.routes(world.app, world.app.state.api)
            if set(PARAMETER.findall(route.path)) <= world.ids.keys()
        ]

    def path(self, route: Route) -> str:
        return PARAMETER.sub(lambda found: self.walker.id_for(route, found[1]), route.path)

    def by(self, route: Route) -> list[str]:
        """Return who may use a route on its object; everybody else is turned away before."""
        found = []
        for name, actor in self.world.actors.items():
            related = relation(route, name)
            fits = (
                actor.may_ever(route.action)
                if related is None
                else actor.may(route.action, related)
            )
            if fits:
                found.append(name)
        return found or ["seller manager"]

    def somebody(self, route: Route) -> str:
        """Return one who may, a manager or the like where there is a choice."""
        able = self.by(route)
        return next((name for name in able if "manager" in name), able[-1])

    def headers(self, route: Route, who: str) -> Lines:
        if route.api:
            token = self.walker.tokens.get(who)
            return ((b"authorization", b"Bearer " + token.encode()),) if token else ()
        held = self.walker.cookies.get(who)
        cookie: Lines = ((b"cookie", f"{COOKIE}={held[0]}".encode()),) if held else ()
        return (*cookie, *OURS)

    def csrf(self, who: str) -> str:
        return self.walker.cookies.get(who, ("", ""))[1]

    def get(self, route: Route, *, who: str = "", path: bytes = b"", query: bytes = b"") -> Answer:
        who = who or self.somebody(route)
        return self.line.send(
            route.method,
            path or self.path(route).encode(),
            query=query,
            headers=self.headers(route, who),
        )

    def post_form(
        self, route: Route, who: str, action: str, fields: list[tuple[str, str]]
    ) -> Answer:
        body = "&".join(f"{_quoted(n)}={_quoted(v)}" for n, v in fields).encode()
        headers = (*self.headers(route, who), (b"content-type", FORM))
        return self.line.send("POST", quote(action).encode(), headers=headers, body=body)

    def post_json(self, route: Route, raw: bytes, type_: str = "application/json") -> Answer:
        who = self.somebody(route)
        kind = (b"content-type", type_.encode("latin-1"))
        headers = (*self.headers(route, who), kind, (b"x-csrf-token", self.csrf(who).encode()))
        return self.line.send(route.method, self.path(route).encode(), headers=headers, body=raw)

    def pages(self) -> list[Route]:
        return [r for r in self.routes if not r.api and r.method == "GET"]

    def gets(self) -> list[Route]:
        return [r for r in self.routes if r.method == "GET"]

    def writes(self) -> list[Route]:
        """API routes that take JSON."""
        return [
            r for r in self.routes if r.api and r.method != "GET" and "json" in self.walker.body(r)
        ]

    def page_parameters(self) -> dict[str, set[str]]:
        """Return the query parameters that each page's route declares."""
        found: dict[str, set[str]] = {}
        for context in iter_route_contexts(self.world.app.routes):
            route = context.original_route
            if isinstance(route, APIRoute) and "GET" in (route.methods or ()):
                found[str(context.path)] = {
                    one.alias
                    for one in get_flat_params(route.dependant)
                    if isinstance(one.field_info, params.Query)
                }
        return found

    def page_forms(self) -> tuple[list[PageForm], dict[str, set[str]]]:
        """Return every form that anybody's pages show, and the GET parameters by page."""
        found: dict[tuple[str, tuple[str, ...]], PageForm] = {}
        asked: dict[str, set[str]] = {}
        for route in self.pages():
            for who in dict.fromkeys([self.somebody(route), *self.by(route)]):
                if "viewer" in who or "other" in who:
                    continue
                answer = self.get(route, who=who)
                if answer.status != 200 or "html" not in answer.header("content-type"):
                    continue
                parser = _Forms()
                parser.feed(answer.text)
                asked.setdefault(route.path, set()).update(parser.asked)
                for one in parser.found:
                    if one["method"] != "post":
                        asked[route.path] |= {name for name, _ in one["fields"]}
                        continue
                    action = one["action"] or self.path(route)
                    target = self._target(action)
                    if target is None or target.path in ENDS:
                        continue
                    names = tuple(sorted({n for n, _ in one["fields"]}))
                    form = PageForm(
                        who,
                        target,
                        action,
                        tuple(one["fields"]),
                        frozenset(one["typed"]),
                        one["upload"],
                    )
                    found.setdefault((target.path, names), form)
        return list(found.values()), asked

    def forms_in(self, text: str, like: PageForm) -> PageForm:
        """Return the form on a page that sends the same fields as another."""
        parser = _Forms()
        parser.feed(text)
        wanted = {name for name, _ in like.fields}
        best = max(parser.found, key=lambda one: len(wanted & {n for n, _ in one["fields"]}))
        return PageForm(like.who, like.route, like.action, tuple(best["fields"]), like.typed)

    def _target(self, action: str) -> Route | None:
        for route in self.routes:
            if route.method == "POST" and not route.api:
                pattern = PARAMETER.sub("[^/]+", route.path)
                if re.fullmatch(pattern, action.partition("?")[0]):
                    return route
        return None

    def fallback_forms(self, known: list[PageForm]) -> Iterator[PageForm]:
        """Yield forms of routes that no page of this world shows just now."""
        shown = {form.route.path for form in known}
        for route in self.routes:
            if route.api or route.method != "POST" or route.path in shown or route.path in ENDS:
                continue
            who = self.somebody(route)
            fields = {"csrf": self.csrf(who), **{**FORMS, **MORE_FORMS}.get(route.path, {})}
            yield PageForm(who, route, self.path(route), tuple(fields.items()), frozenset())

    def json_fields(self, route: Route) -> list[str]:
        return list(self.good_json(route))

    def good_json(self, route: Route) -> dict[str, Any]:
        body: dict[str, Any] = dict(self.walker.body(route)["json"])
        return body


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def with_value(good: dict[str, Any], name: str, raw: str) -> bytes:
    """Return a JSON object with one field's value as raw JSON text, `json` could not write."""
    parts = [f"{json.dumps(n)}:{json.dumps(v)}" for n, v in good.items() if n != name]
    return "{{{}}}".format(",".join([*parts, f"{json.dumps(name)}:{raw}"])).encode(
        "utf-8", "surrogatepass"
    )


def shown(text: str, value: str) -> bool:
    """Tell whether a page holds what was typed, as it stands or with its unstorable letters marked."""
    return (
        html.escape(value, quote=True).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in text
    )
