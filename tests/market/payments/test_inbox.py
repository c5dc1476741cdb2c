"""Stripe's webhook over HTTP: only what it signed, now, and once."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from market.api import build_api
from market.payments import tasks
from market.payments.models_beside import StripeEvent
from market.payments.states import PaymentState
from market.payments.ways import Ways
from tests.support.paying import Till
from tests.support.stripe_stand_in import signed

pytestmark = pytest.mark.usefixtures("both_databases")
PATH = "/stripe/events"


@pytest.fixture
def http(desk: Till) -> TestClient:
    app = build_api(desk.parts)
    app.state.ways = desk.ways
    return TestClient(app)


def post(http: TestClient, body: bytes, header: str) -> int:
    return http.post(PATH, content=body, headers={"Stripe-Signature": header}).status_code


def kept(desk: Till) -> list[StripeEvent]:
    with desk.parts.database.read() as session:
        return list(session.exec(select(StripeEvent)))


def paid_event(desk: Till) -> tuple[Any, bytes]:
    payment = desk.owed()
    desk.stripe.pay(desk.checkout(payment))
    return payment, desk.stripe.body(desk.stripe.events[-1])


def test_a_signed_event_is_kept_once_and_handled_by_a_job(desk: Till, http: TestClient) -> None:
    payment, body = paid_event(desk)
    for _ in range(3):
        assert post(http, body, signed(body, desk.clock.now())) == 200
    (row,) = kept(desk)
    assert row.handled_at is None
    assert desk.row(payment).state == PaymentState.DUE
    desk.work()
    (row,) = kept(desk)
    assert row.outcome == "收款"
    assert desk.row(payment).state == PaymentState.PAID
    assert post(http, body, signed(body, desk.clock.now())) == 200
    desk.work()
    assert len(desk.view(payment).captures) == 1
    desk.sound()


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_a_signature_of_another_time_is_refused_past_and_future(
    desk: Till, http: TestClient, seconds: int
) -> None:
    _, body = paid_event(desk)
    at = desk.clock.now() + timedelta(seconds=seconds)
    assert post(http, body, signed(body, at)) == 422
    near = desk.clock.now() + timedelta(seconds=seconds / abs(seconds) * 299)
    assert post(http, body, signed(body, near)) == 200
    assert len(kept(desk)) == 1


@pytest.mark.parametrize(
    "header",
    ["", "t=1", "v1=00", "t=x,v1=00", "t=99999999999999999999,v1=00", "t,v1", "t=²,v1=é", ",,,"],
)
def test_what_is_no_signature_is_refused(desk: Till, http: TestClient, header: str) -> None:
    _, body = paid_event(desk)
    given = header.encode()
    answer = http.post(PATH, content=body, headers={b"Stripe-Signature": given})
    assert answer.status_code == 422
    assert kept(desk) == []


def test_an_old_signature_behind_a_new_moment_is_refused(desk: Till, http: TestClient) -> None:
    _, body = paid_event(desk)
    now = desk.clock.now()
    old = signed(body, now - timedelta(days=30))
    stamp = int(now.timestamp())
    for header in (f"v0=x, t={stamp},{old}", f"t={stamp},{old}", f"{old},t={stamp}"):
        assert post(http, body, header) == 422
    assert kept(desk) == []


def test_two_signatures_while_the_secret_is_changed_are_taken(desk: Till, http: TestClient) -> None:
    _, body = paid_event(desk)
    now = desk.clock.now()
    other = signed(body, now, "whsec_other").partition(",")[2]
    assert post(http, body, f"{signed(body, now)},{other}") == 200


def test_an_event_of_a_kind_that_nobody_asked_for_is_answered_and_not_kept(
    desk: Till, http: TestClient
) -> None:
    event = desk.stripe.body(
        {"id": "evt_1", "type": "balance.available", "livemode": False, "data": {"object": {}}}
    )
    assert post(http, event, signed(event, desk.clock.now())) == 200
    assert kept(desk) == []


def test_forged_changed_and_foreign_bodies_are_refused(desk: Till, http: TestClient) -> None:
    _, body = paid_event(desk)
    now = desk.clock.now()
    assert post(http, body, signed(body, now, "whsec_other")) == 422
    assert post(http, body.replace(b"300000", b"900000"), signed(body, now)) == 422
    for other in (
        b"",
        b"{}",
        b"[]",
        b"\xff\xfe",
        b"null",
        b'{"id": 1}',
        body.replace(b'"livemode": false', b'"livemode": true'),
        body.replace(b"evt_", b"evt\\u0000_"),
        body.replace(b'"livemode": false', b'"livemode": 0'),
        b"[" * 100_000,
    ):
        assert post(http, other, signed(other, now)) == 422
    assert kept(desk) == []


def test_a_form_is_no_event(desk: Till, http: TestClient) -> None:
    answer = http.post(
        PATH, files={"a": b"1"}, headers={"Idempotency-Key": "a", "Stripe-Signature": "t=1,v1=0"}
    )
    assert answer.status_code == 422
    assert kept(desk) == []


def test_without_keys_there_is_no_webhook(desk: Till, http: TestClient) -> None:
    _, body = paid_event(desk)
    http.app.state.ways = Ways()  # type: ignore[attr-defined]
    assert post(http, body, signed(body, desk.clock.now())) == 404


def test_an_event_that_hangs_is_run_again_by_the_sweep(desk: Till, http: TestClient) -> None:
    payment, body = paid_event(desk)
    assert post(http, body, signed(body, desk.clock.now())) == 200
    desk.stripe.faults.extend(["GET before"] * 5)
    for _ in range(5):
        desk.work()
        desk.clock.advance(minutes=11)
    assert desk.row(payment).state == PaymentState.DUE
    with desk.parts.database.write() as session:
        tasks.owe_sweep(session, desk.clock.now())
    desk.work()
    assert desk.row(payment).state == PaymentState.PAID
    desk.sound()


def test_an_event_about_nothing_of_ours_is_marked_and_changes_nothing(
    desk: Till, http: TestClient
) -> None:
    payment, body = paid_event(desk)
    (session,) = desk.stripe.sessions
    other = body.replace(session.encode(), b"cs_of_somebody_else")
    assert post(http, other, signed(other, desk.clock.now())) == 200
    desk.work()
    (row,) = kept(desk)
    assert row.handled_at is not None
    assert desk.row(payment).state == PaymentState.DUE
