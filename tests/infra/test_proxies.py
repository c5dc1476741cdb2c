"""Where a visitor is counts by the proxy's word only where that proxy was named."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest

from infra.settings import Settings
from infra.web import create_app, in_thread
from infra.wiring import open_reader
from market.accounts.throttle import ADDRESS_SIGN_UPS
from market.accounts.work import Parts

FORM = {
    "email": "a@example.com",
    "name": "示范张甲",
    "password": "a-long-passphrase",
    "agreed": True,
}


@contextmanager
def serving(parts: Parts, settings: Settings) -> Iterator[httpx.Client]:
    engine = open_reader(settings)
    server, thread, port = in_thread(create_app(parts, engine, settings), settings)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1") as client:
            yield client
    finally:
        server.stop()
        thread.join(timeout=10)
        engine.close()


@pytest.mark.parametrize(("proxies", "last"), [((), 429), (("127.0.0.1",), 422)])
def test_an_address_is_believed_from_a_named_proxy_alone(
    parts: Parts, settings: Settings, proxies: tuple[str, ...], last: int
) -> None:
    with serving(parts, replace(settings, port=0, trusted_proxies=proxies)) as client:
        answers = [
            client.post("/people", json=FORM, headers={"X-Forwarded-For": f"192.0.2.{n}"})
            for n in range(1, ADDRESS_SIGN_UPS + 2)
        ]
    assert answers[0].status_code == 201
    assert {one.status_code for one in answers[1:-1]} == {422}
    assert answers[-1].status_code == last
    if last == 429:
        assert int(answers[-1].headers["retry-after"]) > 0
