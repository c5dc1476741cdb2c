"""What Stripe takes at least and at most in CNY: dated data with its source."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Final

from sqlmodel import Session

from market.accounts.policy import Action, Relation
from market.accounts.work import Work
from market.kit.errors import Conflict, Invalid, NotFound
from market.payments import repository_beside, repository_fees
from market.payments.models import CardLimit
from market.payments.schemas import LimitIn

SOURCE: Final = (
    "Stripe 接口文档对金额的说明和“Supported currencies”：每笔至少为0.50美元的等值，"
    "金额以分计最多八位数；人民币没有单列，按1美元不超过8元取4.00元"
)


def seed(session: Session) -> None:
    """Write the first limits where there are none."""
    if repository_beside.card_limit(session, date.max) is None:
        session.add(
            CardLimit(
                effective_from=date(2020, 1, 1),
                least_fen=400,
                most_fen=99_999_999,
                source=SOURCE,
                checked_on=date(2026, 11, 30),
                created_at=datetime(2026, 11, 30, tzinfo=UTC),
            )
        )
        session.flush()


def every(work: Work) -> Sequence[CardLimit]:
    """Return all limits, the newest first."""
    return repository_beside.card_limits(work.session)


def put(work: Work, form: LimitIn) -> CardLimit:
    """Write the limits from a day on, as somebody has read them at Stripe today.

    Raises Invalid at `most_fen` below the least, at `effective_from` for a day before today or not
    after the last.
    """
    work.require(Action.FEE_EDIT, Relation.OTHER)
    if form.least_fen > form.most_fen:
        raise Invalid(fields={"most_fen": "不能低于最低的金额"})
    if form.effective_from < work.today:
        raise Invalid(fields={"effective_from": "应从今天或以后起"})
    last = repository_beside.card_limit(work.session, date.max)
    if last is not None and last.effective_from >= form.effective_from:
        raise Invalid(
            fields={"effective_from": f"应晚于{last.effective_from}；今天或以后起的写错了，先撤回"}
        )
    row = {
        **form.model_dump(),
        "checked_on": work.today,
        "created_by": work.actor.person,
        "created_at": work.now,
    }
    if not repository_beside.write_limit(work.session, row):
        raise Invalid(fields={"effective_from": "这一天起的限额刚有人写过"})
    written = repository_beside.card_limit(work.session, form.effective_from)
    assert written is not None
    work.touched("card_limit", str(form.effective_from))
    return written


def withdraw(work: Work, of: date) -> None:
    """Take out the limits from today or later; those before them go on.

    Raises NotFound where that day has none, Conflict where they were in force before today.
    """
    work.require(Action.FEE_EDIT, Relation.OTHER)
    if all(one.effective_from != of for one in every(work)):
        raise NotFound
    work.touched("card_limit", str(of))
    if not repository_fees.withdraw_limit(work.session, of, work.today):
        raise Conflict("今天以前生效的限额不能撤回，请写新的一行")
