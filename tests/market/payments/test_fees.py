"""The fee schedule and the limits of paying by card: written, ended, withdrawn."""

from datetime import date, timedelta

import pytest

from market.accounts.policy import Role
from market.kit.errors import Conflict, Forbidden, Invalid, NotFound
from market.kit.ids import PublicId
from market.payments import limits, schedule, service
from market.payments.schemas import FeeIn, LimitIn, PaymentIn
from market.payments.states import Purpose
from tests import factories
from tests.market.catalog.test_races import at_once
from tests.support.market import read_for, work_for
from tests.support.paying import FEE, Till

pytestmark = pytest.mark.usefixtures("both_databases")


def test_fees_have_their_days_and_a_payment_keeps_its_own(desk: Till) -> None:
    payment = desk.owed()
    with work_for(desk.parts, desk.operators[0]) as work:
        form = FeeIn(
            code="year",
            name="平台年度服务费",
            purpose="service_fee",
            amount_fen=400_000,
            effective_from="2026-12-01",  # type: ignore[arg-type]  as JSON writes it
            source="示范收费办法修订",
        )
        later = schedule.set_fee(work, form).public_id
        with pytest.raises(Invalid):
            schedule.set_fee(work, form)
    with work_for(desk.parts, desk.payer) as work, pytest.raises(Invalid):
        service.create(work, PaymentIn(purpose=Purpose.SERVICE_FEE, fee=later))
    desk.clock.set_local("2026-12-01 09:00")
    with work_for(desk.parts, desk.payer) as work:
        row = service.create(work, PaymentIn(purpose=Purpose.SERVICE_FEE, fee=later))
        assert row.amount_fen == 400_000
        with pytest.raises(Invalid):
            service.create(work, PaymentIn(purpose=Purpose.SERVICE_FEE, fee=desk.fee))
    assert desk.row(payment).amount_fen == FEE


def test_limits_have_their_days_and_the_ones_in_force_hold(desk: Till) -> None:
    payment = desk.owed()
    with work_for(desk.parts, desk.operators[0]) as work:
        day = work.today + timedelta(days=10)
        form = LimitIn(least_fen=FEE + 1, most_fen=FEE + 2, effective_from=day, source="示范")
        limits.put(work, form)
        for change, field in (
            ({"effective_from": work.today - timedelta(days=1)}, "effective_from"),
            ({"effective_from": day}, "effective_from"),
            ({"most_fen": 1}, "most_fen"),
        ):
            with pytest.raises(Invalid) as refused:
                limits.put(work, form.model_copy(update=change))
            assert set(refused.value.fields) == {field}
    with work_for(desk.parts, desk.payer) as work, pytest.raises(Forbidden):
        limits.put(work, form)
    assert len(desk.checkout(payment)) > 0
    other = desk.owed()
    desk.clock.advance(days=10)
    with pytest.raises(Conflict, match=r"不少于3,000\.01元，请改用银行转账"):
        desk.begin(other)


def line(of: date, code: str = "year", amount: int = 400_000) -> FeeIn:
    return FeeIn(
        code=code,
        name="平台年度服务费",
        purpose="service_fee",
        amount_fen=amount,
        effective_from=of,
        source="示范收费办法修订",
    )


def written(desk: Till, form: FeeIn) -> PublicId:
    with work_for(desk.parts, desk.operators[0]) as work:
        return schedule.set_fee(work, form).public_id


def ended(desk: Till, fee: str, on: date) -> None:
    with work_for(desk.parts, desk.operators[1]) as work:
        schedule.end(work, PublicId(fee), on)


def withdrawn(desk: Till, fee: str) -> None:
    with work_for(desk.parts, desk.operators[1]) as work:
        schedule.withdraw(work, PublicId(fee))


def today(desk: Till) -> date:
    with read_for(desk.parts, desk.payer) as work:
        return work.today


def told(desk: Till) -> list[tuple[str, date, date | None]]:
    """Return (id, first day, end) of all lines as anybody sees them, the oldest first."""
    with read_for(desk.parts, desk.payer) as work:
        found = schedule.lines(work, every=True)
    shown = [(one.fee.public_id, one.fee.effective_from, one.until) for one in found]
    return sorted(shown, key=lambda one: one[1])


def test_a_line_of_a_far_year_is_withdrawn_and_the_one_before_goes_on(desk: Till) -> None:
    first, far = today(desk), date(2090, 1, 1)
    slip = written(desk, line(far))
    assert told(desk) == [(desk.fee, first, far), (slip, far, None)]
    meant = line(first + timedelta(days=30))
    with pytest.raises(Invalid):
        written(desk, meant)
    withdrawn(desk, slip)
    assert told(desk) == [(desk.fee, first, None)]
    with pytest.raises(NotFound):
        withdrawn(desk, slip)
    later = written(desk, meant)
    assert told(desk) == [
        (desk.fee, first, meant.effective_from),
        (later, meant.effective_from, None),
    ]
    desk.clock.advance(days=31)
    with pytest.raises(Conflict, match="停用"):
        withdrawn(desk, later)


def test_a_line_of_today_is_withdrawn_until_something_is_owed_by_it(desk: Till) -> None:
    slip = written(desk, line(today(desk), code="slip"))
    withdrawn(desk, slip)
    assert [one for one, _, _ in told(desk)] == [desk.fee]
    desk.owed()
    with pytest.raises(Conflict, match="停用"):
        withdrawn(desk, desk.fee)
    assert [one for one, _, _ in told(desk)] == [desk.fee]


def test_a_fee_ends_without_a_successor_and_its_payments_keep_it(desk: Till) -> None:
    payment, first = desk.owed(), today(desk)
    end = first + timedelta(days=10)
    for wrong in (first, first - timedelta(days=1)):
        with pytest.raises(Invalid) as refused:
            ended(desk, desk.fee, wrong)
        assert set(refused.value.fields) == {"ends_on"}
    ended(desk, desk.fee, date(2090, 1, 1))
    ended(desk, desk.fee, end)  # an end that has not come may be moved
    assert told(desk) == [(desk.fee, first, end)]
    desk.clock.advance(days=9)
    desk.owed()
    desk.clock.advance(days=1)
    with pytest.raises(Invalid):
        desk.owed()
    with pytest.raises(Conflict, match="到期"):
        ended(desk, desk.fee, end + timedelta(days=5))
    with read_for(desk.parts, desk.payer) as work:
        assert schedule.lines(work) == []
    desk.stripe.pay(desk.checkout(payment))
    desk.deliver()
    desk.work()
    assert desk.row(payment).paid_fen == FEE
    again = written(desk, line(today(desk)))
    assert [one[0] for one in told(desk)] == [desk.fee, again]


def test_a_line_ends_before_the_next_and_a_gap_stays_a_gap(desk: Till) -> None:
    first = today(desk)
    following = written(desk, line(first + timedelta(days=30)))
    with pytest.raises(Invalid) as refused:
        ended(desk, desk.fee, first + timedelta(days=30))
    assert set(refused.value.fields) == {"ends_on"}
    gap = first + timedelta(days=20)
    ended(desk, desk.fee, gap)
    withdrawn(desk, following)
    assert told(desk) == [(desk.fee, first, gap)]


def test_only_operators_end_and_withdraw(desk: Till) -> None:
    far = written(desk, line(today(desk) + timedelta(days=5), "other"))
    officer = factories.actor(desk.parts, Role.OFFICER)
    for who in (desk.payer, officer):
        with work_for(desk.parts, who) as work:
            for act in (
                lambda: schedule.withdraw(work, far),
                lambda: schedule.end(work, far, date(2030, 1, 1)),
                lambda: limits.withdraw(work, date(2020, 1, 1)),
            ):
                with pytest.raises(Forbidden):
                    act()


def test_of_two_lines_of_one_day_at_once_one_is_told_at_the_field(desk: Till) -> None:
    form = line(today(desk) + timedelta(days=5), "new")
    steps = [(who, lambda work: schedule.set_fee(work, form)) for who in desk.operators]
    assert sorted(at_once(desk.parts, *steps)) == ["Invalid", "done"]


def test_of_two_that_end_a_fee_at_once_both_days_are_never_lost_unseen(desk: Till) -> None:
    """Whoever changes what another one changed meanwhile is told, or comes after it."""
    first, fee = today(desk), PublicId(desk.fee)
    days = [first + timedelta(days=one) for one in (5, 6)]
    steps = [
        (who, lambda work, day=day: schedule.end(work, fee, day))
        for who, day in zip(desk.operators, days, strict=True)
    ]
    outcomes = at_once(desk.parts, *steps)
    assert "done" in outcomes
    ((_, _, until),) = told(desk)
    assert until in [day for day, said in zip(days, outcomes, strict=True) if said == "done"]


def test_limits_of_a_far_year_are_withdrawn_and_those_before_go_on(desk: Till) -> None:
    far = date(2090, 1, 1)
    form = LimitIn(least_fen=FEE + 1, most_fen=FEE + 2, effective_from=far, source="示范")
    with work_for(desk.parts, desk.operators[0]) as work:
        limits.put(work, form)
    near = form.model_copy(update={"effective_from": today(desk)})
    with work_for(desk.parts, desk.operators[0]) as work, pytest.raises(Invalid):
        limits.put(work, near)
    with work_for(desk.parts, desk.operators[1]) as work:
        limits.withdraw(work, far)
        with pytest.raises(NotFound):
            limits.withdraw(work, far)
    with work_for(desk.parts, desk.operators[0]) as work:
        assert len(limits.every(work)) == 1
        limits.put(work, near)
    with work_for(desk.parts, desk.operators[0]) as work:
        limits.withdraw(work, near.effective_from)  # a slip of the pen of today
        limits.put(work, near.model_copy(update={"most_fen": FEE + 3}))
        assert limits.every(work)[0].most_fen == FEE + 3
    desk.clock.advance(days=1)
    with (
        work_for(desk.parts, desk.operators[0]) as work,
        pytest.raises(Conflict, match="今天以前"),
    ):
        limits.withdraw(work, near.effective_from)
