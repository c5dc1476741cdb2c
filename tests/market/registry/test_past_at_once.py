"""Twenty at once with the same number, brought in and decided: one entry, whoever was first."""

import threading
from collections import Counter
from collections.abc import Callable

import pytest

from market.accounts.policy import Role
from market.accounts.work import Parts
from market.kit.errors import Conflict
from market.kit.ids import PublicId
from market.ledger import service as ledger
from market.ledger.schemas import Slice
from market.registry import past, service
from market.registry.audit import audit
from market.registry.schemas import TakeOutIn
from tests import factories
from tests.support import history, papers
from tests.support.market import work_for

pytestmark = pytest.mark.usefixtures("both_databases")
CLIENTS, ROUNDS = 20, 3


def at_once(act: Callable[[int], str]) -> Counter[str]:
    gate = threading.Barrier(CLIENTS)
    answers: list[str] = []

    def run(client: int) -> None:
        gate.wait()
        answers.append(act(client))

    threads = [threading.Thread(target=run, args=(client,)) for client in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(answers)


def counted(parts: Parts) -> int:
    with parts.database.read() as session:
        assert ledger.verify(session) == []
        assert list(audit(session)) == []
        return ledger.total(session, Slice()).count


def test_one_number_in_twenty_files(parts: Parts) -> None:
    officer = factories.actor(parts, Role.OFFICER)
    for turn in range(1, ROUNDS + 1):
        number = papers.number()
        rows = [[history.row(), history.row(number=number), history.row()] for _ in range(CLIENTS)]

        def bring(client: int, rows=rows) -> str:
            return history.bring_in(parts, officer, rows[client], run=client)[1].effect

        assert at_once(bring) == {"created": 1, "refused": CLIENTS - 1}
        assert counted(parts) == turn * (2 * CLIENTS + 1)


def test_the_same_file_twenty_times(parts: Parts) -> None:
    officer = factories.actor(parts, Role.OFFICER)
    rows = [history.row() for _ in range(10)]

    def bring(client: int) -> str:
        return "、".join(
            sorted(set(history.effects(history.bring_in(parts, officer, rows, run=client))))
        )

    assert at_once(bring) == {"created": 1, "unchanged": CLIENTS - 1}
    assert counted(parts) == 10


def test_one_number_in_files_and_on_the_desk(parts: Parts) -> None:
    pair = papers.sides(parts)
    for turn in range(1, ROUNDS + 1):
        number = papers.number()
        queue = [papers.submitted(parts, pair) for _ in range(CLIENTS // 2)]
        rows = [[history.row(number=number)] for _ in range(CLIENTS)]

        def come(client: int, number=number, queue=queue, rows=rows) -> str:
            if client % 2:
                effect = history.bring_in(parts, pair.officer, rows[client], run=client)[0].effect
                return "counted" if effect == "created" else "refused"
            filed = queue[client // 2]
            try:
                with work_for(parts, pair.officer) as work:
                    service.decide(work, filed.row.public_id, papers.decision(filed, number=number))
            except Conflict:
                return "refused"
            return "counted"

        assert at_once(come) == {"counted": 1, "refused": CLIENTS - 1}
        assert counted(parts) == turn


def test_taken_out_by_twenty_is_one_reversal(parts: Parts) -> None:
    officer = factories.actor(parts, Role.OFFICER)
    outcomes = history.bring_in(parts, officer, [history.row()])
    public_id = PublicId(history.public_id(parts, outcomes[0]))

    def out(client: int) -> str:
        if client % 2:
            return "kept" if history.undo(parts, officer, outcomes) else "out"
        try:
            with work_for(parts, officer) as work:
                past.take_out(work, public_id, TakeOutIn(cause="mistake", reason="抄错"))
        except Conflict:
            return "kept"
        return "out"

    assert at_once(out) == {"out": 1, "kept": CLIENTS - 1}
    assert counted(parts) == 0
    assert len(papers.transactions(parts)) == 2
