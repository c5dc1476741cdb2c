"""Fifty at once with the same number: one entry, whichever way they come in."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
import uvicorn

from infra.web import listen
from market.accounts.work import Parts
from market.api import build_api
from market.kit.errors import Conflict
from market.ledger import service as ledger
from market.ledger import verify
from market.ledger.schemas import Slice
from market.registry import service
from market.registry.models import RegistrationState
from market.registry.schemas import SubmitIn, UndoIn
from tests import factories
from tests.support import papers
from tests.support.market import read_for, work_for

pytestmark = pytest.mark.usefixtures("both_databases")
CLIENTS, ROUNDS, FULL_ROUNDS = 50, 20, 200
HTTP_ROUNDS = 5


@pytest.fixture
def url(parts: Parts, settings) -> Iterator[str]:
    """The API on a real socket."""
    server = uvicorn.Server(uvicorn.Config(build_api(parts), log_level="critical"))
    listening = listen(replace(settings, port=0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()


def at_once(clients: int, act: Callable[[int], str]) -> Counter[str]:
    gate = threading.Barrier(clients)
    answers: list[str] = []

    def run(client: int) -> None:
        gate.wait()
        answers.append(act(client))

    threads = [threading.Thread(target=run, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(answers)


def assert_counted(parts: Parts, times: int) -> None:
    with read_for(parts, factories.actor(parts)) as work:
        assert ledger.verify(work.session) == []
        found = ledger.total(work.session, Slice())
        assert (found.count, found.technical_fen) == (times, times * 100 * papers.WAN)


def waiting(parts: Parts, pair: papers.Sides, clients: int) -> list[service.Filed]:
    """Return registrations that wait, handing in what is missing to the number of clients."""
    found: list[service.Filed] = []
    with read_for(parts, pair.officer) as work:
        for page in (1, 2):
            found += service.registrations(work, RegistrationState.SUBMITTED, page)[0]
    return found + [papers.submitted(parts, pair) for _ in range(clients - len(found))]


def decide(parts: Parts, pair: papers.Sides, filed, form) -> str:
    try:
        with work_for(parts, pair.officer) as work:
            service.decide(work, filed.row.public_id, form)
    except Conflict:
        return "conflict"
    return "registered"


def one_number_on_many(parts: Parts, rounds: int) -> None:
    """Fifty officers enter the same number for fifty contracts, again and again."""
    pair = papers.sides(parts)
    for round_ in range(1, rounds + 1):
        queue = waiting(parts, pair, CLIENTS)
        number = papers.number()
        answers = at_once(
            CLIENTS,
            lambda n, queue=queue, number=number: decide(
                parts, pair, queue[n], papers.decision(queue[n], number=number)
            ),
        )
        assert answers == {"registered": 1, "conflict": CLIENTS - 1}
        assert_counted(parts, round_)


def one_contract_by_many(parts: Parts, rounds: int) -> None:
    """Fifty officers decide on the same contract, again and again."""
    pair = papers.sides(parts)
    for round_ in range(1, rounds + 1):
        filed = papers.submitted(parts, pair)
        form = papers.decision(filed)
        answers = at_once(CLIENTS, lambda _n, f=filed, d=form: decide(parts, pair, f, d))
        assert answers["registered"] >= 1  # the others got the same answer, or a conflict
        assert set(answers) <= {"registered", "conflict"}
        assert_counted(parts, round_)


def test_one_number_on_fifty_contracts_through_the_service(parts: Parts) -> None:
    one_number_on_many(parts, ROUNDS)


def test_one_contract_decided_fifty_times_through_the_service(parts: Parts) -> None:
    one_contract_by_many(parts, ROUNDS)


@pytest.mark.full
def test_fifty_at_once_many_times_over(
    parts: Parts, both_databases: str, verified: Callable[..., None]
) -> None:
    one_contract_by_many(parts, FULL_ROUNDS)
    with read_for(parts, factories.actor(parts)) as work:
        assert list(verify.links(work.session)) == []
    verified(
        f"同一份合同同时登记，{both_databases}",
        how_many=f"{CLIENTS}人同时，{FULL_ROUNDS}轮",
        result="每轮一份登记、一笔账，其余得到同样的答复或冲突；密钥链完好",
    )


@pytest.mark.full
def test_fifty_contracts_with_one_number_many_times_over(
    parts: Parts, both_databases: str, verified: Callable[..., None]
) -> None:
    one_number_on_many(parts, FULL_ROUNDS)
    verified(
        f"同一个编号同时登记在不同的合同上，{both_databases}",
        how_many=f"{CLIENTS}份合同同时，{FULL_ROUNDS}轮",
        result="每轮一份计入，其余是冲突",
    )


def test_one_number_on_fifty_contracts_through_http(parts: Parts, url: str) -> None:
    pair = papers.sides(parts)
    headers = {"Authorization": f"Bearer {factories.token(parts, pair.officer)}"}

    def post(client: int) -> str:
        filed = queue[client]
        form = papers.decision(filed, number=number)
        answer = httpx.post(
            f"{url}/registrations/{filed.row.public_id}/decision",
            json=form.model_dump(mode="json"),
            headers=headers,
            timeout=60,
            trust_env=False,
        )
        if answer.status_code == 409:
            assert "已登记在另一份合同上" in answer.json()["error"]["message"] or (
                "一个编号只计一次" in answer.json()["error"]["message"]
            )
        return str(answer.status_code)

    for round_ in range(1, HTTP_ROUNDS + 1):
        queue = waiting(parts, pair, CLIENTS)
        number = papers.number()
        assert at_once(CLIENTS, post) == {"200": 1, "409": CLIENTS - 1}
        assert_counted(parts, round_)


def test_one_contract_decided_by_fifty_through_http(parts: Parts, url: str) -> None:
    pair = papers.sides(parts)
    headers = {"Authorization": f"Bearer {factories.token(parts, pair.officer)}"}
    for round_ in range(1, HTTP_ROUNDS + 1):
        filed = papers.submitted(parts, pair)
        form = papers.decision(filed).model_dump(mode="json")
        address = f"{url}/registrations/{filed.row.public_id}/decision"
        answers = at_once(CLIENTS, lambda _n, a=address, f=form: posted(a, headers, json=f))
        assert answers["200"] >= 1  # the others got the same answer, or a conflict
        assert set(answers) <= {"200", "409"}
        assert_counted(parts, round_)


def prepared(parts: Parts, pair: papers.Sides, project: str, file: str) -> service.Filed:
    """Return an application that lacks nothing and is not handed in."""
    contract = papers.signed_contract(parts, pair, project=project)
    with work_for(parts, pair.seller_actor) as work:
        filed = service.prepare(work, SubmitIn(contract=contract.public_id))
        told = papers.TOLD.model_copy(update={"buyer_nature": "100"})
        service.fill(work, filed.row.public_id, told)
        service.attach(work, filed.row.public_id, papers.scan(file))
    return filed


def posted(address: str, headers: dict[str, str], json: object = None) -> str:
    """Return the answer's status; whoever is told that the database is busy comes again."""
    for _ in range(30):
        answer = httpx.post(address, json=json, headers=headers, timeout=60, trust_env=False)
        if answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
            break
    return str(answer.status_code)


def test_one_draft_is_handed_in_once_by_fifty(parts: Parts, url: str) -> None:
    pair = papers.sides(parts)
    headers = {"Authorization": f"Bearer {factories.token(parts, pair.seller_actor)}"}
    filed = prepared(parts, pair, "同一项目", "同一份")
    address = f"{url}/registrations/{filed.row.public_id}/hand-in"
    assert at_once(CLIENTS, lambda _n: posted(address, headers)) == {
        "200": 1,
        "409": CLIENTS - 1,
    }


def test_fifty_papers_of_one_contract_handed_in_at_once_are_one_application(
    parts: Parts, url: str
) -> None:
    pair = papers.sides(parts)
    headers = {"Authorization": f"Bearer {factories.token(parts, pair.seller_actor)}"}
    drafts = [prepared(parts, pair, "同一项目", f"第{n}份") for n in range(CLIENTS)]
    for _ in range(2):
        answers = at_once(
            CLIENTS,
            lambda n: posted(f"{url}/registrations/{drafts[n].row.public_id}/hand-in", headers),
        )
        assert answers == {"200": 1, "409": CLIENTS - 1}
        with work_for(parts, pair.seller_actor) as work:
            rows, total = service.registrations(work, RegistrationState.SUBMITTED)
            assert total == 1
            service.withdraw(work, rows[0].row.public_id)
        gone = next(n for n, one in enumerate(drafts) if one.row.id == rows[0].row.id)
        drafts[gone] = prepared(parts, pair, "同一项目", f"再一份{gone}")


def test_two_papers_of_one_contract_do_not_wait_for_one_another(parts: Parts) -> None:
    """One is handed in step by step, the other all at once."""
    pair = papers.sides(parts)
    drafted = prepared(parts, pair, "同一项目", "甲本")
    other = papers.signed_contract(parts, pair, project="同一项目")
    began = threading.Event()

    def act(client: int) -> str:
        try:
            with work_for(parts, pair.seller_actor) as work:
                if client == 0:
                    began.wait()
                    service.hand_in(work, drafted.row.public_id)
                else:
                    form = SubmitIn(contract=other.public_id)
                    filed = service.prepare(work, form)
                    began.set()
                    time.sleep(1)  # the other one is waiting by now
                    told = papers.TOLD.model_copy(update={"buyer_nature": "100"})
                    service.fill(work, filed.row.public_id, told)
                    service.attach(work, filed.row.public_id, papers.scan("乙本"))
                    service.hand_in(work, filed.row.public_id)
        except Conflict:
            return "conflict"
        except Exception as error:  # noqa: BLE001  a thread's own
            return repr(error)
        return "handed in"

    assert at_once(2, act) == {"handed in": 1, "conflict": 1}


def test_an_undo_at_once_by_fifty_is_one_reversal(parts: Parts) -> None:
    pair = papers.sides(parts)
    done = papers.registered(parts, pair)

    def undo(_client: int) -> str:
        try:
            with work_for(parts, pair.officer) as work:
                service.undo(work, done.row.public_id, UndoIn(reason="金额抄错"))
        except Conflict:
            return "conflict"
        return "undone"

    assert at_once(CLIENTS, undo) == {"undone": 1, "conflict": CLIENTS - 1}
    assert_counted(parts, 0)
    assert len(papers.transactions(parts)) == 2
