"""The fee schedule: lines from a day on, written, ended and withdrawn by the operators.

What a line says never changes. It ends where the next of its code follows, or where it was ended
without one; one that began today or will begin can be withdrawn while nothing is owed by it.
Payments keep the line they were made by.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit.errors import Conflict, Invalid, NotFound
from market.kit.ids import FeeId, PublicId, new_public_id
from market.payments import repository_fees
from market.payments.models import Fee
from market.payments.repository_fees import Line
from market.payments.schemas import FeeIn
from market.payments.states import Purpose

CHOOSE: Final = "请从现行的收费标准里选一项"
MOVED: Final = "这项收费标准刚被别人改过，请刷新后再看"


def lines(work: Work, *, every: bool = False) -> Sequence[Line]:
    """Return the schedule of today, or with what was and what will be."""
    found = repository_fees.lines(work.session)
    return found if every else [one for one in found if one.holds(work.today)]


def line(work: Work, public_id: PublicId) -> Line:
    """Return a line to the operators. Raises NotFound."""
    work.require(Action.FEE_EDIT, Relation.OTHER)
    for one in repository_fees.lines(work.session):
        if one.fee.public_id == public_id:
            work.touched("fee", public_id)
            return one
    raise NotFound


def in_force(work: Work, public_id: str | None, purpose: Purpose) -> Fee:
    """Return a line of the schedule that is in force today. Raises Invalid at `fee`."""
    for one in lines(work):
        if one.fee.public_id == public_id and one.fee.purpose == purpose:
            return one.fee
    raise Invalid(fields={"fee": CHOOSE})


def stands(session: Session, fee_id: FeeId | None) -> bool:
    """Tell whether a line is there; what has none, needs none."""
    return fee_id is None or repository_fees.stands(session, fee_id)


def set_fee(work: Work, form: FeeIn) -> Fee:
    """Write a line of the schedule, from a day on; what stood under its code ends there.

    Raises Invalid at `effective_from` for a day before today or not after the last change, at
    `amount_fen` where it is not a fixed fee or a rate of earnest money.
    """
    work.require(Action.FEE_EDIT, Relation.OTHER)
    if (form.amount_fen is None) == (form.rate_bp is None):
        raise Invalid(fields={"amount_fen": "固定金额和比例填一个"})
    if form.rate_bp is not None and Purpose(form.purpose) is not Purpose.EARNEST:
        raise Invalid(fields={"rate_bp": "只有诚意金可以按比例"})
    if form.least_fen > form.most_fen:
        raise Invalid(fields={"most_fen": "不能低于最低的金额"})
    if form.effective_from < work.today:
        raise Invalid(fields={"effective_from": "应从今天或以后起"})
    days = [
        one.fee.effective_from
        for one in repository_fees.lines(work.session)
        if one.fee.code == form.code
    ]
    if days and max(days) >= form.effective_from:
        raise Invalid(
            fields={
                "effective_from": f"应晚于{max(days)}；今天或以后起的那一项写错了，先在它的页面撤回"
            }
        )
    row = {
        **form.model_dump(),
        "public_id": new_public_id(),
        "created_by": work.actor.person,
        "created_at": work.now,
    }
    if not repository_fees.write(work.session, row):
        raise Invalid(fields={"effective_from": "这一天起的收费标准刚有人写过"})
    return line(work, row["public_id"]).fee


def end(work: Work, public_id: PublicId, on: date) -> Line:
    """End a line from a day on without a successor; an end that has not come may be moved.

    Raises NotFound; Invalid at `ends_on` for a day before today, not after its first or not before
    the next line's; Conflict where it is over, and where somebody changed it meanwhile.
    """
    one = line(work, public_id)
    if one.until is not None and one.until <= work.today:
        raise Conflict("这项收费标准已经到期")
    if on < work.today:
        raise Invalid(fields={"ends_on": "应从今天或以后起"})
    if on <= one.fee.effective_from:
        raise Invalid(fields={"ends_on": f"应晚于生效日{one.fee.effective_from}"})
    if one.next_from is not None and on >= one.next_from:
        raise Invalid(fields={"ends_on": f"下一项从{one.next_from}起，应早于这一天"})
    if not repository_fees.end(work.session, one.fee, on):
        raise Conflict(MOVED)
    return line(work, public_id)


def withdraw(work: Work, public_id: PublicId) -> None:
    """Take out a line from today or later by which nothing is owed; the one before it goes on.

    Raises NotFound; Conflict for one that was in force before today, or by which something is owed.
    """
    one = line(work, public_id)
    if not repository_fees.withdraw(work.session, one.fee.id, work.today):
        raise Conflict("今天以前生效或已有款项的收费标准不能撤回，可以从某一天起停用")
