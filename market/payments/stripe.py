"""Stripe: the only importer of `stripe`. Plain values in and out; nothing of the library leaves.

Every write carries an idempotency key that the caller took from its own row. Whether a call that
ended in `CardsDown` took effect is not known: whoever asks again looks first (`find_…`), because
Stripe repeats even a 500 under the same key. `CardsRefused` is final.

Amounts are fen of CNY.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from threading import BoundedSemaphore
from time import monotonic
from typing import Any, Final, TypeVar

import stripe

from market.payments.seen import (
    Asked,
    BadSignature,
    CardsDown,
    CardsRefused,
    Checkout,
    DisputeSeen,
    EventSeen,
    RefundSeen,
)

CURRENCY: Final = "cny"
TOLERANCE: Final = timedelta(minutes=5)
"""How far the clock of a signature may stand from ours, in either direction."""
SECONDS: Final = (3.0, 15.0)
"""To connect, and to wait for an answer."""
SLOW: Final = 2.0
AWAY: Final = 60.0
"""Who made us wait SLOW seconds for no answer is not asked again for AWAY: a worker goes on with
what needs no Stripe.
"""
TURNS: Final = 8
"""How many requests of people may wait for Stripe at a time."""
EVENTS: Final = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "charge.refunded",
    "charge.refund.updated",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "refund.created",
    "refund.updated",
    "refund.failed",
)
"""What the webhook should be told of, and what the sweep asks for."""
_LONGEST_ID: Final = 100
_Found = TypeVar("_Found")


class Cards:
    """Stripe by one account's keys; thread-safe."""

    def __init__(
        self,
        key: str,
        webhook_secret: str,
        *,
        url: str = "",
        methods: tuple[str, ...] = (),
        seconds: tuple[float, float] = SECONDS,
    ) -> None:
        """`methods` are Stripe's names of the ways to pay, none for what the account allows.

        `pay_origin` is where a browser pays: a page may only send its form on to a named place.
        """
        self.test_mode = not key.startswith(("sk_live_", "rk_live_"))
        self.pay_origin = url or "https://checkout.stripe.com"
        self._webhook_secret = webhook_secret
        self._methods = methods
        stripe.enable_telemetry = False
        client = stripe.StripeClient(
            key,
            http_client=stripe.RequestsClient(timeout=seconds),
            max_network_retries=0,
            base_addresses={"api": url} if url else None,
        )
        self._api: Any = client.v1
        self._turns = BoundedSemaphore(TURNS)
        self._away_until = 0.0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Let a few requests at most wait for Stripe at a time: others need the threads, too.

        Raises CardsDown at once where as many are waiting.
        """
        if not self._turns.acquire(blocking=False):
            raise CardsDown("busy")
        try:
            yield
        finally:
            self._turns.release()

    @property
    def methods(self) -> tuple[str, ...]:
        """Return Stripe's names of the ways to pay, none where the account decides."""
        return self._methods

    def open_checkout(self, asked: Asked) -> Checkout:
        """Make the session of an attempt; asked again, the same one."""
        ours = {"attempt": asked.attempt, "payment": asked.payment}
        params: dict[str, Any] = {
            "mode": "payment",
            "locale": "zh",
            "client_reference_id": asked.attempt,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": CURRENCY,
                        "unit_amount": asked.amount_fen,
                        "product_data": {"name": asked.title},
                    },
                }
            ],
            "metadata": ours,
            "payment_intent_data": {"metadata": ours, "transfer_group": asked.payment},
            "success_url": asked.done_url,
            "cancel_url": asked.back_url,
            "expires_at": int(asked.expires_at.timestamp()),
            "expand": ["payment_intent"],
        }
        if self._methods:
            params["payment_method_types"] = list(self._methods)
        if "wechat_pay" in self._methods:
            params["payment_method_options"] = {"wechat_pay": {"client": "web"}}
        made = self._call(
            lambda: self._api.checkout.sessions.create(
                params, _key(f"checkout-{asked.attempt}-{asked.unanswered}")
            )
        )
        return _checkout(made)

    def checkout(self, session: str) -> Checkout:
        options = {"expand": ["payment_intent"]}
        return _checkout(self._call(lambda: self._api.checkout.sessions.retrieve(session, options)))

    def find_checkout(self, attempt: str, since: datetime) -> Checkout | None:
        """Return the session that was made for an attempt, if any was."""
        params = {"created": {"gte": _seconds(since)}, "limit": 100}

        def look() -> Checkout | None:
            found = self._api.checkout.sessions.list(params).auto_paging_iter()
            mine = next((one for one in found if _of(one) == attempt), None)
            return None if mine is None else self.checkout(mine.id)

        return self._call(look)

    def end_checkout(self, session: str) -> Checkout:
        """Let nobody pay by a session any more; return as what it ended."""
        with suppress(CardsRefused):  # paid or expired by itself
            self._call(lambda: self._api.checkout.sessions.expire(session))
        return self.checkout(session)

    def refund(self, ours: str, intent: str, amount_fen: int) -> RefundSeen:
        params = {
            "payment_intent": intent,
            "amount": amount_fen,
            "metadata": {"refund": ours},
        }
        made = self._call(lambda: self._api.refunds.create(params, _key(f"refund-{ours}")))
        return _refund(made)

    def refund_seen(self, refund: str) -> RefundSeen:
        return _refund(self._call(lambda: self._api.refunds.retrieve(refund)))

    def refunds(self, intent: str) -> list[RefundSeen]:
        """Return all refunds of a payment intent, the oldest first."""
        params = {"payment_intent": intent, "limit": 100}

        def look() -> list[RefundSeen]:
            return [_refund(one) for one in self._api.refunds.list(params).auto_paging_iter()]

        return self._call(look)[::-1]

    def dispute(self, dispute: str) -> DisputeSeen:
        return _dispute(self._call(lambda: self._api.disputes.retrieve(dispute)))

    def disputes(self, intent: str) -> list[DisputeSeen]:
        params = {"payment_intent": intent, "limit": 100}

        def look() -> list[DisputeSeen]:
            return [_dispute(one) for one in self._api.disputes.list(params).auto_paging_iter()]

        return self._call(look)

    def intent_of_charge(self, charge: str) -> str:
        found = self._call(lambda: self._api.charges.retrieve(charge))
        return _text(found.to_dict().get("payment_intent"))

    def transfer(self, ours: str, payment: str, intent: str, account: str, amount_fen: int) -> str:
        """Send part of what an intent brought to a connected account; return the transfer's id."""
        found = self._call(lambda: self._api.payment_intents.retrieve(intent))
        charge = found.to_dict().get("latest_charge")
        params = {
            "amount": amount_fen,
            "currency": CURRENCY,
            "destination": account,
            "source_transaction": _text(charge),
            "transfer_group": payment,
            "metadata": {"transfer": ours},
        }
        made = self._call(lambda: self._api.transfers.create(params, _key(f"transfer-{ours}")))
        return _text(made.id)

    def find_transfer(self, ours: str, payment: str) -> str:
        """Return the id of the transfer that was made for our row, "" for none."""
        params = {"transfer_group": payment, "limit": 100}

        def look() -> str:
            found = self._api.transfers.list(params).auto_paging_iter()
            return next((one.id for one in found if _ours(one, "transfer") == ours), "")

        return self._call(look)

    def undelivered(self, since: datetime) -> Iterator[EventSeen]:
        """Yield the events that no webhook has taken since a moment, the newest first."""
        params = {
            "delivery_success": False,
            "created": {"gte": _seconds(since)},
            "types": list(EVENTS),
            "limit": 100,
        }
        found = self._call(lambda: list(self._api.events.list(params).auto_paging_iter()))
        for one in found:
            yield _event(one.to_dict(for_json=True))

    def verified(self, body: bytes, header: str, now: datetime) -> EventSeen:
        """Return the event of a webhook. Raises BadSignature for what Stripe did not sign with our
        secret within TOLERANCE before or after `now`: the library lets the future pass.
        """
        try:
            stripe.WebhookSignature.verify_header(body, header, self._webhook_secret)
            if abs(now - _signed_at(header)) > TOLERANCE:
                raise BadSignature
            values = json.loads(body)
            event = _event(values)
            live = values.get("livemode")
        except (
            stripe.SignatureVerificationError,
            ValueError,
            OverflowError,
            OSError,
            LookupError,
            AttributeError,
            TypeError,
            RecursionError,
        ) as error:
            raise BadSignature from error
        if live is not (not self.test_mode):
            raise BadSignature
        return event

    def _call(self, ask: Callable[[], _Found]) -> _Found:
        begun = monotonic()
        if begun < self._away_until:
            raise CardsDown("away")
        try:
            return ask()
        except (stripe.InvalidRequestError, stripe.CardError) as error:
            raise CardsRefused(str(error.code or error.http_status or "refused")[:60]) from error
        except stripe.StripeError as error:
            ended = monotonic()
            if ended - begun > SLOW:
                self._away_until = ended + AWAY
            raise CardsDown(type(error).__name__) from error


def _key(name: str) -> dict[str, str]:
    return {"idempotency_key": f"zhihe-{name}"}


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _text(value: Any) -> str:
    """Return an id, of an object or as it stands; "" for nothing."""
    if value is None:
        return ""
    return str(value if isinstance(value, str) else value["id"])


def _of(session: Any) -> str:
    """Return the attempt for which a session was made."""
    return str(session.to_dict().get("client_reference_id") or "")


def _ours(found: Any, name: str) -> str:
    return str((found.to_dict().get("metadata") or {}).get(name) or "")


def _checkout(found: Any) -> Checkout:
    values = found.to_dict()
    intent = values.get("payment_intent")
    stands = "" if intent is None or isinstance(intent, str) else str(intent.get("status"))
    paid = values.get("payment_status") == "paid"
    complete = values.get("status") == "complete"
    return Checkout(
        id=str(values["id"]),
        attempt=str(values.get("client_reference_id") or ""),
        status=str(values.get("status") or ""),
        paid=paid,
        failed=complete and not paid and stands in {"requires_payment_method", "canceled"},
        intent=_text(intent),
        amount_fen=int(values.get("amount_total") or 0),
        currency=str(values.get("currency") or ""),
        url=str(values.get("url") or ""),
    )


def _refund(found: Any) -> RefundSeen:
    values = found.to_dict()
    return RefundSeen(
        id=str(values["id"]),
        ours=_ours(found, "refund"),
        intent=_text(values.get("payment_intent")),
        status=str(values.get("status") or ""),
        amount_fen=int(values["amount"]),
    )


def _dispute(found: Any) -> DisputeSeen:
    values = found.to_dict()
    return DisputeSeen(
        id=str(values["id"]),
        intent=_text(values.get("payment_intent")),
        status=str(values.get("status") or ""),
        amount_fen=int(values["amount"]),
    )


def _signed_at(header: str) -> datetime:
    """Return the one moment that a signature names. Raises ValueError for none or several: which of
    them the library has looked at must not be a matter of how they are read.
    """
    items = [one.strip() for one in header.split(",")]
    (stamp,) = (one.partition("=")[2] for one in items if one.partition("=")[0].strip() == "t")
    return datetime.fromtimestamp(int(stamp), UTC)


def _event(values: Any) -> EventSeen:
    """Return what an event is about; "" for an object without an id, of a kind not asked for.

    Raises LookupError, TypeError or ValueError for what is no event.
    """
    name, kind = values["id"], values["type"]
    about = values["data"]["object"].get("id") or ""
    for one in (name, kind, about):
        if not isinstance(one, str) or len(one) > _LONGEST_ID or not one.isprintable():
            raise ValueError("not an event")
    if not name or not kind or (not about and kind in EVENTS):
        raise ValueError("not an event")
    return EventSeen(name, kind, about)
