"""Pages, fragments and redirects: the only place that names HTMX's headers.

A fragment is a block of its page. The same route answers HTMX with the block and everybody else
with the page, so that every link and form works without script.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, TemplateNotFound
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from frontend import notices

Context = Mapping[str, Any]
FALLBACK = 500  # the error page for a status that has none of its own


@dataclass(frozen=True, slots=True)
class WorkspaceLink:
    """A link of the second bar; `count` is what waits there, None for no figure. `within` are the
    places beside its own that belong to it.
    """

    label: str
    href: str
    count: int | None = None
    within: tuple[str, ...] = ()

    def leads_to(self, path: str) -> bool:
        return any(path == one or path.startswith(f"{one}/") for one in (self.href, *self.within))


@dataclass(frozen=True, slots=True)
class Membership:
    """An organisation that the person can act for; `id` is what the switch form posts."""

    id: str
    label: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class ViewerContext:
    """Who looks, as far as every page shows it. `csrf` is "" where there is no session; `may` names
    the actions that may ever be theirs, for links that lead elsewhere.
    """

    signed_in: bool = False
    name: str = ""
    organisation: str = ""
    role: str = ""
    org_kind: str = ""
    workspace: tuple[WorkspaceLink, ...] = ()
    csrf: str = ""
    memberships: tuple[Membership, ...] = ()
    may: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Site:
    """What is the same on every page. `icp` and `police` are the filing numbers (ICP备案,
    公安备案), `operator` who runs the site and answers for it by the contacts; "" for none.
    """

    demo_mode: bool = False
    icp: str = ""
    police: str = ""
    operator: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""
    name: str = "智核"

    @property
    def police_number(self) -> str:
        """Return the digits of the police filing, by which its page is found."""
        return "".join(c for c in self.police if c.isdigit())


class Renderer:
    """`viewer` tells who a request is from; it is asked once a page and must not write."""

    def __init__(
        self,
        environment: Environment,
        *,
        site: Site,
        viewer: Callable[[Request], ViewerContext],
        now: Callable[[], datetime],
    ) -> None:
        self._environment = environment
        self._site = site
        self._viewer = viewer
        self._now = now

    def page(
        self,
        request: Request,
        template: str,
        context: Context | None = None,
        *,
        status: int = 200,
        block: str | None = None,
    ) -> HTMLResponse:
        """Return the page, or only its `block` where HTMX asks for a fragment."""
        values = {**self._defaults(request), **(context or {})}
        if block is not None and wants_fragment(request):
            html = _render_block(self._environment, template, block, values)
        else:
            html = self._environment.get_template(template).render(values)
        response = HTMLResponse(html, status_code=status)
        response.headers["Vary"] = "HX-Request"
        signed_in = values["viewer"].signed_in
        response.headers["Cache-Control"] = "no-store" if signed_in else "private, no-cache"
        return response

    def picture(self, template: str, context: Context) -> Response:
        """Return a drawing that stands alone, as SVG."""
        made = self._environment.get_template(template).render(context)
        headers = {"Cache-Control": "private, no-store"}
        return Response(made, media_type="image/svg+xml", headers=headers)

    def redirect(self, request: Request, url: str, *, done: str | None = None) -> Response:
        """Send the browser on; `done` is the code of a registered notice to show there."""
        return redirect(request, with_done(url, done))

    def toast(self, response: Response, text: str, *, undo: str = "") -> None:
        """Add a small reversible result to a fragment; `undo` is the address that takes it back."""
        detail = {"zh:toast": {"text": text, "undo": undo}}
        response.headers["HX-Trigger"] = json.dumps(detail)  # escapes to ASCII, as a header must be

    def error(
        self, request: Request, status: int, *, title: str = "", text: str = "", number: str = ""
    ) -> Response:
        """Return the page of a failure; HTMX gets the same words for the page it stands on.

        `title` and `text` replace the page's own words, `number` is what a person may report.
        """
        context: dict[str, Any] = {"title": title, "text": text, "number": number}
        context["fragment"] = wants_fragment(request)
        response = self.page(request, self._error(status), context, status=status, block="words")
        if context["fragment"]:
            response.headers["HX-Retarget"] = "#live"
            response.headers["HX-Reswap"] = "innerHTML"
        return response

    def _error(self, status: int) -> str:
        name = f"errors/{status}.html"
        try:
            self._environment.get_template(name)
        except TemplateNotFound:
            return f"errors/{FALLBACK}.html" if status >= FALLBACK else "errors/400.html"
        return name

    def _defaults(self, request: Request) -> dict[str, Any]:
        params = request.query_params.multi_items()
        path = request.url.path
        return {
            "request": request,
            "site": self._site,
            "viewer": self._viewer(request),
            "current_path": path,
            "section": _section(path, request.query_params.get("kind")),
            "notice": notices.find(request.query_params.get("done")),
            "now": self._now(),
            "url_with": _UrlWith(path, params),
            "url_without": _UrlWithout(path, params),
        }


def wants_fragment(request: Request) -> bool:
    """Tell whether HTMX will put the answer into a part of the page it stands on."""
    headers = request.headers
    return (
        headers.get("hx-request") == "true"
        and headers.get("hx-boosted") != "true"
        and headers.get("hx-history-restore-request") != "true"
    )


def redirect(request: Request, url: str) -> Response:
    """Return 303, or the header by which HTMX loads a whole page: a 303 would fill the fragment."""
    if wants_fragment(request):
        return Response(headers={"HX-Redirect": url})
    return RedirectResponse(url, status_code=303)


def to_login(request: Request) -> Response:
    """Send somebody to sign in and back to what they were reading."""
    return _by_way_of(request, "/login")


def to_consent(request: Request) -> Response:
    """Send somebody to what is to be agreed to, and back to what they were about to do."""
    return _by_way_of(request, "/consent")


def _by_way_of(request: Request, page: str) -> Response:
    target = request.url.path
    if request.url.query:
        target += f"?{request.url.query}"
    if request.method != "GET" or wants_fragment(request):
        target = _own_path(request.headers.get("referer", "")) or "/"
    return redirect(request, f"{page}?next={quote(target, safe='/')}")


def safe_next(url: str, default: str = "/") -> str:
    """Return a `next` address only where it stays on this site."""
    leaves = not url.startswith("/") or url.startswith("//") or "\\" in url
    return default if leaves or not url.isprintable() else url


def _own_path(referer: str) -> str:
    try:
        parts = urlsplit(referer)
    except ValueError:
        return ""
    return safe_next(parts.path + (f"?{parts.query}" if parts.query else ""), "")


def _section(path: str, kind: str | None) -> str:
    if path.startswith("/board"):
        return "board"
    if path.startswith("/search"):
        return "demand" if kind == "demand" else "achievement"
    return ""


def with_done(url: str, code: str | None) -> str:
    """Return an address that shows a registered notice, or as it is without one."""
    if not code:
        return url
    bare, hash_mark, fragment = url.partition("#")
    joint = "&" if "?" in bare else "?"
    return f"{bare}{joint}done={quote(code)}{hash_mark}{fragment}"


def _render_block(environment: Environment, template: str, block: str, values: Context) -> str:
    """Render one block as it would stand in its page.

    The template's root runs up to the first text of its layout: that makes its imports and sets
    known to the block and puts the blocks of every layout in between in their places.
    """
    loaded = environment.get_template(template)
    context = loaded.new_context(dict(values))
    root = loaded.root_render_func(context)
    next(root, None)
    return "".join(context.blocks[block][0](context))


class _UrlWith:
    """The address of the page with parameters changed: a list sets several, None drops.

    A changed filter starts at the first page again, and a message is shown once.
    """

    def __init__(self, path: str, params: list[tuple[str, str]]) -> None:
        self._path = path
        self._params = [(name, value) for name, value in params if name != "done"]

    def __call__(self, **changes: Any) -> str:
        dropped = {"page", *changes}
        kept = [(name, value) for name, value in self._params if name not in dropped]
        for name, value in changes.items():
            if value is None:
                continue
            values = value if isinstance(value, list | tuple) else [value]
            kept += [(name, str(one)) for one in values]
        return _url(self._path, kept)


class _UrlWithout:
    """The address of the page without one value of a parameter."""

    def __init__(self, path: str, params: list[tuple[str, str]]) -> None:
        self._path = path
        self._params = [(n, v) for n, v in params if n not in ("done", "page")]

    def __call__(self, name: str, value: object) -> str:
        return _url(self._path, [pair for pair in self._params if pair != (name, str(value))])


def _url(path: str, params: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(params)}" if params else path
