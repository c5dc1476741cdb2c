"""The JSON edge of periods."""

from typing import Annotated

from market.accounts.edge import api_router, opens
from market.accounts.policy import Action
from market.accounts.work import Work
from market.ledger import desk
from market.ledger.desk import Month
from market.ledger.wire import CloseIn, PeriodOut, PeriodsOut

router = api_router("ledger", "/periods")


def _out(one: Month) -> PeriodOut:
    row = one.row
    return PeriodOut(
        month=row.month,
        begins_on=row.begins_on,
        ends_on=row.ends_on,
        state=row.state,
        count=one.count,
        technical_fen=one.technical_fen,
        total_fen=one.total_fen,
        closing_at=row.closing_at,
        closed_at=row.closed_at,
        automatic=row.closing_at is not None and row.closed_by is None,
        head_seq=row.head_seq,
        head_hash=row.head_hash,
        seal=one.seal,
        may_close=one.may_close,
    )


@router.get("")
def periods(work: Annotated[Work, opens(Action.PERIOD_VIEW)]) -> PeriodsOut:
    """List the months with their figures and heads, newest first."""
    return PeriodsOut(items=[_out(one) for one in desk.listed(work)])


@router.post("/close")
def close(
    form: CloseIn, work: Annotated[Work, opens(Action.PERIOD_CLOSE, write=True)]
) -> PeriodsOut:
    """Close a month and all before it: nothing changes in them any more."""
    desk.close(work, form.month)
    return PeriodsOut(items=[_out(one) for one in desk.listed(work)])
