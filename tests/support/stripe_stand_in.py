"""A stand-in of Stripe's API on this machine: the calls that we make, with state, over real HTTP.

`exchanges` is what went over it: (method, path, body or query as sent, answer).

It keeps sessions, intents, charges, refunds, transfers and events, and what it answered under each
idempotency key, as Stripe does: a 500 is answered again. `faults` are taken one a request that
writes, those that begin with GET one a request that reads:

    before   the connection ends and nothing was done
    after    it was done, and the connection ends without an answer (a time-out)
    500      it was done, and the answer is a 500 that stays under its key
    lost     nothing was done, and the answer is a 500 that stays under its key
"""

import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

SECRET = "whsec_stand_in_of_the_tests"
KEY = "sk_test_standin"
PAGE = 5
"""So few a page, whatever is asked for, that whoever reads a list has to go on."""
Values = dict[str, Any]


class Refused(Exception):
    """Answered with 400, or with 404 for what is not there."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


class StandIn:
    """State and steps. A test moves it by `pay`, `finish`, `expire`, `finish_refund`, `dispute`."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.lock = threading.RLock()
        self.faults: deque[str] = deque()
        self.exchanges: list[tuple[str, str, str, Values]] = []
        self.sessions: dict[str, Values] = {}
        self.intents: dict[str, Values] = {}
        self.charges: dict[str, Values] = {}
        self.refunds: dict[str, Values] = {}
        self.transfers: dict[str, Values] = {}
        self.disputes: dict[str, Values] = {}
        self.events: list[Values] = []
        self.delivered: set[str] = set()
        self.keys: dict[str, tuple[str, int, Values]] = {}
        self.refund_status = "succeeded"
        self.refuse_refunds = False
        self.url = ""
        self._count = 0

    def _id(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}_{self._count:06d}"

    def _created(self) -> int:
        return int(self.now().timestamp())

    def _event(self, kind: str, about: Values) -> None:
        event = {
            "id": self._id("evt"),
            "object": "event",
            "type": kind,
            "created": self._created(),
            "livemode": False,
            "api_version": "2026-10-28.endive",
            "pending_webhooks": 1,
            "request": {"id": None, "idempotency_key": None},
            "data": {"object": json.loads(json.dumps(about))},
        }
        self.events.append(event)

    def body(self, event: Values) -> bytes:
        return json.dumps(event).encode()

    # What a customer does, or Stripe by itself.

    def pay(self, session: str) -> None:
        with self.lock:
            one = self.sessions[session]
            if one["status"] != "open":
                return
            intent = self._intent(one, "succeeded")
            charge = {
                "id": self._id("ch"),
                "object": "charge",
                "amount": one["amount_total"],
                "amount_refunded": 0,
                "payment_intent": intent["id"],
                "refunded": False,
                "currency": "cny",
            }
            self.charges[charge["id"]] = charge
            intent["latest_charge"] = charge["id"]
            one |= {"status": "complete", "payment_status": "paid", "payment_intent": intent["id"]}
            one["url"] = None
            self._event("checkout.session.completed", one)

    def submit_slowly(self, session: str) -> None:
        """Fill in a session whose way to pay answers later."""
        with self.lock:
            one = self.sessions[session]
            intent = self._intent(one, "processing")
            one |= {"status": "complete", "payment_intent": intent["id"], "url": None}
            self._event("checkout.session.completed", one)

    def finish(self, session: str, *, paid: bool) -> None:
        with self.lock:
            one = self.sessions[session]
            if paid:
                one["status"] = "open"
                self.pay(session)
                self.events[-1]["type"] = "checkout.session.async_payment_succeeded"
            else:
                self.intents[one["payment_intent"]]["status"] = "requires_payment_method"
                self._event("checkout.session.async_payment_failed", one)

    def expire(self, session: str) -> None:
        with self.lock:
            one = self.sessions[session]
            if one["status"] != "open":
                raise Refused(400, "checkout_session_not_open")
            one |= {"status": "expired", "url": None}
            self._event("checkout.session.expired", one)

    def finish_refund(self, refund: str, status: str) -> None:
        with self.lock:
            one = self.refunds[refund]
            if status == "failed" and one["status"] != "failed":
                self._charge_of(one["payment_intent"])["amount_refunded"] -= one["amount"]
            one["status"] = status
            self._event("refund.failed" if status == "failed" else "refund.updated", one)

    def refund_by_hand(self, intent: str, amount: int) -> Values:
        with self.lock:
            return self._refund({"payment_intent": intent, "amount": str(amount)})

    def dispute(self, intent: str) -> str:
        """Let the payer's bank want everything back; return the dispute's id."""
        with self.lock:
            charge = self._charge_of(intent)
            one = {
                "id": self._id("du"),
                "object": "dispute",
                "amount": charge["amount"] - charge["amount_refunded"],
                "charge": charge["id"],
                "created": self._created(),
                "currency": "cny",
                "payment_intent": intent,
                "reason": "general",
                "status": "needs_response",
            }
            self.disputes[one["id"]] = one
            self._event("charge.dispute.created", one)
            return str(one["id"])

    def close_dispute(self, dispute: str, status: str) -> None:
        """`status`: "won" or "lost"."""
        with self.lock:
            one = self.disputes[dispute]
            one["status"] = status
            self._event("charge.dispute.closed", one)

    def _intent(self, session: Values, status: str) -> Values:
        intent = {
            "id": self._id("pi"),
            "object": "payment_intent",
            "amount": session["amount_total"],
            "status": status,
            "latest_charge": None,
            "metadata": dict(session["metadata"]),
            "currency": "cny",
        }
        self.intents[intent["id"]] = intent
        return intent

    def _charge_of(self, intent: str) -> Values:
        found = self.intents.get(intent)
        if found is None or found["latest_charge"] is None:
            raise Refused(404, "resource_missing")
        return self.charges[found["latest_charge"]]

    # What the API does.

    def _create_session(self, form: Values) -> Values:
        one = {
            "id": self._id("cs_test"),
            "object": "checkout.session",
            "amount_total": int(form["line_items[0][price_data][unit_amount]"]),
            "currency": form["line_items[0][price_data][currency]"],
            "client_reference_id": form["client_reference_id"],
            "created": self._created(),
            "expires_at": int(form["expires_at"]),
            "livemode": False,
            "metadata": _metadata(form),
            "mode": form["mode"],
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": form["success_url"],
            "url": "",
        }
        one["url"] = f"{self.url}/pay/{one['id']}"
        self.sessions[one["id"]] = one
        return one

    def _refund(self, form: Values) -> Values:
        charge = self._charge_of(form["payment_intent"])
        amount = int(form["amount"])
        if self.refuse_refunds or charge["amount_refunded"] + amount > charge["amount"]:
            raise Refused(400, "charge_already_refunded")
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        one = {
            "id": self._id("re"),
            "object": "refund",
            "amount": amount,
            "charge": charge["id"],
            "created": self._created(),
            "currency": "cny",
            "metadata": _metadata(form),
            "payment_intent": form["payment_intent"],
            "status": self.refund_status,
        }
        self.refunds[one["id"]] = one
        self._event("refund.created", one)
        self._event("charge.refunded", charge)
        return one

    def _transfer(self, form: Values) -> Values:
        charge = self.charges[form["source_transaction"]]
        before = sum(
            one["amount"]
            for one in self.transfers.values()
            if one["source_transaction"] == charge["id"]
        )
        if before + int(form["amount"]) > charge["amount"]:
            raise Refused(400, "balance_insufficient")
        one = {
            "id": self._id("tr"),
            "object": "transfer",
            "amount": int(form["amount"]),
            "created": self._created(),
            "currency": form["currency"],
            "destination": form["destination"],
            "metadata": _metadata(form),
            "source_transaction": form["source_transaction"],
            "transfer_group": form["transfer_group"],
        }
        self.transfers[one["id"]] = one
        return one

    def answer(self, method: str, path: str, form: Values) -> Values:
        """Do what a request asks. Raises Refused."""
        parts = path.removeprefix("/v1/").split("/")
        match (method, parts):
            case ("POST", ["checkout", "sessions"]):
                return self._create_session(form)
            case ("GET", ["checkout", "sessions"]):
                since = int(form.get("created[gte]", 0))
                found = [one for one in self.sessions.values() if one["created"] >= since]
                return _listed(found, path, form)
            case ("GET", ["checkout", "sessions", name]):
                return self._expanded(_there(self.sessions, name))
            case ("POST", ["checkout", "sessions", name, "expire"]):
                _there(self.sessions, name)
                self.expire(name)
                return self.sessions[name]
            case ("POST", ["refunds"]):
                return self._refund(form)
            case ("GET", ["refunds"]):
                of = form["payment_intent"]
                found = [one for one in self.refunds.values() if one["payment_intent"] == of]
                return _listed(found, path, form)
            case ("GET", ["refunds", name]):
                return _there(self.refunds, name)
            case ("GET", ["disputes"]):
                of = form["payment_intent"]
                found = [one for one in self.disputes.values() if one["payment_intent"] == of]
                return _listed(found, path, form)
            case ("GET", ["disputes", name]):
                return _there(self.disputes, name)
            case ("GET", ["charges", name]):
                return _there(self.charges, name)
            case ("GET", ["payment_intents", name]):
                return _there(self.intents, name)
            case ("POST", ["transfers"]):
                return self._transfer(form)
            case ("GET", ["transfers"]):
                of = form["transfer_group"]
                found = [one for one in self.transfers.values() if one["transfer_group"] == of]
                return _listed(found, path, form)
            case ("GET", ["events"]):
                kinds = {value for name, value in form.items() if name.startswith("types")}
                found = [
                    one
                    for one in self.events
                    if one["id"] not in self.delivered
                    and one["type"] in kinds
                    and one["created"] >= int(form.get("created[gte]", 0))
                ]
                return _listed(found, path, form)
        raise Refused(404, "resource_missing")

    def _expanded(self, session: Values) -> Values:
        intent = session["payment_intent"]
        return {**session, "payment_intent": self.intents[intent] if intent else None}

    def _fault(self, method: str) -> str:
        wanted, _, fault = (self.faults[0] if self.faults else "").rpartition(" ")
        if not fault or (wanted or "POST") != method:
            return ""
        self.faults.popleft()
        return fault

    def respond(self, method: str, path: str, form: Values, key: str) -> tuple[str, int, Values]:
        """Return (fault, status, answer) of a request."""
        with self.lock:
            fault = self._fault(method)
            if fault == "before":
                return fault, 0, {}
            asked = hashlib.sha256(json.dumps([path, form], sort_keys=True).encode()).hexdigest()
            if key and key in self.keys:
                before, status, answer = self.keys[key]
                if before != asked:
                    return fault, 400, _error("idempotency_error", "idempotency_key_in_use")
                return fault, status, answer
            try:
                done = {} if fault == "lost" else self.answer(method, path, form)
                status, answer = 200, json.loads(json.dumps(done))
            except Refused as refused:
                status = refused.status
                answer = _error("invalid_request_error", refused.code)
            if fault in ("500", "lost"):
                status, answer = 500, _error("api_error", "")
            if key:
                self.keys[key] = (asked, status, answer)
            return fault, status, answer


def _error(kind: str, code: str) -> Values:
    return {"error": {"type": kind, "code": code, "message": code}}


def _there(found: dict[str, Values], name: str) -> Values:
    if name not in found:
        raise Refused(404, "resource_missing")
    return found[name]


def _listed(found: list[Values], path: str, form: Values) -> Values:
    """Return a page of a list, the newest first, after the one that was asked to be begun after."""
    newest = found[::-1]
    names = [one["id"] for one in newest]
    begin = names.index(form["starting_after"]) + 1 if "starting_after" in form else 0
    end = begin + min(int(form.get("limit", 10)), PAGE)
    more = end < len(newest)
    return {"object": "list", "data": newest[begin:end], "has_more": more, "url": path}


def _metadata(form: Values) -> Values:
    return {
        name.removeprefix("metadata[").removesuffix("]"): value
        for name, value in form.items()
        if name.startswith("metadata[")
    }


def signed(body: bytes, at: datetime | int, secret: str = SECRET) -> str:
    """Return the header of a webhook that was signed at a moment."""
    stamp = at if isinstance(at, int) else int(at.timestamp())
    made = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={made}"


@contextmanager
def serving(now: Callable[[], datetime]) -> Iterator[StandIn]:
    """Serve a stand-in on a port of this machine."""
    state = StandIn(now)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 2**16  # head and body in one packet: the second would wait for an answer
        disable_nagle_algorithm = True

        def log_message(self, *_args: object) -> None:
            pass

        def _do(self, method: str) -> None:
            length = int(self.headers.get("content-length") or 0)
            at = urlsplit(self.path)
            sent = self.rfile.read(length).decode() if length else at.query
            form = dict(parse_qsl(sent, keep_blank_values=True))
            key = self.headers.get("idempotency-key", "") if method == "POST" else ""
            fault, status, answer = state.respond(method, at.path, form, key)
            if status == 200:
                state.exchanges.append((method, at.path, sent, answer))
            if fault in ("before", "after"):
                self.close_connection = True
                return
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _customer(self, session: str) -> None:
            """The page on which a customer pays, and the way back from it."""
            one = state.sessions[session]
            if self.command == "POST":
                state.pay(session)
                self.send_response(303)
                self.send_header("Location", one["success_url"])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            page = f"<title>{session}</title><form method=post><button>Pay</button></form>".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def _either(self) -> None:
            place, _, session = self.path.rpartition("/")
            if place == "/pay":
                self._customer(session)
            else:
                self._do(self.command)

        def do_GET(self) -> None:
            self._either()

        def do_POST(self) -> None:
            self._either()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
