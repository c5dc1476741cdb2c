"""The desk, the past and the book under any order of steps, held against `counting_model`.

After each step: entries balance; the board is the sum of the entries and of what is registered; no
number counts twice; every registration is where the table leads; closed months are as they were.
"""

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from market.kit.clock import local_date
from market.kit.intake import Effect
from market.ledger import desk
from market.registry import past, service
from market.registry.schemas import (
    CancelIn,
    ChangeIn,
    DecideIn,
    ObjectIn,
    ResolveIn,
    ReturnIn,
    ReviewIn,
    RevokeIn,
    TakeOutIn,
    UndoIn,
)
from tests.market.ledger.test_tampering import settle
from tests.market.registry.counting_base import HERE, SIGNED, THERE, WAN, Market
from tests.market.registry.counting_model import LEADS, Case, Paper
from tests.support import history, papers

any_one = st.integers(0, 10**6)
wild = st.integers(0, 9).map(lambda n: n == 0)
amounts = st.tuples(st.integers(1, 600 * WAN), st.integers(0, 200 * WAN)).map(
    lambda two: (two[0], two[0] + two[1])
)
"""技术交易额 and 成交额 in fen."""


WITHOUT_MONEY = (
    "hand_in",
    "withdraw",
    "send_back",
    "accept",
    "review",
    "refuse",
    "object",
    "uphold",
)


class Counting(Market):
    """Any order of what people do, from a market in which some contracts count already."""

    def __init__(self) -> None:
        super().__init__()
        for _ in range(3):
            self.register(
                which=0,
                wildly=False,
                used=False,
                which_number=0,
                naming="right",
                days=40,
                other=None,
            )
        for step, case in zip(
            ("object", "accept", "send_back"),
            (self.model.cases[0], *self.model.cases[3:5]),
            strict=True,
        ):
            self._take(step, case)

    # what people do

    @rule(here=st.booleans(), money=amounts, again=wild, which=any_one)
    def sign(self, here: bool, money: tuple[int, int], again: bool, which: int) -> None:
        """A new contract, or another paper of one that is there."""
        known = self.model.papers
        paper = Paper(len(known), here, *money)
        if again and known:
            one = known[which % len(known)]
            paper = Paper(one.mark, one.here, min(money[0], one.total), one.total)
        self.sign_paper(paper)

    @precondition(lambda self: self.model.papers)
    @rule(which=any_one, astray=wild, others=any_one)
    def hand_in_anew(self, which: int, astray: bool, others: int) -> None:
        """Hand a contract in, now and then with the file of another one."""
        model = self.model
        fit = [n for n in range(len(model.papers)) if model.may_hand_in(n, n)]
        place = fit[which % len(fit)] if fit and not astray else which % len(model.papers)
        self.file_paper(place, others % len(model.papers) if astray else place)

    @precondition(lambda self: self.model.cases)
    @rule(which=any_one, wildly=wild)
    def step(self, which: int, wildly: bool) -> None:
        """A step that moves no money."""
        step, case = self.chosen(WITHOUT_MONEY, which, wildly=wildly)
        if step is not None and case is not None:
            self._take(step, case)

    def _take(self, step: str, case: Case) -> None:
        public_id, may = self.id_of(case), self.model.may(case, step)
        calls: dict[str, Callable[[Any], Any]] = {
            "hand_in": lambda work: service.hand_in(work, public_id, "清单在第3页"),
            "withdraw": lambda work: service.withdraw(work, public_id),
            "send_back": lambda work: service.send_back(work, public_id, ReturnIn(note="补清单")),
            "accept": lambda work: service.accept(work, public_id),
            "review": lambda work: service.review(work, public_id, ReviewIn(note="有争议")),
            "refuse": lambda work: service.decide(
                work, public_id, DecideIn(decision="not_registered", refusal_reason="evidence")
            ),
            "object": lambda work: service.object_to(work, public_id, ObjectIn(reason="有误")),
            "uphold": lambda work: service.resolve(
                work, public_id, ResolveIn(outcome="upheld", note="维持")
            ),
        }
        of_the_seller = step in ("hand_in", "withdraw", "object")
        actor = self.seller(case) if of_the_seller else self.officer
        self.attempt(step, actor, calls[step], may=may)
        if may:
            self.model.go(case, step)

    @rule(
        which=any_one,
        wildly=wild,
        used=st.integers(0, 3).map(lambda n: n == 0),
        which_number=any_one,
        naming=st.sampled_from(["right", "right", "right", "none", "wrong"]),
        days=st.integers(0, 200),
        other=st.one_of(st.none(), st.none(), amounts),
    )
    def register(
        self,
        which: int,
        wildly: bool,
        used: bool,
        which_number: int,
        naming: str,
        days: int,
        other: tuple[int, int] | None,
    ) -> None:
        """Enter a certificate: a new number or one met before, as applied for or otherwise."""
        _, case = self.chosen(["register"], which, wildly=wildly)
        if case is None:
            return
        model, paper = self.model, self.model.papers[case.paper or 0]
        met = [one.number for one in model.cases if one.number]
        number = met[which_number % len(met)] if used and met else papers.number()
        holder = model.to_supersede(number)
        named = holder if naming == "right" else None
        if naming == "wrong":
            named = model.cases[which_number % len(model.cases)]
        technical, total = other or (paper.technical, paper.total)
        day = model.today - timedelta(days=days)
        form = DecideIn(
            decision="registered",
            number=number,
            decided_on=day,
            total_fen=total,
            technical_fen=technical,
            difference_reason="认定不同" if (technical, total) != _applied(paper) else "",
            supersedes=self.id_of(named) if named else None,
        )
        fits = model.is_free(number) and named is holder and not model.past_with(case.mark)
        may = model.may(case, "register") and fits
        same = case.state == "registered" and case.document == _document(form)
        public_id = self.id_of(case)
        self.attempt(
            "register",
            self.officer,
            lambda work: service.decide(work, public_id, form),
            may=may or same,
        )
        if may:
            case.document = _document(form)
            model.count(case, number, day, (technical, total))

    @precondition(lambda self: any(one.document for one in self.model.cases))
    @rule(which=any_one)
    def enter_the_same_again(self, which: int) -> None:
        """The same decision once more answers with the same, or that the matter has moved on."""
        done = [one for one in self.model.cases if one.document]
        case = done[which % len(done)]
        number, day, total, technical, reason, supersedes = case.document
        form = DecideIn(
            decision="registered",
            number=number,
            decided_on=day,
            total_fen=total,
            technical_fen=technical,
            difference_reason=reason,
            supersedes=supersedes,
        )
        public_id = self.id_of(case)
        self.attempt(
            "same again",
            self.officer,
            lambda work: service.decide(work, public_id, form),
            may=case.state == "registered",
        )

    @precondition(lambda self: self.model.cases)
    @rule(which=any_one, wildly=wild, money=amounts, too_much=wild, away=st.booleans())
    def change(
        self, which: int, wildly: bool, money: tuple[int, int], too_much: bool, away: bool
    ) -> None:
        """Other amounts from today on, by a change or in answer to an objection; a change may move
        the seller to the other region, too.
        """
        step, case = self.chosen(["change", "correct"], which, wildly=wildly)
        if step is None or case is None:
            return
        technical, total = money if not too_much else (money[1] + 1, money[1])
        public_id = self.id_of(case)
        note = "补充协议"
        away = away and step == "change"
        other = away or (technical, total) != (case.technical, case.total)
        may = self.model.may(case, step) and other and technical <= total
        if step == "change":
            region = "" if not away else THERE if case.counted_here else HERE
            form = ChangeIn(
                total_fen=total, technical_fen=technical, reason=note, seller_region=region
            )
            same = case.state == "changed" and case.last_change == (*money, note) and not away
            self.attempt(
                step,
                self.officer,
                lambda work: service.change(work, public_id, form),
                may=may or same,
            )
        else:
            answer = ResolveIn(
                outcome="corrected", total_fen=total, technical_fen=technical, note=note
            )
            self.attempt(
                step, self.officer, lambda work: service.resolve(work, public_id, answer), may=may
            )
        if may:
            self.model.change(case, step, (technical, total), note, away=away)

    @precondition(lambda self: self.model.cases)
    @rule(which=any_one, wildly=wild)
    def take_out(self, which: int, wildly: bool) -> None:
        """Cancellation, revocation, or the undo of what was copied wrongly."""
        step, case = self.chosen(["cancel", "revoke", "undo"], which, wildly=wildly)
        if step is None or case is None:
            return
        public_id, may = self.id_of(case), self.model.may(case, step)
        calls: dict[str, Callable[[Any], Any]] = {
            "cancel": lambda work: service.cancel(
                work, public_id, CancelIn(cause="rescinded", reason="解除")
            ),
            "revoke": lambda work: service.revoke(
                work, public_id, RevokeIn(cause="twice", reason="重复登记")
            ),
            "undo": lambda work: service.undo(work, public_id, UndoIn(reason="抄错")),
        }
        self.attempt(step, self.officer, calls[step], may=may)
        if may:
            self.model.take_out(case, LEADS[step][case.state], self.model.today)

    @rule(
        here=st.booleans(),
        money=amounts,
        used=st.integers(0, 2).map(lambda n: n == 0),
        same=wild,
        which=any_one,
        days=st.integers(0, 500),
    )
    def bring_in(
        self, here: bool, money: tuple[int, int], used: bool, same: bool, which: int, days: int
    ) -> None:
        """A contract registered elsewhere, now and then with a number or a contract met before."""
        model = self.model
        met = [one.number for one in model.cases if one.number]
        number = met[which % len(met)] if used and met else papers.number()
        paper = Paper(-1 - len(model.cases), here, *money)
        if same and model.papers:
            paper = model.papers[which % len(model.papers)]
        pair = self.pairs[paper.here]
        day = model.today - timedelta(days=days)
        row = history.row(
            number=number,
            registered_on=day,
            signed_on=SIGNED,
            project_name=f"示范项目第{paper.mark}号",
            seller=pair.seller.name,
            seller_region=pair.seller.region,
            buyer=pair.buyer.name,
            total=_wan(paper.total),
            technical=_wan(paper.technical),
        )
        taken = model.past_with(paper.mark) or not model.may_bring_in(paper.mark, number)
        (outcome,) = history.bring_in(self.parts, self.officer, [row])
        assert (outcome.effect is Effect.CREATED) == (not taken), history.reasons(outcome)
        self.ground.happened["refused" if taken else "bring_in"] += 1
        if taken:
            return
        case = Case(paper.mark, paper.here, paper.technical, paper.total, past=True)
        model.cases.append(case)
        self.ids.append(history.public_id(self.parts, outcome))
        model.count(case, number, day, (paper.technical, paper.total))

    @precondition(lambda self: any(one.past for one in self.model.cases))
    @rule(which=any_one, cause=st.sampled_from(["mistake", "cancelled"]))
    def take_past_out(self, which: int, cause: str) -> None:
        some = [one for one in self.model.cases if one.past]
        case = some[which % len(some)]
        public_id, may = self.id_of(case), case.counts
        form = TakeOutIn(cause=cause, reason="已注销")  # type: ignore[arg-type]
        self.attempt(
            f"past {cause}",
            self.officer,
            lambda work: past.take_out(work, public_id, form),
            may=may,
        )
        if may:
            assert case.day is not None
            day = case.day if cause == "mistake" else self.model.today
            self.model.take_out(case, "taken out" if cause == "mistake" else "cancelled", day)

    @rule(back=st.sampled_from([0, 1, 2, 2, 3, 3, 4, 7, 11, 14]), wildly=wild)
    def close_a_month(self, back: int, wildly: bool) -> None:
        """Mostly one that may be; it closes all before it."""
        year, month = divmod(self.model.today.year * 12 + self.model.today.month - 1 - back, 12)
        name = f"{year}-{month + 1:02d}"
        may = self.model.may_close(name)
        if not (may or wildly):
            return
        self.attempt("close", self.officer, lambda work: desk.close(work, name), may=may)
        if may:
            settle(self.parts)
            self.model.close(name, date(year, month + 1, monthrange(year, month + 1)[1]))

    @rule(days=st.integers(1, 40))
    def days_go_by(self, days: int) -> None:
        self.ground.happened["days go by"] += 1
        self.clock.advance(days=days)
        self.model.today = local_date(self.clock.now())


def _applied(paper: Paper) -> tuple[int, int]:
    return paper.technical, paper.total


def _document(form: DecideIn) -> tuple[Any, ...]:
    return (
        form.number,
        form.decided_on,
        form.total_fen,
        form.technical_fen,
        form.difference_reason,
        form.supersedes,
    )


def _wan(fen: int) -> str:
    return f"{fen // WAN}.{fen % WAN:06d}"
