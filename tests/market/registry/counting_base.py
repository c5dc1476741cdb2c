"""A market beside its model: how it begins, how a step is taken, and what must hold after it.

After each step: entries balance; the board is the sum of the entries and of what is registered; no
number counts twice; every registration is where the table leads; closed months are as they were.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from hypothesis.stateful import RuleBasedStateMachine, invariant
from sqlalchemy import text

from infra.settings import Settings
from infra.wiring import build_parts, close_parts
from market.accounts.work import Actor, Parts
from market.deals import repository, waiting
from market.insight import repository as insight_rows
from market.insight import service as insight
from market.kit.clock import local_date
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import PublicId
from market.ledger import service as ledger
from market.ledger import verify
from market.ledger.schemas import Slice
from market.registry import audit, service
from market.registry.repository import Filed
from market.registry.schemas import (
    SubmitIn,
)
from market.rules import service as rules
from market.rules.schemas import PlanIn
from tests.market.registry.counting_model import Case, Model, Paper
from tests.support import papers
from tests.support.clock import FakeClock
from tests.support.market import read_for, work_for

HERE, THERE = "500106", "500103"
SINCE, UNTIL = date(2026, 1, 1), date(2030, 12, 31)
SIGNED = date(2025, 1, 2)
WAN: Final = papers.WAN
REFUSED = (Conflict, Invalid, NotFound)


@dataclass
class Ground:
    """Where machines run: how to get an empty database, and what happened in all of them.

    `steps` counts what was taken or refused and then held against the model: neither what a market
    begins with, nor a rule that found nothing to do.
    """

    fresh: Callable[[ExitStack], Settings]
    happened: Counter[str]
    steps: int = 0


class Market(RuleBasedStateMachine):
    """One market from its beginning; `ground` is set by whoever runs it."""

    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.clock = FakeClock()
        self.parts: Parts = build_parts(self.ground.fresh(self.stack), self.clock)
        self.stack.callback(close_parts, self.parts)
        self.model = Model(local_date(self.clock.now()))
        self.pairs = {
            True: papers.sides(self.parts, seller_region=HERE),
            False: papers.sides(self.parts, seller_region=THERE),
        }
        self.officer = self.pairs[True].officer
        self.contracts: list[Any] = []
        self.ids: list[PublicId] = []
        self._begin()
        self.held = self.ground.happened.total()

    def _begin(self) -> None:
        """A plan, and contracts that are handed in."""
        with work_for(self.parts, self.officer) as work:
            form = PlanIn(
                name="示范区2026–2030",
                region=HERE,
                from_on=SINCE,
                to_on=UNTIL,
                baseline_fen=20_000 * WAN,
                baseline_year=2020,
                target_fen=400_000 * WAN,
            )
            rules.put_plan(work, form)
        for number, here in enumerate((True, False, True, True, False, True, False, True)):
            self.sign_paper(Paper(number, here, 80 * WAN, 100 * WAN))
            self.file_paper(number, number)

    # how a step is taken

    def attempt(self, name: str, actor: Actor, call: Callable[[Any], Any], *, may: bool) -> Any:
        """Take a step that must succeed where it `may`, and be refused where it may not."""
        done, refusal = None, None
        try:
            with work_for(self.parts, actor) as work:
                done = call(work)
        except REFUSED as error:
            refusal = error
        told = getattr(refusal, "fields", None)
        assert (refusal is None) == may, f"{name}: {refusal!r} {told}"
        self.ground.happened[name if may else "refused"] += 1
        return done

    def chosen(
        self, steps: Sequence[str], which: int, *, wildly: bool
    ) -> tuple[str, Case] | tuple[None, None]:
        """Return a step and a registration: mostly one that the step is for."""
        own = [one for one in self.model.cases if not one.past]
        fit = {step: [one for one in own if self.model.may(one, step)] for step in steps}
        found = {step: own if wildly else some for step, some in fit.items() if some or wildly}
        if not own or not found:
            return None, None
        step = list(found)[which % len(found)]
        return step, found[step][which // 10 % len(found[step])]

    def id_of(self, case: Case) -> PublicId:
        return self.ids[self.model.cases.index(case)]

    def seller(self, case: Case) -> Actor:
        return self.pairs[case.here].seller_actor

    def sign_paper(self, paper: Paper) -> None:
        self.ground.happened["sign"] += 1
        self.model.papers.append(paper)
        pair = self.pairs[paper.here]
        contract = papers.signed_contract(
            self.parts,
            pair,
            project=f"示范项目第{paper.mark}号",
            total=paper.total,
            technical=paper.technical,
            signed_on=SIGNED,
        )
        self.contracts.append(contract)
        with work_for(self.parts, pair.seller_actor) as work:
            deal = repository.deal(work.session, contract.deal_id)
            waiting.signed(work, contract, deal)

    def file_paper(self, place: int, file: int) -> None:
        model = self.model
        paper, contract = model.papers[place], self.contracts[place]
        may = model.may_hand_in(place, file) and not model.past_with(paper.mark)
        form = SubmitIn(contract=contract.public_id)
        done: Filed | None = self.attempt(
            "hand_in_anew",
            self.pairs[paper.here].seller_actor,
            lambda work: service.submit(work, form, papers.scan(f"第{file}份"), papers.TOLD),
            may=may,
        )
        if done is not None:
            case = Case(paper.mark, paper.here, paper.technical, paper.total)
            case.paper, case.file = place, file
            model.cases.append(case)
            self.ids.append(done.row.public_id)

    # what must hold

    @invariant()
    def all_holds(self) -> None:
        happened = self.ground.happened.total()
        self.ground.steps += happened > self.held
        self.held = happened
        model = self.model
        with read_for(self.parts, self.officer) as work:
            session = work.session
            rows = session.execute(text(_UNBALANCED)).all()
            assert rows == [], "entries balance"
            board = insight.board(work)
            whole = ledger.total(session, Slice())
            newest = list(insight_rows.standing(session))[:5]
            assert insight_rows.newest(session, 5) == newest
            for month, closed in model.closed.items():
                (row,) = session.execute(text(_MONTH), {"month": month}).all()
                assert tuple(row) == ("closed", *closed), f"{month} is as it was closed"
                assert model.of_month(month) == closed
            states = session.execute(text(_STATES)).all()
            (counted,) = session.execute(text(_COUNTED)).all()
            twice = session.execute(text(_TWICE)).all()
            (entries,) = session.execute(text(_ENTRIES)).all()
        if board is not None:
            out = board.outgoing
            assert (out.count, out.technical_fen, out.total_fen) == model.board(SINCE, UNTIL)
        expected = model.all()
        assert expected == model.standing()
        assert (whole.count, whole.technical_fen, whole.total_fen) == expected
        assert tuple(counted) == expected, "what is registered is what counts"
        assert tuple(entries) == (expected[1], len(model.moves))
        assert twice == [], "no number counts twice"
        own = [one for one in zip(self.ids, model.cases, strict=True) if not one[1].past]
        assert dict(map(tuple, states)) == {key: one.state for key, one in own}  # type: ignore[arg-type]

    def teardown(self) -> None:
        try:
            with self.parts.database.read() as session:
                told = [*verify.books(session), *verify.links(session), *audit.audit(session)]
            assert not told, told
        finally:
            self.stack.close()


_COUNTING = "('registered', 'changed', 'objection')"
_UNBALANCED = (
    "SELECT transaction_id FROM ledger_entry GROUP BY transaction_id HAVING sum(amount_fen) <> 0"
)
_MONTH = (
    "SELECT state, count, technical_fen, total_fen FROM ledger_period"
    " WHERE book = 'statistics' AND month = :month"
)
_STATES = "SELECT public_id, state FROM registration WHERE state <> 'draft'"
_ALL = (
    f"SELECT number, technical_fen, total_fen FROM registration WHERE state IN {_COUNTING}"
    " UNION ALL SELECT number, technical_fen, total_fen FROM past_registration"
    " WHERE state = 'counted'"
)
_COUNTED = (
    "SELECT count(*), coalesce(sum(technical_fen), 0), coalesce(sum(total_fen), 0)"
    f" FROM ({_ALL}) AS counted"
)
_TWICE = f"SELECT number FROM ({_ALL}) AS counted GROUP BY number HAVING count(*) > 1"
_ENTRIES = (
    "SELECT coalesce((SELECT sum(amount_fen) FROM ledger_entry WHERE account LIKE 'counted:%'), 0),"
    " (SELECT count(*) FROM ledger_transaction WHERE book = 'statistics')"
)
