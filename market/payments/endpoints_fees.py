"""The JSON edge of the fee schedule and of the limits of paying by card."""

from typing import Annotated

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.kit.ids import PublicId
from market.kit.wire import Day, PathId
from market.payments import limits, schedule, showing
from market.payments.schemas import (
    FeeEndIn,
    FeeIn,
    FeeOut,
    FeesOut,
    LimitIn,
    LimitOut,
    LimitsOut,
)

router = api_router("payments")


@router.get("/fees")
def list_fees(work: Annotated[Work, opens(Action.BROWSE)], every: bool = False) -> FeesOut:
    """List the fee schedule of today; with `every` also what was and what will be."""
    return FeesOut(items=[showing.fee(one) for one in schedule.lines(work, every=every)])


@router.post("/fees", status_code=201)
def set_fee(form: FeeIn, work: Annotated[Work, opens(Action.FEE_EDIT, write=True)]) -> FeeOut:
    """Write a line of the schedule from a day on."""
    return showing.fee(schedule.line(work, schedule.set_fee(work, form).public_id))


@router.post("/fees/{fee_id}/end")
def end_fee(
    fee_id: PathId, form: FeeEndIn, work: Annotated[Work, opens(Action.FEE_EDIT, write=True)]
) -> FeeOut:
    """End a line from a day on without a successor."""
    return showing.fee(schedule.end(work, PublicId(fee_id), form.ends_on))


@router.delete("/fees/{fee_id}", status_code=204)
def withdraw_fee(fee_id: PathId, work: Annotated[Work, opens(Action.FEE_EDIT, write=True)]) -> None:
    """Take out a line from today or later by which nothing is owed."""
    schedule.withdraw(work, PublicId(fee_id))


@router.get("/card-limits")
def list_limits(work: Annotated[Work, opens(Action.BROWSE)]) -> LimitsOut:
    """List what Stripe takes at least and at most, from which day on and by what source."""
    return LimitsOut(items=[LimitOut.model_validate(one) for one in limits.every(work)])


@router.post("/card-limits", status_code=201)
def put_limit(form: LimitIn, work: Annotated[Work, opens(Action.FEE_EDIT, write=True)]) -> LimitOut:
    """Write the limits from a day on."""
    return LimitOut.model_validate(limits.put(work, form))


@router.delete("/card-limits/{limit_day}", status_code=204)
def withdraw_limit(
    limit_day: Day, work: Annotated[Work, opens(Action.FEE_EDIT, write=True)]
) -> None:
    """Take out the limits from today or later."""
    limits.withdraw(work, limit_day)
