"""Protection against requests that another site makes in a visitor's name.

Two checks, both must pass: where the browser says the request comes from, and a token that only
our own pages know because it is bound to the session.
"""

import secrets
from urllib.parse import urlsplit

from starlette.requests import Request

from market.kit.errors import Forbidden

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FIELD = "csrf"
HEADER = "x-csrf-token"
REFUSED = "这次提交不是从本站页面发出的，没有执行。请回到原页面刷新后再试。"


def new_token() -> str:
    """Return a token for a new session row."""
    return secrets.token_urlsafe(24)


def same_origin(request: Request) -> bool:
    """Tell whether the browser vouches that our own page sent this.

    Fetch-Metadata decides where it is sent; older browsers are judged by Origin, which every
    browser sends with a POST. Neither means no browser, or one that hides it: refused. Only host
    and port are compared, as a proxy that ends TLS hides the scheme from us.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    host = request.headers.get("host")
    if not origin or not host:
        return False
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def check(request: Request, *, sent: str, expected: str | None) -> None:
    """Raise Forbidden unless an unsafe request is ours.

    `sent` is the form's field; the header stands in for it where script sends none. `expected` is
    the session's token, None where there is no session yet (signing in, signing up).
    """
    if request.method in SAFE:
        return
    if not same_origin(request):
        raise Forbidden(REFUSED)
    if expected is None:
        return
    given = sent or request.headers.get(HEADER, "")
    if not secrets.compare_digest(given.encode("utf-8", "replace"), expected.encode()):
        raise Forbidden(REFUSED)
