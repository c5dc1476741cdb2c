"""People at work over HTTP, with a record of what the market acknowledged.

A request whose answer was lost is sent again under the same Idempotency-Key until it is answered,
as a careful program does. What is recorded was answered; what is in the market must be that.
"""

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from market.accounts.policy import OrganisationKind, Role
from market.accounts.work import Actor, Parts
from tests import factories
from tests.support.applying import TOLD

AMOUNT = 156_000_000
DEVICE = 30_000_000
PATIENCE = 90.0


class Gate:
    """Lets the drivers work, and waits until none is in the middle of a request."""

    def __init__(self) -> None:
        self._open = threading.Condition()
        self._closed = False
        self._inside = 0

    @contextmanager
    def passing(self) -> Iterator[None]:
        with self._open:
            self._open.wait_for(lambda: not self._closed)
            self._inside += 1
        try:
            yield
        finally:
            with self._open:
                self._inside -= 1
                self._open.notify_all()

    @contextmanager
    def closed(self) -> Iterator[None]:
        with self._open:
            self._closed = True
            assert self._open.wait_for(lambda: not self._inside, PATIENCE), "a request hangs"
        try:
            yield
        finally:
            with self._open:
                self._closed = False
                self._open.notify_all()


@dataclass
class Done:
    """What was acknowledged, as it is then read from the database."""

    titles: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    """Titles of achievements that were asked about."""
    signed: set[str] = field(default_factory=set)
    registered: dict[str, int] = field(default_factory=dict)
    """Registration number → 技术交易额 in fen; those undone are counted as 0."""
    imports: dict[str, set[str]] = field(default_factory=dict)
    """Run → own numbers of its rows."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Client:
    """Sends as one person until there is an answer."""

    def __init__(self, parts: Parts, actor: Actor, url: str, gate: Gate) -> None:
        headers = {"Authorization": f"Bearer {factories.token(parts, actor)}"}
        self._http = httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=20)
        self._gate = gate
        self.again = 0

    def post(self, path: str, **given: Any) -> Any:
        key = {"Idempotency-Key": uuid.uuid4().hex}
        answer = self._sent(lambda: self._http.post(path, headers=key, **given))
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def put(self, path: str, **given: Any) -> Any:
        answer = self._sent(lambda: self._http.put(path, **given))
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def get(self, path: str) -> Any:
        answer = self._sent(lambda: self._http.get(path))
        assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def _sent(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        deadline = time.monotonic() + PATIENCE
        with self._gate.passing():
            while True:
                try:
                    answer = send()
                except httpx.TransportError:
                    self.again += 1
                else:
                    if answer.status_code != 503:
                        return answer
                assert time.monotonic() < deadline, "no answer"
                time.sleep(0.02)

    def close(self) -> None:
        self._http.close()


class Trading:
    """Drivers in threads of their own: listings, deals and registrations; imports."""

    def __init__(self, parts: Parts, url: str, *, region: str = "0000") -> None:
        """`region`: how registration numbers begin; those of the demonstration by 0000."""
        self._region = region
        self.gate, self.done, self.failed = Gate(), Done(), list[Exception]()
        self._stop = threading.Event()
        school = factories.organisation(parts, self_publish=True, name="示范大学甲")
        firm = factories.organisation(parts, OrganisationKind.COMPANY, name="示例机电乙")
        bureau = factories.organisation(parts, OrganisationKind.BUREAU)

        def client(role: Role, at: Any) -> Client:
            return Client(parts, factories.actor(parts, role, at), url, self.gate)

        self._numbers = itertools.count(1)
        self.clients: list[Client] = []
        for _ in range(2):
            trio = [client(*one) for one in ((Role.MANAGER, school), (Role.MANAGER, firm))]
            trio.append(client(Role.OFFICER, bureau))
            self.clients += trio
            self._start(self._deal, *trio)
        self.clients.append(client(Role.EDITOR, school))
        self._start(self._import, self.clients[-1])

    def _start(self, step: Callable[..., None], *clients: Client) -> None:
        def run() -> None:
            try:
                while not self._stop.is_set():
                    step(*clients)
            except Exception as error:  # noqa: BLE001  told by `end`, in the test's own thread
                self.failed.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.threads = [*getattr(self, "threads", []), thread]

    def end(self) -> None:
        self._stop.set()
        for thread in self.threads:
            thread.join(PATIENCE)
        for client in self.clients:
            client.close()
        if self.failed:
            raise self.failed[0]

    def _deal(self, seller: Client, buyer: Client, officer: Client) -> None:
        number = next(self._numbers)
        title = f"第{number}号轨道扣件检测装置"
        listing = seller.post("/my/achievements", json={"title": title, "summary": "可试用"})
        with self.done.lock:
            self.done.titles.add(title)
        seller.post(f"/my/listings/{listing['id']}/submission")
        asked = buyer.post("/inquiries", json={"listing": listing["id"], "message": "能试用吗？"})
        with self.done.lock:
            self.done.asked.add(title)
        seller.post(f"/inquiries/{asked['id']}/answer", json={"answer": "可以来试。"})
        deal = f"/deals/{self._deal_of(buyer, asked['id'])}"
        terms = {"seen": 0, "mode": "独占许可", "amount_fen": AMOUNT + DEVICE, "text": "5年"}
        seller.post(f"{deal}/terms", json=terms)
        seller.post(f"{deal}/confirm", json={"version": 1})
        buyer.post(f"{deal}/confirm", json={"version": 1})
        contract = self._signed(seller, buyer, deal, title)
        with self.done.lock:
            self.done.signed.add(title)
        filed = self._handed_in(seller, contract)
        decision = {
            "decision": "registered",
            "number": f"{self._region}2026{number:08d}",
            "decided_on": time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600)),
            "total_fen": AMOUNT + DEVICE,
            "technical_fen": AMOUNT,
        }
        officer.post(f"/registrations/{filed}/decision", json=decision)
        with self.done.lock:
            self.done.registered[decision["number"]] = AMOUNT
        if number % 5 == 0:
            officer.post(f"/registrations/{filed}/undo", json={"reason": "金额抄录有误"})
            with self.done.lock:
                self.done.registered[decision["number"]] = 0

    def _handed_in(self, seller: Client, contract: str) -> str:
        filed: str = seller.post("/registrations", json={"contract": contract})["id"]
        file = ("合同.pdf", f"%PDF-1.7 {contract}".encode(), "application/pdf")
        seller.put(f"/registrations/{filed}/items", json=TOLD)
        seller.post(f"/registrations/{filed}/file", files={"file": file})
        seller.post(f"/registrations/{filed}/hand-in")
        return filed

    def _deal_of(self, buyer: Client, inquiry: str) -> str:
        found: str = buyer.get(f"/inquiries/{inquiry}")["deal"]
        return found

    def _signed(self, seller: Client, buyer: Client, deal: str, title: str) -> str:
        form = {
            "type": "LIC",
            "sub_type": "专利实施许可",
            "project_name": title,
            "field": 3,
            "total_fen": AMOUNT + DEVICE,
            "lines": [
                {"name": "许可费", "kind": "technical", "amount_fen": AMOUNT},
                {"name": "检测设备", "kind": "non_technical", "amount_fen": DEVICE},
            ],
            "pay_method": "lump",
            "begins_on": "2026-12-01",
            "ends_on": "2031-11-30",
        }
        contract: str = seller.post(f"{deal}/contract", json=form)["contract"]["id"]
        seller.post(f"{deal}/contract/confirm", json={"contract": contract})
        buyer.post(f"{deal}/contract/confirm", json={"contract": contract})
        return contract

    def _import(self, editor: Client) -> None:
        number = next(self._numbers)
        numbers = [f"K{number}-{row}" for row in range(25)]
        lines = "".join(f"{one},成果{one}号\n" for one in numbers)
        file = ("成果.csv", f"编号,成果名称\n{lines}".encode(), "text/csv")
        run = editor.post("/my/imports", data={"kind": "achievement"}, files={"file": file})
        with self.done.lock:
            self.done.imports[run["id"]] = set(numbers)
        time.sleep(0.5)
