"""The stand-in of Stripe is held against Stripe's own `stripe-mock`: every request that we make is
one that Stripe's published API takes, and what the stand-in answers has that API's fields.

`go install github.com/stripe/stripe-mock@latest` builds it; where Go is not to be had, skipped.
"""

import dataclasses
import json
import os
import shutil
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from market.payments.seen import Asked
from market.payments.stripe import EVENTS, Cards
from tests.support.stripe_stand_in import KEY, SECRET, StandIn, serving

LISTENING = "Listening for HTTP at address: "
MODULE = "github.com/stripe/stripe-mock@latest"
NOW = datetime(2026, 11, 2, 2, tzinfo=UTC)
ASKED = Asked(
    attempt="attempt",
    unanswered=0,
    payment="payment",
    title="平台服务费",
    amount_fen=300_000,
    done_url="http://x/d",
    back_url="http://x/b",
    expires_at=NOW + timedelta(hours=2),
)


def _built(folder: Path) -> str:
    """Return the program: the one on the PATH, or one built now."""
    if found := shutil.which("stripe-mock"):
        return found
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        pytest.skip("没有 Go，不能构建 stripe-mock")
    environment = {**os.environ, "GOBIN": str(folder), "GOFLAGS": "-mod=mod"}
    made = subprocess.run(
        [go, "install", MODULE], env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, f"stripe-mock cannot be built: {made.stderr[-1000:]}"
    return str(folder / "stripe-mock")


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running stripe-mock, on ports of its choice."""
    program = _built(tmp_path_factory.mktemp("go"))
    with subprocess.Popen(
        [program, "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0"],
        stdout=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        said = next((line for line in running.stdout if line.startswith(LISTENING)), "")
        # It tells of every request: what nobody reads would fill the pipe and stop it.
        reader = threading.Thread(target=running.stdout.read)
        reader.start()
        try:
            assert said, "stripe-mock did not start"
            yield f"http://{said.removeprefix(LISTENING).strip()}"
        finally:
            running.terminate()
            reader.join()


def every_call(stripe: StandIn) -> None:
    """Make each call that `Cards` knows, with each of its parameters."""
    cards = Cards(KEY, SECRET, url=stripe.url, methods=("card", "alipay", "wechat_pay"))
    made = cards.open_checkout(ASKED)
    assert cards.find_checkout("attempt", NOW) is not None
    stripe.pay(made.id)
    seen = cards.checkout(made.id)
    refund = cards.refund("refund", seen.intent, 1000)
    cards.refund_seen(refund.id)
    assert cards.refunds(seen.intent) == [refund]
    assert cards.intent_of_charge(next(iter(stripe.charges))) == seen.intent
    assert cards.transfer("transfer", "payment", seen.intent, "acct_1example", 5)
    assert cards.find_transfer("transfer", "payment")
    dispute = cards.dispute(stripe.dispute(seen.intent))
    assert dispute.status == "needs_response"
    assert cards.disputes(seen.intent) == [dispute]
    assert {one.type for one in cards.undelivered(NOW)} <= set(EVENTS)
    other = cards.open_checkout(dataclasses.replace(ASKED, attempt="other"))
    assert cards.end_checkout(other.id).status == "expired"


def ask(mock: str, method: str, path: str, raw: str) -> Any:
    """Return what stripe-mock answers; fail where it does not take the request."""
    body = raw.encode() if method == "POST" else None
    url = f"{mock}{path}" + (f"?{raw}" if raw and method == "GET" else "")
    request = urllib.request.Request(
        url, data=body, method=method, headers={"Authorization": f"Bearer {KEY}"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            pytest.fail(f"{method} {path} {raw}: {error.code} {error.read().decode()[:500]}")


def unlike(ours: Any, theirs: Any, at: str = "") -> Iterator[str]:
    """Yield where an answer has a field that Stripe's has not, or of another kind."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name, value in ours.items():
            if at.endswith((".metadata", ".data.object", ".request")):
                continue
            if name not in theirs:
                yield f"{at}.{name} is no field of Stripe's"
            else:
                yield from unlike(value, theirs[name], f"{at}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list):
        for value in ours:
            if theirs:
                yield from unlike(value, theirs[0], f"{at}[]")
    elif ours is not None and theirs is not None and not _one_kind(ours, theirs):
        yield f"{at} is {type(ours).__name__}, Stripe's {type(theirs).__name__}"


def _one_kind(ours: Any, theirs: Any) -> bool:
    """An object stands expanded or as its id."""
    expandable = {type(ours), type(theirs)} == {str, dict}
    return type(ours) is type(theirs) or expandable


def test_requests_and_answers_are_those_of_stripes_published_api(mock: str) -> None:
    with serving(lambda: NOW) as stripe:
        every_call(stripe)
        asked = list(stripe.exchanges)
    assert len({(method, path.split("/")[2]) for method, path, *_ in asked}) >= 7
    wrong = []
    for method, path, raw, answer in asked:
        theirs = ask(mock, method, path, raw)
        wrong += [f"{method} {path}: {one}" for one in unlike(answer, theirs)]
    assert wrong == []


def test_the_official_client_speaks_with_stripes_own_mock(mock: str) -> None:
    """It keeps no state and answers with fixtures: each call is taken and its answer is read."""
    cards = Cards(KEY, SECRET, url=mock, methods=("card", "alipay", "wechat_pay"))
    made = cards.open_checkout(ASKED)
    assert cards.checkout(made.id).id == made.id
    assert cards.end_checkout(made.id).id
    assert cards.find_checkout("attempt", NOW) is None
    assert cards.refund("refund", "pi_1", 1000).amount_fen
    assert cards.refund_seen("re_1").id
    assert cards.refunds("pi_1")
    assert cards.intent_of_charge("ch_1") is not None
    assert cards.transfer("transfer", "payment", "pi_1", "acct_1example", 5)
    assert cards.find_transfer("transfer", "payment") == ""
    assert cards.dispute("du_1").status
    assert cards.disputes("pi_1")
    assert {one.type for one in cards.undelivered(NOW)}


def test_what_stripe_does_not_know_is_found(mock: str) -> None:
    """The mock would refuse a wrong request, and the comparison a wrong answer."""
    with pytest.raises(pytest.fail.Exception):
        ask(mock, "POST", "/v1/refunds", "payment_intent=pi_1&no_such_thing=1")
    theirs = ask(mock, "POST", "/v1/refunds", "payment_intent=pi_1&amount=1")
    assert list(unlike({"amount": "1", "no_such_thing": 1}, theirs)) == [
        ".amount is str, Stripe's int",
        ".no_such_thing is no field of Stripe's",
    ]
